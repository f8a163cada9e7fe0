"""Images that their registries give to nobody without a name: for imagePullSecrets.

The user is ``janedoe``, the password ``letmein``, on Docker Hub and at registry.example.com alike.
"""

from __future__ import annotations

from cluster_engine.container_runtime.http import Reply, Request, Server, server
from cluster_engine.container_runtime.image import PATH, Image, Variant, alpine_files, tags
from cluster_engine.linux.program import Program, State, Sys

LOGINS = {"janedoe": "letmein"}


def _programs(variant: Variant) -> dict[str, Program]:
    def reply(sys: Sys, state: State, request: Request) -> Reply:
        return Reply(200, f"awesome {variant.version} on {sys.hostname}\n", {"Content-Type": "text/plain"})

    given = Server(reply, port=lambda sys: 8080, stops={"TERM": (20_000, 0)})
    return {"/usr/local/bin/awesomeapp": server("awesomeapp", given)}


def _image(repository: str) -> Image:
    return Image(
        repository=repository,
        since=(1,),
        variants={**tags(12_000_000, "v2", "v2", "latest"), **tags(12_000_000, "v1", "v1")},
        entrypoint=("/usr/local/bin/awesomeapp",),
        env={"PATH": PATH},
        ports=(8080,),
        logins=LOGINS,
        steady=True,
        programs=_programs,
        tools="busybox",
        files=alpine_files,
    )


IMAGES: tuple[Image, ...] = (_image("docker.io/janedoe/awesomeapp"), _image("registry.example.com/team/app"))
