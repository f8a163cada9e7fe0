"""How many replicas use asks for: upstream's cases (replica_calculator_test.go), and how fast a size may change."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine.kube_controller_manager.replica_calculator import (
    CannotTell,
    Measured,
    Tolerances,
    by_utilization,
    by_value,
)
from cluster_engine.kube_controller_manager.scaling_behavior import Past, normalized, remember_change
from cluster_engine.sim import SECOND, rfc3339

JSON = dict[str, Any]
NOW = 1_767_225_600 * SECOND + 3_600 * SECOND


def pod(
    name: str, *, ready: bool = True, hot: bool = False, phase: str = "Running", going: bool = False
) -> JSON:
    """A Pod that runs for an hour (hot: for a minute, and is ready since just now)."""
    started = NOW - (60 if hot else 3_600) * SECOND
    changed = NOW - 10 * SECOND if hot else started + 5 * SECOND
    condition = {
        "type": "Ready",
        "status": "True" if ready else "False",
        "lastTransitionTime": rfc3339(changed),
    }
    meta: JSON = {"name": name, **({"deletionTimestamp": rfc3339(NOW)} if going else {})}
    return {
        "metadata": meta,
        "status": {"phase": phase, "startTime": rfc3339(started), "conditions": [condition]},
    }


def used(*levels: int | None) -> dict[str, Measured]:
    return {
        f"p{n}": Measured(level, NOW - 5 * SECOND, 60 * SECOND)
        for n, level in enumerate(levels)
        if level is not None
    }


# id: (replicas now, per cent wanted, use of each Pod, what is particular of Pods, (replicas, per cent))
SIZES: dict[str, tuple[int, int, tuple[int | None, ...], dict[int, JSON], tuple[int, int]]] = {
    "up": (3, 30, (300, 500, 700), {}, (5, 50)),
    "up, one unready": (3, 30, (300, 500, 700), {0: {"ready": False}}, (4, 60)),
    "up, one hot": (3, 30, (300, 500, 700), {0: {"hot": True}}, (4, 60)),
    "up, two unready": (3, 30, (400, 500, 700), {1: {"ready": False}, 2: {"ready": False}}, (3, 40)),
    "up, two unready and hot": (
        3,
        30,
        (400, 500, 700),
        {1: {"ready": False, "hot": True}, 2: {"ready": False, "hot": True}},
        (3, 40),
    ),
    "up, failed ones": (
        2,
        30,
        (500, 700, None, None),
        {2: {"phase": "Failed"}, 3: {"phase": "Failed"}},
        (4, 60),
    ),
    "up, some are going": (2, 30, (500, 700, None, None), {2: {"going": True}, 3: {"going": True}}, (4, 60)),
    "up, pending ones": (2, 30, (500, 700, None), {2: {"phase": "Pending"}}, (4, 60)),
    "down": (5, 50, (100, 300, 500, 250, 250), {}, (3, 28)),
    "tolerated": (3, 100, (1000, 1050, 1100), {}, (3, 105)),
    "up, one unknown": (3, 50, (900, 900, None), {}, (4, 90)),
    "up, one unknown holds it": (2, 50, (900, None), {}, (2, 90)),
    "down, one unknown": (4, 50, (100, 100, 100, None), {}, (3, 10)),
    "down, one unknown holds it": (2, 100, (800, None), {}, (2, 80)),
    "one unknown at its target": (2, 100, (1000, None), {}, (2, 100)),
}


@pytest.mark.parametrize(("now", "percent", "levels", "of", "expected"), SIZES.values(), ids=SIZES.keys())
def test_utilization(
    now: int,
    percent: int,
    levels: tuple[int | None, ...],
    of: dict[int, JSON],
    expected: tuple[int, int],
) -> None:
    pods = [pod(f"p{n}", **of.get(n, {})) for n in range(len(levels))]
    requests = {f"p{n}": 1_000 for n in range(len(levels))}
    found = by_utilization(now, percent, used(*levels), pods, requests, "cpu", NOW, Tolerances())
    assert (found.replicas, found.utilization) == expected


VALUES: dict[str, tuple[int, int, tuple[int | None, ...], dict[int, JSON], tuple[int, int]]] = {
    "up": (3, 15_000, (20_000, 10_000, 30_000), {}, (4, 20_000)),
    "memory of unready Pods counts": (
        3,
        15_000,
        (50_000, 10_000, 30_000),
        {2: {"ready": False}},
        (6, 30_000),
    ),
    "down": (5, 20_000, (12_000,) * 5, {}, (3, 12_000)),
    "down, one unknown": (2, 20_000, (5_000, None), {}, (2, 5_000)),
}


@pytest.mark.parametrize(("now", "target", "levels", "of", "expected"), VALUES.values(), ids=VALUES.keys())
def test_values(
    now: int, target: int, levels: tuple[int | None, ...], of: dict[int, JSON], expected: tuple[int, int]
) -> None:
    pods = [pod(f"p{n}", **of.get(n, {})) for n in range(len(levels))]
    found = by_value(now, target, used(*levels), pods, "memory", NOW, Tolerances())
    assert (found.replicas, found.value, found.utilization) == (*expected, None)


FAILURES: dict[str, tuple[list[JSON], dict[str, Measured], str]] = {
    "no Pods": ([], used(1), "no pods returned by selector while calculating replica count"),
    "none is ready": (
        [pod("p0", ready=False)],
        used(1),
        "did not receive metrics for targeted pods (pods might be unready)",
    ),
    "others' metrics": ([pod("p7")], used(1), "no metrics returned matched known pods"),
}


@pytest.mark.parametrize(("pods", "metrics", "text"), FAILURES.values(), ids=FAILURES.keys())
def test_no_answer(pods: list[JSON], metrics: dict[str, Measured], text: str) -> None:
    requests = {each["metadata"]["name"]: 1_000 for each in pods}
    with pytest.raises(CannotTell) as problem:
        by_utilization(1, 50, metrics, pods, requests, "cpu", NOW, Tolerances())
    assert str(problem.value) == text


def test_a_tolerance_of_ones_own() -> None:
    pods, requests = [pod("p0")], {"p0": 1_000}
    assert by_utilization(1, 100, used(1_200), pods, requests, "cpu", NOW, Tolerances()).replicas == 2
    assert by_utilization(1, 100, used(1_200), pods, requests, "cpu", NOW, Tolerances(up=0.25)).replicas == 1
    assert by_utilization(4, 100, used(600), pods, requests, "cpu", NOW, Tolerances(down=0.5)).replicas == 4


def _rules(window: int | None, select: str, *policies: tuple[str, int, int]) -> JSON:
    made = [{"type": kind, "value": value, "periodSeconds": seconds} for kind, value, seconds in policies]
    found: JSON = {"selectPolicy": select, "policies": made}
    return found if window is None else {**found, "stabilizationWindowSeconds": window}


UP, DOWN = _rules(0, "Max", ("Pods", 4, 15), ("Percent", 100, 15)), _rules(None, "Max", ("Percent", 100, 15))


def _spec(low: int = 1, high: int = 50, up: JSON | None = None, down: JSON | None = None) -> JSON:
    spec: JSON = {"minReplicas": low, "maxReplicas": high}
    if up or down:
        spec["behavior"] = {"scaleUp": up or UP, "scaleDown": down or DOWN}
    return spec


# id: (spec, now, wanted, [replicas, seconds ago] of recommendations, of growth, of shrinking, (size, able, limited))
STEPS: dict[str, tuple[JSON, int, int, list[Any], list[Any], list[Any], tuple[int, str, str]]] = {
    "as wanted": (_spec(), 3, 5, [], [], [], (5, "ReadyForNewScale", "DesiredWithinRange")),
    "at most doubled": (_spec(), 3, 20, [], [], [], (6, "ReadyForNewScale", "ScaleUpLimit")),
    "or four": (_spec(), 1, 20, [], [], [], (4, "ReadyForNewScale", "ScaleUpLimit")),
    "the limit above": (_spec(high=5), 3, 20, [], [], [], (5, "ReadyForNewScale", "TooManyReplicas")),
    "the limit below": (_spec(low=2), 3, 1, [], [], [], (2, "ReadyForNewScale", "TooFewReplicas")),
    "not down yet": (_spec(), 5, 2, [[5, 100]], [], [], (5, "ScaleDownStabilized", "DesiredWithinRange")),
    "down after five minutes": (
        _spec(),
        5,
        2,
        [[5, 301]],
        [],
        [],
        (2, "ReadyForNewScale", "DesiredWithinRange"),
    ),
    "policies: four or all again": (
        _spec(up=UP),
        6,
        40,
        [],
        [],
        [],
        (12, "ReadyForNewScale", "ScaleUpLimit"),
    ),
    "policies: what was done counts": (
        _spec(up=_rules(0, "Max", ("Pods", 4, 60))),
        6,
        40,
        [],
        [[3, 30]],
        [],
        (7, "ReadyForNewScale", "ScaleUpLimit"),
    ),
    "policies: what was done long ago does not": (
        _spec(up=_rules(0, "Max", ("Pods", 4, 60))),
        6,
        40,
        [],
        [[3, 60]],
        [],
        (10, "ReadyForNewScale", "ScaleUpLimit"),
    ),
    "policies: the smallest": (
        _spec(up=_rules(0, "Min", ("Pods", 2, 60), ("Percent", 100, 60))),
        6,
        40,
        [],
        [],
        [],
        (8, "ReadyForNewScale", "ScaleUpLimit"),
    ),
    "policies: never up": (
        _spec(up=_rules(0, "Disabled", ("Pods", 2, 60))),
        6,
        40,
        [],
        [],
        [],
        (6, "ReadyForNewScale", "ScaleUpLimit"),
    ),
    "policies: down by one": (
        _spec(down=_rules(0, "Max", ("Pods", 1, 60))),
        6,
        2,
        [],
        [],
        [],
        (5, "ReadyForNewScale", "ScaleDownLimit"),
    ),
    "policies: a tenth, rounded down": (
        _spec(down=_rules(0, "Max", ("Percent", 10, 60))),
        15,
        2,
        [],
        [],
        [],
        (13, "ReadyForNewScale", "ScaleDownLimit"),
    ),
    "policies: never down": (
        _spec(down=_rules(0, "Disabled", ("Pods", 1, 60))),
        6,
        2,
        [],
        [],
        [],
        (6, "ReadyForNewScale", "ScaleDownLimit"),
    ),
    "a window upwards": (
        _spec(up=_rules(60, "Max", ("Pods", 9, 15))),
        3,
        8,
        [[4, 30]],
        [],
        [],
        (4, "ScaleUpStabilized", "DesiredWithinRange"),
    ),
    "a window downwards": (
        _spec(down=_rules(60, "Max", ("Percent", 100, 15))),
        8,
        3,
        [[6, 30], [9, 61]],
        [],
        [],
        (6, "ScaleDownStabilized", "DesiredWithinRange"),
    ),
}


def _ago(entries: list[Any]) -> list[list[int]]:
    return [[replicas, NOW - seconds * SECOND] for replicas, seconds in entries]


@pytest.mark.parametrize(
    ("spec", "now", "wanted", "recommended", "grown", "shrunk", "expected"), STEPS.values(), ids=STEPS.keys()
)
def test_steps(
    spec: JSON,
    now: int,
    wanted: int,
    recommended: list[Any],
    grown: list[Any],
    shrunk: list[Any],
    expected: tuple[int, str, str],
) -> None:
    past = Past(_ago(recommended), _ago(grown), _ago(shrunk))
    found = normalized(spec, past, now, wanted, NOW)
    assert (found.replicas, found.able[1], found.limited[1]) == expected
    assert [wanted, NOW] in past.recommended


def test_what_is_remembered_does_not_grow() -> None:
    past, spec = Past(), _spec(up=UP, down=DOWN)
    for look in range(1_000):
        now = NOW + look * 15 * SECOND
        normalized(spec, past, 3, 4, now)
        remember_change(spec, past, 3 + look % 2, 4 - look % 2, now)
    assert (len(past.recommended), len(past.grown), len(past.shrunk)) == (21, 1, 1)
