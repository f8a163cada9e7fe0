"""Tables as data: a script is carried out on SQLite in memory, which is filled from the data and emptied into it again.

Nothing outlives a call. Time and names come from the caller, chance from nowhere; what could reach a file of the host
or reads its clock is not allowed (`_allowed`), and work and space have limits. SQLite is the one that apsw brings,
not the host's: what a statement costs decides how long it takes, and must be equal wherever a journal is replayed.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import apsw

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
    apsw.SQLITE_LIMIT_LENGTH: MAX_VALUE,
    apsw.SQLITE_LIMIT_SQL_LENGTH: MAX_SCRIPT,
    apsw.SQLITE_LIMIT_COLUMN: 100,
    apsw.SQLITE_LIMIT_EXPR_DEPTH: 50,
    apsw.SQLITE_LIMIT_COMPOUND_SELECT: 20,
    apsw.SQLITE_LIMIT_VDBE_OP: 25_000,
    apsw.SQLITE_LIMIT_FUNCTION_ARG: 20,
    apsw.SQLITE_LIMIT_ATTACHED: 0,
    apsw.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 200,
}
_PAGE = 4_096
_ACTIONS = frozenset(
    (
        apsw.SQLITE_SELECT, apsw.SQLITE_READ, apsw.SQLITE_INSERT, apsw.SQLITE_UPDATE, apsw.SQLITE_DELETE,
        apsw.SQLITE_CREATE_TABLE, apsw.SQLITE_DROP_TABLE, apsw.SQLITE_ALTER_TABLE, apsw.SQLITE_CREATE_INDEX,
        apsw.SQLITE_DROP_INDEX, apsw.SQLITE_CREATE_VIEW, apsw.SQLITE_DROP_VIEW, apsw.SQLITE_REINDEX,
        apsw.SQLITE_TRANSACTION, apsw.SQLITE_RECURSIVE,
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
        """``functions`` are beside SQLite's own. Raises apsw.Error when the data is none."""
        self._functions = frozenset(functions)
        self._said = 0
        self.work = 0
        """Steps of SQLite's machine so far."""
        base = self._base = apsw.Connection(":memory:", statementcachesize=0)
        for limit, value in _LIMITS.items():
            base.limit(limit, value)
        for line in (
            "temp_store=MEMORY",
            f"max_page_count={2 * MAX_DATA // _PAGE}",
            "foreign_keys=ON",
            f"case_sensitive_like={int(exact_case)}",
        ):
            base.execute(f"PRAGMA {line}")
        for name, function in functions.items():
            base.create_scalar_function(name, function, _arguments(function))
        base.authorizer = self._allowed
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
        """Names of columns, rows, rows that were changed. Raises apsw.Error or Refused."""
        names: list[str] = []

        def begun(cursor: apsw.Cursor, _text: str, _values: object) -> bool:
            names[:] = [column[0] for column in cursor.get_description()]
            return True

        cursor = self._base.cursor()
        cursor.exec_trace = begun  # a cursor that found no rows no longer knows its columns
        before = self._base.total_changes()
        rows = []
        try:
            for row in cursor.execute(text):
                rows.append(row)
                self._said += sum(len(str(value)) for value in row)
                if len(rows) > MAX_ROWS:
                    raise Refused(f"more than {MAX_ROWS} rows are not answered here")
                if self._said > MAX_SAID:
                    raise Refused(f"more than {MAX_SAID} bytes are not answered here")
        finally:
            cursor.close(True)
        changed = self._base.changes() if self._base.total_changes() > before else 0
        return names, rows, changed

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
        self._base.authorizer = None
        rows = self._base.execute(f"PRAGMA table_info({quoted(name)})").fetchall()
        self._base.authorizer = self._allowed
        return [
            (str(each), str(kind), bool(needed), bool(key), None if value is None else str(value))
            for _, each, kind, needed, value, key in rows
        ]

    def data(self) -> Data:
        """Everything. Raises Refused when there is too much."""
        base = self._base
        base.set_progress_handler(None)
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
        if action == apsw.SQLITE_FUNCTION:
            name = (second or "").lower()
            return apsw.SQLITE_OK if name in _FUNCTIONS or name in self._functions else apsw.SQLITE_DENY
        return apsw.SQLITE_OK if action in _ACTIONS else apsw.SQLITE_DENY

    def _worked(self) -> bool:
        self.work += _STRIDE
        return self.spent


_STRIDE = 100


def _arguments(function: Callable[..., Any]) -> int:
    """How many a function takes; -1: any number."""
    taken = inspect.signature(function).parameters.values()
    return -1 if any(each.kind is each.VAR_POSITIONAL for each in taken) else len(taken)


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
