"""postgres: wants POSTGRES_PASSWORD, then listens on 5432; queries are not simulated."""

from __future__ import annotations

from cluster_engine.container_runtime.image import MB, PATH, Image, debian_files, tags
from cluster_engine.container_runtime.process import Launch, Plan, lines
from cluster_engine.sim import rfc3339

_REFUSAL = """Error: Database is uninitialized and superuser password is not specified.
       You must specify POSTGRES_PASSWORD to a non-empty value for the
       superuser. For example, "-e POSTGRES_PASSWORD=password" on "docker run".

       You may also use "POSTGRES_HOST_AUTH_METHOD=trust" to allow all
       connections without a password. This is *not* recommended.

       See PostgreSQL documentation about "trust":
       https://www.postgresql.org/docs/current/auth-trust.html"""
_INIT = """The files belonging to this database system will be owned by user "postgres".
This user must also own the server process.

fixing permissions on existing directory /var/lib/postgresql/data ... ok
creating subdirectories ... ok
running bootstrap script ... ok
performing post-bootstrap initialization ... ok
syncing data to disk ... ok

PostgreSQL init process complete; ready for start up.
"""


def _serve(launch: Launch) -> Plan:
    env = launch.env
    trust = env.get("POSTGRES_HOST_AUTH_METHOD") == "trust"
    if not (env.get("POSTGRES_PASSWORD") or env.get("POSTGRES_PASSWORD_FILE") or trust):
        return Plan(log=lines(_REFUSAL, 30_000, stream="stderr"), exits=(50_000, 1))
    version = IMAGE.variants[launch.tag].version

    def stamp(offset: int) -> str:
        at = launch.started_at + offset
        return rfc3339(at).replace("T", " ").rstrip("Z") + f".{at // 1000 % 1000:03d} UTC"

    up = 2_000_000
    return Plan(
        log=(
            *lines(_INIT, 100_000, 150_000),
            (
                up,
                "stderr",
                f"{stamp(up)} [1] LOG:  starting PostgreSQL {version} on x86_64-pc-linux-gnu, 64-bit",
            ),
            (up, "stderr", f'{stamp(up)} [1] LOG:  listening on IPv4 address "0.0.0.0", port 5432'),
            (up, "stderr", f"{stamp(up)} [1] LOG:  database system is ready to accept connections"),
        ),
        ports=((5432, up),),
        on_term=(200_000, 0),
        memory=40 * MB,
    )


IMAGE = Image(
    repository="docker.io/library/postgres",
    variants={
        **tags(161_337_015, "18.0", "latest", "18", "18.0"),
        **tags(158_337_015, "17.6", "17", "17.6"),
        **tags(157_337_015, "16.10", "16", "16.10"),
        **tags(153_337_015, "15.14", "15", "15.14"),
        **tags(112_337_015, "18.0", "alpine", "18-alpine", flavor="alpine"),
        **tags(109_337_015, "17.6", "17-alpine", flavor="alpine"),
        **tags(107_337_015, "16.10", "16-alpine", flavor="alpine"),
    },
    entrypoint=("docker-entrypoint.sh",),
    cmd=("postgres",),
    env={
        "PATH": f"{PATH}:/usr/lib/postgresql/bin",
        "PGDATA": "/var/lib/postgresql/data",
        "LANG": "en_US.utf8",
    },
    ports=(5432,),
    programs={"docker-entrypoint.sh": _serve, "postgres": _serve},
    tools="debian",
    files=debian_files,
)
