"""Answers that go on: a watch of the API server or a followed log, in chunks. Their host is asked for what is new, and
answers once there is something.

A stream is [connection, peer, what the host is asked next, until when]; it lies under the call that waits for that.
In a cluster of an earlier engine it lies under a timer, and is asked for when that is due.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cluster_engine.linux.program import State, Sys

STREAMS = 64
"""Streams of one server; another one is told to come again."""

ASKED = "http/asked"
"""In a server's state, beside what its program keeps there: what the host was asked, by the number of the call."""


def begins(sys: Sys, state: State, fd: int, asked: list[Any], head: str, answer: list[Any]) -> None:
    """The headers and what there is by now go out; ``answer`` is the host's."""
    _, _, body, target, until = answer
    method, _, headers, text = asked
    sys.write(fd, head + _chunk(body))
    sys.read(fd)  # hears that the client is gone
    _later(sys, state, [fd, state["peers"][str(fd)][:2], [method, target, headers, text], until])


def _later(sys: Sys, state: State, stream: list[Any]) -> None:
    fd, _, asks, until = stream
    call = str(sys.call("watch", [*asks, until]))
    state[ASKED] = {**state.get(ASKED, {}), call: [fd, asks[0], True, stream]}


def _waiting(state: State) -> dict[str, list[Any]]:
    """The streams, by the calls that wait for what is new."""
    return {
        call: asked[3]
        for call, asked in state.get(ASKED, {}).items()
        if asked[3] and isinstance(asked[3][0], int)
    }


def full(state: State) -> bool:
    """Whether no other stream may begin."""
    return len(state.get("streams", ())) + len(_waiting(state)) >= STREAMS


def streams(state: State, fd: int) -> bool:
    """Whether the answer on a connection goes on."""
    every = (*state.get("streams", {}).values(), *_waiting(state).values())
    return any(stream[0] == fd for stream in every)


def gone(sys: Sys, state: State, fd: int) -> None:
    """The client has hung up: nobody waits for what is new."""
    for call, stream in _waiting(state).items():
        if stream[0] == fd:
            state[ASKED] = {key: asked for key, asked in state[ASKED].items() if key != call}
            sys.tell(int(call), None)


def is_due(state: State, timer: int) -> bool:
    """Whether a timer is a stream's."""
    return str(timer) in state.get("streams", {})


def due(sys: Sys, state: State, timer: int) -> int | None:
    """The host is asked for more; the connection whose stream ends instead."""
    stream = state["streams"][str(timer)]
    state["streams"] = {key: each for key, each in state["streams"].items() if key != str(timer)}
    fd, peer, asks, until = stream
    if state["peers"].get(str(fd), [])[:2] != peer:
        return None
    if sys.now >= until:
        return end(sys, fd)
    call = str(sys.call("http", asks))
    state[ASKED] = {**state.get(ASKED, {}), call: [fd, asks[0], True, stream]}
    return None


def went_on(sys: Sys, state: State, stream: list[Any], answer: list[Any]) -> int | None:
    """What is new goes out; the connection whose stream ends instead."""
    fd, peer, asks, until = stream
    status, _, body, *going = answer
    if body and status == 200:
        sys.write(fd, _chunk(body))
    if status != 200 or not going:
        return end(sys, fd)
    if sys.now >= until:
        return end(sys, fd)
    _later(sys, state, [fd, peer, [asks[0], going[0], *asks[2:]], until])
    return None


def end(sys: Sys, fd: int) -> int:
    """Nothing more comes."""
    sys.write(fd, "0\r\n\r\n")
    return fd


def _chunk(body: str) -> str:
    return f"{len(body):x}\r\n{body}\r\n" if body else ""


def head(status_line: str, headers: Mapping[str, str]) -> str:
    """What stands before the chunks."""
    lines = [
        status_line,
        *(f"{name}: {value}" for name, value in headers.items()),
        "Transfer-Encoding: chunked",
    ]
    return "\r\n".join([*lines, "", ""])
