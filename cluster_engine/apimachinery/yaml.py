"""YAML and JSON manifests, read as Kubernetes reads them, within stated limits.

The C parser makes events; the value is built from them here, so aliases are counted as they expand,
nesting is bounded, keys may not come twice, and plain words mean what go-yaml takes them for (``yes`` is
true, ``1:30`` and ``2026-01-01`` are text).

Models sigs.k8s.io/yaml.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any

import yaml

MAX_BYTES = 3 * 1024 * 1024
MAX_NODES = 100_000
"""Values that one stream may hold, aliases expanded."""
MAX_DEPTH = 120
MAX_DOCUMENTS = 1_000

PREFIX = "error converting YAML to JSON: "

_TRUE = frozenset(["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"])
_FALSE = frozenset(["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"])
_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_INTEGER = re.compile(r"[-+]?(?:0x[0-9a-fA-F_]+|0b[01_]+|0o?[0-7_]*|[1-9][0-9_]*)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL_FLOAT = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?\Z")
"""What go-yaml might take for a time, and so writes in quotes."""
_MAX_DIGITS = 64

_STR, _INT, _FLOAT_TAG, _BOOL, _NULL_TAG, _BINARY, _TIMESTAMP, _MAP, _SEQ, _MERGE = (
    "tag:yaml.org,2002:" + word
    for word in ("str", "int", "float", "bool", "null", "binary", "timestamp", "map", "seq", "merge")
)


class YamlError(ValueError):
    """Text that cannot be read as YAML; the message names the line."""


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _fail(line: int, text: str) -> YamlError:
    return YamlError(f"{PREFIX}yaml: line {line}: {text}")


class _MergeKey:
    """Stands for ``<<``."""


_MERGE_KEY: Any = _MergeKey()


def _plain(text: str) -> Any:
    """A plain scalar's value."""
    first = text[:1]
    if first not in "0123456789+-.":
        if text in _NULL:
            return None
        if text in _TRUE:
            return True
        if text in _FALSE:
            return False
        return _MERGE_KEY if text == "<<" else text
    if text == "":
        return None
    if len(text) <= _MAX_DIGITS:
        if _INTEGER.fullmatch(text):
            value = _integer(text.replace("_", ""))
            if value is not None:
                return value
        if _FLOAT.fullmatch(text):
            return float(text)
    if _SPECIAL_FLOAT.fullmatch(text):
        return float(text.lower().replace(".", ""))
    return text


def _integer(text: str) -> int | float | None:
    sign = -1 if text[0] == "-" else 1
    digits = text.lstrip("+-").lower()
    try:
        if digits.startswith("0x"):
            value = int(digits[2:], 16)
        elif digits.startswith("0b"):
            value = int(digits[2:], 2)
        elif len(digits) > 1 and digits.startswith("0"):
            value = int(digits.removeprefix("0o"), 8)
        else:
            value = int(digits)
    except ValueError:
        return None
    value *= sign
    return value if -(2**63) <= value < 2**64 else float(value)


def _key_text(key: Any, line: int) -> str:
    """A map key as JSON has it."""
    if isinstance(key, str):
        return key
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, int):
        return str(key)
    if isinstance(key, float):
        return str(int(key)) if key.is_integer() else repr(key)
    if key is None:
        return "null"
    raise _fail(line, "unsupported map key")


class _Builder:
    """Turns the events of one stream into values."""

    def __init__(self, text: str | bytes) -> None:
        self.parser = yaml.CSafeLoader(text)
        self.nodes = 0
        self.anchors: dict[str, tuple[Any, int]] = {}

    def next(self) -> Any:
        return self.parser.get_event()

    def count(self, line: int, size: int = 1) -> None:
        self.nodes += size
        if self.nodes > MAX_NODES:
            raise _fail(line, f"document contains excessive aliasing or more than {MAX_NODES} values")

    def documents(self) -> Iterator[Any]:
        event = self.next()
        while not isinstance(event, yaml.StreamEndEvent):
            if isinstance(event, yaml.DocumentStartEvent):
                self.anchors.clear()
                yield self.value(self.next(), 0)
            event = self.next()

    def value(self, event: Any, depth: int) -> Any:
        line = _line(event)
        if depth > MAX_DEPTH:
            raise _fail(line, f"exceeded max depth of {MAX_DEPTH}")
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self.anchors:
                raise YamlError(f"{PREFIX}yaml: unknown anchor '{event.anchor}' referenced")
            value, size = self.anchors[event.anchor]
            if size < 0:
                raise YamlError(f"{PREFIX}yaml: anchor '{event.anchor}' value contains itself")
            self.count(line, size)
            return value
        before = self.nodes
        self.count(line)
        if event.anchor is not None:
            self.anchors[event.anchor] = (None, -1)
        if isinstance(event, yaml.ScalarEvent):
            value = self.scalar(event, line)
        elif isinstance(event, yaml.SequenceStartEvent):
            self.check_tag(event, _SEQ, line)
            value = []
            event_in = self.next()
            while not isinstance(event_in, yaml.SequenceEndEvent):
                item = self.value(event_in, depth + 1)
                value.append("<<" if item is _MERGE_KEY else item)
                event_in = self.next()
        else:
            self.check_tag(event, _MAP, line)
            value = self.mapping(depth)
        if event.anchor is not None:
            self.anchors[event.anchor] = (value, self.nodes - before)
        return value

    @staticmethod
    def check_tag(event: Any, expected: str, line: int) -> None:
        if event.tag not in (None, "!", expected):
            raise _fail(line, f"cannot decode {event.tag}")

    def mapping(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: list[dict[str, Any]] = []
        event = self.next()
        while not isinstance(event, yaml.MappingEndEvent):
            line = _line(event)
            key = self.value(event, depth + 1)
            value_event = self.next()
            value = self.value(value_event, depth + 1)
            if key is _MERGE_KEY:
                parts = value if isinstance(value, list) else [value]
                if not all(isinstance(part, dict) for part in parts):
                    raise _fail(line, "map merge requires map or sequence of maps as the value")
                merged.extend(parts)
            else:
                name = _key_text(key, line)
                if name in found:
                    raise YamlError(
                        f'{PREFIX}yaml: unmarshal errors:\n  line {line}: key "{name}" already set in map'
                    )
                found[name] = "<<" if value is _MERGE_KEY else value
            event = self.next()
        for part in merged:
            self.count(1, len(part))
            for name, value in part.items():
                found.setdefault(name, value)
        return found

    @staticmethod
    def scalar(event: Any, line: int) -> Any:
        text: str = event.value
        tag = event.tag
        if tag is None or tag == "!":
            value = _plain(text) if event.implicit[0] and not event.style and tag is None else text
        elif tag in (_STR, _TIMESTAMP):
            value = text
        elif tag in (_INT, _FLOAT_TAG, _BOOL, _NULL_TAG):
            value = _plain(text)
            if tag == _FLOAT_TAG and isinstance(value, int):
                value = float(value)
            right = {_INT: int, _FLOAT_TAG: float, _BOOL: bool, _NULL_TAG: type(None)}[tag]
            if type(value) is not right:
                raise _fail(line, f"cannot decode !!str `{text[:20]}` as a !!{tag.rpartition(':')[2]}")
        elif tag == _BINARY:
            try:
                value = base64.b64decode(text.encode()).decode("latin-1")
            except (binascii.Error, ValueError):
                raise _fail(line, "!!binary value contains invalid base64 data") from None
        else:
            raise _fail(line, f"cannot decode {tag}")
        if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
            raise YamlError(f"{PREFIX}json: unsupported value: {text}")
        return value


def _problem(error: yaml.YAMLError) -> YamlError:
    if isinstance(error, yaml.reader.ReaderError):
        return YamlError(f"{PREFIX}yaml: {error.reason}")
    problem = getattr(error, "problem", None) or str(error) or "unknown problem parsing YAML content"
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        return YamlError(f"{PREFIX}yaml: {problem}")
    line = mark.line + (1 if isinstance(error, yaml.scanner.ScannerError) else 0)
    where = f"line {line}: " if line else ""
    return YamlError(f"{PREFIX}yaml: {where}{problem}")


def load_all(text: str | bytes, limit: int = MAX_BYTES) -> list[Any]:
    """Every document of a stream that is not empty; JSON is YAML too. Raises YamlError."""
    size = len(text)
    if size > limit:
        raise YamlError(f"{PREFIX}yaml: the text has {size} bytes, the limit is {limit}")
    found: list[Any] = []
    try:
        builder = _Builder(text)
        for number, document in enumerate(builder.documents()):
            if number >= MAX_DOCUMENTS:
                raise YamlError(f"{PREFIX}yaml: more than {MAX_DOCUMENTS} documents")
            if document is not None:
                found.append(document)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        if isinstance(error, UnicodeDecodeError):
            raise YamlError(f"{PREFIX}yaml: invalid UTF-8") from None
        raise _problem(error) from None
    return found


def load(text: str | bytes, limit: int = MAX_BYTES) -> Any:
    """The one document of a text; None when it is empty. Raises YamlError."""
    found = load_all(text, limit)
    if len(found) > 1:
        raise YamlError(f"{PREFIX}yaml: expected a single document, found {len(found)}")
    return found[0] if found else None


class _Dumper(yaml.CSafeDumper):
    """No aliases; lists stand under their key without indent, as kubectl prints them."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.CSafeDumper, value: str) -> Any:
    style = "|" if "\n" in value else None
    if style is None and (not value or _plain(value) is not value or _DATE.match(value)):
        style = '"'
    return dumper.represent_scalar(_STR, value, style=style)


_Dumper.add_representer(str, _text)
_Dumper.add_multi_representer(dict, yaml.CSafeDumper.represent_dict)
_Dumper.add_multi_representer(list, yaml.CSafeDumper.represent_list)


def dump(value: Any) -> str:
    """Block style, keys sorted, as ``kubectl -o yaml``."""
    return str(yaml.dump(value, Dumper=_Dumper, default_flow_style=False, sort_keys=True, allow_unicode=True))
