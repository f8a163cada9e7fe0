"""The virtual clock: order, cancelling, background events, saving."""

import json

import pytest

from cluster_engine.sim import Chance, Clock, Journal, parse_rfc3339, rfc3339, rfc3339_micro
from cluster_engine.sim.journal import Entry, pack_bytes, unpack_bytes

START = parse_rfc3339("2026-01-01T00:00:00Z")


def clock_with_log() -> tuple[Clock, list[object]]:
    clock, log = Clock(START), []
    clock.register("log", lambda *args: log.append((clock.now - START, *args)))
    return clock, log


def test_events_run_in_order_of_time_priority_and_scheduling():
    clock, log = clock_with_log()
    clock.call_later(2, "log", "late")
    clock.call_later(1, "log", "second")
    clock.call_later(1, "log", "urgent", priority=10)
    clock.call_later(1, "log", "third")
    clock.run_until(START + 5_000_000)
    assert log == [(1_000_000, "urgent"), (1_000_000, "second"), (1_000_000, "third"), (2_000_000, "late")]
    assert clock.now == START + 5_000_000


def test_cancelled_events_do_not_run_and_unknown_timers_are_ignored():
    clock, log = clock_with_log()
    timer = clock.call_later(1, "log", "never")
    clock.cancel(timer)
    clock.cancel(timer)
    clock.cancel(None)
    assert not clock.busy
    assert clock.run_until(START + 2_000_000)
    assert log == []


def test_background_events_do_not_make_the_clock_busy():
    clock, _log = clock_with_log()
    clock.call_later(1, "log", background=True)
    assert not clock.busy
    clock.call_later(1, "log")
    assert clock.busy
    clock.run_until(START + 1_000_000)
    assert not clock.busy


def test_run_until_stops_at_its_ceiling():
    clock, log = clock_with_log()
    for index in range(5):
        clock.call_later(index, "log", index)
    assert not clock.run_until(START + 10_000_000, max_events=3)
    assert len(log) == 3
    assert clock.now == START + 2_000_000
    assert clock.run_until(START + 10_000_000)
    assert len(log) == 5


def test_a_handler_name_is_taken_once():
    clock, _log = clock_with_log()
    with pytest.raises(ValueError, match="registered twice"):
        clock.register("log", print)


def test_saved_events_run_as_they_would_have():
    straight, expected = clock_with_log()
    saved, log = clock_with_log()
    for clock in (straight, saved):
        clock.call_later(3, "log", "c", background=True)
        clock.call_later(1, "log", "a", 1)
        clock.cancel(clock.call_later(2, "log", "gone"))
        clock.call_later(1, "log", "b")
    state = json.loads(json.dumps(saved.state()))
    restored, log = clock_with_log()
    restored.load(state)
    straight.run_until(START + 4_000_000)
    restored.run_until(START + 4_000_000)
    assert log == expected
    assert restored.state() == straight.state()


def test_chance_is_the_same_for_a_seed_and_a_key_whatever_else_is_drawn():
    one, two = Chance(7), Chance(7)
    two.of("other", 1).next()
    assert [one.of("x", 1).next() for _ in range(3)] == [two.of("x", 1).next()] * 3
    assert Chance(8).of("x", 1).next() != Chance(7).of("x", 1).next()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(("a", "b"), ("a,b",), id="parts"),
        pytest.param(("a", 1), ("a", "1"), id="types"),
        pytest.param(("a",), ("a", ""), id="empty"),
        pytest.param(("a\udc80",), ("a\udc81",), id="no text"),
    ],
)
def test_other_keys_are_other_chance(one, other):
    chance = Chance(1)
    assert chance.of(*one).next() != chance.of(*other).next()
    assert chance.uid(*one) != chance.uid(*other)


def test_chance_stays_what_it_was():
    """Live runs of this engine depend on it: the same numbers on every machine, for ever."""
    draw = Chance(3).of("pull", "uid", 0)
    assert (draw.hex(16), draw.suffix()) == ("cf6a6176999b8ef0", "z4v2r")
    assert (draw.randrange(1000), draw.uniform(0.5, 1.5)) == (248, 0.8110413488122356)
    assert Chance(3).uid("uid", "pods", "default/web") == "cb5bee1f-c572-4ee6-8cd6-f3ebd6664663"


def test_uids_are_version_4():
    chance = Chance(3)
    for number in range(50):
        first, second, third, fourth, last = chance.uid("x", number).split("-")
        assert [len(part) for part in (first, second, third, fourth, last)] == [8, 4, 4, 4, 12]
        assert third[0] == "4"
        assert fourth[0] in "89ab"


@pytest.mark.parametrize(
    ("text", "micro"),
    [
        pytest.param("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000000Z", id="utc"),
        pytest.param("2026-01-01T08:00:00+08:00", "2026-01-01T00:00:00.000000Z", id="offset"),
        pytest.param("2024-02-29T23:59:59.1234567Z", "2024-02-29T23:59:59.123456Z", id="fraction"),
    ],
)
def test_times(text, micro):
    us = parse_rfc3339(text)
    assert rfc3339_micro(us) == micro
    assert rfc3339(us) == micro[:19] + "Z"


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-01-01", "2026-13-01T00:00:00Z", "2026-01-01 00:00:00Z"]
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError):
        parse_rfc3339(text)


def test_the_journal_takes_entries_in_order_only():
    journal = Journal({"engine": "test"})
    journal.append(Entry(1, 10, "clock"))
    for wrong in (Entry(3, 11, "clock"), Entry(2, 9, "clock")):
        with pytest.raises(ValueError, match="does not follow"):
            journal.append(wrong)
    journal.append(Entry(2, 10, "request", {"method": "GET"}))
    again = Journal.from_dict(json.loads(json.dumps(journal.as_dict())))
    assert list(again) == list(journal)
    assert again.next_seq == 3


@pytest.mark.parametrize(
    "data", [b"", b"text", "字".encode(), b"k8s\0\xff\xfe"], ids=["empty", "ascii", "utf8", "binary"]
)
def test_bytes_survive_json(data):
    assert unpack_bytes(json.loads(json.dumps(pack_bytes(data)))) == data


def test_what_a_halted_process_has_to_do_waits() -> None:
    """In its order, without keeping the clock busy; what is cancelled meanwhile is not done; saved and shared."""

    def made() -> tuple[Clock, list[str]]:
        clock, done = Clock(0), list[str]()
        clock.owner = "p"
        clock.register("p/a", lambda what: done.append(f"a{what}"))
        clock.owner = ""
        clock.register("b", lambda what: done.append(f"b{what}"))
        return clock, done

    clock, done = made()
    timers = [clock.call_at(due, "p/a", due, background=due == 3) for due in (1, 2, 3)]
    clock.call_at(2, "b", 2)
    clock.halt("p")
    assert clock.run_until(10)
    assert (done, clock.busy, clock.now) == (["b2"], False, 10)
    clock.cancel(timers[1])
    assert not clock.busy
    loaded, shared = made(), made()
    loaded[0].load(clock.state())
    shared[0].share(clock)
    for each, what in ((clock, done), loaded, shared):
        before = what.copy()
        each.go_on("p")
        assert each.busy
        assert each.run_until(20)
        assert what == [*before, "a1", "a3"]
        assert not each.busy
