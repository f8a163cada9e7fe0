"""What the control plane's own Pods answer on the network: their health, the API (`test_api_from_pods.py`), and
nothing that they do not have."""

from __future__ import annotations

import pytest

from cluster_engine.cluster import Cluster

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
