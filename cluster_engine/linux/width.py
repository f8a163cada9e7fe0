"""How many terminal columns text takes."""

from __future__ import annotations

import unicodedata


def char_width(char: str) -> int:
    """0 for combining and control characters, 2 for wide ones, else 1."""
    code = ord(char)
    if 32 <= code < 127:
        return 1
    if code < 32 or 127 <= code < 160:
        return 0
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def text_width(text: str) -> int:
    """Columns of a line of text."""
    return sum(char_width(char) for char in text)


def columns(names: list[str], width: int) -> str:
    """Names in as few rows as fit, filled column by column."""
    if not names:
        return ""
    longest = max(text_width(name) for name in names)
    across = max(1, (width + 2) // (longest + 2))
    rows = -(-len(names) // across)
    lines: list[str] = []
    for row in range(rows):
        cells = names[row::rows]
        padded = [name + " " * (longest + 2 - text_width(name)) for name in cells[:-1]]
        lines.append("".join([*padded, cells[-1]]) + "\n")
    return "".join(lines)
