"""Many clocks on one heap: who has nothing to do costs nothing, who is behind takes turns, who is gone is let go.

Wall time is the test's own: it passes when somebody works, or when all wait.
"""

from __future__ import annotations

import asyncio
import gc
import heapq
import sys
import weakref
from collections.abc import Callable
from itertools import count

import pytest

from cluster_engine.cluster import Cluster
from cluster_engine.kube_apiserver import ADMIN, Request
from cluster_engine.serving import Driver, Pacer, pacer
from cluster_engine.serving import driver as driver_module
from cluster_engine.sim import SECOND

MS = 1_000


class Promise:
    def __init__(self, fn: Callable[[], None]) -> None:
        self.fn: Callable[[], None] | None = fn

    def cancel(self) -> None:
        self.fn = None


class Wall:
    """A wall clock and an event loop's timers."""

    def __init__(self) -> None:
        self.now = 0
        self._order = count()
        self._timers: list[tuple[int, int, Promise]] = []

    def later(self, seconds: float, fn: Callable[[], None]) -> Promise:
        promise = Promise(fn)
        heapq.heappush(self._timers, (self.now + round(seconds * 1_000_000), next(self._order), promise))
        return promise

    def run(self, until: int) -> None:
        while self._timers and self._timers[0][0] <= until:
            due, _order, promise = heapq.heappop(self._timers)
            if promise.fn is not None:
                self.now = max(self.now, due)
                promise.fn()
        self.now = max(self.now, until)


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    wall = Wall()
    for module in ("pacer", "driver"):
        monkeypatch.setattr(f"cluster_engine.serving.{module}.steady_clock", lambda: wall.now)
    return wall


@pytest.fixture
def heap(wall: Wall) -> Pacer:
    return Pacer(wall.later)


class Work:
    """Something to drive: each look takes `cost` µs and answers `pause`."""

    def __init__(self, wall: Wall, cost: int = 0, pause: int | None = None, heavy: bool = False) -> None:
        self.wall, self.cost, self.pause, self.looks = wall, cost, pause, 0
        self.heavy = heavy
        self.due: int | None = None
        self.ticket: pacer.Ticket | None = None
        self.used = 0

    def look(self) -> int | None:
        self.looks += 1
        self.wall.now += self.cost
        return self.pause


LOOKS = [
    ("one that waits to be woken", None, 0, 1),
    ("one that is woken", None, 3, 4),
    ("one with a deadline", 20 * MS, 0, 5),
    ("one with a far deadline that is woken", 3_600_000 * MS, 2, 3),
]


@pytest.mark.parametrize(("pause", "wakes", "looks"), [r[1:] for r in LOOKS], ids=[r[0] for r in LOOKS])
def test_looks(wall: Wall, heap: Pacer, pause: int | None, wakes: int, looks: int) -> None:
    work = Work(wall, pause=pause)
    heap.wake(work)
    assert work.due is None, "what is not driven is not woken"
    heap.drive(work)
    for number in range(wakes):
        wall.run((number + 1) * 5 * MS)
        heap.wake(work)
        heap.wake(work)
    wall.run(90 * MS)
    assert work.looks == looks


def test_who_is_behind_takes_turns_and_others_come_first(wall: Wall, heap: Pacer) -> None:
    heavy, light, late = Work(wall, 4 * MS, 0), Work(wall, 1 * MS, 0), Work(wall, 2 * MS, 0)
    quick = Work(wall, 0, 10 * MS)
    for work in (heavy, light, quick):
        heap.drive(work)
    wall.run(800 * MS)
    assert (heavy.looks, light.looks) == pytest.approx((100, 400), abs=2), (
        "an equal share of time, not of turns"
    )
    assert quick.looks >= 70
    heap.drive(late)
    wall.run(830 * MS)
    assert 4 <= late.looks <= 6, "who comes later has neither credit nor debt"


def test_one_that_is_behind_rests_while_others_are_asked(wall: Wall, heap: Pacer) -> None:
    heavy, other = Work(wall, 2 * MS, 0), Work(wall)
    heap.drive(heavy)
    heap.drive(other)
    heap.asked(heavy)
    wall.run(100 * MS)
    assert heavy.looks == pytest.approx(50, abs=3), "alone it has all"
    heap.asked(other)
    heap.asked(heavy)
    wall.run(200 * MS)
    assert heavy.looks == pytest.approx(75, abs=3), "half of the time is the others'"
    wall.run(3_000 * MS)
    before = heavy.looks
    wall.run(3_100 * MS)
    assert heavy.looks - before == pytest.approx(50, abs=3)


def test_one_that_is_behind_stands_back_while_others_wait_for_answers(wall: Wall, heap: Pacer) -> None:
    heavy, asked = Work(wall, 2 * MS, 0, heavy=True), Work(wall)
    heap.drive(heavy)
    with heap.request(asked):
        wall.run(220 * MS)
        assert heavy.looks == pytest.approx(10, abs=1), "a slice each time that it has stood back for long"
    wall.run(320 * MS)
    assert heavy.looks == pytest.approx(60, abs=3)
    with heap.request(heavy):
        wall.run(420 * MS)
        assert heavy.looks == pytest.approx(110, abs=3), "nobody stands back for himself"


KEEPS_UP = [("took much", True, 10), ("takes little", False, 73)]


@pytest.mark.parametrize(("heavy", "looks"), [r[1:] for r in KEEPS_UP], ids=[r[0] for r in KEEPS_UP])
def test_a_clock_that_keeps_up_stands_back_if_it_took_much(
    wall: Wall, heap: Pacer, heavy: bool, looks: int
) -> None:
    busy, asked = Work(wall, 2 * MS, 1 * MS, heavy=heavy), Work(wall)
    heap.drive(busy)
    with heap.request(asked):
        for now in range(10, 221, 10):
            wall.run(now * MS)
            if heavy:
                heap.wake(busy)  # who asks it something does not get it before the others
        assert busy.looks == pytest.approx(looks, abs=1)
    wall.run(320 * MS)
    assert busy.looks == pytest.approx(looks + 33, abs=2)
    heap.forget(busy)
    wall.run(400 * MS)
    assert busy.looks == pytest.approx(looks + 33, abs=2)


def test_a_clock_s_work_counts_until_it_was_idle_for_a_while(wall: Wall, heap: Pacer) -> None:
    driver = Driver(Cluster(), pacer=heap)
    took = 50 * MS

    def look() -> int:
        wall.now += took
        return 50 * MS

    driver._look = look  # type: ignore[method-assign]
    heap.drive(driver)
    assert not driver.heavy
    wall.run(2 * SECOND)
    assert driver.heavy, "half of the time is more than its share"
    took = 1 * MS
    wall.run(4 * SECOND)
    assert not driver.heavy


def test_answers_that_take_much_come_after_those_that_take_little(wall: Wall, heap: Pacer) -> None:
    heavy, also, light = Work(wall, heavy=True), Work(wall, heavy=True), Work(wall)
    rounds = 0
    went: list[int] = []

    async def come_round() -> None:
        nonlocal rounds
        while True:
            rounds += 1
            await asyncio.sleep(0)

    async def go_on(of: Work) -> None:
        await heap.give_way(of)
        went.append(rounds)

    async def main() -> None:
        turning = asyncio.ensure_future(come_round())
        with heap.request(heavy), heap.request(also):
            with heap.request(light):
                tasks = [asyncio.ensure_future(go_on(each)) for each in (heavy, also)]
                await go_on(light)
                await asyncio.sleep(0.01)
                assert len(went) == 1
            await asyncio.gather(*tasks)
            assert went[1] < went[2], "one each time that the loop comes round"
            with heap.request(light):
                again = asyncio.ensure_future(go_on(heavy))
                await asyncio.sleep(0.01)
                assert len(went) == 3
                wall.now += pacer.WAY
                await again  # it does not stand back for ever
        turning.cancel()

    asyncio.run(main())


def test_clocks_and_answers_that_take_much_have_one_slice_at_a_time(wall: Wall, heap: Pacer) -> None:
    """While others are in use, neither comes right after the other; and answers do not keep clocks from theirs."""
    behind, heavy, light = Work(wall, 2 * MS, 0, heavy=True), Work(wall, heavy=True), Work(wall)
    heap.drive(behind)
    heap.asked(light)
    wall.run(2 * MS)
    assert behind.looks > 0

    async def pass_by() -> None:
        while True:
            wall.run(wall.now + MS)
            await asyncio.sleep(pacer.BLINK / SECOND)

    async def main() -> None:
        answer = asyncio.ensure_future(heap.give_way(heavy))
        await asyncio.sleep(0.01)
        assert not answer.done(), "the clock has had a slice just now"
        wall.now += 2 * MS
        await answer
        looks = behind.looks
        wall.run(wall.now + 2 * MS)
        assert behind.looks == looks, "now the answer has one"
        passing = asyncio.ensure_future(pass_by())
        answers, begun = 0, wall.now
        while wall.now < begun + 100 * MS:
            await heap.give_way(heavy)
            answers += 1
        passing.cancel()
        assert behind.looks - looks >= 200 * MS // (pacer.WAY + 4 * MS) - 1, (
            "answers without end do not keep it away"
        )
        assert answers >= 5

    asyncio.run(main())


def test_long_looks_are_counted(wall: Wall, heap: Pacer) -> None:
    for cost in (1, pacer.LONG, pacer.LONG + 1):
        heap.drive(Work(wall, cost))
    wall.run(1_000 * MS)
    assert (heap.looks, heap.long_looks, heap.longest) == (3, 1, pacer.LONG + 1)


def test_one_that_raises_ends_alone(wall: Wall, heap: Pacer) -> None:
    class Broken(Work):
        def look(self) -> int | None:
            raise ZeroDivisionError

    heap.drive(Broken(wall))
    good = Work(wall, 0, 10 * MS)
    heap.drive(good)
    with pytest.raises(ZeroDivisionError):
        wall.run(5 * MS)
    wall.run(25 * MS)
    assert good.looks == 3


def test_what_is_forgotten_is_not_kept_alive(heap: Pacer) -> None:
    driver = Driver(Cluster(nodes=1, seed=1, addons=False), pacer=heap)
    driver.start()
    driver.stop()
    gone = weakref.ref(driver)
    del driver
    gc.collect()
    assert gone() is None


def test_an_idle_cluster_is_hardly_looked_at(wall: Wall, heap: Pacer) -> None:
    cluster = Cluster(nodes=3, seed=1)
    cluster.advance(600)
    driver = Driver(cluster, pacer=heap)
    driver.start()
    wall.run(60_000 * MS)
    idle = heap.looks
    assert idle <= 30
    with driver.client():
        wall.run(70_000 * MS)
    assert heap.looks - idle >= 40, "who is connected sees time pass"


def spinning(wall: Wall, cost: int, until: int = sys.maxsize) -> Cluster:
    """A cluster in which something takes `cost` µs of the wall's each millisecond, until that time of the wall's."""
    cluster = Cluster(nodes=1, seed=1, addons=False)

    def spin() -> None:
        wall.now += cost
        if wall.now < until:
            cluster.clock.call_later(0.001, "test/spin")

    cluster.clock.register("test/spin", spin)
    cluster.clock.call_later(0.001, "test/spin")
    return cluster


PACES = [("half", 2 * MS, 0.5), ("a fifth", 5 * MS, 0.2), ("as it should", MS // 2, 1.0)]


@pytest.mark.parametrize(("cost", "pace"), [row[1:] for row in PACES], ids=[row[0] for row in PACES])
def test_a_cluster_that_cannot_keep_up_says_its_pace(wall: Wall, heap: Pacer, cost: int, pace: float) -> None:
    driver = Driver(spinning(wall, cost), pacer=heap)
    assert driver.pace == 1.0
    driver.start()
    wall.run(30_000 * MS)
    assert driver.pace == pytest.approx(pace, abs=0.05)


def test_a_cluster_that_is_busy_for_a_moment_is_not_called_so(wall: Wall, heap: Pacer) -> None:
    """A window of its pace is five seconds; what is over within one is not told."""
    driver = Driver(spinning(wall, 4 * MS, until=4_000 * MS), pacer=heap)
    driver.start()
    told = []
    for second in range(1, 31):
        wall.run(second * 1_000 * MS)
        driver.catch_up()
        told.append(driver.pace)
    assert min(told) > 0.9


@pytest.fixture(scope="module")
def quiet() -> Cluster:
    """One in which nothing happens for half a minute at a time."""
    cluster = Cluster(nodes=3, seed=1)
    assert cluster.settle()
    cluster.advance(900)
    return cluster


@pytest.mark.parametrize("asked", [True, False], ids=["asked now and then", "left alone"])
def test_time_goes_on_in_a_quiet_cluster(wall: Wall, heap: Pacer, quiet: Cluster, asked: bool) -> None:
    driver = Driver(cluster := quiet.fork(), pacer=heap)
    driver.start()
    begun = cluster.clock.now
    for minute in range(1, 11):
        wall.run(minute * 60_000 * MS)
        if asked:
            driver.catch_up()
    assert (cluster.clock.now - begun) / 1_000_000 == pytest.approx(600, abs=31)
    assert driver.pace == 1.0


@pytest.mark.parametrize("speed", [1.0, 5.0])
def test_who_brings_the_clock_further_does_not_stop_it(
    wall: Wall, heap: Pacer, quiet: Cluster, speed: float
) -> None:
    driver = Driver(cluster := quiet.fork(), speed, pacer=heap)
    driver.start()
    cluster.advance(300)
    begun = cluster.clock.now
    for second in range(1, 61):
        wall.run(second * 1_000 * MS)
        driver.catch_up()
    assert (cluster.clock.now - begun) / 1_000_000 == pytest.approx(60 * speed, abs=speed)


def test_time_that_nobody_saw_is_worked_out_when_somebody_comes(
    wall: Wall, heap: Pacer, quiet: Cluster
) -> None:
    unseen = True
    driver = Driver(cluster := quiet.fork(), pacer=heap, unseen=lambda: unseen)
    driver.start()
    begun = cluster.clock.now
    cluster.request(Request("GET", "/api/v1/nodes", user=ADMIN))
    assert len(cluster.server.registry.cache)
    wall.run(600_000 * MS)
    driver.catch_up()
    assert (cluster.clock.now, heap.looks) == (begun, 1)
    assert not len(cluster.server.registry.cache)
    unseen = False
    driver.rouse()
    asyncio.run(driver.roused())
    assert cluster.clock.now - begun == 600_000 * MS
    wall.run(660_000 * MS)
    assert cluster.clock.now - begun >= 629_000 * MS
    assert driver.pace == 1.0


def test_what_cannot_be_worked_out_soon_is_given_up(wall: Wall, heap: Pacer) -> None:
    unseen = True
    driver = Driver(cluster := spinning(wall, 2 * MS), pacer=heap, unseen=lambda: unseen)
    driver.start()
    begun = cluster.clock.now
    wall.run(600_000 * MS)
    unseen = False
    driver.rouse()
    asyncio.run(driver.roused())
    assert wall.now == pytest.approx(600_000 * MS + driver_module.ROUSING, abs=20 * MS)
    assert cluster.clock.now - begun < 10_000 * MS


def test_a_machine_that_was_suspended_makes_up_for_nothing(wall: Wall, heap: Pacer, quiet: Cluster) -> None:
    driver = Driver(cluster := quiet.fork(), pacer=heap)
    driver.start()
    wall.run(60_000 * MS)
    begun = cluster.clock.now
    wall.now += 8 * 3_600_000 * MS
    driver.look()
    assert cluster.clock.now - begun <= 31_000_000


def test_a_quiet_cluster_that_is_held_for_a_moment_is_not_slow(
    wall: Wall, heap: Pacer, quiet: Cluster
) -> None:
    """Nothing was due for long; then time stands still for a write, and the driver is looked at meanwhile."""
    driver = Driver(quiet.fork(), pacer=heap)
    driver.start()
    wall.run(67_000 * MS)
    with driver.hold():
        driver.look()
        assert driver.pace == 1.0
    driver.look()
    assert driver.pace == 1.0


FLOODS = [("alone", False, 0), ("while others are in use", True, 733 * MS)]


@pytest.mark.parametrize(("others", "waits"), [row[1:] for row in FLOODS], ids=[row[0] for row in FLOODS])
def test_answers_without_end(
    wall: Wall, heap: Pacer, monkeypatch: pytest.MonkeyPatch, others: bool, waits: int
) -> None:
    """600 ms of answers: 200 at once, the rest as its share allows, if somebody else wants the processor too; and
    before each of those the loop comes round."""
    ways: list[Driver] = []

    async def give_way(driver: Driver) -> None:
        ways.append(driver)

    async def sleep(seconds: float) -> None:
        wall.now += round(seconds * 1_000_000)

    monkeypatch.setattr("cluster_engine.serving.driver.asyncio.sleep", sleep)
    monkeypatch.setattr(heap, "give_way", give_way)
    cluster = Cluster(nodes=1, seed=1, addons=False)
    flood, other = Driver(cluster, pacer=heap), Driver(cluster, pacer=heap)

    async def main() -> None:
        for _ in range(60):
            if others:
                other.kick()
            flood.kick()
            await flood.turn()
            with flood.answering():
                wall.now += 10 * MS

    wall.now = 10_000 * MS
    asyncio.run(main())
    assert wall.now - 10_600 * MS == pytest.approx(waits, rel=0.1)
    assert flood.spent == 600 * MS
    assert bool(ways) == others
