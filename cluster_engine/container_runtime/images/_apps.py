"""Small web servers that differ in nothing but a port, a page and what they log: each is a line of a table.

An image of an own kind has a file of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from cluster_engine.container_runtime.http import Line, Reply, Request, Server, server
from cluster_engine.container_runtime.image import PATH, Image, Variant, alpine_files, debian_files, tags
from cluster_engine.linux.program import Program, State, Sys
from cluster_engine.sim import rfc3339

Answer = Callable[[Sys, State, Request, Variant], Reply]
HTML = {"Content-Type": "text/html; charset=utf-8"}
TEXT = {"Content-Type": "text/plain; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class App:
    """One of them."""

    repository: str
    port: int
    answer: Answer
    builds: tuple[str, ...] = ("1.0.0",)
    """Versions; the last one is ``latest`` too. A word is a tag of its own."""
    ready: str = ""
    """What it says when it listens; ``{hostname}`` and ``{now}`` are filled in."""
    asked: str = ""
    """What it says of a request; ``{peer}`` and ``{path}`` are filled in."""
    tools: str = "debian"
    env: dict[str, str] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    """Tools beside those that come with it."""
    files: dict[str, str] = field(default_factory=dict)


def page(text: str, html: bool = False) -> Answer:
    """One page for every path; names in braces are filled in."""

    def answer(sys: Sys, state: State, request: Request, variant: Variant) -> Reply:
        shown = text.format(
            hostname=sys.hostname,
            version=variant.version,
            major=variant.version.partition(".")[0],
            path=request.path,
        )
        return Reply(200, shown, HTML if html else TEXT)

    return answer


def site(title: str, words: str = "") -> Answer:
    """A page with a title, a heading and the Pod's name behind some words."""
    return page(
        f"<!doctype html>\n<title>{title}</title>\n<h1>{title}</h1>\n<p>{words}{{hostname}}</p>\n", html=True
    )


def _said(sys: Sys, text: str) -> str:
    return text.format(hostname=sys.hostname, now=rfc3339(sys.now)) if "{" in text else text


def image_of(app: App) -> Image:
    """The image of such a server."""

    def programs(variant: Variant) -> dict[str, Program]:
        def handle(sys: Sys, state: State, request: Request) -> Reply:
            return app.answer(sys, state, request, variant)

        def access(sys: Sys, request: Request, reply: Reply) -> Line:
            return "stdout", app.asked.format(peer=request.peer, path=request.path)

        given = Server(
            handle,
            port=lambda sys: app.port,
            ready=(lambda sys: [("stdout", _said(sys, app.ready))]) if app.ready else None,
            access=access if app.asked else None,
            stops={"TERM": (10_000, 143), "INT": (10_000, 130)},
        )
        return {"/app/server": server(app.repository.rpartition("/")[2], given)}

    builds = {name: Variant(40_000_000 + 1_003 * number, name) for number, name in enumerate(app.builds)}
    repository = app.repository
    if "." not in repository.partition("/")[0]:
        repository = f"docker.io/{repository if '/' in repository else f'library/{repository}'}"
    newest = app.builds[-1]
    return Image(
        repository=repository,
        since=_since(app.builds),
        variants={"latest": builds[newest], **builds},
        entrypoint=("/app/server",),
        env={"PATH": PATH, **app.env},
        ports=(app.port,),
        programs=programs,
        tools=app.tools,
        also=app.also,
        files=lambda variant: {
            **(alpine_files if app.tools == "busybox" else debian_files)(variant),
            **app.files,
        },
    )


def _since(builds: tuple[str, ...]) -> tuple[int, ...]:
    """The oldest version that an unlisted tag may name; none where tags are words."""
    numbers = [build for build in builds if build[0].isdigit() and "." in build]
    return tuple(int(part) for part in numbers[0].split(".")[:2]) if len(numbers) == len(builds) else ()


def script(repository: str, run: str, size: int, *names: str, **env: str) -> Image:
    """An image whose whole program is a shell script."""
    return Image(
        repository=f"docker.io/{repository}",
        variants=tags(size, "1.0.0", "latest", *names),
        entrypoint=("/run.sh",),
        env={"PATH": PATH, **env},
        tools="debian",
        files=lambda variant: {**debian_files(variant), "/run.sh": f"#!/bin/sh\n{run}"},
    )
