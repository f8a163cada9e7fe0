"""Requests of a program to the API server over the network, as its Pod's service account: several at a time, watches
among them. The server's certificate is looked at as client-go does.

A program keeps them in its state under ``api`` and gives each event to ``happened`` first.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from cluster_engine.linux import tls
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Event, State, Sys
from cluster_engine.linux.programs import http

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
MAX_ANSWER = 4 << 20
"""Bytes of an answer, or of a line of one that goes on."""
_JSON = "application/json"
_UNKNOWN = "tls: failed to verify certificate: x509: certificate signed by unknown authority"
_REASONS = {
    "refused": "connect: connection refused",
    "timeout": "i/o timeout",
    "unreachable": "connect: no route to host",
    "reset": "read: connection reset by peer",
}


class Told(NamedTuple):
    """What came of a request: its whole answer, or whole lines of one that goes on."""

    tag: list[Any]
    """What the program gave along."""
    status: int
    """0: there was no answer; ``text`` tells why."""
    text: str
    """Byte text."""
    over: bool = True
    """Nothing more comes of it."""


def address(sys: Sys) -> str:
    """Where the API server is, as its clients name it in their messages."""
    env = sys.env
    return f"{env.get('KUBERNETES_SERVICE_HOST', '')}:{env.get('KUBERNETES_SERVICE_PORT', '443')}"


def ask(
    sys: Sys,
    state: State,
    tag: list[Any],
    method: str,
    target: str,
    body: str = "",
    *,
    follow: bool = False,
    agent: str = "Go-http-client/1.1",
) -> None:
    """Sends a request; ``follow``: its answer goes on, line by line. Whoever has no token is told so at once."""
    host, _, port = address(sys).rpartition(":")
    fd = sys.connect(host or "127.0.0.1", int(port))
    record = {
        "tag": tag, "request": [method, target, body, agent], "follow": follow, "greeting": True,
        "answer": http.fresh(), "text": "",
    }  # fmt: skip
    state["api"] = {**state.get("api", {}), str(fd): record}


def happened(sys: Sys, state: State, event: Event) -> list[Told] | None:
    """What an event tells of the requests; None: it is about something else."""
    if event[0] not in ("connected", "data", "end", "failed"):
        return None
    record = state.get("api", {}).get(str(event[1]))
    if record is None:
        return None
    match event:
        case ["connected", fd]:
            sys.write(fd, tls.HELLO)
            sys.read(fd)
            return []
        case ["data", fd, chunk]:
            return (
                _greeted(sys, state, fd, record, chunk)
                if record["greeting"]
                else _data(sys, state, fd, record, chunk)
            )
        case ["end", fd]:
            return _over(sys, state, fd, record, "EOF")
    return _over(sys, state, event[1], record, _REASONS.get(event[2]) or str(event[2]))


def _file(sys: Sys, name: str) -> str:
    try:
        return str(sys.fs.read(f"{ACCOUNT}/{name}"))
    except FileError:
        return ""


def _greeted(sys: Sys, state: State, fd: int, record: dict[str, Any], chunk: str) -> list[Told]:
    found = tls.shown(chunk)
    certificate = found[0] if found is not None else None
    if certificate is None or certificate.authority not in tls.authorities(_file(sys, "ca.crt")):
        return _over(sys, state, fd, record, _UNKNOWN)
    method, target, body, agent = record["request"]
    rows = [
        ("Host", address(sys)),
        ("User-Agent", agent),
        ("Accept", _JSON),
        ("Authorization", f"Bearer {_file(sys, 'token').strip()}"),
        ("Connection", "close"),
    ]
    if body:
        rows += [("Content-Type", _JSON), ("Content-Length", str(len(body)))]
    host, _, port = address(sys).rpartition(":")
    sys.write(fd, http.request(http.Url("https", host, int(port), target), method, rows, body))
    sys.read(fd)
    state["api"] = {**state["api"], str(fd): {**record, "greeting": False}}
    return []


def _data(sys: Sys, state: State, fd: int, record: dict[str, Any], chunk: str) -> list[Told]:
    answer = dict(record["answer"])
    body = http.take(answer, chunk)
    if body is None or len(record["text"]) + len(body) > MAX_ANSWER:
        return _over(sys, state, fd, record, "malformed HTTP response")
    text = record["text"] + body
    # How much has come is of no interest: what goes on may go on for long.
    answer["size"] = 0
    going = record["follow"] and answer["status"] == 200
    if going:
        lines, _, text = text.rpartition("\n")
    if answer["done"]:
        _close(sys, state, fd)
        return [Told(record["tag"], answer["status"], lines if going else text)]
    sys.read(fd)
    state["api"] = {**state["api"], str(fd): {**record, "answer": answer, "text": text}}
    return [Told(record["tag"], 200, lines, over=False)] if going and lines else []


def _over(sys: Sys, state: State, fd: int, record: dict[str, Any], why: str) -> list[Told]:
    _close(sys, state, fd)
    method, target, *_ = record["request"]
    verb = method.capitalize()
    return [
        Told(record["tag"], 0, f'{verb} "https://{address(sys)}{target}": dial tcp {address(sys)}: {why}')
    ]


def _close(sys: Sys, state: State, fd: int) -> None:
    state["api"] = {key: each for key, each in state["api"].items() if key != str(fd)}
    sys.close(fd)
