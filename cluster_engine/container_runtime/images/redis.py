"""redis: listens on 6379; commands to it are not simulated."""

from __future__ import annotations

from cluster_engine.container_runtime.image import MB, PATH, Image, debian_files, tags
from cluster_engine.container_runtime.images._web import log_time
from cluster_engine.container_runtime.process import Launch, Line, Plan


def _stamp(launch: Launch, offset: int) -> str:
    day, month, rest = log_time(launch.started_at + offset).split("/")
    year, clock = rest[:4], rest[5:13]
    return f"{day} {month} {year} {clock}.{(launch.started_at + offset) // 1000 % 1000:03d}"


def _serve(launch: Launch) -> Plan:
    version = IMAGE.variants[launch.tag].version

    def line(offset: int, mark: str, text: str) -> Line:
        return (offset, "stdout", f"1:{mark} {_stamp(launch, offset)} {text}")

    return Plan(
        log=(
            line(10_000, "C", "* oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo"),
            line(
                10_000,
                "C",
                f"* Redis version={version}, bits=64, commit=00000000, modified=0, pid=1, just started",
            ),
            line(15_000, "M", "* monotonic clock: POSIX clock_gettime"),
            line(20_000, "M", "* Running mode=standalone, port=6379."),
            line(25_000, "M", "* Server initialized"),
            line(25_000, "M", "* Ready to accept connections tcp"),
        ),
        ports=((6379, 25_000),),
        on_term=(15_000, 0),
        term_log=((0, "stdout", "1:signal-handler Received SIGTERM scheduling shutdown..."),),
        memory=9 * MB,
    )


IMAGE = Image(
    repository="docker.io/library/redis",
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
    programs={"docker-entrypoint.sh": _serve, "redis-server": _serve},
    tools="debian",
    files=debian_files,
)
