"""What a DaemonSet decides: which nodes, which Pods to make and to delete, its status.

Pure functions. Models pkg/controller/daemon and pkg/controller/daemon/util.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import orjson

from cluster_engine.apimachinery.cow import JSON, compact, get, owner_reference, put
from cluster_engine.component_helpers.node_affinity import RequiredNodeAffinity
from cluster_engine.component_helpers.pod_phase import is_finished
from cluster_engine.component_helpers.tolerations import untolerated

from .deployment_rules import int_or_percent
from .hashing import safe_hash
from .pods import is_pod_available, is_pod_ready, pod_from_template

HASH_LABEL = "controller-revision-hash"
GENERATION_LABEL = "pod-template-generation"
TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"

_TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)
_NETWORK = ("node.kubernetes.io/network-unavailable", "NoSchedule")


class Changes(NamedTuple):
    """What to do: nodes that need a Pod, Pods to delete, failed Pods among them."""

    create_on: list[str]
    delete: list[JSON]
    failed: list[JSON]


# ---- nodes -----------------------------------------------------------------------------------------------


def with_tolerations(spec: JSON) -> JSON:
    """The Pod spec with the tolerations that every daemon Pod gets."""
    wanted = _TOLERATED + ((_NETWORK,) if spec.get("hostNetwork") else ())
    found = list(spec.get("tolerations") or ())
    for key, effect in wanted:
        toleration = {"key": key, "operator": "Exists", "effect": effect}
        if toleration not in found:
            found.append(toleration)
    return {**spec, "tolerations": found}


class Place(NamedTuple):
    """What a DaemonSet wants of one node."""

    should_run: bool
    may_stay: bool
    """Whether a Pod that runs there may go on."""


Places = Mapping[str, Place]
"""By the names of all nodes, in their order."""


def places(ds: JSON, nodes: Sequence[JSON]) -> Places:
    """Where its Pods belong (NodeShouldRunDaemonPod)."""
    spec = with_tolerations(ds["spec"]["template"]["spec"])
    only, tolerations, affinity = spec.get("nodeName"), spec["tolerations"], RequiredNodeAffinity(spec)
    return {node["metadata"]["name"]: _place(node, only, affinity, tolerations) for node in nodes}


def _place(
    node: JSON, only: str | None, affinity: RequiredNodeAffinity, tolerations: Sequence[JSON]
) -> Place:
    if (only and only != node["metadata"]["name"]) or not affinity.matches_node(node):
        return Place(False, False)
    taints = node["spec"].get("taints") or ()
    may_stay = untolerated(taints, tolerations, ("NoExecute",)) is None
    return Place(may_stay and untolerated(taints, tolerations) is None, may_stay)


# ---- Pods ------------------------------------------------------------------------------------------------


def template_hash(ds: JSON) -> str:
    """The hash that names the ControllerRevision of the present template."""
    return safe_hash(orjson.dumps(ds["spec"]["template"], option=orjson.OPT_SORT_KEYS))


def daemon_pod(ds: JSON, node: str, hash: str) -> JSON:
    """The Pod of that node: pinned by affinity on its name, so that the scheduler places it."""
    spec = with_tolerations(ds["spec"]["template"]["spec"])
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    path = ("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
    spec = put(spec, path, {"nodeSelectorTerms": [term]})
    pod = pod_from_template(ds["spec"]["template"], ds)
    labels = {**(pod["metadata"].get("labels") or {}), HASH_LABEL: hash}
    generation = (ds["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION)
    if generation:
        labels[GENERATION_LABEL] = generation
    return {**pod, "metadata": {**pod["metadata"], "labels": labels}, "spec": spec}


def node_of(pod: JSON) -> str:
    """The node that the Pod is on or pinned to; "" when it says neither."""
    if pod["spec"].get("nodeName"):
        name: str = pod["spec"]["nodeName"]
        return name
    terms = get(
        pod, "spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution",
        "nodeSelectorTerms", default=(),
    )  # fmt: skip
    for term in terms:
        for field in term.get("matchFields") or ():
            if field["key"] == "metadata.name" and field["operator"] == "In" and field.get("values"):
                return str(field["values"][0])
    return ""


def is_updated(pod: JSON, hash: str) -> bool:
    return (pod["metadata"].get("labels") or {}).get(HASH_LABEL) == hash


def by_node(pods: Sequence[JSON]) -> dict[str, list[JSON]]:
    """The Pods of each node, in order."""
    found: dict[str, list[JSON]] = {}
    for pod in pods:
        found.setdefault(node_of(pod), []).append(pod)
    return found


def manage(ds: JSON, where: Places, pods: Mapping[str, Sequence[JSON]], hash: str) -> Changes:
    """One Pod per eligible node, none elsewhere (podsShouldBeOnNode)."""
    changes = Changes([], [], [])
    surging = max_surge(ds, len(where)) > 0
    for name, place in where.items():
        here = [pod for pod in pods.get(name, ()) if not pod["metadata"].get("deletionTimestamp")]
        failed = [pod for pod in here if (pod.get("status") or {}).get("phase") == "Failed"]
        alive = [pod for pod in here if pod not in failed]
        if place.may_stay:
            changes.failed.extend(failed)
            changes.delete.extend(failed)
            alive.sort(key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]))
            if not surging or len({is_updated(pod, hash) for pod in alive}) < 2:
                changes.delete.extend(alive[1:])
            if place.should_run and not pods.get(name):
                changes.create_on.append(name)
        else:
            changes.delete.extend(here)
    for name in sorted(pods):
        if name not in where:
            changes.delete.extend(
                pod for pod in pods[name] if name and not pod["metadata"].get("deletionTimestamp")
            )
    return changes


def max_unavailable(ds: JSON, desired: int) -> int:
    """How many nodes may be without an available Pod during an update."""
    rolling = ds["spec"]["updateStrategy"].get("rollingUpdate") or {}
    count = int_or_percent(rolling.get("maxUnavailable", 1), desired, True)
    return 1 if desired > 0 and count == 0 and max_surge(ds, desired) == 0 else count


def max_surge(ds: JSON, desired: int) -> int:
    """How many nodes may run an old and a new Pod at once during an update."""
    if ds["spec"]["updateStrategy"]["type"] != "RollingUpdate":
        return 0
    rolling = ds["spec"]["updateStrategy"].get("rollingUpdate") or {}
    return int_or_percent(rolling.get("maxSurge", 0), desired, True)


def roll(ds: JSON, where: Places, pods: Mapping[str, Sequence[JSON]], hash: str, now: int) -> Changes:
    """The next Pods of a RollingUpdate to replace, within maxUnavailable or maxSurge."""
    min_ready = ds["spec"].get("minReadySeconds", 0)
    wanted = [name for name, place in where.items() if place.should_run]
    surge, limit = max_surge(ds, len(wanted)), max_unavailable(ds, len(wanted))
    in_progress = 0
    at_once: list[JSON] = []
    in_turn: list[JSON] = []
    finished: list[JSON] = []
    for name in wanted:
        here = [pod for pod in pods.get(name, ()) if not pod["metadata"].get("deletionTimestamp")]
        new = next((pod for pod in here if is_updated(pod, hash)), None)
        old = next((pod for pod in here if not is_updated(pod, hash)), None)
        new_available = new is not None and is_pod_available(new, min_ready, now)
        if old is None:
            in_progress += not new_available and not surge
        elif new is not None:
            # With a surge the old one goes when the new one is up; without, manage() sorts it out.
            finished.extend([old] if surge and new_available else [])
            in_progress += not new_available or not surge
        elif is_pod_available(old, min_ready, now):
            in_turn.append(old)
        else:
            # Replacing what is down anyway costs no availability.
            at_once.append(old)
            in_progress += not surge
    room = max(0, (surge or limit) - in_progress)
    chosen = [*at_once, *in_turn[:room]]
    if surge:
        return Changes([node_of(pod) for pod in chosen], finished, [])
    return Changes([], chosen, [])


# ---- revisions and status --------------------------------------------------------------------------------


def revision_of(ds: JSON, hash: str, number: int) -> JSON:
    """The ControllerRevision that remembers the present template."""
    template = {**ds["spec"]["template"], "$patch": "replace"}
    labels = {**((ds["spec"]["template"].get("metadata") or {}).get("labels") or {}), HASH_LABEL: hash}
    meta: JSON = {
        "name": f"{ds['metadata']['name']}-{hash}",
        "namespace": ds["metadata"]["namespace"],
        "labels": labels,
        "ownerReferences": [owner_reference(ds)],
    }
    if ds["metadata"].get("annotations"):
        meta["annotations"] = ds["metadata"]["annotations"]
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": meta,
        "data": {"spec": {"template": template}},
        "revision": number,
    }


def status(ds: JSON, where: Places, pods: Mapping[str, Sequence[JSON]], hash: str, now: int) -> JSON:
    """The counts (updateDaemonSetStatus)."""
    min_ready = ds["spec"].get("minReadySeconds", 0)
    desired = current = misscheduled = ready = available = updated = 0
    for name, place in where.items():
        here = [pod for pod in pods.get(name, ()) if not is_finished(pod)]
        if not place.should_run:
            misscheduled += bool(here)
            continue
        desired += 1
        if not here:
            continue
        current += 1
        pod = max(here, key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]))
        if is_pod_ready(pod):
            ready += 1
            available += is_pod_available(pod, min_ready, now)
        updated += is_updated(pod, hash)
    found: JSON = {
        "currentNumberScheduled": current,
        "numberMisscheduled": misscheduled,
        "desiredNumberScheduled": desired,
        "numberReady": ready,
        "observedGeneration": ds["metadata"].get("generation", 0),
        "updatedNumberScheduled": updated,
        "numberAvailable": available,
        "numberUnavailable": desired - available,
    }
    old = ds.get("status") or {}
    for field in ("conditions", "collisionCount"):
        if field in old:
            found[field] = old[field]
    always = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady")
    return compact(found, keep=always)
