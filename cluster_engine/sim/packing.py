"""State as JSON, also where a text is not one: files and variables may hold any bytes.

Such bytes live in a string as Python's surrogate escapes, which JSON has no way to say. Only a state that has
them is walked and written with an escape of our own, so all others cost nothing more.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import orjson

_ESCAPE = "\U0010fffd"  # a private-use character; itself written twice
_RAW = re.compile(f"[{_ESCAPE}\ud800-\udfff]")
_WRITTEN = re.compile(f"{_ESCAPE}({_ESCAPE}|[0-9a-f]{{4}})")
_WRAPPED = "escaped"


def pack(data: dict[str, Any], *, sort_keys: bool = False) -> bytes:
    """``data`` as JSON; ``unpack`` gives it back."""
    option = orjson.OPT_SORT_KEYS if sort_keys else 0
    try:
        return orjson.dumps(data, option=option)
    except orjson.JSONEncodeError:
        return orjson.dumps({_WRAPPED: _mapped(data, _written)}, option=option)


def unpack(text: bytes) -> Any:
    """The data that ``pack`` wrote."""
    data = orjson.loads(text)
    return _mapped(data[_WRAPPED], _read) if set(data) == {_WRAPPED} else data


def _written(text: str) -> str:
    if text.isascii():
        return text
    return _RAW.sub(lambda m: _ESCAPE + (_ESCAPE if m[0] == _ESCAPE else f"{ord(m[0]):04x}"), text)


def _read(text: str) -> str:
    if text.isascii():
        return text
    return _WRITTEN.sub(lambda m: _ESCAPE if m[1] == _ESCAPE else chr(int(m[1], 16)), text)


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    # As deep as the objects in the store, whose depth the API server bounds.
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {change(key): _mapped(item, change) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_mapped(item, change) for item in value]
    return value
