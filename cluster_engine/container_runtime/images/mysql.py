"""mysql: wants a root password, then listens on 3306 and keeps tables (`sql/`); `mysql` asks it."""

from __future__ import annotations

from cluster_engine.container_runtime.http import Line
from cluster_engine.container_runtime.image import MB, PATH, Image, Variant, tags
from cluster_engine.container_runtime.images._mysql import CLIENTS, keeping, talk
from cluster_engine.container_runtime.programs import daemon, entrypoint, entrypoint_note
from cluster_engine.container_runtime.sql.server import prepare
from cluster_engine.linux.program import Program, Sys
from cluster_engine.sim import rfc3339

_WAYS = (
    "MYSQL_ROOT_PASSWORD",
    "MYSQL_ALLOW_EMPTY_PASSWORD",
    "MYSQL_RANDOM_ROOT_PASSWORD",
    "MYSQL_ROOT_PASSWORD_FILE",
)


def _programs(variant: Variant) -> dict[str, Program]:
    version = variant.version
    kept = keeping(version, ("MYSQL",))

    def greeting(sys: Sys) -> Line:
        return entrypoint_note(sys, "Note", f"Entrypoint script for MySQL Server {version}-1.el9 started.")

    def check(sys: Sys) -> tuple[int, list[Line]]:
        if any(sys.env.get(name) for name in _WAYS):
            return 0, []
        return 1, [
            greeting(sys),
            entrypoint_note(sys, "ERROR", "Database is uninitialized and password option is not specified"),
            ("stderr", "    You need to specify one of the following as an environment variable:"),
            *(("stderr", f"    - {name}") for name in _WAYS[:3]),
        ]

    def start(sys: Sys) -> list[Line]:
        found = prepare(kept, sys)
        return [
            greeting(sys),
            *([] if found else [entrypoint_note(sys, "Note", "Initializing database files")]),
        ]

    def ready(sys: Sys) -> list[Line]:
        stamp = rfc3339(sys.now).replace("Z", ".000000Z")
        return [
            entrypoint_note(sys, "Note", "Database files initialized"),
            (
                "stderr",
                f"{stamp} 0 [System] [MY-010931] [Server] /usr/sbin/mysqld: ready for connections. "
                f"Version: '{version}'  socket: '/var/run/mysqld/mysqld.sock'  port: 3306  "
                "MySQL Community Server - GPL.",
            ),
        ]

    mysqld = daemon(
        "mysqld",
        start,
        after=6_000_000,
        ports=(3306,),
        ready=ready,
        check=check,
        stop_after=1_500_000,
        talk=talk(kept),
    )
    return {
        "/usr/local/bin/docker-entrypoint.sh": entrypoint("docker-entrypoint.sh", "mysqld"),
        "/usr/sbin/mysqld": mysqld,
        **CLIENTS,
    }


IMAGE = Image(
    repository="docker.io/library/mysql",
    since=(5, 5),
    variants={
        **tags(274_512_000, "9.5.0", "latest", "9", "9.5", "9.5.0"),
        **tags(233_512_000, "8.4.7", "8.4", "8.4.7", "lts"),
        **tags(233_112_000, "8.0.44", "8", "8.0", "8.0.44"),
        **tags(137_909_886, "5.7.44", "5", "5.7", "5.7.44"),
    },
    entrypoint=("docker-entrypoint.sh",),
    cmd=("mysqld",),
    env={"PATH": PATH},
    ports=(3306, 33060),
    programs=_programs,
    memory=380 * MB,
    tools="debian",
)
