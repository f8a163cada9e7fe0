"""The server's side of a connection: a line of JSON comes, a line of JSON goes back; tables lie in files.

A request is {"user", "password", "database", "local"} at first, then {"script"} or {"list": words}; the answer is
{"fatal": why} (and the end), or {"outcomes", "database", "open"}.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cluster_engine.container_runtime.sql import postgres
from cluster_engine.container_runtime.sql.dialect import Dialect, Session, opened_tables, perform
from cluster_engine.container_runtime.sql.engine import EMPTY, MAX_DATA, MAX_SCRIPT, Outcome, Refused
from cluster_engine.container_runtime.sql.tokens import statements
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import State, Sys
from cluster_engine.linux.text import octets
from cluster_engine.sim import rfc3339

MAX_DATABASES = 32
"""Databases of one server."""
MAX_FILES = 4 * MAX_DATA
"""Bytes of the files of them all: each statement reads them."""
_TABLES = "tables.json"


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where a server keeps what it has, and whom it lets in."""

    dialect: Dialect
    version: str
    folder: Callable[[Mapping[str, str]], str]
    """Below it a folder a database, by the container's environment."""
    roles: Callable[[Mapping[str, str]], str]
    """The file of its users."""
    first: Callable[[Mapping[str, str]], tuple[dict[str, str], list[str]]]
    """Users and databases of a new server."""
    denied: Callable[[Session, str, bool], str]
    """What somebody is told who may not come in (password that was given, whether over the network); "": they may."""
    unknown: Callable[[str], str]
    """What who asks for a database is told that there is not."""


def prepare(keeping: Keeping, sys: Sys) -> bool:
    """A new server's files, where there are none yet; whether there were."""
    folder, roles = keeping.folder(sys.env), keeping.roles(sys.env)
    if sys.fs.exists(roles):
        return True
    users, databases = keeping.first(sys.env)
    sys.fs.makedirs(folder)
    sys.fs.makedirs(roles.rpartition("/")[0])
    for name in databases:
        _write(sys, folder, name, json.dumps(EMPTY))
    sys.fs.write(roles, octets(json.dumps(users)))
    return False


def answered(keeping: Keeping, sys: Sys, talk: State, line: str) -> tuple[str, bool]:
    """The answer to a line, and whether the connection ends."""
    try:
        asked = json.loads(line)
        reply = _answer(keeping, sys, talk, asked)
    except (ValueError, TypeError, KeyError, RecursionError):
        return "", True
    except FileError as error:
        reply = {"fatal": f"{error.path}: {error.reason}"}
    return octets(json.dumps(reply)) + "\n", "fatal" in reply


def _answer(keeping: Keeping, sys: Sys, talk: State, asked: dict[str, Any]) -> dict[str, Any]:
    folder, roles = keeping.folder(sys.env), keeping.roles(sys.env)
    known = json.loads(sys.fs.read(roles))
    files = {name: sys.fs.read(f"{folder}/{name}/{_TABLES}") for name in _names(sys, folder)}
    if sum(map(len, files.values())) > MAX_FILES:
        raise FileError("File too large", folder)
    databases = {name: json.loads(text) for name, text in files.items()}
    stamp = rfc3339(sys.now)[:19].replace("T", " ")
    if "user" in asked:
        talk.update(user=str(asked["user"]), database=str(asked["database"]), open="")
    session = Session(
        databases, dict(known), talk["database"], talk["user"], keeping.version, stamp, sys.hostname
    )
    if "user" in asked:
        why = keeping.denied(session, str(asked["password"]), not asked["local"])
        if not why and session.database and session.database not in databases:
            why = keeping.unknown(session.database)
        return (
            {"fatal": why}
            if why
            else {"version": keeping.version, "outcomes": [], "database": session.database, "open": False}
        )
    if "list" in asked:
        outcomes = [_listed(keeping.dialect, session, [str(word) for word in asked["list"]])]
        return {"outcomes": outcomes, "database": session.database, "open": bool(talk["open"])}
    outcomes = _scripted(keeping.dialect, session, talk, str(asked["script"]))
    changed = {n: json.dumps(session.databases[n]) for n in session.changed if n in session.databases}
    kept = {name: text for name, text in files.items() if name in session.databases}
    if sum(map(len, {**kept, **changed}.values())) > MAX_FILES:
        return {"fatal": f"more than {MAX_FILES} bytes of tables are not kept here"}
    for name in session.changed:
        if name in changed:
            _write(sys, folder, name, changed[name])
        else:
            sys.fs.unlink(f"{folder}/{name}/{_TABLES}")
            sys.fs.rmdir(f"{folder}/{name}")
    if session.roles != known:
        sys.fs.write(roles, octets(json.dumps(session.roles)))
    talk["database"] = session.database
    # About what it costs the host, too: who asks more than a process may use at once waits.
    sys.tick(100 + session.work // 10 + sum(map(len, files.values())) // 100)
    return {"outcomes": outcomes, "database": session.database, "open": bool(talk["open"])}


def _listed(dialect: Dialect, session: Session, words: list[str]) -> Outcome:
    try:
        tables = opened_tables(dialect, session, session.database)
    except Refused as refusal:
        return {"error": str(refusal)}
    try:
        return postgres.listed(session, words, tables)
    finally:
        tables.close()


def _scripted(dialect: Dialect, session: Session, talk: State, text: str) -> list[Outcome]:
    """A script's outcomes. What came since BEGIN is carried out again before it, until COMMIT keeps it."""
    script = f"{talk['open']}{text};"
    if len(script) > MAX_SCRIPT:
        talk["open"] = ""
        return [{"error": f"more than {MAX_SCRIPT} bytes of statements are not carried out here"}]
    before, _ = statements(talk["open"])
    found = before + [statement._replace(script=text) for statement in statements(f"{text};")[0]]
    outcomes = perform(dialect, session, found)
    if len(session.databases) > MAX_DATABASES:
        session.changed.clear()
        return [{"error": f"more than {MAX_DATABASES} databases are not kept here"}]
    done = [statement.words(1)[0] for statement in found[: len(outcomes)]]
    begun = max((at for at, word in enumerate(done) if word in ("begin", "start")), default=-1)
    ended = max((at for at, word in enumerate(done) if word in ("commit", "rollback", "end")), default=-1)
    failed = bool(outcomes) and "error" in outcomes[-1]
    if begun <= ended or failed:
        talk["open"] = ""
    elif begun < len(before):
        talk["open"] = script
    else:
        talk["open"] = text[found[begun].tokens[0].at :] + ";"
    return outcomes[len(before) :]


def _names(sys: Sys, folder: str) -> list[str]:
    return sorted(name for name in sys.fs.listdir(folder) if sys.fs.exists(f"{folder}/{name}/{_TABLES}"))


def _write(sys: Sys, folder: str, name: str, text: str) -> None:
    if "/" in name or name in ("", ".", ".."):
        raise FileError("Invalid argument", name)
    sys.fs.makedirs(f"{folder}/{name}")
    sys.fs.write(f"{folder}/{name}/{_TABLES}", octets(text))
