"""The certificates, keys and kubeconfigs of kubeadm, and etcd's folder, as who is logged in to a node finds them."""

from __future__ import annotations

import pytest
from test_host_paths import pod
from test_node_logins import Login

from cluster_engine import Cluster
from cluster_engine.kubelet.node_files import ETCD_DATA
from cluster_engine.kubelet.node_pki import Place, files

PKI = "/etc/kubernetes/pki"
MAIN, WORKER = "control-plane", "worker-1"


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    return Cluster(nodes=2, seed=7, freezing=True)


def subject(path: str, name: str, issuer: str) -> tuple[str, str]:
    return f"openssl x509 -in {path} -noout -subject -issuer", f"subject={name}\nissuer=CN={issuer}\n"


SEEN: dict[str, tuple[str, tuple[str, str]]] = {
    "the authority": (MAIN, subject(f"{PKI}/ca.crt", "CN=kubernetes", "kubernetes")),
    "the API server": (MAIN, subject(f"{PKI}/apiserver.crt", "CN=kube-apiserver", "kubernetes")),
    "the API server to kubelets": (
        MAIN,
        subject(
            f"{PKI}/apiserver-kubelet-client.crt",
            "O=kubeadm:cluster-admins, CN=kube-apiserver-kubelet-client",
            "kubernetes",
        ),
    ),
    "the API server to etcd": (
        MAIN,
        subject(f"{PKI}/apiserver-etcd-client.crt", "CN=kube-apiserver-etcd-client", "etcd-ca"),
    ),
    "etcd": (MAIN, subject(f"{PKI}/etcd/server.crt", "CN=control-plane", "etcd-ca")),
    "the front proxy": (
        MAIN,
        subject(f"{PKI}/front-proxy-client.crt", "CN=front-proxy-client", "front-proxy-ca"),
    ),
    "a kubelet": (
        WORKER,
        subject(
            "/var/lib/kubelet/pki/kubelet-client-current.pem",
            "O=system:nodes, CN=system:node:worker-1",
            "kubernetes",
        ),
    ),
    "its names": (
        MAIN,
        (
            f"openssl x509 -in {PKI}/apiserver.crt -noout -text | grep -o 'DNS:control-plane.*'",
            "DNS:control-plane, DNS:kubernetes, DNS:kubernetes.default, DNS:kubernetes.default.svc, "
            "DNS:kubernetes.default.svc.cluster.local, IP Address:10.96.0.1, IP Address:172.18.0.2\n",
        ),
    ),
    "how long it lasts": (
        MAIN,
        (f"openssl x509 -in {PKI}/apiserver.crt -noout -enddate", "notAfter=Jan  1 00:00:00 2027 GMT\n"),
    ),
    "who signed": (
        MAIN,
        (
            f"cd {PKI}; openssl verify -CAfile ca.crt apiserver.crt; openssl verify -CAfile etcd/ca.crt etcd/peer.crt; "
            "openssl verify -CAfile etcd/ca.crt apiserver.crt 2>&1 | grep -c OK",
            "apiserver.crt: OK\netcd/peer.crt: OK\n0\n",
        ),
    ),
    "two halves of a key": (
        MAIN,
        (f"openssl pkey -in {PKI}/sa.key -pubout | diff - {PKI}/sa.pub && echo one", "one\n"),
    ),
    "who may read": (
        MAIN,
        (
            f"stat -c '%a %n' {PKI}/ca.key {PKI}/ca.crt /var/lib/etcd",
            f"600 {PKI}/ca.key\n644 {PKI}/ca.crt\n700 /var/lib/etcd\n",
        ),
    ),
    "a kubeconfig": (
        MAIN,
        (
            "grep client-certificate-data /etc/kubernetes/admin.conf | cut -d: -f2 | tr -d ' ' | base64 -d "
            "| openssl x509 -noout -subject",
            "subject=O=kubeadm:cluster-admins, CN=kubernetes-admin\n",
        ),
    ),
    "that of a kubelet": (
        WORKER,
        (
            "grep -E 'server:|client-key' /etc/kubernetes/kubelet.conf",
            "    server: https://172.18.0.2:6443\n"
            "    client-key: /var/lib/kubelet/pki/kubelet-client-current.pem\n",
        ),
    ),
    "a worker has no key of the authority": (WORKER, (f"ls {PKI}", "ca.crt\n")),
    "etcd's folder": (
        MAIN,
        ("find /var/lib/etcd -type f | sort", "".join(f"{path}\n" for path in sorted(ETCD_DATA))),
    ),
    "a worker has no etcd": (
        WORKER,
        ("ls /var/lib/etcd 2>&1", "ls: cannot access '/var/lib/etcd': No such file or directory\n"),
    ),
}


@pytest.mark.parametrize("case", SEEN)
def test_what_lies_on_a_node(cluster: Cluster, case: str) -> None:
    node, (line, said) = SEEN[case]
    assert Login(cluster, node, ["bash", "-c", line]).said == said


SIGNS = (
    f"cd {PKI}; openssl ecparam -name prime256v1 -genkey -noout -out u.key; "
    "openssl req -new -key u.key -subj /O=dev/CN=jane -out u.csr; "
    "openssl x509 -req -in u.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -out u.crt 2>/dev/null; cat u.crt"
)


def test_what_the_nodes_authority_signs_the_cluster_believes(cluster: Cluster) -> None:
    """As `serve` asks of a client's certificate: it is of the authority that answers signing requests."""
    from cryptography import x509

    from cluster_engine.component_helpers.certificates import Authority

    cluster = cluster.fork()
    signed = x509.load_pem_x509_certificate(Login(cluster, MAIN, ["bash", "-c", SIGNS]).said.encode())
    signed.verify_directly_issued_by(x509.load_pem_x509_certificate(Authority(7).certificate))
    # What is written beside them stays, and what is changed is not made anew.
    Login(cluster, MAIN, ["bash", "-c", f"echo gone > {PKI}/apiserver.crt"])
    again = Cluster.replay(cluster.journal)
    assert again.state_hash() == cluster.state_hash()
    assert (
        Login(again, MAIN, ["bash", "-c", f"cat {PKI}/apiserver.crt; ls {PKI}/ca.srl"]).said
        == f"gone\n{PKI}/ca.srl\n"
    )


def test_a_pod_sees_them_by_a_host_path(cluster: Cluster) -> None:
    cluster = cluster.fork()
    cluster.apply(pod("folder", PKI, node=MAIN))
    cluster.apply(pod("file", "/etc/kubernetes/admin.conf", "File", node=MAIN))
    assert cluster.settle()
    said = cluster.execute("folder", ["sh", "-c", "cat /host/ca.crt"]).stdout.decode()
    assert said == Login(cluster, MAIN, ["cat", f"{PKI}/ca.crt"]).said
    assert cluster.execute("file", ["cat", "/host"]).stdout.startswith(b"apiVersion: v1\nclusters:\n")


def test_they_follow_from_the_seed() -> None:
    places = [Place("n", "172.18.0.2", True, seed, "2026-01-01T00:00:00Z") for seed in (1, 1, 2)]
    first, again, other = (dict(files.__wrapped__(place)) for place in places)
    assert first == again
    assert {path for path in first if first[path] == other[path]} == {"/etc/kubernetes/kubelet.conf"} - {
        path for path in first if "authority-data" in first[path][0]
    }


def test_nobody_makes_them_before_somebody_looks() -> None:
    files.cache_clear()
    cluster = Cluster(nodes=2, seed=8, freezing=True)
    cluster.advance(60)
    assert files.cache_info().currsize == 0
    Login(cluster, MAIN, ["true"])
    assert files.cache_info().currsize == 1
