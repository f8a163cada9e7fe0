"""From a row in the database to a running cluster: booted anew, or replayed from its journal."""

from __future__ import annotations

import logging
import traceback
import uuid
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError
from django.utils import timezone
from redis.exceptions import RedisError

from cluster_engine.cluster import Cluster
from cluster_engine.sim import Entry, Journal, digest_of
from cluster_engine.sim.journal import unpack_bytes
from cluster_engine.sim.keyframe import KeyframeError
from cluster_engine.terminal.disk import normal
from cluster_engine.version import ENGINE_VERSION
from labs.kit import blocks, runner
from runs import journal, services
from runs.journal import HEADER, FencedError, Record
from runs.models import Run

logger = logging.getLogger(__name__)

#: The learner's home folder.
HOME = "/home/learner"
#: How much virtual time may be caught up at once: for a run that waited for its boot, and for a rebuilt one, whose
#: clients saw more happen than its last entry tells.
CATCH_UP_US = 30 * 60 * 1_000_000
#: Clock events in which that is tried, where nobody knows how far time had come: a few seconds' worth.
CATCH_UP_EVENTS = 20_000

__all__ = ["ENGINE_VERSION", "BuildError", "Built", "build"]


#: Builds that are begun in a row; a run whose builds do not come to an end (their worker dies, say) has failed.
BUILD_LIMIT = 5
#: Characters of a report: of its head, and of the traceback below it.
MESSAGE_LIMIT, REPORT_LIMIT = 2_000, 6_000
#: What is wrong with the machine and not with the run: tried again, up to the limit.
TRANSIENT = (DatabaseError, RedisError, OSError, MemoryError)


class BuildError(Exception):
    """The run can be neither booted nor replayed: the message is for its owner, `report` for instructors."""

    def __init__(self, message: str, report: str) -> None:
        super().__init__(message)
        self.report = report


@dataclass(slots=True)
class Built:
    """A cluster that is up to date, and where its journal goes on."""

    lab: Any
    cluster: Cluster
    #: By absolute path.
    files: dict[str, bytes]
    #: `seq` in the database = base + `seq` in the engine's journal.
    base: int
    #: `seq`, in the engine's journal, of the entry after which a keyframe is kept; 0: there is none.
    framed: int
    #: Bytes that its owner's runs may still keep.
    room: int


def build(run: Run) -> Built:
    """The run's cluster.

    Raises `BuildError` for whatever would go wrong again, `FencedError` when the run changed hands meanwhile, and
    what is TRANSIENT as it is.
    """
    try:
        lab = blocks.lab_of_run(run.lab_slug).variant(run.seed)
    except KeyError:
        text = f"The lab {run.lab_slug!r} is not in the course any more."
        raise BuildError(text, text) from None
    if run.builds > BUILD_LIMIT:
        text = f"The lab's cluster could not be built in {BUILD_LIMIT} attempts."
        raise BuildError(text, f"{text} None of them came to its end.\n{run.report}".strip())
    try:
        history = journal.read(run.pk)
        if history.header is not None:
            return _rebuilt(run, lab, history)
        return _booted(run, lab, history)
    except (FencedError, BuildError, *TRANSIENT):
        raise
    except Exception as error:
        logger.exception("the run's cluster could not be built", extra={"run": run.pk})
        raise BuildError(f"The lab's cluster could not be built: {error}", report_of(run, error)) from error


def report_of(run: Run, error: Exception) -> str:
    """What an instructor, or whoever mends the engine, wants to know."""
    head = (
        f"{type(error).__name__}: {error}\n"
        f"digest {digest_of(error)}, engine {ENGINE_VERSION}, attempt {run.builds}, "
        f"lab {run.lab_slug}, seed {run.seed}, {journal.count(run.pk)} journal entries\n\n"
    )
    # The innermost frames are at the end.
    return head[:MESSAGE_LIMIT] + "".join(traceback.format_exception(error))[-REPORT_LIMIT:]


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
    return Built(lab, cluster, starting_files(lab), base, 0, _room(run))


def _rebuilt(run: Run, lab: Any, history: journal.History) -> Built:
    header = history.header
    if header is None or header.kind != HEADER:
        text = "The run's journal has no beginning."
        raise BuildError(text, text)
    # A keyframe knows the present alone; a lab whose checks ask for the past is lived again, where this engine can.
    lived = lab.keeps_history and header.payload["engine"] == ENGINE_VERSION
    cluster = None if lived else resumed(run.pk, header, history)
    if cluster is None:
        history = journal.read(run.pk, whole=True)
        cluster = Cluster.replay(Journal(header.payload, entries(header, history)))
    # Its clients saw this much happen, and maybe more. The engine does the same again, so nothing is lost.
    _catch_up(cluster, run.reached_us)
    _catch_up(cluster, journal.may_have_reached(run), CATCH_UP_EVENTS)
    changed = journal.with_changes(history.frame.files if history.frame else {}, history.records)
    framed = history.frame.seq - header.seq if history.frame else 0
    return Built(lab, cluster, _files(lab, changed), header.seq, framed, _room(run))


def _catch_up(cluster: Cluster, goal: int, events: int | None = None) -> None:
    if cluster.clock.now < goal <= cluster.clock.now + CATCH_UP_US:
        cluster.clock.run_until(goal, events)


def entries(header: Record, history: journal.History) -> list[Entry]:
    """The records as the engine numbers them."""
    return [Entry(r.seq - header.seq, r.at_us, r.kind, r.payload) for r in history.records]


def resumed(run_id: uuid.UUID, header: Record, history: journal.History) -> Cluster | None:
    """The cluster from its keyframe and the entries since; None when there is none that this engine can read."""
    if history.frame is None:
        return None
    try:
        return Cluster.resume(history.frame.data, entries(header, history))
    except KeyframeError as error:
        # What is lost is time: the journal has everything.
        logger.warning("a keyframe cannot be read: %s", error, extra={"run": run_id})
        return None


def _room(run: Run) -> int:
    return services.bytes_limit(run.user) - Run.objects.owned_by(run.user).kept_bytes()


def starting_files(lab: Any) -> dict[str, bytes]:
    """The files that the lab puts into the home folder."""
    return {normal(path, HOME): text.encode("utf-8") for path, text in lab.files.items()}


def _files(lab: Any, changed: dict[str, Any]) -> dict[str, bytes]:
    files = starting_files(lab)
    for path, content in changed.items():
        if content is None:
            files.pop(path, None)
        else:
            files[path] = unpack_bytes(content)
    return files
