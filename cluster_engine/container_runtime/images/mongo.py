"""mongo: keeps documents on its volume and answers `mongosh`; the protocol of drivers is not simulated."""

from __future__ import annotations

import json
from collections.abc import Mapping

from cluster_engine.container_runtime.http import Line
from cluster_engine.container_runtime.image import MB, PATH, Image, Variant, tags
from cluster_engine.container_runtime.mongo.mongosh import mongosh
from cluster_engine.container_runtime.mongo.server import MAX_REQUEST, answer
from cluster_engine.container_runtime.programs import by_lines, daemon, entrypoint
from cluster_engine.linux.program import Program, Sys
from cluster_engine.sim import rfc3339


def _line(
    sys: Sys, component: str, number: int, context: str, text: str, attributes: Mapping[str, object]
) -> Line:
    stamp = f"{rfc3339(sys.now)[:19]}.{sys.now // 1000 % 1000:03d}+00:00"
    found = {"t": {"$date": stamp}, "s": "I", "c": component, "id": number, "ctx": context, "msg": text}
    return (
        "stdout",
        json.dumps({**found, "attr": attributes} if attributes else found, separators=(",", ":")),
    )


def _programs(variant: Variant) -> dict[str, Program]:
    def start(sys: Sys) -> list[Line]:
        host = {
            "pid": sys.pid,
            "port": 27_017,
            "dbPath": "/data/db",
            "architecture": "64-bit",
            "host": sys.hostname,
        }
        build = {"buildInfo": {"version": variant.version, "gitVersion": "nogitversion", "modules": []}}
        return [
            _line(sys, "CONTROL", 4_615_611, "initandlisten", "MongoDB starting", host),
            _line(sys, "CONTROL", 23_403, "initandlisten", "Build Info", build),
        ]

    def ready(sys: Sys) -> list[Line]:
        return [
            _line(sys, "NETWORK", 23_015, "listener", "Listening on", {"address": "0.0.0.0"}),
            _line(
                sys, "NETWORK", 23_016, "listener", "Waiting for connections", {"port": 27_017, "ssl": "off"}
            ),
        ]

    def stopping(sys: Sys) -> list[Line]:
        caught = {"signal": 15, "error": "Terminated"}
        return [_line(sys, "CONTROL", 23_377, "SignalHandler", "Received signal", caught)]

    server = daemon(
        "mongod",
        start,
        after=800_000,
        ports=(27_017,),
        ready=ready,
        stopping=stopping,
        stop_after=300_000,
        talk=by_lines(answer, MAX_REQUEST),
    )
    return {
        "/usr/local/bin/docker-entrypoint.sh": entrypoint("docker-entrypoint.sh", "mongod"),
        "/usr/bin/mongod": server,
        **{f"/usr/bin/{name}": mongosh(name) for name in ("mongosh", "mongo")},
    }


IMAGE = Image(
    repository="docker.io/library/mongo",
    since=(3, 0),
    variants={
        **tags(297_000_000, "8.2.1", "latest", "8", "8.2", "8.2.1"),
        **tags(285_000_000, "8.0.15", "8.0", "8.0.15"),
        **tags(263_000_000, "7.0.25", "7", "7.0", "7.0.25"),
        **tags(242_000_000, "6.0.26", "6", "6.0", "6.0.26"),
        **tags(241_000_000, "5.0.31", "5", "5.0", "5.0.31"),
        **tags(165_000_000, "4.4.29", "4", "4.4", "4.4.29"),
    },
    entrypoint=("docker-entrypoint.sh",),
    cmd=("mongod",),
    env={"PATH": PATH},
    ports=(27_017,),
    programs=_programs,
    memory=90 * MB,
    tools="debian",
)
