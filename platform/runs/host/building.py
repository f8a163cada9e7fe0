"""From a row in the database to a running cluster: booted anew, or replayed from its journal."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.cluster import Cluster
from cluster_engine.shell.vfs import normal
from cluster_engine.sim import BudgetExceeded, Entry, Journal
from cluster_engine.sim.journal import unpack_bytes
from cluster_engine.version import ENGINE_VERSION
from labs.kit import catalog, runner
from runs import journal, registry
from runs.journal import HEADER, Record
from runs.models import Run

logger = logging.getLogger(__name__)

#: The learner's home folder.
HOME = "/home/learner"
#: How much virtual time may be caught up at once: for a run that waited for its boot, and for a rebuilt one, whose
#: clients saw more happen than its last entry tells.
CATCH_UP_US = 30 * 60 * 1_000_000

__all__ = ["ENGINE_VERSION", "BuildError", "Built", "build"]


class BuildError(Exception):
    """The run can be neither booted nor replayed; the message is for its owner."""


@dataclass(slots=True)
class Built:
    """A cluster that is up to date, and where its journal goes on."""

    lab: Any
    cluster: Cluster
    #: By absolute path.
    files: dict[str, bytes]
    #: `seq` in the database = base + `seq` in the engine's journal.
    base: int


def build(run: Run) -> Built:
    """The run's cluster. Raises `BuildError`, or `FencedError` when the run changed hands meanwhile."""
    try:
        lab = catalog.load().lab(run.lab_slug)
    except KeyError:
        raise BuildError(f"The lab {run.lab_slug!r} is not in the course any more.") from None
    history = journal.read(run.pk)
    try:
        if history.records:
            return _replayed(run, lab, history)
        return _booted(run, lab, history)
    except (ApiError, BudgetExceeded, ValueError) as error:
        raise BuildError(f"The lab's cluster could not be built: {error}") from error


def _booted(run: Run, lab: Any, history: journal.History) -> Built:
    cluster = runner.boot(lab, seed=run.seed, start=run.start)
    # The clock goes on from the wall's time: what clients reckon themselves (ages, say) comes out right.
    now_us = int(timezone.now().timestamp() * 1_000_000)
    if cluster.clock.now < now_us <= cluster.clock.now + CATCH_UP_US:
        cluster.advance_to(now_us)
    base = history.next_seq
    records = [Record(base, 0, HEADER, cluster.journal.header)]
    records += [Record(base + e.seq, e.at, e.kind, e.payload) for e in cluster.journal.entries]
    journal.write(run.pk, run.epoch, records)
    registry.forget_clock(run.pk)
    return Built(lab, cluster, starting_files(lab), base)


def _replayed(run: Run, lab: Any, history: journal.History) -> Built:
    header, *rest = history.records
    if header.kind != HEADER:
        raise BuildError("The run's journal has no beginning.")
    entries = [Entry(record.seq - header.seq, record.at_us, record.kind, record.payload) for record in rest]
    cluster = Cluster.replay(Journal(header.payload, entries))
    reached = registry.clock_of(run.pk)
    if cluster.clock.now < reached <= cluster.clock.now + CATCH_UP_US:
        # Its clients saw this much happen. The engine does the same again, so nothing is lost.
        cluster.clock.run_until(reached)
    return Built(lab, cluster, _files(lab, rest), header.seq)


def starting_files(lab: Any) -> dict[str, bytes]:
    """The files that the lab puts into the home folder."""
    return {normal(path, HOME): text.encode("utf-8") for path, text in lab.files.items()}


def _files(lab: Any, records: list[Record]) -> dict[str, bytes]:
    files = starting_files(lab)
    for record in records:
        if record.kind == journal.FILE:
            path, content = str(record.payload["path"]), record.payload.get("content")
            if content is None:
                files.pop(path, None)
            else:
                files[path] = unpack_bytes(content)
    return files
