"""How fast a target may change its size: what was recommended and done lately, limits, policies. Pure.

Models the second half of pkg/controller/podautoscaler/horizontal.go (normalizeDesiredReplicas and
normalizeDesiredReplicasWithBehaviors).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.sim import SECOND

DOWNSCALE_STABILIZATION = 300
"""Seconds for which a smaller size waits (--horizontal-pod-autoscaler-downscale-stabilization)."""
_FACTOR, _FIRST = 2, 4
"""Without a behavior a target is at most doubled, or brought to four."""
_READY = ("ReadyForNewScale", "recommended size matches current size")
_WITHIN = ("DesiredWithinRange", "the desired count is within the acceptable range")
_LOWER = "recent recommendations were lower than current one, applying the lowest recent recommendation"
_HIGHER = "recent recommendations were higher than current one, applying the highest recent recommendation"


@dataclass(slots=True)
class Past:
    """What an autoscaler remembers: [replicas, virtual µs] each."""

    recommended: list[list[int]] = field(default_factory=list)
    grown: list[list[int]] = field(default_factory=list)
    """By how many it has grown."""
    shrunk: list[list[int]] = field(default_factory=list)

    def as_list(self) -> list[Any]:
        return [self.recommended, self.grown, self.shrunk]


class Decision(NamedTuple):
    """The size, and what AbleToScale and ScalingLimited say: (status, reason, message)."""

    replicas: int
    able: tuple[str, str, str]
    limited: tuple[str, str, str]


def normalized(spec: JSON, past: Past, current: int, wanted: int, now: int) -> Decision:
    """The size that may be set now, of the one that metrics want; it is remembered as a recommendation."""
    low, high, behavior = spec.get("minReplicas"), spec["maxReplicas"], spec.get("behavior")
    low = 1 if low is None else low
    if behavior is None:
        stable, why = _stable(past, wanted, now)
        replicas, reason, message = _within_rules(current, stable, low, high)
    else:
        up, down = behavior["scaleUp"], behavior["scaleDown"]
        stable, why = _stable_by(past, up, down, current, wanted, now)
        replicas, reason, message = _within_rates(past, up, down, current, stable, low, high, now)
    able = ("True", *(why if stable != wanted else _READY))
    return Decision(replicas, able, ("False" if replicas == stable else "True", reason, message))


def remember_change(spec: JSON, past: Past, current: int, replicas: int, now: int) -> None:
    """A change was made; policies count it."""
    behavior = spec.get("behavior")
    if behavior is None:
        return
    grows = replicas > current
    events, rules = (past.grown, behavior["scaleUp"]) if grows else (past.shrunk, behavior["scaleDown"])
    longest = max((policy["periodSeconds"] for policy in rules.get("policies") or ()), default=0)
    _replace(events, [abs(replicas - current), now], now - longest * SECOND)


def _window(rules: JSON, default: int) -> int:
    seconds = rules.get("stabilizationWindowSeconds")
    return default if seconds is None else int(seconds)


def _replace(entries: list[list[int]], new: list[int], cutoff: int) -> None:
    """Puts the entry in the place of the last one that is older, or at the end."""
    old = [index for index, (_, at) in enumerate(entries) if at < cutoff]
    if old:
        entries[old[-1]] = new
    else:
        entries.append(new)


def _stable(past: Past, wanted: int, now: int) -> tuple[int, tuple[str, str]]:
    """The highest recommendation of the last minutes."""
    cutoff = now - DOWNSCALE_STABILIZATION * SECOND
    highest = max([wanted, *(replicas for replicas, at in past.recommended if at >= cutoff)])
    _replace(past.recommended, [wanted, now], cutoff)
    return highest, ("ScaleDownStabilized", _HIGHER)


def _stable_by(
    past: Past, up: JSON, down: JSON, current: int, wanted: int, now: int
) -> tuple[int, tuple[str, str]]:
    """The same, in both directions, over the windows of a behavior."""
    up_window, down_window = _window(up, 0), _window(down, DOWNSCALE_STABILIZATION)
    grows = wanted >= current
    cutoff = now - (up_window if grows else down_window) * SECOND
    recent = [wanted, *(replicas for replicas, at in past.recommended if at > cutoff)]
    _replace(past.recommended, [wanted, now], now - max(up_window, down_window) * SECOND)
    if grows:
        return min(recent), ("ScaleUpStabilized", _LOWER)
    return max(recent), ("ScaleDownStabilized", _HIGHER)


def _within_rules(current: int, wanted: int, low: int, high: int) -> tuple[int, str, str]:
    limit = max(_FACTOR * current, _FIRST)
    if wanted < low:
        return low, "TooFewReplicas", "the desired replica count is less than the minimum replica count"
    if wanted > min(limit, high):
        if high > limit:
            text = "the desired replica count is increasing faster than the maximum scale rate"
            return limit, "ScaleUpLimit", text
        return high, "TooManyReplicas", "the desired replica count is more than the maximum replica count"
    return wanted, *_WITHIN


def _within_rates(
    past: Past, up: JSON, down: JSON, current: int, wanted: int, low: int, high: int, now: int
) -> tuple[int, str, str]:
    if wanted > current:
        limit = max(_up_limit(past, up, current, now), current)
        if wanted > min(limit, high):
            if high > limit:
                text = "the desired replica count is increasing faster than the maximum scale rate"
                return limit, "ScaleUpLimit", text
            return high, "TooManyReplicas", "the desired replica count is more than the maximum replica count"
    elif wanted < current:
        limit = min(_down_limit(past, down, current, now), current)
        if wanted < max(limit, low):
            if low < limit:
                text = "the desired replica count is decreasing faster than the maximum scale rate"
                return limit, "ScaleDownLimit", text
            return low, "TooFewReplicas", "the desired replica count is less than the minimum replica count"
    return wanted, *_WITHIN


def _changed(events: list[list[int]], seconds: int, now: int) -> int:
    """By how much it has changed within the period."""
    return sum(change for change, at in events if at > now - seconds * SECOND)


def _up_limit(past: Past, rules: JSON, current: int, now: int) -> int:
    """calculateScaleUpLimitWithScalingRules."""
    if rules.get("selectPolicy") == "Disabled":
        return current
    limits: list[int] = []
    for policy in rules["policies"]:
        seconds, value = policy["periodSeconds"], policy["value"]
        begun = current - _changed(past.grown, seconds, now) + _changed(past.shrunk, seconds, now)
        grown = begun + value if policy["type"] == "Pods" else math.ceil(begun * (1 + value / 100))
        limits.append(grown)
    return min(limits) if rules.get("selectPolicy") == "Min" else max(limits)


def _down_limit(past: Past, rules: JSON, current: int, now: int) -> int:
    """calculateScaleDownLimitWithBehaviors."""
    if rules.get("selectPolicy") == "Disabled":
        return current
    limits: list[int] = []
    for policy in rules["policies"]:
        seconds, value = policy["periodSeconds"], policy["value"]
        begun = current - _changed(past.grown, seconds, now) + _changed(past.shrunk, seconds, now)
        left = begun - value if policy["type"] == "Pods" else int(begun * (1 - value / 100))
        limits.append(left)
    return max(limits) if rules.get("selectPolicy") == "Min" else min(limits)
