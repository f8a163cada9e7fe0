"""registry.k8s.io/echoserver: answers every request with what it was asked (`kubectl create deployment hello-node`)."""

from __future__ import annotations

from cluster_engine.container_runtime.http import Reply, Request, Server, server
from cluster_engine.container_runtime.image import PATH, Image, Variant, debian_files, tags
from cluster_engine.linux.program import Program, State, Sys


def _reply(sys: Sys, state: State, request: Request) -> Reply:
    host = request.headers.get("host", "")
    headers = "".join(f"\t{name}={value}\n" for name, value in sorted(request.headers.items()))
    body = request.body or "-no body in request-"
    path = request.path.partition("?")
    return Reply(
        200,
        f"\n\nHostname: {sys.hostname}\n\nPod Information:\n\t-no pod information available-\n\n"
        f"Server values:\n\tserver_version=nginx: 1.13.3 - lua: 10008\n\n"
        f"Request Information:\n\tclient_address={request.peer}\n\tmethod={request.method}\n"
        f"\treal path={request.path}\n"
        f"\tquery={path[2]}\n\trequest_version={request.version.removeprefix('HTTP/')}\n\trequest_scheme=http\n"
        f"\trequest_uri=http://{host}:8080{path[0]}\n\nRequest Headers:\n{headers}\nRequest Body:\n\t{body}\n\n",
        {"Content-Type": "text/plain"},
    )


def _programs(variant: Variant) -> dict[str, Program]:
    given = Server(
        _reply, port=lambda sys: 8080, name="echoserver", stops={"QUIT": (20_000, 0), "TERM": (20_000, 0)}
    )
    return {"/usr/local/bin/run.sh": server("echoserver", given)}


IMAGE = Image(
    repository="registry.k8s.io/echoserver",
    since=(1, 0),
    variants={
        **tags(44_000_000, "1.10", "1.10", "latest"),
        **tags(45_000_000, "1.4", "1.4"),
    },
    entrypoint=("/usr/local/bin/run.sh",),
    env={"PATH": PATH},
    ports=(8080,),
    steady=True,
    programs=_programs,
    tools="debian",
    files=debian_files,
)
