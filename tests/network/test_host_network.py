"""From the host's network: a node's own address is no dead end, whoever on it is meant."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON


def _pod(name: str, node: str, *command: str, image: str = "busybox:1.36", host: bool = True) -> JSON:
    container: JSON = {"name": "c", "image": image, **({"command": list(command)} if command else {})}
    if "agnhost" in image:
        container["args"] = ["netexec", "--udp-port=8081"]
    spec = {"containers": [container], "nodeName": node, "hostNetwork": host}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": spec,
    }


def _service(name: str, selector: str, **port: Any) -> JSON:
    spec = {"type": "NodePort", "selector": {"app": selector}, "ports": [{"port": 80, **port}]}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"clusterIP": f"10.96.7.{len(name)}", **spec},
    }


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    cluster = Cluster(nodes=3, seed=5, freezing=True)
    cluster.apply(
        [
            _pod("client", "worker-1", "sleep", "1d"),
            _pod("plain", "worker-1", "sleep", "1d", host=False),
            _pod("web", "worker-2", image="nginx:1.25", host=False),
            _pod("beside", "worker-1", "sh", "-c", "while true; do echo beside | nc -l -p 7000; done"),
            _service("web", "web", nodePort=30080),
            _service("empty", "nobody", nodePort=30081),
            _pod("says", "worker-2", image="registry.k8s.io/e2e-test-images/agnhost:2.47", host=False),
            _service("says", "says", nodePort=30053, protocol="UDP", targetPort=8081),
        ]
    )
    cluster.settle()
    return cluster


GOT = (0, "")


def _refused(where: str) -> tuple[int, str]:
    return (1, f"wget: can't connect to remote host ({where}): Connection refused\n")


WORKER_1, WORKER_2 = "worker-1", "worker-2"
CALLS: dict[str, tuple[str, str, int, bool]] = {
    "own node, a NodePort": ("client", WORKER_1, 30080, True),
    "another node, a NodePort": ("client", WORKER_2, 30080, True),
    "own node, a NodePort without endpoints": ("client", WORKER_1, 30081, False),
    "own node, a port that nobody has": ("client", WORKER_1, 7001, False),
    "a Pod, own node's NodePort": ("plain", WORKER_1, 30080, True),
    "a Pod, another node's NodePort": ("plain", WORKER_2, 30080, True),
}


def _address(cluster: Cluster, node: str) -> str:
    found = cluster.get("nodes", node)
    assert found is not None
    return next(str(a["address"]) for a in found["status"]["addresses"] if a["type"] == "InternalIP")


@pytest.mark.parametrize(("who", "node", "port", "answered"), CALLS.values(), ids=CALLS.keys())
def test_a_nodes_address(cluster: Cluster, who: str, node: str, port: int, answered: bool) -> None:
    ip = _address(cluster, node)
    url = f"http://{ip}:{port}/"
    result = cluster.fork().execute(who, ["wget", "-q", "-O", "/dev/null", url], limit=300)
    expected = GOT if answered else _refused(ip)
    assert (result.exit_code, (result.stdout + result.stderr).decode()) == expected


def test_the_service_by_its_address(cluster: Cluster) -> None:
    result = cluster.fork().execute(
        "client", ["wget", "-q", "-O", "/dev/null", "http://10.96.7.3/"], limit=300
    )
    assert result.exit_code == 0


@pytest.mark.parametrize("who", ["client", "plain", "beside"])
def test_two_pods_on_one_nodes_network(cluster: Cluster, who: str) -> None:
    """The one asks the node's address, and the other, or itself, answers."""
    command = ["sh", "-c", f"echo | nc {_address(cluster, WORKER_1)} 7000"]
    assert cluster.fork().execute(who, command, limit=300).stdout == b"beside\n"


def test_who_talks_to_itself_over_the_node_may_go(cluster: Cluster) -> None:
    """Both ends of a connection are one Pod's, which is deleted while it stands."""
    twin = cluster.fork()
    twin.apply(
        _pod(
            "self",
            "worker-1",
            "sh",
            "-c",
            f"sleep 1d | nc -l -p 7100 & sleep 1; sleep 1d | nc {_address(cluster, WORKER_1)} 7100",
        )
    )
    twin.settle()
    twin.advance(2)
    twin.delete("pods", "self")
    twin.advance(60)
    assert twin.get("pods", "self") is None
    assert twin.state_hash() == Cluster.replay(twin.journal).state_hash()


@pytest.mark.parametrize("node", [WORKER_1, WORKER_2])
@pytest.mark.parametrize("who", ["client", "plain"])
def test_a_datagram_to_a_nodeport(cluster: Cluster, who: str, node: str) -> None:
    line = f"echo hostname | nc -u -w 2 {_address(cluster, node)} 30053"
    assert cluster.execute(who, ["sh", "-c", line], limit=60).stdout == b"says"
