"""The request trail: what each request from outside met on its way, station by station.

Who asked, which rule let them, what defaults and each admission plugin changed, what validation said, what was
written and how many watches were told. The record tells and decides nothing, so it is no part of the cluster's
state: a fork takes it over, a replay makes it again for what is in the journal, and a cluster that is restored begins
with none. Components in this process are not recorded: why they write is told by `sim/causes.py`.

Models k8s.io/apiserver/pkg/audit (Event) and the traces of its handlers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import orjson

from cluster_engine.apimachinery import typed
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError
from cluster_engine.apimachinery.field_sets import outermost
from cluster_engine.apimachinery.schema import Struct
from cluster_engine.sim import Causes, Chance, Link, rfc3339_micro

KEPT = 256
"""Requests that are remembered; the oldest are forgotten first."""
PATHS_KEPT = 32
"""Field paths, problems or writes that one station of a record lists; one more stands for the rest."""
TEXT_KEPT = 300
"""Characters of a path, of the user agent or of a message."""
BODY_READ = 65_536
"""Bytes of a failure's body that are read for its message; of a longer one nothing is (reading it takes many times its
size in memory)."""
LEFT_FOR_LATER = 16_384
"""Bytes of a written object up to which its record holds it, and compares what was changed when somebody asks."""
ID_KEPT = 64
"""Characters of an audit id that a client brings."""
AUDIT_ID = "audit-id"
"""The header of the answer by which a request is found again."""
_REST = "…"
_SWITCHED = 101


class Difference:
    """What two states of an object differ in. Objects are never changed in place, so it can be found out later."""

    __slots__ = ("_pair", "_paths")

    def __init__(self, schema: Struct | None, old: JSON, new: JSON) -> None:
        self._paths: list[str] = []
        self._pair = None if old is new else (schema, old, new)

    def paths(self) -> list[str]:
        """See ``changed_paths``; the objects are let go."""
        if self._pair is not None:
            self._paths, self._pair = changed_paths(*self._pair), None
        return self._paths


_NONE: JSON = {}
_NO_DIFFERENCE = Difference(None, _NONE, _NONE)


@dataclass(slots=True)
class Station:
    """One admission plugin that was asked; ``refused`` is why it let nothing through."""

    plugin: str
    phase: str
    changed: Difference = _NO_DIFFERENCE
    refused: str = ""

    def as_data(self) -> JSON:
        return {
            "plugin": self.plugin,
            "phase": self.phase,
            "changed": list(self.changed.paths()),
            "refused": self.refused,
        }


@dataclass(slots=True)
class Record:
    """One request. Filled in on its way, never changed after its reply."""

    method: str
    path: str
    agent: str
    entry: int
    """The number of its journal entry; 0: it changed nothing."""
    at: int
    id: str = ""
    user: JSON = field(default_factory=dict)
    verb: str = ""
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    decision: str = ""
    reason: str = ""
    defaulted: Difference = _NO_DIFFERENCE
    admission: list[Station] = field(default_factory=list)
    annotations: dict[str, str] = field(default_factory=dict)
    """What admission notes for the audit log."""
    validation: str = ""
    problems: list[str] = field(default_factory=list)
    size: int = 0
    """Bytes of the object that was written, or would have been in a dry run."""
    writes: list[JSON] = field(default_factory=list)
    code: int = 0
    message: str = ""
    passed: list[dict[str, str]] = field(default_factory=list)
    """Where it was passed on to from the API server, in order (``NodeAPI.way``); none: it ended there."""
    flow: dict[str, str] = field(default_factory=dict)
    """What the answer says of priority and fairness."""

    def decided(self, allowed: bool, reason: str) -> None:
        """What the authorizers said, as upstream annotates its audit events."""
        self.decision, self.reason = "allow" if allowed else "forbid", reason

    def was_defaulted(self, schema: Struct | None, old: JSON, new: JSON) -> None:
        """What the defaults of the kind filled in."""
        self.defaulted = Difference(schema, old, new)

    def mutated(self, plugin: str, schema: Struct | None, old: JSON, new: JSON) -> None:
        """A mutating plugin was asked; perhaps it changed something."""
        self.admission.append(Station(plugin, "mutating", Difference(schema, old, new)))

    def was_asked(self, plugin: str, phase: str, refused: str = "") -> None:
        """A plugin was asked and let it through, or refused it."""
        self.admission.append(Station(plugin, phase, refused=refused[:TEXT_KEPT]))

    def annotate(self, key: str, value: str) -> None:
        """Notes something for the audit log; what is noted first stays (AddAnnotation)."""
        if len(self.annotations) < PATHS_KEPT:
            self.annotations.setdefault(key, value)

    def validated(self, problems: Sequence[FieldError]) -> None:
        """What validation found."""
        self.validation = "failed" if problems else "passed"
        self.problems = _shortened(str(problem)[:TEXT_KEPT] for problem in problems)

    def compare(self) -> None:
        """Finds out what was changed, so that the record holds no object any more."""
        self.defaulted.paths()
        for station in self.admission:
            station.changed.paths()

    @property
    def revision(self) -> int:
        """Of the last write; 0: nothing was written."""
        return self.writes[-1]["revision"] if self.writes else 0

    def as_data(self) -> JSON:
        """All of it, as JSON."""
        shown: JSON = {name: getattr(self, name) for name in _PLAIN}
        return {
            **shown,
            "at": rfc3339_micro(self.at),
            "user": dict(self.user),
            "defaulted": list(self.defaulted.paths()),
            "admission": [station.as_data() for station in self.admission],
            "problems": list(self.problems),
            "passed": [dict(hop) for hop in self.passed],
            "writes": [dict(write) for write in self.writes],
            "revision": self.revision,
        }


_PLAIN = (
    "id", "entry", "method", "path", "agent", "verb", "group", "version", "resource", "subresource", "namespace",
    "name", "decision", "reason", "validation", "code", "message",
)  # fmt: skip

Told = Callable[[str, int], int]
"""How many watches were told of the change of a resource that has this revision."""


class Trail:
    """The latest requests to one cluster."""

    def __init__(self, causes: Causes, chance: Chance, told: Told) -> None:
        self._causes = causes
        self._chance = chance
        self._told = told
        self._kept: deque[Record] = deque(maxlen=KEPT)
        self._reads = 0
        """How many were kept that are in no journal: their ids follow from it."""

    def identified(self, record: Record, given: str = "") -> str:
        """The audit id of the request: the client's own, else one that follows from its place in the journal."""
        if not record.id:
            if not record.entry:
                self._reads += 1
            key = record.entry or -self._reads
            record.id = given[:ID_KEPT] or self._chance.uid("audit", key, record.at)
        return record.id

    def keep(self, record: Record, mark: int, code: int, body: bytes) -> list[Link]:
        """The request was answered; ``mark`` is what the causes remembered last before it. Its own writes."""
        record.code = code or _SWITCHED
        if code >= 400:
            record.message = _message(body)
        if not 0 < record.size <= LEFT_FOR_LATER:
            record.compare()
        written: list[Link] = []
        if record.entry:
            written = [link for link in self._causes.since(mark) if -record.entry in link.causes]
            record.writes = self._written(written)
        self._kept.append(record)
        return written

    def _written(self, links: list[Link]) -> list[JSON]:
        return [
            {
                "verb": link.verb,
                "resource": link.resource,
                "key": link.key,
                "revision": link.revision,
                "watches": self._told(link.resource, link.revision),
            }
            for link in links[-PATHS_KEPT:]
        ]

    def list(self) -> list[Record]:
        """What is kept, the newest first."""
        return list(reversed(self._kept))

    def find(self, ident: str) -> Record | None:
        """The latest request of that audit id."""
        return next((record for record in reversed(self._kept) if record.id == ident), None)

    def share(self, other: Trail) -> None:
        """Takes over what ``other`` keeps."""
        self._kept, self._reads = other._kept.copy(), other._reads


def changed_paths(schema: Struct | None, old: JSON, new: JSON) -> list[str]:
    """The outermost paths that were added, changed or removed; ``.`` where the kind has no schema."""
    if old is new:
        return []
    found = typed.compare(schema, old, new)
    paths = [path for part in found if part is not None for path in outermost(part)]
    if not paths and found != typed.NONE:
        paths = ["."]
    return _shortened(sorted(dict.fromkeys(path[:TEXT_KEPT] for path in paths)))


def _shortened(texts: Iterable[str]) -> list[str]:
    found = list(texts)
    return found if len(found) <= PATHS_KEPT else [*found[: PATHS_KEPT - 1], _REST]


def _message(body: bytes) -> str:
    """What the Status of a failure says; "" when it came in another form than JSON, "…" when it is very long."""
    if len(body) > BODY_READ:
        return _REST
    try:
        status = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    message = status.get("message") if isinstance(status, dict) else ""
    return str(message or "")[:TEXT_KEPT]
