"""Certificate requests: what the cluster signs, what it refuses to sign, what it approves by itself, what goes."""

from __future__ import annotations

import base64
from ipaddress import ip_address
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cluster_engine import Cluster
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.component_helpers.certificates import Authority
from cluster_engine.kube_controller_manager.certificates_signer import lifetime

JSON = dict[str, Any]
CSRS = "certificatesigningrequests.certificates.k8s.io"
CLIENT = "kubernetes.io/kube-apiserver-client"
KUBELET = "kubernetes.io/kube-apiserver-client-kubelet"
SERVING = "kubernetes.io/kubelet-serving"
DNS, IP = x509.DNSName("worker-1"), x509.IPAddress(ip_address("172.18.0.3"))
URI, MAIL = x509.UniformResourceIdentifier("spiffe://a"), x509.RFC822Name("a@example.com")


def pem(name: str, *groups: str, others: tuple[x509.GeneralName, ...] = ()) -> str:
    """A request, as base64 of PEM."""
    key = ec.derive_private_key(12345, ec.SECP256R1())
    names = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    builder = x509.CertificateSigningRequestBuilder(
        x509.Name([*names, x509.NameAttribute(NameOID.COMMON_NAME, name)])
    )
    if others:
        builder = builder.add_extension(x509.SubjectAlternativeName(others), critical=False)
    signed = builder.sign(key, hashes.SHA256(), ecdsa_deterministic=True)
    return base64.b64encode(signed.public_bytes(serialization.Encoding.PEM)).decode()


def csr(request: str, signer: str = CLIENT, usages: tuple[str, ...] = ("client auth",), **spec: Any) -> JSON:
    return {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": "asked"},
        "spec": {"request": request, "signerName": signer, "usages": list(usages), **spec},
    }


@pytest.fixture(scope="module")
def booted() -> Cluster:
    return Cluster(nodes=1, seed=3, freezing=True)


@pytest.fixture
def cluster(booted: Cluster) -> Cluster:
    return booted.fork()


def decide(cluster: Cluster, type_: str = "Approved") -> JSON:
    """Approve or deny as kubectl does; the request as it is when all is settled."""
    live = cluster.get(CSRS, "asked")
    assert live is not None
    condition = {"type": type_, "status": "True", "reason": "Kubectl", "message": "so it is"}
    status = {**(live.get("status") or {}), "conditions": [condition]}
    client = cluster.context.client("kubernetes-admin", "kubectl", ("system:masters",))
    client.update(CSRS, {**live, "status": status}, "approval")
    cluster.settle()
    found = cluster.get(CSRS, "asked")
    assert found is not None
    return found


def test_an_approved_request_is_signed_by_the_cluster(cluster: Cluster) -> None:
    cluster.apply(csr(pem("jane", "dev", "ops"), expirationSeconds=3600))
    done = decide(cluster)
    issued = x509.load_pem_x509_certificate(base64.b64decode(done["status"]["certificate"]))
    authority = x509.load_pem_x509_certificate(Authority(3).certificate)
    issued.verify_directly_issued_by(authority)
    assert issued.subject.rfc4514_string() == "CN=jane,O=ops,O=dev"
    assert list(issued.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [
        ExtendedKeyUsageOID.CLIENT_AUTH
    ]
    assert not issued.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    lasts = issued.not_valid_after_utc - issued.not_valid_before_utc
    assert lasts.total_seconds() == 3600 + 300  # five minutes back, and not taken off so short a life
    [condition] = done["status"]["conditions"]
    assert condition["lastTransitionTime"] == condition["lastUpdateTime"]


def test_the_same_journal_issues_the_same_certificate(cluster: Cluster) -> None:
    twin = cluster.fork()
    for each in (cluster, twin):
        each.apply(csr(pem("jane")))
        decide(each)
    assert cluster.get(CSRS, "asked") == twin.get(CSRS, "asked")
    assert cluster.state_hash() == twin.state_hash()
    again = Cluster.restore(cluster.snapshot())
    assert again.state_hash() == cluster.state_hash()


def test_what_is_denied_is_not_signed(cluster: Cluster) -> None:
    cluster.apply(csr(pem("jane")))
    assert "certificate" not in decide(cluster, "Denied")["status"]


def test_another_signers_request_waits(cluster: Cluster) -> None:
    cluster.apply(csr(pem("jane"), signer="example.com/own"))
    assert set(decide(cluster)["status"]) == {"conditions"}


NODES = "system:nodes"
# id: (request, signer, usages, why it fails)
FAILURES = {
    "usage of a server": (
        pem("jane"), CLIENT, ("client auth", "server auth"),
        "invalid usage for client certificate: server auth",
    ),
    "no usage of a client": (
        pem("jane"), CLIENT, ("digital signature",),
        "missing required usage for client certificate: client auth",
    ),
    "kubelet of no group": (
        pem("system:node:a"), KUBELET, ("client auth", "digital signature"),
        "subject organization is not system:nodes",
    ),
    "kubelet of two groups": (
        pem("system:node:a", NODES, "more"), KUBELET, ("client auth", "digital signature"),
        "subject organization is not system:nodes",
    ),
    "kubelet by another name": (
        pem("node", NODES), KUBELET, ("client auth", "digital signature"),
        "subject common name does not begin with system:node:",
    ),
    "kubelet's usages": (
        pem("system:node:a", NODES), KUBELET, ("client auth",),
        "usages did not match [client auth digital signature key encipherment]",
    ),
    "kubelet with a DNS name": (
        pem("system:node:a", NODES, others=(DNS,)), KUBELET, ("client auth", "digital signature"),
        "DNS subjectAltNames are not allowed",
    ),
    "kubelet with an address": (
        pem("system:node:a", NODES, others=(IP,)), KUBELET, ("client auth", "digital signature"),
        "IP subjectAltNames are not allowed",
    ),
    "kubelet with a URI": (
        pem("system:node:a", NODES, others=(URI,)), KUBELET, ("client auth", "digital signature"),
        "URI subjectAltNames are not allowed",
    ),
    "kubelet with a mail address": (
        pem("system:node:a", NODES, others=(MAIL,)), KUBELET, ("client auth", "digital signature"),
        "Email subjectAltNames are not allowed",
    ),
    "server without a name": (
        pem("system:node:a", NODES), SERVING, ("server auth", "digital signature"),
        "DNS or IP subjectAltName is required",
    ),
    "server with a mail address": (
        pem("system:node:a", NODES, others=(DNS, MAIL)), SERVING, ("server auth", "digital signature"),
        "Email subjectAltNames are not allowed",
    ),
    "server with a URI": (
        pem("system:node:a", NODES, others=(DNS, URI)), SERVING, ("server auth", "digital signature"),
        "URI subjectAltNames are not allowed",
    ),
    "server's usages": (
        pem("system:node:a", NODES, others=(DNS,)), SERVING, ("client auth",),
        "usages did not match [digital signature key encipherment server auth]",
    ),
    "server by another name": (
        pem("a", NODES, others=(IP,)), SERVING, ("server auth", "digital signature"),
        "subject common name does not begin with system:node:",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("request_", "signer", "usages", "why"), FAILURES.values(), ids=FAILURES)
def test_what_a_signer_does_not_sign(
    cluster: Cluster, request_: str, signer: str, usages: tuple[str, ...], why: str
) -> None:
    cluster.apply(csr(request_, signer, usages))
    status = decide(cluster)["status"]
    assert "certificate" not in status
    told = status["conditions"][1]
    assert (told["type"], told["reason"], told["message"]) == ("Failed", "SignerValidationFailure", why)


def test_a_server_certificate_of_a_kubelet(cluster: Cluster) -> None:
    asked = pem("system:node:a", NODES, others=(DNS, IP))
    cluster.apply(csr(asked, SERVING, ("server auth", "digital signature", "key encipherment")))
    done = decide(cluster)
    issued = x509.load_pem_x509_certificate(base64.b64decode(done["status"]["certificate"]))
    names = issued.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(names) == [DNS, IP]


def test_a_node_renews_its_own_certificate_and_no_other(cluster: Cluster) -> None:
    client = cluster.context.client("system:node:control-plane", "kubelet")
    usages = ("client auth", "digital signature")
    own = csr(pem("system:node:control-plane", NODES), KUBELET, usages)
    client.create(CSRS, {**own, "metadata": {"name": "own"}})
    another = {**csr(pem("system:node:other", NODES), KUBELET, usages), "metadata": {"name": "other"}}
    with pytest.raises(ApiError, match="can only create a node CSR with CN=system:node:control-plane"):
        client.create(CSRS, another)
    cluster.settle()
    done = cluster.get(CSRS, "own")
    assert done is not None
    assert done["spec"]["username"] == "system:node:control-plane"
    assert done["status"]["conditions"][0]["reason"] == "AutoApproved"
    assert done["status"]["certificate"]


# id: (what is decided, hours it stays, hours after which it is gone)
ENDS = {"pending": ("", 23, 26), "denied": ("Denied", 0.9, 2.1), "issued": ("Approved", 0.9, 2.1)}


@pytest.mark.parametrize(("decision", "stays", "gone"), ENDS.values(), ids=ENDS)
def test_old_requests_go(cluster: Cluster, decision: str, stays: float, gone: float) -> None:
    cluster.apply(csr(pem("jane")))
    if decision:
        decide(cluster, decision)
    cluster.advance(stays * 3600)
    assert cluster.get(CSRS, "asked") is not None
    cluster.advance((gone - stays) * 3600)
    assert cluster.get(CSRS, "asked") is None


LIFETIMES = {"a year": (None, 365 * 86_400), "a moment": (601, 601), "for ever": (2**31 - 1, 365 * 86_400)}


@pytest.mark.parametrize(("asked", "given"), LIFETIMES.values(), ids=LIFETIMES)
def test_lifetimes(asked: int | None, given: int) -> None:
    assert lifetime(asked) == given
