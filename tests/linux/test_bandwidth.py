"""Limits of processor time: exact shares on the virtual clock, metered, and the same wherever the host cuts."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine.linux import bandwidth
from cluster_engine.linux.limits import Limits
from cluster_engine.linux.machine import Machine
from tests.linux.world import TABLE, Host, image

COUNT = "i=0; while :; do i=$((i+1)); done"
SECOND = 1_000_000


def machine(millis: int, *lines: str) -> Machine:
    made = Machine("box", Host(), TABLE.get, Limits())
    made.add_root("c", image(), millis=millis)
    for line in lines:
        made.spawn(["sh", "-c", line], root="c", env={"PATH": "/bin"})
    return made


def advance(made: Machine, since: int, until: int, budget: int = 4_000) -> None:
    due: int | None = since
    while due is not None and due <= until:
        due = made.run(due, budget)
    made.run(until, 0)


def counted(made: Machine) -> int:
    """How far the first process has come."""
    first = next(iter(made.state()["machine"]["procs"].values()))
    return int(first["vars"]["i"])


@pytest.mark.parametrize("seconds", [1, 5, 60, 600])
@pytest.mark.parametrize(("small", "large"), [(100, 200), (50, 100), (20, 200)])
def test_two_loops_count_by_their_limits(small: int, large: int, seconds: int) -> None:
    results = []
    for millis in (small, large):
        made = machine(millis, COUNT)
        advance(made, 0, seconds * SECOND)
        results.append(counted(made))
    assert results[1] / results[0] == pytest.approx(large / small, rel=0.1)


@pytest.mark.parametrize("line", ["while :; do :; done", COUNT], ids=["does nothing", "counts"])
@pytest.mark.parametrize("millis", [10, 100, 500, 1_000])
def test_a_spinner_is_metered_by_its_limit(millis: int, line: str) -> None:
    made = machine(millis, line)
    for seconds in (1, 2, 60, 600):
        advance(made, 0, seconds * SECOND)
        used = made.usage("c", seconds * SECOND)
        assert used["cpu"] == pytest.approx(seconds * millis * 1_000, rel=0.15, abs=200_000)
        if millis < 1_000:
            assert used["throttled"] == pytest.approx(seconds * 10, rel=0.15, abs=3)
            assert used["waited"] == pytest.approx(seconds * (1_000 - millis) * 1_000, rel=0.15, abs=200_000)
        assert used["throttled"] <= used["periods"] <= seconds * 10 + 1


def test_two_spinners_share_the_limit() -> None:
    made = machine(200, "while :; do :; done", "while :; do :; done")
    advance(made, 0, 60 * SECOND)
    assert made.usage("c", 60 * SECOND)["cpu"] == pytest.approx(12 * SECOND, rel=0.15)


def test_who_waits_is_not_throttled() -> None:
    made = machine(100, "while :; do date > /tmp/n; sleep 1; done")
    advance(made, 0, 600 * SECOND)
    used = made.usage("c", 600 * SECOND)
    assert used["throttled"] == 0
    assert used["periods"] <= 601
    assert made.usage(now=600 * SECOND)["processes"] == 2


def test_a_throttled_process_dies_of_its_signal() -> None:
    made = machine(10, COUNT)
    made.run(0)
    made.kill_all("c")
    advance(made, 0, bandwidth.PERIOD)
    assert made.processes() == []


def test_where_the_host_cuts_does_not_show() -> None:
    lines = (COUNT, "while :; do date >> /tmp/log; sleep 0.02; done", "while :; do x=$(echo $RANDOM); done")
    results: list[Any] = []
    for budget in (4_000, 77, 1_301):
        made = machine(150, *lines)
        at = 0
        for until in range(SECOND // 4, 3 * SECOND, SECOND // 4):
            advance(made, at, until, budget)
            again = Machine("box", Host(), TABLE.get, Limits())
            again.load(made.state())
            made, at = again, until
        results.append((made.state(), counted(made)))
    assert results[0] == results[1] == results[2]


def test_a_root_that_goes_takes_its_limit_along() -> None:
    made = machine(10, COUNT)
    made.run(0)
    made.kill_all("c")
    advance(made, 0, bandwidth.PERIOD)
    made.remove_root("c")
    assert made.state()["machine"]["bandwidth"] == {}
