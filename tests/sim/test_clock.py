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


def test_chance_is_the_same_for_a_seed_and_a_name_whatever_else_is_drawn():
    one, two = Chance(7), Chance(7)
    two.stream("other").next()
    assert [one.stream("x").next() for _ in range(3)] == [two.stream("x").next() for _ in range(3)]
    assert Chance(8).stream("x").next() != Chance(7).stream("x").next()


def test_chance_goes_on_from_a_saved_state():
    chance = Chance(1)
    stream = chance.stream("x")
    stream.next()
    saved = json.loads(json.dumps(chance.state()))
    expected = [stream.uid(), stream.suffix(), stream.random()]
    other = Chance(1)
    held = other.stream("x")
    other.load(saved)
    assert [held.uid(), held.suffix(), held.random()] == expected


def test_uids_are_version_4():
    stream = Chance(3).stream("uid")
    for _ in range(50):
        first, second, third, fourth, last = stream.uid().split("-")
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
