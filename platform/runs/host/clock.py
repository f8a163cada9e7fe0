"""The clock of a run in its owner's hand: pause, resume, slower and faster, a step to what happens next, a leap.

What is asked is an object with one `action` of `runs.clock.ACTIONS` and what it takes; the answer tells the time, the
speed and, of a step or a leap, what happened and why (`Happening`, as JSON).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from django.db import DatabaseError
from django.utils.translation import gettext as _

from cluster_engine.cluster import Cluster
from cluster_engine.release import release
from cluster_engine.serving import ClusterApp, Driver
from cluster_engine.sim import SECOND, Link, rfc3339
from runs.clock import LEAP_LIMIT, SPEEDS, numbers
from runs.happenings import sentence
from runs.host.conditions import parse
from runs.host.errors import HostError
from runs.host.happening import EVENTS, Happening, matters, told
from runs.host.past import asked
from runs.journal import Moment
from runs.models import Run

logger = logging.getLogger(__name__)

TYPED = {"speed": "speed", "advance": "seconds"}
"""What the terminal's words take: a number."""
PHRASED = {"until": "until", "back": "at"}
"""What they take: all the words that follow."""


class Owner(Protocol):
    """What the clock asks of its run."""

    run_id: Any
    cluster: Cluster
    driver: Driver
    app: ClusterApp

    @property
    def hurries(self) -> bool:
        """Whether time leaps while somebody waits, and stands otherwise."""

    async def in_thread(self, fn: Any, *args: Any) -> Any:
        """What ``fn(*args)`` returns, off the event loop."""

    async def cluster_at(self, moment: Moment) -> Cluster:
        """The cluster as it was. Raises HostError 410 for what cannot be had again."""

    async def note_time(self) -> None:
        """Keep how far the clock has come."""

    def told(self) -> None:
        """Whoever looks at the run is to see its clock anew."""


@dataclass(frozen=True, slots=True)
class Setting:
    """How a clock is set."""

    speed: float
    """0: it stands."""
    resume: float = 0.0
    """The speed to resume at; 0: `speed`."""
    looking: Moment | None = None
    """See `RunClock`."""
    turns: int = 0
    """See `RunClock`."""


class RunClock:
    """See the module."""

    def __init__(self, owner: Owner, setting: Setting) -> None:
        self._owner = owner
        self._speed = setting.resume or setting.speed or 1.0
        """The speed to resume at."""
        self.looking = setting.looking
        """The moment of the past that the terminals look at; None: now."""
        self.turns = setting.turns
        """How often it was set or moved: who shows it looks at this."""
        self._hurries = owner.hurries
        """Whether time goes only while somebody waits: then nobody sets its speed."""
        if not self._hurries:
            owner.driver.set_speed(setting.speed)

    @property
    def setting(self) -> Setting:
        """As it is set now."""
        return Setting(self._owner.driver.speed, self._speed, self.looking, self.turns)

    @property
    def stands(self) -> bool:
        """Whether nothing happens, however long one waits."""
        return not self._hurries and self._owner.driver.speed == 0

    def state(self) -> dict[str, Any]:
        """The time (RFC 3339), the speed (0: it stands), the speed that `resume` goes on at, and the time that the
        terminals look back at ("": they do not)."""
        owner = self._owner
        owner.driver.catch_up()
        return {
            "now": owner.cluster.now,
            "speed": 0.0 if self._hurries else owner.driver.speed,
            "resume": self._speed,
            "looking": rfc3339(self.looking.at_us) if self.looking is not None else "",
        }

    async def act(self, data: dict[str, Any]) -> dict[str, Any]:
        """Does what was asked. Raises `HostError` 400 for what cannot be."""
        action = PERFORMERS.get(str(data.get("action")))
        if action is None:
            raise HostError(
                400,
                _("%(name)s: one of %(known)s, found %(found)r")
                % {"name": "action", "known": ", ".join(PERFORMERS), "found": str(data.get("action"))[:40]},
            )
        if self._hurries and data["action"] in ("pause", "resume", "speed"):
            raise HostError(409, _("Beside a lesson time stands by itself, and goes on while a block runs."))
        await self._owner.driver.roused()
        happened = await action(self, data)
        self.turns += 1
        self._owner.told()
        return {**self.state(), "happened": happened}

    async def typed(self, words: list[str]) -> str:
        """What `time WORD …` of the terminal does, and says in the current language. Raises ValueError."""
        word, *more = words
        data: dict[str, Any] = {"action": word}
        if word in PHRASED:
            data[PHRASED[word]], more = " ".join(more), []
        if len(more) > (word in TYPED):
            raise ValueError(_("too many words after %(word)s") % {"word": word})
        if word in TYPED:
            try:
                data[TYPED[word]] = float(more[0].removesuffix("x" if word == "speed" else "s"))
            except (IndexError, ValueError):
                raise ValueError(_("%(word)s takes a number: time %(word)s 10") % {"word": word}) from None
        try:
            answer = self.state() if word == "now" else await self.act(data)
        except HostError as error:
            raise ValueError(str(error)) from error
        happened = answer.get("happened")
        lines = [sentence(happened)] if happened else []
        if answer["looking"]:
            lines.append(
                _("The terminals look back at %(looking)s; `time return` leads to now again.") % answer
            )
        if answer["speed"] == 0:
            lines.append(_("%(now)s, time stands still") % answer)
        else:
            lines.append(_("%(now)s, time goes at %(speed)gx") % answer)
        return "\n".join(lines)

    async def _pause(self, data: dict[str, Any]) -> None:
        await self._set(0.0)

    async def _resume(self, data: dict[str, Any]) -> None:
        await self._set(self._speed)

    async def _set_speed(self, data: dict[str, Any]) -> None:
        speed = data.get("speed")
        if speed not in SPEEDS or isinstance(speed, bool):
            raise HostError(
                400,
                _("%(name)s: one of %(known)s, found %(found)r")
                % {"name": "speed", "known": ", ".join(numbers()), "found": str(speed)[:40]},
            )
        self._speed = float(speed)
        await self._set(self._speed)

    async def _set(self, speed: float) -> None:
        self._owner.driver.set_speed(speed)
        try:
            await self._owner.in_thread(_keep, self._owner.run_id, speed)
        except DatabaseError as error:
            # It goes at that speed now; a host that takes it over would not know.
            logger.warning("the speed was not kept: %s", error, extra={"run": self._owner.run_id})

    async def _step(self, data: dict[str, Any]) -> Happening | None:
        # Whether anything is to happen a fork finds out: where nothing is, time stays where it was.
        fork = self._owner.cluster.fork()
        try:
            found = await Driver(fork).step(fork.clock.now + round(LEAP_LIMIT * SECOND), matters)
        finally:
            release(fork)
        if not found:
            return None
        return await self._move(LEAP_LIMIT, matters)

    async def _leap(self, data: dict[str, Any]) -> Happening | None:
        seconds = data.get("seconds")
        if (
            not isinstance(seconds, (int, float))
            or isinstance(seconds, bool)
            or not 0 < seconds <= LEAP_LIMIT
        ):
            raise HostError(
                400,
                _("%(name)s: more than 0 and at most %(most)g, found %(found)r")
                % {"name": "seconds", "most": LEAP_LIMIT, "found": str(seconds)[:40]},
            )
        return await self._move(seconds, lambda link: False)

    async def _until(self, data: dict[str, Any]) -> Happening | None:
        cluster = self._owner.cluster
        try:
            condition = parse(cluster, data.get("until"))
        except ValueError as error:
            raise HostError(400, str(error)) from error
        if condition.holds(cluster):
            return None
        fork = cluster.fork()
        reached = await Driver(fork).step(
            fork.clock.now + round(LEAP_LIMIT * SECOND), partial(condition.reached, fork)
        )
        if not reached:
            raise HostError(409, _("Nothing of the kind is to happen within an hour of the cluster's time."))
        return await self._move(LEAP_LIMIT, partial(condition.reached, cluster))

    async def _back(self, data: dict[str, Any]) -> None:
        moment = asked(self._owner.cluster, data.get("at")).moment
        await self._owner.cluster_at(moment)
        self.looking = moment

    async def _return(self, data: dict[str, Any]) -> None:
        self.looking = None

    async def _move(self, seconds: float, wanted: Callable[[Link], bool]) -> Happening | None:
        owner = self._owner
        owner.driver.catch_up()
        found = await owner.app.step(owner.cluster.clock.now + round(seconds * SECOND), wanted)
        await owner.note_time()
        return told(owner.cluster, _telling(found)) if found else None


Action = Callable[[RunClock, dict[str, Any]], Awaitable[Happening | None]]

PERFORMERS: dict[str, Action] = {
    "pause": RunClock._pause,
    "resume": RunClock._resume,
    "speed": RunClock._set_speed,
    "step": RunClock._step,
    "advance": RunClock._leap,
    "until": RunClock._until,
    "back": RunClock._back,
    "return": RunClock._return,
}
"""What each action does."""


def _telling(found: list[Link]) -> Link:
    """The one that says most: an Event has words, what it is about has none."""
    return next((link for link in found if link.resource == EVENTS), found[0])


def _keep(run_id: Any, speed: float) -> None:
    Run.objects.filter(pk=run_id).update(speed=speed)
