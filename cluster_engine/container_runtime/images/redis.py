"""redis: listens on 6379; commands to it are not simulated."""

from __future__ import annotations

from cluster_engine.container_runtime.http import Line, log_time
from cluster_engine.container_runtime.image import MB, PATH, Image, Variant, debian_files, tags
from cluster_engine.container_runtime.programs import daemon, entrypoint
from cluster_engine.linux.program import Program, Sys


def _line(sys: Sys, mark: str, text: str) -> Line:
    day, month, rest = log_time(sys.now).split("/")
    stamp = f"{day} {month} {rest[:4]} {rest[5:13]}.{sys.now // 1000 % 1000:03d}"
    return ("stdout", f"{sys.pid}:{mark} {stamp} {text}")


def _ready(sys: Sys) -> list[Line]:
    return [
        _line(sys, "M", "* monotonic clock: POSIX clock_gettime"),
        _line(sys, "M", "* Running mode=standalone, port=6379."),
        _line(sys, "M", "* Server initialized"),
        _line(sys, "M", "* Ready to accept connections tcp"),
    ]


def _programs(variant: Variant) -> dict[str, Program]:
    text = "bits=64, commit=00000000, modified=0, pid=1, just started"

    def start(sys: Sys) -> list[Line]:
        return [
            _line(sys, "C", "* oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo"),
            _line(sys, "C", f"* Redis version={variant.version}, {text}"),
        ]

    def stopping(sys: Sys) -> list[Line]:
        return [("stdout", f"{sys.pid}:signal-handler Received SIGTERM scheduling shutdown...")]

    server = daemon(
        "redis-server", start, after=25_000, ports=(6379,), ready=_ready, stopping=stopping, stop_after=15_000
    )
    return {
        "/usr/local/bin/docker-entrypoint.sh": entrypoint("docker-entrypoint.sh", "redis-server"),
        "/usr/local/bin/redis-server": server,
    }


IMAGE = Image(
    repository="docker.io/library/redis",
    since=(2, 8),
    variants={
        **tags(54_218_117, "8.2.2", "latest", "8", "8.2", "8.2.2"),
        **tags(45_007_722, "7.4.6", "7", "7.4", "7.4.6"),
        **tags(45_006_722, "7.2.11", "7.2", "7.2.11"),
        **tags(43_871_004, "6.2.20", "6", "6.2", "6.2.20"),
        **tags(27_871_004, "8.2.2", "alpine", "8-alpine", "8.2-alpine", flavor="alpine"),
        **tags(17_170_004, "7.4.6", "7-alpine", "7.4-alpine", flavor="alpine"),
        **tags(12_612_004, "6.2.20", "6-alpine", "6.2-alpine", flavor="alpine"),
    },
    entrypoint=("docker-entrypoint.sh",),
    cmd=("redis-server",),
    env={"PATH": PATH},
    ports=(6379,),
    workdir="/data",
    programs=_programs,
    memory=9 * MB,
    tools="debian",
    files=debian_files,
)
