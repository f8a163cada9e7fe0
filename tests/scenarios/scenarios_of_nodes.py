# ruff: noqa: E501 (one case a line, or two)
"""Nodes that run short of something, and what a Pod has on its node's disk."""

from __future__ import annotations

from typing import Any

from scenario_steps import (
    HOST,
    JSON,
    Scenario,
    a_pod,
    after,
    box,
    condition,
    count,
    fault,
    field,
    phase,
    pod,
    put,
    run,
    said,
    spread,
    status,
    there,
    unsaid,
    workload,
)

HERE: JSON = {"nodeSelector": {HOST: "worker-1"}}
STRICT: JSON = {"resources": {"requests": {"memory": "64Mi"}}}


def full(what: str, percent: int) -> Any:
    return fault("node/fill", node="worker-1", what=what, percent=percent)


def kept(limit: str = "", name: str = "c", command: str = "sleep 1d") -> JSON:
    limits: JSON = {"resources": {"limits": {"ephemeral-storage": limit}}} if limit else {}
    return box(command, name, **limits)


def rank(name: str, value: int) -> JSON:
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": name},
        "value": value,
    }


NODES: dict[str, Scenario] = {
    # ---- memory and disk that are short
    "who uses more than asked for goes first": (
        "eviction.rankMemoryPressure",
        [
            pod("modest", box(**STRICT), **HERE),
            pod("greedy", box(), **HERE),
            full("memory", 99),
            after(11),
            phase(greedy="Failed", modest="Running"),
            said("greedy", "Evicted: The node was low on resource: memory. "),
            said("worker-1", "EvictionThresholdMet: Attempting to reclaim memory"),
        ],
    ),
    "then who has less priority": (
        "eviction.rankMemoryPressure",
        [
            put(rank("high", 100)),
            pod("low", box(), **HERE),
            pod("high", box(), priorityClassName="high", **HERE),
            full("memory", 99),
            after(11),
            phase(low="Failed", high="Running"),
        ],
    ),
    "one Pod at a time, until all are gone": (
        "eviction.synchronize",
        [
            pod("a", box(), **HERE),
            pod("b", box(), **HERE),
            full("memory", 99),
            after(30),
            phase(a="Failed", b="Failed"),
            condition("pods", "a", "DisruptionTarget", "True", "TerminationByKubelet"),
        ],
    ),
    "the condition is told": (
        "nodestatus.MemoryPressureCondition",
        [
            full("memory", 99),
            after(11),
            condition("nodes", "worker-1", "MemoryPressure", "True", "KubeletHasInsufficientMemory"),
            said("worker-1", "NodeHasInsufficientMemory"),
        ],
    ),
    "it stays for five minutes": (
        "eviction.nodeConditionsObservedSince",
        [
            full("memory", 99),
            after(11),
            full("memory", 0),
            after(270),
            condition("nodes", "worker-1", "MemoryPressure", "True"),
            after(50),
            condition("nodes", "worker-1", "MemoryPressure", "False", "KubeletHasSufficientMemory"),
        ],
    ),
    "what is left is enough": (
        "eviction.thresholdsMet",
        [
            pod("p", box(), **HERE),
            full("memory", 80),
            full("disk", 70),
            after(30),
            phase(p="Running"),
            condition("nodes", "worker-1", "DiskPressure", "False"),
        ],
    ),
    "a full disk": (
        "nodestatus.DiskPressureCondition",
        [
            pod("p", box(), **HERE),
            full("disk", 95),
            after(20),
            phase(p="Failed"),
            said(
                "p",
                "Evicted: The node was low on resource: ephemeral-storage. Threshold quantity: 15841255833, available: ",
            ),
            condition("nodes", "worker-1", "DiskPressure", "True", "KubeletHasDiskPressure"),
        ],
    ),
    "others come elsewhere": (
        "nodelifecycle.nodeConditionToTaintKeyStatusMap",
        [
            full("disk", 95),
            after(20),
            put(workload("Deployment", replicas=3)),
            spread(1, 1, 1),
            count("pods", 3, app="web"),
        ],
    ),
    "a Pod that is bound there is refused": (
        "eviction.Admit",
        [
            full("disk", 95),
            after(20),
            put(a_pod("p", nodeName="worker-1")),
            field("pods", "p", "status.reason", "Evicted"),
            field(
                "pods", "p", "status.message", "Pod was rejected: The node had condition: [DiskPressure]. "
            ),
        ],
    ),
    "one that asks for memory is not, for want of memory": (
        "eviction.Admit",
        [
            full("memory", 99),
            after(11),
            put(a_pod("p", box(**STRICT), nodeName="worker-1")),
            after(2),
            there("pods", "p"),
            unsaid("p", "The node had condition"),
        ],
    ),
    # ---- local storage
    "a Pod above its limit of storage": (
        "eviction.podEphemeralStorageLimitEviction",
        [
            pod("p", kept("1Mi")),
            run("p", "dd if=/dev/zero of=/f bs=1024 count=2000"),
            after(20),
            phase(p="Failed"),
            said(
                "p", "Evicted: Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. "
            ),
            condition("pods", "p", "DisruptionTarget", None),
        ],
    ),
    "a container above its own": (
        "eviction.containerEphemeralStorageLimitEviction",
        [
            pod(
                "p",
                kept("1Mi", command="dd if=/dev/zero of=/f bs=1024 count=2000; sleep 1d"),
                kept("8Mi", "d"),
            ),
            after(20),
            phase(p="Failed"),
            said("p", 'Evicted: Container c exceeded its local ephemeral storage limit "1Mi". '),
        ],
    ),
    "its emptyDirs count": (
        "eviction.podEphemeralStorageLimitEviction",
        [
            pod(
                "p",
                {**kept("1Mi"), "volumeMounts": [{"name": "v", "mountPath": "/v"}]},
                volumes=[{"name": "v", "emptyDir": {}}],
            ),
            run("p", "dd if=/dev/zero of=/v/f bs=1024 count=2000"),
            after(20),
            phase(p="Failed"),
        ],
    ),
    "in memory they do not": (
        "stats.isVolumeMemory",
        [
            pod(
                "p",
                {**kept("1Mi"), "volumeMounts": [{"name": "v", "mountPath": "/v"}]},
                volumes=[{"name": "v", "emptyDir": {"medium": "Memory"}}],
            ),
            run("p", "dd if=/dev/zero of=/v/f bs=1024 count=2000"),
            after(20),
            phase(p="Running"),
        ],
    ),
    # ---- restarts
    "who crashes shows how it ended until the back-off is over": (
        "pod_workers.completeWork (MinBackoffExpiration, since 1.35)",
        [
            pod("p", box("exit 3")),
            after(4),
            status(state="terminated", reason="Error", code=3, restarts=1),
            said("p", "BackOff: Back-off restarting failed container c in pod p_default("),
        ],
    ),
}
