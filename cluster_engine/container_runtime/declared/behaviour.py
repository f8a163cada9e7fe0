"""What runs in a container of a declared image: one program, made of what its data say.

It says its first lines, looks for what it needs, then listens, writes, computes, grows and ends as it was told. What
its server does not settle itself is a timer whose kind stands in the state (``clocks``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial

from cluster_engine.container_runtime.declared.build import MIB, Build, Failure, Leaving, Need, Route
from cluster_engine.container_runtime.http import Reply, Request, Server, log_time, server
from cluster_engine.linux.dns import is_address
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.linux.text import octets
from cluster_engine.sim import SECOND

_PLACE = re.compile(r"\$\$|\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")
_SIGNALS = ("TERM", "INT")
_MINUTE = 60 * SECOND
_CPU_TURN = 10 * SECOND
"""How often what computes all the time is counted."""
_REASONS = {"refused": "connection refused", "timeout": "i/o timeout"}
"""Why there is no connection, as Go says it."""
_NOT_FOUND = "404 page not found\n"

Words = Mapping[str, str]


def program(build: Build) -> Program:
    """The program of a build."""
    inner = _server(build) if build.http is not None else None
    return Program(build.name, on=partial(_on, build, inner))


_Handler = Callable[[Sys, State, Event], State]


def _on(build: Build, inner: _Handler | None, sys: Sys, state: State, event: Event) -> State:
    match event:
        case ["start", _]:
            return _start(build, inner, sys)
        case ["signal", _]:
            return _signal(build, sys, state)
        case ["timer", number] if str(number) in state["clocks"]:
            return _due(build, sys, state, state["clocks"].pop(str(number)))
        case _ if "needs" in state:
            return _found(build, inner, sys, state, event)
        case _ if inner is not None:
            return inner(sys, state, event)
    return state


def _start(build: Build, inner: _Handler | None, sys: Sys) -> State:
    for signal in _SIGNALS:
        sys.trap(signal, "catch" if build.stop is not None else "ignore")
    state: State = {"born": sys.now, "clocks": {}, "memory": 0, "needs": 0, "fd": -1}
    for line in build.start:
        _say(build, sys, line)
    return _look(build, inner, sys, state)


# ---- what it needs -----------------------------------------------------------------------------------------


def _look(build: Build, inner: _Handler | None, sys: Sys, state: State) -> State:
    """Looks for one thing after the other; what takes time is answered by an event."""
    while state["needs"] < len(build.needs):
        need = build.needs[state["needs"]]
        if need.kind == "env" and not sys.env.get(octets(need.what)):
            _missing(build, sys, need, f"the environment variable {need.what} is not set")
        elif need.kind == "file" and not sys.fs.exists(octets(need.what)):
            _missing(build, sys, need, f"open {need.what}: no such file or directory")
        elif need.kind == "host" and not is_address(need.what):
            sys.resolve(octets(need.what))
            return state
        elif need.kind == "host" and need.port:
            state["fd"] = sys.connect(need.what, need.port)
            return state
        state["needs"] += 1
    return _live(build, inner, sys, state)


def _found(build: Build, inner: _Handler | None, sys: Sys, state: State, event: Event) -> State:
    """The answer to what it looked for."""
    need = build.needs[state["needs"]]
    match event:
        case ["resolved", _, addresses] if need.port and addresses:
            state["fd"] = sys.connect(addresses[0], need.port)
            return state
        case ["unresolved", *_]:
            _missing(build, sys, need, f"lookup {need.what}: no such host")
        case ["failed", _, reason]:
            _missing(build, sys, need, f"dial tcp {need.what}:{need.port}: {_REASONS.get(reason, reason)}")
        case ["connected", fd]:
            sys.close(fd)
        case ["resolved", *_]:
            pass
        case _:
            return state
    state["needs"] += 1
    return _look(build, inner, sys, state)


def _missing(build: Build, sys: Sys, need: Need, told: str) -> None:
    sys.err(_line(build, sys, need.log) if need.log else octets(f"fatal: {told}\n"))
    sys.exit(need.code)


# ---- its life ----------------------------------------------------------------------------------------------


def _live(build: Build, inner: _Handler | None, sys: Sys, state: State) -> State:
    del state["needs"], state["fd"]
    if build.exit is not None and not build.exit.after:
        _leave(build, sys, build.exit)
    if build.exit is not None:
        _clock(sys, state, "exit", state["born"] + build.exit.after - sys.now)
    if build.grows:
        _clock(sys, state, "memory", _growing(build))
    if build.cpu:
        _clock(sys, state, "cpu", _CPU_TURN)
    if build.every:
        _clock(sys, state, "log", build.every)
    if inner is not None:
        state.update(inner(sys, {}, ["start", sys.argv]))
    return state


def _clock(sys: Sys, state: State, kind: str, after: int) -> None:
    state["clocks"][str(sys.sleep(max(after, 0)))] = kind


def _due(build: Build, sys: Sys, state: State, kind: str) -> State:
    match kind:
        case "exit" if build.exit is not None:
            _leave(build, sys, build.exit)
        case "stop" if build.stop is not None:
            sys.exit(build.stop.code)
        case "log":
            _say(build, sys, build.line)
            _clock(sys, state, "log", build.every)
        case "cpu":
            sys.spend(_CPU_TURN // 1_000 * build.cpu, over=_CPU_TURN)
            _clock(sys, state, "cpu", _CPU_TURN)
        case "memory":
            grown = build.grows * (sys.now - state["born"]) // _MINUTE
            most = build.until - build.memory if build.until is not None else grown
            state["memory"] = min(grown, most)
            if grown < most or build.until is None:
                _clock(sys, state, "memory", _growing(build))
    return state


def _growing(build: Build) -> int:
    """µs between two looks: a MiB is a step, but a second is the shortest and a minute the longest."""
    return min(max(_MINUTE * MIB // build.grows, SECOND), _MINUTE)


def _leave(build: Build, sys: Sys, leaving: Leaving) -> None:
    if leaving.log:
        _say(build, sys, leaving.log)
    sys.exit(leaving.code)


def _signal(build: Build, sys: Sys, state: State) -> State:
    if build.stop is None or state.get("ending"):
        return state
    if not build.stop.after:
        _leave(build, sys, build.stop)
    state["ending"] = True
    if build.stop.log:
        _say(build, sys, build.stop.log)
    _clock(sys, state, "stop", build.stop.after)
    return state


# ---- its server --------------------------------------------------------------------------------------------


def _server(build: Build) -> _Handler:
    assert build.http is not None
    given = Server(
        partial(_answer, build),
        port=lambda sys: build.http.port if build.http is not None else 0,
        after=build.http.after,
        stops={},
        in_use=lambda sys, port, reason: f"fatal: listen tcp :{port}: bind: {reason.lower()}\n",
    )
    found = server(build.name, given).on
    assert found is not None
    return found


def _answer(build: Build, sys: Sys, state: State, request: Request) -> Reply:
    assert build.http is not None
    path = request.path.partition("?")[0]
    found = build.http.route(path)
    reply = Reply(404, _NOT_FOUND, _PLAIN) if found is None else _of_route(build, sys, state, request, *found)
    if build.requests:
        sys.out(f"{request.peer} {request.method} {request.path} {reply.status}\n")
    return reply


def _of_route(build: Build, sys: Sys, state: State, request: Request, name: str, route: Route) -> Reply:
    sys.spend(route.cpu)
    words = {"path": request.path, "method": request.method, "client": request.peer}
    headers = {octets(key): octets(value) for key, value in route.headers.items()}
    if route.fails is not None and _fails(sys, state, name, route.fails):
        body = _filled(build, sys, route.fails.body, words)
        return Reply(route.fails.status, body, headers or _typed(body), route.delay + route.cpu)
    if not route.file:
        body = _filled(build, sys, route.body, words)
        return Reply(route.status, body, headers or _typed(body), route.delay + route.cpu)
    try:
        body = sys.fs.read(octets(route.file))
    except FileError as error:
        return Reply(404, f"{octets(route.file)}: {error.reason}\n", _PLAIN, route.delay + route.cpu)
    return Reply(route.status, body, headers or _typed(body), route.delay + route.cpu)


def _fails(sys: Sys, state: State, name: str, fails: Failure) -> bool:
    age = sys.now - state["born"]
    if age < fails.begins or (fails.ends is not None and age >= fails.ends):
        return False
    if fails.every == 1:
        return True
    asked = state.get("asked", {}).get(name, 0) + 1
    state["asked"] = {**state.get("asked", {}), name: asked}
    return bool(asked % fails.every == 0)


_PLAIN = {"Content-Type": "text/plain; charset=utf-8"}


def _typed(body: str) -> Words:
    """The type that a body looks like."""
    kind = {"<": "text/html", "{": "application/json", "[": "application/json"}.get(body[:1], "text/plain")
    return {"Content-Type": f"{kind}; charset=utf-8"}


# ---- texts -------------------------------------------------------------------------------------------------


def _say(build: Build, sys: Sys, line: str) -> None:
    sys.out(_line(build, sys, line))


def _line(build: Build, sys: Sys, line: str) -> str:
    return _filled(build, sys, line, {}) + "\n"


def _filled(build: Build, sys: Sys, text: str, words: Words) -> str:
    """The text with what stands for ``$(NAME)``, as Kubernetes fills in a command: who is not known stays.

    Models k8s.io/kubernetes/third_party/forked/golang/expansion.
    """
    text = octets(text)
    if "$" not in text:
        return text
    env = sys.env
    own = {"version": build.version, "time": log_time(sys.now), **words}

    def put(match: re.Match[str]) -> str:
        name = match[1]
        return "$" if name is None else own.get(name, env.get(name, match[0]))

    return _PLACE.sub(put, text)
