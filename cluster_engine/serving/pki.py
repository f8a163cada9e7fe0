"""Certificates of a stand-alone cluster: a CA, the server's and the administrator's, made anew at each start.

Models what kubeadm writes to /etc/kubernetes (cmd/kubeadm/app/phases/certs, kubeconfig).
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_VALID = timedelta(days=365)
_NAMES = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)
_ADDRESSES = ("127.0.0.1", "::1", "10.96.0.1")


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate and its key, PEM."""

    certificate: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class Certificates:
    """All that one server and its administrator need."""

    ca: bytes
    server: KeyPair
    admin: KeyPair


def make(now_us: int) -> Certificates:
    """Fresh certificates, valid for a year from `now_us` (wall clock)."""
    start = datetime.fromtimestamp(now_us // 1_000_000, UTC) - timedelta(hours=1)
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubernetes")])
    ca = (
        _builder(ca_name, ca_name, ca_key.public_key(), start)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_usage(sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in _NAMES]
    names += [x509.IPAddress(ip_address(address)) for address in _ADDRESSES]
    server = _issue(ca, ca_key, "kube-apiserver", (), ExtendedKeyUsageOID.SERVER_AUTH, start, names)
    admin = _issue(
        ca, ca_key, "kubernetes-admin", ("system:masters",), ExtendedKeyUsageOID.CLIENT_AUTH, start, []
    )
    return Certificates(ca.public_bytes(serialization.Encoding.PEM), server, admin)


def _issue(
    ca: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
    common_name: str,
    organizations: tuple[str, ...],
    purpose: x509.ObjectIdentifier,
    start: datetime,
    names: list[x509.GeneralName],
) -> KeyPair:
    key = ec.generate_private_key(ec.SECP256R1())
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, o) for o in organizations]
    attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, common_name))
    builder = (
        _builder(x509.Name(attributes), ca.subject, key.public_key(), start)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
        )
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    certificate = builder.sign(ca_key, hashes.SHA256())
    return KeyPair(
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        ),
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, start: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + _VALID)
    )


def _usage(sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=True,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign,
        crl_sign=sign,
        encipher_only=False,
        decipher_only=False,
    )


def kubeconfig(server: str, certificates: Certificates | None) -> str:
    """A kubeconfig with everything inline; without certificates: plain HTTP."""
    cluster: dict[str, str] = {"server": server}
    user: dict[str, str] = {}
    if certificates is not None:
        cluster["certificate-authority-data"] = _inline(certificates.ca)
        user["client-certificate-data"] = _inline(certificates.admin.certificate)
        user["client-key-data"] = _inline(certificates.admin.key)
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "drydock", "cluster": cluster}],
        "users": [{"name": "kubernetes-admin", "user": user}],
        "contexts": [
            {
                "name": "kubernetes-admin@drydock",
                "context": {"cluster": "drydock", "user": "kubernetes-admin"},
            }
        ],
        "current-context": "kubernetes-admin@drydock",
        "preferences": {},
    }
    return str(yaml.safe_dump(config, sort_keys=False))


def _inline(data: bytes) -> str:
    return base64.b64encode(data).decode()
