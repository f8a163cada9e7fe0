"""A run goes on from a moment of its past, or on another branch (`runs/branches.py`), and leaves its host for it.

What is asked is an object with one `action`: `branch` (`at` a time or right after a `revision`, as in `past.asked`),
`undo`, `keep` what came of a `whatif` (as `host/whatif.py` takes it), back to where a `step` of the lab began, or
`switch` to a `number`; all but the last take a `name`.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from django.utils.translation import gettext as _

from cluster_engine.cluster import Cluster
from cluster_engine.sim import Entry, rfc3339_micro
from runs import branches
from runs.host import past, steps
from runs.host.clock import RunClock
from runs.host.errors import HostError
from runs.host.whatif import lived
from runs.journal import Record
from runs.models import Branch, Run

PARTING_SECONDS = 0.3
"""From the change until the run leaves its host, so that whoever asked hears of it."""
WORDS = ("branch", "branches", "switch", "undo")
"""Of the terminal's `time`."""


class Owner(Protocol):
    """What is asked of the run."""

    run_id: uuid.UUID
    epoch: int
    cluster: Cluster
    clock: RunClock
    lab: Any

    @property
    def hurries(self) -> bool:
        """Whether it stands beside a lesson."""

    async def keep_present(self) -> None:
        """Write down all that the run is now."""

    async def in_thread(self, fn: Any, *args: Any) -> Any:
        """What ``fn(*args)`` returns, off the event loop."""

    def record_of(self, entry: Entry) -> Record:
        """An entry as it is numbered in the database."""

    def abandon(self) -> None:
        """Let go of it."""


async def act(run: Owner, data: dict[str, Any]) -> dict[str, Any]:
    """The branch that is present now: its `number` and `name`. Raises HostError."""
    if run.hurries:
        raise HostError(409, _("Beside a lesson there are no branches."))
    change: Callable[[], Branch]
    if data.get("action") == "keep":
        await run.keep_present()
        tail = await lived(run.cluster, data.get("whatif") or {})
        records = [run.record_of(entry) for entry in tail]
        change = partial(branches.keep, run.run_id, run.epoch, records, str(data.get("name") or ""))
    else:
        change = _change(run, data)
        await run.keep_present()
    try:
        branch: Branch = await run.in_thread(change)
    except branches.BranchError as error:
        raise HostError(409, str(error)) from error
    asyncio.get_running_loop().call_later(PARTING_SECONDS, run.abandon)
    return {"number": branch.number, "name": branch.name}


def _change(run: Owner, data: dict[str, Any]) -> Callable[[], Branch]:
    name = str(data.get("name") or "")
    match data:
        case {"action": "branch"}:
            asked = past.asked(run.cluster, data.get("at"), data.get("revision") or None)
            return partial(branches.branch_off, run.run_id, run.epoch, asked.moment, name)
        case {"action": "undo"}:
            return partial(branches.undo, run.run_id, run.epoch, name)
        case {"action": "step", "step": str(step)}:
            name = name or steps.name_of(run.lab.steps, step)
            return partial(branches.to_step, run.run_id, run.epoch, step, name)
        case {"action": "switch", "number": int(number)}:
            return partial(branches.switch, run.run_id, run.epoch, number)
    raise HostError(
        400,
        _("%(name)s: one of %(known)s, found %(found)r")
        % {
            "name": "action",
            "known": "branch, undo, keep, step, switch",
            "found": str(data.get("action"))[:40],
        },
    )


async def typed(run: Owner, words: list[str]) -> str:
    """What `time branch` and the like of the terminal do, and say in the current language. Raises ValueError."""
    word, rest = words[0], " ".join(words[1:])
    known = await run.in_thread(_listed, run.run_id)
    if word == "branches":
        return "\n".join(_line(each) for each in known) or _("There is one way only, and no branch.")
    data: dict[str, Any] = {"action": word, "name": rest}
    if word == "branch":
        looking = run.clock.looking
        data["at"] = rfc3339_micro(run.cluster.clock.now if looking is None else looking.at_us)
    if word == "switch":
        found = next((each["number"] for each in known if rest in (str(each["number"]), each["name"])), None)
        if found is None:
            raise ValueError(_("There is no branch %(name)s: `time branches` lists them.") % {"name": rest})
        data["number"] = found
    try:
        branch = await act(run, data)
    except HostError as error:
        raise ValueError(str(error)) from error
    return _("The run goes on, on the branch %(number)d, %(name)s. The terminals begin anew.") % branch


def _listed(run_id: uuid.UUID) -> list[branches.Told]:
    return branches.listed(Run.objects.get(pk=run_id))


def _line(branch: branches.Told) -> str:
    mark = "*" if branch["present"] else " "
    size = f"{branch['kept_bytes'] / 1000:.0f} kB"
    return f"{mark} {branch['number']}  {branch['at'] or '-':20}  {size:>8}  {branch['name']}"
