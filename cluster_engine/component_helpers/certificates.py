"""X.509: certificate requests and certificates read, and the authority of one cluster that issues them.

An authority's key follows from the cluster's seed and its signatures are deterministic (RFC 6979), so that a replay
issues the same bytes. ``cryptography`` is imported when the first request comes: it would cost each boot a tenth more.

Models pkg/apis/certificates/helpers.go and pkg/controller/certificates/authority.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from cluster_engine.sim import SECOND

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

PEM_LIMIT = 65_536
"""Bytes of PEM text that are looked at."""
_BLOCK = re.compile(
    rb"^-----BEGIN ([^\n-]+)-----[ \t\r]*\n(.*?)^-----END \1-----[ \t\r]*$", re.DOTALL | re.MULTILINE
)
_HEADER = re.compile(rb"^[^\n:]+:.*\n", re.MULTILINE)
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the curve P-256."""
AUTHORITY_KEY, SERVICE_ACCOUNT_KEY = "certificate-authority", "service-account-key"
"""What a cluster has keys for (``seeded_key``): its certificates, its service accounts' tokens."""
_BEGINS, _ENDS = datetime(2025, 1, 1, tzinfo=UTC), datetime(2125, 1, 1, tzinfo=UTC)
BACKDATE = 300 * SECOND
"""An issued certificate is valid since five minutes ago, for clients whose clocks are behind."""
SHORT = 8 * 3600 * SECOND
"""Of a certificate that lives shorter than this the five minutes are not taken off the end."""

KEY_USAGES = {
    "signing": "digital_signature",
    "digital signature": "digital_signature",
    "content commitment": "content_commitment",
    "key encipherment": "key_encipherment",
    "key agreement": "key_agreement",
    "data encipherment": "data_encipherment",
    "cert sign": "key_cert_sign",
    "crl sign": "crl_sign",
    "encipher only": "encipher_only",
    "decipher only": "decipher_only",
}
"""Usages of the API that are bits of the extension keyUsage."""
EXTENDED_USAGES = {
    "any": "2.5.29.37.0",
    "server auth": "1.3.6.1.5.5.7.3.1",
    "client auth": "1.3.6.1.5.5.7.3.2",
    "code signing": "1.3.6.1.5.5.7.3.3",
    "email protection": "1.3.6.1.5.5.7.3.4",
    "s/mime": "1.3.6.1.5.5.7.3.4",
    "ipsec end system": "1.3.6.1.5.5.7.3.5",
    "ipsec tunnel": "1.3.6.1.5.5.7.3.6",
    "ipsec user": "1.3.6.1.5.5.7.3.7",
    "timestamping": "1.3.6.1.5.5.7.3.8",
    "ocsp signing": "1.3.6.1.5.5.7.3.9",
    "microsoft sgc": "1.3.6.1.4.1.311.10.3.3",
    "netscape sgc": "2.16.840.1.113730.4.1",
}
"""Those that are purposes of the extension extendedKeyUsage, in crypto/x509's order."""


class Problem(ValueError):
    """A request or certificate that cannot be taken, in Go's words where they are known."""


def unreadable(*more: type[Exception]) -> tuple[type[Exception], ...]:
    """What ``cryptography`` raises of a request or certificate that somebody made up (not all of it are ValueErrors),
    and ``more``."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm

    return (
        ValueError,
        UnsupportedAlgorithm,
        x509.InvalidVersion,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
        *more,
    )


class Request(NamedTuple):
    """What a certificate request asks for."""

    common_name: str
    organizations: tuple[str, ...]
    dns_names: tuple[str, ...]
    emails: tuple[str, ...]
    addresses: tuple[str, ...]
    uris: tuple[str, ...]


def pem_blocks(pem: bytes, limit: int = PEM_LIMIT) -> list[tuple[str, bool, bytes]]:
    """Label, whether it has headers, and contents of each block (encoding/pem.Decode)."""
    found = []
    for label, text in _BLOCK.findall(pem[:limit]):
        body, headers = _HEADER.subn(b"", text)
        try:
            found.append((label.decode("latin-1"), bool(headers), base64.b64decode(body, validate=False)))
        except ValueError:
            continue
    return found


def _loaded(pem: bytes) -> x509.CertificateSigningRequest:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    blocks = pem_blocks(pem)
    if not blocks or blocks[0][0] != "CERTIFICATE REQUEST":
        raise Problem("PEM block type must be CERTIFICATE REQUEST")
    try:
        request = x509.load_der_x509_csr(blocks[0][2])
        key = request.public_key()
        known = isinstance(key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey, ed25519.Ed25519PublicKey))
        signed = known and request.is_signature_valid
    except UnsupportedAlgorithm as error:
        raise Problem("x509: cannot verify signature: algorithm unimplemented") from error
    except unreadable() as error:
        raise Problem("asn1: syntax error: the request cannot be read") from error
    if not known:
        raise Problem("x509: cannot verify signature: algorithm unimplemented")
    if not signed:
        if isinstance(key, rsa.RSAPublicKey):
            raise Problem("crypto/rsa: verification error")
        what = "ECDSA" if isinstance(key, ec.EllipticCurvePublicKey) else "Ed25519"
        raise Problem(f"x509: {what} verification failure")
    return request


def _subject_names(request: x509.CertificateSigningRequest) -> x509.SubjectAlternativeName | None:
    from cryptography import x509

    try:
        return request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None
    except unreadable() as error:
        raise Problem("x509: invalid subject alternative names") from error


def read_request(pem: bytes) -> Request:
    """A PEM-encoded PKCS#10 request whose signature holds. Raises Problem."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    request = _loaded(pem)
    try:
        subject = request.subject
        names = [str(name.value) for name in subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        groups = [str(name.value) for name in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
        others = _subject_names(request)
    except unreadable() as error:
        raise Problem(str(error)) from error

    def all_of(
        kind: type[x509.DNSName | x509.RFC822Name | x509.UniformResourceIdentifier],
    ) -> tuple[str, ...]:
        return () if others is None else tuple(others.get_values_for_type(kind))

    addresses = () if others is None else tuple(str(ip) for ip in others.get_values_for_type(x509.IPAddress))
    return Request(
        names[-1] if names else "",
        tuple(groups),
        all_of(x509.DNSName),
        all_of(x509.RFC822Name),
        addresses,
        all_of(x509.UniformResourceIdentifier),
    )


def certificate_problem(pem: bytes) -> str:
    """What is wrong with text that shall be PEM-encoded certificates; "": nothing."""
    from cryptography import x509

    blocks = pem_blocks(pem)
    for label, headers, contents in blocks:
        if label != "CERTIFICATE":
            return f'only CERTIFICATE PEM blocks are allowed, found "{label}"'
        if headers:
            return "no PEM block headers are permitted"
        try:
            x509.load_der_x509_certificate(contents)
        except unreadable():
            return "x509: malformed certificate"
    return "" if blocks else "must contain at least one CERTIFICATE PEM block"


def trust_problem(pem: bytes, limit: int) -> str:
    """What is wrong with text that shall be certificates of authorities; "": nothing (validateTrustBundle).

    ``limit``: bytes that are read.
    """
    from cryptography import x509

    seen: dict[bytes, list[int]] = {}
    for number, (label, headers, contents) in enumerate(pem_blocks(pem, limit)):
        if label != "CERTIFICATE":
            return f"entry {number} has bad block type: {label}"
        if headers:
            return f"entry {number} has PEM block headers"
        try:
            certificate = x509.load_der_x509_certificate(contents)
        except unreadable():
            return f"entry {number} does not parse as X.509"
        try:
            authority = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        except unreadable(x509.ExtensionNotFound):
            authority = False
        if not authority:
            return f"entry {number} does not have the CA bit set"
        seen.setdefault(contents, []).append(number)
    if not seen:
        return "at least one trust anchor must be provided"
    twice = next((numbers for numbers in seen.values() if len(numbers) > 1), [])
    return f"duplicate trust anchor (indices [{' '.join(map(str, twice))}])" if twice else ""


def end_of(pem: bytes) -> int | None:
    """Until when (µs) the first certificate of PEM text is valid; None when there is none that can be read."""
    from cryptography import x509

    blocks = pem_blocks(pem)
    try:
        found = x509.load_der_x509_certificate(blocks[0][2]) if blocks else None
    except unreadable():
        return None
    return None if found is None else round(found.not_valid_after_utc.timestamp()) * SECOND


class Shown(NamedTuple):
    """What a server's certificate says of itself."""

    common_name: str
    names: tuple[str, ...]
    """Host names and addresses."""
    issuer: str
    der: str
    """The certificate, base64."""


def shown(pem: bytes) -> Shown | None:
    """The first certificate of PEM text; None when there is none that can be read."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    blocks = pem_blocks(pem)
    try:
        if not blocks or blocks[0][0] != "CERTIFICATE":
            return None
        found = x509.load_der_x509_certificate(blocks[0][2])
        try:
            others = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            names = [
                *others.get_values_for_type(x509.DNSName),
                *(str(ip) for ip in others.get_values_for_type(x509.IPAddress)),
            ]
        except x509.ExtensionNotFound:
            names = []
        own, issuer = (
            [str(name.value) for name in part.get_attributes_for_oid(NameOID.COMMON_NAME)]
            for part in (found.subject, found.issuer)
        )
    except unreadable():
        return None
    der = base64.b64encode(blocks[0][2]).decode()
    return Shown((own or [""])[-1], tuple(names), (issuer or [""])[-1], der)


def issued_by(der: str, bundle: bytes) -> bool:
    """Whether one of the certificates of a bundle (PEM) is that certificate (base64) or has signed it."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature

    try:
        leaf = x509.load_der_x509_certificate(base64.b64decode(der))
    except unreadable():
        return False
    for label, _, contents in pem_blocks(bundle):
        try:
            if label != "CERTIFICATE":
                continue
            authority = x509.load_der_x509_certificate(contents)
            if authority == leaf:
                return True
            leaf.verify_directly_issued_by(authority)
        except unreadable(TypeError, InvalidSignature):
            continue
        return True
    return False


def bundle_problem(bundle: bytes) -> str:
    """Why no certificate can be had of a bundle (PEM); "": one can (createErrorParsingCAData of client-go)."""
    from cryptography import x509

    found = False
    for label, _, contents in pem_blocks(bundle):
        if label != "CERTIFICATE":
            continue
        try:
            x509.load_der_x509_certificate(contents)
        except unreadable() as error:
            return f"failed to parse certificate: {error}"
        found = True
    return "" if found else "unable to parse bytes as PEM block"


def moment(us: int) -> datetime:
    """Whole seconds of a virtual time (µs)."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=us // SECOND)


def seeded_key(purpose: str, seed: int) -> ec.EllipticCurvePrivateKey:
    """The key of the curve P-256 that a cluster with this seed has for a purpose."""
    from cryptography.hazmat.primitives.asymmetric import ec

    digest = hashlib.blake2b(f"{purpose}/{seed}".encode(), digest_size=48).digest()
    return ec.derive_private_key(int.from_bytes(digest) % (_ORDER - 1) + 1, ec.SECP256R1())


class Authority:
    """The certificate authority of the cluster with this seed."""

    def __init__(self, seed: int) -> None:
        self._key = seeded_key(AUTHORITY_KEY, seed)
        self._certificate = self._own()

    @property
    def certificate(self) -> bytes:
        """Its own certificate, PEM."""
        from cryptography.hazmat.primitives.serialization import Encoding

        return self._certificate.public_bytes(Encoding.PEM)

    def _own(self) -> x509.Certificate:
        from cryptography import x509
        from cryptography.x509.oid import NameOID

        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubernetes")])
        public = self._key.public_key()
        builder = (
            x509.CertificateBuilder(name, name, public, 1, _BEGINS, _ENDS)
            .add_extension(key_usage(["digital signature", "key encipherment", "cert sign"]), critical=True)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        )
        return self._signed(builder)

    def _signed(self, builder: x509.CertificateBuilder) -> x509.Certificate:
        from cryptography.hazmat.primitives import hashes

        return builder.sign(self._key, hashes.SHA256(), ecdsa_deterministic=True)

    def issue(self, pem: bytes, usages: Sequence[str], now: int, seconds: int, serial: int) -> bytes:
        """The certificate that a request asks for, PEM. Raises Problem for a request that cannot be read.

        Valid from ``now`` (µs) for so many seconds; PermissiveSigningPolicy.
        """
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import Encoding

        request = _loaded(pem)
        ttl = seconds * SECOND
        end = moment(now + ttl if ttl < SHORT else now + ttl - BACKDATE)
        builder = x509.CertificateBuilder(
            self._certificate.subject,
            request.subject,
            request.public_key(),
            serial,
            moment(now - BACKDATE),
            min(end, _ENDS),
        )
        if any(usage in KEY_USAGES for usage in usages):
            builder = builder.add_extension(key_usage(usages), critical=True)
        purposes = dict.fromkeys(oid for usage, oid in EXTENDED_USAGES.items() if usage in usages)
        if purposes:
            oids = [x509.ObjectIdentifier(oid) for oid in purposes]
            builder = builder.add_extension(x509.ExtendedKeyUsage(oids), critical=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        own = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = builder.add_extension(own, critical=False)
        names = _subject_names(request)
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        return self._signed(builder).public_bytes(Encoding.PEM)


def key_usage(usages: Sequence[str]) -> x509.KeyUsage:
    """The extension that says what these of KEY_USAGES say."""
    from cryptography import x509

    bits = {KEY_USAGES[usage] for usage in usages if usage in KEY_USAGES}
    agrees = "key_agreement" in bits
    return x509.KeyUsage(
        digital_signature="digital_signature" in bits,
        content_commitment="content_commitment" in bits,
        key_encipherment="key_encipherment" in bits,
        data_encipherment="data_encipherment" in bits,
        key_agreement=agrees,
        key_cert_sign="key_cert_sign" in bits,
        crl_sign="crl_sign" in bits,
        # The two say something of a key agreement alone, and nothing else can be encoded here.
        encipher_only=agrees and "encipher_only" in bits,
        decipher_only=agrees and "decipher_only" in bits,
    )
