"""A run's checks: when its learner asks, and by themselves while a tab follows and the cluster changes.

By itself a run is graded a moment after a change (of many in a row, once), never for more than a tenth of the time, one
run of the host after the other, in the order in which they changed. What no object tells (a file in a container, say)
is looked for now and then. A result is kept with its time before anybody is told.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypedDict

from django.conf import settings
from django.db import DatabaseError
from django.utils.translation import gettext as _
from grading import reports, standing

from cluster_engine.cluster import Cluster
from cluster_engine.sim import rfc3339_micro
from runs.host.errors import HostError
from runs.host.graders import GradingError
from runs.journal import FencedError

logger = logging.getLogger(__name__)

SETTLE_SECONDS = 0.8
"""From the first change to the grading."""
REST_FACTOR = 9
"""A grading that took t seconds is followed by a rest of this many times t."""
LOOK_SECONDS = 15.0
"""From one grading to the next although nothing has changed, as long as something is not passed."""
UPKEEP = frozenset({"leases.coordination.k8s.io", "events", "events.events.k8s.io"})
"""Resources that change all the time and that no check is about."""
VERDICTS_KEPT = 120
"""Times at which a check came to another result, the last ones."""


class Verdict(TypedDict):
    """From when on a check had this result."""

    at: str
    title: dict[str, str]
    """By language."""
    state: str


class Owner(Protocol):
    """What a checker asks of its run."""

    run_id: uuid.UUID
    epoch: int
    cluster: Cluster

    @property
    def ticks(self) -> asyncio.Semaphore:
        """The turn of runs that are graded by themselves."""

    async def grade(self) -> dict[str, Any]:
        """The report of all checks on the cluster as it is now. Raises GradingError."""

    async def note_steps(self, checks: list[dict[str, Any]]) -> None:
        """Keep where the lab's steps begin, by these results."""

    async def in_thread(self, fn: Any, *args: Any) -> Any:
        """What ``fn(*args)`` returns, off the event loop."""

    def now(self) -> int:
        """The cluster's time, brought to the wall's, µs."""

    def spawn(self, coroutine: Any) -> None:
        """Runs it beside everything else."""


@dataclass(slots=True)
class Results:
    """What was found out since the run came to its host."""

    latest: dict[str, Any] | None = None
    """The last result, with its time."""
    verdicts: deque[Verdict] = field(default_factory=lambda: deque(maxlen=VERDICTS_KEPT))
    """When a check came to another result."""
    states: dict[str, str] = field(default_factory=dict)
    """The last one of each check."""


class Checker:
    """See the module. Lives in the host's event loop."""

    def __init__(self, run: Owner, results: Results | None = None) -> None:
        self._run = run
        self.results = results or Results()
        self._asked = False
        self._followers: list[Callable[[], None]] = []
        self._watchers: list[Any] = []
        self._timer: asyncio.TimerHandle | None = None
        self._rest_until = 0.0
        self._owes = False
        self.busy = False
        """Whether a grading is under way."""

    # -- when asked -------------------------------------------------------------------------------------

    async def check(self) -> dict[str, Any]:
        """Grade the cluster as it is. On a fork, in another process: neither the learner nor the neighbours notice.

        Raises `HostError`.
        """
        if self._asked:
            raise HostError(409, _("A check is running already."))
        self._asked = True
        try:
            work = asyncio.ensure_future(self._grade(asked=True))
            try:
                return await asyncio.wait_for(asyncio.shield(work), settings.CHECK_SECONDS)
            except TimeoutError:
                raise HostError(
                    504,
                    _("The check took longer than %(seconds)d seconds and was given up.")
                    % {"seconds": settings.CHECK_SECONDS},
                ) from None
            except GradingError as error:
                raise HostError(504, _("The checks came to no result: %(why)s.") % {"why": error}) from error
            except DatabaseError as error:
                raise HostError(503, _("The result could not be kept; try again.")) from error
        finally:
            self._asked = False

    async def _grade(self, asked: bool) -> dict[str, Any]:
        run = self._run
        self._owes = False
        self._tell(busy=True)
        loop = asyncio.get_running_loop()
        began = loop.time()
        at_us = run.now()
        try:
            report = await run.grade()
            await run.note_steps(report["checks"])
            self._note(at_us, report["checks"])
            latest = self.results.latest
            if asked or latest is None or latest["checks"] != report["checks"]:
                latest = await run.in_thread(standing.record, run.run_id, run.epoch, report, asked)
                self.results.latest = latest
        finally:
            now = loop.time()
            self._rest_until = now + REST_FACTOR * (now - began)
            self._tell(busy=False)
        return latest

    def _note(self, at_us: int, checks: list[dict[str, Any]]) -> None:
        for check in checks:
            if self.results.states.get(check["id"]) != check["state"]:
                self.results.states[check["id"]] = check["state"]
                at = rfc3339_micro(at_us)
                self.results.verdicts.append(Verdict(at=at, title=check["title"], state=check["state"]))

    def _tell(self, busy: bool) -> None:
        self.busy = busy
        for wake in self._followers:
            wake()

    # -- by itself --------------------------------------------------------------------------------------

    @property
    def owes(self) -> bool:
        """Whether a grading is under way, or to come because something has changed."""
        return self.busy or self._owes

    def follow(self, wake: Callable[[], None], seconds: float = 0.0) -> None:
        """Somebody looks: `wake` is called when `busy` or `latest` has changed; first graded in so many seconds."""
        if not self._followers:
            cluster = self._run.cluster
            names = [
                kind.group_resource for kind in cluster.scheme.kinds if kind.group_resource not in UPKEEP
            ]
            self._watchers = [cluster.store.watch(name, None, self._changed) for name in names]
            self._owes = True
            self._later(seconds)
        self._followers.append(wake)

    def leave(self, wake: Callable[[], None]) -> None:
        """Somebody looks away."""
        if wake in self._followers:
            self._followers.remove(wake)
        if not self._followers:
            self.close()

    def close(self) -> None:
        """Nothing happens by itself any more."""
        self._owes = False
        for watcher in self._watchers:
            watcher.cancel()
        self._watchers.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _changed(self, event: object) -> None:
        # Inside a write: only note it down.
        self._owes = True
        self._later(SETTLE_SECONDS)

    def _later(self, seconds: float) -> None:
        """Grade in so many seconds, or when the rest is over; an earlier appointment stands."""
        loop = asyncio.get_running_loop()
        due = loop.time() + max(seconds, self._rest_until - loop.time())
        if self._timer is not None:
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = loop.call_at(due, self._begin)

    def _begin(self) -> None:
        self._timer = None
        self._run.spawn(self._tick())

    async def _tick(self) -> None:
        async with self._run.ticks:
            if not self._followers:
                return
            if not self._asked:
                try:
                    await self._grade(asked=False)
                except (DatabaseError, FencedError, GradingError) as error:
                    logger.warning("no result of checks: %s", error, extra={"run": self._run.run_id})
        if self._followers and not (self.results.latest or {}).get("passed"):
            self._later(LOOK_SECONDS)


class ChecksChannel:
    """A tab's channel `checks`: `follow` {on, language}; `checking` {on} and `report` come, the last state alone."""

    def __init__(self, checker: Checker, wake: Callable[[], None]) -> None:
        self._checker = checker
        self._wake = wake
        self._language = ""
        self._busy = False
        self._told: dict[str, Any] | None = None

    async def receive(self, message: dict[str, Any]) -> None:
        """`follow`. Raises ValueError."""
        on, language = message.get("on"), message.get("language")
        if message.get("type") != "follow" or not isinstance(on, bool) or not isinstance(language, str):
            raise ValueError("checks are followed, or not")
        self.close()
        self._language, self._busy, self._told = language, False, None
        if on:
            self._checker.follow(self._wake)
            self._wake()

    def take(self) -> str | bytes | None:
        """What has changed since the last time."""
        if not self._language:
            return None
        latest, busy = self._checker.results.latest, self._checker.busy
        if latest is not None and latest is not self._told:
            self._told = latest
            return json.dumps({"ch": "checks", "type": "report", **reports.localize(latest, self._language)})
        if busy is not self._busy:
            self._busy = busy
            return json.dumps({"ch": "checks", "type": "checking", "on": busy})
        return None

    def rest(self) -> Any:
        """What was told last; None: they are not followed."""
        left = (self._language, self._told) if self._language else None
        self.close()
        return left

    def go_on(self, left: Any) -> None:
        """What has changed by now, or is looked for now and then, is graded soon."""
        if left is not None:
            self._language, self._told = left
            self._checker.follow(self._wake, SETTLE_SECONDS)

    def close(self) -> None:
        """The tab looks away."""
        self._checker.leave(self._wake)
        self._language = ""
