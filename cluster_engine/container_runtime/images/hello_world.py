"""hello-world: prints its greeting and ends."""

from __future__ import annotations

from cluster_engine.container_runtime.http import Line
from cluster_engine.container_runtime.image import Image, Variant, tags
from cluster_engine.container_runtime.programs import once
from cluster_engine.linux.program import Program, Sys


def _hello(sys: Sys, argv: list[str]) -> tuple[int, list[Line]]:
    return 0, [
        ("stdout", "Hello from Docker!"),
        ("stdout", "This message shows that your installation appears to be working correctly."),
    ]


def _programs(variant: Variant) -> dict[str, Program]:
    return {"/hello": once("hello", _hello)}


IMAGE = Image(
    repository="docker.io/library/hello-world",
    variants=tags(10_072, "1", "latest", "linux"),
    cmd=("/hello",),
    programs=_programs,
)
