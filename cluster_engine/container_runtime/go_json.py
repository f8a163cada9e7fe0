"""JSON as programs written in Go print it. Models encoding/json's Marshal of maps."""

from __future__ import annotations

from typing import Any, Final

import orjson

_HIDDEN: Final = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)
"""What a page could take for markup, or JavaScript for the end of a line; it stands in texts alone."""


def marshal(value: Any, indent: int = 0) -> str:
    """Keys in order, ``indent`` blanks for each level (0: all on one line)."""
    text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS | (orjson.OPT_INDENT_2 if indent else 0)).decode()
    if indent:
        text = "\n".join(_indented(line, indent) for line in text.split("\n"))
    return text.translate(_HIDDEN)


def _indented(line: str, indent: int) -> str:
    bare = line.lstrip(" ")
    return " " * ((len(line) - len(bare)) // 2 * indent) + bare
