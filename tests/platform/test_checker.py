"""Checks that tick by themselves: when, how often, whose turn it is, and who is told."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from django.db import DatabaseError
from runs.host import checker as module
from runs.host.checker import Checker, ChecksChannel
from runs.host.errors import HostError

from cluster_engine.cluster import Cluster

#: Seconds of the loop's own time.
PAUSE = 1.0


class FakeRun:
    """A run whose gradings are scripted."""

    def __init__(self, cluster: Cluster, ticks: asyncio.Semaphore | None = None) -> None:
        self.run_id, self.epoch, self.cluster = uuid.uuid4(), 1, cluster
        self.ticks = ticks or asyncio.Semaphore(1)
        self.graded = 0
        self.under_way = 0
        self.most = 0
        self.takes = 0.0
        self.passed = False
        self.tasks: set[asyncio.Task[None]] = set()
        self.checker = Checker(self)

    async def note_steps(self, checks: list[dict[str, Any]]) -> None:
        """Nothing is kept."""

    async def grade(self) -> dict[str, Any]:
        self.graded += 1
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(self.takes)
        self.under_way -= 1
        checks = [
            {
                "id": "one",
                "title": {"en": "One", "zh-hans": "一"},
                "state": "passed" if self.passed else "failed",
                "message": {"en": "a", "zh-hans": "甲"},
            }
        ]
        return {"score": 0, "max_score": 1, "passed": self.passed, "checks": checks}

    def now(self) -> int:
        return self.cluster.clock.now

    async def in_thread(self, fn: Any, *args: Any) -> Any:
        return fn(*args)

    def spawn(self, coroutine: Any) -> None:
        task = asyncio.ensure_future(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def change(self, name: str) -> None:
        self.cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})


@pytest.fixture(autouse=True)
def records(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bool, bool]]:
    """(asked, passed) of what was kept; the database is not there."""
    kept: list[tuple[bool, bool]] = []

    def record(run_id: uuid.UUID, epoch: int, report: dict[str, Any], asked: bool) -> dict[str, Any]:
        kept.append((asked, report["passed"]))
        return {**report, "at": f"time {len(kept)}"}

    monkeypatch.setattr(module.standing, "record", record)
    monkeypatch.setattr(module, "SETTLE_SECONDS", PAUSE)
    monkeypatch.setattr(module, "LOOK_SECONDS", 1e6)
    return kept


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its time jumps to the next appointment: nobody waits, and a busy machine changes nothing."""

    now = 0.0

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self.now = max(self.now, self._scheduled[0].when())  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


def play(scene: Callable[[Cluster], Awaitable[None]]) -> None:
    async def run() -> None:
        await scene(Cluster(nodes=1, freezing=True))

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(run())


async def rest(pauses: int = 4) -> None:
    await asyncio.sleep(pauses * PAUSE)


def test_many_changes_are_one_grading(records: list[tuple[bool, bool]]) -> None:
    async def scene(cluster: Cluster) -> None:
        run = FakeRun(cluster)
        run.change("nobody-looks")
        await rest()
        assert run.graded == 0
        run.checker.follow(wake := lambda: None)
        await rest()
        assert run.graded == 1, "who begins to look is told how it stands"
        for number in range(5):
            run.change(f"c-{number}")
        await rest()
        assert run.graded == 2
        assert records == [(False, False)], "what stays the same is not kept again"
        run.checker.leave(wake)
        run.change("looked-away")
        await rest()
        assert run.graded == 2

    play(scene)


def test_when_a_check_came_to_another_result_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "VERDICTS_KEPT", 3)

    async def scene(cluster: Cluster) -> None:
        run = FakeRun(cluster)
        times = []
        for passed in (False, False, True, False, True):
            cluster.advance(60)
            run.passed = passed
            times.append(cluster.now)
            await run.checker.check()
        seen = [(verdict["at"][:19] + "Z", verdict["state"]) for verdict in run.checker.results.verdicts]
        assert seen == list(zip(times[2:], ("passed", "failed", "passed"), strict=True))
        assert run.checker.results.verdicts[0]["title"]["en"] == "One"

    play(scene)


def test_upkeep_is_no_change() -> None:
    async def scene(cluster: Cluster) -> None:
        run = FakeRun(cluster)
        run.passed = True
        run.checker.follow(lambda: None)
        await rest()
        cluster.advance(120)
        await rest()
        assert run.graded == 1

    play(scene)


def test_a_slow_grading_is_followed_by_a_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REST_FACTOR", 10)

    async def scene(cluster: Cluster) -> None:
        run = FakeRun(cluster)
        run.takes = 2 * PAUSE
        run.checker.follow(lambda: None)
        await rest(5)
        assert run.graded == 1
        run.change("soon")
        await rest(15)
        assert run.graded == 1
        await rest(5)
        assert run.graded == 2

    play(scene)


def test_what_no_object_tells_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", PAUSE)

    async def scene(cluster: Cluster) -> None:
        run = FakeRun(cluster)
        run.checker.follow(lambda: None)
        await rest(8)
        assert run.graded >= 3
        run.passed = True
        await rest(4)
        graded = run.graded
        await rest(6)
        assert run.graded == graded, "all is passed: nothing is left to be found"

    play(scene)


def test_runs_take_turns() -> None:
    async def scene(cluster: Cluster) -> None:
        ticks = asyncio.Semaphore(1)
        runs = [FakeRun(cluster, ticks) for _ in range(3)]
        under_way = 0
        for run in runs:
            grade = run.grade

            async def in_turn(grade: Callable[[], Awaitable[dict[str, Any]]] = grade) -> dict[str, Any]:
                nonlocal under_way
                under_way += 1
                assert under_way == 1
                await asyncio.sleep(PAUSE / 2)
                under_way -= 1
                return await grade()

            run.grade = in_turn  # type: ignore[method-assign]
            run.checker.follow(lambda: None)
        await rest(12)
        assert [run.graded for run in runs] == [1, 1, 1]

    play(scene)


def test_who_asks_is_answered_once_at_a_time(records: list[tuple[bool, bool]]) -> None:
    async def scene(cluster: Cluster) -> None:
        run = FakeRun(cluster)
        run.takes = PAUSE
        first = asyncio.ensure_future(run.checker.check())
        await asyncio.sleep(0)
        with pytest.raises(HostError) as refused:
            await run.checker.check()
        assert (refused.value.status, str(refused.value)) == (409, "A check is running already.")
        assert (await first)["at"] == "time 1"
        await run.checker.check()
        assert records == [(True, False), (True, False)], "each is an attempt"

    play(scene)


def test_a_check_that_takes_too_long_is_given_up(settings: Any) -> None:
    settings.CHECK_SECONDS = PAUSE

    async def scene(cluster: Cluster) -> None:
        run = FakeRun(cluster)
        run.takes = 10 * PAUSE
        with pytest.raises(HostError) as refused:
            await run.checker.check()
        assert refused.value.status == 504

    play(scene)


def test_without_the_database_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> Any:
        raise DatabaseError("no disk")

    async def scene(cluster: Cluster) -> None:
        run = FakeRun(cluster)
        with monkeypatch.context() as patch:
            patch.setattr(module.standing, "record", broken)
            run.checker.follow(lambda: None)
            await rest()
            with pytest.raises(HostError) as refused:
                await run.checker.check()
            assert refused.value.status == 503
        run.change("again")
        await rest()
        assert run.checker.results.latest is not None

    play(scene)


def test_the_channel_tells_the_last_state_in_the_tab_s_language() -> None:
    async def scene(cluster: Cluster) -> None:
        run = FakeRun(cluster)
        channel = ChecksChannel(run.checker, lambda: None)
        assert channel.take() is None
        await channel.receive({"type": "follow", "on": True, "language": "zh-hans"})
        await rest()
        told = json.loads(str(channel.take()))
        assert (told["ch"], told["type"], told["at"]) == ("checks", "report", "time 1")
        assert told["checks"][0]["message"] == "甲"
        assert channel.take() is None
        run.takes = 4 * PAUSE
        run.change("more")
        await rest(3)
        assert json.loads(str(channel.take())) == {"ch": "checks", "type": "checking", "on": True}
        channel.close()
        assert channel.take() is None
        for message in (
            {"type": "dig"},
            {"type": "follow", "on": 1, "language": "en"},
            {"type": "follow", "on": True},
        ):
            with pytest.raises(ValueError, match="followed"):
                await channel.receive(message)

    play(scene)
