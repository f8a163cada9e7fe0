"""hello-world: prints its greeting and ends."""

from __future__ import annotations

from cluster_engine.container_runtime.image import Image, tags
from cluster_engine.container_runtime.process import Launch, Plan, once

_TEXT = """Hello from Docker!
This message shows that your installation appears to be working correctly."""


def _hello(launch: Launch) -> Plan:
    return once(_TEXT)


IMAGE = Image(
    repository="docker.io/library/hello-world",
    variants=tags(10_072, "1", "latest", "linux"),
    cmd=("/hello",),
    programs={"hello": _hello},
)
