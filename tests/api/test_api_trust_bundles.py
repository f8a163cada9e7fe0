"""ClusterTrustBundles: what is refused, in Kubernetes' own words, and how they are shown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from api_bench import BY_KIND, NOW, problems, updated
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cluster_engine.api.certificates.v1.clustertrustbundle import MAX_SIZE
from cluster_engine.component_helpers.root_certificate import CA_PEM

JSON = dict[str, Any]


def certificate(name: str, authority: bool | None) -> str:
    """Of an authority, of somebody else, or (None) of whom it does not say."""
    key = ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(named)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2036, 1, 1, tzinfo=UTC))
    )
    if authority is not None:
        made = made.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


OTHER = certificate("root2", True)
PLAIN, SILENT = certificate("web", False), certificate("web", None)
SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)


def bundle(name: str, text: str, signer: str = "") -> JSON:
    spec = {"trustBundle": text, **({"signerName": signer} if signer else {})}
    head = {"apiVersion": "certificates.k8s.io/v1", "kind": "ClusterTrustBundle"}
    return {**head, "metadata": {"name": name}, "spec": spec}


def wrong(text: str) -> list[str]:
    return [f'spec.trustBundle: Invalid value: "<value omitted>": {text}']


BUNDLES: dict[str, tuple[JSON, list[str]]] = {
    "one": (bundle("foo", CA_PEM), []),
    "two, with words between": (bundle("foo", f"first\n{CA_PEM}then\n{OTHER}"), []),
    "a signer's": (bundle("k8s.io:foo:bar", CA_PEM, "k8s.io/foo"), []),
    "a signer's under another name": (
        bundle("look-ma-no-prefix", CA_PEM, "k8s.io/foo"),
        [
            'metadata.name: Invalid value: "look-ma-no-prefix": ClusterTrustBundle for signerName k8s.io/foo must be '
            "named with prefix k8s.io:foo:"
        ],
    ),
    "a signer's without a name of its own": (
        bundle("k8s.io:foo:", CA_PEM, "k8s.io/foo"),
        [f'metadata.name: Invalid value: "k8s.io:foo:": {SUBDOMAIN}'],
    ),
    "nobody's with a colon": (
        bundle("k8s.io:foo:bar", CA_PEM),
        [f'metadata.name: Invalid value: "k8s.io:foo:bar": {SUBDOMAIN}'],
    ),
    "a signer that is none": (
        bundle("invalid:foo", CA_PEM, "invalid"),
        [
            'spec.signerName: Invalid value: "invalid": must be a fully qualified domain and path of the form '
            "'example.com/signer-name'"
        ],
    ),
    "nothing": (bundle("foo", ""), wrong("at least one trust anchor must be provided")),
    "no block": (bundle("foo", "garbage"), wrong("at least one trust anchor must be provided")),
    "another block": (
        bundle("foo", CA_PEM + CA_PEM.replace("CERTIFICATE", "NOTACERTIFICATE")),
        wrong("entry 1 has bad block type: NOTACERTIFICATE"),
    ),
    "headers": (
        bundle("foo", CA_PEM.replace("CERTIFICATE-----\n", "CERTIFICATE-----\nkey: value\n\n", 1)),
        wrong("entry 0 has PEM block headers"),
    ),
    "no certificate": (
        bundle("foo", f"{CA_PEM}-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n"),
        wrong("entry 1 does not parse as X.509"),
    ),
    "no authority's": (bundle("foo", PLAIN), wrong("entry 0 does not have the CA bit set")),
    "it does not say whose": (bundle("foo", SILENT), wrong("entry 0 does not have the CA bit set")),
    "the same twice": (
        bundle("foo", CA_PEM + OTHER + CA_PEM),
        wrong("duplicate trust anchor (indices [0 2])"),
    ),
    "too much": (
        bundle("foo", "a" * (MAX_SIZE + 1)),
        ["spec.trustBundle: Too long: may not be more than 1048576 bytes"],
    ),
}


@pytest.mark.parametrize(("made", "said"), BUNDLES.values(), ids=BUNDLES)
def test_bundles(made: JSON, said: list[str]) -> None:
    assert problems(made) == said


def test_updates() -> None:
    old = bundle("k8s.io:foo:bar", CA_PEM, "k8s.io/foo")
    assert updated(old, bundle("k8s.io:foo:bar", CA_PEM + OTHER, "k8s.io/foo"))[1] == []
    assert updated(old, bundle("k8s.io:foo:bar", "", "k8s.io/foo"))[1] == wrong(
        "at least one trust anchor must be provided"
    )
    assert updated(old, bundle("k8s.io:foo:bar", CA_PEM, "k8s.io/bar"))[1] == [
        'metadata.name: Invalid value: "k8s.io:foo:bar": ClusterTrustBundle for signerName k8s.io/bar must be named '
        "with prefix k8s.io:bar:",
        'spec.signerName: Invalid value: "k8s.io/bar": field is immutable',
    ]


@pytest.mark.parametrize(("signer", "shown"), [("", "<none>"), ("k8s.io/foo", "k8s.io/foo")])
def test_cells(signer: str, shown: str) -> None:
    row = BY_KIND["ClusterTrustBundle"].row
    assert row is not None
    assert row(bundle("x", CA_PEM, signer), NOW) == ["x", shown]
