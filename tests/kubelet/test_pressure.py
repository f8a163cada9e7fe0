"""Nodes that run short of memory or disk, and Pods that have more on their node's disk than they may."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from test_kubelet_service import same

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.container_runtime.registry import find
from cluster_engine.kubelet.eviction import (
    DISK_PRESSURE,
    MEMORY_PRESSURE,
    Shortage,
    Usage,
    collectable,
    failed_collection,
    message,
    over_limit,
    ranked,
    refusal,
    shortages,
)
from cluster_engine.sim import SECOND

NODE = "worker-1"
MIB, GIB = 1 << 20, 1 << 30


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=3, freezing=True)
    cluster.advance(120)
    return cluster


@pytest.fixture
def cluster(base: Cluster) -> Cluster:
    return base.fork()


def pod(name: str, *containers: JSON, **spec: Any) -> JSON:
    plain = {"name": "c", "image": "busybox:1.36", "command": ["sleep", "1d"]}
    there = {"nodeSelector": {"kubernetes.io/hostname": NODE}, "terminationGracePeriodSeconds": 1}
    inner = {"containers": list(containers) or [plain], **there, **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": inner}


def of(cluster: Cluster, name: str) -> JSON:
    found = cluster.get("pods", name)
    assert found is not None
    return found


def told(cluster: Cluster, reason: str) -> list[str]:
    """The messages of the events with that reason, of Pods and nodes."""
    events = cluster.list("events", "default")
    return [event["message"] for event in events if event["reason"] == reason]


def condition(cluster: Cluster, kind: str) -> tuple[str, str, str]:
    node = cluster.get("nodes", NODE)
    assert node is not None
    found = next(each for each in node["status"]["conditions"] if each["type"] == kind)
    return found["status"], found["reason"], found["message"]


def taints(cluster: Cluster) -> list[str]:
    node = cluster.get("nodes", NODE)
    assert node is not None
    return [taint["key"] for taint in node["spec"].get("taints") or ()]


def test_a_node_short_of_memory_evicts_its_pods(cluster: Cluster) -> None:
    cluster.apply(pod("a"))
    cluster.apply(pod("b", priority=None))
    cluster.settle()
    cluster.fault("node/fill", node=NODE, what="memory", percent=99)
    cluster.advance(11)
    assert condition(cluster, MEMORY_PRESSURE) == (
        "True",
        "KubeletHasInsufficientMemory",
        "kubelet has insufficient memory available",
    )
    assert taints(cluster) == ["node.kubernetes.io/memory-pressure"]
    assert told(cluster, "NodeHasInsufficientMemory") == [
        f"Node {NODE} status is now: NodeHasInsufficientMemory"
    ]
    assert told(cluster, "EvictionThresholdMet") == ["Attempting to reclaim memory"]
    gone = [name for name in ("a", "b") if of(cluster, name)["status"]["phase"] == "Failed"]
    assert len(gone) == 1  # one at a time
    cluster.advance(10)
    why = (
        "The node was low on resource: memory. Threshold quantity: 100Mi, available: 0. "
        "Container c was using 512Ki, request is 0, has larger consumption of memory. "
    )
    for name in ("a", "b"):
        status = of(cluster, name)["status"]
        assert (status["phase"], status["reason"], status["message"]) == ("Failed", "Evicted", why)
        target = next(each for each in status["conditions"] if each["type"] == "DisruptionTarget")
        assert (target["status"], target["reason"], target["message"]) == (
            "True",
            "TerminationByKubelet",
            why,
        )
    assert told(cluster, "Evicted") == [why, why]
    critical = [
        found
        for found in cluster.list("pods", "kube-system")
        if found["spec"].get("nodeName") == NODE and found["status"]["phase"] == "Running"
    ]
    assert critical  # kube-proxy stays
    same(cluster)
    cluster.fault("node/fill", node=NODE, what="memory", percent=0)
    cluster.advance(280)
    assert condition(cluster, MEMORY_PRESSURE)[0] == "True"
    cluster.advance(40)
    assert condition(cluster, MEMORY_PRESSURE)[1] == "KubeletHasSufficientMemory"
    assert taints(cluster) == []
    again = [e for e in cluster.list("events", "default") if e["reason"] == "NodeHasSufficientMemory"]
    assert {e["involvedObject"]["name"]: e["count"] for e in again}[NODE] == 2  # when it started, and now
    same(cluster)


def test_a_node_short_of_disk_removes_images_then_pods(cluster: Cluster) -> None:
    cluster.apply(pod("used"))
    cluster.apply(pod("gone", {"name": "c", "image": "nginx:1.27"}))
    cluster.settle()
    cluster.delete("pods", "gone")
    cluster.advance(310)
    names = [each["names"][1] for each in (cluster.get("nodes", NODE) or {})["status"]["images"]]
    assert "docker.io/library/nginx:1.27" in names
    cluster.fault("node/fill", node=NODE, what="disk", percent=90)
    cluster.advance(20)
    assert condition(cluster, DISK_PRESSURE) == (
        "True",
        "KubeletHasDiskPressure",
        "kubelet has disk pressure",
    )
    assert taints(cluster) == ["node.kubernetes.io/disk-pressure"]
    names = [each["names"][1] for each in (cluster.get("nodes", NODE) or {})["status"]["images"]]
    assert "docker.io/library/nginx:1.27" not in names
    assert "docker.io/library/busybox:1.36" in names
    why = of(cluster, "used")["status"]["message"]
    assert why.startswith(
        "The node was low on resource: ephemeral-storage. Threshold quantity: 15841255833, available: "
    )
    cluster.apply(pod("bound", nodeName=NODE, nodeSelector=None))
    cluster.advance(5)
    status = of(cluster, "bound")["status"]
    assert (status["reason"], status["message"]) == (
        "Evicted",
        "Pod was rejected: The node had condition: [DiskPressure]. ",
    )
    same(cluster)


def test_images_are_collected_from_a_threshold_on() -> None:
    """A fifth of the disk is left, so nobody is evicted; the kubelet is told to begin at less."""
    flags = {NODE: {"image-gc-high-threshold": 80, "image-gc-low-threshold": 70}}
    cluster = Cluster(nodes=2, freezing=True, kubelets=orjson.dumps(flags).decode())
    cluster.apply(pod("gone", {"name": "c", "image": "nginx:1.27"}))
    cluster.settle()
    cluster.delete("pods", "gone")
    cluster.fault("node/fill", node=NODE, what="disk", percent=80)
    cluster.advance(310)
    assert condition(cluster, DISK_PRESSURE)[0] == "False"
    freed = find("docker.io/library/nginx:1.27")[0].variants["1.27"].size
    assert told(cluster, "FreeDiskSpaceFailed") == [failed_collection(85, 103133176 << 10, freed)]
    assert told(cluster, "ImageGCFailed") == []
    same(cluster)
    cluster.advance(300)
    assert len(told(cluster, "ImageGCFailed")) == 1
    cluster.fault("node/fill", node=NODE, what="disk", percent=0)
    cluster.advance(400)
    same(cluster)


def test_a_disk_stays_full_when_its_machine_restarts(cluster: Cluster) -> None:
    cluster.fault("node/fill", node=NODE, what="disk", percent=90)
    cluster.fault("node/fill", node=NODE, what="memory", percent=99)
    cluster.advance(20)
    cluster.fault("node/power", node=NODE, up=False)
    cluster.fault("node/power", node=NODE, up=True)
    cluster.advance(60)
    assert condition(cluster, DISK_PRESSURE)[0] == "True"
    assert condition(cluster, MEMORY_PRESSURE)[0] == "False"
    same(cluster)


def test_a_node_is_looked_at_once_in_each_period(cluster: Cluster) -> None:
    """Whoever fills it again, or while its kubelet is stopped, begins no second round."""
    cluster.fault("node/kubelet", node=NODE, running=False)
    cluster.fault("node/fill", node=NODE, what="disk", percent=95)
    cluster.fault("node/kubelet", node=NODE, running=True)
    cluster.fault("node/fill", node=NODE, what="disk", percent=0)
    cluster.fault("node/fill", node=NODE, what="disk", percent=96)
    cluster.advance(55)
    assert (
        sum(e["count"] for e in cluster.list("events", "default") if e["reason"] == "EvictionThresholdMet")
        == 5
    )
    same(cluster)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"what": "cpu", "percent": 10}, "expected 0 to 100 percent of disk or memory"),
        ({"what": "disk", "percent": 101}, "expected 0 to 100 percent of disk or memory"),
        ({"what": "disk", "percent": 10, "node": "worker-9"}, "expected a node that is on"),
    ],
)
def test_what_cannot_be_filled(cluster: Cluster, more: JSON, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        cluster.fault("node/fill", **{"node": NODE, **more})


def writer(name: str, limit: str = "") -> JSON:
    limits = {"resources": {"limits": {"ephemeral-storage": limit}}} if limit else {}
    return {"name": name, "image": "busybox:1.36", "command": ["sleep", "1d"], **limits}


STORED: dict[str, tuple[list[JSON], str, str]] = {
    "within its limit": ([writer("c", "4Mi")], "/f", ""),
    "the whole Pod": (
        [writer("c", "1Mi")],
        "/f",
        "Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. ",
    ),
    "one container of two": (
        [writer("c", "1Mi"), writer("d", "4Mi")],
        "/f",
        'Container c exceeded its local ephemeral storage limit "1Mi". ',
    ),
    "an emptyDir counts for the Pod": (
        [{**writer("c", "1Mi"), "volumeMounts": [{"name": "e", "mountPath": "/e"}]}],
        "/e/f",
        "Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. ",
    ),
    "without a limit": ([writer("c")], "/f", ""),
}


@pytest.mark.parametrize(("containers", "path", "why"), STORED.values(), ids=STORED.keys())
def test_limits_of_ephemeral_storage(cluster: Cluster, containers: list[JSON], path: str, why: str) -> None:
    cluster.apply(pod("p", *containers, volumes=[{"name": "e", "emptyDir": {}}]))
    cluster.settle()
    line = ["dd", "if=/dev/zero", f"of={path}", "bs=1024", "count=2000"]
    assert cluster.execute("p", line, container="c").exit_code == 0
    cluster.advance(25)
    status = of(cluster, "p")["status"]
    assert (status["phase"], status.get("message", "")) == (("Failed", why) if why else ("Running", ""))
    assert not any(each["type"] == "DisruptionTarget" for each in status["conditions"])
    same(cluster)


# ---- the rules -------------------------------------------------------------------------------------------


def test_what_is_short() -> None:
    assert shortages((100 * MIB, GIB), (150, 1000)) == []
    assert shortages((100 * MIB - 1, GIB), (149, 1000)) == [
        Shortage(MEMORY_PRESSURE, "memory", 100 * MIB, 100 * MIB - 1),
        Shortage(DISK_PRESSURE, "ephemeral-storage", 150, 149),
    ]


def test_who_goes_first() -> None:
    """Who uses more than asked for goes before all others; then priority, then what is used beyond the requests."""
    usages = [
        Usage("asked for it", -5, 900, 1000),
        Usage("important", 10, 900, 0),
        Usage("a little", 0, 20, 10),
        Usage("much", 0, 900, 100),
    ]
    assert [each.uid for each in ranked(usages)] == ["much", "a little", "important", "asked for it"]


def test_containers_that_use_more_than_they_ask_for_are_named() -> None:
    short = Shortage(MEMORY_PRESSURE, "memory", 100 * MIB, 81836 * 1024)
    usage = Usage("p", 0, 0, 0, (("a", 300 * MIB, "200Mi"), ("b", 10, "1Mi"), ("d", 1000, "0")))
    assert message(short, usage) == (
        "The node was low on resource: memory. Threshold quantity: 100Mi, available: 81836Ki. "
        "Container a was using 300Mi, request is 200Mi, has larger consumption of memory. "
        "Container d was using 1k, request is 0, has larger consumption of memory. "
    )


TOLERANT = {"key": "node.kubernetes.io/memory-pressure", "operator": "Exists", "effect": "NoSchedule"}
ASKS = {"containers": [{"name": "c", "resources": {"requests": {"memory": "1Mi"}}}]}
REFUSED: dict[str, tuple[JSON, tuple[str, ...], bool, str]] = {
    "no pressure": ({"containers": []}, (), False, ""),
    "best effort, short of memory": ({"containers": []}, (MEMORY_PRESSURE,), False, "[MemoryPressure]"),
    "burstable, short of memory": (ASKS, (MEMORY_PRESSURE,), False, ""),
    "tolerant": ({"containers": [], "tolerations": [TOLERANT]}, (MEMORY_PRESSURE,), False, ""),
    "burstable, short of disk": (ASKS, (DISK_PRESSURE,), False, "[DiskPressure]"),
    "both": (ASKS, (MEMORY_PRESSURE, DISK_PRESSURE), False, "[DiskPressure MemoryPressure]"),
    "critical": ({"containers": [], "priority": 2_000_000_000}, (DISK_PRESSURE,), False, ""),
    "static": ({"containers": []}, (DISK_PRESSURE,), True, ""),
}


@pytest.mark.parametrize(("spec", "pressed", "static", "named"), REFUSED.values(), ids=REFUSED.keys())
def test_whom_a_node_under_pressure_takes(
    spec: JSON, pressed: tuple[str, ...], static: bool, named: str
) -> None:
    expected = ("Evicted", f"The node had condition: {named}. ") if named else None
    assert refusal({"spec": spec}, pressed, static) == expected


def test_only_old_unused_images_go() -> None:
    images = {"used": 0, "young": 100 * SECOND, "older": 30 * SECOND, "oldest": 10 * SECOND}
    assert collectable(images, ["used"], 40 * SECOND) == ["oldest", "older"]


def test_what_a_collection_that_freed_too_little_tells() -> None:
    assert failed_collection(90, 100 * GIB, 7) == (
        "Insufficient free disk space on the node's image filesystem (90% of 100.0 GiB used). "
        "Failed to free sufficient space by deleting unused images (freed 7 bytes). "
        "Investigate disk usage, as it could be used by active images, logs, volumes, or other data."
    )


def test_a_limit_of_nothing_limits_no_container() -> None:
    limited = {"spec": {"containers": [writer("c", "0"), writer("d", "1Mi")]}}
    assert over_limit(limited, {"c": 100, "d": 0}, {}, {}) == ""
