"""What nginx does with a request, by the configuration that it has read; of the image's own nothing is kept."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from typing import Any

from cluster_engine.container_runtime import nginx_conf
from cluster_engine.container_runtime.http import Onward, Reply, Request
from cluster_engine.container_runtime.images._web import error_page, file_of, static
from cluster_engine.linux import regex
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import State, Sys
from cluster_engine.linux.text import characters, octets
from cluster_engine.network import is_address

JSON = dict[str, Any]
PATH = "/etc/nginx/nginx.conf"
_ROOT = "/usr/share/nginx/html"
_TYPE = "application/octet-stream"
_OWN = {
    "servers": [
        {
            "ports": [80, 80],
            "default": False,
            "names": ["localhost"],
            "own": {"root": "/etc/nginx/html", "index": ["index.html"], "type": _TYPE},
            "locations": [
                {"how": "", "path": "/", "root": _ROOT, "index": ["index.html", "index.htm"], "type": _TYPE},
                {"how": "=", "path": "/50x.html", "root": _ROOT, "index": ["index.html"], "type": _TYPE},
            ],
        }
    ],
    "upstreams": {},
}
"""What the image's own files say."""


def read(sys: Sys, place: str) -> tuple[JSON | None, list[tuple[str, str]]]:
    """The configuration, None for the image's own, and the hosts that it names. Raises ConfError."""

    def text(path: str) -> str | None:
        try:
            return characters(sys.fs.read(path))
        except FileError:
            return None

    def files(pattern: str) -> list[str]:
        folder, _, last = pattern.rpartition("/")
        try:
            names = sys.fs.listdir(folder or "/")
        except FileError:
            return []
        return [
            f"{folder}/{name}" for name in sorted(names) if fnmatch.fnmatchcase(name, last) and name[0] != "."
        ]

    directives = nginx_conf.parse(place, text, files)
    conf = nginx_conf.reduced(directives)
    return (None if conf == _OWN else conf), nginx_conf.hosts(directives)


def ports(state: State) -> tuple[int, ...]:
    """Where it listens."""
    return nginx_conf.ports(state["conf"]) if "conf" in state else (80,)


def _matches(pattern: str, ignore_case: bool, path: str) -> bool:
    try:
        return regex.found(regex.regex(pattern, extended=True, ignore_case=ignore_case), path)
    except regex.PatternError:
        return False


def answering(version: str) -> Callable[[Sys, State, Request], Reply | Onward]:
    """The handler of a server that says this version."""
    plain = static(lambda sys: _ROOT, version)

    def handle(sys: Sys, state: State, request: Request) -> Reply | Onward:
        conf = state.get("conf")
        if conf is None:
            return plain(sys, state, request)
        server = nginx_conf.server_of(conf, request.port, request.headers.get("host", ""))
        if server is None:
            return error_page(version, 404)
        path = request.path.partition("?")[0]
        if "return" in server["own"]:
            return _returned(sys, request, server["own"], version)
        found = nginx_conf.location_of(server, path, _matches)
        if "return" in found:
            return _returned(sys, request, found, version)
        if "proxy_pass" in found:
            return _proxied(sys, state, conf, request, found, version)
        if found.get("status"):
            number = state.get("served", 0)
            return Reply(
                200,
                f"Active connections: 1 \nserver accepts handled requests\n {number} {number} {number} \n",
            )
        return _with_headers(_file(sys, request, path, found, version), found)

    return handle


def _with_headers(reply: Reply, found: JSON) -> Reply:
    added = dict(found.get("headers", ()))
    return reply._replace(headers={**reply.headers, **added}) if added else reply


def _file(sys: Sys, request: Request, path: str, found: JSON, version: str) -> Reply:
    """A file below ``root`` or ``alias``; with ``try_files`` the first that is there."""
    if request.method not in ("GET", "HEAD"):
        return error_page(version, 405)
    tried = [each.replace("$uri", path) for each in found.get("try_files", ())]
    for each in tried[:-1] or [path]:
        reply = file_of(sys, _place(each, found), each.endswith("/"), found["index"], found["type"])
        if reply is not None and (reply.status == 200 or not tried):
            return reply if reply.status == 200 else error_page(version, reply.status)
    last = tried[-1] if tried else "=404"
    if last.startswith("="):
        return error_page(version, int(last[1:]) if last[1:].isdecimal() else 404)
    reply = file_of(sys, _place(last, found), last.endswith("/"), found["index"], found["type"])
    return reply if reply is not None and reply.status == 200 else error_page(version, 404)


def _place(path: str, found: JSON) -> str:
    if "alias" in found and path.startswith(found["path"]):
        return str(found["alias"]) + path[len(found["path"]) :]
    return f"{found['root'].rstrip('/')}/{path.lstrip('/')}"


def _filled(sys: Sys, request: Request, text: str) -> str:
    """A text with its variables."""
    path, _, query = request.path.partition("?")
    known = {
        "request_uri": request.path,
        "request_method": request.method,
        "remote_addr": request.peer,
        "remote_port": str(request.peer_port),
        "server_port": str(request.port),
        "server_addr": "",
        "hostname": sys.hostname,
        "scheme": "http",
        "args": query,
        "query_string": query,
        "uri": path,
        "document_uri": path,
        "host": request.headers.get("host", "").partition(":")[0],
        "http_host": request.headers.get("host", ""),
        "http_user_agent": request.headers.get("user-agent", ""),
    }
    for name in sorted(known, key=len, reverse=True):
        text = text.replace(f"${{{name}}}", known[name]).replace(f"${name}", known[name])
    return text


def _returned(sys: Sys, request: Request, found: JSON, version: str) -> Reply:
    words = found["return"]
    code = int(words[0]) if words[0].isdecimal() and len(words[0]) == 3 else 0
    text = _filled(sys, request, octets(words[-1])) if len(words) > 1 or not code else ""
    text = text.replace("\\n", "\n")
    if not code or code in (301, 302, 303, 307, 308):
        page = error_page(version, code or 302)
        return page._replace(headers={**page.headers, "Location": text})
    if not text and code >= 300:
        return error_page(version, code)
    return _with_headers(Reply(code, text, {"Content-Type": found["type"]}), found)


def _proxied(
    sys: Sys, state: State, conf: JSON, request: Request, found: JSON, version: str
) -> Reply | Onward:
    """The request as it goes on: to the next server of an upstream, or to the one that is named."""
    scheme, _, rest = _filled(sys, request, found["proxy_pass"]).partition("://")
    place, slash, path = rest.partition("/")
    number = state["passed"] = state.get("passed", 0) + 1
    servers = conf["upstreams"].get(place)
    target = servers[(number - 1) % len(servers)] if servers else place
    host, _, port = target.partition(":")
    ip = host if is_address(host) else state.get("found", {}).get(host)
    if ip is None or scheme != "http" or not (port or "80").isdecimal():
        return error_page(version, 502)
    uri = request.path
    if slash:
        uri = f"/{path}{request.path[len(found['path']) :]}"
    headers = {
        **request.headers,
        "host": place,
        "connection": "close",
        "content-length": str(len(request.body)),
    }
    if not request.body and request.method in ("GET", "HEAD"):
        del headers["content-length"]
    head = "".join(f"{name.title()}: {value}\r\n" for name, value in headers.items())
    return Onward(ip, int(port or "80"), f"{request.method} {uri} HTTP/1.0\r\n{head}\r\n{request.body}")
