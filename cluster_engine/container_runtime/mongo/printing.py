"""Values as mongosh prints them: as Node's ``util.inspect`` does, three levels on a line where they fit."""

from __future__ import annotations

import json
import re
from typing import Any

WIDTH = 80
COMPACT = 3
"""Levels that may stand on one line."""
MAX_SHOWN = 100
"""Entries of an array that are printed."""
_PLAIN = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")


def shown(value: Any, indent: int = 0) -> str:
    """The text of a value, whose lines after the first are indented that much."""
    return _shown(value, indent)[0]


def _shown(value: Any, indent: int) -> tuple[str, int]:
    """The text, and how many levels it has."""
    if isinstance(value, dict) and "$oid" in value:
        return f"ObjectId('{value['$oid']}')", 0
    if isinstance(value, dict) and "$date" in value:
        return f"ISODate('{value['$date']}')", 0
    if isinstance(value, dict):
        return _group("{}", [(f"{_key(name)}: ", each) for name, each in value.items()], indent)
    if isinstance(value, list):
        pairs = [("", each) for each in value[:MAX_SHOWN]]
        more = len(value) - MAX_SHOWN
        text, levels = _group("[]", pairs, indent)
        if more > 0:
            pad = " " * indent
            text = f"{text[:-1].rstrip()},\n{pad}  ... {more} more item{'s' if more > 1 else ''}\n{pad}]"
        return text, levels
    return _plain(value), 0


def _group(signs: str, pairs: list[tuple[str, Any]], indent: int) -> tuple[str, int]:
    if not pairs:
        return signs, 1
    parts = [(label, *_shown(value, indent + 2)) for label, value in pairs]
    entries = [label + text for label, text, _ in parts]
    levels = 1 + max(levels for *_, levels in parts)
    start = len(entries) + indent + 1 + 10
    total = len(entries) + start + sum(map(len, entries))
    if levels <= COMPACT and total <= WIDTH and not any("\n" in each for each in entries):
        return f"{signs[0]} {', '.join(entries)} {signs[1]}", levels
    pad = " " * indent
    inner = f",\n{pad}  ".join(entries)
    return f"{signs[0]}\n{pad}  {inner}\n{pad}{signs[1]}", levels


def _key(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else _quoted(name)


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return _quoted(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _quoted(text: str) -> str:
    """In single quotes, as long as there is none in it."""
    body = json.dumps(text, ensure_ascii=False)[1:-1].replace('\\"', '"')
    if "'" not in text:
        return f"'{body}'"
    return f'"{body}"' if '"' not in text else f"`{body}`"
