"""Who shares the processes of a node (`hostPID`), or is logged in to it, sees what runs in its Pods."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON
from tests.kubelet.test_node_logins import Login


def pod(
    name: str, node: str, image: str = "busybox:1.36", command: list[str] | None = None, **spec: Any
) -> JSON:
    container: JSON = {"name": "c", "image": image}
    if command is not None:
        container["command"] = command
    spec = {"nodeName": node, "terminationGracePeriodSeconds": 0, "containers": [container], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=3, freezing=True, addons=False)
    cluster.apply(pod("waits", "worker-1", "registry.k8s.io/pause:3.10"))
    cluster.apply(pod("runs", "worker-1", command=["sleep", "77d"]))
    cluster.apply(pod("elsewhere", "worker-2", command=["sleep", "88d"]))
    cluster.apply(pod("sees", "worker-1", command=["sh", "-c", "sleep 100d & wait"], hostPID=True))
    cluster.settle()
    return cluster


@pytest.fixture
def cluster(base: Cluster) -> Cluster:
    return base.fork()


def ps(cluster: Cluster, name: str = "sees") -> dict[int, str]:
    said = cluster.execute(name, ["ps", "-o", "pid,args"]).stdout.decode()
    rows = [line.split(None, 1) for line in said.splitlines()[1:]]
    return {int(pid): args for pid, args in rows}


def test_host_pid_shows_the_nodes_processes(cluster: Cluster) -> None:
    found = ps(cluster)
    assert found[1] == "/sbin/init"
    assert (
        sum(args.startswith(("/usr/bin/kubelet", "/usr/local/bin/containerd")) for args in found.values())
        == 2
    )
    assert "sleep 77d" in found.values()
    assert "sleep 100d" in found.values()
    assert list(found.values()).count("/pause") == 4
    assert "sleep 88d" not in found.values()


def test_others_see_their_own(cluster: Cluster) -> None:
    assert set(ps(cluster, "runs").values()) == {"sleep 77d", "ps -o pid,args"}


def test_none_of_its_processes_is_the_first(cluster: Cluster) -> None:
    pid = int(cluster.execute("sees", ["sh", "-c", "echo $$"]).stdout)
    assert pid > 1_000
    other = next(pid for pid, args in ps(cluster).items() if args == "sleep 77d")
    done = cluster.execute("sees", ["kill", str(other)])
    assert done.exit_code == 1
    assert b"No such process" in done.stderr
    assert "sleep 77d" in ps(cluster, "runs").values()


def test_its_end_is_a_containers_end(cluster: Cluster) -> None:
    main = next(pid for pid, args in ps(cluster).items() if args == "sh -c sleep 100d & wait")
    cluster.execute("sees", ["kill", "-9", str(main)])
    cluster.settle()
    cluster.advance(5)
    found = cluster.get("pods", "sees")
    assert found is not None
    assert found["status"]["containerStatuses"][0]["restartCount"] == 1
    assert list(ps(cluster).values()).count("sleep 100d") == 1


def test_who_is_logged_in_sees_them(cluster: Cluster) -> None:
    said = Login(cluster, "worker-1", ["bash", "-c", "ps -e -o args="]).said.splitlines()
    assert "sleep 77d" in said
    assert "sleep 88d" not in said
    assert said.count("/sbin/init") == 1
    found = ps(cluster)
    assert list(found.values()).count("/sbin/init") == 1


def test_a_keyframe_sees_the_same(cluster: Cluster) -> None:
    other = Cluster.resume(cluster.keyframe(), [])
    assert ps(other) == ps(cluster)
