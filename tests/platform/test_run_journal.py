"""Fencing: whoever lost a run cannot write its history; and what is committed can be read again."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from runs import journal, keyframes, states
from runs.host import writer as writing
from runs.host.writer import JournalWriter, Turns, _by_owner, _Order, checkpoint
from runs.journal import FencedError, Lot, Record
from runs.keyframes import State
from runs.models import JournalEntry, Keyframe, Run


def record(seq: int, kind: str = "request", **payload: Any) -> Record:
    return Record(seq, 1000 + seq, kind, payload)


def seqs(run: Run) -> list[int]:
    return list(JournalEntry.objects.filter(run=run).values_list("seq", flat=True))


def test_take_over_raises_the_epoch(run: Run) -> None:
    first, second = journal.take_over(run.pk), journal.take_over(run.pk)
    assert (first.epoch, second.epoch) == (1, 2)


@pytest.mark.parametrize("state", [states.STOPPED, states.FAILED])
def test_a_run_that_is_over_cannot_be_taken(make_run: Callable[..., Run], state: str) -> None:
    run = make_run(state=state)
    with pytest.raises(FencedError):
        journal.take_over(run.pk)


def test_write_and_read(run: Run) -> None:
    epoch = journal.take_over(run.pk).epoch
    strange = {"text": "nul \x00, half a pair \ud800, 中文"}
    journal.write(run.pk, epoch, [record(0, "header", nodes=3), record(1, **strange)])
    history = journal.read(run.pk)
    assert (history.header, history.records) == (record(0, "header", nodes=3), [record(1, **strange)])
    assert history.next_seq == 2


FENCED = [
    ("an old epoch", lambda run: journal.take_over(run.pk), 1, 5),
    ("a place that is taken", lambda run: None, 1, 0),
    ("a run that was stopped", lambda run: Run.objects.filter(pk=run.pk).update(state=states.STOPPED), 1, 5),
    ("a run that is gone", lambda run: Run.objects.filter(pk=run.pk).delete(), 1, 5),
    ("an epoch that never was", lambda run: None, 7, 5),
]


@pytest.mark.parametrize(
    ("event", "epoch", "seq"), [row[1:] for row in FENCED], ids=[row[0] for row in FENCED]
)
def test_fenced(run: Run, event: Any, epoch: int, seq: int) -> None:
    journal.take_over(run.pk)
    journal.write(run.pk, 1, [record(0)])
    event(run)
    before = JournalEntry.objects.count()
    with pytest.raises(FencedError):
        journal.write(run.pk, epoch, [record(seq)])
    assert JournalEntry.objects.count() == before


def test_reset_drops_the_past_and_fences_the_host(run: Run) -> None:
    journal.take_over(run.pk)
    journal.write(run.pk, 1, [record(0), record(1)])
    keyframes.keep(run.pk, 1, State(1, b"state"))
    journal.begin_anew(run)
    assert journal.read(run.pk) == journal.History(None, None, [], 0)
    with pytest.raises(FencedError):
        journal.write(run.pk, 1, [record(2)])
    assert seqs(run) == []
    assert kept(run) == 0


def kept(run: Run) -> int:
    return Run.objects.values_list("kept_bytes", flat=True).get(pk=run.pk)


def test_what_a_run_keeps_is_counted(run: Run) -> None:
    journal.take_over(run.pk)
    journal.write(run.pk, 1, [record(0, "header"), record(1, text="x" * 1000)])
    written = kept(run)
    assert 1000 + 2 * journal.ROW_BYTES < written < 1100 + 2 * journal.ROW_BYTES
    for data in (b"x" * 500, b"x" * 300):
        keyframes.keep(run.pk, 1, State(1, data))
        files = len(Keyframe.objects.get(run=run).files)
        assert kept(run) == written + len(data) + files
    assert journal.forget(run.pk) == 2
    assert kept(run) == 0


def test_a_keyframe_has_the_files_of_its_moment(run: Run) -> None:
    journal.take_over(run.pk)
    changes = [("a", "1"), ("b", "1"), ("a", "2"), ("b", None), ("a", "3")]
    rows = [
        record(n, "file", path=path, content=content) for n, (path, content) in enumerate(changes, start=1)
    ]
    journal.write(run.pk, 1, [record(0, "header"), *rows])
    for seq, files in ((2, {"a": "1", "b": "1"}), (4, {"a": "2", "b": None})):
        keyframes.keep(run.pk, 1, State(seq, b"state"))
        history = journal.read(run.pk)
        assert history.frame == journal.Frame(seq, 0, b"state", files)
        assert [row.seq for row in history.records] == list(range(seq + 1, 6))
    keyframes.keep(run.pk, 1, State(2, b"older"))
    assert journal.read(run.pk).frame == journal.Frame(4, 0, b"state", files)
    assert journal.with_changes(files, history.records) == {"a": "3", "b": None}
    assert [row.seq for row in journal.read(run.pk, whole=True).records] == [1, 2, 3, 4, 5]


@pytest.mark.django_db(transaction=True)
def test_group_commit_fails_only_the_fenced(make_run: Callable[..., Run]) -> None:
    runs = [make_run() for _ in range(3)]
    for run in runs:
        journal.take_over(run.pk)
    journal.take_over(runs[1].pk)
    writer = JournalWriter()

    async def write_all() -> list[Any]:
        work = [writer.write(Lot(run.pk, 1, [record(seq)])) for seq in range(20) for run in runs]
        # Begun before the writer runs, so that they share transactions.
        tasks = [asyncio.ensure_future(one) for one in work]
        await asyncio.sleep(0)
        writer.start()
        return await asyncio.gather(*tasks, return_exceptions=True)

    results = asyncio.run(write_all())
    writer.stop()
    assert [type(result) for result in results] == [type(None), FencedError, type(None)] * 20
    assert seqs(runs[0]) == seqs(runs[2]) == list(range(20))
    assert seqs(runs[1]) == []


@pytest.mark.django_db(transaction=True)
def test_what_nobody_waits_for_takes_turns_with_entries(run: Run) -> None:
    """Two writers of one process never meet in the database, where one of them would be put to sleep."""
    journal.take_over(run.pk)
    writer = JournalWriter()
    writer.start()
    writing, most = 0, 0

    def busy(execute: Any, *args: Any) -> Any:
        nonlocal writing, most
        writing += 1
        most = max(most, writing)
        try:
            time.sleep(0.0005)
            return execute(*args)
        finally:
            writing -= 1

    def errand(number: int) -> int:
        with connection.execute_wrapper(busy):
            keyframes.keep(run.pk, 1, State(number, b"state"))
        return number

    commit = writer._commit

    def watched(batch: Any) -> None:
        with connection.execute_wrapper(busy):
            commit(batch)

    writer._commit = watched  # type: ignore[method-assign]

    async def both() -> list[Any]:
        entries = [writer.write(Lot(run.pk, 1, [record(seq)])) for seq in range(20)]
        return await asyncio.gather(*entries, *(writer.do(errand, number) for number in range(20)))

    results = asyncio.run(both())
    writer.stop()
    assert results == [None] * 20 + list(range(20))
    assert most == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL checkpoints by itself")
def test_no_entry_waits_for_a_checkpoint(run: Run) -> None:
    """More pages than those after which SQLite has a commit bring them into the file are left to `checkpoint`."""
    journal.take_over(run.pk)
    writer = JournalWriter()
    writer.start()

    async def write_all() -> None:
        for seq in range(30):
            await writer.write(Lot(run.pk, 1, [record(seq, body="x" * 200_000)]))

    checkpoint()
    asyncio.run(write_all())
    with connection.cursor() as cursor:
        _busy, logged, brought = cursor.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    assert logged > 1_200, "no commit had begun the log anew"
    assert brought == logged
    writer.stop()
    assert seqs(run) == list(range(30))


KILLED = """
import asyncio, sys, uuid
import django
django.setup()
from runs.host.writer import JournalWriter
from runs.journal import Lot, Record
from runs.keyframes import State

writer, run = JournalWriter(), uuid.UUID(sys.argv[1])
writer.start()

async def frames():
    seq = 0
    while True:
        seq += 1
        await writer.keep(run, 1, State(seq, bytes([seq % 256]) * 2_000_000, seq, 1))
        print("keyframe", seq, flush=True)

async def main():
    keeping = asyncio.ensure_future(frames())
    for seq in range(10_000):
        await writer.write(Lot(run, 1, [Record(seq, seq, "request", {"body": "x" * 20_000})]))
        print("entry", seq, flush=True)

asyncio.run(main())
"""


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="of SQLite's log")
def test_who_is_killed_before_a_checkpoint_loses_nothing(run: Run) -> None:
    journal.take_over(run.pk)
    environment = {
        **os.environ,
        "DRYDOCK_EMBEDDED": "1",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DRYDOCK_DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
        "PYTHONPATH": os.pathsep.join([str(settings.ROOT), str(settings.ROOT / "platform")]),
    }
    command = [sys.executable, "-c", KILLED, str(run.pk)]
    host = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert host.stdout is not None
    told: list[list[str]] = []
    while not (["entry", "30"] in told and ["keyframe", "9"] in told):
        told.append(host.stdout.readline().split())
    host.kill()  # a keyframe is on its way at any time
    told += [line.split() for line in host.stdout.read().splitlines()]
    host.wait()
    acknowledged = {
        what: max(int(row[1]) for row in told if row[0] == what) for what in ("entry", "keyframe")
    }
    written = seqs(run)
    assert written == list(range(len(written)))
    assert len(written) > acknowledged["entry"]
    frames = list(Keyframe.objects.filter(run=run))
    assert frames[-1].seq >= acknowledged["keyframe"]
    assert {bytes(frame.data) == bytes([frame.seq % 256]) * 2_000_000 for frame in frames} == {True}
    entries = JournalEntry.objects.filter(run=run).values_list("payload", flat=True)
    assert kept(run) == (
        sum(len(text) + journal.ROW_BYTES for text in entries) + sum(frame.size for frame in frames)
    )
    history = journal.read(run.pk)
    assert history.frame is not None
    assert history.frame.data == frames[-1].data


def test_an_entry_may_become_smaller(run: Run) -> None:
    journal.take_over(run.pk)
    journal.write(run.pk, 1, [record(0, "header"), record(1, body="x" * 9_000), record(2)])
    before = kept(run)
    journal.amend(run.pk, 1, record(1, "refused", path="/"))
    assert before - kept(run) == len('{"body": ""}') + 9_000 - len('{"path": "/"}')
    assert [row.kind for row in journal.read(run.pk).records] == ["refused", "request"]
    journal.take_over(run.pk)
    with pytest.raises(FencedError):
        journal.amend(run.pk, 1, record(2, "refused"))


@pytest.mark.django_db(transaction=True)
def test_who_holds_several_rows_takes_them_in_one_order(make_run: Callable[..., Run]) -> None:
    """A journal's batch and the janitor's round touch the same runs: in two orders they would wait for each other."""
    runs = [make_run() for _ in range(8)]
    for run in runs:
        journal.take_over(run.pk)
    lots = _by_owner([Lot(run.pk, 1, [record(seq)]) for seq in range(2) for run in runs])
    assert [lot.run_id for lot in lots] == sorted(run.pk for run in runs)
    assert all([row.seq for row in lot.records] == [0, 1] for lot in lots)


#: Orders that come, run and bytes, and what is committed together; "|": meanwhile a commit begins.
TURNS = [
    ("what gathers goes together", "a1 b1 c1", ["a1 b1 c1"]),
    ("each run's in their order", "a1 a2 b1", ["a1 b1 a2"]),
    ("who writes without end waits for who came meanwhile", "a1 a2 | a3 b1 |", ["a1 a2", "a3 b1"]),
    ("who comes meanwhile is before who had his turn", "a90 a91 | b1 |", ["a90", "b1", "a91"]),
    ("what is large goes alone", "a1 b90 c1", ["a1", "b90", "c1"]),
    ("no more than a batch", "a1 b1 c1 d1 e1", ["a1 b1 c1 d1", "e1"]),
]


@pytest.mark.parametrize(("come", "committed"), [row[1:] for row in TURNS], ids=[row[0] for row in TURNS])
def test_runs_take_turns(come: str, committed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "BATCH", 4)
    monkeypatch.setattr(writing, "BATCH_BYTES", 80)
    ids = {name: uuid.UUID(int=number) for number, name in enumerate("abcde")}
    turns = Turns()
    loop = asyncio.new_event_loop()
    found = []

    def take() -> None:
        found.append(" ".join(order.lot.records[0].kind for order in turns.take()))

    for word in come.split():
        if word == "|":
            take()
        else:
            lot = Lot(ids[word[0]], 1, [record(0, word)])
            turns.add(_Order(lot, int(word[1:]), loop, loop.create_future()))
    while turns.count:
        take()
    loop.close()
    assert found == committed


@pytest.mark.django_db(transaction=True)
def test_a_commit_opens_no_connection_and_asks_little(make_run: Callable[..., Run]) -> None:
    """Each statement is a turn that the interpreter's other threads may take: a few, however many runs write."""
    runs = [make_run() for _ in range(3)]
    for run in runs:
        journal.take_over(run.pk)
    writer = JournalWriter()
    asked: list[str] = []
    connections = set()

    def note(execute: Any, sql: str, *args: Any) -> Any:
        asked.append(sql.split()[0])
        return execute(sql, *args)

    commit = writer._commit

    def watched(batch: Any) -> None:
        with connection.execute_wrapper(note):
            commit(batch)
        connections.add(id(connection.connection))

    writer._commit = watched  # type: ignore[method-assign]
    writer.start()
    asyncio.run(writer.write(Lot(runs[0].pk, 1, [record(0)])))
    asked.clear()
    for seq in range(1, 4):
        for run in runs:
            asyncio.run(writer.write(Lot(run.pk, 1, [record(seq)], branch=0)))
    writer.stop()
    assert len(connections) == 1
    # PostgreSQL's client begins a transaction by itself.
    assert [word for word in asked if word != "BEGIN"] == ["UPDATE", "INSERT"] * 9
    assert [seqs(run) for run in runs] == [[0, 1, 2, 3], [1, 2, 3], [1, 2, 3]]


def test_a_place_that_is_taken_costs_one_of_a_batch(make_run: Callable[..., Run]) -> None:
    runs = sorted((make_run() for _ in range(3)), key=lambda run: run.pk)
    for run in runs:
        journal.take_over(run.pk)
        journal.write(run.pk, 1, [record(0)])
    before = [kept(run) for run in runs]
    lots = [Lot(run.pk, 1, [record(seq)]) for run, seq in zip(runs, (1, 0, 1), strict=True)]
    assert list(journal.write_together(lots)) == [(runs[1].pk, 1)]
    assert [seqs(run) for run in runs] == [[0, 1], [0], [0, 1]]
    assert [kept(run) > was for run, was in zip(runs, before, strict=True)] == [True, False, True]


#: The last entry's kind and how long ago it was written, how long ago the janitor noted how far time had come and how
#: far that was, and what may have been reached, in seconds after the entry; None: as noted.
REACHED = [
    ("asleep", "clock", 600, 610, -5, None),
    ("asleep, and noted too late", "clock", 600, 590, -5, None),
    ("awake again", "clock", 600, 20, 90, 110),
    ("died after a write", "request", 3, 8, -5, 3),
    ("died while it was read", "request", 300, 4, 90, 94),
    ("died before anybody noted anything", "request", 3, None, 0, 3),
    ("a clock that went back", "request", -50, None, 0, 0),
]


@pytest.mark.parametrize(
    ("kind", "written", "noted", "seen", "reached"),
    [row[1:] for row in REACHED],
    ids=[row[0] for row in REACHED],
)
def test_how_far_time_may_have_come(
    run: Run, kind: str, written: int, noted: int | None, seen: int, reached: int | None
) -> None:
    at, now = 1_000_000_000, timezone.now()
    entry = JournalEntry.objects.create(run=run, epoch=1, seq=1, at_us=at, kind=kind, payload="{}")
    JournalEntry.objects.filter(pk=entry.pk).update(written=now - timedelta(seconds=written))
    run.reached_us = at + seen * 1_000_000 if noted is not None else 0
    run.last_active = now - timedelta(seconds=noted if noted is not None else 1_000)
    if reached is not None:
        run.speed = 0.0
        assert journal.may_have_reached(run) == (at if noted is None or noted > written else run.reached_us)
        run.speed = 1.0
    wanted = run.reached_us if reached is None else at + reached * 1_000_000
    assert wanted <= journal.may_have_reached(run) < wanted + 60_000_000
