"""The certificates and kubeconfigs that kubeadm has written on a node, for who looks there.

All keys follow from the cluster's seed, and what is signed is signed without chance, so that a node's files are the
same whenever they are made; they are made when somebody first looks. ``ca.crt`` is the authority that answers
CertificateSigningRequests, ``sa.key`` the key of service account tokens.

Models cmd/kubeadm/app/phases/{certs,kubeconfig} with ``encryptionAlgorithm: ECDSA-P256``.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple

from cluster_engine.addons.static_pods import DEFAULT_IP
from cluster_engine.apimachinery import yaml
from cluster_engine.component_helpers.certificates import (
    AUTHORITY_KEY,
    SERVICE_ACCOUNT_KEY,
    Authority,
    key_usage,
    moment,
    seeded_key,
)
from cluster_engine.sim import parse_rfc3339

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

PKI, KUBERNETES, KUBELET_PKI = "/etc/kubernetes/pki", "/etc/kubernetes", "/var/lib/kubelet/pki"
FOLDERS = (KUBERNETES, KUBELET_PKI)
"""Where they lie."""
KEPT = 16
"""Nodes whose files a process remembers."""
_YEAR = timedelta(days=365)
_ETCD, _FRONT_PROXY = "etcd-ca", "front-proxy-ca"
_ADMINS = "kubeadm:cluster-admins"
_SERVICE_IP = "10.96.0.1"
_API_NAMES = (
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)


class _Leaf(NamedTuple):
    """A certificate that an authority signs."""

    path: str
    authority: str
    name: str
    organization: str = ""
    server: bool = False
    client: bool = True
    hosts: tuple[str, ...] = ()


class Place(NamedTuple):
    """Whose files these are."""

    node: str
    ip: str
    control_plane: bool
    seed: int
    start: str
    """When the cluster was made."""


@lru_cache(maxsize=KEPT)
def files(place: Place) -> Mapping[str, tuple[str, int]]:
    """Path -> (text, mode)."""
    return dict(_files(place))


def _files(place: Place) -> Iterator[tuple[str, tuple[str, int]]]:
    made = _Maker(place)
    yield f"{PKI}/ca.crt", (made.certificate_of(""), 0o644)
    own = made.pair(_Leaf("", "", f"system:node:{place.node}", "system:nodes"))
    yield f"{KUBELET_PKI}/kubelet-client-current.pem", ("".join(own), 0o600)
    current = f"{KUBELET_PKI}/kubelet-client-current.pem"
    yield f"{KUBERNETES}/kubelet.conf", (made.kubeconfig(f"system:node:{place.node}", current), 0o600)
    if not place.control_plane:
        return
    yield f"{PKI}/ca.key", (made.key_of(""), 0o600)
    for authority, path in ((_ETCD, "etcd/ca"), (_FRONT_PROXY, "front-proxy-ca")):
        yield f"{PKI}/{path}.crt", (made.certificate_of(authority), 0o644)
        yield f"{PKI}/{path}.key", (made.key_of(authority), 0o600)
    for leaf in _leaves(place):
        certificate, key = made.pair(leaf)
        yield f"{PKI}/{leaf.path}.crt", (certificate, 0o644)
        yield f"{PKI}/{leaf.path}.key", (key, 0o600)
    token_key = seeded_key(SERVICE_ACCOUNT_KEY, place.seed)
    yield f"{PKI}/sa.key", (_private(token_key), 0o600)
    yield f"{PKI}/sa.pub", (_public(token_key), 0o600)
    for file, user, organization in (
        ("admin", "kubernetes-admin", _ADMINS),
        ("super-admin", "kubernetes-super-admin", "system:masters"),
        ("controller-manager", "system:kube-controller-manager", ""),
        ("scheduler", "system:kube-scheduler", ""),
    ):
        yield f"{KUBERNETES}/{file}.conf", (made.kubeconfig(user, organization=organization), 0o600)


def _leaves(place: Place) -> tuple[_Leaf, ...]:
    here = (place.node, "localhost", place.ip, "127.0.0.1", "::1")
    return (
        _Leaf(
            "apiserver", "", "kube-apiserver", server=True, client=False,
            hosts=(place.node, *_API_NAMES, _SERVICE_IP, place.ip),
        ),
        _Leaf("apiserver-kubelet-client", "", "kube-apiserver-kubelet-client", _ADMINS),
        _Leaf("front-proxy-client", _FRONT_PROXY, "front-proxy-client"),
        _Leaf("etcd/server", _ETCD, place.node, server=True, hosts=here),
        _Leaf("etcd/peer", _ETCD, place.node, server=True, hosts=here),
        _Leaf("etcd/healthcheck-client", _ETCD, "kube-etcd-healthcheck-client"),
        _Leaf("apiserver-etcd-client", _ETCD, "kube-apiserver-etcd-client"),
    )  # fmt: skip


class _Maker:
    """Makes the files of one node. An authority "" is the cluster's own."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._begins = moment(parse_rfc3339(place.start))
        self._authority = Authority(place.seed)

    def _key(self, purpose: str) -> ec.EllipticCurvePrivateKey:
        return seeded_key(purpose or AUTHORITY_KEY, self._place.seed)

    def key_of(self, authority: str) -> str:
        return _private(self._key(authority))

    def certificate_of(self, authority: str) -> str:
        """An authority's own certificate, PEM."""
        if not authority:
            return self._authority.certificate.decode()
        from cryptography import x509

        key = self._key(authority)
        builder = self._builder(authority, "", authority, authority, key, 10 * _YEAR)
        builder = builder.add_extension(
            key_usage(("digital signature", "key encipherment", "cert sign")), critical=True
        ).add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        builder = builder.add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
        )
        return _pem(self._signed(builder, authority))

    def pair(self, leaf: _Leaf) -> tuple[str, str]:
        """A certificate and its key, PEM."""
        from cryptography import x509
        from cryptography.x509.oid import ExtendedKeyUsageOID

        purpose = f"{self._place.node}/{leaf.path}/{leaf.name}"
        key = self._key(purpose)
        issuer = leaf.authority or "kubernetes"
        builder = self._builder(leaf.name, leaf.organization, issuer, purpose, key, _YEAR)
        uses = [ExtendedKeyUsageOID.SERVER_AUTH] * leaf.server + [
            ExtendedKeyUsageOID.CLIENT_AUTH
        ] * leaf.client
        above = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key(leaf.authority).public_key())
        builder = builder.add_extension(key_usage(("digital signature", "key encipherment")), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(above, critical=False)
        if leaf.hosts:
            builder = builder.add_extension(_alternatives(leaf.hosts), critical=False)
        return _pem(self._signed(builder, leaf.authority)), _private(key)

    def kubeconfig(self, user: str, file: str = "", organization: str = "") -> str:
        """A kubeconfig of that user, whose certificate and key lie in a file, or in itself."""
        if file:
            identity = {"client-certificate": file, "client-key": file}
        else:
            pair = self.pair(_Leaf("", "", user, organization))
            names = ("client-certificate-data", "client-key-data")
            identity = {name: _data(text) for name, text in zip(names, pair, strict=True)}
        cluster = {
            "certificate-authority-data": _data(self.certificate_of("")),
            "server": f"https://{DEFAULT_IP}:6443",
        }
        context = f"{user}@kubernetes"
        return yaml.dump(
            {
                "apiVersion": "v1",
                "clusters": [{"cluster": cluster, "name": "kubernetes"}],
                "contexts": [{"context": {"cluster": "kubernetes", "user": user}, "name": context}],
                "current-context": context,
                "kind": "Config",
                "preferences": {},
                "users": [{"name": user, "user": identity}],
            }
        )

    def _builder(
        self,
        name: str,
        organization: str,
        issuer: str,
        purpose: str,
        key: ec.EllipticCurvePrivateKey,
        valid: timedelta,
    ) -> x509.CertificateBuilder:
        from cryptography import x509
        from cryptography.x509.oid import NameOID

        subject = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)] if organization else []
        subject.append(x509.NameAttribute(NameOID.COMMON_NAME, name))
        serial = (
            int.from_bytes(
                hashlib.blake2b(f"serial/{self._place.seed}/{purpose}".encode(), digest_size=8).digest()
            )
            | 1
        )
        above = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)])
        ends = self._begins + valid
        return x509.CertificateBuilder(
            above, x509.Name(subject), key.public_key(), serial, self._begins, ends
        )

    def _signed(self, builder: x509.CertificateBuilder, authority: str) -> x509.Certificate:
        from cryptography.hazmat.primitives import hashes

        return builder.sign(self._key(authority), hashes.SHA256(), ecdsa_deterministic=True)


def _pem(certificate: x509.Certificate) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM).decode()


def _private(key: ec.EllipticCurvePrivateKey) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def _public(key: ec.EllipticCurvePrivateKey) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _alternatives(hosts: tuple[str, ...]) -> x509.SubjectAlternativeName:
    from cryptography import x509

    names: list[x509.GeneralName] = []
    for host in hosts:
        try:
            names.append(x509.IPAddress(ip_address(host)))
        except ValueError:
            names.append(x509.DNSName(host))
    return x509.SubjectAlternativeName(names)


def _data(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
