"""The shape of every built-in type, as a walkable tree.

Decoding, patches, field ownership, protobuf and ``kubectl explain`` all walk this tree. It is read from
``types.json`` (made by ``tools/schema_tables.py`` from the published OpenAPI definitions and Go types), one
type at a time, the first time that the type is met.

A tree is made of four kinds of node: ``Struct`` (named fields), ``Map`` (any names), ``List`` and ``Scalar``.
"""

from __future__ import annotations

from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any, ClassVar

import orjson

from cluster_engine.apimachinery.cow import JSON

SCALAR, STRUCT, MAP, LIST = 0, 1, 2, 3
"""Codes of ``Node.code``: comparing a small number is what the hot walkers do."""

_GO_NAMES = {
    "bytes": "[]uint8",
    "quantity": "resource.Quantity",
    "time": "v1.Time",
    "microtime": "v1.MicroTime",
    "duration": "v1.Duration",
    "intorstring": "intstr.IntOrString",
    "fields": "v1.FieldsV1",
    "raw": "runtime.RawExtension",
    "any": "interface {}",
    "json": "v1.JSON",
    "schemaorarray": "v1.JSONSchemaPropsOrArray",
    "schemaorbool": "v1.JSONSchemaPropsOrBool",
    "schemaorstrings": "v1.JSONSchemaPropsOrStringArray",
}
_ZERO_SCALARS: dict[str, Any] = {
    "string": "",
    "bool": False,
    "int": 0,
    "int32": 0,
    "int64": 0,
    "float64": 0,
    "quantity": "0",
    "intorstring": 0,
    "time": None,
    "microtime": None,
    "duration": "0s",
    "bytes": "",  # Go prints a nil []byte in a map as null, but etcd gives it back empty
}


class Node:
    """A place in a type's tree."""

    __slots__ = ("go",)
    code: ClassVar[int] = SCALAR

    def __init__(self, go: str) -> None:
        self.go = go
        """What Go calls the type, as its error messages print it."""

    @property
    def atomic(self) -> bool:
        """True when the value has one owner as a whole."""
        return True


class Scalar(Node):
    """A leaf: ``type`` is string, bool, int32, int64, float64, bytes, quantity, time, microtime, duration,
    intorstring, fields, raw (an embedded object) or any (untyped JSON)."""

    __slots__ = ("type",)

    def __init__(self, type: str, go: str = "") -> None:
        super().__init__(go or _GO_NAMES.get(type, type))
        self.type = type


class Map(Node):
    """A JSON object with free keys."""

    __slots__ = ("_atomic", "values")
    code = MAP

    def __init__(self, values: Node, go: str = "", atomic: bool = False) -> None:
        super().__init__(go or f"map[string]{values.go}")
        self.values = values
        self._atomic = atomic

    @property
    def atomic(self) -> bool:
        return self._atomic


class List(Node):
    """A list: ``type`` is atomic, set, or map (then ``keys`` name an item). ``patch_key`` and
    ``patch_strategy``
    steer strategic merge patches."""

    __slots__ = ("elements", "items", "key_defaults", "keys", "patch_key", "patch_strategy", "type")
    code = LIST

    def __init__(
        self,
        items: Node,
        go: str = "",
        type: str = "atomic",
        keys: tuple[str, ...] = (),
        patch_strategy: tuple[str, ...] = (),
        patch_key: str = "",
    ) -> None:
        super().__init__(go or f"[]{items.go}")
        self.items = items
        self.type = type
        self.keys = keys
        self.patch_strategy = patch_strategy
        self.patch_key = patch_key
        self.key_defaults: dict[str, Any] | None = None
        """Defaults of the keys of an item, read when first needed."""
        self.elements: dict[str, str] = {}
        """Path elements of items of one key, by its value: what ``typed.item_element`` remembers."""

    @property
    def atomic(self) -> bool:
        return self.type == "atomic"


class Field:
    """One field of a struct."""

    __slots__ = (
        "always",
        "default",
        "drop_empty",
        "name",
        "node",
        "number",
        "patch_strategy",
        "plain",
        "pointer",
        "present",
        "required",
        "scalar",
        "set_key",
    )

    def __init__(self, name: str, node: Node, number: int, flags: str, extra: JSON) -> None:
        self.name = name
        self.node = node
        self.number = number
        """Its number in the protobuf encoding; 0: none."""
        self.pointer = "*" in flags
        self.required = "r" in flags
        omit = "o" in flags
        struct = node.code == STRUCT or (isinstance(node, Scalar) and node.type in _ALWAYS_SCALARS)
        self.drop_empty = omit and not self.pointer and not (struct and "z" not in flags)
        """Go drops the zero value of this field when it prints JSON."""
        self.present = not self.drop_empty and (not omit or (struct and not self.pointer))
        """Go prints this field even when nobody set it, if only as null."""
        self.always = self.present and not self.pointer and node.code in (SCALAR, STRUCT)
        """… and prints a value that is worth keeping."""
        self.plain = _PLAIN.get(node.type) if isinstance(node, Scalar) else None
        """The Python type of a plain scalar: most fields are checked by this alone."""
        self.default = extra.get("default")
        self.patch_strategy = tuple(extra["strategy"].split(",")) if "strategy" in extra else ()
        self.scalar = node.code == SCALAR
        self.set_key = f"f:{name}"
        """The field's element in a field set."""


_PLAIN: dict[str, type] = {"string": str, "bool": bool, "int": int, "int32": int, "int64": int}
_ALWAYS_SCALARS = frozenset(("time", "microtime", "intorstring", "quantity", "raw", "duration"))
"""Go structs: omitempty does nothing for them."""


class Struct(Node):
    """A JSON object with known fields. ``fields`` is read when first needed, so a kind costs nothing until
    used."""

    __slots__ = ("__dict__", "_atomic", "_rows", "name")
    code = STRUCT

    def __init__(self, name: str, rows: JSON, go: str = "", atomic: bool = False) -> None:
        group, _, short = name.rpartition(".")
        super().__init__(go or f"{group.rpartition('.')[2] or 'v1'}.{short}")
        self.name = name
        self._rows = rows
        self._atomic = atomic

    @property
    def atomic(self) -> bool:
        return self._atomic

    @property
    def go_struct(self) -> str:
        """The bare name, as in ``Go struct field DeploymentSpec.…``."""
        return self.name.rpartition(".")[2]

    @cached_property
    def flat(self) -> bool:
        """Whether all its fields are scalars."""
        return all(field.scalar for field in self.fields.values())

    @cached_property
    def wholes(self) -> dict[tuple[str, ...], JSON]:
        """By the names that a value has: what ``typed.whole`` remembers of a flat struct."""
        return {}

    @cached_property
    def fields(self) -> dict[str, Field]:
        """JSON name → field; the fields of inlined structs stand among them."""
        found: dict[str, Field] = {}
        for name, row in self._rows.items():
            if name.startswith("<"):
                inlined = _type(row[1])
                assert isinstance(inlined, Struct)
                found.update(inlined.fields)
            else:
                extra = row[3] if len(row) > 3 else {}
                found[name] = Field(name, _node(row[1], extra), row[0], row[2], extra)
        return found

    @cached_property
    def inlined(self) -> tuple[tuple[int, Struct], ...]:
        """(protobuf number, struct) of every inlined struct that protobuf has a field for."""
        found = []
        for name, row in self._rows.items():
            if name.startswith("<") and row[0]:
                inner = _type(row[1])
                assert isinstance(inner, Struct)
                found.append((row[0], inner))
        return tuple(found)

    @cached_property
    def own_fields(self) -> tuple[Field, ...]:
        """The fields that are not inlined from another struct."""
        fields = self.fields
        return tuple(fields[name] for name in self._rows if not name.startswith("<"))

    @cached_property
    def always(self) -> tuple[tuple[str, Any], ...]:
        """(field, zero value) of the fields that Go prints even when nobody set them."""
        return tuple((f.name, zero(f.node)) for f in self.fields.values() if f.always)

    @cached_property
    def zero(self) -> JSON:
        """What an empty Go value of this type prints as. Shared: never change it."""
        return dict(self.always)


class OpenStruct(Struct):
    """A struct of a custom resource: its fields are given as nodes."""

    def __init__(self, name: str, fields: dict[str, Field], go: str = "", atomic: bool = False) -> None:
        super().__init__(name, {}, go, atomic)
        self.__dict__["fields"] = fields
        self.__dict__["own_fields"] = tuple(fields.values())


UNTYPED = Scalar("any")


def zero(node: Node) -> Any:
    """The Go zero value of a node, as JSON."""
    if isinstance(node, Struct):
        return node.zero
    if isinstance(node, Scalar):
        return _ZERO_SCALARS.get(node.type)
    return None


# ---- the tables ------------------------------------------------------------------------------------------


@cache
def _tables() -> JSON:
    tables: JSON = orjson.loads((Path(__file__).parent / "types.json").read_bytes())
    tables["atomic"] = frozenset(tables["atomic"])
    return tables


@cache
def _type(text: str) -> Node:
    """The node of a type as types.json writes it."""
    base, _, go = text.partition("=")
    if base.startswith("[]"):
        return List(_type(base[2:]), go)
    if base.startswith("{}"):
        return Map(_type(base[2:]), go)
    tables = _tables()
    rows = tables["types"].get(base)
    if rows is not None:
        return Struct(base, rows, atomic=base in tables["atomic"])
    return Scalar(base, go)


def _node(text: str, extra: JSON) -> Node:
    """The node of one field: its type with what only the field says about it."""
    node = _type(text)
    if not extra:
        return node
    strategy = tuple(extra["strategy"].split(",")) if "strategy" in extra else ()
    if isinstance(node, List):
        kind = extra.get("list", "atomic")
        return List(node.items, node.go, kind, tuple(extra.get("keys", ())), strategy, extra.get("key", ""))
    if extra.get("atomic"):
        if isinstance(node, Map):
            return Map(node.values, node.go, atomic=True)
        if isinstance(node, Struct) and not node.atomic:
            return Struct(node.name, node._rows, node.go, atomic=True)
    return node


_META_KINDS = frozenset(
    (
        "APIGroup",
        "APIResourceList",
        "CreateOptions",
        "DeleteOptions",
        "GetOptions",
        "ListOptions",
        "PatchOptions",
        "Status",
        "UpdateOptions",
        "PartialObjectMetadata",
        "PartialObjectMetadataList",
        "List",
    )
)


@cache
def type_of(api_version: str, kind: str) -> Struct | None:
    """The type of a kind, such as ("apps/v1", "Deployment"); None when it is not built in."""
    group, _, version = api_version.rpartition("/")
    tables = _tables()
    name = tables["kinds"].get(f"{group}/{version}/{kind}")
    if name is None and kind in _META_KINDS:
        name = f"meta.v1.{kind}"
    if name is None or name not in tables["types"]:
        return None
    node = _type(name)
    assert isinstance(node, Struct)
    return node


def struct_named(name: str) -> Struct:
    """The type of this name in types.json, such as ``core.v1.PodSpec``; KeyError when there is none."""
    node = _type(name)
    if not isinstance(node, Struct):
        raise KeyError(name)
    return node


@cache
def object_meta() -> Struct:
    return struct_named("meta.v1.ObjectMeta")


# ---- custom resources ------------------------------------------------------------------------------------

MAX_CUSTOM_DEPTH = 64
"""Levels of a custom schema that are read; what is deeper is untyped."""
_PRESERVED = "x-kubernetes-preserve-unknown-fields"
_EMBEDDED = "x-kubernetes-embedded-resource"


def custom_type(schema: JSON, kind: str = "CustomResource") -> Struct:
    """The type of a custom resource, from its OpenAPI v3 schema."""
    return OpenStruct(f"custom.{kind}", _custom_fields(schema, 0))


class _OpenFields(dict[str, Field]):
    """The fields of an object that keeps what its schema does not name: those are untyped."""

    def get(self, name: str, default: Any = None) -> Field:
        return dict.get(self, name) or _untyped_field(name)


@lru_cache(maxsize=4096)
def _untyped_field(name: str) -> Field:
    return Field(name, UNTYPED_DEDUCED, 0, "*o", {})


def _meta_fields() -> dict[str, Field]:
    return {
        "apiVersion": Field("apiVersion", Scalar("string"), 0, "o", {}),
        "kind": Field("kind", Scalar("string"), 0, "o", {}),
        "metadata": Field("metadata", object_meta(), 0, "*o", {}),
    }


def _custom_fields(schema: JSON, depth: int) -> dict[str, Field]:
    found: dict[str, Field] = _OpenFields() if schema.get(_PRESERVED) else {}
    for name, child in (schema.get("properties") or {}).items():
        found[name] = Field(name, _custom_node(child, depth + 1), 0, "*o", {"default": child.get("default")})
    if depth == 0 or schema.get(_EMBEDDED):
        found.update(_meta_fields())
    return found


def _custom_node(schema: JSON, depth: int) -> Node:
    if depth > MAX_CUSTOM_DEPTH:
        return UNTYPED
    if schema.get("x-kubernetes-int-or-string"):
        return Scalar("intorstring")
    kind = schema.get("type")
    atomic = schema.get("x-kubernetes-map-type") == "atomic"
    if kind == "array":
        return List(
            _custom_node(schema.get("items") or {}, depth + 1),
            type=schema.get("x-kubernetes-list-type", "atomic"),
            keys=tuple(schema.get("x-kubernetes-list-map-keys") or ()),
        )
    if kind == "object" or "properties" in schema:
        values = schema.get("additionalProperties")
        if isinstance(values, dict):
            return Map(_custom_node(values, depth + 1), atomic=atomic)
        if "properties" in schema or schema.get(_EMBEDDED):
            return OpenStruct("custom.object", _custom_fields(schema, depth), atomic=atomic)
        return Map(UNTYPED_DEDUCED, atomic=atomic) if not atomic else UNTYPED
    if kind == "integer":
        return Scalar("int32" if schema.get("format") == "int32" else "int64")
    return Scalar({"boolean": "bool", "number": "float64", "string": "string"}.get(kind or "", "any"))


class _Deduced(Map):
    """Untyped JSON: objects merge by key, lists are atomic (structured-merge-diff's deduced type)."""

    __slots__ = ()

    def __init__(self) -> None:
        Node.__init__(self, "interface {}")
        self.values = self
        self._atomic = False


UNTYPED_DEDUCED: Map = _Deduced()
"""For custom resources without a usable schema."""
