"""``event``: an Event that the cluster has told of (they are kept for an hour, as in a real one)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import re2

from labs.kit.checking import JSON, Fail, Judge, Reader
from labs.kit.checks.kind import KIND_NAME, LOOK, NAME, NAMESPACE, CheckKind, Context, mapping
from labs.kit.words import Text, join, plain, say


@dataclass(frozen=True)
class EventJudge:
    """Judges whether an Event was seen."""

    reason: str
    kind: str = ""
    name: str = ""
    namespace: str = "default"
    message: str = ""
    seen: bool = True
    look: str = ""

    def judge(self, reader: Reader) -> None:
        """Raises Fail."""
        found = any(self._fits(event) for event in reader.list("events", self.namespace))
        if found is self.seen:
            return
        expected = say("event" if self.seen else "no_event", reason=self.reason, about=self._about())
        told = say("nothing") if self.seen else say("event", reason=self.reason, about="")
        where = f" -n {self.namespace}" if self.namespace != "default" else ""
        look = f"kubectl get events{where} --field-selector=reason={self.reason}"
        raise Fail(expected, told, self.look or look)

    def _fits(self, event: JSON) -> bool:
        about = event.get("involvedObject", {})
        return (
            event.get("reason") == self.reason
            and (not self.kind or about.get("kind") == self.kind)
            and (not self.name or about.get("name") == self.name)
            and (not self.message or re2.search(self.message, event.get("message", "")) is not None)
        )

    def _about(self) -> Text:
        parts = []
        if self.name:
            parts.append(say("event_about", kind=self.kind, name=self.name))
        elif self.kind:
            parts.append(say("event_about_kind", kind=self.kind))
        if self.message:
            parts.append(say("event_saying", text=self.message))
        return join(parts, plain(""))

    def mutants(self) -> Iterator[tuple[str, Judge]]:
        """Any object, any message."""
        if self.name:
            yield "without name", replace(self, name="")
        if self.message:
            yield "without message", replace(self, message="")


def _build(data: Any, context: Context) -> Judge:
    return EventJudge(**data)


KIND = CheckKind(
    "event",
    "An Event that the cluster has told of.",
    mapping(
        ("reason",),
        reason={"type": "string", "description": "the event's reason, like FailedScheduling"},
        kind=KIND_NAME,
        name=NAME,
        namespace=NAMESPACE,
        message={
            "type": "string",
            "format": "regex",
            "description": "a regular expression (RE2) that its message matches",
        },
        seen={"type": "boolean", "description": "false: there must be none"},
        look=LOOK,
    ),
    _build,
)
