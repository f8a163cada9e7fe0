"""The clock of a run in its owner's hand: pause, resume, slower and faster, a step to what happens next, a leap.

What is asked is an object with one `action` of `runs.clock.ACTIONS` and what it takes; the answer tells the time, the
speed and, of a step or a leap, what happened and why (`Happening`, as JSON). `predict` gives what may come next
(`Choice`s of `runs.host.predicting`); a `step` that says which of them was chosen tells whether it came.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypedDict

from django.db import DatabaseError
from django.utils.translation import gettext as _

from cluster_engine.cluster import Cluster
from cluster_engine.release import release
from cluster_engine.serving import ClusterApp, Driver
from cluster_engine.sim import SECOND, Link, rfc3339
from runs.clock import LEAP_LIMIT, SPEEDS, numbers
from runs.happenings import expectation, sentence
from runs.host.conditions import parse
from runs.host.errors import HostError
from runs.host.happening import EVENTS, Happening, matters, told
from runs.host.past import asked
from runs.host.predicting import Choice, choice_of, choices
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

    def stood(self) -> None:
        """Time stands from now on."""


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


class Outcome(TypedDict, total=False):
    """What an action's answer says beside the time."""

    happened: Happening | None
    """Of a step or a leap."""
    choices: list[Choice]
    """What may come next."""
    came: str
    """Of a step with a guess: the id of the choice that came."""


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
        outcome = await action(self, data)
        if "choices" not in outcome:
            self.turns += 1
            self._owner.told()
        return {**self.state(), "happened": None, **outcome}

    async def typed(self, words: list[str]) -> str:
        """What `time WORD …` of the terminal does, and says in the current language. Raises ValueError."""
        word, *more = words
        data: dict[str, Any] = {"action": word}
        if word in PHRASED:
            data[PHRASED[word]], more = " ".join(more), []
        if word == "step" and more:
            data["guess"] = await self._numbered(more.pop(0))
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
        lines = [f"{number}. {expectation(each)}" for number, each in enumerate(answer.get("choices", ()), 1)]
        if "came" in answer:
            right = answer["came"] == data["guess"]
            lines.append(_("You foresaw it.") if right else _("It came otherwise."))
        if happened:
            lines.append(sentence(happened))
        if answer["looking"]:
            lines.append(
                _("The terminals look back at %(looking)s; `time return` leads to now again.") % answer
            )
        if answer["speed"] == 0:
            lines.append(_("%(now)s, time stands still") % answer)
        else:
            lines.append(_("%(now)s, time goes at %(speed)gx") % answer)
        return "\n".join(lines)

    async def _pause(self, data: dict[str, Any]) -> Outcome:
        stood = self.stands
        outcome = await self._set(0.0)
        if not stood:
            self._owner.stood()  # who begins to wait from now on hears it with the answer
        return outcome

    async def _resume(self, data: dict[str, Any]) -> Outcome:
        return await self._set(self._speed)

    async def _set_speed(self, data: dict[str, Any]) -> Outcome:
        speed = data.get("speed")
        if speed not in SPEEDS or isinstance(speed, bool):
            raise HostError(
                400,
                _("%(name)s: one of %(known)s, found %(found)r")
                % {"name": "speed", "known": ", ".join(numbers()), "found": str(speed)[:40]},
            )
        self._speed = float(speed)
        return await self._set(self._speed)

    async def _set(self, speed: float) -> Outcome:
        self._owner.driver.set_speed(speed)
        try:
            await self._owner.in_thread(_keep, self._owner.run_id, speed)
        except DatabaseError as error:
            # It goes at that speed now; a host that takes it over would not know.
            logger.warning("the speed was not kept: %s", error, extra={"run": self._owner.run_id})
        return {}

    async def _predict(self, data: dict[str, Any]) -> Outcome:
        return {"choices": await self._choices()}

    async def _choices(self) -> list[Choice]:
        self._owner.driver.catch_up()
        fork = self._owner.cluster.fork()
        try:
            return await choices(fork)
        finally:
            release(fork)

    async def _numbered(self, number: str) -> str:
        """The id of that choice, as `time predict` counts them. Raises ValueError."""
        offered = await self._choices()
        if not number.isdecimal() or not 1 <= int(number[:3]) <= len(offered):
            raise ValueError(
                _("%(name)s: a number from 1 to %(most)d, as time predict tells, found %(found)r")
                % {"name": "step", "most": len(offered), "found": number[:40]}
            )
        return offered[int(number[:3]) - 1]["id"]

    async def _step(self, data: dict[str, Any]) -> Outcome:
        guess = data.get("guess")
        if guess is not None:
            offered = await self._choices()
            if guess not in [each["id"] for each in offered]:
                # Something was done since it was chosen, so that something else comes.
                raise HostError(409, _("Something else may come by now: choose once more."))
        # Whether anything is to happen a fork finds out: where nothing is, time stays where it was.
        fork = self._owner.cluster.fork()
        try:
            coming = await Driver(fork).step(fork.clock.now + round(LEAP_LIMIT * SECOND), matters)
        finally:
            release(fork)
        found = await self._move(LEAP_LIMIT, matters) if coming else []
        if guess is None:
            return {"happened": self._told(found)}
        return {"happened": self._told(found), "came": choice_of(self._owner.cluster, found)["id"]}

    async def _leap(self, data: dict[str, Any]) -> Outcome:
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
        return {"happened": self._told(await self._move(seconds, lambda link: False))}

    async def _until(self, data: dict[str, Any]) -> Outcome:
        cluster = self._owner.cluster
        try:
            condition = parse(cluster, data.get("until"))
        except ValueError as error:
            raise HostError(400, str(error)) from error
        if condition.holds(cluster):
            return {}
        fork = cluster.fork()
        reached = await Driver(fork).step(
            fork.clock.now + round(LEAP_LIMIT * SECOND), partial(condition.reached, fork)
        )
        if not reached:
            raise HostError(409, _("Nothing of the kind is to happen within an hour of the cluster's time."))
        return {"happened": self._told(await self._move(LEAP_LIMIT, partial(condition.reached, cluster)))}

    async def _back(self, data: dict[str, Any]) -> Outcome:
        moment = asked(self._owner.cluster, data.get("at")).moment
        await self._owner.cluster_at(moment)
        self.looking = moment
        return {}

    async def _return(self, data: dict[str, Any]) -> Outcome:
        self.looking = None
        return {}

    async def _move(self, seconds: float, wanted: Callable[[Link], bool]) -> list[Link]:
        owner = self._owner
        owner.driver.catch_up()
        found = await owner.app.step(owner.cluster.clock.now + round(seconds * SECOND), wanted)
        await owner.note_time()
        return found

    def _told(self, found: list[Link]) -> Happening | None:
        return told(self._owner.cluster, _telling(found)) if found else None


Action = Callable[[RunClock, dict[str, Any]], Awaitable[Outcome]]

PERFORMERS: dict[str, Action] = {
    "pause": RunClock._pause,
    "resume": RunClock._resume,
    "speed": RunClock._set_speed,
    "step": RunClock._step,
    "advance": RunClock._leap,
    "until": RunClock._until,
    "back": RunClock._back,
    "return": RunClock._return,
    "predict": RunClock._predict,
}
"""What each action does."""


def _telling(found: list[Link]) -> Link:
    """The one that says most: an Event has words, what it is about has none."""
    return next((link for link in found if link.resource == EVENTS), found[0])


def _keep(run_id: Any, speed: float) -> None:
    Run.objects.filter(pk=run_id).update(speed=speed)
