"""A new user by a certificate request: key and request by openssl's rules, the rest by the real kubectl."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from kubectl_driver import Kubectl, serving, shape

pytestmark = pytest.mark.kubectl
DAY = "expirationSeconds: 86400"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    """A cluster whose time is the wall's, by which TLS judges certificates."""
    with serving(tmp_path_factory.mktemp("certificates"), "--nodes", "1") as kubectl:
        yield kubectl


def asked(home: Path, name: str) -> str:
    """A manifest for a user of that name, whose key lies at home."""
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    (home / f"{name}.key").write_bytes(pem)
    subject = [
        x509.NameAttribute(NameOID.COMMON_NAME, name),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "dev"),
    ]
    request = x509.CertificateSigningRequestBuilder(x509.Name(subject)).sign(key, hashes.SHA256())
    return f"""\
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {{name: {name}}}
spec:
  request: {base64.b64encode(request.public_bytes(Encoding.PEM)).decode()}
  signerName: kubernetes.io/kube-apiserver-client
  {DAY}
  usages: [client auth]
"""


def test_a_user_from_request_to_use(live: Kubectl) -> None:
    live("apply", "-f", "-", stdin=asked(live.home, "jane"))
    head = ["NAME", "AGE", "SIGNERNAME", "REQUESTOR", "REQUESTEDDURATION", "CONDITION"]
    row = ["jane", "<age>", "kubernetes.io/kube-apiserver-client", "kubernetes-admin"]
    assert shape(live("get", "csr")) == [head, [*row, "24h", "Pending"]]
    assert live("certificate", "approve", "jane") == (
        "certificatesigningrequest.certificates.k8s.io/jane approved\n"
    )
    live("wait", "--for=jsonpath={.status.certificate}", "csr/jane", "--timeout=60s")
    assert shape(live("get", "csr"))[1][-1] == "Approved,Issued"
    told = live("describe", "csr", "jane")
    for line in ("Requesting User:", "Status:", "Subject:", "Common Name:", "Organization:"):
        assert line in told
    issued = base64.b64decode(live("get", "csr", "jane", "-o", "jsonpath={.status.certificate}"))
    (live.home / "jane.crt").write_bytes(issued)
    live(
        "config",
        "set-credentials",
        "jane",
        "--client-key=jane.key",
        "--client-certificate=jane.crt",
        "--embed-certs",
    )
    who = live(
        "--user=jane",
        "auth",
        "whoami",
        "-o",
        "jsonpath={.status.userInfo.username} {.status.userInfo.groups}",
    )
    assert who == 'jane ["dev","system:authenticated"]'
    refused = live.fails("--user=jane", "get", "pods")
    assert 'User "jane" cannot list resource "pods" in API group "" in the namespace "default"' in refused
    live("create", "rolebinding", "jane", "--clusterrole=view", "--group=dev")
    assert live("--user=jane", "get", "pods", "-o", "name") == ""


def test_a_denied_request_stays_without(live: Kubectl) -> None:
    live("apply", "-f", "-", stdin=asked(live.home, "john"))
    assert live("certificate", "deny", "john") == (
        "certificatesigningrequest.certificates.k8s.io/john denied\n"
    )
    assert shape(live("get", "csr", "john"))[1][-1] == "Denied"
    told = live.run("certificate", "approve", "john")
    assert (told.returncode, "already" in told.stderr or "Approved" in told.stderr) == (1, True), told
