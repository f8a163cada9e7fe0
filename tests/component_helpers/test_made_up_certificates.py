"""Requests and certificates that nobody signed so: one byte of each is another one, and what comes is an answer."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from cluster_engine.component_helpers import certificates, pod_certificates

STUB = base64.b64decode(
    "MH8wMwIBADAAMCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbigADAFBgMrZXADQQD+T6LD/tC3dgs1QpDKx4kUxYQE7x"
    "Ze9aBnQUcZw2xzeoWgFx/pD/xHAMYHE4CCTNhwz2GdgvzsSlQWl8KwMroI"
)
"""With an Ed25519 key and no subject."""
LEAF = base64.b64decode(
    "MIHjMIGWoAMCAQICAQEwBQYDK2VwMAAwHhcNMjYwMTAxMDAwMDAwWhcNMjYwMTAyMDAwMDAwWjAAMCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vA"
    "mWfk1jCbpQ1fHdyGZBJVMbijNTAzMCAGA1UdEQEB/wQWMBSCC3dlYi5kZWZhdWx0gQVhQGIuYzAPBgNVHRMBAf8EBTADAQH/MAUGAytlcANBAPUI"
    "/OR9ZAlUcwDm3VYORyDtjbfn/n4SRPRD5RY6syVtXlK95RzNoqfByk1LnrcJwu9KiH0pvwnr8w2XfLqemQo="
)
"""For the same key, of the name web.default."""


def pem(label: str, der: bytes) -> bytes:
    return f"-----BEGIN {label}-----\n{base64.b64encode(der).decode()}\n-----END {label}-----\n".encode()


def read(der: bytes) -> object:
    """What a CertificateSigningRequest says of it."""
    try:
        return certificates.read_request(pem("CERTIFICATE REQUEST", der))
    except certificates.Problem as problem:
        return str(problem)


def chain(der: bytes) -> object:
    text = pem("CERTIFICATE", der)
    return [
        pod_certificates.chain_problems(text, STUB),
        pod_certificates.rest_problem(text + text),
        certificates.certificate_problem(text),
        certificates.trust_problem(text, 1 << 20),
        certificates.end_of(text),
        certificates.shown(text),
        certificates.bundle_problem(text),
        certificates.issued_by(base64.b64encode(der).decode(), text),
    ]


pytestmark = pytest.mark.filterwarnings("ignore:Parsed a serial number")
READERS: dict[str, tuple[bytes, Callable[[bytes], object]]] = {
    "a request": (STUB, read),
    "a Pod's request": (STUB, pod_certificates.stub_problem),
    "a certificate": (LEAF, chain),
}


@pytest.mark.parametrize(("der", "reader"), READERS.values(), ids=READERS)
def test_a_byte_is_another_one(der: bytes, reader: Callable[[bytes], object]) -> None:
    good = reader(der)
    for at in range(len(der)):
        for other in (der[at] ^ 1, der[at] ^ 0x80, 0):
            if other != der[at]:
                reader(der[:at] + bytes([other]) + der[at + 1 :])
    assert reader(der) == good


def test_a_version_that_there_is_not() -> None:
    at = STUB.index(b"\x02\x01\x00") + 2
    other = STUB[:at] + b"\x01" + STUB[at + 1 :]
    assert read(other) == "asn1: syntax error: the request cannot be read"
    wrong = pod_certificates.stub_problem(other)
    assert wrong is not None
    assert wrong.detail == "must be a valid PKCS#10 request"
