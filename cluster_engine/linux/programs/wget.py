"""`wget`, busybox's (and, with other words, the part of GNU's that people use in a container)."""

from __future__ import annotations

from functools import lru_cache

from cluster_engine.linux import tls
from cluster_engine.linux.dns import is_address
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.linux.programs import http
from cluster_engine.linux.programs._common import duration, fail, misused, options

_USAGE = (
    "wget [-cqS] [--spider] [-O FILE] [-o LOGFILE] [--header STR]\n"
    "\t[--post-data STR | --post-file FILE] [-Y on/off]\n"
    "\t[-P DIR] [-U AGENT] [-T SEC] URL..."
)
_LONG = {
    "quiet": "q", "spider": "s", "output-document": "O", "timeout": "T", "tries": "t", "header": "H",
    "post-data": "p", "no-check-certificate": "k", "server-response": "S", "user-agent": "U",
    "directory-prefix": "P", "no-verbose": "n", "continue": "c", "post-file": "f",
}  # fmt: skip
MAX_REDIRECTS = 10
_REASONS = {
    "refused": "Connection refused",
    "timeout": "Connection timed out",
    "unreachable": "Host is unreachable",
    "reset": "Connection reset by peer",
}


MAX_KNOWN = 64
"""Command lines that are remembered with what they ask for. A cache, never state."""
_known: dict[tuple[str, ...], State] = {}


def _start(sys: Sys, argv: list[str]) -> State:
    line = tuple(argv)
    known = _known.get(line)
    if known is None:
        known = _asked(sys, argv)
        if known["post"] is None and sum(map(len, line)) <= http.MAX_REMEMBERED:
            if len(_known) >= MAX_KNOWN:
                _known.clear()
            _known[line] = known
    return _next(sys, {**known, "urls": known["urls"].copy()})


def _asked(sys: Sys, argv: list[str]) -> State:
    """What a command line asks for."""
    opts = options(sys, argv, "qsSckn", "OTtHpUPfYo", _LONG, usage=_USAGE)
    if not opts.operands:
        misused(sys, "", _USAGE)
    limit = duration(opts.value("T") or "900")
    if limit is None:
        fail(sys, f"invalid number '{opts.value('T')}'")
    post = opts.value("p")
    if opts.value("f"):
        try:
            post = sys.fs.read(str(opts.value("f")))
        except FileError as error:
            fail(sys, f"can't open '{opts.value('f')}': {error.reason}")
    return {
        "urls": opts.operands, "quiet": opts.flag("q"), "spider": opts.flag("s"), "show": opts.flag("S"),
        "output": opts.value("O") or "", "prefix": opts.value("P") or "", "agent": opts.value("U") or "Wget",
        "headers": opts.given.get("H", []), "post": post, "limit": limit, "redirects": 0, "fd": -1, "timer": 0,
        "target": "", "file": -1, "url": [], "answer": {}, "ip": "",
        "unchecked": opts.flag("k"), "greeting": False,
    }  # fmt: skip


def _next(sys: Sys, state: State) -> State:
    if not state["urls"]:
        sys.exit(0)
    text = state["urls"].pop(0)
    url = http.parse_url(text)
    if url is None or url.scheme not in ("http", "https"):
        fail(
            sys,
            f"not an http or ftp url: {text}" if url is None or "://" in text else f"bad address '{text}'",
        )
    return _fetch(sys, state, url)


def _url(state: State) -> http.Url:
    return http.Url(*state["url"])


def _fetch(sys: Sys, state: State, url: http.Url) -> State:
    state["url"] = list(url)
    state["answer"] = http.fresh()
    if is_address(url.host):
        return _connect(sys, state, url, url.host)
    sys.resolve(url.host)
    return state


def _connect(sys: Sys, state: State, url: http.Url, ip: str) -> State:
    state["ip"] = ip
    if not state["quiet"]:
        sys.err(f"Connecting to {url.authority} ({ip}:{url.port})\n")
    state["fd"] = sys.connect(ip, url.port)
    state["timer"] = sys.sleep(state["limit"])
    if url.scheme == "https":
        if not state["unchecked"]:
            sys.err("wget: note: TLS certificate validation not implemented\n")
        state["greeting"] = True
        return _write_request(sys, state, tls.hello(url.host))
    return _send(sys, state)


def _send(sys: Sys, state: State) -> State:
    url, body = _url(state), state["post"]
    method = "POST" if body is not None else "HEAD" if state["spider"] else "GET"
    return _write_request(sys, state, _request(url, method, tuple(state["headers"]), state["agent"], body))


def _write_request(sys: Sys, state: State, text: str) -> State:
    try:
        sys.write(state["fd"], text)
    except FileError:
        return state  # refused at once: "failed" tells it
    sys.read(state["fd"])
    return state


@lru_cache(16)
def _request(url: http.Url, method: str, headers: tuple[str, ...], agent: str, body: str | None) -> str:
    own = {row.partition(":")[0].strip().lower() for row in headers}
    rows = [("Host", url.authority), ("User-Agent", agent), ("Connection", "close")]
    rows = [row for row in rows if row[0].lower() not in own]
    rows += [(name.strip(), value.strip()) for name, _, value in (row.partition(":") for row in headers)]
    if body is not None:
        rows += [("Content-Type", "application/x-www-form-urlencoded")] if "content-type" not in own else []
        rows.append(("Content-Length", str(len(body))))
    return http.request(url, method, rows, body or "", "1.1")


def _greeted(sys: Sys, state: State, chunk: str) -> State:
    """A server that speaks TLS shows its certificate, at which busybox does not look."""
    found = tls.shown(chunk)
    if found is None or found[0] is None:
        fail(sys, "TLS error from peer (alert code 70): protocol version")
    state["greeting"] = False
    return _send(sys, state)


def _data(sys: Sys, state: State, chunk: str) -> State:
    if state["greeting"]:
        return _greeted(sys, state, chunk)
    answer = state["answer"] = state["answer"].copy()
    began = answer["status"]
    body = http.take(answer, chunk, no_body=state["spider"])
    if body is None:
        fail(sys, "bad response from server" if chunk.startswith("HTTP") else "error getting response")
    if answer["status"] and not began:
        redirected = _head(sys, state)
        if redirected is not None:
            return redirected
    if body and not state["spider"]:
        _write(sys, state, body)
    if answer["done"]:
        return _finished(sys, state)
    sys.read(state["fd"])
    return state


def _head(sys: Sys, state: State) -> State | None:
    """The headers are there: an error, a redirection, or the body follows."""
    answer = state["answer"]
    if state["show"]:
        rows = "".join(f"  {row}\n" for row in answer["head"].rstrip("\r\n").split("\r\n"))
        sys.err(rows)
    status = answer["status"]
    location = http.header(answer, "location") if status in (301, 302, 303, 307, 308) else ""
    if location:
        state["redirects"] += 1
        if state["redirects"] > MAX_REDIRECTS:
            fail(sys, "too many redirections")
        url = http.absolute(_url(state), location)
        if url is None:
            fail(sys, f"not an http or ftp url: {location}")
        _close(sys, state)
        return _fetch(sys, state, url)
    if status >= 400:
        fail(sys, f"server returned error: {answer['version']} {status} {answer['reason']}")
    if not state["spider"]:
        _open(sys, state)
    return None


def _open(sys: Sys, state: State) -> None:
    name = state["output"] or _url(state).path.partition("?")[0].rpartition("/")[2] or "index.html"
    if state["prefix"] and not state["output"]:
        name = f"{state['prefix'].rstrip('/')}/{name}"
    state["target"] = name
    if name == "-":
        if not state["quiet"]:
            sys.err("writing to stdout\n")
        return
    try:
        if not state["output"] and sys.fs.exists(name):
            fail(sys, f"can't open '{name}': File exists")
        state["file"] = sys.open(name, "w")
    except FileError as error:
        fail(sys, f"can't open '{name}': {error.reason}")
    if not state["quiet"]:
        sys.err(f"saving to '{name}'\n")


def _write(sys: Sys, state: State, body: str) -> None:
    if state["target"] == "-":
        sys.write(1, body)
        return
    try:
        sys.write(state["file"], body)
    except FileError as error:
        fail(sys, f"write error: {error.reason}")


def _progress(name: str, size: int) -> str:
    return f"{name:<20.20} 100% |{'*' * 32}| {size:5d}  0:00:00 ETA\n"


def _finished(sys: Sys, state: State) -> State:
    if state["spider"]:
        if not state["quiet"]:
            sys.err("remote file exists\n")
    elif not state["quiet"]:
        sys.err(_progress(state["target"], state["answer"]["size"]))
        sys.err("written to stdout\n" if state["target"] == "-" else f"'{state['target']}' saved\n")
    if not state["urls"]:
        sys.exit(0)  # which closes all that is open
    _close(sys, state)
    return _next(sys, state)


def _close(sys: Sys, state: State) -> None:
    if state["fd"] >= 0:
        sys.close(state["fd"])
        state["fd"] = -1
    if state["file"] >= 0:
        sys.close(state["file"])
        state["file"] = -1
    if state["timer"]:
        sys.cancel(state["timer"])
        state["timer"] = 0


def _on(sys: Sys, state: State, event: Event) -> State:
    match event:
        case ["start", argv]:
            return _start(sys, argv)
        case ["resolved", _, addresses]:
            return _connect(sys, state, _url(state), addresses[0])
        case ["unresolved", name, _]:
            fail(sys, f"bad address '{name}'")
        case ["failed", _, reason]:
            if state["answer"]["status"] or reason == "reset":
                fail(sys, f"error getting response: {_REASONS.get(reason, reason)}")
            fail(sys, f"can't connect to remote host ({state['ip']}): {_REASONS.get(reason, reason)}")
        case ["timer", _]:
            fail(sys, "download timed out")
        case ["data", _, chunk]:
            return _data(sys, state, chunk)
        case ["end", _]:
            answer = state["answer"] = dict(state["answer"])
            if not http.ended(answer):
                fail(
                    sys, "error getting response" if not answer["status"] else "connection closed prematurely"
                )
            return _finished(sys, state)
    return state


PROGRAM = Program("wget", "fetch a URL", _USAGE, on=_on)
