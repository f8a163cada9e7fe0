"""What Go's decoding does to a JSON object: type errors, unknown fields, dropped zeros, canonical values.

``handle_body`` is the way in for the API server. The texts are those of sigs.k8s.io/json (a stricter
encoding/json) inside k8s.io/apimachinery/pkg/runtime's wrapping.

Models k8s.io/apimachinery/pkg/runtime/serializer/json and sigs.k8s.io/json.
"""

from __future__ import annotations

import binascii
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, NamedTuple

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import bad_request
from cluster_engine.apimachinery.json_body import (
    MAX_DEPTH,
    MAX_KEYS,
    MAX_STRICT_ERRORS,
    DecodeError,
    depth_exceeds,
    load_json,
)
from cluster_engine.apimachinery.quantity import QuantityError, canonical_resource, parse
from cluster_engine.apimachinery.schema import (
    MAP,
    SCALAR,
    STRUCT,
    Field,
    List,
    Map,
    Node,
    OpenStruct,
    Scalar,
    Struct,
    type_of,
    zero,
)

__all__ = [
    "DecodeError",
    "Decoded",
    "canonical_time",
    "decode",
    "decode_as",
    "depth_exceeds",
    "handle_body",
    "load_json",
    "strict_message",
]

INT32, INT64 = 2**31, 2**63
MAX_OBJECTS, MAX_SCALARS = 5_000, MAX_KEYS
"""Objects, and plain values, in one list or map of a body."""
TIME_LAYOUT = "2006-01-02T15:04:05Z07:00"
_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,18}))?(Z|[+-]\d\d:\d\d)", re.ASCII
)
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class Decoded(NamedTuple):
    """A decoded object and the paths of the fields that its type does not have."""

    obj: JSON
    unknown: tuple[str, ...]


class _Context:
    __slots__ = ("depth", "loose", "path", "unknown")

    def __init__(self, loose: bool = False) -> None:
        self.loose = loose
        self.path: list[str | int] = []
        self.unknown: list[str] = []
        self.depth = 0

    def strict_path(self, last: str) -> str:
        text = ""
        for step in self.path:
            text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
        return f"{text}.{last}" if text else last


# ---- texts -----------------------------------------------------------------------------------------------


def _what(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, (int, float)):
        return "number"
    return "array" if isinstance(value, list) else "object"


def _mismatch(value: Any, owner: Struct | None, ctx: _Context, go: str, what: str = "") -> DecodeError:
    what = what or _what(value)
    if owner is None:
        return DecodeError(f"json: cannot unmarshal {what} into Go value of type {go}")
    path = ".".join(step for step in ctx.path if isinstance(step, str))
    return DecodeError(
        f"json: cannot unmarshal {what} into Go struct field {owner.go_struct}.{path} of type {go}"
    )


def strict_message(unknown: Sequence[str], duplicates: Sequence[str] = ()) -> str:
    """The strict decoding error of all that was wrong."""
    parts = [f'duplicate field "{path}"' for path in duplicates]
    parts += [f'unknown field "{path}"' for path in unknown]
    return "strict decoding error: " + ", ".join(parts)


# ---- scalars ---------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def canonical_time(text: str, micro: bool = False) -> str:
    """A time as Go prints it again: UTC, whole seconds (or microseconds)."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise DecodeError(_time_error(text))
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not 1 <= month <= 12:
        raise DecodeError(f'parsing time "{text}": month out of range')
    if not 1 <= day <= _DAYS[month - 1] or (month == 2 and day == 29 and not leap):
        raise DecodeError(f'parsing time "{text}": day out of range')
    for number, limit, word in ((hour, 24, "hour"), (minute, 60, "minute"), (second, 60, "second")):
        if number >= limit:
            raise DecodeError(f'parsing time "{text}": {word} out of range')
    fraction = f".{(match[7] or '').ljust(6, '0')[:6]}" if micro else ""
    if match[8] not in ("Z", "+00:00", "-00:00"):
        year, month, day, hour, minute = _to_utc(year, month, day, hour, minute, match[8])
    return f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}{fraction}Z"


def _to_utc(
    year: int, month: int, day: int, hour: int, minute: int, zone: str
) -> tuple[int, int, int, int, int]:
    gap = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
    if gap >= timedelta(days=1):
        raise DecodeError("time zone offset out of range")
    moment = datetime(
        max(year, 1), month, day, hour, minute, tzinfo=timezone(-gap if zone[0] == "-" else gap)
    )
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        raise DecodeError("time out of range") from None
    return moment.year, moment.month, moment.day, moment.hour, moment.minute


_TIME_STEPS = (
    ("2006", re.compile(r"\d{4}", re.ASCII)),
    ("-", re.compile("-")),
    ("01", re.compile(r"\d\d", re.ASCII)),
    ("-", re.compile("-")),
    ("02", re.compile(r"\d\d", re.ASCII)),
    ("T", re.compile("T")),
    ("15", re.compile(r"\d\d", re.ASCII)),
    (":", re.compile(":")),
    ("04", re.compile(r"\d\d", re.ASCII)),
    (":", re.compile(":")),
    ("05", re.compile(r"\d\d(?:[.,]\d+)?", re.ASCII)),
    ("Z07:00", re.compile(r"Z|[+-]\d\d:\d\d", re.ASCII)),
)


def _time_error(text: str) -> str:
    at = 0
    shown = json.dumps(text, ensure_ascii=False)
    for layout, pattern in _TIME_STEPS:
        match = pattern.match(text, at)
        if match is None:
            rest = json.dumps(text[at:], ensure_ascii=False)
            return f'parsing time {shown} as "{TIME_LAYOUT}": cannot parse {rest} as "{layout}"'
        at = match.end()
    return f"parsing time {shown}: extra text: {json.dumps(text[at:], ensure_ascii=False)}"


def _base64(text: str) -> str:
    """Checked standard base64, as Go prints it again."""
    compact = text.replace("\n", "").replace("\r", "") if "\n" in text or "\r" in text else text
    try:
        binascii.a2b_base64(compact.encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError):
        raise DecodeError(f"illegal base64 data at input byte {_bad_base64(compact)}") from None
    if len(compact) % 4:
        raise DecodeError(f"illegal base64 data at input byte {len(compact) // 4 * 4}")
    return compact


def _bad_base64(text: str) -> int:
    allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    for index, char in enumerate(text):
        if char not in allowed:
            tail = text[index:]
            if char == "=" and index % 4 >= 2 and len(text) % 4 == 0 and tail.strip("=") == "":
                return max(index, len(text) - 1)
            return index
    return len(text) // 4 * 4


def _scalar(node: Scalar, value: Any, owner: Struct | None, ctx: _Context) -> Any:
    kind = node.type
    if kind == "string":
        if isinstance(value, str):
            return value
    elif kind in ("int32", "int64", "int"):
        limit = INT32 if kind == "int32" else INT64
        if isinstance(value, int) and not isinstance(value, bool):
            if -limit <= value < limit:
                return value
            raise _mismatch(value, owner, ctx, node.go, f"number {value}")
        if isinstance(value, float):
            raise _mismatch(value, owner, ctx, node.go, f"number {_go_float(value)}")
    elif kind == "bool":
        if isinstance(value, bool):
            return value
    elif kind == "float64":
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return value
    elif kind == "quantity":
        return _quantity(value)
    elif kind in ("time", "microtime"):
        if isinstance(value, str):
            again = canonical_time(value, kind == "microtime")
            return value if again == value else again
        raise _mismatch(value, None, ctx, "string")
    elif kind == "intorstring":
        if isinstance(value, str):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            if -INT32 <= value < INT32:
                return value
            raise _mismatch(value, None, ctx, "int32", f"number {value}")
        raise _mismatch(
            value, None, ctx, "int32", f"number {_go_float(value)}" if isinstance(value, float) else ""
        )
    elif kind == "bytes":
        if isinstance(value, str):
            return _base64(value)
    elif kind == "duration":
        if isinstance(value, str):
            return value
        raise _mismatch(value, None, ctx, "string")
    else:
        return value
    raise _mismatch(value, owner, ctx, node.go)


def _go_float(value: float) -> str:
    return str(int(value)) + ".0" if value.is_integer() and abs(value) < 1e15 else repr(value)


def _quantity(value: Any) -> str:
    """A quantity keeps the text that it came with (only resource lists are rewritten)."""
    try:
        if isinstance(value, str):
            parse(value)
            return value
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            value = "x"
        return canonical_resource(value)
    except QuantityError as error:
        raise DecodeError(str(error)) from None


def _resource_list(value: JSON) -> JSON:
    changed: JSON | None = None
    for name, amount in value.items():
        try:
            text = canonical_resource(amount if amount is not None else "0")
        except QuantityError as error:
            raise DecodeError(str(error)) from None
        if text is not amount and text != amount:
            if changed is None:
                changed = dict(value)
            changed[name] = text
    return value if changed is None else changed


# ---- the walk --------------------------------------------------------------------------------------------


def _value(node: Node, value: Any, owner: Struct | None, ctx: _Context) -> Any:
    code = node.code
    if code == SCALAR:
        assert isinstance(node, Scalar)
        return _scalar(node, value, owner, ctx)
    if code == STRUCT:
        assert isinstance(node, Struct)
        return _struct(node, value, owner, ctx)
    if code == MAP:
        assert isinstance(node, Map)
        return _map(node, value, owner, ctx)
    assert isinstance(node, List)
    return _list(node, value, owner, ctx)


def _check_size(value: JSON | list[Any], inner: Node, ctx: _Context) -> None:
    limit = MAX_SCALARS if inner.code == SCALAR else MAX_OBJECTS
    if len(value) > limit:
        where = ".".join(step for step in ctx.path if isinstance(step, str))
        raise DecodeError(f"{where} has {len(value)} entries, the limit is {limit}")


def _map(node: Map, value: Any, owner: Struct | None, ctx: _Context) -> Any:
    if not isinstance(value, dict):
        if node.values is node:  # untyped JSON
            return value
        raise _mismatch(value, owner, ctx, node.go)
    inner = node.values
    if inner is node:
        return value
    _check_size(value, inner, ctx)
    if inner.code == SCALAR:
        assert isinstance(inner, Scalar)
        if inner.type == "string":
            for item in value.values():
                if type(item) is not str:
                    break
            else:
                return value
        elif inner.type == "quantity":
            return _resource_list(value)
    changed: JSON | None = None
    for name, item in value.items():
        if inner.code != SCALAR:
            ctx.path.append(name)
        new = zero(inner) if item is None else _value(inner, item, owner, ctx)
        if inner.code != SCALAR:
            ctx.path.pop()
        if new is not item:
            if changed is None:
                changed = dict(value)
            changed[name] = new
    return value if changed is None else changed


def _list(node: List, value: Any, owner: Struct | None, ctx: _Context) -> Any:
    if not isinstance(value, list):
        raise _mismatch(value, owner, ctx, node.go)
    inner = node.items
    _check_size(value, inner, ctx)
    changed: list[Any] | None = None
    path = ctx.path
    for index, item in enumerate(value):
        if type(item) is str and inner.code == SCALAR and inner.type == "string":  # type: ignore[attr-defined]
            continue
        path.append(index)
        new = zero(inner) if item is None else _value(inner, item, owner, ctx)
        path.pop()
        if new is not item:
            if changed is None:
                changed = list(value)
            changed[index] = new
    return value if changed is None else changed


def _struct(node: Struct, value: Any, owner: Struct | None, ctx: _Context) -> Any:
    if not isinstance(value, dict):
        raise _mismatch(value, owner, ctx, node.go)
    ctx.depth += 1
    if ctx.depth > MAX_DEPTH:
        raise DecodeError("exceeded max depth")
    fields = node.fields
    changed: JSON | None = None
    path = ctx.path
    for name, item in value.items():
        field = fields.get(name)
        if field is None:
            if len(ctx.unknown) < MAX_STRICT_ERRORS:
                ctx.unknown.append(ctx.strict_path(name))
            new = _DROP
        elif (plain := type(item)) is field.plain and item and (plain is not int or -INT32 <= item < INT32):
            continue
        elif ctx.loose and isinstance(node, OpenStruct) and name != "metadata":
            new = _loosely(field, item, node, ctx)
        elif item is None:
            new = _empty(field)
        else:
            path.append(name)
            new = _value(field.node, item, node, ctx)
            path.pop()
            if not new and field.drop_empty:
                new = _DROP
        if new is not item:
            if changed is None:
                changed = dict(value)
            if new is _DROP:
                del changed[name]
            else:
                changed[name] = new
    for name, empty in node.always:
        if name not in value:
            if changed is None:
                changed = dict(value)
            changed[name] = empty
    ctx.depth -= 1
    return value if changed is None else changed


_DROP: Any = object()


def _loosely(field: Field, item: Any, node: Struct, ctx: _Context) -> Any:
    """A field of a custom resource: what does not fit its type stays, for the validation to tell."""
    if item is None:
        return item
    depth, steps = ctx.depth, len(ctx.path)
    ctx.path.append(field.name)
    try:
        return _value(field.node, item, node, ctx)
    except DecodeError:
        ctx.depth = depth
        return item
    finally:
        del ctx.path[steps:]


def _empty(field: Field) -> Any:
    return zero(field.node) if field.always else _DROP


def decode(
    api_version: str, kind: str, obj: JSON, schema: Struct | None = None, loose: bool = False
) -> Decoded:
    """``obj`` as Go would print it after reading it; the very same object when nothing had to change.

    Unknown fields are dropped and named. Raises DecodeError on a type error; ``loose``, those in fields of a
    custom resource are left to its validation. A kind that is not built in (a custom resource without
    ``schema``) is returned as it is.
    """
    node = schema or type_of(api_version, kind)
    if node is None:
        return Decoded(obj, ())
    return decode_as(node, obj, loose)


def decode_as(node: Struct, obj: JSON, loose: bool = False) -> Decoded:
    """As ``decode``, of a type."""
    ctx = _Context(loose)
    result = _struct(node, obj, None, ctx)
    return Decoded(result, tuple(ctx.unknown))


def handle_body(
    api_version: str,
    kind: str,
    obj: JSON,
    field_validation: str = "Strict",
    duplicates: Sequence[str] = (),
    schema: Struct | None = None,
) -> tuple[JSON, list[str]]:
    """The decoded object of a request and the warnings to send back.

    Raises the 400 that the API server answers for a type error, and with ``Strict`` for unknown fields.
    """
    version = api_version.rpartition("/")[2]
    prefix = f'{kind} in version "{version}" cannot be handled as a {kind}: '
    try:
        decoded, unknown = decode(api_version, kind, obj, schema, loose=True)
    except DecodeError as error:
        raise bad_request(prefix + str(error)) from None
    if not unknown and not duplicates:
        return decoded, []
    if field_validation == "Strict":
        raise bad_request(prefix + strict_message(unknown, duplicates))
    if field_validation == "Ignore":
        return decoded, []
    warnings = [f'duplicate field "{path}"' for path in duplicates]
    return decoded, warnings + [f'unknown field "{path}"' for path in unknown]
