"""`curl`, the part of it that people use to look at a service."""

from __future__ import annotations

import base64
from typing import Any

from cluster_engine.linux import tls
from cluster_engine.linux.dns import is_address
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Event, Exit, Program, State, Sys
from cluster_engine.linux.programs import http
from cluster_engine.linux.programs._common import FOREVER, Options, duration, options
from cluster_engine.linux.programs.openssl.certificates import vouched

VERSION = "8.16.0"
_USAGE = "curl [options...] <url>"
_LONG = {
    "silent": "s", "show-error": "S", "head": "I", "include": "i", "output": "o", "request": "X", "header": "H",
    "data": "d", "data-raw": "Y", "data-binary": "B", "write-out": "w", "max-time": "m", "connect-timeout": "c",
    "fail": "f", "location": "L", "insecure": "k", "user-agent": "A", "verbose": "v", "retry": "r", "user": "u",
    "remote-name": "O", "max-redirs": "M", "get": "G", "no-buffer": "N", "json": "J", "resolve": "R",
    "retry-delay": "D", "retry-connrefused": "Q", "cacert": "C", "progress-bar": "#", "http1.1": "1", "url": "U",
    "version": "V", "fail-with-body": "F", "globoff": "g", "retry-all-errors": "Q", "compressed": "z",
    "cert": "E", "key": "K",
}  # fmt: skip
MAX_REDIRECTS = 50
MAX_RETRIES = 100
_UNTRUSTED = 60
_CERTIFICATES = """\
More details here: https://curl.se/docs/sslcerts.html

curl failed to verify the legitimacy of the server and therefore could not
establish a secure connection to it. To learn more about this situation and
how to fix it, please visit the webpage mentioned above.
"""


def _start(sys: Sys, argv: list[str]) -> State:
    opts = options(sys, argv, "sSIifLkvOGNQ#1VFgz", "oXHdwmcArueMJRDCUEKYB", _LONG, status=2)
    if opts.flag("V"):
        sys.out(f"curl {VERSION} (x86_64-pc-linux-musl) libcurl/{VERSION}\nProtocols: http https\n")
        raise Exit(0)
    urls = [*opts.given.get("U", []), *opts.operands]
    if not urls:
        sys.err("curl: (2) no URL specified\n")
        sys.err("curl: try 'curl --help' for more information\n")
        raise Exit(2)
    data = _body(sys, opts)
    if data is not None and opts.flag("G"):
        urls = [f"{url}{'&' if '?' in url else '?'}{data}" for url in urls]
        data = None
    method = opts.value("X") or ("HEAD" if opts.flag("I") else "POST" if data is not None else "GET")
    headers = list(opts.given.get("H", []))
    if opts.flag("J"):
        headers = ["Content-Type: application/json", "Accept: application/json", *headers]
    if opts.value("u"):
        token = base64.b64encode(str(opts.value("u")).encode("latin-1")).decode()
        headers.append(f"Authorization: Basic {token}")
    limits = [
        duration(opts.value(letter) or default)
        for letter, default in (("m", "inf"), ("c", "inf"), ("D", "1"))
    ]
    if None in limits:
        sys.err("curl: (2) expected a proper numerical parameter\n")
        raise Exit(2)
    retries = opts.value("r") or "0"
    state: State = {
        "urls": urls, "outputs": opts.given.get("o", []), "named": opts.flag("O"), "method": method,
        "fixed": opts.flag("X"), "headers": headers, "data": data, "format": opts.value("w") or "",
        "fail": opts.flag("f"), "fail_body": opts.flag("F"), "include": opts.flag("i", "I"),
        "follow": opts.flag("L"), "verbose": opts.flag("v"), "silent": opts.flag("s"),
        "errors": not opts.flag("s") or opts.flag("S"), "agent": opts.value("A") or f"curl/{VERSION}",
        "limit": limits[0], "connecting": limits[1], "delay": limits[2],
        "retries": min(int(retries), MAX_RETRIES) if retries.isdigit() and len(retries) < 6 else 0,
        "retry_refused": opts.flag("Q"), "resolve": opts.given.get("R", []), "fd": -1, "timers": {}, "status": 0,
        "url": [], "answer": {}, "ip": "", "since": 0, "redirects": 0, "target": "", "tries": 0,
        "text": "", "sent": False, "begun": False, "insecure": opts.flag("k"), "greeting": False,
        "bundle": opts.value("C") or sys.env.get("CURL_CA_BUNDLE") or sys.env.get("SSL_CERT_FILE") or "",
    }  # fmt: skip
    return _next(sys, state)


def _body(sys: Sys, opts: Options) -> str | None:
    pieces: list[str] = []
    for letter in ("d", "J", "Y", "B"):
        for text in opts.given.get(letter, []):
            if text.startswith("@") and text != "@-" and letter != "Y":
                try:
                    text = sys.fs.read(text[1:])
                    text = text.replace("\n", "") if letter == "d" else text
                except FileError:
                    sys.err("curl: option -d: error encountered when reading a file\n")
                    raise Exit(26) from None
            pieces.append(text)
    return "&".join(pieces) if pieces else None


def _fail(sys: Sys, state: State, code: int, message: str) -> State:
    """One URL could not be fetched."""
    _close(sys, state)
    retriable = code in (28, 6) or (code == 7 and state["retry_refused"])
    if state["retries"] > 0 and retriable:
        state["retries"] -= 1
        if state["errors"]:
            sys.err(
                f"Warning: Problem: {message}. Will retry in {state['delay'] // 1_000_000} seconds. "
                f"{state['retries'] + 1} retries left.\n"
            )
        state["timers"] = {str(sys.sleep(state["delay"])): "retry"}
        return state
    if state["errors"]:
        sys.err(f"curl: ({code}) {message}\n{_CERTIFICATES if code == _UNTRUSTED else ''}")
    state["status"] = code
    _report(sys, state)
    return _next(sys, state)


def _next(sys: Sys, state: State) -> State:
    if not state["urls"]:
        sys.exit(state["status"])
    state["text"] = state["urls"].pop(0)
    state["redirects"], state["since"], state["status"] = 0, sys.now, 0
    state["target"] = state["outputs"].pop(0) if state["outputs"] else ""
    state["answer"] = http.fresh()
    url = http.parse_url(state["text"])
    if url is None:
        return _fail(
            sys,
            state,
            3,
            "URL rejected: "
            + (
                "No host part in the URL"
                if state["text"].partition("://")[2] in ("", "/")
                else "Port number was not a decimal number between 0 and 65535"
            ),
        )
    if url.scheme not in ("http", "https"):
        return _fail(sys, state, 1, f'Protocol "{url.scheme}" not supported')
    if state["named"] and not state["target"]:
        state["target"] = url.path.partition("?")[0].rpartition("/")[2] or "curl_response"
    state["timers"] = {}
    if state["limit"] < FOREVER:
        state["timers"] = {str(sys.sleep(state["limit"])): "total"}
    return _fetch(sys, state, url)


def _url(state: State) -> http.Url:
    return http.Url(*state["url"])


def _fetch(sys: Sys, state: State, url: http.Url) -> State:
    state["url"] = list(url)
    state["answer"], state["sent"] = http.fresh(), False
    for row in state["resolve"]:
        host, port, address = (row.split(":", 2) + ["", ""])[:3]
        if host == url.host and port == str(url.port):
            return _connect(sys, state, address)
    if url.host == "localhost":
        return _connect(sys, state, "127.0.0.1")
    if is_address(url.host):
        return _connect(sys, state, url.host)
    sys.resolve(url.host)
    return state


def _connect(sys: Sys, state: State, ip: str) -> State:
    url = _url(state)
    state["ip"] = ip
    if state["verbose"]:
        sys.err(f"*   Trying {ip}:{url.port}...\n")
    state["fd"] = sys.connect(ip, url.port)
    if state["connecting"] < FOREVER:
        state["timers"] = {**state["timers"], str(sys.sleep(state["connecting"])): "connect"}
    return state


def _greet(sys: Sys, state: State) -> State:
    """Over https the server's certificate is looked at before anything is asked."""
    state["timers"] = {key: kind for key, kind in state["timers"].items() if kind != "connect"}
    url = _url(state)
    if state["verbose"]:
        sys.err(f"* Connected to {url.host} ({state['ip']}) port {url.port}\n")
    if url.scheme != "https":
        return _send(sys, state)
    state["greeting"] = True
    sys.write(state["fd"], tls.hello(url.host))
    sys.read(state["fd"])
    return state


def _greeted(sys: Sys, state: State, chunk: str) -> State:
    state["greeting"] = False
    found = tls.shown(chunk)
    if found is None or found[0] is None:
        return _fail(sys, state, 35, "TLS connect error: error:0A00010B:SSL routines::wrong version number")
    certificate, host = found[0], _url(state).host
    if state["verbose"]:
        sys.err(f"* Server certificate:\n*  subject: CN={certificate.subject}\n")
        sys.err(f"*  issuer: CN={certificate.issuer or certificate.subject}\n")
    if not state["insecure"]:
        try:
            bundle = str(sys.fs.read(state["bundle"])) if state["bundle"] else ""
        except FileError:
            bundle = ""
        known = tls.authorities(bundle)
        if state["bundle"] and not known:
            return _fail(sys, state, 77, f"error adding trust anchors from file: {state['bundle']}")
        problem = _problem(certificate, host, known, bundle)
        if problem:
            return _fail(sys, state, _UNTRUSTED, problem)
        if state["verbose"]:
            sys.err("*  SSL certificate verify ok.\n")
    return _send(sys, state)


def _problem(certificate: tls.Certificate, host: str, known: list[str], bundle: str) -> str:
    """Why a certificate is not believed; "": it is."""
    believed = certificate.authority in known or (certificate.der and vouched(certificate.der, bundle))
    if not certificate.issuer or (certificate.issuer == certificate.subject and not believed):
        return "SSL certificate problem: self-signed certificate"
    if not believed:
        return "SSL certificate problem: unable to get local issuer certificate"
    if not certificate.good_for(host):
        what = "ipv4 address" if is_address(host) else "hostname"
        return f"SSL: no alternative certificate subject name matches target {what} '{host}'"
    return ""


def _send(sys: Sys, state: State) -> State:
    url = _url(state)
    own = {row.partition(":")[0].strip().lower() for row in state["headers"]}
    rows = [("Host", url.authority), ("User-Agent", state["agent"]), ("Accept", "*/*")]
    rows = [row for row in rows if row[0].lower() not in own]
    pairs = [row.partition(":") for row in state["headers"]]
    rows += [(name.strip(), value.strip()) for name, mark, value in pairs if mark and value.strip()]
    body = state["data"] if state["method"] not in ("HEAD",) else None
    if body is not None:
        rows.append(("Content-Length", str(len(body))))
        if "content-type" not in own:
            rows.append(("Content-Type", "application/x-www-form-urlencoded"))
    text = http.request(url, state["method"], rows, body or "")
    if state["verbose"]:
        head = text.partition("\r\n\r\n")[0]
        sys.err("".join(f"> {row}\n" for row in head.split("\r\n")) + "> \n")
    sys.write(state["fd"], text)
    sys.read(state["fd"])
    return state


def _data(sys: Sys, state: State, chunk: str) -> State:
    if state["greeting"]:
        return _greeted(sys, state, chunk)
    answer = state["answer"] = dict(state["answer"])
    began = answer["status"]
    body = http.take(answer, chunk, no_body=state["method"] == "HEAD")
    if body is None:
        return _fail(sys, state, 1, "Received HTTP/0.9 when not allowed")
    if answer["status"] and not began:
        moved = _head(sys, state)
        if moved is not None:
            return moved
    if body and not _hidden(state):
        _write(sys, state, body)
    if answer["done"]:
        return _finished(sys, state)
    sys.read(state["fd"])
    return state


def _hidden(state: State) -> bool:
    return bool(state["fail"] and state["answer"]["status"] >= 400)


def _head(sys: Sys, state: State) -> State | None:
    answer = state["answer"]
    if state["verbose"]:
        sys.err("".join(f"< {row}\n" for row in answer["head"].rstrip("\r\n").split("\r\n")) + "< \n")
    if state["include"] and not _hidden(state):
        _write(sys, state, answer["head"])
    location = http.header(answer, "location")
    if not (state["follow"] and answer["status"] in (301, 302, 303, 307, 308) and location):
        return None
    state["redirects"] += 1
    if state["redirects"] > MAX_REDIRECTS:
        return _fail(sys, state, 47, f"Maximum ({MAX_REDIRECTS}) redirects followed")
    url = http.absolute(_url(state), location)
    if url is None or url.scheme not in ("http", "https"):
        return _fail(sys, state, 1, f'Protocol "{url.scheme if url else location}" not supported')
    if answer["status"] == 303 or (
        answer["status"] in (301, 302) and state["method"] == "POST" and not state["fixed"]
    ):
        state["method"], state["data"] = "GET", None
    sys.close(state["fd"])
    state["fd"] = -1
    return _fetch(sys, state, url)


def _write(sys: Sys, state: State, text: str) -> None:
    if state["target"] in ("", "-"):
        sys.write(1, text)
        return
    try:
        sys.fs.write(state["target"], text, append=state["begun"])
        state["begun"] = True
    except FileError as error:
        if state["errors"]:
            sys.err(f"Warning: Failed to open the file {state['target']}: {error.reason}\n")
            sys.err("curl: (23) client returned ERROR on write, " + f"{len(text)} bytes were not written\n")
        raise Exit(23) from None


def _finished(sys: Sys, state: State) -> State:
    _close(sys, state)
    status = state["answer"]["status"]
    if state["target"] not in ("", "-") and not state["begun"] and not _hidden(state):
        _write(sys, state, "")
    state["begun"] = False
    if status >= 400 and (state["fail"] or state["fail_body"]):
        if state["errors"]:
            sys.err(f"curl: (22) The requested URL returned error: {status}\n")
        state["status"] = 22
    _report(sys, state)
    return _next(sys, state)


def _report(sys: Sys, state: State) -> None:
    """`-w`."""
    if not state["format"]:
        return
    answer: dict[str, Any] = state["answer"]
    micros = sys.now - state["since"]
    seconds = f"{micros // 1_000_000}.{micros % 1_000_000:06d}"
    code = f"{answer['status']:03d}"
    values = {
        "http_code": code, "response_code": code, "size_download": str(answer["size"]), "time_total": seconds,
        "time_connect": seconds, "time_starttransfer": seconds, "time_namelookup": seconds,
        "url_effective": state["text"],
        "remote_ip": state["ip"], "num_redirects": str(state["redirects"]), "method": state["method"],
        "content_type": http.header(answer, "content-type"), "exitcode": str(state["status"]),
        "remote_port": str(state["url"][2] if state["url"] else 0),
        "http_version": answer["version"].removeprefix("HTTP/"),
        "redirect_url": http.header(answer, "location"), "errormsg": "",
    }  # fmt: skip
    text = state["format"].replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r")
    out: list[str] = []
    at = 0
    while at < len(text):
        end = text.find("}", at) if text.startswith("%{", at) else -1
        if end > 0:
            out.append(values.get(text[at + 2 : end], ""))
            at = end + 1
        else:
            out.append("%" if text.startswith("%%", at) else text[at])
            at += 2 if text.startswith("%%", at) else 1
    sys.write(1, "".join(out))


def _close(sys: Sys, state: State) -> None:
    if state["fd"] >= 0:
        sys.close(state["fd"])
        state["fd"] = -1
    for key in state["timers"]:
        sys.cancel(int(key))
    state["timers"] = {}


def _millis(sys: Sys, state: State) -> int:
    return int((sys.now - state["since"]) // 1_000)


def _timer(sys: Sys, state: State, timer: int) -> State:
    kind = state["timers"].get(str(timer))
    if kind == "retry":
        url = http.parse_url(state["text"])
        state["timers"] = {}
        assert url is not None
        return _fetch(sys, state, url)
    if kind is None:
        return state
    if state["answer"]["status"] or (state["fd"] >= 0 and kind == "total" and state["sent"]):
        return _fail(
            sys,
            state,
            28,
            f"Operation timed out after {_millis(sys, state)} milliseconds"
            f" with {state['answer']['size']} bytes received",
        )
    if state["fd"] < 0:
        return _fail(sys, state, 28, f"Resolving timed out after {_millis(sys, state)} milliseconds")
    return _fail(sys, state, 28, f"Connection timed out after {_millis(sys, state)} milliseconds")


def _failed(sys: Sys, state: State, reason: str) -> State:
    url = _url(state)
    if state["sent"]:
        if url.scheme == "https":
            return _fail(sys, state, 35, "TLS connect error: error:00000000:lib(0)::reason(0)")
        return _fail(sys, state, 56, "Recv failure: Connection reset by peer")
    said = "No route to host" if reason == "unreachable" else "Could not connect to server"
    where = f"{url.host} port {url.port} after {_millis(sys, state)} ms"
    return _fail(sys, state, 28 if reason == "timeout" else 7, f"Failed to connect to {where}: {said}")


def _on(sys: Sys, state: State, event: Event) -> State:
    match event:
        case ["start", argv]:
            return _start(sys, argv)
        case ["resolved", _, addresses]:
            return _connect(sys, state, addresses[0])
        case ["unresolved", name, reason]:
            if reason == "timeout":
                return _fail(sys, state, 28, f"Resolving timed out after {_millis(sys, state)} milliseconds")
            return _fail(sys, state, 6, f"Could not resolve host: {name}")
        case ["connected", _]:
            state["sent"] = True
            return _greet(sys, state)
        case ["failed", _, reason]:
            return _failed(sys, state, reason)
        case ["timer", timer]:
            return _timer(sys, state, timer)
        case ["data", fd, chunk] if fd == state["fd"]:
            return _data(sys, state, chunk)
        case ["end", fd] if fd == state["fd"]:
            answer = state["answer"] = dict(state["answer"])
            if http.ended(answer):
                return _finished(sys, state)
            if not answer["status"]:
                return _fail(sys, state, 52, "Empty reply from server")
            return _fail(sys, state, 18, "transfer closed with outstanding read data remaining")
    return state


PROGRAM = Program("curl", "fetch a URL", _USAGE, on=_on)
