"""Fencing: whoever lost a run cannot write its history; and what is committed can be read again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from runs import journal, states
from runs.host.writer import JournalWriter
from runs.journal import FencedError, Record
from runs.models import JournalEntry, Run


def record(seq: int, kind: str = "request", **payload: Any) -> Record:
    return Record(seq, 1000 + seq, kind, payload)


def seqs(run: Run) -> list[int]:
    return list(JournalEntry.objects.filter(run=run).values_list("seq", flat=True))


def test_take_over_raises_the_epoch(run: Run) -> None:
    first, second = journal.take_over(run.pk), journal.take_over(run.pk)
    assert (first.epoch, second.epoch) == (1, 2)


@pytest.mark.parametrize("state", [states.STOPPED, states.EXPIRED, states.FAILED])
def test_a_run_that_is_over_cannot_be_taken(make_run: Callable[..., Run], state: str) -> None:
    run = make_run(state=state)
    with pytest.raises(FencedError):
        journal.take_over(run.pk)


def test_write_and_read(run: Run) -> None:
    epoch = journal.take_over(run.pk).epoch
    strange = {"text": "nul \x00, half a pair \ud800, 中文"}
    journal.write(run.pk, epoch, [record(0, "header", nodes=3), record(1, **strange)])
    history = journal.read(run.pk)
    assert history.records == [record(0, "header", nodes=3), record(1, **strange)]
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


def test_reset_hides_the_past_and_fences_the_host(run: Run) -> None:
    journal.take_over(run.pk)
    journal.write(run.pk, 1, [record(0), record(1)])
    journal.mark_reset(run)
    history = journal.read(run.pk)
    assert (history.records, history.next_seq) == ([], 3)
    with pytest.raises(FencedError):
        journal.write(run.pk, 1, [record(2)])
    assert seqs(run) == [0, 1, 2]


@pytest.mark.django_db(transaction=True)
def test_group_commit_fails_only_the_fenced(make_run: Callable[..., Run]) -> None:
    runs = [make_run() for _ in range(3)]
    for run in runs:
        journal.take_over(run.pk)
    journal.take_over(runs[1].pk)
    writer = JournalWriter()

    async def write_all() -> list[Any]:
        work = [writer.write(run.pk, 1, [record(seq)]) for seq in range(20) for run in runs]
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
