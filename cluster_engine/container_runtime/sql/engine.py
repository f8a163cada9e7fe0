"""Tables as data: a script is carried out on SQLite in memory, which is filled from the data and emptied into it again.

Nothing outlives a call. Time and names come from the caller, chance from nowhere; what could reach a file of the host
or reads its clock is not allowed (`_allowed`), and work and space have limits.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

from cluster_engine.container_runtime.sql.tokens import Statement

MAX_DATA = 512 * 1024
"""Bytes of one database."""
MAX_VALUE = 8 * 1024
"""Bytes of one value, and of one row."""
MAX_WORK = 100_000
"""Steps of SQLite's machine that one script may take."""
MAX_ROWS = 5_000
"""Rows of one answer."""
MAX_SAID = 1 << 20
"""Bytes that the statements of one script answer together."""
MAX_SCRIPT = 64 * 1024
"""Bytes of one script."""
_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: MAX_VALUE,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: MAX_SCRIPT,
    sqlite3.SQLITE_LIMIT_COLUMN: 100,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 50,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 20,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 25_000,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 20,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 200,
}
_PAGE = 4_096
_ACTIONS = frozenset(
    (
        sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE,
        sqlite3.SQLITE_CREATE_TABLE, sqlite3.SQLITE_DROP_TABLE, sqlite3.SQLITE_ALTER_TABLE, sqlite3.SQLITE_CREATE_INDEX,
        sqlite3.SQLITE_DROP_INDEX, sqlite3.SQLITE_CREATE_VIEW, sqlite3.SQLITE_DROP_VIEW, sqlite3.SQLITE_REINDEX,
        sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_RECURSIVE,
    )
)  # fmt: skip
_FUNCTIONS = frozenset(
    (
        "abs", "avg", "coalesce", "count", "ifnull", "iif", "instr", "length", "like", "lower", "ltrim", "max", "min",
        "nullif", "replace", "round", "row_number", "rank", "rtrim", "substr", "substring", "sum", "trim", "upper",
        # of ALTER TABLE, which asks them of SQLite itself
        "sqlite_rename_column", "sqlite_rename_table", "sqlite_rename_test", "sqlite_rename_quotefix", "printf",
        "sqlite_drop_column", "sqlite_fail",
    )
)  # fmt: skip

Data = dict[str, Any]
"""JSON: ``tables``: [[name, how it is made, rows]], ``indexes``: how they are made, ``counters``: last numbers."""
Outcome = dict[str, Any]
"""JSON: ``columns``, ``rows`` (text or None), ``right`` (which are numbers) · ``tag`` · ``said`` · ``error``."""

EMPTY: Data = {"tables": [], "indexes": [], "counters": {}}


class Refused(Exception):
    """A statement fails; str() is what the server says."""


class Tables:
    """A database that is open for the length of one script."""

    def __init__(self, data: Data, functions: Mapping[str, Callable[..., Any]], *, exact_case: bool) -> None:
        """``functions`` are beside SQLite's own. Raises sqlite3.Error when the data is none."""
        self._functions = frozenset(functions)
        self._said = 0
        self.work = 0
        """Steps of SQLite's machine so far."""
        base = self._base = sqlite3.connect(":memory:", isolation_level=None, cached_statements=0)
        for limit, value in _LIMITS.items():
            base.setlimit(limit, value)
        for line in (
            "temp_store=MEMORY",
            f"max_page_count={2 * MAX_DATA // _PAGE}",
            "foreign_keys=ON",
            f"case_sensitive_like={int(exact_case)}",
        ):
            base.execute(f"PRAGMA {line}")
        for name, function in functions.items():
            base.create_function(name, -1, function)
        base.set_authorizer(self._allowed)
        base.execute("BEGIN")
        for name, made, rows in data["tables"]:
            base.execute(made)
            if rows:
                marks = ",".join("?" * len(rows[0]))
                base.executemany(f"INSERT INTO {quoted(name)} VALUES ({marks})", rows)
        for made in data["indexes"]:
            base.execute(made)
        for name, number in data["counters"].items():
            base.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = ?", (number, name))
        base.execute("COMMIT")
        base.set_progress_handler(self._worked, _STRIDE)

    def close(self) -> None:
        self._base.close()

    def run(self, text: str) -> tuple[list[str], list[tuple[Any, ...]], int]:
        """Names of columns, rows, rows that were changed. Raises sqlite3.Error or Refused."""
        with closing(self._base.execute(text)) as cursor:
            names = [column[0] for column in cursor.description or ()]
            rows = []
            for row in cursor:
                rows.append(row)
                self._said += sum(len(str(value)) for value in row)
                if len(rows) > MAX_ROWS:
                    raise Refused(f"more than {MAX_ROWS} rows are not answered here")
                if self._said > MAX_SAID:
                    raise Refused(f"more than {MAX_SAID} bytes are not answered here")
            return names, rows, cursor.rowcount

    @property
    def open(self) -> bool:
        """Whether a transaction is."""
        return self._base.in_transaction

    @property
    def spent(self) -> bool:
        """Whether the script has had all the work that it may ask for."""
        return self.work > MAX_WORK

    def names(self) -> list[str]:
        """Of its tables, sorted."""
        asked = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
        return [name for (name,) in self._base.execute(asked) if not name.startswith("sqlite_")]

    def made(self, name: str) -> str:
        """How a table was made; "" for none."""
        found = self._base.execute("SELECT sql FROM sqlite_master WHERE name = ?", (name,)).fetchone()
        return str(found[0]) if found else ""

    def columns(self, name: str) -> list[tuple[str, str, bool, bool, str | None]]:
        """Of a table: name, type, whether it must have a value, whether it is the key, what stands there else."""
        self._base.set_authorizer(None)
        rows = self._base.execute(f"PRAGMA table_info({quoted(name)})").fetchall()
        self._base.set_authorizer(self._allowed)
        return [(each, kind, bool(needed), bool(key), value) for _, each, kind, needed, value, key in rows]

    def data(self) -> Data:
        """Everything. Raises Refused when there is too much."""
        base = self._base
        base.set_progress_handler(None, 0)
        tables = [
            [name, self.made(name), [list(row) for row in base.execute(f"SELECT * FROM {quoted(name)}")]]
            for name in self.names()
        ]
        size = sum(len(str(value)) for _, _, rows in tables for row in rows for value in row)
        if size > MAX_DATA:
            raise Refused(f"a database of more than {MAX_DATA} bytes is not kept here")
        asked = (
            "SELECT sql FROM sqlite_master WHERE type IN ('index', 'view') AND sql IS NOT NULL ORDER BY name"
        )
        indexes = [made for (made,) in base.execute(asked)]
        counters = {}
        if self.made("sqlite_sequence"):
            counters = dict(base.execute("SELECT name, seq FROM sqlite_sequence ORDER BY name"))
        return {"tables": tables, "indexes": indexes, "counters": counters}

    def _allowed(self, action: int, first: str | None, second: str | None, *_: str | None) -> int:
        if action == sqlite3.SQLITE_FUNCTION:
            name = (second or "").lower()
            return sqlite3.SQLITE_OK if name in _FUNCTIONS or name in self._functions else sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK if action in _ACTIONS else sqlite3.SQLITE_DENY

    def _worked(self) -> int:
        self.work += _STRIDE
        return int(self.spent)


_STRIDE = 100


def quoted(name: str) -> str:
    """A name as an identifier."""
    return '"' + name.replace('"', '""') + '"'


def shown(names: list[str], rows: list[tuple[Any, ...]]) -> Outcome:
    """An answer of rows: everything is text."""
    numbers = [
        all(isinstance(row[at], int | float) or row[at] is None for row in rows)
        and any(row[at] is not None for row in rows)
        for at in range(len(names))
    ]
    return {"columns": names, "rows": [[_text(value) for value in row] for row in rows], "right": numbers}


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, float):
        return f"{value:.15g}"
    return "\\x" + value.hex() if isinstance(value, bytes) else str(value)


def offset(statement: Statement, name: str) -> int:
    """Where a name stands in a script; -1: nowhere."""
    return next((t.at for t in statement.tokens if t.name.lower() == name.lower()), -1)
