"""postgres: wants POSTGRES_PASSWORD, then listens on 5432 and keeps tables (`sql/`); psql asks it."""

from __future__ import annotations

from collections.abc import Mapping

from cluster_engine.container_runtime.http import Line
from cluster_engine.container_runtime.image import MB, PATH, Image, Variant, debian_files, tags
from cluster_engine.container_runtime.programs import by_lines, daemon, entrypoint
from cluster_engine.container_runtime.sql import postgres as words
from cluster_engine.container_runtime.sql.dialect import Session
from cluster_engine.container_runtime.sql.engine import MAX_SCRIPT
from cluster_engine.container_runtime.sql.psql import READY, client
from cluster_engine.container_runtime.sql.server import Keeping, answered, prepare
from cluster_engine.linux.program import Program, Sys
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


def _lines(text: str, stream: str) -> list[Line]:
    return [(stream, line) for line in text.strip("\n").split("\n")]


def _check(sys: Sys) -> tuple[int, list[Line]]:
    env = sys.env
    trust = env.get("POSTGRES_HOST_AUTH_METHOD") == "trust"
    if env.get("POSTGRES_PASSWORD") or env.get("POSTGRES_PASSWORD_FILE") or trust:
        return 0, []
    return 1, _lines(_REFUSAL, "stderr")


_FOUND = """
PostgreSQL Database directory appears to contain a database; Skipping initialization
"""


def _data(env: Mapping[str, str]) -> str:
    return env.get("PGDATA") or "/var/lib/postgresql/data"


def _first(env: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    user = env.get("POSTGRES_USER") or "postgres"
    trust = env.get("POSTGRES_HOST_AUTH_METHOD") == "trust"
    databases = dict.fromkeys(("postgres", env.get("POSTGRES_DB") or user))
    return {user: "" if trust else env.get("POSTGRES_PASSWORD", "")}, list(databases)


def _denied(session: Session, password: str, remote: bool) -> str:
    if session.user not in session.roles and not remote:
        return f'FATAL:  role "{session.user}" does not exist'
    wanted = session.roles.get(session.user)
    if not remote or wanted == "":
        return ""
    if not password:
        return "fe_sendauth: no password supplied"
    return "" if password == wanted else f'FATAL:  password authentication failed for user "{session.user}"'


def _programs(variant: Variant) -> dict[str, Program]:
    keeping = Keeping(
        words.DIALECT,
        variant.version,
        folder=lambda env: f"{_data(env)}/base",
        roles=lambda env: f"{_data(env)}/global/roles.json",
        first=_first,
        denied=_denied,
        unknown=lambda name: f'FATAL:  database "{name}" does not exist',
    )

    def start(sys: Sys) -> list[Line]:
        return _lines(_FOUND if prepare(keeping, sys) else _INIT, "stdout")

    def ready(sys: Sys) -> list[Line]:
        stamp = rfc3339(sys.now)[:19].replace("T", " ") + f".{sys.now // 1000 % 1000:03d} UTC"
        return [
            (
                "stderr",
                f"{stamp} [{sys.pid}] LOG:  starting PostgreSQL {variant.version} on x86_64-pc-linux-gnu, 64-bit",
            ),
            ("stderr", f'{stamp} [{sys.pid}] LOG:  listening on IPv4 address "0.0.0.0", port 5432'),
            ("stderr", f"{stamp} [{sys.pid}] LOG:  database system is ready to accept connections"),
        ]

    postgres = daemon(
        "postgres",
        start,
        after=2_000_000,
        ports=(5432,),
        ready=ready,
        check=_check,
        stop_after=200_000,
        talk=by_lines(lambda sys, state, own, line: answered(keeping, sys, own, line), 2 * MAX_SCRIPT),
    )
    return {
        "/usr/local/bin/docker-entrypoint.sh": entrypoint("docker-entrypoint.sh", "postgres"),
        "/usr/local/bin/postgres": postgres,
        "/usr/local/bin/psql": client(variant.version),
        "/usr/local/bin/pg_isready": READY,
    }


IMAGE = Image(
    repository="docker.io/library/postgres",
    since=(9, 0),
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
    stop_signal="INT",
    programs=_programs,
    memory=40 * MB,
    tools="debian",
    files=debian_files,
)
