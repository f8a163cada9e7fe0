"""How many replicas what is measured asks for. Pure.

Models pkg/controller/podautoscaler/replica_calculator.go and metrics/utilization.go. Amounts are thousandths.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component_helpers.conditions import condition_of
from cluster_engine.sim import SECOND, parse_rfc3339

TOLERANCE = 0.1
CPU_INITIALIZATION = 300 * SECOND
"""A Pod's first processor time says little (--horizontal-pod-autoscaler-cpu-initialization-period)."""
INITIAL_READINESS = 30 * SECOND
"""Whoever is unready since then was never ready (--horizontal-pod-autoscaler-initial-readiness-delay)."""


_Assume = Callable[[str], int]
_Again = Callable[[dict[str, int]], float]


class CannotTell(Exception):
    """Why there is no answer."""


class Measured(NamedTuple):
    """What a Pod used."""

    value: int
    at: int
    """Virtual µs."""
    window: int
    """µs before that."""


class Tolerances(NamedTuple):
    """How far the use may be from its target, as parts of it."""

    down: float = TOLERANCE
    up: float = TOLERANCE

    def within(self, ratio: float) -> bool:
        return 1.0 - self.down <= ratio <= 1.0 + self.up


class Proposal(NamedTuple):
    """The size that a metric asks for, and what it is now."""

    replicas: int
    utilization: int | None
    """Per cent of what was requested; None where the target is a value."""
    value: int
    """Thousandths a Pod."""


class _Groups(NamedTuple):
    ready: int
    unready: list[str]
    missing: list[str]
    ignored: list[str]


def by_utilization(
    current: int,
    percent: int,
    metrics: Mapping[str, Measured],
    pods: Sequence[JSON],
    requests: Mapping[str, int],
    resource: str,
    now: int,
    tolerances: Tolerances,
) -> Proposal:
    """For a target in per cent of what Pods request (GetResourceReplicas). Raises CannotTell."""
    groups, used = _usable(metrics, pods, resource, now)
    ratio, utilization, value = _utilization(used, requests, percent)
    fallback = max(100, percent)
    replicas = _replicas(
        current,
        groups,
        used,
        ratio,
        lambda name: requests.get(name, 0) * fallback // 100,
        lambda changed: _utilization(changed, requests, percent)[0],
        tolerances,
    )
    return Proposal(replicas, utilization, value)


def by_value(
    current: int,
    target: int,
    metrics: Mapping[str, Measured],
    pods: Sequence[JSON],
    resource: str,
    now: int,
    tolerances: Tolerances,
) -> Proposal:
    """For a target in thousandths a Pod (GetRawResourceReplicas). Raises CannotTell."""
    groups, used = _usable(metrics, pods, resource, now)
    ratio, value = _average(used, target)
    replicas = _replicas(
        current,
        groups,
        used,
        ratio,
        lambda name: target,
        lambda changed: _average(changed, target)[0],
        tolerances,
    )
    return Proposal(replicas, None, value)


def _usable(
    metrics: Mapping[str, Measured], pods: Sequence[JSON], resource: str, now: int
) -> tuple[_Groups, dict[str, int]]:
    if not pods:
        raise CannotTell("no pods returned by selector while calculating replica count")
    groups = _group(pods, metrics, resource, now)
    without = {*groups.unready, *groups.ignored}
    used = {name: measured.value for name, measured in metrics.items() if name not in without}
    if not used:
        raise CannotTell("did not receive metrics for targeted pods (pods might be unready)")
    return groups, used


def _group(pods: Iterable[JSON], metrics: Mapping[str, Measured], resource: str, now: int) -> _Groups:
    """Who counts, who only might, of whom nothing is known, and who goes anyway (groupPods)."""
    groups = _Groups(0, [], [], [])
    ready = 0
    for pod in pods:
        name, status = pod["metadata"]["name"], pod.get("status") or {}
        if pod["metadata"].get("deletionTimestamp") or status.get("phase") == "Failed":
            groups.ignored.append(name)
        elif status.get("phase") == "Pending":
            groups.unready.append(name)
        elif name not in metrics:
            groups.missing.append(name)
        elif resource == "cpu" and _unready(pod, metrics[name], now):
            groups.unready.append(name)
        else:
            ready += 1
    return groups._replace(ready=ready)


def _unready(pod: JSON, measured: Measured, now: int) -> bool:
    condition, started = condition_of(pod, "Ready"), pod["status"].get("startTime")
    if condition is None or not started:
        return True
    since, changed = parse_rfc3339(started), parse_rfc3339(condition["lastTransitionTime"])
    unready = bool(condition["status"] == "False")
    if since + CPU_INITIALIZATION > now:
        return unready or measured.at < changed + measured.window
    return unready and since + INITIAL_READINESS > changed


def _replicas(
    current: int,
    groups: _Groups,
    used: dict[str, int],
    ratio: float,
    assumed: _Assume,
    again: _Again,
    tolerances: Tolerances,
) -> int:
    """The size, where Pods of which nothing is known are taken for what hurts least."""
    growing = bool(groups.unready) and ratio > 1.0
    if not growing and not groups.missing:
        return current if tolerances.within(ratio) else math.ceil(ratio * groups.ready)
    used = dict(used)
    if ratio != 1.0:
        used |= {name: assumed(name) if ratio < 1.0 else 0 for name in groups.missing}
    if growing:
        used |= dict.fromkeys(groups.unready, 0)
    new = again(used)
    if tolerances.within(new) or (ratio < 1.0 < new) or (new < 1.0 < ratio):
        return current
    replicas = math.ceil(new * len(used))
    if (new < 1.0 and replicas > current) or (new > 1.0 and replicas < current):
        return current
    return replicas


def _utilization(
    used: Mapping[str, int], requests: Mapping[str, int], percent: int
) -> tuple[float, int, int]:
    """(ratio to the target, per cent, thousandths a Pod) of the Pods whose request is known."""
    known = [name for name in used if name in requests]
    total, requested = sum(used[name] for name in known), sum(requests[name] for name in known)
    if not requested:
        raise CannotTell("no metrics returned matched known pods")
    utilization = total * 100 // requested
    return utilization / percent, utilization, total // len(known)


def _average(used: Mapping[str, int], target: int) -> tuple[float, int]:
    value = sum(used.values()) // len(used)
    return value / target, value
