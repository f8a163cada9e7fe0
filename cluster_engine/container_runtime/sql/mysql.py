"""MySQL's and MariaDB's words: SHOW, USE, DESCRIBE, users, and complaints with their numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from cluster_engine.container_runtime.sql.dialect import KNOWN, REAL, Dialect, Session
from cluster_engine.container_runtime.sql.engine import EMPTY, Outcome, Tables
from cluster_engine.container_runtime.sql.tokens import Statement

SYSTEM = ("information_schema", "mysql", "performance_schema", "sys")
"""Databases that every server has, and of which nothing is kept here."""


def _failed(number: int, state: str, text: str) -> Outcome:
    return {"error": f"{number} ({state}) {text}"}


def _admin(session: Session, statement: Statement) -> Outcome | None:
    names = [token.name for token in statement.tokens]
    words = statement.words(6)
    match words:
        case ("show", "databases" | "schemas", *_):
            found: list[list[str | None]] = [[name] for name in sorted({*session.databases, *SYSTEM})]
            return {"columns": ["Database"], "rows": found}
        case ("use", *_) if len(names) == 2:
            if names[1] not in session.databases and names[1] not in SYSTEM:
                return _failed(1049, "42000", f"Unknown database '{names[1]}'")
            session.database = names[1]
            return {"said": "Database changed"}
        case ("create", "database" | "schema", *_) if len(names) > 2:
            lenient = words[2:5] == ("if", "not", "exists")
            name = names[5] if lenient and len(names) > 5 else names[2]
            if name in session.databases or name in SYSTEM:
                told = f"Can't create database '{name}'; database exists"
                return {"tag": "1"} if lenient else _failed(1007, "HY000", told)
            session.databases[name] = EMPTY
            session.changed.append(name)
            return {"tag": "1"}
        case ("drop", "database" | "schema", *_) if len(names) > 2:
            lenient = words[2:4] == ("if", "exists")
            name = names[-1]
            if name not in session.databases:
                told = f"Can't drop database '{name}'; database doesn't exist"
                return {"tag": "0"} if lenient else _failed(1008, "HY000", told)
            del session.databases[name]
            session.changed.append(name)
            if session.database == name:
                session.database = ""
            return {"tag": "0"}
        case ("create", "user", *_) if len(names) > 2:
            at = 5 if words[2:5] == ("if", "not", "exists") else 2
            by = [token.word for token in statement.tokens]
            password = names[by.index("by") + 1 :][:1] if "by" in by else []
            session.roles[names[at]] = password[0] if password else ""
            return {"tag": "0"}
        case ("grant", *_) | ("flush", "privileges", *_):
            return {"tag": "0"}
        case ("select", *_) if len(names) > 1 and names[1].startswith("@@"):
            values = {
                "@@version": session.version,
                "@@hostname": session.hostname,
                "@@server_id": "1",
                "@@port": "3306",
            }
            if len(names) == 2 and names[1].lower() in values:
                return {"columns": [names[1]], "rows": [[values[names[1].lower()]]]}
            return _failed(1193, "HY000", f"Unknown system variable '{names[1].lstrip('@')}'")
    first = statement.tokens[0]
    if first.word not in KNOWN and first.word not in REAL:
        return _failed(1064, "42000", _syntax(statement, first.text))
    if session.base in SYSTEM:
        return _failed(
            1142, "42000", f"tables of {session.base} are not simulated here; a real server has them"
        )
    plain = words[0] == "select" and all(token.word != "from" for token in statement.tokens)
    return (
        None if session.base in session.databases or plain else _failed(1046, "3D000", "No database selected")
    )


def _syntax(statement: Statement, near: str) -> str:
    at = next((token.at for token in statement.tokens if token.text == near), -1)
    rest = statement.script[at:].partition(";")[0] if at >= 0 else ""
    return (
        "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for "
        f"the right syntax to use near '{rest[:80]}' at line 1"
    )


def _complain(session: Session, statement: Statement, text: str, tables: Tables) -> str:
    number, state, told = _translated(session, statement, text, tables)
    return f"{number} ({state}) {told}"


def _translated(session: Session, statement: Statement, text: str, tables: Tables) -> tuple[int, str, str]:
    base = session.base
    if found := re.match(r"no such table: (?:main\.)?(.*)", text):
        if statement.words(2) == ("drop", "table"):
            return 1051, "42S02", f"Unknown table '{base}.{found[1]}'"
        return 1146, "42S02", f"Table '{base}.{found[1]}' doesn't exist"
    if found := re.match(r"no such column: (.*)|table \S+ has no column named (.*)", text):
        return 1054, "42S22", f"Unknown column '{found[1] or found[2]}' in 'field list'"
    if found := re.match(r'near "(.*)": syntax error', text):
        return 1064, "42000", _syntax(statement, found[1])
    if text == "incomplete input":
        return 1064, "42000", _syntax(statement, "")
    if found := re.match(r'table "?(\w+)"? already exists', text):
        return 1050, "42S01", f"Table '{found[1]}' already exists"
    if found := re.match(r"UNIQUE constraint failed: (\w+)\.(\w+)", text):
        return 1062, "23000", f"Duplicate entry for key '{found[1]}.{found[2]}'"
    if found := re.match(r"NOT NULL constraint failed: \w+\.(\w+)", text):
        return 1048, "23000", f"Column '{found[1]}' cannot be null"
    if re.match(r".* has \d+ columns but \d+ values|\d+ values for \d+ columns", text):
        return 1136, "21S01", "Column count doesn't match value count at row 1"
    if found := re.match(r"no such function: (.*)|not authorized to use function: (.*)", text):
        name = found[1] or found[2]
        return 1305, "42000", f"FUNCTION {base}.{name} is not simulated here; a real server may have it"
    if text == "database or disk is full":
        return 1114, "HY000", "The table is full"
    return 1235, "42000", f"not simulated here ({text}); a real server may take it"


def _looks(session: Session, statement: Statement, tables: Tables) -> Outcome | None:
    names = [token.name for token in statement.tokens]
    match statement.words(3):
        case ("show", "tables", *_):
            return {"columns": [f"Tables_in_{session.base}"], "rows": [[name] for name in tables.names()]}
        case ("describe" | "desc", _) | ("show", "columns", "from"):
            if not tables.made(names[-1]):
                return _failed(1146, "42S02", f"Table '{session.base}.{names[-1]}' doesn't exist")
            titles = ["Field", "Type", "Null", "Key", "Default", "Extra"]
            return {"columns": titles, "rows": [_described(column) for column in tables.columns(names[-1])]}
    return None


def _described(column: tuple[str, str, bool, bool, str | None]) -> list[str | None]:
    name, kind, needed, primary, default = column
    key, extra = "PRI" if primary else "", "auto_increment" if kind == "INTEGER" and primary else ""
    null = "NO" if needed or primary else "YES"
    return [name, kind.lower().replace("integer", "int"), null, key, default, extra]


def _functions(session: Session) -> dict[str, Callable[..., Any]]:
    return {
        "now": lambda: session.now,
        "version": lambda: session.version,
        "database": lambda: session.database or None,
        "user": lambda: f"{session.user}@localhost",
        "concat": lambda *parts: None if None in parts else "".join(str(part) for part in parts),
    }


def _tag(statement: Statement, changed: int) -> str:
    return str(max(changed, 0) if statement.tokens[0].word in ("insert", "update", "delete") else 0)


DIALECT = Dialect(
    "MySQL",
    frozenset(("auto_increment",)),
    frozenset(("unsigned", "zerofill")),
    {"integer": "int", "bool": "tinyint(1)", "boolean": "tinyint(1)", "enum": "text", "double": "real"},
    _admin,
    _complain,
    _tag,
    _functions,
    lambda name, statement: name,
    _looks,
    False,
    False,
)
