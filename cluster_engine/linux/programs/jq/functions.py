"""jq's functions of values: those in its own language (`PRELUDE`) and those in ours (`FUNCTIONS`)."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import re2

from cluster_engine.linux.programs.jq.values import (
    Problem,
    combine,
    compare,
    dump,
    kind,
    number,
    order,
    shown,
    text,
    truth,
)

PRELUDE = """
def map(f): [.[] | f];
def map_values(f): .[] |= f;
def recurse(f): def r: ., (f | r); r;
def values: select(. != null);
def nulls: select(. == null);
def strings: select(type == "string");
def numbers: select(type == "number");
def booleans: select(type == "boolean");
def arrays: select(type == "array");
def objects: select(type == "object");
def iterables: select(type == "array" or type == "object");
def scalars: select(type != "array" and type != "object");
def to_entries: [keys_unsorted[] as $k | {key: $k, value: .[$k]}];
def from_entries: reduce .[] as $e ({};
  . + {($e | if .key != null then .key elif .k != null then .k else .name end | tostring):
       ($e | if has("value") then .value elif has("v") then .v else null end)});
def with_entries(f): to_entries | map(f) | from_entries;
def any(f): reduce (.[] | f) as $x (false; . or $x);
def all(f): reduce (.[] | f) as $x (true; . and $x);
def any: any(.);
def all: all(.);
def in($o): . as $k | $o | has($k);
def inside($o): . as $x | $o | contains($x);
def nth($n): .[$n];
def first: .[0];
def last: .[-1];
def last(f): reduce f as $x (null; $x);
def isempty(f): [limit(1; f)] == [];
def until(c; u): def r: if c then . else (u | r) end; r;
def while(c; u): def r: if c then ., (u | r) else empty end; r;
def repeat(f): def r: ., (f | r); r;
def unique_by(f): [group_by(f)[] | .[0]];
def unique: unique_by(.);
def min: min_by(.);
def max: max_by(.);
def sort: sort_by(.);
def walk(f): def w: if type == "object" then map_values(w) elif type == "array" then map(w) else . end | f; w;
def paths(f): path(.. | select(f)) | select(length > 0);
def leaf_paths: paths(type != "array" and type != "object");
def delpaths($ps): reduce ($ps | sort | reverse[]) as $p (.; del(getpath($p)));
def setpath($p; $v): getpath($p) = $v;
def test($re): _match($re; "") | length > 0;
def test($re; $f): _match($re; $f) | length > 0;
def match($re): _match($re; "")[];
def match($re; $f): _match($re; $f)[];
def capture($re): match($re) | _captured;
def capture($re; $f): match($re; $f) | _captured;
def scan($re): _match($re; "g")[] | if (.captures | length) > 0 then [.captures[].string] else .string end;
def sub($re; f): _sub($re; ""; [_match($re; "")[] | _captured | f]);
def sub($re; f; $g): _sub($re; $g; [_match($re; $g)[] | _captured | f]);
def gsub($re; f): _sub($re; "g"; [_match($re; "g")[] | _captured | f]);
def ascii: [.] | implode;
def todate: strftime("%Y-%m-%dT%H:%M:%SZ");
def fromdate: fromdateiso8601;
def combinations: if length == 0 then [] else .[0][] as $x | (.[1:] | combinations) as $w | [$x] + $w end;
."""


def _length(value: Any) -> Any:
    match kind(value):
        case "null":
            return 0
        case "boolean":
            raise Problem(f"boolean ({shown(value)}) has no length")
        case "number":
            return abs(value)
    return len(value)


def _keys(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return sorted(value)
    if isinstance(value, list):
        return list(range(len(value)))
    raise Problem(f"{kind(value)} ({shown(value)}) has no keys")


def _has(value: Any, key: Any) -> bool:
    if isinstance(value, dict) and isinstance(key, str):
        return key in value
    if isinstance(value, list) and kind(key) == "number":
        return bool(0 <= key < len(value))
    raise Problem(
        f"Cannot check whether {kind(value)} has a {'string' if isinstance(key, str) else kind(key)} key"
    )


def _contains(value: Any, other: Any) -> bool:
    first, second = kind(value), kind(other)
    if first != second:
        raise Problem(
            f"{first} ({shown(value)}) and {second} ({shown(other)}) cannot have their containment checked"
        )
    if first == "object":
        return all(
            key in value and kind(value[key]) == kind(each) and _contains(value[key], each)
            for key, each in other.items()
        )
    if first == "array":
        return all(any(kind(one) == kind(each) and _contains(one, each) for one in value) for each in other)
    return bool(other in value if first == "string" else compare(value, other) == 0)


def _add(value: Any) -> Any:
    from_nothing: Any = None
    items = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(items, list):
        raise Problem(f"Cannot iterate over {kind(value)}")
    if items and all(isinstance(each, str) for each in items):
        return "".join(items)
    if items and all(isinstance(each, list) for each in items):
        return [one for each in items for one in each]
    for each in items:
        from_nothing = combine("+", from_nothing, each)
    return from_nothing


def _of_text(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def checked(value: Any, *given: Any) -> Any:
        if not isinstance(value, str) or not all(isinstance(each, str) for each in given):
            raise Problem(f"{name} input must be a string")
        return function(value, *given)

    return checked


def _of_list(function: Callable[..., Any]) -> Callable[..., Any]:
    def checked(value: Any, *given: Any) -> Any:
        if not isinstance(value, list):
            raise Problem(f"Cannot iterate over {kind(value)} ({shown(value)})")
        return function(value, *given)

    return checked


def _of_number(function: Callable[[Any], Any]) -> Callable[..., Any]:
    def checked(value: Any) -> Any:
        if kind(value) != "number":
            raise Problem(f"{kind(value)} ({shown(value)}) number required")
        return number(function(value))

    return checked


def _tonumber(value: Any) -> Any:
    if kind(value) == "number":
        return value
    if isinstance(value, str):
        try:
            return number(float(value)) if set(value) & set(".eE") else int(value)
        except ValueError:
            raise Problem(f"Cannot parse '{value}' as JSON") from None
    raise Problem(f"{kind(value)} ({shown(value)}) cannot be parsed as a number")


def _join(value: list[Any], separator: Any) -> str:
    parts = []
    for each in value:
        if isinstance(each, list | dict):
            raise Problem(f"string ({shown(separator)}) and {kind(each)} ({shown(each)}) cannot be added")
        parts.append("" if each is None else text(each))
    return text(separator).join(parts)


def _flatten(value: list[Any], depth: Any = 100) -> list[Any]:
    result: list[Any] = []
    for each in value:
        if isinstance(each, list) and depth > 0:
            result += _flatten(each, depth - 1)
        else:
            result.append(each)
    return result


def _indices(value: Any, other: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, str) and isinstance(other, str):
        return [at for at in range(len(value)) if other and value.startswith(other, at)]
    if isinstance(value, list):
        if isinstance(other, list):
            return [at for at in range(len(value)) if other and value[at : at + len(other)] == other]
        return [at for at, each in enumerate(value) if compare(each, other) == 0]
    raise Problem(f"Cannot determine indices of {kind(value)}")


def _compiled(pattern: str, flags: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 8 << 20
    options.case_sensitive = "i" not in flags
    options.dot_nl = "s" in flags
    try:
        return re2.compile(
            pattern.replace("(?<", "(?P<").replace("(?P<=", "(?<=").replace("(?P<!", "(?<!"), options
        )
    except re2.error as error:
        raise Problem(f"{pattern} (at offset 0) is not a valid regex: {error}") from None


def _match(value: Any, pattern: Any, flags: Any) -> list[Any]:
    if not isinstance(value, str):
        raise Problem(f"{kind(value)} ({shown(value)}) cannot be matched, as it is not a string")
    if isinstance(pattern, list):
        pattern, flags = pattern[0], pattern[1] if len(pattern) > 1 else flags
    if not isinstance(pattern, str):
        raise Problem(f"{kind(pattern)} ({shown(pattern)}) cannot be matched, as it is not a string")
    compiled = _compiled(pattern, flags or "")
    names = {group: name for name, group in compiled.groupindex.items()}
    found = []
    for match in compiled.finditer(value):
        captures = []
        for group in range(1, compiled.groups + 1):
            part = match.group(group)
            start = match.start(group) if part is not None else -1
            captures.append(
                {"offset": start, "length": len(part or ""), "string": part, "name": names.get(group)}
            )
        whole = match.group(0)
        found.append({"offset": match.start(), "length": len(whole), "string": whole, "captures": captures})
        if "g" not in (flags or ""):
            break
    return found


def _captured(value: Any) -> dict[str, Any]:
    return {each["name"]: each["string"] for each in value["captures"] if each["name"] is not None}


def _sub(value: Any, pattern: Any, flags: Any, given: Any) -> str:
    result, at = [], 0
    for match, fresh in zip(_match(value, pattern, flags), given, strict=False):
        if not isinstance(fresh, str):
            raise Problem(f"{kind(fresh)} ({shown(fresh)}) cannot be added to a string")
        result += [value[at : match["offset"]], fresh]
        at = match["offset"] + match["length"]
    return "".join([*result, value[at:]])


def _split(value: str, separator: str, flags: str | None = None) -> list[str]:
    if flags is None:
        return value.split(separator) if separator else list(value)
    parts, at = [], 0
    for match in _match(value, separator, flags + "g"):
        parts.append(value[at : match["offset"]])
        at = match["offset"] + match["length"]
    return [*parts, value[at:]]


def _fromjson(value: str) -> Any:
    try:
        return json.loads(
            value, parse_float=lambda digits: number(float(digits)), parse_constant=lambda name: None
        )
    except (ValueError, RecursionError):
        raise Problem(f"{value[:40]} (while parsing '{value[:40]}')") from None


def _implode(value: list[Any]) -> str:
    try:
        return "".join(map(chr, value))
    except (TypeError, ValueError):
        raise Problem("Unicode codepoint must be numeric") from None


def _time(value: Any, form: Any) -> str:
    if kind(value) != "number" or not 0 <= value < 1e11:
        raise Problem("strftime/1 requires parsed datetime inputs")
    return datetime.fromtimestamp(int(value), UTC).strftime(form)


def _from_time(value: str) -> int:
    try:
        return int(datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())
    except ValueError:
        raise Problem(f'date "{value}" does not match format "%Y-%m-%dT%H:%M:%SZ"') from None


def _sorted(value: Any, keyed: list[tuple[Any, Any]]) -> list[Any]:
    return [item for _, item in sorted(keyed, key=lambda pair: order(pair[0]))]


def _grouped(value: Any, keyed: list[tuple[Any, Any]]) -> list[Any]:
    groups: list[list[Any]] = []
    before: Any = None
    for key, item in sorted(keyed, key=lambda pair: order(pair[0])):
        if groups and compare(before, key) == 0:
            groups[-1].append(item)
        else:
            groups.append([item])
        before = key
    return groups


def _transposed(value: list[Any]) -> list[Any]:
    longest = max(map(len, value), default=0)
    return [[row[at] if at < len(row) else None for row in value] for at in range(longest)]


FUNCTIONS: dict[tuple[str, int], Callable[..., Any]] = {
    ("length", 0): _length,
    ("utf8bytelength", 0): _of_text("utf8bytelength", lambda value: len(value.encode("utf-8", "replace"))),
    ("keys", 0): _keys,
    ("keys_unsorted", 0): lambda value: list(value) if isinstance(value, dict) else _keys(value),
    ("has", 1): _has,
    ("contains", 1): _contains,
    ("add", 0): _add,
    ("type", 0): kind,
    ("not", 0): lambda value: not truth(value),
    ("tostring", 0): text,
    ("tonumber", 0): _tonumber,
    ("tojson", 0): dump,
    ("fromjson", 0): _of_text("fromjson", _fromjson),
    ("ascii_downcase", 0): _of_text(
        "ascii_downcase", lambda value: "".join(c.lower() if c.isascii() else c for c in value)
    ),
    ("ascii_upcase", 0): _of_text(
        "ascii_upcase", lambda value: "".join(c.upper() if c.isascii() else c for c in value)
    ),
    ("startswith", 1): _of_text("startswith()", str.startswith),
    ("endswith", 1): _of_text("endswith()", str.endswith),
    ("ltrimstr", 1): lambda value, other: (
        value.removeprefix(other) if isinstance(value, str) and isinstance(other, str) else value
    ),
    ("rtrimstr", 1): lambda value, other: (
        value.removesuffix(other) if isinstance(value, str) and isinstance(other, str) else value
    ),
    ("trim", 0): _of_text("trim", str.strip),
    ("ltrim", 0): _of_text("ltrim", str.lstrip),
    ("rtrim", 0): _of_text("rtrim", str.rstrip),
    ("split", 1): _of_text("split", _split),
    ("split", 2): lambda value, separator, flags: _of_text("split", _split)(value, separator, flags or ""),
    ("join", 1): _of_list(_join),
    ("explode", 0): _of_text("explode", lambda value: [ord(char) for char in value]),
    ("implode", 0): _of_list(_implode),
    ("reverse", 0): lambda value: [] if value is None else value[::-1],
    ("flatten", 0): _of_list(_flatten),
    ("flatten", 1): _of_list(_flatten),
    ("transpose", 0): _of_list(_transposed),
    ("indices", 1): _indices,
    ("index", 1): lambda value, other: next(iter(_indices(value, other) or []), None),
    ("rindex", 1): lambda value, other: next(reversed(_indices(value, other) or []), None),
    ("floor", 0): _of_number(math.floor),
    ("ceil", 0): _of_number(math.ceil),
    ("round", 0): _of_number(lambda value: math.floor(value + 0.5)),
    ("fabs", 0): _of_number(abs),
    ("abs", 0): _of_number(abs),
    ("sqrt", 0): _of_number(lambda value: math.sqrt(value) if value >= 0 else math.nan),
    ("strftime", 1): _time,
    ("fromdateiso8601", 0): _of_text("fromdateiso8601", _from_time),
    ("_match", 2): _match,
    ("_captured", 0): _captured,
    ("_sub", 3): _sub,
    ("_sorted", 1): _sorted,
    ("_grouped", 1): _grouped,
}
"""By name and number of arguments; the value comes first."""


def _cell(value: Any, separated: bool) -> str:
    if isinstance(value, list | dict):
        raise Problem(f"{kind(value)} ({shown(value)}) is not valid in a csv row")
    if not isinstance(value, str):
        return "" if value is None else dump(value)
    if separated:
        return '"' + value.replace('"', '""') + '"'
    return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _escaped(value: Any) -> str:
    marks = {"<": "&lt;", ">": "&gt;", "&": "&amp;", "'": "&#39;", '"': "&quot;"}
    return "".join(marks.get(char, char) for char in text(value))


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value + "=" * (-len(value) % 4)).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        raise Problem(f"string ({shown(value)}) is not valid base64 data") from None


def _quoted(value: Any) -> str:
    if isinstance(value, dict):
        raise Problem(f"object ({shown(value)}) can not be escaped for shell")
    items = value if isinstance(value, list) else [value]
    return " ".join(
        "'" + each.replace("'", "'\\''") + "'" if isinstance(each, str) else dump(each) for each in items
    )


def formatted(form: str, value: Any) -> str:
    """What `@csv`, `@base64` … make of a value. Raises Problem."""
    match form:
        case "@text":
            return text(value)
        case "@json":
            return dump(value)
        case "@csv" | "@tsv":
            if not isinstance(value, list):
                raise Problem(
                    f"{kind(value)} ({shown(value)}) cannot be {form[1:]}-formatted, only an array can be"
                )
            cells = [_cell(each, form == "@csv") for each in value]
            return ("," if form == "@csv" else "\t").join(cells)
        case "@base64":
            return base64.b64encode(text(value).encode("utf-8", "replace")).decode()
        case "@base64d":
            return _decoded(text(value))
        case "@uri":
            return quote(text(value).encode("utf-8", "replace"), safe="-_.~")
        case "@html":
            return _escaped(value)
        case "@sh":
            return _quoted(value)
    raise Problem(f"{form[1:]} is not a valid format")
