"""mariadb: wants a root password, then listens on 3306 and keeps tables (`sql/`); `mysql` asks it."""

from __future__ import annotations

from cluster_engine.container_runtime.http import Line
from cluster_engine.container_runtime.image import MB, PATH, Image, Variant, tags
from cluster_engine.container_runtime.images._mysql import CLIENTS, keeping, talk
from cluster_engine.container_runtime.programs import daemon, entrypoint, entrypoint_note
from cluster_engine.container_runtime.sql.server import prepare
from cluster_engine.linux.program import Program, Sys
from cluster_engine.sim import rfc3339

_WAYS = (
    "ROOT_PASSWORD", "ROOT_PASSWORD_FILE", "ROOT_PASSWORD_HASH", "ALLOW_EMPTY_ROOT_PASSWORD", "ALLOW_EMPTY_PASSWORD",
    "RANDOM_ROOT_PASSWORD",
)  # fmt: skip


def _programs(variant: Variant) -> dict[str, Program]:
    version = variant.version
    kept = keeping(version, ("MARIADB", "MYSQL"))

    def greeting(sys: Sys) -> Line:
        return entrypoint_note(
            sys, "Note", f"Entrypoint script for MariaDB Server 1:{version}+maria~ubu2404 started."
        )

    def check(sys: Sys) -> tuple[int, list[Line]]:
        if any(sys.env.get(f"{brand}_{way}") for brand in ("MARIADB", "MYSQL") for way in _WAYS):
            return 0, []
        text = "Database is uninitialized and password option is not specified"
        ways = "MARIADB_ROOT_PASSWORD, MARIADB_ROOT_PASSWORD_HASH, MARIADB_ALLOW_EMPTY_ROOT_PASSWORD and "
        return 1, [
            greeting(sys),
            entrypoint_note(sys, "ERROR", text),
            ("stderr", f"\tYou need to specify one of {ways}MARIADB_RANDOM_ROOT_PASSWORD"),
        ]

    def start(sys: Sys) -> list[Line]:
        found = prepare(kept, sys)
        return [
            greeting(sys),
            *([] if found else [entrypoint_note(sys, "Note", "Initializing database files")]),
        ]

    def ready(sys: Sys) -> list[Line]:
        stamp = rfc3339(sys.now).replace("T", " ").replace("Z", "")
        socket = "socket: '/run/mysqld/mysqld.sock'  port: 3306  mariadb.org binary distribution"
        return [
            entrypoint_note(sys, "Note", "MariaDB init process done. Ready for start up."),
            ("stderr", f"{stamp} 0 [Note] mariadbd: ready for connections."),
            ("stderr", f"Version: '{version}-MariaDB-ubu2404'  {socket}"),
        ]

    server = daemon(
        "mariadbd",
        start,
        after=4_000_000,
        ports=(3306,),
        ready=ready,
        check=check,
        stop_after=800_000,
        talk=talk(kept),
    )
    return {
        "/usr/local/bin/docker-entrypoint.sh": entrypoint("docker-entrypoint.sh", "mariadbd"),
        "/usr/sbin/mariadbd": server,
        "/usr/sbin/mysqld": server,
        **CLIENTS,
        "/usr/bin/mariadb": CLIENTS["/usr/bin/mysql"],
        "/usr/bin/mariadb-admin": CLIENTS["/usr/bin/mysqladmin"],
    }


IMAGE = Image(
    repository="docker.io/library/mariadb",
    since=(5, 5),
    variants={
        **tags(124_000_000, "12.0.2", "latest", "12", "12.0", "12.0.2"),
        **tags(122_000_000, "11.8.3", "11", "11.8", "11.8.3", "lts"),
        **tags(121_000_000, "11.4.8", "11.4", "11.4.8"),
        **tags(119_000_000, "10.11.14", "10", "10.11", "10.11.14"),
        **tags(116_000_000, "10.6.23", "10.6", "10.6.23"),
    },
    entrypoint=("docker-entrypoint.sh",),
    cmd=("mariadbd",),
    env={"PATH": PATH},
    ports=(3306,),
    programs=_programs,
    memory=100 * MB,
    tools="debian",
)
