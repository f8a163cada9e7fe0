"""StorageVersionMigrations, DeviceTaintRules and PodCertificateRequests: what is refused, in Kubernetes' own words."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from api_bench import BY_KIND, NOW, merged, problems, updated
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from cluster_engine.apimachinery.cow import freeze
from cluster_engine.apimachinery.scheme import Write

JSON = dict[str, Any]
START = datetime(2026, 1, 1, tzinfo=UTC)
WRITE = Write({"username": "me"}, "2026-01-01T00:00:00Z")


def stub(key: Any, algorithm: Any) -> str:
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, algorithm)
    return base64.b64encode(request.public_bytes(serialization.Encoding.DER)).decode()


KEY, OTHER_KEY = (ed25519.Ed25519PrivateKey.from_private_bytes(bytes([n] * 32)) for n in (1, 2))
AUTHORITY = ec.generate_private_key(ec.SECP256R1())
STUB = stub(KEY, None)
FORGED = base64.b64encode(base64.b64decode(STUB)[:-1] + b"?").decode()

MIGRATION: JSON = {
    "apiVersion": "storagemigration.k8s.io/v1",
    "kind": "StorageVersionMigration",
    "spec": {"resource": {"group": "apps", "resource": "deployments"}},
}
RULE: JSON = {
    "apiVersion": "resource.k8s.io/v1",
    "kind": "DeviceTaintRule",
    "spec": {"taint": {"key": "example.com/broken", "effect": "NoExecute"}},
}
REQUEST: JSON = {
    "apiVersion": "certificates.k8s.io/v1",
    "kind": "PodCertificateRequest",
    "spec": {
        "signerName": "example.com/signer",
        **{f"{who}Name": "web" for who in ("pod", "serviceAccount", "node")},
        **{f"{who}UID": "u" for who in ("pod", "serviceAccount", "node")},
        "stubPKCS10Request": STUB,
    },
}
SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
LABEL_1035 = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"
)

NEW: dict[str, tuple[JSON, JSON, list[str]]] = {
    # id: a good object, what is laid over its spec, what is said
    "migration": (MIGRATION, {}, []),
    "migration: of the core group": (MIGRATION, {"resource": {"group": None}}, []),
    "migration: of nothing": (
        MIGRATION,
        {"resource": {"resource": ""}},
        ["spec.resource.resource: Required value: resource is required to be set"],
    ),
    "migration: no resource": (
        MIGRATION,
        {"resource": {"resource": "Pods"}},
        [f'spec.resource.resource: Invalid value: "Pods": {LABEL_1035}'],
    ),
    "migration: no group": (
        MIGRATION,
        {"resource": {"group": "a_b"}},
        [f'spec.resource.group: Invalid value: "a_b": {SUBDOMAIN}'],
    ),
    "rule": (RULE, {}, []),
    "rule: a selector": (
        RULE,
        {"deviceSelector": {"driver": "gpu.example.com", "pool": "a/b", "device": "gpu-0"}},
        [],
    ),
    "rule: a pool without a name": (
        RULE,
        {"deviceSelector": {"pool": ""}},
        ["spec.deviceSelector.pool: Required value"],
    ),
    "rule: no effect": (RULE, {"taint": {"effect": ""}}, ["spec.taint.effect: Required value"]),
    "rule: that of nodes": (
        RULE,
        {"taint": {"effect": "PreferNoSchedule"}},
        [
            'spec.taint.effect: Unsupported value: "PreferNoSchedule": supported values: "NoExecute", "NoSchedule", '
            '"None"'
        ],
    ),
    "request": (REQUEST, {}, []),
    "request: no signer": (REQUEST, {"signerName": ""}, ["spec.signerName: Required value"]),
    "request: whose Pod": (
        REQUEST,
        {"podName": "A", "podUID": ""},
        [
            f'spec.podName: Invalid value: "A": {SUBDOMAIN}',
            'spec.podUID: Invalid value: "": must not be empty',
        ],
    ),
    "request: a uid too long": (
        REQUEST,
        {"nodeUID": "u" * 129},
        ["spec.nodeUID: Too long: may not be more than 128 bytes"],
    ),
    "request: too short": (
        REQUEST,
        {"maxExpirationSeconds": 3599},
        ["spec.maxExpirationSeconds: Invalid value: 3599: must be in the range [3600, 7862400]"],
    ),
    "request: too long of Kubernetes": (
        REQUEST,
        {"signerName": "kubernetes.io/x", "maxExpirationSeconds": 86401},
        ["spec.maxExpirationSeconds: Invalid value: 86401: must be in the range [3600, 86400]"],
    ),
    "request: an annotation without a domain": (
        REQUEST,
        {"unverifiedUserAnnotations": {"a": "b", "Example.com/A": "c"}},
        [
            'spec.unverifiedUserAnnotations: Invalid value: "a": must be a domain-prefixed key (such as "acme.io/foo")'
        ],
    ),
    "request: no stub": (
        REQUEST,
        {"stubPKCS10Request": ""},
        ["spec.stubPKCS10Request: Required value"],
    ),
    "request: no request": (
        REQUEST,
        {"stubPKCS10Request": "YWJj"},
        ["spec.stubPKCS10Request: Invalid value: must be a valid PKCS#10 request"],
    ),
    "request: somebody else's signature": (
        REQUEST,
        {"stubPKCS10Request": FORGED},
        ["spec.stubPKCS10Request: Invalid value: could not verify the request's signature"],
    ),
    "request: a small key": (
        REQUEST,
        {"stubPKCS10Request": stub(rsa.generate_private_key(65537, 2048), hashes.SHA256())},
        [
            'spec.stubPKCS10Request: Invalid value: "2048-bit modulus": RSA keys must have modulus size 3072 or 4096'
        ],
    ),
    "request: too much": (
        REQUEST,
        {"stubPKCS10Request": base64.b64encode(bytes(10 * 1024 + 1)).decode()},
        ["spec.stubPKCS10Request: Too long: may not be more than 10240 bytes"],
    ),
}


@pytest.mark.parametrize(("good", "change", "said"), NEW.values(), ids=NEW)
def test_new_objects(good: JSON, change: JSON, said: list[str]) -> None:
    assert problems({**good, "spec": merged(good["spec"], change)}) == said


@pytest.mark.parametrize("good", [MIGRATION, REQUEST], ids=["migration", "request"])
def test_the_spec_stays(good: JSON) -> None:
    old = freeze({**good, "metadata": {"name": "x"}})
    spec = {**good["spec"], "resource": {"resource": "pods"}, "podName": "other"}
    [said] = updated(old, {**old, "spec": spec})[1]
    assert said.startswith("spec: Invalid value: ")
    assert said.endswith("field is immutable")


def test_a_request_is_for_a_day() -> None:
    assert BY_KIND["PodCertificateRequest"].default(REQUEST)["spec"]["maxExpirationSeconds"] == 86_400


TAINTS: dict[str, tuple[JSON, JSON | None, str]] = {
    # id: the taint, that of the stored rule, when it was added
    "a new one": ({}, None, WRITE.now),
    "as its maker says": ({"timeAdded": "2025-01-01T00:00:00Z"}, None, "2025-01-01T00:00:00Z"),
    "another effect, the old time": (
        {"timeAdded": "2025-01-01T00:00:00Z"},
        {"timeAdded": "2025-01-01T00:00:00Z", "effect": "None"},
        WRITE.now,
    ),
    "another value, the old time": (
        {"timeAdded": "2025-01-01T00:00:00Z", "value": "b"},
        {"timeAdded": "2025-01-01T00:00:00Z"},
        "2025-01-01T00:00:00Z",
    ),
}


@pytest.mark.parametrize(("given", "before", "at"), TAINTS.values(), ids=TAINTS)
def test_when_a_taint_was_added(given: JSON, before: JSON | None, at: str) -> None:
    attribute = BY_KIND["DeviceTaintRule"].attribute
    assert attribute is not None
    old = None if before is None else merged(RULE, {"spec": {"taint": before}})
    made = attribute(freeze(merged(RULE, {"spec": {"taint": given}})), old, WRITE)
    assert made["spec"]["taint"]["timeAdded"] == at


# ---- status ----------------------------------------------------------------------------------------------


def condition(type_: str, status: str = "True", **more: str) -> JSON:
    return {"type": type_, "status": status, "reason": "Because", "lastTransitionTime": WRITE.now, **more}


def conditions(*types: str) -> list[JSON]:
    return [condition(type_.removeprefix("-"), "False" if type_[0] == "-" else "True") for type_ in types]


def migrated(version: str, *types: str) -> JSON:
    return {"resourceVersion": version, "conditions": conditions(*types)}


MIGRATED: dict[str, tuple[JSON, JSON, list[str]]] = {
    # id: the status before and after, what is said after its conditions; from upstream's validation_test.go
    "it runs": ({}, migrated("123", "Running"), []),
    "it has succeeded": (migrated("123", "Running"), migrated("123", "-Running", "Succeeded"), []),
    "it has failed": (migrated("123", "Running"), migrated("123", "-Running", "Failed"), []),
    "another version": (
        migrated("123", "Running"),
        migrated("456", "Running"),
        ['status.resourceVersion: Invalid value: "456": field is immutable'],
    ),
    "no version": (
        {},
        migrated("abc", "Running"),
        ['status.resourceVersion: Invalid value: "abc": resource version is not well formed: abc'],
    ),
    "both": (
        migrated("123", "Running"),
        migrated("123", "Succeeded", "Failed"),
        ["Both success and failed conditions cannot be true at the same time"],
    ),
    "still running": (
        migrated("123", "Running"),
        migrated("123", "Running", "Succeeded"),
        ["Running condition cannot be true when success condition is true"],
    ),
    "no more succeeded": (
        migrated("123", "Succeeded"),
        migrated("123", "-Succeeded"),
        ["Success condition cannot be set to false once it is true"],
    ),
    "no more failed": (
        migrated("123", "Failed"),
        migrated("123", "-Failed"),
        ["Failed condition cannot be set to false once it is true"],
    ),
}


def status_problems(good: JSON, old: JSON, new: JSON) -> list[str]:
    before, after = ({**good, "metadata": {"name": "x"}, "status": status} for status in (old, new))
    return [str(problem) for problem in BY_KIND[good["kind"]].validate_status(freeze(after), freeze(before))]


@pytest.mark.parametrize(("old", "new", "said"), MIGRATED.values(), ids=MIGRATED)
def test_what_becomes_of_a_migration(old: JSON, new: JSON, said: list[str]) -> None:
    found = status_problems(MIGRATION, old, new)
    assert len(found) == len(said)
    assert all(text.endswith(end) for text, end in zip(found, said, strict=True))


REASON = (
    "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric "
    "characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or "
    "'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is "
    "'[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')"
)
CONDITIONS: dict[str, tuple[list[JSON], list[str]]] = {
    "none": ([], []),
    "one": ([condition("A")], []),
    "one twice": ([condition("A"), condition("A")], ['status.conditions[1].type: Duplicate value: "A"']),
    "no status": (
        [condition("A", "")],
        ['status.conditions[0].status: Unsupported value: "": supported values: "False", "True", "Unknown"'],
    ),
    "no reason": (
        [condition("A", reason="")],
        ["status.conditions[0].reason: Required value: must be set"],
    ),
    "a reason with a space": (
        [condition("A", reason="so it is")],
        [f'status.conditions[0].reason: Invalid value: "so it is": {REASON}'],
    ),
    "no time": (
        [condition("A", lastTransitionTime="")],
        ["status.conditions[0].lastTransitionTime: Required value: must be set"],
    ),
    "a long message": (
        [condition("A", message="x" * (32 * 1024 + 1))],
        ["status.conditions[0].message: Too long: may not be more than 32768 bytes"],
    ),
    "too many": (
        [condition(f"A{n}") for n in range(9)],
        ["status.conditions: Too many: 9: must have at most 8 items"],
    ),
}


@pytest.mark.parametrize(("given", "said"), CONDITIONS.values(), ids=CONDITIONS)
def test_conditions(given: list[JSON], said: list[str]) -> None:
    assert status_problems(RULE, {}, {"conditions": given}) == said


def chain(
    key: ed25519.Ed25519PrivateKey = KEY, hours: float = 24, names: tuple[str, ...] = ("web.default",)
) -> str:
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(x509.Name([]))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(START)
        .not_valid_after(START + timedelta(hours=hours))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=True)
    )
    return made.sign(AUTHORITY, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def issued(text: str, **times: str) -> JSON:
    usual = {
        "notBefore": "2026-01-01T00:00:00Z",
        "notAfter": "2026-01-02T00:00:00Z",
        "beginRefreshAt": "2026-01-01T12:00:00Z",
    }
    status = {"conditions": conditions("Issued"), "certificateChain": text, **usual, **times}
    return {name: value for name, value in status.items() if value}


GOOD = chain()
NO_CERTIFICATE = GOOD.replace("CERTIFICATE", "KEY")
ANSWERS: dict[str, tuple[JSON, JSON, list[str]]] = {
    # id: the status before and after, what is said
    "issued": ({}, issued(GOOD), []),
    "issued with those above": ({}, issued(GOOD + GOOD), []),
    "denied": ({}, {"conditions": conditions("Denied")}, []),
    "nothing changes": ({}, {}, []),
    "another condition": (
        {},
        {"conditions": conditions("Mine")},
        [
            'status.conditions.[0].type: Unsupported value: "Mine": supported values: "Issued", "Denied", "Failed"'
        ],
    ),
    "not issued": (
        {},
        {"conditions": conditions("-Issued")},
        ['status.conditions.[0].status: Unsupported value: "False": supported values: "True"'],
    ),
    "issued and denied": (
        {},
        {"conditions": conditions("Issued", "Denied")},
        [
            'status.conditions.[1].type: Invalid value: "Denied": There may be at most one condition with type '
            '"Issued", "Denied", or "Failed"'
        ],
    ),
    "issued, then denied": (
        issued(GOOD),
        {"conditions": conditions("Denied")},
        ["status: Invalid value: immutable after PodCertificateRequest is issued, denied, or failed"],
    ),
    "denied with a certificate": (
        {},
        {**issued(GOOD), "conditions": conditions("Denied")},
        [
            "status: Invalid value: non-condition status fields must be empty when denying or failing the "
            "PodCertificateRequest"
        ],
    ),
    "a certificate without a condition": (
        {},
        {"certificateChain": GOOD},
        [
            'status: Invalid value: status is immutable unless transitioning to "Issued", "Denied", or "Failed"'
        ],
    ),
    "no certificate": ({}, issued(""), ["issued certificate chain must contain at least one certificate"]),
    "another block": (
        {},
        issued(NO_CERTIFICATE),
        ["issued certificate chain must consist entirely of CERTIFICATE PEM blocks"],
    ),
    "another block after it": (
        {},
        issued(GOOD + NO_CERTIFICATE),
        ["issued certificate chain must consist entirely of CERTFICATE PEM blocks"],
    ),
    "another key": (
        {},
        issued(chain(OTHER_KEY)),
        ["leaf certificate was not issued to the requested public key"],
    ),
    "a name with two dots": (
        {},
        issued(chain(names=("a..b",))),
        [
            "status.certificateChain: Invalid value: \"a..b\": leaf certificate's DNSName should not contain '..'"
        ],
    ),
    "no times": (
        {},
        issued(GOOD, notBefore="", notAfter="", beginRefreshAt=""),
        [
            "status.notBefore: Required value: must be present and consistent with the issued certificate",
            "status.notAfter: Required value: must be present and consistent with the issued certificate",
            "status.beginRefreshAt: Required value: must be present and in the range [notbefore+10min, notafter-10min]",
        ],
    ),
    "another time": (
        {},
        issued(GOOD, notAfter="2026-01-03T00:00:00Z"),
        ["must be set to the NotAfter time encoded in the leaf certificate"],
    ),
    "too short": (
        {},
        issued(chain(hours=0.5), notAfter="2026-01-01T00:30:00Z"),
        ["leaf certificate lifetime must be >= 1 hour"],
    ),
    "longer than asked for": (
        {},
        issued(chain(hours=25), notAfter="2026-01-02T01:00:00Z"),
        ["leaf certificate lifetime must be <= spec.maxExpirationSeconds (86400)"],
    ),
    "renewed at once": (
        {},
        issued(GOOD, beginRefreshAt="2026-01-01T00:09:59Z"),
        ["must be at least 10 minutes after status.notBefore"],
    ),
    "renewed at the last moment": (
        {},
        issued(GOOD, beginRefreshAt="2026-01-01T23:50:01Z"),
        ["must be at least 10 minutes before status.notAfter"],
    ),
}


@pytest.mark.parametrize(("old", "new", "said"), ANSWERS.values(), ids=ANSWERS)
def test_what_a_signer_answers(old: JSON, new: JSON, said: list[str]) -> None:
    request = merged(REQUEST, {"spec": {"maxExpirationSeconds": 86_400}})
    found = status_problems(request, old, new)
    assert len(found) == len(said)
    assert all(text.endswith(end) for text, end in zip(found, said, strict=True))


@pytest.mark.parametrize(
    ("good", "cells"), [(MIGRATION, ["x", "deployments.apps"]), (RULE, ["x", "0s"])], ids=["migration", "rule"]
)  # fmt: skip
def test_cells(good: JSON, cells: list[str]) -> None:
    row = BY_KIND[good["kind"]].row
    meta = {"name": "x", "creationTimestamp": "2026-01-01T00:00:00Z"}
    assert row({**good, "metadata": meta}, NOW) == cells
