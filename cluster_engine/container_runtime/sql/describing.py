"""psql's `\\d TABLE`: columns with PostgreSQL's names of types, indexes, foreign keys."""

from __future__ import annotations

import re

from cluster_engine.container_runtime.sql.engine import Outcome, Tables
from cluster_engine.container_runtime.sql.tokens import Token, split, statements

_TYPES = {
    "int": "integer", "int4": "integer", "int8": "bigint", "int2": "smallint", "varchar": "character varying",
    "char": "character", "float": "double precision", "real": "double precision", "bool": "boolean",
    "timestamp": "timestamp without time zone", "timestamptz": "timestamp with time zone", "decimal": "numeric",
    "time": "time without time zone",
}  # fmt: skip


def described(name: str, tables: Tables) -> Outcome | None:
    """What `\\d` tells of a table; None: there is none of that name."""
    if name not in tables.names():
        return None
    serial = "AUTOINCREMENT" in tables.made(name)
    rows, keys = [], []
    for column, kind, needed, key, value in tables.columns(name):
        numbered = serial and key
        keys += [column] if key else []
        default = f"nextval('{name}_{column}_seq'::regclass)" if numbered else _default(value, kind)
        rows.append([column, _type(kind), "", "not null" if needed or key else "", default])
    return {
        "title": f'Table "public.{name}"',
        "columns": ["Column", "Type", "Collation", "Nullable", "Default"],
        "rows": rows,
        "foot": [
            *_section("Indexes", _indexes(name, keys, tables)),
            *_section(
                "Foreign-key constraints",
                [f'"{key}" {told}' for table, key, told in _foreign(tables) if table == name],
            ),
            *_section(
                "Referenced by",
                [
                    f'TABLE "{table}" CONSTRAINT "{key}" {told}'
                    for table, key, told in _foreign(tables)
                    if re.search(rf"REFERENCES {re.escape(name)}\(", told)
                ],
            ),
        ],
    }


def _section(title: str, lines: list[str]) -> list[str]:
    return [f"{title}:", *(f"    {line}" for line in lines)] if lines else []


def _type(kind: str) -> str:
    """PostgreSQL's own name of a type: ``varchar(50)`` is ``character varying(50)``."""
    name, bracket, size = kind.lower().partition("(")
    return _TYPES.get(name.strip(), name.strip()) + (f"({size}" if bracket else "")


def _default(value: str | None, kind: str) -> str:
    if value is None or value.upper() == "NULL":
        return ""
    if value.startswith("'"):
        return f"{value}::{_type(kind).partition('(')[0]}"
    return (
        value.lower()
        if value.lower() in ("true", "false")
        else value.strip("()") + ("()" if "now" in value else "")
    )


def _parts(tables: Tables, name: str) -> list[list[Token]]:
    """The columns and constraints of a table as they were written."""
    (made, *_), _ = statements(f"{tables.made(name)};")
    tokens = list(made.tokens)
    begin = next(at for at, token in enumerate(tokens) if token.text == "(")
    return split(tokens[begin + 1 : -1])


def _names(part: list[Token], after: str) -> list[str]:
    """The columns in the parenthesis that follows a word."""
    words = [token.word for token in part]
    found: list[str] = []
    for token in part[words.index(after) + 1 :]:
        if token.text == ")":
            break
        found += [token.name] if token.kind in ("word", "quoted") and token.word not in ("key",) else []
    return found


def _indexes(table: str, keys: list[str], tables: Tables) -> list[str]:
    """First the key's, then the others by their names."""
    found: dict[str, str] = {}
    for part in _parts(tables, table):
        words = [token.word for token in part]
        if "unique" in words:
            columns = _names(part, "unique") if words[0] in ("unique", "constraint") else [part[0].name]
            name = part[1].name if words[0] == "constraint" else f"{table}_{'_'.join(columns)}_key"
            found[name] = f'"{name}" UNIQUE CONSTRAINT, btree ({", ".join(columns)})'
    for made in tables.data()["indexes"]:
        match = re.match(
            r'(?i)CREATE (UNIQUE )?INDEX (?:IF NOT EXISTS )?"?(\w+)"? ON "?(\w+)"? ?\((.*)\)$', made
        )
        if match is not None and match[3] == table:
            name, unique = match[2], "UNIQUE, " if match[1] else ""
            found[name] = f'"{name}" {unique}btree ({match[4].replace(chr(34), "")})'
    first = [f'"{table}_pkey" PRIMARY KEY, btree ({", ".join(keys)})'] if keys else []
    return [*first, *(found[name] for name in sorted(found))]


def _foreign(tables: Tables) -> list[tuple[str, str, str]]:
    """(table, name, what it is) of every foreign key."""
    found = []
    for table in tables.names():
        for part in _parts(tables, table):
            words = [token.word for token in part]
            if "references" not in words:
                continue
            columns = _names(part, "key") if "foreign" in words else [part[0].name]
            goal = part[words.index("references") + 1].name
            keys = (
                _names(part[words.index("references") + 1 :], goal.lower()) if goal.lower() in words else []
            )
            keys = keys or [column for column, _, _, key, _ in tables.columns(goal) if key]
            rest = " ".join(
                token.text.upper() for token in part[words.index("references") :] if token.word in _ACTS
            )
            name = part[1].name if words[0] == "constraint" else f"{table}_{'_'.join(columns)}_fkey"
            told = f"FOREIGN KEY ({', '.join(columns)}) REFERENCES {goal}({', '.join(keys)})"
            found.append((table, name, f"{told} {rest}".rstrip()))
    return found


_ACTS = ("on", "delete", "update", "cascade", "restrict", "set", "null")
