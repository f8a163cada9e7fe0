"""Names a place inside an object: ``spec.containers[name=web].image``, ``metadata.labels[app.kubernetes.io/name]``.

A bracket holds a position, a key that a dot would cut, or ``key=value`` of an element of a list.
"""

from __future__ import annotations

import re
from typing import Any

MAX_LENGTH = 300
"""Characters of a path."""
PATTERN = r"^[^.\[\]]+(\.[^.\[\]]+|\[[^\]]+\])*$"

_PART = re.compile(r"\.?([^.\[\]]+)|\[([^\]]+)\]")


class Missing:
    """What a path leads to when there is nothing."""

    def __bool__(self) -> bool:
        return False


MISSING = Missing()


def resolve(obj: Any, path: str) -> Any:
    """What stands at that place, or MISSING."""
    value = obj
    for match in _PART.finditer(path[:MAX_LENGTH]):
        value = _step(value, match[1] if match[1] is not None else match[2], match[2] is not None)
        if value is MISSING:
            return MISSING
    return value


def _step(value: Any, part: str, bracket: bool) -> Any:
    if isinstance(value, dict):
        return value.get(part, MISSING)
    if not isinstance(value, list) or not bracket:
        return MISSING
    if part.isdecimal():
        return value[int(part)] if int(part) < len(value) else MISSING
    key, _, wanted = part.partition("=")
    found = (item for item in value if isinstance(item, dict) and str(item.get(key)) == wanted)
    return next(found, MISSING)
