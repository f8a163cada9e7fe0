"""What controllers ask of Pods: readiness, activity, making one from a template, which to delete first.

Pure functions. Models pkg/api/v1/pod and pkg/controller/controller_utils.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cmp_to_key, lru_cache
from typing import Any, NamedTuple

from cluster_engine.apimachinery.cow import JSON, owner_reference
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.component_helpers.conditions import condition_of
from cluster_engine.component_helpers.pod_phase import is_finished
from cluster_engine.sim import SECOND, parse_rfc3339

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASE_ORDER = {"Pending": 0, "Unknown": 1, "Running": 2}


def is_pod_ready(pod: JSON) -> bool:
    """Whether the Pod's Ready condition is True."""
    condition = condition_of(pod, "Ready")
    return condition is not None and condition["status"] == "True"


def available_at(pod: JSON, min_ready_seconds: int) -> int | None:
    """When (virtual µs) a ready Pod becomes, or became, available; None for one that is not ready."""
    condition = condition_of(pod, "Ready")
    if condition is None or condition["status"] != "True":
        return None
    if not min_ready_seconds:
        return 0
    since = condition.get("lastTransitionTime")
    return parse_rfc3339(since) + min_ready_seconds * SECOND if since else None


def is_pod_available(pod: JSON, min_ready_seconds: int, now: int) -> bool:
    """Whether the Pod has been ready for at least ``min_ready_seconds``."""
    at = available_at(pod, min_ready_seconds)
    return at is not None and at <= now


def is_pod_active(pod: JSON) -> bool:
    """Neither finished nor being deleted: a Pod that counts."""
    return not pod["metadata"].get("deletionTimestamp") and not is_finished(pod)


def pod_from_template(template: JSON, owner: JSON, *, name: str = "") -> JSON:
    """A Pod of the owner's namespace, controlled by it (GetPodFromTemplate). Shares the template's parts."""
    given = template.get("metadata") or {}
    meta: JSON = {"namespace": owner["metadata"]["namespace"], "ownerReferences": _owned_by(owner)}
    if name:
        meta["name"] = name
    else:
        meta["generateName"] = owner["metadata"]["name"] + "-"
    for field in ("labels", "annotations", "finalizers"):
        if given.get(field):
            meta[field] = given[field]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": template["spec"]}


def _owned_by(owner: JSON) -> list[JSON]:
    meta = owner["metadata"]
    return _references(owner["apiVersion"], owner["kind"], meta["name"], meta["uid"])


@lru_cache(maxsize=1024)
def _references(version: str, kind: str, name: str, uid: str) -> list[JSON]:
    """The ownerReferences of all Pods of one controller: they share them."""
    return [owner_reference({"apiVersion": version, "kind": kind, "metadata": {"name": name, "uid": uid}})]


AT_ONCE = 40
"""Pods that one reconcile creates or deletes at most; the rest waits for the next beat of its queue.

Upstream does 500 at once, side by side and held up by its client's rate; here nothing else runs meanwhile.
"""


def slow_start(count: int, create: Callable[[], ApiError | None]) -> tuple[int, ApiError | None]:
    """Calls ``create`` for ``count`` Pods, ``AT_ONCE`` at most: (how many were made, the first error).

    In batches of 1, 2, 4, …, as upstream's slowStartBatch: one with an error is the last. So where everything is
    refused, as by a quota, a million replicas cost one call.
    """
    left, made, size = min(count, AT_ONCE), 0, 1
    while left:
        size = min(size, left)
        errors = [error for error in [create() for _ in range(size)] if error is not None]
        made += size - len(errors)
        if errors:
            return made, errors[0]
        left -= size
        size *= 2
    return made, None


def is_namespace_terminating(error: ApiError) -> bool:
    """Whether a create was refused because the namespace goes away (no use in telling or trying again)."""
    causes = (error.status.get("details") or {}).get("causes") or ()
    return any(cause.get("reason") == "NamespaceTerminating" for cause in causes)


# ---- which Pods go first ---------------------------------------------------------------------------------


class _Ranked(NamedTuple):
    pod: JSON
    major: tuple[Any, ...]
    """What decides before the times: unassigned, pending, not ready, cheap, crowded first."""
    ready_since: int
    restarts: tuple[int, int]
    created: int
    uid: str


def pods_to_delete(candidates: Sequence[JSON], related: Iterable[JSON], count: int, now: int) -> list[JSON]:
    """The ``count`` candidates to delete, those in earlier phases of startup first.

    ``related``: the Pods of every set with the same owner; a node that holds many of them gives one up first.
    """
    if count >= len(candidates):
        return list(candidates)
    crowd: dict[str, int] = {}
    for pod in related:
        if is_pod_active(pod):
            node = pod["spec"].get("nodeName", "")
            crowd[node] = crowd.get(node, 0) + 1
    ranked = [_ranked(pod, crowd) for pod in candidates]

    def compare(a: _Ranked, b: _Ranked) -> int:
        return _compare(a, b, now)

    ranked.sort(key=cmp_to_key(compare))
    return [entry.pod for entry in ranked[:count]]


def _ranked(pod: JSON, crowd: dict[str, int]) -> _Ranked:
    node = pod["spec"].get("nodeName", "")
    ready = condition_of(pod, "Ready")
    is_ready = ready is not None and ready["status"] == "True"
    since = ready.get("lastTransitionTime") if is_ready and ready is not None else None
    meta = pod["metadata"]
    status = pod.get("status") or {}
    major = (
        bool(node),
        _PHASE_ORDER.get(status.get("phase", ""), 0),
        is_ready,
        _deletion_cost(meta),
        -crowd.get(node, 0),
    )
    restarts = tuple(
        max((c.get("restartCount", 0) for c in status.get(part) or ()), default=0)
        for part in ("containerStatuses", "initContainerStatuses")
    )
    return _Ranked(
        pod,
        major,
        parse_rfc3339(since) if since else 0,
        (restarts[0], restarts[1]),
        parse_rfc3339(meta["creationTimestamp"]),
        meta["uid"],
    )


def _deletion_cost(meta: JSON) -> int:
    text = (meta.get("annotations") or {}).get(DELETION_COST, "0")
    digits = text[1:] if text[:1] in "+-" else text
    return int(text) if digits.isdecimal() and len(digits) <= 10 else 0


def _compare(a: _Ranked, b: _Ranked, now: int) -> int:
    if a.major != b.major:
        return -1 if a.major < b.major else 1
    if a.ready_since != b.ready_since:
        return _by_age(a, b, a.ready_since, b.ready_since, now)
    if a.restarts != b.restarts:
        return -1 if a.restarts > b.restarts else 1
    if a.created != b.created:
        return _by_age(a, b, a.created, b.created, now)
    return 0


def _by_age(a: _Ranked, b: _Ranked, a_time: int, b_time: int, now: int) -> int:
    """Younger first, but only by orders of magnitude; within one, chance (the uid) decides."""
    a_rank, b_rank = _log_age(now - a_time), _log_age(now - b_time)
    if a_rank != b_rank:
        return -1 if a_rank < b_rank else 1
    return -1 if a.uid < b.uid else 1


def _log_age(age: int) -> int:
    return (age * 1000).bit_length() - 1 if age > 0 else -1
