"""``kubectl`` as a program of containers: it asks the API server over the network, as its Pod's service account."""

from __future__ import annotations

from typing import Any, NoReturn

from cluster_engine.container_runtime.kubectl import commands, judging
from cluster_engine.container_runtime.kubectl.conversation import (
    JSON_TYPE,
    Conversation,
    Failed,
    Missing,
    Refused,
    matching,
    parsed,
)
from cluster_engine.linux import tls
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Event, Exit, Program, State, Sys
from cluster_engine.linux.programs import http
from cluster_engine.linux.text import characters, octets

_DIR = "/var/run/secrets/kubernetes.io/serviceaccount"
_SECOND = 1_000_000
_REFUSALS = 400
MAX_INPUT = 1 << 20
"""Bytes of standard input that are read for ``-f -``."""
_NO_SERVER = "The connection to the server {} was refused - did you specify the right host or port?\n"
_UNKNOWN = "tls: failed to verify certificate: x509: certificate signed by unknown authority"
_REASONS = {
    "timeout": "i/o timeout",
    "unreachable": "connect: no route to host",
    "reset": "read: connection reset by peer",
}


def _start(sys: Sys, argv: list[str]) -> State:
    state: State = {
        "argv": argv[1:], "now": sys.now, "answers": [], "said": 0, "stdin": "", "ask": [], "documents": [], "fd": -1,
        "greeting": False, "answer": {}, "server": [],
    }  # fmt: skip
    if commands.reads_input(argv[1:]):
        sys.read(0)
        return state
    return _run(sys, state)


def _file(sys: Sys, name: str) -> str:
    """A file's byte text; "" when it is not there."""
    try:
        return str(sys.fs.read(name))
    except FileError:
        return ""


def _run(sys: Sys, state: State) -> State:
    """The command from its beginning, with the answers that have come."""
    namespace = _file(sys, f"{_DIR}/namespace") or "default"
    talk = Conversation(state["answers"], state["now"], namespace)
    status, error = 0, ""

    def read(name: str) -> str:
        return str(state["stdin"] if name == "-" else sys.fs.read(octets(name)))

    try:
        status = commands.run([characters(word) for word in state["argv"]], talk, read)
    except Missing as missing:
        _say(sys, state, talk)
        state["ask"], state["documents"] = missing.ask, []
        return _ask(sys, state)
    except Failed as problem:
        status, error = 1, f"error: {problem}\n"
    except Refused as refusal:
        status, error = 1, f"{refusal.told()}\n"
    _say(sys, state, talk)
    sys.err(octets(error))
    raise Exit(status)


def _say(sys: Sys, state: State, talk: Conversation) -> None:
    """What was not said in an earlier run."""
    for fd, text in talk.said[state["said"] :]:
        (sys.out if fd == 1 else sys.err)(octets(text))
    state["said"] = max(state["said"], len(talk.said))


def _ask(sys: Sys, state: State) -> State:
    host, port = sys.env.get("KUBERNETES_SERVICE_HOST", ""), sys.env.get("KUBERNETES_SERVICE_PORT", "443")
    if not host or not _file(sys, f"{_DIR}/token"):
        sys.err(_NO_SERVER.format("localhost:8080"))
        sys.exit(1)
    state["server"] = [host, int(port)]
    state["answer"] = http.fresh()
    state["fd"] = sys.connect(host, int(port))
    return state


def _lost(sys: Sys, state: State, reason: str) -> NoReturn:
    host, port = state["server"]
    if reason == "refused":
        sys.err(_NO_SERVER.format(f"{host}:{port}"))
    else:
        sys.err(f"Unable to connect to the server: dial tcp {host}:{port}: {_REASONS.get(reason, reason)}\n")
    sys.exit(1)


def _greeted(sys: Sys, state: State, chunk: str) -> State:
    found = tls.shown(chunk)
    certificate = found[0] if found is not None else None
    known = tls.authorities(_file(sys, f"{_DIR}/ca.crt"))
    if certificate is None or certificate.authority not in known:
        sys.err(f"Unable to connect to the server: {_UNKNOWN}\n")
        sys.exit(1)
    state["greeting"] = False
    method, target, accept, content, body = _request(state)
    rows = [
        ("Host", state["server"][0]),
        ("User-Agent", "kubectl/v1.37.0 (linux/amd64) kubernetes/0000000"),
        ("Accept", accept),
        ("Authorization", f"Bearer {_file(sys, f'{_DIR}/token').strip()}"),
        ("Connection", "close"),
    ]
    if body:
        rows += [("Content-Type", content), ("Content-Length", str(len(body)))]
    sys.write(
        state["fd"], http.request(http.Url("https", state["server"][0], 443, target), method, rows, body)
    )
    sys.read(state["fd"])
    return state


def _request(state: State) -> list[str]:
    """[method, path, accept, content type, body] of what is asked now."""
    match state["ask"]:
        case ["http", *request]:
            return list(request)
        case ["discover", paths, accept, _]:
            return ["GET", paths[len(state["documents"])], accept, "", ""]
        case [_, path, *_]:
            return ["GET", path, JSON_TYPE, "", ""]
    raise AssertionError("a command asks for nothing else")


def _data(sys: Sys, state: State, chunk: str) -> State:
    if state["greeting"]:
        return _greeted(sys, state, chunk)
    answer = state["answer"] = dict(state["answer"])
    body = http.take(answer, chunk)
    if body is None:
        sys.err("Unable to connect to the server: malformed HTTP response\n")
        sys.exit(1)
    if state["ask"][0] == "follow" and 0 < answer["status"] < _REFUSALS:
        sys.out(body)
        body, answer["size"] = "", 0
    answer["text"] = answer.get("text", "") + body
    if answer["done"]:
        return _answered(sys, state, answer["status"], answer["text"])
    sys.read(state["fd"])
    return state


def _answered(sys: Sys, state: State, status: int, text: str) -> State:
    sys.close(state["fd"])
    state["fd"], state["answer"] = -1, {}
    found: Any
    match state["ask"]:
        case ["discover", paths, _, word]:
            if status >= 400:
                sys.err(octets(f"{Refused(status, parsed(text)).told()}\n"))
                sys.exit(1)
            state["documents"] = [*state["documents"], text]
            if len(state["documents"]) < len(paths):
                return _ask(sys, state)
            found = matching(state["documents"], word)
            state["documents"] = []
        case ["until", _, wanted, deadline]:
            obj = None if status == 404 else parsed(text)
            if status >= 400 and status != 404:
                found = ["refused", status, obj]
            elif judging.holds(obj, wanted):
                found = ["done", status, obj]
            elif sys.now >= deadline:
                found = ["late", status, obj]
            else:
                sys.sleep(min(_SECOND, deadline - sys.now))
                return state
        case _:
            found = [status, text]
    state["answers"] = [*state["answers"], found]
    return _run(sys, state)


def _on(sys: Sys, state: State, event: Event) -> State:
    match event:
        case ["start", argv]:
            return _start(sys, argv)
        case ["data", 0, chunk]:
            state["stdin"] += chunk
            if len(state["stdin"]) > MAX_INPUT:
                sys.err(f"error: more than {MAX_INPUT >> 20} MiB of standard input are not read here\n")
                sys.exit(1)
            sys.read(0)
        case ["end", 0]:
            return _run(sys, state)
        case ["connected", fd]:
            state["greeting"] = True
            sys.write(fd, tls.HELLO)
            sys.read(fd)
        case ["data", _, chunk]:
            return _data(sys, state, chunk)
        case ["end", _]:
            _lost(sys, state, "reset")
        case ["failed", _, reason]:
            _lost(sys, state, reason)
        case ["timer", _]:
            return _ask(sys, state)
    return state


PROGRAM = Program("kubectl", "asks the API server", on=_on, memory=24 << 20)
