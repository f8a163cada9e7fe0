"""A page that shows a cluster: namespaces, workloads, Pods. Kubernetes Dashboard is retired, Headlamp has taken its
place; under both names stands a small page of our own.

It asks the API server as its Pod's service account, by the program that is kubectl in other images: what RBAC does not
let it see, the page says so. HTML is made here, everything in it escaped, and it has no script.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from cluster_engine.container_runtime import kubectl
from cluster_engine.container_runtime.http import NEVER, Line, Reply, Request, Server, answer, server
from cluster_engine.container_runtime.image import MB, PATH, Image, Variant, tags
from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.linux.text import characters, octets

MAX_PAGES = 16
"""Pages that are made at a time; whoever asks for one more is told to come again."""
MAX_TABLE = 128 * 1024
"""Bytes of a table; what is more of it is not shown."""
_ASKS = "/usr/local/libexec/kubectl"
_SECTIONS = (
    ("Namespaces", "namespaces"),
    ("Deployments", "deployments"),
    ("StatefulSets", "statefulsets"),
    ("DaemonSets", "daemonsets"),
    ("CronJobs", "cronjobs"),
    ("Jobs", "jobs"),
    ("Services", "services"),
    ("Pods", "pods"),
)
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_HEAD = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<link rel="stylesheet" href="/style.css"></head><body>
<header><h1>{title}</h1><p><a href="/">All namespaces</a></p></header><main>
"""
_FOOT = "</main></body></html>\n"
_STYLE = """body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 72rem; padding: 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #d5dbe3; }
.refused { color: #8a1c1c; }
"""


def _handle(sys: Sys, state: State, request: Request) -> Reply:
    path, _, query = request.path.partition("?")
    if request.method not in ("GET", "HEAD"):
        return Reply(405, "Method Not Allowed\n")
    if path == "/style.css":
        return Reply(200, _STYLE, {"Content-Type": "text/css"})
    if path == "/healthz":
        return Reply(200, "ok")
    if path != "/":
        return Reply(404, "404 page not found\n")
    namespace = dict(parse_qsl(query[:256])).get("namespace", "")
    if namespace and _NAME.fullmatch(namespace) is None:
        return Reply(400, "a namespace has another name\n")
    pages = state.get("pages", {})
    if len(pages) >= MAX_PAGES:
        return Reply(503, "too many pages at a time\n", {"Retry-After": "1"})
    page = {"peer": [request.peer, request.peer_port], "namespace": namespace, "at": 0, "html": ""}
    return _next(sys, state, page) or Reply(200, after=NEVER)


def _next(sys: Sys, state: State, page: dict[str, Any]) -> Reply | None:
    """Asks for the next section; the whole page when there is none left."""
    if page["at"] == len(_SECTIONS):
        title = f"Namespace {page['namespace']}" if page["namespace"] else "Cluster"
        text = _HEAD.format(title=title) + page["html"] + _FOOT
        headers = {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Security-Policy": "default-src 'none'; style-src 'self'",
        }
        return Reply(200, octets(text), headers)
    plural = _SECTIONS[page["at"]][1]
    where = ["-n", page["namespace"]] if page["namespace"] else ["-A"]
    source, target = sys.pipe()
    quiet = sys.open("/dev/null")
    argv = [_ASKS, "get", plural, *(where if plural != "namespaces" else ())]
    pid = sys.spawn(argv, fds={0: quiet, 1: target, 2: target})
    sys.close(target)
    sys.close(quiet)
    sys.read(source)
    waits = {**page, "pid": pid, "out": "", "status": None, "ended": False}
    state["pages"] = {**state.get("pages", {}), str(source): waits}
    return None


def _happened(sys: Sys, state: State, event: Event) -> tuple[bool, tuple[str, int, Reply] | None]:
    """Whether an event is about a page that is being made, and the page when it is done."""
    pages = state.get("pages", {})
    match event:
        case ["exited", pid, status]:
            for key, page in pages.items():
                if page["pid"] == pid:
                    return True, _heard(sys, state, key, {**page, "status": status})
        case ["data", fd, chunk] if str(fd) in pages:
            page = pages[str(fd)]
            state["pages"] = {**pages, str(fd): {**page, "out": (page["out"] + chunk)[:MAX_TABLE]}}
            sys.read(fd)
            return True, None
        case ["end", fd] if str(fd) in pages:
            sys.close(fd)
            return True, _heard(sys, state, str(fd), {**pages[str(fd)], "ended": True})
    return False, None


def _heard(sys: Sys, state: State, key: str, page: dict[str, Any]) -> tuple[str, int, Reply] | None:
    """A section is there when the program has ended and said all."""
    if page["status"] is None or not page["ended"]:
        state["pages"] = {**state["pages"], key: page}
        return None
    state["pages"] = {other: each for other, each in state["pages"].items() if other != key}
    title = _SECTIONS[page["at"]][0]
    section = _section(title, characters(page["out"]), page["status"] == 0)
    done = {name: page[name] for name in ("peer", "namespace")}
    reply = _next(sys, state, {**done, "at": page["at"] + 1, "html": page["html"] + section})
    return (*page["peer"], reply) if reply is not None else None


def _section(title: str, text: str, shown: bool) -> str:
    """A table as kubectl prints it, as HTML; a refusal as a sentence."""
    found = f"<h2>{title}</h2>\n"
    lines = text.splitlines()
    if not shown:
        return f'{found}<p class="refused">{html.escape(text.strip())}</p>\n'
    if not lines or lines[0].startswith("No resources found"):
        return f"{found}<p>None.</p>\n"
    starts = [match.start() for match in re.finditer(r"(?:^|(?<=  ))\S", lines[0])]
    ends = [*starts[1:], None]
    rows = [[line[a:b].strip() for a, b in zip(starts, ends, strict=True)] for line in lines]
    head = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in rows[0])
    body = "\n".join(
        f"<tr>{''.join(_cell(title, at, cell) for at, cell in enumerate(row))}</tr>" for row in rows[1:]
    )
    return f"{found}<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>\n"


def _cell(title: str, at: int, text: str) -> str:
    if title == "Namespaces" and not at and _NAME.fullmatch(text):
        return f'<td><a href="/?namespace={text}">{text}</a></td>'
    return f"<td>{html.escape(text)}</td>"


def _program(name: str, port: int) -> Program:
    def ready(sys: Sys) -> list[Line]:
        return [("stderr", f"{name}: listening on :{port}, asking the API as the Pod's service account")]

    given = Server(_handle, port=lambda sys: port, after=50_000, ready=ready, stops={"TERM": (5_000, 0)})
    serves = server(name, given).on
    assert serves is not None

    def on(sys: Sys, state: State, event: Event) -> State:
        waited, done = _happened(sys, state, event)
        if not waited:
            return serves(sys, state, event)
        return answer(given, sys, state, *done) if done is not None else state

    return Program(name, on=on)


def _image(repository: str, path: str, port: int, variants: Mapping[str, Variant]) -> Image:
    name = path.rpartition("/")[2]
    return Image(
        repository=repository,
        variants=variants,
        entrypoint=(path,),
        env={"PATH": PATH},
        ports=(port,),
        programs=lambda variant: {path: _program(name, port), _ASKS: kubectl.PROGRAM},
        memory=40 * MB,
    )


IMAGES: tuple[Image, ...] = (
    _image(
        "ghcr.io/headlamp-k8s/headlamp",
        "/headlamp/headlamp-server",
        4466,
        tags(82_000_000, "v0.38.0", "latest", *(f"v0.{minor}.0" for minor in range(20, 39))),
    ),
    _image(
        "docker.io/kubernetesui/dashboard",
        "/dashboard",
        9090,
        tags(75_000_000, "v2.7.0", "latest", *(f"v2.{minor}.0" for minor in range(8))),
    ),
)
