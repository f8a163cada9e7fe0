"""Decoding ``application/vnd.kubernetes.protobuf``: kubectl's typed commands send their bodies in it.

A body is the magic ``k8s\\0`` and a runtime.Unknown, which names the kind and holds the object. The field
numbers come from the type tables (``schema.py``), which also know which fields are pointers: Go writes
every field that is not one, so their zeros mean "not set", while a pointer's zero (``replicas: 0``) is
meant.

Replies are JSON: every client that sends protobuf accepts it.

Models k8s.io/apimachinery/pkg/runtime/serializer/protobuf.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator
from datetime import date
from typing import Any

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.decode import DecodeError, decode_as, load_json
from cluster_engine.apimachinery.duration import go_duration
from cluster_engine.apimachinery.schema import List, Map, Node, Scalar, Struct, struct_named, type_of

CONTENT_TYPE = "application/vnd.kubernetes.protobuf"
MAGIC = b"k8s\x00"
MAX_BYTES = 3 * 1024 * 1024
MAX_DEPTH = 100
MAX_FIELDS = 60_000

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_YEAR_1, _YEAR_10000 = -62_135_596_800, 253_402_300_800


class ProtobufError(ValueError):
    """A body that is no such message; the API server answers 400 with this text."""


class _Reader:
    """Counts what one body holds, so that no body costs more than its limit."""

    __slots__ = ("fields",)

    def __init__(self) -> None:
        self.fields = 0

    def records(self, data: bytes) -> Iterator[tuple[int, int, Any]]:
        """(field number, wire type, value) of a message: an integer, or bytes."""
        at, end = 0, len(data)
        while at < end:
            self.fields += 1
            if self.fields > MAX_FIELDS:
                raise ProtobufError(f"the message has more than {MAX_FIELDS} fields")
            tag, at = _varint(data, at)
            number, wire = tag >> 3, tag & 7
            if number == 0:
                raise ProtobufError(f"proto: illegal tag {number} (wire type {tag})")
            value: Any
            if wire == _VARINT:
                value, at = _varint(data, at)
            elif wire == _BYTES:
                size, at = _varint(data, at)
                if size > end - at:
                    raise ProtobufError("unexpected EOF")
                value = data[at : at + size]
                at += size
            elif wire in (_FIXED64, _FIXED32):
                size = 8 if wire == _FIXED64 else 4
                if size > end - at:
                    raise ProtobufError("unexpected EOF")
                value = data[at : at + size]
                at += size
            else:
                raise ProtobufError(f"proto: illegal wireType {wire}")
            yield number, wire, value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data):
            raise ProtobufError("unexpected EOF")
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at
        shift += 7
        if shift >= 70:
            raise ProtobufError("proto: integer overflow")


def _signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value


def _text(value: Any) -> str:
    if not isinstance(value, bytes):
        raise ProtobufError("proto: wrong wireType for a string field")
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise ProtobufError("proto: a string field contains invalid UTF-8") from None


def _numbers(data: Any, reader: _Reader) -> dict[int, Any]:
    """The last value of each field of a small message of scalars."""
    if not isinstance(data, bytes):
        raise ProtobufError("proto: wrong wireType for a message field")
    return {number: value for number, _, value in reader.records(data)}


def _time(data: Any, micro: bool, reader: _Reader) -> str | None:
    found = _numbers(data, reader)
    if not found:
        return None
    seconds, nanos = found.get(1, 0), found.get(2, 0)
    if not isinstance(seconds, int) or not isinstance(nanos, int):
        raise ProtobufError("proto: wrong wireType for a field of Time")
    seconds = _signed(seconds)
    if seconds == _YEAR_1:
        return None
    if not _YEAR_1 <= seconds < _YEAR_10000 or nanos >= 10**9:
        raise ProtobufError("Time is out of range")
    days, rest = divmod(seconds, 86400)
    year, month, day = _civil(days)
    fraction = f".{nanos // 1000:06d}" if micro else ""
    clock = f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    return f"{year:04d}-{month:02d}-{day:02d}T{clock}{fraction}Z"


def _civil(days: int) -> tuple[int, int, int]:
    """(year, month, day) of a number of days since 1970."""
    day = date.fromordinal(days + 719_163)
    return day.year, day.month, day.day


def _int_or_string(data: Any, reader: _Reader) -> int | str:
    found = _numbers(data, reader)
    if found.get(1, 0) == 1:
        return _text(found.get(3, b""))
    value = found.get(2, 0)
    if not isinstance(value, int):
        raise ProtobufError("proto: wrong wireType for field IntVal")
    return _signed(value)


def _json(data: Any, reader: _Reader) -> Any:
    raw = _numbers(data, reader).get(1, b"")
    if not isinstance(raw, bytes):
        raise ProtobufError("proto: wrong wireType for field Raw")
    if not raw:
        return None
    if raw.startswith(MAGIC):
        return decode(raw)
    try:
        return load_json(raw)[0]
    except DecodeError as error:
        raise ProtobufError(str(error)) from None


def _scalar(node: Scalar, wire: int, value: Any, reader: _Reader) -> Any:
    kind = node.type
    if kind == "string":
        return _text(value)
    if kind in ("int32", "int64", "int", "bool"):
        if not isinstance(value, int):
            raise ProtobufError(f"proto: wrong wireType = {wire} for a field of type {kind}")
        if kind == "bool":
            return value != 0
        return _signed(value) if kind != "int32" else (value + 2**31) % 2**32 - 2**31
    if kind == "float64":
        if wire != _FIXED64:
            raise ProtobufError(f"proto: wrong wireType = {wire} for a field of type double")
        return struct.unpack("<d", value)[0]
    if kind == "bytes":
        if not isinstance(value, bytes):
            raise ProtobufError(f"proto: wrong wireType = {wire} for a field of type bytes")
        return base64.b64encode(value).decode()
    if kind == "quantity":
        return _text(_numbers(value, reader).get(1, b"")) or "0"
    if kind in ("time", "microtime"):
        return _time(value, kind == "microtime", reader)
    if kind == "intorstring":
        return _int_or_string(value, reader)
    if kind in ("raw", "fields", "json"):
        return _json(value, reader)
    if kind == "duration":
        amount = _numbers(value, reader).get(1, 0)
        if not isinstance(amount, int):
            raise ProtobufError("proto: wrong wireType for field Duration")
        return go_duration(_signed(amount))
    raise ProtobufError(f"a field of type {node.go} has no protobuf form")


def _is_wrapped(node: Node) -> bool:
    """Named slices (Verbs, ExtraValue) are messages with one repeated field."""
    return isinstance(node, List) and not node.go.startswith("[]")


def _value(node: Node, wire: int, value: Any, reader: _Reader, depth: int) -> Any:
    if isinstance(node, Scalar) and node.type not in _SCHEMAS:
        return _scalar(node, wire, value, reader)
    if not isinstance(value, bytes) or wire != _BYTES:
        raise ProtobufError(f"proto: wrong wireType = {wire} for a field of type {node.go}")
    if isinstance(node, Scalar):
        return _schema(node.type, value, reader, depth + 1)
    if isinstance(node, Struct):
        return _message(node, value, reader, depth + 1)
    if isinstance(node, List):  # a list where one value stands: wrapped in a message
        return [_value(node.items, kind, item, reader, depth + 1) for _, kind, item in reader.records(value)]
    raise ProtobufError(f"a field of type {node.go} has no protobuf form")


_SCHEMAS = frozenset(("schemaorarray", "schemaorbool", "schemaorstrings"))
"""What is a schema or something else (JSONSchemaPropsOrArray, …): in JSON what it is, in protobuf a field for each."""


def _schema(kind: str, data: bytes, reader: _Reader, depth: int) -> Any:
    node = struct_named("apiextensions.v1.JSONSchemaProps")
    allows, own = 1 if kind == "schemaorbool" else 0, 2 if kind == "schemaorbool" else 1
    found: JSON | None = None
    others: list[Any] = []
    allowed = False
    for number, wire, value in reader.records(data):
        if number == allows:
            allowed = value != 0
        elif wire != _BYTES:
            raise ProtobufError(f"proto: wrong wireType = {wire} for a field of type {node.go}")
        elif number == own:
            found = _message(node, value, reader, depth)
        elif number == 2:
            strings = kind == "schemaorstrings"
            others.append(_text(value) if strings else _message(node, value, reader, depth))
    if kind == "schemaorbool":
        return allowed if found is None else found
    return others or found


_PACKABLE = frozenset(("int32", "int64", "int", "bool"))


def _fill(found: JSON, node: Struct, data: bytes, reader: _Reader, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ProtobufError(f"the message nests deeper than {MAX_DEPTH} levels")
    fields = {field.number: field for field in node.own_fields if field.number}
    inlined = dict(node.inlined)
    for number, wire, value in reader.records(data):
        field = fields.get(number)
        if field is None:
            inner = inlined.get(number)
            if inner is not None:
                if wire != _BYTES:
                    raise ProtobufError(f"proto: wrong wireType = {wire} for a field of type {inner.go}")
                _fill(found, inner, value, reader, depth + 1)
            continue
        name, target = field.name, field.node
        if isinstance(target, List) and not _is_wrapped(target):
            items = found.setdefault(name, [])
            inside = target.items
            if wire == _BYTES and isinstance(inside, Scalar) and inside.type in _PACKABLE:
                at = 0
                while at < len(value):
                    number_, at = _varint(value, at)
                    items.append(_scalar(inside, _VARINT, number_, reader))
                continue
            items.append(_value(inside, wire, value, reader, depth))
        elif isinstance(target, Map):
            if wire != _BYTES:
                raise ProtobufError(f"proto: wrong wireType = {wire} for a field of type {target.go}")
            _entry(found.setdefault(name, {}), target, value, reader, depth)
        else:
            found[name] = _value(target, wire, value, reader, depth)


def _entry(found: JSON, node: Map, data: bytes, reader: _Reader, depth: int) -> None:
    key = ""
    kind, raw = _BYTES, None
    for number, wire, value in reader.records(data):
        if number == 1:
            key = _text(value)
        elif number == 2:
            kind, raw = wire, value
    if raw is None:
        inner = node.values
        scalar = isinstance(inner, Scalar) and inner.type in ("bool", "int32", "int64")
        kind, raw = (_VARINT, 0) if scalar else (_BYTES, b"")
    found[key] = _value(node.values, kind, raw, reader, depth)


def _message(node: Struct, data: bytes, reader: _Reader, depth: int) -> JSON:
    found: JSON = {}
    _fill(found, node, data, reader, depth)
    return found


def decode(body: bytes) -> JSON:
    """The object in a body as JSON, with apiVersion and kind; raises ProtobufError."""
    if len(body) > MAX_BYTES:
        raise ProtobufError(f"the message has {len(body)} bytes, the limit is {MAX_BYTES}")
    if not body.startswith(MAGIC):
        expected = " ".join(str(byte) for byte in MAGIC)
        raise ProtobufError(
            f"provided data does not appear to be a protobuf message, expected prefix [{expected}]"
        )
    reader = _Reader()
    api_version = kind = content_type = encoding = ""
    raw = b""
    for number, wire, value in reader.records(body[len(MAGIC) :]):
        if wire != _BYTES:
            continue
        if number == 1:
            names = _numbers(value, reader)
            api_version, kind = _text(names.get(1, b"")), _text(names.get(2, b""))
        elif number == 2:
            raw = value
        elif number == 3:
            encoding = _text(value)
        elif number == 4:
            content_type = _text(value)
    if encoding:
        raise ProtobufError(f"content encoding {encoding!r} is not supported")
    if content_type == "application/json":
        try:
            decoded, _ = load_json(raw)
        except DecodeError as error:
            raise ProtobufError(str(error)) from None
        if not isinstance(decoded, dict):
            raise ProtobufError("the message holds no object")
        return decoded
    return decode_object(api_version, kind, raw, reader)


def decode_object(api_version: str, kind: str, raw: bytes, reader: _Reader | None = None) -> JSON:
    """An object of a known kind without the envelope."""
    node = type_of(api_version, kind)
    if node is None or not any(field.number for field in node.own_fields):
        raise ProtobufError(f'no kind "{kind}" is registered for version "{api_version}" in scheme')
    found = _message(node, raw, reader or _Reader(), 0)
    try:
        obj = decode_as(node, found).obj
    except DecodeError as error:
        raise ProtobufError(str(error)) from None
    return {**obj, "apiVersion": api_version, "kind": kind}


def is_protobuf(content_type: str | None) -> bool:
    """Whether a Content-Type header names this encoding."""
    return (content_type or "").partition(";")[0].strip().lower() == CONTENT_TYPE


__all__ = ["CONTENT_TYPE", "ProtobufError", "decode", "decode_object", "is_protobuf"]
