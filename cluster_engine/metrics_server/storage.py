"""Two looks at what containers use, and what follows from them: rates of processor time, memory.

Models sigs.k8s.io/metrics-server/pkg/storage and pkg/api.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from cluster_engine.apimachinery import quantity
from cluster_engine.apimachinery.cow import JSON, key_of
from cluster_engine.apimachinery.scheme import World
from cluster_engine.kube_apiserver.node_api import Usage
from cluster_engine.sim import SECOND, rfc3339

_NANO = 1_000_000_000


class Sample(NamedTuple):
    """One look at all nodes."""

    at: int
    """Virtual µs."""
    nodes: dict[str, list[Usage]]


class Looks(Protocol):
    """The last two."""

    before: Sample | None
    last: Sample | None


def use_of(nano: int, memory: int) -> JSON:
    """Billionths of a processor, and bytes, in whole KiB as pages are, as quantities."""
    return {"cpu": quantity.canonical(f"{nano}n"), "memory": quantity.canonical(f"{-(-memory // 1024)}Ki")}


def rates(looks: Looks) -> dict[str, tuple[Usage, int]]:
    """Of each container that was seen twice, by its id: what it uses now, and billionths of a processor in between."""
    before, last = looks.before, looks.last
    if before is None or last is None or last.at <= before.at:
        return {}
    known = {usage[3]: usage[4] for node in before.nodes.values() for usage in node}
    found = {}
    for node in last.nodes.values():
        for usage in node:
            if usage[3] in known:
                spent = max(usage[4] - known[usage[3]], 0)
                found[usage[3]] = (usage, spent * _NANO // (last.at - before.at))
    return found


def _measured(looks: Looks, of: JSON, more: JSON) -> JSON:
    """What was measured of a Pod or node: when, and over which time."""
    assert looks.before is not None
    assert looks.last is not None
    thousandths = (looks.last.at - looks.before.at) // (SECOND // 1_000)
    seconds, rest = divmod(thousandths, 1_000)
    window = f"{seconds}.{rest:03d}".rstrip("0").rstrip(".")
    kept = ("name", "namespace", "labels")
    meta = {name: of["metadata"][name] for name in kept if name in of["metadata"]}
    meta["creationTimestamp"] = stamp = rfc3339(looks.last.at)
    return {"metadata": meta, "timestamp": stamp, "window": f"{window}s", **more}


def pod_metrics(looks: Looks, world: World) -> list[JSON]:
    """Of the Pods all of whose running containers were seen twice."""
    by_pod: dict[str, list[JSON]] = {}
    complete, last = rates(looks), looks.last
    for node in last.nodes.values() if complete and last is not None else ():
        for namespace, pod, name, ident, _, memory in node:
            told = by_pod.setdefault(f"{namespace}/{pod}", [])
            known = ident in complete
            told.append({"name": name, "usage": use_of(complete[ident][1], memory)} if known else {})
    found = []
    for pod in world.objects("pods") if by_pod else ():
        containers = by_pod.get(key_of(pod))
        if containers and all(containers):
            found.append(_measured(looks, pod, {"containers": containers}))
    return found


def node_metrics(looks: Looks, world: World) -> list[JSON]:
    """Of each node, the sum of what its containers use."""
    before, last = looks.before, looks.last
    if before is None or last is None:
        return []
    known, found = rates(looks), []
    for node in world.objects("nodes"):
        name = node["metadata"]["name"]
        if name in last.nodes and name in before.nodes:
            usages = last.nodes[name]
            cpu = sum(known[usage[3]][1] for usage in usages if usage[3] in known)
            use = use_of(cpu, sum(usage[5] for usage in usages))
            found.append(_measured(looks, node, {"usage": use}))
    return found
