"""The image of the autoscaling walk-through: a PHP page that computes for a while, and says OK."""

from __future__ import annotations

from cluster_engine.container_runtime.http import Reply, Request, Server, server
from cluster_engine.container_runtime.image import MB, Image, Variant, tags
from cluster_engine.linux.program import Program, State, Sys

COST = 10_000
"""µs of a processor that one page takes (a million square roots)."""


def _page(sys: Sys, state: State, request: Request) -> Reply:
    if request.path.partition("?")[0] not in ("/", "/index.php"):
        return Reply(404, "<h1>Not Found</h1>\n", {"Content-Type": "text/html; charset=iso-8859-1"})
    sys.tick(COST)
    return Reply(200, "OK!", {"Content-Type": "text/html; charset=UTF-8"})


def _programs(variant: Variant) -> dict[str, Program]:
    given = Server(_page, name="Apache/2.4.10 (Debian)", stops={"TERM": (20_000, 0), "WINCH": (20_000, 0)})
    return {"/usr/local/bin/apache2-foreground": server("apache2", given)}


IMAGE = Image(
    repository="registry.k8s.io/hpa-example",
    variants=tags(196_000_000, "5.6", "latest"),
    cmd=("apache2-foreground",),
    ports=(80,),
    stop_signal="WINCH",
    tools="debian",
    programs=_programs,
    memory=8 * MB,
)
