"""One run in an engine host: its cluster with its clock, its journal's sink, its terminal, its checks."""

from __future__ import annotations

import asyncio
import logging
import secrets
import uuid
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes

from config.doors import Receive, Scope, Send
from django.conf import settings
from django.db import DatabaseError
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from cluster_engine.cluster import Cluster
from cluster_engine.kube_apiserver import ADMIN, UserInfo
from cluster_engine.release import release
from cluster_engine.serving import ClusterApp, Driver, Pacer
from cluster_engine.sim import Entry
from cluster_engine.sim.journal import pack_bytes
from runs import journal, other_states, services
from runs.host import banners, beside, branching, past, past_api, preview, steps
from runs.host.belongings import Belongings
from runs.host.building import Built
from runs.host.checker import Checker
from runs.host.clock import RunClock, Setting
from runs.host.cookies import Jars
from runs.host.copies import Copies, Copy
from runs.host.errors import HostError
from runs.host.framing import Framing
from runs.host.holdings import Holdings
from runs.host.live import Tabs
from runs.host.pasts import Pasts
from runs.host.questions import Questions
from runs.host.resting import Resting
from runs.host.terminal import Terminal
from runs.host.writer import JournalUnavailableError, JournalWriter
from runs.journal import CLOCK, FencedError, JournalFullError, Lot, Record
from runs.models import Run

logger = logging.getLogger(__name__)

#: What is told above it are Kubernetes' own words (apimachinery/pkg/api/errors, NewTooManyRequestsError).
TOO_MANY = gettext_noop("Too many requests, please try again later.")
#: Requests, streams and sockets of one user's runs that a host has under way together.
USER_IN_USE = 300
#: Seconds after which a cluster that has left is taken apart: whoever still looked at it has looked away.
RELEASE_SECONDS = 30.0
#: Pages of a run that are fetched at the same time.
PREVIEWS = 6


def as_owner(scope: Scope) -> UserInfo:
    """Who comes through this port is the owner of the run, and thereby the cluster's administrator."""
    return ADMIN


def weight_of(entry: Entry) -> int:
    """About how many bytes the entry takes in the journal."""
    parts = (
        part
        for value in entry.payload.values()
        for part in (value.values() if isinstance(value, dict) else [value])
    )
    return journal.ROW_BYTES + sum(len(part) for part in parts if isinstance(part, str))


class Host(Protocol):
    """What a run asks of the host that holds it."""

    url: str
    scratch: Path
    writer: JournalWriter
    pacer: Pacer
    tokens: dict[str, HostedRun | Copy]
    ticks: asyncio.Semaphore
    runs: dict[uuid.UUID, HostedRun]
    in_use: Counter[int]
    pasts: Pasts

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Runs it beside everything else, until the host stops."""

    async def in_thread(self, fn: Any, *args: Any) -> Any:
        """What ``fn(*args)`` returns, off the event loop."""

    async def grade(self, lab: Any, fork: Cluster) -> dict[str, Any]:
        """The report of the lab's checks. Raises GradingError."""

    async def written(self, lab: Any, fork: Cluster) -> str:
        """What people wrote since the lab began, as YAML. Raises GradingError."""

    async def pack(self, fork: Cluster) -> bytes:
        """The fork's keyframe."""

    async def drop(self, hosted: HostedRun) -> None:
        """Lets the run go without writing."""

    async def awake(self, run_id: uuid.UUID) -> HostedRun | None:
        """The run, woken if it dozes; None: it is not here."""


@contextmanager
def counted(together: Counter[int], user: int) -> Iterator[None]:
    """One request or socket more of that user's, inside. Raises `HostError` where they are too many."""
    if together[user] >= USER_IN_USE:
        raise HostError(429, _(TOO_MANY))
    together[user] += 1
    try:
        yield
    finally:
        together[user] -= 1
        if not together[user]:
            del together[user]


class HostedRun(Questions, Resting):
    """See the module. Lives in the host's event loop."""

    host: Host

    def __init__(self, host: Host, run: Run, built: Built, kept: Belongings | None = None) -> None:
        """`kept`: what it had when it began to doze."""
        loop = asyncio.get_running_loop()
        self.host = host
        self._run = run
        self.run_id: uuid.UUID = run.pk
        self.epoch: int = run.epoch
        self.lab = built.lab
        self.cluster: Cluster = built.cluster
        self.token = kept.token if kept else secrets.token_urlsafe(32)
        self.last_active = loop.time()
        self.user_id: int = run.user_id
        self.language: str = run.language
        #: How many runs of this user the host keeps awake.
        self.awake_limit = services.awake_limit(run.user)
        self.bytes_limit = services.bytes_limit(run.user)
        #: What the user's runs may still keep, as the database said last, less what was written since.
        self.room = built.room
        self.holdings = Holdings(self.cluster, self._siblings)
        self._base = built.base
        #: Requests and streams under way.
        self.in_use = 0
        #: Those of them that the Kubernetes API answers; they end when the run leaves this host.
        self.serving: set[asyncio.Task[None]] = set()
        self.closed = False
        self._lost = False
        setting = kept.setting if kept else Setting(run.speed)
        self.driver = Driver(
            self.cluster, "max" if self.hurries else setting.speed, pacer=host.pacer, unseen=self._unseen
        )
        self.framing = Framing(host, self, built)
        self.app = ClusterApp(
            self.cluster, driver=self.driver, resolve=as_owner, sink=self._sink, amend=self._amend
        )
        self.clock = RunClock(self, setting)
        self.terminal = kept.terminal if kept else Terminal(self, built.files)
        self.terminal.belongs_to(self)
        self.copies = Copies(self, as_owner)
        self.checker = Checker(self, kept.results if kept else None)
        self.tabs = kept.tabs if kept else Tabs()
        self._previews = asyncio.Semaphore(PREVIEWS)
        self.forecasts = asyncio.Semaphore(1)
        self.lookbacks = asyncio.Semaphore(1)
        self._jars = kept.jars if kept else Jars()
        self._begun: set[str] | None = None
        """The lab's steps whose beginning is kept; None: that has not been looked up."""

    @property
    def hurries(self) -> bool:
        """Whether time leaps while somebody waits, and stands otherwise: beside a lesson."""
        return bool(self.lab.hurries)

    def go_to(self, due: int) -> bool:
        """Somebody sleeps until then (µs): whether time goes there at once."""
        return self.driver.go_to(due)

    @property
    def url(self) -> str:
        """Where its host answers."""
        return self.host.url

    @property
    def scratch(self) -> Path:
        """The folder in which its confined programs get theirs."""
        return self.host.scratch

    # -- life -------------------------------------------------------------------------------------------

    def start(self, since: int | None = None) -> None:
        """Let time run; ``since``: its clock stands at that time of the wall's, and nobody has looked from then on."""
        self.host.tokens[self.token] = self
        self.driver.start(since)
        self.tabs.go_on(self.app, self.checker, self.clock)
        self.framing.start()
        # Nobody is connected yet: what the journal left open has lost its client with the last host.
        orphans = self.cluster.server.sessions.open_names()
        if orphans or self.cluster.outside.open_names():
            self.host.spawn(self.app.hang_up(orphans))

    async def close(self) -> None:
        """Stop everything; the run itself goes on in its journal."""
        if not self.closed:
            self.leave()
            await self.belongings.close()

    def leave(self) -> None:
        """Stop all but what it has beside its cluster."""
        self.closed = True
        self.host.pasts.forget(self.run_id)
        self.host.tokens.pop(self.token, None)
        for task in list(self.serving):
            task.cancel()
        self.checker.close()
        self.driver.stop()
        self.copies.close()
        asyncio.get_running_loop().call_later(RELEASE_SECONDS, release, self.cluster)

    def touch(self) -> None:
        """Somebody is using it."""
        self.last_active = asyncio.get_running_loop().time()
        self._still_until = self._ahead_at = 0.0
        self.driver.rouse()

    def _siblings(self) -> Iterator[Holdings]:
        return (one.holdings for one in self.host.runs.values() if one.user_id == self.user_id)

    @contextmanager
    def used(self) -> Iterator[None]:
        """Somebody asks it something inside. Raises `HostError` where its user does so too often."""
        with counted(self.host.in_use, self.user_id):
            self.in_use += 1
            try:
                yield
            finally:
                self.in_use -= 1

    @property
    def belongings(self) -> Belongings:
        """What it has beside its cluster."""
        return Belongings(
            self.user_id,
            self.token,
            self.terminal,
            self.clock.setting,
            self.checker.results,
            self._jars,
            self.tabs,
        )

    def abandon(self) -> None:
        """It is somebody else's by now, or its journal cannot be trusted: let go, at once and once."""
        if not self._lost:
            self._lost = True
            logger.info(
                "engine dropped: fenced or without a journal", extra={"run": self.run_id, "epoch": self.epoch}
            )
            self.host.spawn(self.host.drop(self))

    # -- the journal ------------------------------------------------------------------------------------

    async def _sink(self, entry: Entry) -> None:
        """Make an entry durable before it takes effect."""
        if self._lost:
            raise FencedError(f"run {self.run_id} is being dropped")
        if entry.seq > settings.RUN_JOURNAL_LIMIT and entry.kind != CLOCK:
            raise JournalFullError(
                _("this lab run has reached its limit of %(limit)d changes; reset the lab to go on")
                % {"limit": settings.RUN_JOURNAL_LIMIT}
            )
        if self.room <= 0 and entry.kind != CLOCK:
            raise JournalFullError(
                _("your labs keep as many bytes as they may; reset this lab, or stop another one, to go on")
            )
        if why := await self.holdings.full(entry):
            raise JournalFullError(why)
        weight = weight_of(entry)
        lot = Lot(self.run_id, self.epoch, [self.record_of(entry)], self._run.branch)
        await self.host.writer.write(lot, weight)
        self.room -= weight
        self.holdings.wrote(weight)
        self.framing.wrote(entry.seq)

    def record_of(self, entry: Entry) -> Record:
        """An entry as it is numbered in the database."""
        return Record(self._base + entry.seq, entry.at, entry.kind, entry.payload)

    def _amend(self, entry: Entry) -> None:
        record = self.record_of(entry)
        self.host.spawn(self._keep_amended(record))

    async def _keep_amended(self, record: Record) -> None:
        try:
            await self.host.writer.do(journal.amend, self.run_id, self.epoch, record)
        except (FencedError, DatabaseError) as error:
            # The larger entry does the same at a replay.
            logger.info("an entry stays as large as it was: %s", error, extra={"run": self.run_id})

    async def note_steps(self, checks: list[dict[str, Any]]) -> None:
        """Keep where the lab's steps begin: those whose forerunners' checks pass now."""
        if self._begun is None:
            self._begun = await self.host.in_thread(steps.known, self.run_id)
        begun = steps.begun(self.lab.steps, {each["id"] for each in checks if each["state"] == "passed"})
        new = [step for step in begun if step not in self._begun]
        if not new:
            return
        try:
            await self.note_time()  # one goes on from an entry
        except (JournalFullError, JournalUnavailableError) as error:
            logger.info("the beginning of a step is not kept: %s", error, extra={"run": self.run_id})
            return
        self._begun |= set(new)
        await self.framing.keep(new)

    async def note_time(self) -> None:
        """Keep how far the clock has come."""
        await self.app.note(CLOCK, {})

    def told(self) -> None:
        """Whoever looks at the run is to see its clock anew."""
        self.tabs.look()

    def stood(self) -> None:
        """Whoever waits in the terminal is told that time stands."""
        with translation.override(self.language):
            self.terminal.warn(str(banners.STANDS))

    async def sleep(self) -> None:
        """Write down what is not written yet: files, and how far the clock has come."""
        if not self._lost:
            await self.terminal.settle()
            self.driver.stop()
            await self.note_time()
            await self.framing.keep()

    def now(self) -> int:
        """The cluster's time, brought to the wall's, µs."""
        self.driver.rouse()
        self.driver.catch_up()
        return self.cluster.clock.now

    async def typed_time(self, words: list[str]) -> str:
        """What `time pause` and the like of the terminal do, and say in the owner's language. Raises ValueError."""
        with translation.override(self.language):
            if words[0] in branching.WORDS:
                return await branching.typed(self, words)
            if words[0] == "diff":
                return await self._typed_diff(words[1:])
            return await self.clock.typed(words)

    async def _typed_diff(self, moments: list[str]) -> str:
        try:
            return other_states.typed(
                await self.compared(dict(zip(("at", "against"), moments, strict=False)))
            )
        except HostError as error:
            raise ValueError(str(error)) from error

    async def inject(self, what: dict[str, Any]) -> None:
        """What `fault` of the terminal does. Raises ValueError."""
        if self.clock.looking is not None:
            raise ValueError(str(past_api.REFUSAL))
        try:
            await self.app.fault(what)
        except (FencedError, JournalFullError, JournalUnavailableError) as problem:
            raise ValueError(str(problem)) from problem

    async def note_file(self, path: str, content: bytes | None) -> None:
        """Keep a file of the learner's; None: it is gone."""
        kept = None if content is None else pack_bytes(content)
        await self.app.note(journal.FILE, {"path": path, "content": kept})

    # -- what its parts and its host ask for --------------------------------------------------------------

    @property
    def ticks(self) -> asyncio.Semaphore:
        """The turn of the host's runs that are graded by themselves."""
        return self.host.ticks

    async def in_thread(self, fn: Any, *args: Any) -> Any:
        """What ``fn(*args)`` returns, off the event loop."""
        return await self.host.in_thread(fn, *args)

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Runs it beside everything else, until the host stops."""
        self.host.spawn(coroutine)

    async def answer(self, scope: Scope, receive: Receive, send: Send, typed: bool) -> None:
        """The Kubernetes API, of now or of the past (`host/past_api.py`); `typed`: one of the run's terminals asks."""
        found = past_api.addressed(scope["raw_path"])
        if found is None and (self.clock.looking is None or not typed):
            if self.clock.stands and banners.waits(scope):
                with translation.override(self.language):
                    send = banners.under(str(banners.STANDS), send)
            await self.app(scope, receive, send)
            return
        with translation.override(self.language):
            moment = self.clock.looking
            if found is not None:
                at, rest = found
                scope = {**scope, "raw_path": rest, "path": unquote_to_bytes(rest).decode("utf-8", "replace")}
                moment = past.asked(self.cluster, at=at).moment
            assert moment is not None
            await past_api.serve(await self.cluster_at(moment), as_owner, scope, receive, send)

    async def branch(self, data: dict[str, Any]) -> dict[str, Any]:
        """Go on from a moment of the past, or on another branch (`host/branching.py`). Raises HostError."""
        return await branching.act(self, data)

    async def keep_present(self) -> None:
        """Write down all that the run is now, so that it goes on from here when it comes back."""
        await self.terminal.settle()
        await self.note_time()
        await self.framing.keep()

    async def run_block(self, data: dict[str, Any], show: beside.Show) -> dict[str, Any]:
        """Run one block of the lesson, and those before it that have not run (`host/beside.py`)."""
        return await beside.run(self, data, show)

    async def be_ready(self) -> dict[str, Any]:
        """Have the lesson's next block answer soon."""
        return await beside.ready(self)

    async def preview(self, data: dict[str, Any]) -> dict[str, Any]:
        """What a Pod or Service answers over HTTP (`host/preview.py`), some at a time."""
        async with self._previews:
            return await preview.fetch(self, preview.Wanted.of(data), self._jars)
