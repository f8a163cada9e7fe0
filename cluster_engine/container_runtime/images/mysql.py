"""mysql: wants a root password, then listens on 3306; queries are not simulated."""

from __future__ import annotations

from cluster_engine.container_runtime.image import MB, PATH, Image, tags
from cluster_engine.container_runtime.process import Launch, Plan
from cluster_engine.sim import rfc3339

_WAYS = (
    "MYSQL_ROOT_PASSWORD",
    "MYSQL_ALLOW_EMPTY_PASSWORD",
    "MYSQL_RANDOM_ROOT_PASSWORD",
    "MYSQL_ROOT_PASSWORD_FILE",
)


def _serve(launch: Launch) -> Plan:
    version = IMAGE.variants[launch.tag].version

    def note(offset: int, level: str, text: str) -> tuple[int, str, str]:
        stamp = rfc3339(launch.started_at + offset).replace("T", " ").replace("Z", "+00:00")
        return (offset, "stdout" if level == "Note" else "stderr", f"{stamp} [{level}] [Entrypoint]: {text}")

    start = note(100_000, "Note", f"Entrypoint script for MySQL Server {version}-1.el9 started.")
    if not any(launch.env.get(name) for name in _WAYS):
        refusal = note(400_000, "ERROR", "Database is uninitialized and password option is not specified")
        rest = (
            (400_000, "stderr", "    You need to specify one of the following as an environment variable:"),
            *((400_000, "stderr", f"    - {name}") for name in _WAYS[:3]),
        )
        return Plan(log=(start, refusal, *rest), exits=(450_000, 1))
    up = 6_000_000
    ready = rfc3339(launch.started_at + up).replace("Z", ".000000Z")
    return Plan(
        log=(
            start,
            note(500_000, "Note", "Initializing database files"),
            note(4_000_000, "Note", "Database files initialized"),
            (
                up,
                "stderr",
                f"{ready} 0 [System] [MY-010931] [Server] /usr/sbin/mysqld: ready for connections. "
                f"Version: '{version}'  socket: '/var/run/mysqld/mysqld.sock'  port: 3306  "
                "MySQL Community Server - GPL.",
            ),
        ),
        ports=((3306, up),),
        on_term=(1_500_000, 0),
        memory=380 * MB,
    )


IMAGE = Image(
    repository="docker.io/library/mysql",
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
    programs={"docker-entrypoint.sh": _serve, "mysqld": _serve},
    tools="debian",
)
