"""agnhost guestbook: a frontend, a primary that keeps what is written, and replicas that it tells.

Models test/images/agnhost/guestbook. Whoever has to ask others answers when they have.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from cluster_engine.container_runtime.go_json import marshal
from cluster_engine.container_runtime.http import NEVER, Reply, Request
from cluster_engine.linux.dns import is_address
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Event, State, Sys
from cluster_engine.linux.text import characters, octets
from cluster_engine.sim import SECOND, rfc3339

MAX_STORE = 64 * 1024
"""Bytes of all keys and values."""
MAX_REPLICAS = 100
"""Replicas that one primary tells."""
MAX_ANSWER = 128 * 1024
"""Bytes of another's answer that are read."""
_PATIENCE = 15 * SECOND
"""How long a replica tries to register."""

Done = tuple[str, int, Reply]
"""Whom the answer is for (address and port), and the answer."""


def handle(sys: Sys, state: State, request: Request, given: Mapping[str, str], backend: int) -> Reply:
    """Answers a request; ``backend``: the port at which the others listen."""
    key, value = given.get("key", ""), given.get("value", "")
    store = state.get("store", {})
    peer = [request.peer, request.peer_port]
    match request.path.partition("?")[0]:
        case "/register":
            ip = given.get("host", "")
            _log(sys, f"GET /register?host={ip}")
            replicas = state.get("replicas", [])
            if len(replicas) >= MAX_REPLICAS:
                return Reply(501, f"not simulated here: more than {MAX_REPLICAS} replicas\n")
            state["replicas"] = [*replicas, ip]
            _log(sys, f"Node '{ip}' registered.")
            return Reply(200, octets(marshal({"data": store})))
        case "/get":
            _log(sys, f"GET /get?key={key}")
            return Reply(200, octets(marshal({"data": store.get(key, "") if key else store})))
        case "/set":
            _log(sys, f"GET /set?key={key}&value={value}")
            if not key:
                return Reply(400, "cannot set with empty key.\n")
            fresh = {**store, key: value}
            if sum(len(name) + len(text) for name, text in fresh.items()) > MAX_STORE:
                return Reply(501, f"not simulated here: a guestbook of more than {MAX_STORE} bytes\n")
            state["store"] = fresh
            asks = f"set?key={key}&value={value}"
            todo = [[ip, backend, asks] for ip in state.get("replicas", [])]
            return _begin(
                sys, state, {"peer": peer, "todo": todo, "said": octets(marshal({"message": "Updated"}))}
            )
        case "/guestbook":
            command = given.get("cmd", "").lower()
            _log(sys, f"GET /guestbook?cmd={command}&key={key}&value={value}")
            if command not in ("get", "set"):
                return Reply(400, f"unsupported cmd: '{command}'\n")
            if command == "set" and not key:
                return Reply(400, "cannot set with empty key.\n")
            host = "agnhost-replica" if command == "get" else "agnhost-primary"
            todo = [[host, backend, f"{command}?key={key}&value={value}"]]
            return _begin(sys, state, {"peer": peer, "todo": todo, "said": ""})
    return Reply(404, "404 page not found\n")


def register(sys: Sys, state: State, primary: str, backend: int) -> None:
    """A replica tells its primary of itself; it has this long."""
    state["until"] = state.get("until") or sys.now + _PATIENCE
    asks = f"register?host={sys.addresses()[0] if sys.addresses() else ''}"
    _log(sys, f"Registering to primary: {primary}:{backend}/{asks}")
    _begin(sys, state, {"peer": [], "todo": [[primary, backend, asks]], "said": ""})


def _begin(sys: Sys, state: State, waits: dict[str, Any]) -> Reply:
    return _next(sys, state, waits) or Reply(200, after=NEVER)


def _next(sys: Sys, state: State, waits: dict[str, Any]) -> Reply | None:
    """The next of those to be asked; the answer when nobody is left."""
    if not waits["todo"]:
        return Reply(200, waits["said"])
    host, port, _ = waits["todo"][0]
    if is_address(host):
        state["asks"] = {**state.get("asks", {}), str(sys.connect(host, port)): {**waits, "text": ""}}
    else:
        named = state.get("named", {})
        state["named"] = {**named, host: [*named.get(host, []), waits]}
        if host not in named:
            sys.resolve(host)
    return None


def happened(sys: Sys, state: State, event: Event) -> tuple[bool, list[Done]]:
    """Whether an event is about what is waited for, and the answers that it completes."""
    match event:
        case ["timer", timer] if timer == state.get("again"):
            state["again"] = 0
            return True, []
        case ["resolved" | "unresolved", name, found, *_] if name in state.get("named", {}):
            waiting = state["named"][name]
            state["named"] = {other: each for other, each in state["named"].items() if other != name}
            done = []
            for waits in waiting:
                if event[0] == "unresolved":
                    done += _failed(sys, state, waits, f"lookup {name}: no such host", 400)
                    continue
                (_, port, asks), *rest = waits["todo"]
                reply = _next(sys, state, {**waits, "todo": [[found[0], port, asks], *rest]})
                done += _told(sys, state, waits, reply)
            return True, done
        case ["data" | "end" | "failed" | "connected", fd, *rest] if str(fd) in state.get("asks", {}):
            return True, _heard(sys, state, fd, event)
    return False, []


def _heard(sys: Sys, state: State, fd: int, event: Event) -> list[Done]:
    waits = state["asks"][str(fd)]
    host, port, asks = waits["todo"][0]
    if event[0] == "connected":
        wanted = quote(octets(asks), safe="/?=&:.-_~%", encoding="latin-1")
        sys.write(fd, f"GET /{wanted} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n")
        sys.read(fd)
        return []
    if event[0] == "data":
        text = (waits["text"] + event[2])[:MAX_ANSWER]
        state["asks"] = {**state["asks"], str(fd): {**waits, "text": text}}
        sys.read(fd)
        return []
    sys.close(fd)
    state["asks"] = {other: each for other, each in state["asks"].items() if other != str(fd)}
    _, mark, body = waits["text"].partition("\r\n\r\n")
    if event[0] == "failed" or not mark:
        why = {"refused": "connection refused", "timeout": "i/o timeout"}.get(event[-1], "EOF")
        return _failed(
            sys, state, waits, f'Get "http://{host}:{port}/{asks}": dial tcp {host}:{port}: {why}', 417
        )
    if not waits["peer"]:
        _registered(sys, state, body)
        return []
    said = waits["said"] or body
    reply = _next(sys, state, {**waits, "todo": waits["todo"][1:], "said": said})
    return _told(sys, state, waits, reply)


def _told(sys: Sys, state: State, waits: dict[str, Any], reply: Reply | None) -> list[Done]:
    return [(*waits["peer"], reply)] if reply is not None and waits["peer"] else []


def _failed(sys: Sys, state: State, waits: dict[str, Any], why: str, status: int) -> list[Done]:
    """Whoever asked hears of it; a replica that could not register tries again after a second."""
    if waits["peer"]:
        told = f"host and/or port param are invalid. {why}" if status == 400 else f"encountered error: {why}"
        return [(*waits["peer"], Reply(status, octets(f"{told}\n")))]
    if sys.now >= state["until"]:
        _log(sys, "Timed out while registering to primary.")
        sys.exit(1)
    _log(sys, f"encountered error while registering to primary: {why}. Retrying in 1s.")
    state["again"] = sys.sleep(SECOND)
    return []


def _registered(sys: Sys, state: State, body: str) -> None:
    """The primary has given what it keeps."""
    try:
        data = json.loads(characters(body))["data"]
        state["store"] = {str(key): str(value) for key, value in data.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        _log(sys, f"Error while unmarshaling primary's response: {error}")
        sys.exit(1)
    _log(sys, "Registered to node")


def _log(sys: Sys, text: str) -> None:
    """A line of Go's package log."""
    time = rfc3339(sys.now)[:19].replace("-", "/").replace("T", " ")
    try:
        sys.write(2, octets(f"{time} {text}\n"))
    except FileError:
        return
