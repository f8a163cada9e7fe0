"""``between``: at every moment from one that is told to another, something held; asked of the cluster's past."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from labs.kit import history
from labs.kit.checking import Fail, Judge, Reader
from labs.kit.checks.kind import CheckKind, Context, mapping
from labs.kit.words import say


@dataclass(frozen=True)
class BetweenJudge:
    """Judges every moment from the first at which ``begin`` holds to the first from there on at which ``end`` does."""

    begin: Any
    """A Judge that is a Snapshot, as the other two are."""
    hold: Any
    end: Any = None
    """None: to now."""

    def judge(self, reader: Reader) -> None:
        """Raises Fail."""
        parts = [part for part in (self.begin, self.hold, self.end) if part is not None]
        kinds = tuple(dict.fromkeys(kind for part in parts for kind in part.kinds()))
        begun, waiting = False, None
        for moment in history.moments(reader.cluster, kinds):
            if not begun:
                waiting = history.failure(self.begin, moment)
                begun = waiting is None
            if not begun:
                continue
            failure = history.failure(self.hold, moment)
            if failure is not None:
                told = say("always_found", found=failure.found)
                raise Fail(say("between", expected=failure.expected), told, failure.look) from failure
            waiting = history.failure(self.end, moment) if self.end is not None else None
            if self.end is not None and waiting is None:
                return
        if waiting is not None:
            raise Fail(waiting.expected, say("never_yet", found=waiting.found), waiting.look) from waiting

    def mutants(self) -> Iterator[tuple[str, Judge]]:
        """Only now; and each weakening of what is asked to hold."""
        yield "only now", self.hold
        for what, mutant in self.hold.mutants():
            yield what, replace(self, hold=mutant)


def _build(data: Any, context: Context) -> Judge:
    end = context.build(data["to"]) if "to" in data else None
    return BetweenJudge(context.build(data["from"]), context.build(data["hold"]), end)


_MOMENT = {"$ref": "#/$defs/moment"}

KIND = CheckKind(
    "between",
    "At every moment from one to another (both are told by a check that holds there first), something held.",
    mapping(
        ("from", "hold"),
        hold={**_MOMENT, "description": "what held at each of these moments"},
        to={**_MOMENT, "description": "what held first at the last of them; to now when it is left out"},
        **{"from": {**_MOMENT, "description": "what held first at the first of them"}},
    ),
    _build,
    of_past=True,
)
