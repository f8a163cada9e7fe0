"""What the control plane's own Pods answer on the network: their health, the API (`test_api_from_pods.py`), and
nothing that they do not have."""

from __future__ import annotations

import pytest

from cluster_engine.cluster import Cluster
from cluster_engine.kube_apiserver import ADMIN, Request

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "asks"},
    "spec": {"containers": [{"name": "c", "image": "busybox", "command": ["sleep", "1d"]}]},
}
FORBIDDEN = b"wget: server returned error: HTTP/1.1 403 Forbidden\n"
NOT_HERE = b"wget: server returned error: HTTP/1.1 501 Not Implemented\n"
ANSWERS = [
    ("livez", 0, b"ok", b""),
    ("readyz/ping?verbose", 0, b"ok", b""),
    ("api/v1/pods", 1, b"", FORBIDDEN),
    ("healthzz", 1, b"", FORBIDDEN),
]


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    cluster = Cluster(nodes=1, freezing=True)
    cluster.apply({**POD, "spec": {**POD["spec"], "tolerations": [{"operator": "Exists"}]}})  # type: ignore[dict-item]
    cluster.settle()
    return cluster


@pytest.mark.parametrize(("path", "status", "out", "err"), ANSWERS, ids=[row[0] for row in ANSWERS])
def test_the_api_server_seen_from_a_pod(
    cluster: Cluster, path: str, status: int, out: bytes, err: bytes
) -> None:
    url = f"https://kubernetes.default/{path}"
    found = cluster.execute("asks", ["wget", "-qO-", "--no-check-certificate", url])
    assert (found.exit_code, found.stdout, found.stderr) == (status, out, err)


def test_the_others_have_only_their_health(cluster: Cluster) -> None:
    line = ["wget", "-qO-", "--no-check-certificate", "https://172.18.0.2:10259/metrics"]
    assert cluster.execute("asks", line).stderr == NOT_HERE


SECOND = {
    "a scheduler of its own configuration": ("kube-scheduler", "--config=/etc/my.yaml", "--config"),
    "one that is not elected": ("kube-scheduler", "--leader-elect=false", "--leader-elect"),
    "a controller manager": ("kube-controller-manager", "--leader-elect=false", "--leader-elect"),
}


@pytest.mark.parametrize(("name", "flag", "told"), SECOND.values(), ids=SECOND)
def test_a_second_one_that_would_act_says_that_it_does_not(
    cluster: Cluster, name: str, flag: str, told: str
) -> None:
    fork = cluster.fork()
    container = {"name": "c", "image": f"registry.k8s.io/{name}:v1.37.0", "command": [name, flag]}
    spec = {"containers": [container], "restartPolicy": "Never", "tolerations": [{"operator": "Exists"}]}
    fork.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "second"}, "spec": spec})
    fork.advance(10)
    pod = fork.get("pods", "second")
    assert pod is not None
    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 1
    log = fork.request(Request("GET", "/api/v1/namespaces/default/pods/second/log", user=ADMIN)).body.decode()
    assert f"Drydock does not simulate {told} (a real cluster does)" in log


def test_etcd_in_a_pod_answers_health_checks_over_grpc(cluster: Cluster) -> None:
    fork = cluster.fork()
    probe = {"grpc": {"port": 2379}, "periodSeconds": 5, "failureThreshold": 1}
    container = {"name": "c", "image": "registry.k8s.io/etcd:3.5.1-0", "livenessProbe": probe}
    spec = {"containers": [container], "tolerations": [{"operator": "Exists"}]}
    fork.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "etcd"}, "spec": spec})
    fork.advance(60)
    pod = fork.get("pods", "etcd")
    assert pod is not None
    assert pod["status"]["containerStatuses"][0]["restartCount"] == 0
