"""CertificateSigningRequests: what is refused, in Kubernetes' own words."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from api_bench import BY_KIND, load, merged, problems

from cluster_engine.api.certificates.v1 import certificatesigningrequest as csrs
from cluster_engine.apimachinery.cow import freeze

BASE: dict[str, Any] = {
    **load((Path(__file__).parent / "golden" / "certificatesigningrequest.input.yaml").read_text()),
    "status": {},
}
REQUEST = BASE["spec"]["request"]
BAD = base64.b64encode(b"hello").decode()
CERTIFICATE = base64.b64encode(
    base64.b64decode(REQUEST).replace(b"CERTIFICATE REQUEST", b"CERTIFICATE")
).decode()
NEW = base64.b64encode(
    base64.b64decode(REQUEST).replace(b"N CERT", b"N NEW CERT").replace(b"D CERT", b"D NEW CERT")
)
_PEM = base64.b64decode(REQUEST).decode().splitlines()
_DER = base64.b64decode("".join(_PEM[1:-1])).replace(b"jane", b"jade")
CHANGED = base64.b64encode(
    b"-----BEGIN CERTIFICATE REQUEST-----\n"
    + base64.encodebytes(_DER)
    + b"-----END CERTIFICATE REQUEST-----\n"
).decode()
LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
USAGES = (
    '"any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment", '
    '"decipher only", "digital signature", "email protection", "encipher only", "ipsec end system", "ipsec tunnel", '
    '"ipsec user", "key agreement", "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime", '
    '"server auth", "signing", "timestamping"'
)
FORM = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
PEM = "PEM block type must be CERTIFICATE REQUEST"

# id: (change of the spec, expected errors)
CREATES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "no request": ({"request": None}, [f'spec.request: Invalid value: "": {PEM}']),
    "no PEM": ({"request": BAD}, [f'spec.request: Invalid value: "{BAD}": {PEM}']),
    "another block": ({"request": CERTIFICATE}, [f'spec.request: Invalid value: "{CERTIFICATE}": {PEM}']),
    "as Java writes it": (
        {"request": NEW.decode()}, [f'spec.request: Invalid value: "{NEW.decode()}": {PEM}'],
    ),
    "changed on the way": (
        {"request": CHANGED},
        [f'spec.request: Invalid value: "{CHANGED}": x509: ECDSA verification failure'],
    ),
    "no usages": ({"usages": []}, ["spec.usages: Required value"]),
    "unknown usage": (
        {"usages": ["dancing"]}, [f'spec.usages[0]: Unsupported value: "dancing": supported values: {USAGES}'],
    ),
    "usage twice": (
        {"usages": ["client auth", "any", "client auth"]}, ['spec.usages[2]: Duplicate value: "client auth"'],
    ),
    "no signer": ({"signerName": None}, ["spec.signerName: Required value"]),
    "legacy signer": (
        {"signerName": "kubernetes.io/legacy-unknown"},
        ['spec.signerName: Invalid value: "kubernetes.io/legacy-unknown": '
         "the legacy signerName is not allowed via this API version"],
    ),
    "signer without path": (
        {"signerName": "me"}, [f'spec.signerName: Invalid value: "me": {FORM}'],
    ),
    "signer with two paths": (
        {"signerName": "a.b/c/d"}, [f'spec.signerName: Invalid value: "a.b/c/d": {FORM}'],
    ),
    "signer of no domain": (
        {"signerName": "example/own"},
        ['spec.signerName: Invalid value: "example": '
         "should be a domain with at least two segments separated by dots"],
    ),
    "signer of a wrong domain": (
        {"signerName": "Example.com/own"},
        [f'spec.signerName: Invalid value: "Example.com": validating label "Example": {LABEL}'],
    ),
    "signer of a wrong path": (
        {"signerName": "example.com/Own.x"},
        [f'spec.signerName: Invalid value: "Own.x": validating label "Own": {SUBDOMAIN}'],
    ),
    "too short a life": (
        {"expirationSeconds": 599},
        ["spec.expirationSeconds: Invalid value: 599: "
         "may not specify a duration less than 600 seconds (10 minutes)"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), CREATES.values(), ids=CREATES)
def test_refused_on_create(change: dict[str, Any], expected: list[str]) -> None:
    assert problems(BASE) == []
    assert problems(merged(BASE, {"spec": change})) == expected


def with_status(**status: Any) -> Any:
    return freeze({**BASE, "metadata": {"name": "jane", "uid": "u"}, "status": status})


def condition(type_: str, status: str = "True") -> dict[str, str]:
    return {"type": type_, "status": status}


APPROVED, DENIED = condition("Approved"), condition("Denied")
AT = "status.conditions"
# id: (how it is, what an approval makes of it, expected errors)
APPROVALS = {
    "both at once": (
        {}, {"conditions": [APPROVED, DENIED]},
        [f'{AT}[1].type: Invalid value: "Denied": Approved and Denied conditions are mutually exclusive'],
    ),
    "denied after it was approved": (
        {"conditions": [APPROVED]}, {"conditions": [DENIED]},
        [f'{AT}: Forbidden: updates may not remove a condition of type "Approved"'],
    ),
    "not true": (
        {}, {"conditions": [condition("Approved", "False")]},
        [f'{AT}[0].status: Unsupported value: "False": supported values: "True"'],
    ),
    "of no status": ({}, {"conditions": [{"type": "Approved"}]}, [f"{AT}[0].status: Required value"]),
    "of no type": ({}, {"conditions": [{"status": "True"}]}, [f"{AT}[0].type: Required value"]),
    "of another status": (
        {}, {"conditions": [condition("Own", "Maybe")]},
        [f'{AT}[0].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"'],
    ),
    "twice": (
        {}, {"conditions": [APPROVED, APPROVED]}, [f'{AT}[1].type: Duplicate value: "Approved"'],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after", "expected"), APPROVALS.values(), ids=APPROVALS)
def test_refused_approvals(before: dict[str, Any], after: dict[str, Any], expected: list[str]) -> None:
    old = with_status(**before)
    new = freeze(csrs.prepare_approval(with_status(**after), old))
    assert [str(problem) for problem in csrs.validate_approval(new, old)] == expected


BLOCK = base64.b64encode(b"-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n").decode()
KEY = base64.b64encode(b"-----BEGIN PRIVATE KEY-----\naGVsbG8=\n-----END PRIVATE KEY-----\n").decode()
HEADED = base64.b64encode(
    b"-----BEGIN CERTIFICATE-----\nA: b\n\naGVsbG8=\n-----END CERTIFICATE-----\n"
).decode()
DATA = 'status.certificate: Invalid value: "<certificate data>"'
# id: (how it is, what a signer makes of it, expected errors)
SIGNATURES = {
    "approved by its signer": (
        {}, {"conditions": [APPROVED]}, [f'{AT}: Forbidden: updates may not add a condition of type "Approved"'],
    ),
    "no PEM": ({}, {"certificate": BAD}, [f"{DATA}: must contain at least one CERTIFICATE PEM block"]),
    "a key": ({}, {"certificate": KEY}, [f'{DATA}: only CERTIFICATE PEM blocks are allowed, found "PRIVATE KEY"']),
    "with headers": ({}, {"certificate": HEADED}, [f"{DATA}: no PEM block headers are permitted"]),
    "no certificate": ({}, {"certificate": BLOCK}, [f"{DATA}: x509: malformed certificate"]),
    "another one": (
        {"certificate": BLOCK}, {"certificate": None},
        ["status.certificate: Forbidden: updates may not modify existing certificate content"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after", "expected"), SIGNATURES.values(), ids=SIGNATURES)
def test_refused_signatures(before: dict[str, Any], after: dict[str, Any], expected: list[str]) -> None:
    old = with_status(**before)
    new = freeze(csrs.prepare_status(with_status(**after), old))
    assert [str(problem) for problem in csrs.KIND.validate_status(new, old)] == expected


# id: (status, what is printed)
CONDITIONS = {
    "pending": ({}, "Pending"),
    "approved": ({"conditions": [APPROVED]}, "Approved"),
    "denied": ({"conditions": [DENIED, APPROVED]}, "Denied"),
    "failed": ({"conditions": [APPROVED, condition("Failed")]}, "Approved,Failed"),
    "issued": ({"conditions": [APPROVED], "certificate": BLOCK}, "Approved,Issued"),
}


@pytest.mark.parametrize(("status", "told"), CONDITIONS.values(), ids=CONDITIONS)
def test_printed(status: dict[str, Any], told: str) -> None:
    row = BY_KIND["CertificateSigningRequest"].row(with_status(**status), 0)
    assert row[0] == "jane"
    assert row[2:] == ["kubernetes.io/kube-apiserver-client", "somebody", "24h", told]
