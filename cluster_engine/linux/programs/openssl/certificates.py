"""Keys, requests and certificates: made, read, and shown as openssl 3.5 shows them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cluster_engine.linux.programs.openssl.primes import PUBLIC_EXPONENT

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
else:
    Key = Any

MAX_KEY = 4_096
"""Bits of an RSA key that is used; a longer one takes too long."""
_TYPES = {
    "C": "2.5.4.6", "ST": "2.5.4.8", "L": "2.5.4.7", "O": "2.5.4.10", "OU": "2.5.4.11", "CN": "2.5.4.3",
    "emailAddress": "1.2.840.113549.1.9.1",
}  # fmt: skip
_SHORT = {oid: name for name, oid in _TYPES.items()}
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the curve P-256."""
_ALGORITHMS = {
    "1.2.840.113549.1.1.11": "sha256WithRSAEncryption", "1.2.840.10045.4.3.2": "ecdsa-with-SHA256",
    "1.3.101.112": "ED25519",
}  # fmt: skip
_BAD_SUBJECT = (
    "subject name is expected to be in the format /type0=value0/type1=value1/type2=... where characters may be "
    "escaped by \\. This name is not in that format: '{}'"
)


class Bad(Exception):
    """What openssl says of it."""


# ---- keys ----------------------------------------------------------------------------------------------------


def rsa_key(primes: Sequence[str]) -> Key:
    """The key of two primes."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    p, q = sorted((int(prime, 16) for prime in primes), reverse=True)
    d = pow(PUBLIC_EXPONENT, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(PUBLIC_EXPONENT, p * q)
    return rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public).private_key()


def other_key(kind: str, seed: str) -> Key:
    """A key of the curve P-256 ("EC") or ED25519 that follows from random bytes."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    data = hashlib.sha512(seed.encode("latin-1")).digest()
    if kind == "ED25519":
        return ed25519.Ed25519PrivateKey.from_private_bytes(data[:32])
    return ec.derive_private_key(int.from_bytes(data[:48]) % (_ORDER - 1) + 1, ec.SECP256R1())


def key_of(text: str) -> Key:
    """A private key (PEM). Raises Bad."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        found = load_pem_private_key(text.encode("latin-1"), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Bad("Unable to load private key") from None
    if isinstance(found, rsa.RSAPrivateKey) and found.key_size <= MAX_KEY:
        return found
    if isinstance(found, (ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey)):
        return found
    raise Bad(f"keys beside ED25519, elliptic curves and RSA of at most {MAX_KEY} bits are not used here")


def key_text(key: Key, traditional: bool = False) -> str:
    """PEM, as PKCS#8, or as openssl wrote keys of that kind before."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    form = PrivateFormat.TraditionalOpenSSL if traditional else PrivateFormat.PKCS8
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def public_text(key: Any) -> str:
    """The public key, PEM."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return str(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def _signed(builder: Any, key: Key) -> Any:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    if isinstance(key, ed25519.Ed25519PrivateKey):
        return builder.sign(key, None)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return builder.sign(key, hashes.SHA256(), ecdsa_deterministic=True)
    return builder.sign(key, hashes.SHA256())


# ---- requests and certificates -------------------------------------------------------------------------------


def subject_of(text: str) -> x509.Name:
    """The name of `-subj`. Raises Bad."""
    from cryptography import x509

    if not text.startswith("/"):
        raise Bad(_BAD_SUBJECT.format(text))
    parts = text.replace("\\/", "\0").split("/")[1:]
    found = []
    for part in parts:
        kind, mark, value = part.replace("\0", "/").partition("=")
        if not mark:
            raise Bad(_BAD_SUBJECT.format(text))
        if kind not in _TYPES:
            raise Bad(f'Skipping unknown subject name attribute "{kind}"')
        try:
            value = value.encode("latin-1").decode()
            found.append(x509.NameAttribute(x509.ObjectIdentifier(_TYPES[kind]), value))
        except ValueError as error:
            raise Bad(f"{kind}: {error}") from None
    return x509.Name(found)


def alternatives(text: str) -> x509.SubjectAlternativeName:
    """`subjectAltName=DNS:a,IP:10.0.0.1`. Raises Bad."""
    from ipaddress import ip_address

    from cryptography import x509

    name, _, rest = text.partition("=")
    if name.strip() != "subjectAltName":
        raise Bad(f"of extensions subjectAltName alone is written here, not {name.strip()}")
    found: list[x509.GeneralName] = []
    for each in rest.removeprefix("critical,").split(","):
        kind, _, value = each.strip().partition(":")
        try:
            if kind == "DNS":
                found.append(x509.DNSName(value))
            elif kind == "IP":
                found.append(x509.IPAddress(ip_address(value)))
            else:
                raise Bad(f"unsupported name type {kind!r} of subjectAltName")
        except ValueError:
            raise Bad(f"bad value of subjectAltName: {each.strip()}") from None
    return x509.SubjectAlternativeName(found)


def request_text(key: Key, subject: str, names: str) -> str:
    """A certificate request, PEM. Raises Bad."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    builder = x509.CertificateSigningRequestBuilder().subject_name(subject_of(subject))
    if names:
        builder = builder.add_extension(alternatives(names), critical=False)
    return str(_signed(builder, key).public_bytes(Encoding.PEM).decode())


def certificate_text(
    public: Any,
    subject: Any,
    signer: Key,
    authority: Any,
    now: int,
    days: int,
    serial: int,
    names: Any = None,
) -> str:
    """A certificate, PEM. ``authority``: the certificate of who signs, None for one that signs itself; ``now``: µs."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    begins = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=now // 1_000_000)
    signs = signer.public_key()
    issuer = authority.subject if authority is not None else subject
    try:
        builder = (
            x509.CertificateBuilder(issuer, subject, public, serial)
            .not_valid_before(begins)
            .not_valid_after(begins + timedelta(days=days))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signs), critical=False)
        )
    except (ValueError, OverflowError) as error:
        raise Bad(str(error)) from None
    if authority is None:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    if names is not None:
        builder = builder.add_extension(names, critical=False)
    return str(_signed(builder, signer).public_bytes(Encoding.PEM).decode())


def request_of(text: str) -> x509.CertificateSigningRequest:
    """A request (PEM) whose signature is right. Raises Bad."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    try:
        found = x509.load_pem_x509_csr(text.encode("latin-1"))
        good = found.is_signature_valid
    except (ValueError, InvalidSignature, UnsupportedAlgorithm):
        raise Bad("Unable to load X509 request") from None
    if not good:
        raise Bad("Certificate request self-signature did not match the contents")
    return found


def names_of(request: x509.CertificateSigningRequest) -> x509.SubjectAlternativeName | None:
    """The other names that a request asks for."""
    from cryptography import x509

    try:
        return request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return None


def certificate_of(text: str) -> x509.Certificate:
    """The first certificate of a PEM text. Raises Bad."""
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificate(text.encode("latin-1"))
    except ValueError:
        raise Bad("Unable to load certificate") from None


def issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Whether the authority has signed it."""
    from cryptography.exceptions import InvalidSignature

    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


# ---- as text -------------------------------------------------------------------------------------------------


def vouched(der: str, bundle: str) -> bool:
    """Whether one of the certificates of a bundle (PEM) has signed that one (base64)."""
    from cryptography import x509

    try:
        leaf = x509.load_der_x509_certificate(base64.b64decode(der))
        return any(
            issued_by(leaf, each) for each in x509.load_pem_x509_certificates(bundle.encode("latin-1"))
        )
    except ValueError:
        return False


def shown_name(name: x509.Name) -> str:
    """`CN=x, O=y`."""
    kinds = ((each.oid.dotted_string, str(each.value)) for each in name)
    return ", ".join(f"{_SHORT.get(oid, oid)}={value}" for oid, value in kinds)


def shown_time(at: datetime) -> str:
    """`Nov 26 12:00:00 2026 GMT`."""
    return f"{at:%b} {at.day:2d} {at:%H:%M:%S} {at.year} GMT"


def _hex(data: bytes, width: int, indent: int, upper: bool = False) -> str:
    words = [f"{byte:02X}" if upper else f"{byte:02x}" for byte in data]
    rows = [":".join(words[at : at + width]) for at in range(0, len(words), width)]
    return ":\n".join(" " * indent + row for row in rows)


def _public(key: Any, indent: int) -> list[str]:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    pad = " " * indent
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        modulus = b"\0" + numbers.n.to_bytes((key.key_size + 7) // 8)
        return [
            f"{pad}Public Key Algorithm: rsaEncryption", f"{pad}    Public-Key: ({key.key_size} bit)",
            f"{pad}    Modulus:", _hex(modulus, 15, indent + 8),
            f"{pad}    Exponent: {numbers.e} (0x{numbers.e:x})",
        ]  # fmt: skip
    if isinstance(key, ec.EllipticCurvePublicKey):
        point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return [
            f"{pad}Public Key Algorithm: id-ecPublicKey", f"{pad}    Public-Key: ({key.key_size} bit)",
            f"{pad}    pub:", _hex(point, 15, indent + 8),
            *([f"{pad}    ASN1 OID: prime256v1", f"{pad}    NIST CURVE: P-256"] if key.key_size == 256 else []),
        ]  # fmt: skip
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return [
        f"{pad}Public Key Algorithm: ED25519",
        f"{pad}    ED25519 Public-Key:",
        f"{pad}    pub:",
        _hex(raw, 15, indent + 8),
    ]


def _extensions(extensions: x509.Extensions, indent: int) -> list[str]:
    from cryptography import x509

    pad = " " * indent
    rows: list[str] = []
    for each in extensions:
        value = each.value
        if isinstance(value, x509.SubjectKeyIdentifier):
            name, text = "Subject Key Identifier", _hex(value.digest, 99, 0, upper=True)
        elif isinstance(value, x509.AuthorityKeyIdentifier) and value.key_identifier is not None:
            name, text = "Authority Key Identifier", _hex(value.key_identifier, 99, 0, upper=True)
        elif isinstance(value, x509.BasicConstraints):
            name, text = "Basic Constraints", f"CA:{str(value.ca).upper()}"
        elif isinstance(value, x509.SubjectAlternativeName):
            kinds = {"DNSName": "DNS", "IPAddress": "IP Address"}
            said = (f"{kinds.get(type(n).__name__, type(n).__name__)}:{n.value}" for n in value)
            name, text = "Subject Alternative Name", ", ".join(said)
        elif isinstance(value, x509.KeyUsage):
            usages = (
                ("digital_signature", "Digital Signature"), ("content_commitment", "Non Repudiation"),
                ("key_encipherment", "Key Encipherment"), ("data_encipherment", "Data Encipherment"),
                ("key_agreement", "Key Agreement"), ("key_cert_sign", "Certificate Sign"), ("crl_sign", "CRL Sign"),
            )  # fmt: skip
            name, text = "Key Usage", ", ".join(told for field, told in usages if getattr(value, field))
        elif isinstance(value, x509.ExtendedKeyUsage):
            told = {
                "serverAuth": "TLS Web Server Authentication",
                "clientAuth": "TLS Web Client Authentication",
            }
            name = "Extended Key Usage"
            text = ", ".join(told.get(oid._name, oid.dotted_string) for oid in value)
        else:
            name, text = each.oid.dotted_string, "not shown here"
        rows += [f"{pad}X509v3 {name}: {'critical' if each.critical else ''}", f"{pad}    {text}"]
    return rows


def _signature(item: Any, indent: int) -> list[str]:
    pad = " " * indent
    algorithm = _ALGORITHMS.get(item.signature_algorithm_oid.dotted_string, "unknown")
    return [
        f"{pad}Signature Algorithm: {algorithm}",
        f"{pad}Signature Value:",
        _hex(item.signature, 18, indent + 4),
    ]


def certificate_shown(found: x509.Certificate) -> str:
    """`openssl x509 -text`."""
    serial = found.serial_number
    number = serial.to_bytes((serial.bit_length() + 8) // 8)
    small = f" {serial} (0x{serial:x})" if serial.bit_length() < 64 else f"\n{_hex(number, 99, 12)}"
    rows = [
        "Certificate:", "    Data:", f"        Version: {found.version.value + 1} (0x{found.version.value:x})",
        f"        Serial Number:{small}",
        f"        Signature Algorithm: {_ALGORITHMS.get(found.signature_algorithm_oid.dotted_string, 'unknown')}",
        f"        Issuer: {shown_name(found.issuer)}", "        Validity",
        f"            Not Before: {shown_time(found.not_valid_before_utc)}",
        f"            Not After : {shown_time(found.not_valid_after_utc)}",
        f"        Subject: {shown_name(found.subject)}", "        Subject Public Key Info:",
        *_public(found.public_key(), 12),
        *(["        X509v3 extensions:", *_extensions(found.extensions, 12)] if len(found.extensions) else []),
        *_signature(found, 4),
    ]  # fmt: skip
    return "\n".join(rows) + "\n"


def request_shown(found: x509.CertificateSigningRequest) -> str:
    """`openssl req -text`."""
    rows = [
        "Certificate Request:", "    Data:", "        Version: 1 (0x0)",
        f"        Subject: {shown_name(found.subject)}",
        "        Subject Public Key Info:", *_public(found.public_key(), 12), "        Attributes:",
        *(
            ["            Requested Extensions:", *_extensions(found.extensions, 16)]
            if len(found.extensions)
            else ["            (none)", "            Requested Extensions:"]
        ),
        *_signature(found, 4),
    ]  # fmt: skip
    return "\n".join(rows) + "\n"
