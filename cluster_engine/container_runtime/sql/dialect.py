"""What a server of SQL says and takes in its own way, and what the two that are here have in common."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import apsw

from cluster_engine.container_runtime.sql.engine import EMPTY, Data, Outcome, Refused, Tables, quoted, shown
from cluster_engine.container_runtime.sql.tokens import Statement, Token, joined, split

Made = dict[str, Data]
"""Databases by name."""


@dataclass(slots=True)
class Session:
    """Where a script is carried out."""

    databases: Made
    roles: dict[str, str]
    """Users and their passwords."""
    database: str
    user: str
    version: str
    now: str
    """The time as the server writes it."""
    hostname: str
    base: str = ""
    """The database that the statement is about."""
    changed: list[str] = field(default_factory=list)
    """The databases that were written to, made or taken away."""
    work: int = 0
    """Steps of SQLite's machine that it took."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One kind of server."""

    name: str
    serials: frozenset[str]
    """Words that make a column number itself."""
    ignored: frozenset[str]
    """Words of a column that change nothing here."""
    types: dict[str, str]
    """Other names of types."""
    admin: Callable[[Session, Statement], Outcome | None]
    """Statements that are about no table: databases, users, what there is; None: it is about tables."""
    complain: Callable[[Session, Statement, str, Tables], str]
    """What the server says to SQLite's complaint."""
    tag: Callable[[Statement, int], str]
    functions: Callable[[Session], dict[str, Callable[..., Any]]]
    header: Callable[[str, Statement], str]
    """What a column of an answer is called."""
    looks: Callable[[Session, Statement, Tables], Outcome | None]
    """Statements that tell what tables there are; None: it is none."""
    exact_case: bool
    """Whether LIKE tells large letters from small ones."""
    whole: bool
    """Whether a script is one transaction."""


KNOWN = ("select", "values", "with", "insert", "update", "delete", "create", "drop", "alter", "begin", "start",
         "commit", "rollback", "end", "truncate")  # fmt: skip
"""How the statements begin that are about tables."""
REAL = ("analyze", "call", "checkpoint", "cluster", "comment", "copy", "declare", "desc", "describe", "do", "execute",
        "explain", "fetch", "grant", "handler", "kill", "listen", "load", "lock", "notify", "optimize", "prepare",
        "reindex", "rename", "replace", "reset", "revoke", "savepoint", "set", "show", "use", "vacuum")  # fmt: skip
"""How statements begin that only a real server carries out."""


def perform(dialect: Dialect, session: Session, script: list[Statement]) -> list[Outcome]:
    """What each statement comes to, until one fails. What is written is kept in the session's databases; nothing of it
    after a failure, where a script is one transaction."""
    found: list[Outcome] = []
    opened: dict[str, Tables] = {}
    try:
        for statement in script:
            base, plain = located(session, statement)
            session.base = base
            outcome = dialect.admin(session, plain)
            if outcome is None:
                if base not in opened:
                    opened[base] = opened_tables(dialect, session, base)
                outcome = _one(dialect, session, opened[base], plain)
            found.append(outcome)
            if "error" in outcome:
                break
        if not (dialect.whole and found and "error" in found[-1]):
            for base, tables in opened.items():
                _keep(session, base, tables)
    except Refused as refusal:
        found.append({"error": str(refusal)})
    finally:
        for tables in opened.values():
            session.work += tables.work
            tables.close()
    return found


def located(session: Session, statement: Statement) -> tuple[str, Statement]:
    """The database that a statement is about, and the statement without its name (or that of the one schema)."""
    base = session.database
    kept: list[Token] = []
    for token, before, after in zip(
        statement.tokens, (None, *statement.tokens), (*statement.tokens[1:], None), strict=False
    ):
        qualifies = after is not None and after.text == "." and (before is None or before.text != ".")
        if qualifies and (token.name in session.databases or token.name == "public"):
            base = token.name if token.name in session.databases else base
            continue
        if token.text == "." and before is not None and (not kept or kept[-1] is not before):
            continue
        kept.append(token)
    return base, statement._replace(tokens=tuple(kept))


def _keep(session: Session, base: str, tables: Tables) -> None:
    if tables.open:
        tables.run("ROLLBACK")
    data = tables.data()
    if base in session.databases and data != session.databases[base]:
        session.databases[base] = data
        session.changed.append(base)


def opened_tables(dialect: Dialect, session: Session, base: str) -> Tables:
    """A database, which the caller closes. Raises Refused."""
    try:
        functions = dialect.functions(session)
        return Tables(session.databases.get(base, EMPTY), functions, exact_case=dialect.exact_case)
    except (apsw.Error, LookupError, TypeError, ValueError, AttributeError, OverflowError):
        raise Refused(f'the files of database "{base}" say nothing that can be read') from None


def _one(dialect: Dialect, session: Session, tables: Tables, statement: Statement) -> Outcome:
    if (seen := dialect.looks(session, statement, tables)) is not None:
        return seen
    first = statement.tokens[0].word
    if first in REAL:
        return {"error": f"{first.upper()} is not simulated here; a real {dialect.name} has it"}
    if any(token.name.lower().startswith("sqlite_") for token in statement.tokens if token.kind != "string"):
        return {"error": "names that begin with sqlite_ are not simulated here"}
    try:
        names, rows, changed = tables.run(translated(dialect, session, statement, tables))
    except Refused as refusal:
        return {"error": str(refusal)}
    except apsw.Error as error:
        if tables.spent:
            return {"error": "the statement asks for more work than is done here"}
        return {"error": dialect.complain(session, statement, str(error), tables)}
    if names:
        return shown([dialect.header(name, statement) for name in names], rows)
    return {"tag": dialect.tag(statement, changed)}


def translated(dialect: Dialect, session: Session, statement: Statement, tables: Tables) -> str:
    """The statement in SQLite's words. Raises Refused."""
    tokens = _without_casts(list(statement.tokens))
    match statement.words(2):
        case ("create", "table"):
            return _table(dialect, tokens)
        case ("truncate", _):
            names = [token.name for token in tokens[1:] if token.word != "table"]
            return f"DELETE FROM {quoted(names[0])}" if len(names) == 1 else joined(tokens)
        case ("start", "transaction"):
            return "BEGIN"
        case ("create", "index") if tokens[2:3] and tokens[2].word == "on":
            table = tokens[3].name if len(tokens) > 3 else ""
            column = "".join(token.name for token in tokens[5:-1] if token.kind in ("word", "quoted"))
            return f"CREATE INDEX {quoted(f'{table}_{column}_idx')} {joined(tokens[2:])}"
    placed = [_place(token) for token in tokens]
    for at, (before, token) in enumerate(pairwise(tokens), 1):
        if before.word in _BEFORE_TABLES and token.kind == "word" and token.word not in ("select", "only"):
            placed[at] = token._replace(text=quoted(token.text))
    return joined(placed)


_BEFORE_TABLES = ("from", "into", "update", "join")
"""What follows them is a table, even if its name is a word of SQLite's own."""


def _place(token: Token) -> Token:
    """``current_timestamp`` is asked of the cluster's clock; a backslash in a string is what it stands for."""
    if token.word == "current_timestamp":
        return token._replace(text="now()")
    if token.kind == "string" and "\\" in token.text:
        plain = re.sub(r"\\(.)", lambda found: "''" if found[1] == "'" else found[1], token.text)
        return token._replace(text=plain)
    return token


def _without_casts(tokens: list[Token]) -> list[Token]:
    kept: list[Token] = []
    skip = False
    for token in tokens:
        if skip or token.text == "::":
            skip = token.text == "::"
            continue
        kept.append(token)
    return kept


def _table(dialect: Dialect, tokens: list[Token]) -> str:
    """``CREATE TABLE`` with the types that SQLite has. Raises Refused."""
    begin = next((at for at, token in enumerate(tokens) if token.text == "("), 0)
    depth, end = 0, begin
    for end in range(begin, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[end].text, 0)
        if not depth:
            break
    if not begin or depth:
        return joined(tokens)
    parts = split(tokens[begin + 1 : end])
    serial = [part for part in parts if any(token.word in dialect.serials for token in part)]
    columns: list[str] = []
    for part in parts:
        first = part[0].word if part else ""
        if first in ("key", "index"):
            continue
        if serial and first in ("primary", "constraint") and _keys(part) == [serial[0][0].name.lower()]:
            continue
        columns.append(_serial(dialect, part, parts) if part in serial else _column(dialect, part))
    return f"{joined(tokens[:begin])} ({', '.join(columns)})"


def _keys(part: list[Token]) -> list[str]:
    """The columns of a table's PRIMARY KEY."""
    words = [token.word for token in part]
    if "primary" not in words:
        return []
    return [
        token.name.lower() for token in part[words.index("primary") + 2 :] if token.kind in ("word", "quoted")
    ]


def _serial(dialect: Dialect, part: list[Token], parts: list[list[Token]]) -> str:
    name = part[0].name
    own = any(token.word == "primary" for token in part)
    if not own and not any(_keys(other) == [name.lower()] for other in parts if other is not part):
        raise Refused(
            f'column "{name}" numbers itself and is no primary key: not simulated here; a real {dialect.name} has it'
        )
    return f"{quoted(name)} INTEGER PRIMARY KEY AUTOINCREMENT"


def _column(dialect: Dialect, part: list[Token]) -> str:
    if len(part) < 2 or part[0].word in ("primary", "foreign", "unique", "constraint", "check"):
        return joined(part)
    kind = part[1].word
    rest = part[2:]
    if kind == "enum":
        depth = 0
        while rest:
            depth += {"(": 1, ")": -1}.get(rest.pop(0).text, 0)
            if not depth:
                break
    for phrase in (("precision",), ("varying",), ("with", "time", "zone"), ("without", "time", "zone")):
        if tuple(token.word for token in rest[: len(phrase)]) == phrase:
            del rest[: len(phrase)]
    words = [token for token in rest if token.word not in dialect.ignored]
    text = joined([_place(token) for token in words])
    text = re.sub(r"(?i)\bdefault\s+now\s*\(\s*\)", "DEFAULT (now())", text)
    primary = " NOT NULL" if "primary" in [token.word for token in words] else ""
    space = "" if text.startswith("(") else " "
    return f"{quoted(part[0].name)} {dialect.types.get(kind, kind)}{space}{text}{primary}"
