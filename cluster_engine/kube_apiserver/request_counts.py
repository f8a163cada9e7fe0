"""How many requests came from outside, by what they asked: for ``/metrics``.

Like the trail it decides nothing and is no part of the state: a fork takes it over, a replay counts again what is in
the journal, and a cluster that is restored begins with none, as an API server that was started anew does.

Models MonitorRequest and RecordLongRunning of k8s.io/apiserver/pkg/endpoints/metrics/metrics.go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from weakref import ReferenceType, ref

from cluster_engine.sim import Link

from .exposition import Histogram
from .requests import RequestInfo, flag
from .trail import Record
from .types import Request, Response, Stream

SERIES_KEPT = 5_000
"""Combinations of labels that are counted; requests of others are not."""
SIZES = (1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9)
_APPLY = "application/apply-patch+yaml"
_CREATED = 201
_OPERATIONS = {
    "create": "CREATE",
    "update": "UPDATE",
    "patch": "UPDATE",
    "delete": "DELETE",
    "deletecollection": "DELETE",
}
_STEPS = {"mutating": "admit", "validating": "validate"}
_CONNECTING = frozenset({"log", "exec", "portforward", "attach", "proxy"})
_METHODS = frozenset({"DELETE", "GET", "LIST", "PATCH", "POST", "PUT"})


class Asked(NamedTuple):
    """What a request is counted as; upstream's labels in the order of their names."""

    dry_run: str
    group: str
    resource: str
    scope: str
    subresource: str
    verb: str
    version: str


class Admitted(NamedTuple):
    """What was asked of an admission plugin (``name``; "": of all of a step); upstream's labels in their order."""

    name: str
    operation: str
    rejected: str
    type: str


class RequestCounts:
    """The counts of one API server."""

    def __init__(self) -> None:
        self.answered: Counter[tuple[Asked, int]] = Counter()
        """By what was asked and the code of the answer; a watch from its beginning on."""
        self.sizes: dict[Asked, Histogram] = {}
        """Bytes of the answers to GET and LIST."""
        self.stored: Counter[tuple[str, str]] = Counter()
        """Writes of etcd, by verb and resource."""
        self.admitted: Counter[Admitted] = Counter()
        """What was asked of admission."""
        self.dispatched: Counter[tuple[str, str]] = Counter()
        """By priority level and FlowSchema."""
        self.last_write = -1
        """When a request last might have changed something (virtual µs); -1: never."""
        self._streams: list[tuple[ReferenceType[Stream], Asked]] = []
        self._sessions: dict[str, Asked] = {}

    def answer(self, request: Request, info: RequestInfo, code: int, reply: Response | None = None) -> None:
        """A request found who serves it and was answered, or refused there (without a reply)."""
        asked = asked_of(request, info)
        if len(self.answered) >= SERIES_KEPT and (asked, code) not in self.answered:
            return
        self.answered[asked, code] += 1
        if reply is None:
            return
        if reply.stream is not None:
            self._streams = [*self._open(), (ref(reply.stream), asked)]
        elif asked.verb in ("GET", "LIST"):
            sizes = self.sizes.setdefault(asked._replace(dry_run=""), Histogram(SIZES))
            if reply.pieces:
                reply.pieces = _measured(reply.pieces, sizes)
            else:
                sizes.observe(len(reply.body))

    def wrote(self, now: int, links: Iterable[Link]) -> None:
        """What a request wrote itself."""
        for link in links:
            self.stored[link.verb, link.resource] += 1
            self.last_write = now

    def admission(self, record: Record, code: int) -> None:
        """What was asked of admission for a request that was answered with that code."""
        if not record.admission:
            return
        operation = "CREATE" if code == _CREATED else _OPERATIONS.get(record.verb, "CONNECT")
        steps: dict[str, bool] = {}
        for station in record.admission:
            step, refused = _STEPS[station.phase], bool(station.refused)
            steps[step] = steps.get(step, False) or refused
            self.admitted[Admitted(station.plugin, operation, _bool(refused), step)] += 1
        for step, refused in steps.items():
            self.admitted[Admitted("", operation, _bool(refused), step)] += 1

    def session(self, request: Request, info: RequestInfo, session: str, sessions: Iterable[str]) -> None:
        """A session (exec, attach, port-forward) was opened; it is one for as long as it is among ``sessions``."""
        asked = asked_of(request, info)
        if len(self.answered) < SERIES_KEPT:
            self.answered[asked, 101] += 1
        self._keep(sessions)
        self._sessions[session] = asked

    def running(self, sessions: Iterable[str]) -> Counter[Asked]:
        """The requests that go on; ``sessions`` are the names of those that are open."""
        self._streams = self._open()
        self._keep(sessions)
        return Counter([*(asked for _, asked in self._streams), *self._sessions.values()])

    def _keep(self, sessions: Iterable[str]) -> None:
        """Of sessions those that are open."""
        self._sessions = {name: self._sessions[name] for name in sessions if name in self._sessions}

    def _open(self) -> list[tuple[ReferenceType[Stream], Asked]]:
        return [
            (kept, asked)
            for kept, asked in self._streams
            if (stream := kept()) is not None and not stream.closed
        ]

    def share(self, other: RequestCounts) -> None:
        """Takes over what ``other`` counted; what goes on there does not go on here."""
        self.answered, self.stored = other.answered.copy(), other.stored.copy()
        self.admitted, self.dispatched = other.admitted.copy(), other.dispatched.copy()
        self.last_write = other.last_write


def _bool(value: bool) -> str:
    return "true" if value else "false"


def asked_of(request: Request, info: RequestInfo) -> Asked:
    """What a request is counted as (CleanScope, CanonicalVerb, cleanVerb, cleanDryRun)."""
    scope = ""
    if info.name or info.verb == "create":
        scope = "resource"
    elif info.is_resource:
        scope = "namespace" if info.namespace else "cluster"
    verb = request.method
    if verb in ("GET", "HEAD"):
        verb = "LIST" if scope in ("namespace", "cluster") else "GET"
        if flag(request, "watch"):
            verb = "WATCH"
    elif verb == "PATCH" and request.headers.get("content-type") == _APPLY:
        verb = "APPLY"
    elif verb not in _METHODS:
        verb = "other"
    if info.subresource in _CONNECTING:
        verb = "CONNECT"
    dry = sorted({value for name, value in request.query if name == "dryRun"})
    dry_run = ("All" if dry == ["All"] else "invalid") if dry else ""
    subresource = info.subresource if info.is_resource else info.path
    return Asked(dry_run, info.group, info.resource, scope, subresource, verb, info.version)


def _measured(pieces: Iterable[bytes], sizes: Histogram) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        yield piece
    sizes.observe(size)
