"""Certificates of Pods: the stub request that a kubelet sends, and the chain that a signer answers with.

``cryptography`` is imported when the first of them comes, as in ``certificates.py``.

Models pkg/apis/certificates/validation (ValidatePodCertificateRequestCreate and …StatusUpdate).
"""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parseaddr
from typing import TYPE_CHECKING, Any, NamedTuple

from cluster_engine.apimachinery.errors import OMITTED
from cluster_engine.sim import SECOND

from .certificates import pem_blocks, unreadable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

MAX_CHAIN = 100 * 1024
"""Bytes of a chain."""
_RSA_SIZES = (3072, 4096)
_CURVES = ("secp256r1", "secp384r1", "secp521r1")


class Wrong(NamedTuple):
    """What is wrong with a value, and how the value is told (OMITTED: not at all)."""

    value: Any
    detail: str


class Leaf(NamedTuple):
    """When the first certificate of a chain begins and ends, in µs since 1970."""

    begins: int
    ends: int


def stub_problem(der: bytes) -> Wrong | None:
    """What is wrong with a PKCS#10 request in DER form."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    try:
        request = x509.load_der_x509_csr(der)
        key, signed = request.public_key(), request.is_signature_valid
    except unreadable():
        return Wrong(OMITTED, "must be a valid PKCS#10 request")
    if isinstance(key, ec.EllipticCurvePublicKey):
        if key.curve.name not in _CURVES:
            return Wrong(f"curve {key.curve.name}", "elliptic public keys must use curve P256, P384, or P521")
    elif isinstance(key, rsa.RSAPublicKey):
        if key.key_size not in _RSA_SIZES:
            return Wrong(f"{key.key_size}-bit modulus", "RSA keys must have modulus size 3072 or 4096")
    elif not isinstance(key, ed25519.Ed25519PublicKey):
        return Wrong(OMITTED, "unknown public key type; supported types are Ed25519, ECDSA, and RSA")
    return None if signed else Wrong(OMITTED, "could not verify the request's signature")


def _public(key: PublicKeyTypes) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )  # fmt: skip


def chain_problems(pem: bytes, stub: bytes) -> tuple[list[Wrong], Leaf | None]:
    """What is wrong with the names and the key of the first certificate, and when it is valid; the chain as a whole is
    not verified. ``stub`` is the request that it answers. No Leaf: what is wrong ends the examination."""
    from cryptography import x509

    chain, text = pem_blocks(pem, MAX_CHAIN), pem.decode()
    if not chain:
        return [Wrong(text, "issued certificate chain must contain at least one certificate")], None
    if chain[0][0] != "CERTIFICATE":
        return [Wrong(text, "issued certificate chain must consist entirely of CERTIFICATE PEM blocks")], None
    try:
        leaf = x509.load_der_x509_certificate(chain[0][2])
        problems = list(_name_problems(leaf))
        issued = _public(leaf.public_key())
        wanted = _public(x509.load_der_x509_csr(stub).public_key())
    except unreadable():
        return [Wrong(text, "leaf certificate does not parse as valid X.509")], None
    if issued != wanted:
        problems.append(Wrong(text, "leaf certificate was not issued to the requested public key"))
        return problems, None
    begins, ends = (
        round(at.timestamp()) * SECOND for at in (leaf.not_valid_before_utc, leaf.not_valid_after_utc)
    )
    return problems, Leaf(begins, ends)


def _name_problems(leaf: Any) -> Iterator[Wrong]:
    from cryptography import x509

    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return
    for name in names.get_values_for_type(x509.DNSName):
        if not name:
            yield Wrong(name, "leaf certificate should not contain empty DNSName")
        if ".." in name:
            yield Wrong(name, "leaf certificate's DNSName should not contain '..'")
        if name.startswith(".") or name.endswith("."):
            yield Wrong(name, "leaf certificate's DNSName should not start or end with '.'")
    for address in names.get_values_for_type(x509.RFC822Name):
        if "@" not in parseaddr(address)[1]:
            yield Wrong(address, "leaf certificate should not contain invalid EmailAddress")


def rest_problem(pem: bytes) -> Wrong | None:
    """What is wrong with the certificates after the first."""
    from cryptography import x509

    for label, _, contents in pem_blocks(pem, MAX_CHAIN)[1:]:
        if label != "CERTIFICATE":
            # As upstream spells it.
            return Wrong(
                pem.decode(), "issued certificate chain must consist entirely of CERTFICATE PEM blocks"
            )
        try:
            x509.load_der_x509_certificate(contents)
        except unreadable():
            return Wrong(pem.decode(), "intermediate certificate does not parse as valid X.509")
    return None
