"""hostPath volumes: what lies on a node, for all of its Pods and for who is logged in there."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.kubelet import disks
from cluster_engine.linux.files import tree
from tests.kubelet.test_node_logins import Login

JSON = dict[str, Any]


def pod(
    name: str, path: str, kind: str = "", node: str = "worker-1", command: str = "sleep 100d", **more: Any
) -> JSON:
    source: JSON = {"path": path, **({"type": kind} if kind else {})}
    container = {
        "name": "c", "image": "busybox:1.36", "command": ["sh", "-c", command],
        "volumeMounts": [{"name": "host", "mountPath": "/host", **more}],
    }  # fmt: skip
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "nodeName": node, "terminationGracePeriodSeconds": 0, "containers": [container],
            "volumes": [{"name": "host", "hostPath": source}],
        },
    }  # fmt: skip


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=3, freezing=True, strict=True)
    for name, path in (("writes", "/data"), ("reads", "/data"), ("within", "/data/sub/deep"), ("all", "/")):
        cluster.apply(pod(name, path))
    cluster.apply(pod("elsewhere", "/data", node="worker-2"))
    assert cluster.settle()
    return cluster


@pytest.fixture
def cluster(base: Cluster) -> Cluster:
    return base.fork()


def sh(cluster: Cluster, name: str, line: str) -> str:
    said = cluster.execute(name, ["sh", "-c", line])
    return (said.stdout + said.stderr).decode()


def on(cluster: Cluster, line: str) -> str:
    """What a command says on the machine of worker-1."""
    return Login(cluster, "worker-1", ["sh", "-c", line]).said


def test_all_pods_of_a_node_see_it(cluster: Cluster) -> None:
    sh(cluster, "writes", "echo one > /host/f; mkdir -p /host/sub/deep; echo two > /host/sub/deep/g")
    assert sh(cluster, "reads", "cat /host/f") == "one\n"
    assert sh(cluster, "within", "cat /host/g") == "two\n"
    assert sh(cluster, "all", "cat /host/data/f /host/data/sub/deep/g") == "one\ntwo\n"
    assert "No such file" in sh(cluster, "elsewhere", "cat /host/f")
    sh(cluster, "within", "echo three > /host/g")
    assert sh(cluster, "writes", "cat /host/sub/deep/g") == "three\n"
    sh(cluster, "all", "rm /host/data/f")
    assert "No such file" in sh(cluster, "reads", "cat /host/f")


def test_it_outlives_its_pod(cluster: Cluster) -> None:
    sh(cluster, "writes", "echo one > /host/f")
    for name in ("writes", "reads", "within", "all"):
        cluster.delete("pods", name, "default")
    assert cluster.settle()
    cluster.apply(pod("later", "/data/"))
    cluster.apply(pod("one-file", "/data/f", "File"))
    assert cluster.settle()
    assert sh(cluster, "later", "cat /host/f") == "one\n"
    assert sh(cluster, "one-file", "cat /host") == "one\n"


def test_where_it_is_cut_does_not_show(cluster: Cluster) -> None:
    sh(cluster, "writes", "mkdir -p /host/sub/deep; echo one > /host/sub/deep/f")
    again = Cluster.resume(cluster.keyframe(), [])
    for each in (cluster, again):
        sh(each, "within", "echo more >> /host/f")
        assert sh(each, "reads", "cat /host/sub/deep/f") == "one\nmore\n"
    assert again.state_hash() == cluster.state_hash()
    assert Cluster.replay(cluster.journal).state_hash() == cluster.state_hash()


# id: (path, type, what is wrong; "": nothing)
TYPES = {
    "a directory that is not there": ("/new", "Directory", "hostPath type check failed: /new is not a directory"),
    "a file that is not there": ("/new", "File", "hostPath type check failed: /new is not a file"),
    "a directory for a file": ("/data", "File", "hostPath type check failed: /data is not a file"),
    "a file for a directory": (
        "/etc/hostname", "DirectoryOrCreate", "hostPath type check failed: /etc/hostname is not a directory"),
    "it is made": ("/new", "DirectoryOrCreate", ""),
    "a file is made": ("/new/f", "FileOrCreate", ""),
    "any": ("/new", "", ""),
    "a real node has it": ("/sys/fs/cgroup", "Directory", ""),
}  # fmt: skip


@pytest.mark.parametrize(("path", "kind", "wrong"), TYPES.values(), ids=TYPES)
def test_a_type(cluster: Cluster, path: str, kind: str, wrong: str) -> None:
    cluster.apply(pod("typed", path, kind))
    cluster.advance(10)
    told = [each["message"] for each in cluster.list("events", "default") if each["reason"] == "FailedMount"]
    assert bool(told) == bool(wrong)
    assert not wrong or wrong in told[0]
    phase = (cluster.get("pods", "typed") or {})["status"]["phase"]
    assert phase == ("Pending" if wrong else "Running")


def test_it_waits_until_its_directory_is_there(cluster: Cluster) -> None:
    cluster.apply(pod("typed", "/data/wanted", "Directory"))
    cluster.advance(3)
    sh(cluster, "writes", "mkdir /host/wanted; echo here > /host/wanted/f")
    cluster.advance(60)
    assert sh(cluster, "typed", "cat /host/f") == "here\n"


def test_who_is_logged_in_sees_it(cluster: Cluster) -> None:
    sh(cluster, "writes", "echo one > /host/f")
    assert on(cluster, "cat /data/f") == "one\n"
    sh(cluster, "writes", "echo two > /host/g")
    assert on(cluster, "ls /data; cat /data/g") == "f\ng\nsub\ntwo\n"
    on(cluster, "echo three > /data/f; mkdir -p /srv/site; echo page > /srv/site/index.html")
    assert sh(cluster, "reads", "cat /host/f") == "three\n"
    cluster.apply(pod("serves", "/srv/site"))
    assert cluster.settle()
    assert sh(cluster, "serves", "cat /host/index.html") == "page\n"
    sh(cluster, "serves", "echo other > /host/index.html")
    assert on(cluster, "cat /srv/site/index.html") == "other\n"


def test_a_volume_of_a_path_that_was_made_by_hand(cluster: Cluster) -> None:
    """As the task "Configure a Pod to Use a PersistentVolume for Storage" tells."""
    on(cluster, "mkdir -p /mnt/data; echo 'Hello from Kubernetes storage' > /mnt/data/index.html")
    spec = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "manual",
            "hostPath": {"path": "/mnt/data"}}  # fmt: skip
    cluster.apply(
        {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "task"}, "spec": spec}
    )
    claim = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "manual",
        "resources": {"requests": {"storage": "1Gi"}},
    }
    meta = {"name": "task", "namespace": "default"}
    cluster.apply({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": claim})
    made = pod("task", "/unused")
    made["spec"]["volumes"] = [{"name": "host", "persistentVolumeClaim": {"claimName": "task"}}]
    cluster.apply(made)
    cluster.advance(30)
    assert sh(cluster, "task", "cat /host/index.html") == "Hello from Kubernetes storage\n"


def test_an_agent_reads_what_a_pod_logs(cluster: Cluster) -> None:
    cluster.apply(pod("logs", "/var/log/app", "DirectoryOrCreate"))
    cluster.apply(pod("agent", "/var/log"))
    assert cluster.settle()
    sh(cluster, "logs", "echo line >> /host/app.log")
    assert sh(cluster, "agent", "cat /host/app/app.log; ls /host") == "line\napp\ncontainers\npods\n"
    assert "default_logs_" in sh(cluster, "agent", "ls /host/pods")


def test_so_many_paths(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disks, "MAX_PATHS", 3)
    monkeypatch.setattr("cluster_engine.kubelet.volumes.MAX_PATHS", 3)
    cluster.apply(pod("more", "/more"))
    cluster.apply(pod("same", "/data"))
    cluster.advance(10)
    told = [each["message"] for each in cluster.list("events", "default") if each["reason"] == "FailedMount"]
    assert len(told) >= 1
    assert "a node may have 3 paths in use by hostPath volumes" in told[0]
    assert (cluster.get("pods", "same") or {})["status"]["phase"] == "Running"


def test_a_file_that_stands_in_the_way_stays() -> None:
    root = tree.build({"/a": "file"})
    assert disks.within(root, ["a", "b"], tree.directory()) is root
    assert tree.find(disks.within(root, ["c", "d"], tree.file("x")), ["c", "d"]) == tree.file("x")
