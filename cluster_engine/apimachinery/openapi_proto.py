"""The OpenAPI v2 document in protobuf: kubectl validates by it what it cannot find in v3 (lists, kinds not served).

Models the messages of github.com/google/gnostic-models/openapiv2, as far as the documents of ``openapi.py`` use them:
a field that is not in the tables (``oneOf``) has no place in v2, and upstream leaves it out too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from cluster_engine.apimachinery.cow import JSON

Write = Callable[[Any], bytes]
Fields = Mapping[str, tuple[int, Write]]
"""JSON name -> field number, and what makes the field's bytes (its whole record) of the value."""

_BYTES = 2


def document(value: JSON) -> bytes:
    """The bytes of a ``Document``."""
    return _message(value, _DOCUMENT)


# ---- the wire ---------------------------------------------------------------------------------------------


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _record(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(data)) + data


def _message(value: JSON, fields: Fields, extensions: int = 0) -> bytes:
    """``extensions``: the number of the field for what begins with ``x-``; 0: there is none."""
    out = []
    for name, item in value.items():
        field = fields.get(name)
        if field is not None:
            out.append(field[1](item))
        elif extensions and name.startswith("x-"):
            out.append(_record(extensions, _named(name, _any(item))))
    return b"".join(out)


def _named(name: str, data: bytes) -> bytes:
    """A ``Named…``: an entry of what is a map in JSON."""
    return _record(1, name.encode()) + _record(2, data)


def _any(value: Any) -> bytes:
    """``Any.yaml``: JSON is YAML."""
    return _record(2, orjson.dumps(value) + b"\n")


# ---- kinds of fields --------------------------------------------------------------------------------------


def _string(number: int) -> tuple[int, Write]:
    return number, lambda value: _record(number, value.encode())


def _strings(number: int) -> tuple[int, Write]:
    return number, lambda value: b"".join(_record(number, item.encode()) for item in value)


def _boolean(number: int) -> tuple[int, Write]:
    return number, lambda value: _varint(number << 3) + _varint(int(value))


def _integer(number: int) -> tuple[int, Write]:
    return number, lambda value: _varint(number << 3) + _varint(value & (1 << 64) - 1)


def _anything(number: int) -> tuple[int, Write]:
    return number, lambda value: _record(number, _any(value))


def _anythings(number: int) -> tuple[int, Write]:
    return number, lambda value: b"".join(_record(number, _any(item)) for item in value)


def _of(number: int, write: Write) -> tuple[int, Write]:
    """A message."""
    return number, lambda value: _record(number, write(value))


def _many(number: int, write: Write) -> tuple[int, Write]:
    return number, lambda value: b"".join(_record(number, write(item)) for item in value)


def _map(number: int, entries: int, write: Write) -> tuple[int, Write]:
    """A message whose field ``entries`` holds the map's entries by name."""
    return number, lambda value: _record(
        number, b"".join(_record(entries, _named(name, write(item))) for name, item in value.items())
    )


# ---- messages ---------------------------------------------------------------------------------------------


def _schema(value: JSON) -> bytes:
    return _message(value, _SCHEMA, 31)


def _type(value: str | list[str]) -> bytes:
    return b"".join(_record(1, item.encode()) for item in ([value] if isinstance(value, str) else value))


def _additional(value: JSON | bool) -> bytes:
    return _boolean(2)[1](value) if isinstance(value, bool) else _record(1, _schema(value))


_SCHEMA: Fields = {
    "$ref": _string(1),
    "format": _string(2),
    "title": _string(3),
    "description": _string(4),
    "default": _anything(5),
    "maxLength": _integer(11),
    "minLength": _integer(12),
    "pattern": _string(13),
    "maxItems": _integer(14),
    "minItems": _integer(15),
    "uniqueItems": _boolean(16),
    "maxProperties": _integer(17),
    "minProperties": _integer(18),
    "required": _strings(19),
    "enum": _anythings(20),
    "additionalProperties": _of(21, _additional),
    "type": _of(22, _type),
    "items": _of(23, lambda value: _record(1, _schema(value))),
    "allOf": _many(24, _schema),
    "properties": _map(25, 1, _schema),
}


def _parameter(value: JSON) -> bytes:
    """``ParametersItem.parameter``, a body's or another one's."""
    if value["in"] == "body":
        return _record(1, _record(1, _message(value, _BODY, 6)))
    number, fields = (4, _PATH) if value["in"] == "path" else (3, _QUERY)
    return _record(1, _record(2, _record(number, _message(value, fields))))


_BODY: Fields = {
    "description": _string(1),
    "name": _string(2),
    "in": _string(3),
    "required": _boolean(4),
    "schema": _of(5, _schema),
}
_QUERY: Fields = {
    "required": _boolean(1),
    "in": _string(2),
    "description": _string(3),
    "name": _string(4),
    "type": _string(6),
    "uniqueItems": _boolean(20),
}
_PATH: Fields = {
    "required": _boolean(1),
    "in": _string(2),
    "description": _string(3),
    "name": _string(4),
    "type": _string(5),
    "uniqueItems": _boolean(19),
}
_RESPONSE: Fields = {
    "description": _string(1),
    "schema": _of(2, lambda value: _record(1, _schema(value))),
}


def _response(value: JSON) -> bytes:
    return _record(1, _message(value, _RESPONSE))


def _operation(value: JSON) -> bytes:
    return _message(value, _OPERATION, 13)


_OPERATION: Fields = {
    "tags": _strings(1),
    "description": _string(3),
    "operationId": _string(5),
    "produces": _strings(6),
    "consumes": _strings(7),
    "parameters": _many(8, _parameter),
    "responses": _map(9, 1, _response),
}
_PATH_ITEM: Fields = {
    "get": _of(2, _operation),
    "put": _of(3, _operation),
    "post": _of(4, _operation),
    "delete": _of(5, _operation),
    "patch": _of(8, _operation),
    "parameters": _many(9, _parameter),
}
_INFO: Fields = {"title": _string(1), "version": _string(2)}
_DOCUMENT: Fields = {
    "swagger": _string(1),
    "info": _of(2, lambda value: _message(value, _INFO)),
    "paths": _map(8, 2, lambda value: _message(value, _PATH_ITEM, 10)),
    "definitions": _map(9, 1, _schema),
}
