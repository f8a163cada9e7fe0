"""What mysql and mariadb share: where they keep tables, whom they let in, their clients."""

from __future__ import annotations

from collections.abc import Mapping

from cluster_engine.container_runtime.programs import Talk, by_lines
from cluster_engine.container_runtime.sql import mysql as words
from cluster_engine.container_runtime.sql.engine import MAX_SCRIPT
from cluster_engine.container_runtime.sql.mysql_client import ADMIN, CLIENT, denied
from cluster_engine.container_runtime.sql.server import Keeping, answered

_FOLDER = "/var/lib/mysql"


def keeping(version: str, brands: tuple[str, ...]) -> Keeping:
    """``brands``: what the variables of the environment begin with, the first that is set counts."""

    def given(env: Mapping[str, str], name: str) -> str:
        return next((env[f"{brand}_{name}"] for brand in brands if env.get(f"{brand}_{name}")), "")

    def first(env: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
        users = {"root": given(env, "ROOT_PASSWORD")}
        if given(env, "USER"):
            users[given(env, "USER")] = given(env, "PASSWORD")
        return users, [name for name in (given(env, "DATABASE"),) if name]

    return Keeping(
        words.DIALECT,
        version,
        folder=lambda env: _FOLDER,
        roles=lambda env: f"{_FOLDER}/mysql/user.json",
        first=first,
        denied=lambda session, password, remote: denied(
            session.roles.get(session.user), session.user, password, remote
        ),
        unknown=lambda name: f"1049 (42000): Unknown database '{name}'",
    )


def talk(kept: Keeping) -> Talk:
    """The server's side of a connection."""
    return by_lines(lambda sys, state, own, line: answered(kept, sys, own, line), 2 * MAX_SCRIPT)


CLIENTS = {"/usr/bin/mysql": CLIENT, "/usr/bin/mysqladmin": ADMIN}
