"""What the node controllers decide: conditions of a silent node, its taints, who may stay, free Pod ranges.

Pure functions. Models pkg/controller/nodelifecycle, pkg/controller/tainteviction and
pkg/controller/nodeipam/ipam/cidrset.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component_helpers.conditions import condition_of
from cluster_engine.component_helpers.tolerations import matching
from cluster_engine.sim import parse_rfc3339

GRACE_PERIOD = 50.0
"""Seconds without a sign of life before a node counts as gone (--node-monitor-grace-period)."""
STARTUP_GRACE_PERIOD = 60.0
"""The same for a node of which nobody has ever said whether it is ready (--node-startup-grace-period)."""

EVICTION_INTERVAL, SLOW_INTERVAL = 10.0, 100.0
"""Seconds between two evictions in a zone (--node-eviction-rate, --secondary-node-eviction-rate)."""
UNHEALTHY_SHARE = 0.55
"""Of a zone's nodes, so that it counts as partly disrupted (--unhealthy-zone-threshold) …"""
_FEW = 2
"""… if it is more than these."""
LARGE_ZONE = 50
"""Nodes of a zone above which it is evicted slowly instead of not at all (--large-cluster-size-threshold)."""
EXCLUDED = "node.kubernetes.io/exclude-disruption"
NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
_WATCHED = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
_NO_SCHEDULE = {
    ("Ready", "False"): NOT_READY,
    ("Ready", "Unknown"): UNREACHABLE,
    ("MemoryPressure", "True"): "node.kubernetes.io/memory-pressure",
    ("DiskPressure", "True"): "node.kubernetes.io/disk-pressure",
    ("NetworkUnavailable", "True"): "node.kubernetes.io/network-unavailable",
    ("PIDPressure", "True"): "node.kubernetes.io/pid-pressure",
}
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
_OURS = frozenset({*_NO_SCHEDULE.values(), UNSCHEDULABLE})


def zone_of(node: JSON) -> str:
    """The zone that the node fails with (GetZoneKey)."""
    labels = node["metadata"].get("labels") or {}
    return (
        f"{labels.get('topology.kubernetes.io/region', '')}/{labels.get('topology.kubernetes.io/zone', '')}"
    )


def zones(nodes: Iterable[JSON]) -> dict[str, list[bool]]:
    """Whether each node is ready, by zone; those that are to be left out are."""
    found: dict[str, list[bool]] = {}
    for node in nodes:
        if EXCLUDED not in (node["metadata"].get("labels") or {}):
            ready = condition_of(node, "Ready")
            found.setdefault(zone_of(node), []).append(ready is not None and ready["status"] == "True")
    return found


def all_lost(ready: dict[str, list[bool]]) -> bool:
    """Whether no node is ready any more: then the fault is ours rather than theirs, and nobody is evicted."""
    return not any(any(zone) for zone in ready.values())


def eviction_interval(ready: list[bool]) -> float | None:
    """Seconds between two nodes of a zone that are tainted for eviction; None: none is.

    A zone in which most nodes are lost is more likely cut off from us than gone: if it is small, nobody is
    evicted there, if it is large, more slowly. When all of it is lost, it is evicted at the usual pace.
    """
    lost = ready.count(False)
    if lost == len(ready) or lost <= _FEW or lost / len(ready) < UNHEALTHY_SHARE:
        return EVICTION_INTERVAL
    return SLOW_INTERVAL if len(ready) > LARGE_ZONE else None


def last_sign(node: JSON, lease: JSON | None) -> int:
    """When (virtual µs) the node was last heard of: its lease, its status or its birth."""
    times = [node["metadata"]["creationTimestamp"]]
    if lease is not None and (lease.get("spec") or {}).get("renewTime"):
        times.append(lease["spec"]["renewTime"])
    ready = condition_of(node, "Ready")
    if ready is not None and ready.get("lastHeartbeatTime") and ready["status"] != "Unknown":
        times.append(ready["lastHeartbeatTime"])
    return max(parse_rfc3339(time) for time in times)


def grace_period(node: JSON) -> float:
    """Seconds that the node may be silent."""
    return STARTUP_GRACE_PERIOD if condition_of(node, "Ready") is None else GRACE_PERIOD


def silent_conditions(node: JSON, stamp: str) -> list[JSON]:
    """The conditions of a node that is not heard of any more."""
    found = list((node.get("status") or {}).get("conditions") or ())
    for type in _WATCHED:
        old = next((condition for condition in found if condition["type"] == type), None)
        if old is None:
            found.append(
                {
                    "type": type,
                    "status": "Unknown",
                    "lastHeartbeatTime": node["metadata"]["creationTimestamp"],
                    "lastTransitionTime": stamp,
                    "reason": "NodeStatusNeverUpdated",
                    "message": "Kubelet never posted node status.",
                }
            )
        elif old["status"] != "Unknown":
            found[found.index(old)] = {
                **old,
                "status": "Unknown",
                "lastTransitionTime": stamp,
                "reason": "NodeStatusUnknown",
                "message": "Kubelet stopped posting node status.",
            }
    return found


def evicting(node: JSON) -> bool:
    """Whether the node has one of the taints by which Pods are evicted from lost nodes."""
    taints = node["spec"].get("taints") or ()
    return any(t["effect"] == "NoExecute" and t["key"] in (NOT_READY, UNREACHABLE) for t in taints)


def taints(node: JSON, stamp: str, evict: bool = True) -> list[JSON]:
    """The node's taints as its conditions call for; the taints of others stay.

    ``evict``: whether a node that is not ready also gets the NoExecute taint.
    """
    old = list(node["spec"].get("taints") or ())
    wanted: list[tuple[str, str]] = []
    for condition in (node.get("status") or {}).get("conditions") or ():
        key = _NO_SCHEDULE.get((condition["type"], condition["status"]))
        if key is not None:
            wanted.append((key, "NoSchedule"))
            if evict and condition["type"] == "Ready":
                wanted.append((key, "NoExecute"))
    if node["spec"].get("unschedulable"):
        wanted.append((UNSCHEDULABLE, "NoSchedule"))
    present = {(taint["key"], taint["effect"]) for taint in old}
    kept = [t for t in old if t["key"] not in _OURS or (t["key"], t["effect"]) in wanted]
    fresh = [pair for pair in wanted if pair not in present]
    return kept + [{"key": key, "effect": effect, "timeAdded": stamp} for key, effect in fresh]


def tolerated_seconds(pod: JSON, node_taints: Iterable[JSON]) -> int | None:
    """How long the Pod may stay with the node's NoExecute taints from when they are seen; None: for ever.

    A toleration without seconds lets it stay for ever; with several, the shortest counts (getMinTolerationTime).
    """
    tolerations = pod["spec"].get("tolerations") or ()
    limits: list[int] = []
    for taint in node_taints:
        if taint["effect"] != "NoExecute":
            continue
        covering = matching(tolerations, taint)
        if not covering:
            return 0
        limits += [t["tolerationSeconds"] for t in covering if t.get("tolerationSeconds") is not None]
    return max(0, min(limits)) if limits else None


def free_pod_range(taken: Sequence[str], first: str = "10.244", size: int = 256) -> str:
    """The lowest /24 of the cluster's Pod network that no node has; "" when all are taken."""
    used = frozenset(taken)
    for index in range(size):
        cidr = f"{first}.{index}.0/24"
        if cidr not in used:
            return cidr
    return ""
