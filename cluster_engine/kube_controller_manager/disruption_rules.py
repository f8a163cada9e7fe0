"""How many Pods a disruption budget expects, wants healthy, and has.

Pure functions. Models pkg/controller/disruption (getExpectedPodCount, countHealthyPods, buildDisruptedPodMap).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from cluster_engine.apimachinery.cow import JSON, controller_of, get
from cluster_engine.apimachinery.scheme import Kind
from cluster_engine.sim import SECOND, parse_rfc3339

from .pods import is_pod_ready

DELETION_SECONDS = 120
"""Seconds within which a Pod whose eviction was allowed must be on its way (DeletionTimeout)."""


class Uncountable(Exception):
    """Why it cannot be said how many Pods there should be."""


class Count(NamedTuple):
    """How many Pods should be there, and how many of them healthy."""

    expected: int
    desired: int


Scale = Callable[[JSON], tuple[str, int] | None]
"""(uid, replicas) of what decides over a Pod's number; None when it is gone. Raises Uncountable."""


def _of(value: int | str, total: int) -> int:
    """A count, or a percentage of ``total``, rounded up."""
    return value if isinstance(value, int) else -(-int(value.rstrip("%")) * total // 100)


def expected(spec: JSON, pods: Sequence[JSON], scale: Scale) -> Count:
    """What a budget asks for. Raises Uncountable."""
    most, least = spec.get("maxUnavailable"), spec.get("minAvailable")
    if most is not None:
        total = _expected_scale(pods, scale)
        return Count(total, max(total - _of(most, total), 0))
    if isinstance(least, int):
        return Count(len(pods), least)
    if least is not None:
        total = _expected_scale(pods, scale)
        return Count(total, _of(least, total))
    return Count(0, 0)


def _expected_scale(pods: Sequence[JSON], scale: Scale) -> int:
    """The sum of the replicas of everything that has one of the Pods."""
    known: dict[str, int] = {}
    seen: set[str] = set()
    for pod in pods:
        reference = controller_of(pod)
        if reference is not None and reference["uid"] in seen:
            continue
        found = scale(pod)
        if reference is None or found is None:
            raise Uncountable(f'found no controllers for pod "{pod["metadata"]["name"]}"')
        seen.add(reference["uid"])
        known[found[0]] = found[1]
    return sum(known.values())


def owner_scale(kind: Kind, owner: JSON) -> tuple[str, int]:
    """(uid, replicas) of an owner. Raises Uncountable for a kind that has no scale."""
    if "scale" not in kind.subresources:
        raise Uncountable(f"{kind.group_resource} does not implement the scale subresource")
    path = ("spec", "replicas") if kind.scale is None else kind.scale.spec_replicas
    return owner["metadata"]["uid"], int(get(owner, *path, default=0))


def healthy(pods: Sequence[JSON], disrupted: Mapping[str, str]) -> int:
    """The ready Pods that are not going."""
    return sum(
        1
        for pod in pods
        if "deletionTimestamp" not in pod["metadata"]
        and pod["metadata"]["name"] not in disrupted
        and is_pod_ready(pod)
    )


def disrupted_pods(
    marked: Mapping[str, str], pods: Sequence[JSON], now: int
) -> tuple[dict[str, str], list[JSON], int | None]:
    """(Pods whose eviction was allowed and that are not going yet, Pods that should be, when to look again)."""
    waiting: dict[str, str] = {}
    late: list[JSON] = []
    ends: list[int] = []
    for pod in pods:
        stamp = marked.get(pod["metadata"]["name"])
        if stamp is None or "deletionTimestamp" in pod["metadata"]:
            continue
        end = parse_rfc3339(stamp) + DELETION_SECONDS * SECOND
        if end < now:
            late.append(pod)
        else:
            waiting[pod["metadata"]["name"]] = stamp
            ends.append(end + 1)
    return waiting, late, min(ends, default=None)
