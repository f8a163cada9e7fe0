"""PostgreSQL's words: its statements about databases and roles, its complaints, what psql's backslash commands list."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from cluster_engine.container_runtime.sql.describing import described
from cluster_engine.container_runtime.sql.dialect import KNOWN, REAL, Dialect, Session
from cluster_engine.container_runtime.sql.engine import EMPTY, Outcome, Tables, offset
from cluster_engine.container_runtime.sql.tokens import Statement

_TAGS = {"insert": "INSERT 0 {}", "update": "UPDATE {}", "delete": "DELETE {}", "truncate": "TRUNCATE TABLE",
         "start": "START TRANSACTION", "end": "COMMIT"}  # fmt: skip


def _admin(session: Session, statement: Statement) -> Outcome | None:
    names = [token.name for token in statement.tokens]
    match statement.words(3):
        case ("create", "database", _) if len(names) > 2:
            if names[2] in session.databases:
                return {"error": f'database "{names[2]}" already exists'}
            session.databases[names[2]] = EMPTY
            session.changed.append(names[2])
            return {"tag": "CREATE DATABASE"}
        case ("drop", "database", _) if len(names) > 2:
            return _drop(session, names[2:])
        case ("create", "user" | "role", _) if len(names) > 2:
            if names[2] in session.roles:
                return {"error": f'role "{names[2]}" already exists'}
            words = [token.word for token in statement.tokens]
            password = names[words.index("password") + 1 :][:1] if "password" in words else [""]
            session.roles[names[2]] = password[0] if password else ""
            return {"tag": "CREATE ROLE"}
        case ("grant", _, _):
            return {"tag": "GRANT"}
    first = statement.tokens[0]
    if first.word in KNOWN or first.word in REAL:
        return None
    return {"error": f'syntax error at or near "{first.text}"{_pointed(statement, first.at)}'}


def _drop(session: Session, names: list[str]) -> Outcome:
    lenient = [name.lower() for name in names[:2]] == ["if", "exists"]
    name = names[2 if lenient else 0 :][:1]
    if not name or name[0] not in session.databases:
        told = f'database "{name[0] if name else ""}" does not exist'
        return {"tag": "DROP DATABASE", "notice": f"{told}, skipping"} if lenient else {"error": told}
    if name[0] == session.database:
        return {"error": "cannot drop the currently open database"}
    del session.databases[name[0]]
    session.changed.append(name[0])
    return {"tag": "DROP DATABASE"}


def _pointed(statement: Statement, at: int) -> str:
    """The line of a mistake and a caret below it."""
    script = statement.script
    begin = script.rfind("\n", 0, at) + 1
    line = script[begin:].partition("\n")[0]
    head = f"LINE {script.count(chr(10), 0, at) + 1}: "
    return f"\n{head}{line}\n{' ' * (len(head) + at - begin)}^"


def _complain(session: Session, statement: Statement, text: str, tables: Tables) -> str:
    def at(name: str, told: str) -> str:
        place = offset(statement, name)
        return told + (_pointed(statement, place) if place >= 0 else "")

    if found := re.match(r"no such table: (?:main\.)?(.*)", text):
        if statement.words(2) == ("drop", "table"):
            return f'table "{found[1]}" does not exist'
        return at(found[1], f'relation "{found[1]}" does not exist')
    if found := re.match(r"no such column: (.*)", text):
        name = found[1].rpartition(".")[2].strip('"')
        return at(name, f'column "{name}" does not exist')
    if found := re.match(r"table (\S+) has no column named (.*)", text):
        return at(found[2], f'column "{found[2]}" of relation "{found[1]}" does not exist')
    if found := re.match(r'near "(.*)": syntax error', text):
        return at(found[1], f'syntax error at or near "{found[1]}"')
    if text == "incomplete input":
        last = statement.tokens[-1]
        return "syntax error at end of input" + _pointed(statement, last.end)
    if found := re.match(r'(?:table|index|view) "?(\w+)"? already exists', text):
        return f'relation "{found[1]}" already exists'
    if found := re.match(r"UNIQUE constraint failed: (\w+)\.(\w+)", text):
        table, column = found[1], found[2]
        primary = re.search(
            rf'"?{column}"?[^,]*PRIMARY KEY|PRIMARY KEY\s*\("?{column}', tables.made(table), re.IGNORECASE
        )
        name = f"{table}_pkey" if primary else f"{table}_{column}_key"
        return f'duplicate key value violates unique constraint "{name}"'
    if found := re.match(r"NOT NULL constraint failed: (\w+)\.(\w+)", text):
        return f'null value in column "{found[2]}" of relation "{found[1]}" violates not-null constraint'
    if re.match(r".* has \d+ columns but \d+ values|\d+ values for \d+ columns", text):
        return "INSERT has more expressions than target columns"
    if found := re.match(r"no such function: (.*)|not authorized to use function: (.*)", text):
        return f"function {found[1] or found[2]} is not simulated here; a real PostgreSQL may have it"
    if text == "database or disk is full":
        return "could not extend file: No space left on device"
    return f"not simulated here ({text}); a real PostgreSQL may take it"


def _tag(statement: Statement, changed: int) -> str:
    first, second = (*statement.words(2), "")[:2]
    if first in ("create", "drop", "alter"):
        return f"{first} {'index' if second == 'unique' else second}".upper()
    if first == "with":  # what follows the queries that it names is never inside a parenthesis
        depth = 0
        for token in statement.tokens:
            depth += {"(": 1, ")": -1}.get(token.text, 0)
            if not depth and token.word in ("insert", "update", "delete"):
                first = token.word
                break
    return _TAGS.get(first, first.upper()).format(changed)


def _functions(session: Session) -> dict[str, Callable[..., Any]]:
    version = f"PostgreSQL {session.version} on x86_64-pc-linux-gnu, compiled by gcc, 64-bit"
    return {
        "now": lambda: session.now,
        "version": lambda: version,
        "current_database": lambda: session.database,
        "concat": lambda *parts: "".join(str(part) for part in parts if part is not None),
    }


def _header(name: str, statement: Statement) -> str:
    if any(token.name == name for token in statement.tokens if token.kind in ("word", "quoted")):
        return name
    if found := re.match(r"(\w+)\s*\(", name):
        return found[1].lower()
    return name if re.fullmatch(r"\w*[A-Za-z_]\w*", name) else "?column?"


DIALECT = Dialect(
    "PostgreSQL",
    frozenset(("serial", "bigserial", "smallserial", "identity")),
    frozenset(),
    {"integer": "int", "bool": "boolean", "character": "varchar", "double": "real"},
    _admin,
    _complain,
    _tag,
    _functions,
    _header,
    lambda session, statement, tables: None,
    True,
    True,
)


def listed(session: Session, words: list[str], tables: Tables) -> Outcome:
    """What a backslash command of psql lists."""
    owner = session.user
    match words:
        case ["l" | "list" | "l+"]:
            rows = [[name, owner, "UTF8", "en_US.utf8", "en_US.utf8"] for name in sorted(session.databases)]
            return {
                "title": "List of databases",
                "columns": ["Name", "Owner", "Encoding", "Collate", "Ctype"],
                "rows": rows,
            }
        case ["dt" | "dt+" | "d"]:
            rows = [["public", name, "table", owner] for name in tables.names()]
            if not rows:
                return {"said": "Did not find any relations."}
            return {
                "title": "List of relations",
                "columns": ["Schema", "Name", "Type", "Owner"],
                "rows": rows,
            }
        case ["d" | "d+", name]:
            name = name.removeprefix("public.")
            return described(name, tables) or {"missing": f'Did not find any relation named "{name}".'}
        case ["du"]:
            rows = [[name, _ALL if name == owner else ""] for name in sorted(session.roles)]
            return {"title": "List of roles", "columns": ["Role name", "Attributes"], "rows": rows}
        case ["dn"]:
            rows = [["public", "pg_database_owner"]]
            return {"title": "List of schemas", "columns": ["Name", "Owner"], "rows": rows}
    return {"error": f"\\{words[0]} is not simulated here; a real psql may have it"}


_ALL = "Superuser, Create role, Create DB, Replication, Bypass RLS"
