"""One build of a declared image: what a tag names, with all that was left out filled in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import orjson

from cluster_engine.sim import SECOND

MIB = 1 << 20
SIZE, MEMORY, PORT = 40, 16, 8080
"""Megabytes, MiB and the port of who says none."""
SERVER = "/usr/local/bin/"
"""Where the program of an image lies, which is called as the image."""


def _us(seconds: float) -> int:
    return round(seconds * SECOND)


@dataclass(frozen=True, slots=True)
class Failure:
    """When a route answers something else. Times are µs since the start."""

    status: int
    body: str
    begins: int
    ends: int | None
    every: int

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """From what was written."""
        ends = data.get("until")
        return cls(
            data.get("status", 500),
            data.get("body", ""),
            _us(data.get("from", 0)),
            _us(ends) if ends is not None else None,
            data.get("every", 1),
        )


@dataclass(frozen=True, slots=True)
class Route:
    """What is answered at a path. ``delay`` is µs, ``cpu`` µs of a processor."""

    status: int
    body: str
    file: str
    headers: Mapping[str, str]
    delay: int
    cpu: int
    fails: Failure | None

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """From what was written."""
        return cls(
            data.get("status", 200),
            data.get("body", "ok\n"),
            data.get("file", ""),
            data.get("headers", {}),
            _us(data.get("delay", 0)),
            data.get("cpu", 0) * 1_000,
            Failure.of(data["fails"]) if "fails" in data else None,
        )


@dataclass(frozen=True, slots=True)
class Http:
    """A server. ``after``: µs from the start until it listens."""

    port: int
    after: int
    exact: Mapping[str, Route]
    below: Mapping[str, Route]
    """By the path above them, with its slash; longer ones first."""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """From what was written."""
        routes = {path: Route.of(given) for path, given in data.get("routes", {"/": {}}).items()}
        below = {path[:-1]: route for path, route in routes.items() if path.endswith("/*")}
        return cls(
            data.get("port", PORT),
            _us(data.get("after", 0)),
            {path: route for path, route in routes.items() if not path.endswith("/*")},
            dict(sorted(below.items(), key=lambda item: (-len(item[0]), item[0]))),
        )

    def route(self, path: str) -> tuple[str, Route] | None:
        """What answers there, and under which name it was written."""
        if path in self.exact:
            return path, self.exact[path]
        return next(
            ((f"{above}*", route) for above, route in self.below.items() if path.startswith(above)), None
        )


@dataclass(frozen=True, slots=True)
class Need:
    """What it cannot start without: a variable, a file, a name, or somebody who listens."""

    kind: str
    what: str
    port: int
    code: int
    log: str

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """From what was written."""
        kind = next(key for key in ("env", "file", "host") if key in data)
        return cls(kind, data[kind], data.get("port", 0), data.get("code", 1), data.get("log", ""))


@dataclass(frozen=True, slots=True)
class Leaving:
    """An end: µs until it, the exit code, the line that is written."""

    after: int = 0
    code: int = 0
    log: str = ""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """From what was written."""
        return cls(_us(data.get("after", 0)), data.get("code", 0), data.get("log", ""))


@dataclass(frozen=True, slots=True)
class Build:
    """All that a tag of an image names. ``memory`` and ``until`` are bytes, ``grows`` bytes a minute."""

    name: str
    version: str
    print: str
    """A digest of all that it says."""
    base: str
    size: int
    user: int
    workdir: str
    env: Mapping[str, str]
    files: Mapping[str, str]
    needs: tuple[Need, ...]
    http: Http | None
    start: tuple[str, ...]
    every: int
    line: str
    requests: bool
    memory: int
    grows: int
    until: int | None
    cpu: int
    exit: Leaving | None
    stop: Leaving | None
    """None: it ignores the signal."""

    @property
    def program(self) -> str:
        """The path of its program."""
        return SERVER + self.name

    @property
    def steady(self) -> bool:
        """Whether the same request is answered alike at any time."""
        if self.http is None:
            return False
        routes = (*self.http.exact.values(), *self.http.below.values())
        return all(route.fails is None for route in routes)

    @classmethod
    def of(cls, repository: str, tag: str, data: Mapping[str, Any]) -> Self:
        """From what was written of the image and of the tag together, which is as `shape.BUILD` says."""
        data = {"version": tag, **data}
        memory, log, stop = data.get("memory", {}), data.get("log", {}), data.get("stop", {})
        written = orjson.dumps(data, option=orjson.OPT_SORT_KEYS)
        start = memory.get("start", MEMORY)
        return cls(
            name=repository.rpartition("/")[2],
            version=data["version"],
            print=hashlib.sha256(written).hexdigest()[:32],
            base=data.get("base", "alpine"),
            size=data.get("size", SIZE) * 1_000_000,
            user=data.get("user", 0),
            workdir=data.get("workdir", "/"),
            env=data.get("env", {}),
            files=data.get("files", {}),
            needs=tuple(map(Need.of, data.get("needs", ()))),
            http=Http.of(data["http"]) if "http" in data else None,
            start=tuple(log.get("start", ())),
            every=_us(log.get("every", 0)),
            line=log.get("line", ""),
            requests=log.get("requests", False),
            memory=start * MIB,
            grows=memory.get("grows", 0) * MIB,
            until=memory["until"] * MIB if "until" in memory else None,
            cpu=data.get("cpu", 0),
            exit=Leaving.of(data["exit"]) if "exit" in data else None,
            stop=None if stop.get("ignore") else Leaving.of(stop),
        )
