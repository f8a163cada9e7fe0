"""agnhost netexec's requests that wait for others: `/shell` for a command, `/dial` for what other servers answer; and
`/upload`, which keeps a file.

Models test/images/agnhost/netexec. Answers go out when what they wait for is there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cluster_engine.container_runtime.http import NEVER, Reply, Request
from cluster_engine.linux.dns import is_address
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Event, State, Sys
from cluster_engine.linux.text import characters, octets

UPLOADS = "/uploads"
"""Where files are kept that were sent."""
MAX_OUTPUT = 64 * 1024
"""Bytes of a command's output, and of one answer, that are given back."""
MAX_TRIES = 100
"""Requests that one `/dial` makes."""
_REASONS = {
    "refused": "connect: connection refused",
    "timeout": "i/o timeout",
    "unreachable": "connect: no route to host",
}

Done = tuple[str, int, Reply]
"""Whom the answer is for (address and port), and the answer."""


def shell(sys: Sys, state: State, request: Request, given: Mapping[str, str]) -> Reply:
    """Runs a command; what it says is the answer."""
    source, target = sys.pipe()
    quiet = sys.open("/dev/null")
    command = given.get("shellCommand") or given.get("cmd", "")
    try:
        pid = sys.spawn(["/bin/sh", "-c", octets(command)], fds={0: quiet, 1: target, 2: target})
    except FileError as error:
        return Reply(200, octets(json.dumps({"error": f"fork/exec /bin/sh: {error.reason}"})))
    finally:
        sys.close(target)
        sys.close(quiet)
    sys.read(source)
    waits = {"peer": [request.peer, request.peer_port], "pid": pid, "out": "", "status": None}
    state["shells"] = {**state.get("shells", {}), str(source): waits}
    return Reply(200, after=NEVER)


def upload(sys: Sys, request: Request) -> Reply:
    """Keeps the file of a form (multipart) in /uploads, where it can be executed."""
    content = _form_file(request.headers.get("content-type", ""), request.body)
    if content is None:
        return Reply(200, '{"error":"Unable to upload file."}')
    try:
        path = f"{UPLOADS}/upload{len(sys.fs.listdir(UPLOADS)) + 1:09d}"
        sys.fs.write(path, content)
        sys.fs.chmod(path, 0o700)
    except FileError:
        return Reply(200, '{"error":"Unable to open file for write"}')
    return Reply(201, json.dumps({"output": path}, separators=(",", ":")))


def _form_file(kind: str, body: str) -> str | None:
    """The content of the field `file` of a form; None where there is none."""
    what, _, rest = kind.partition("boundary=")
    boundary = rest.partition(";")[0].strip().strip('"')
    if not what.strip().lower().startswith("multipart/form-data") or not boundary:
        return None
    for part in f"\r\n{body}".split(f"\r\n--{boundary}")[1:]:
        head, mark, content = part.partition("\r\n\r\n")
        if mark and 'name="file"' in head.replace("'", '"') and "filename=" in head:
            return content
    return None


def dial(sys: Sys, state: State, request: Request, given: Mapping[str, str]) -> Reply:
    """Asks another server some times; what it answers is the answer."""
    host, port, tries = given.get("host", ""), given.get("port", ""), given.get("tries") or "1"
    if not host or not given.get("request"):
        return Reply(400, f"{'host' if not host else 'request'} parameter not specified\n")
    if not (port.isascii() and port.isdecimal() and 0 < int(port[:6]) < 65_536):
        return Reply(400, f"invalid port {port!r}\n")
    if given.get("protocol") != "http":
        return Reply(501, "not simulated here: /dial of agnhost netexec beside http\n")
    left = min(int(tries[:4]), MAX_TRIES) if tries.isascii() and tries.isdecimal() else 1
    waits = {
        "peer": [request.peer, request.peer_port], "host": host, "port": int(port), "asks": given["request"],
        "left": left, "text": "", "responses": [], "errors": [],
    }  # fmt: skip
    return _next(sys, state, waits) or Reply(200, after=NEVER)


def _next(sys: Sys, state: State, waits: dict[str, Any]) -> Reply | None:
    """One more request goes out; the answer to the client when there is none left."""
    if not waits["left"]:
        found = {name: waits[name] for name in ("errors", "responses") if waits[name]}
        return Reply(200, octets(json.dumps(found, separators=(",", ":"))))
    if not is_address(waits["host"]):
        return Reply(200, octets(json.dumps({"errors": [f"names are not resolved here: {waits['host']}"]})))
    fd = sys.connect(waits["host"], waits["port"])
    state["dials"] = {**state.get("dials", {}), str(fd): {**waits, "left": waits["left"] - 1, "text": ""}}
    return None


def happened(sys: Sys, state: State, event: Event) -> tuple[bool, Done | None]:
    """Whether an event is about what is waited for, and the answer that it completes."""
    match event:
        case ["exited", pid, status]:
            for key, waits in state.get("shells", {}).items():
                if waits["pid"] == pid:
                    return True, _told(state, key, {**waits, "status": status})
        case ["data" | "end" | "failed" | "connected", fd, *rest]:
            key = str(fd)
            if key in state.get("shells", {}):
                return True, _heard(sys, state, key, rest if event[0] == "data" else None)
            if key in state.get("dials", {}):
                return True, _dialled(sys, state, key, event)
    return False, None


def _heard(sys: Sys, state: State, key: str, more: list[Any] | None) -> Done | None:
    waits = state["shells"][key]
    if more is None:
        sys.close(int(key))
        return _told(state, key, {**waits, "ended": True})
    sys.read(int(key))
    state["shells"] = {**state["shells"], key: {**waits, "out": (waits["out"] + more[0])[:MAX_OUTPUT]}}
    return None


def _told(state: State, key: str, waits: dict[str, Any]) -> Done | None:
    """The answer, when the command has ended and said all."""
    if waits["status"] is None or "ended" not in waits:
        state["shells"] = {**state["shells"], key: waits}
        return None
    state["shells"] = {other: each for other, each in state["shells"].items() if other != key}
    found = {}
    if waits["status"]:
        found["error"] = f"exit status {waits['status']}"
    if waits["out"]:
        found["output"] = characters(waits["out"])
    return (*waits["peer"], Reply(200, octets(json.dumps(found, separators=(",", ":"), ensure_ascii=False))))


def _dialled(sys: Sys, state: State, key: str, event: Event) -> Done | None:
    waits = state["dials"][key]
    fd = int(key)
    if event[0] == "connected":
        asked = octets(waits["asks"]).replace(" ", "%20").replace("\n", "")
        sys.write(
            fd, f"GET /{asked} HTTP/1.1\r\nHost: {waits['host']}:{waits['port']}\r\nConnection: close\r\n\r\n"
        )
        sys.read(fd)
        return None
    if event[0] == "data":
        state["dials"] = {**state["dials"], key: {**waits, "text": (waits["text"] + event[2])[:MAX_OUTPUT]}}
        sys.read(fd)
        return None
    sys.close(fd)
    state["dials"] = {other: each for other, each in state["dials"].items() if other != key}
    head, mark, body = waits["text"].partition("\r\n\r\n")
    if mark and head.partition(" ")[2][:3] == "200":
        waits = {**waits, "responses": [*waits["responses"], characters(body)]}
    else:
        place = f"{waits['host']}:{waits['port']}"
        why = f"dial tcp {place}: {_REASONS.get(event[2] if event[0] == 'failed' else '', 'EOF')}"
        told = (
            f"received non 200 status code {head.partition(' ')[2][:3]}"
            if mark
            else f'Get "http://{place}/{waits["asks"]}": {why}'
        )
        waits = {**waits, "errors": [*waits["errors"], told]}
    reply = _next(sys, state, waits)
    return (*waits["peer"], reply) if reply is not None else None
