"""Every kind that is served, with every field of its type: what a client sends in protobuf is read as its JSON is."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from cluster_engine.api import KINDS
from cluster_engine.apimachinery.decode import decode_as
from cluster_engine.apimachinery.protobuf import MAX_DEPTH, ProtobufError, decode
from cluster_engine.apimachinery.schema import List, Map, Node, Scalar, Struct, type_of
from cluster_engine.apimachinery.scheme import Kind
from tests.soak.random_objects import protobuf

DEPTH = 12
"""Levels to which a type is filled; those that hold themselves go no deeper."""
SCALARS: dict[str, Any] = {
    "string": "text",
    "bool": True,
    "int32": 7,
    "int64": 1 << 40,
    "int": 3,
    "float64": 0.5,
    "bytes": base64.b64encode(b"\x00\xff").decode(),
    "quantity": "1Gi",
    "time": "2026-01-01T00:00:00Z",
    "microtime": "2026-01-01T00:00:00.000000Z",
    "intorstring": "50%",
    "raw": {"a": 1},
    "fields": {"a": 1},
    "duration": "1s",
    "json": ["any", {"a": None}, 0.5],
    "schemaorarray": [{"type": "string"}, {"type": "integer"}],
    "schemaorbool": {"type": "string"},
    "schemaorstrings": ["a", "b"],
}


def filled(node: Node, above: tuple[str, ...] = ()) -> Any:
    """A value of the type with all that it can hold."""
    if isinstance(node, Scalar):
        return SCALARS[node.type]
    if isinstance(node, List):
        return [filled(node.items, above)]
    if isinstance(node, Map):
        return {"key": filled(node.values, above)}
    assert isinstance(node, Struct)
    if node.name in above or len(above) > DEPTH:
        return {}
    deeper = (*above, node.name)
    # What an object within another one calls itself is not told in protobuf.
    untold = {"apiVersion", "kind"} if "metadata" in node.fields else set()
    return {
        name: filled(field.node, deeper)
        for name, field in node.fields.items()
        if name not in untold and told(field.node)
    }


def told(node: Node) -> bool:
    """Whether the value has a form in protobuf: an alpha field whose type nobody publishes has none."""
    inner = node.items if isinstance(node, List) else node
    return not (isinstance(inner, Scalar) and inner.type == "any")


FORMS = {f"{form.api_version} {form.kind}": form for kind in KINDS for form in kind.forms}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_kind_is_read_from_protobuf_as_from_json(form: Kind) -> None:
    node = type_of(form.api_version, form.kind)
    assert node is not None
    obj = {**filled(node), "apiVersion": form.api_version, "kind": form.kind}
    as_json = decode_as(node, obj).obj
    assert decode(protobuf(form.api_version, form.kind, obj)) == as_json
    assert len(as_json) > 2


# ---- schemas of custom resources, byte for byte ----------------------------------------------------------


def varint(value: int) -> bytes:
    return bytes([value]) if value < 128 else bytes([value & 127 | 128, value >> 7])


def part(number: int, *inside: bytes) -> bytes:
    """A field with what is in it."""
    body = b"".join(inside)
    return varint(number << 3 | 2) + varint(len(body)) + body


def flag(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


ENVELOPE = part(1, part(1, b"apiextensions.k8s.io/v1"), part(2, b"CustomResourceDefinition"))
TEXT, COUNT = part(5, b"string"), part(5, b"integer")
"""A schema that says its type."""
SCHEMAS: dict[str, tuple[bytes, dict[str, Any]]] = {
    # id: the bytes of a JSONSchemaProps as its generated.proto numbers them, the same in JSON
    "a type": (TEXT, {"type": "string"}),
    "what Go writes of what nobody set": (
        part(1) + part(2) + part(4) + TEXT + part(6) + part(7) + flag(10, 0) + flag(12, 0) + part(15) + flag(18, 0)
        + flag(37, 0) + flag(39, 0) + flag(40, 0),
        {"type": "string"},
    ),
    "a default": (part(8, part(1, b'{"a":[1,null]}')), {"default": {"a": [1, None]}}),
    "a text by default": (part(8, part(1, b'"x"')), {"default": "x"}),
    "an enum": (part(20, part(1, b'"a"')) + part(20, part(1, b"1")), {"enum": ["a", 1]}),
    "a number": (b"\x49" + bytes(6) + b"\xe0\x3f", {"maximum": 0.5}),
    "a length of nothing": (flag(13, 0), {"maxLength": 0}),
    "items": (part(24, part(1, TEXT)), {"items": {"type": "string"}}),
    "items, each another": (
        part(24, part(2, TEXT), part(2, COUNT)), {"items": [{"type": "string"}, {"type": "integer"}]}
    ),
    "properties": (
        part(29, part(1, b"a"), part(2, part(24, part(1, COUNT)))),
        {"properties": {"a": {"items": {"type": "integer"}}}},
    ),
    "others allowed": (part(30, flag(1, 1)), {"additionalProperties": True}),
    "others not allowed": (part(30, flag(1, 0)), {"additionalProperties": False}),
    "others of a type": (part(30, flag(1, 1), part(2, TEXT)), {"additionalProperties": {"type": "string"}}),
    "names that it needs": (part(32, part(1, b"a"), part(2, part(2, b"b"))), {"dependencies": {"a": ["b"]}}),
    "a schema that it needs": (
        part(32, part(1, b"a"), part(2, part(1, TEXT))), {"dependencies": {"a": {"type": "string"}}}
    ),
    "unknown fields kept": (flag(38, 1), {"x-kubernetes-preserve-unknown-fields": True}),
    "unknown fields, said not to be": (flag(38, 0), {"x-kubernetes-preserve-unknown-fields": False}),
    "a number or a text": (flag(40, 1), {"x-kubernetes-int-or-string": True}),
    "a set": (part(42, b"set"), {"x-kubernetes-list-type": "set"}),
    "a rule": (
        part(44, part(1, b"self > 0"), part(3, b"'no'"), part(4, b"FieldValueInvalid"), part(5, b".a"), flag(6, 1)),
        {"x-kubernetes-validations": [{
            "rule": "self > 0", "messageExpression": "'no'", "reason": "FieldValueInvalid", "fieldPath": ".a",
            "optionalOldSelf": True,
        }]},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("data", "schema"), SCHEMAS.values(), ids=SCHEMAS)
def test_schemas(data: bytes, schema: dict[str, Any]) -> None:
    """Field numbers of k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1/generated.proto."""
    version = part(1, b"v1") + flag(2, 1) + flag(3, 1) + part(4, part(1, data)) + part(5, part(1))
    found = decode(b"k8s\x00" + ENVELOPE + part(2, part(2, part(7, version))))
    [made] = found["spec"]["versions"]
    assert made == {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}},
    }


def test_schemas_nest_no_deeper_than_messages() -> None:
    data = TEXT
    for _ in range(MAX_DEPTH):
        data = part(24, part(1, data))
    with pytest.raises(ProtobufError, match="nests deeper than 100 levels"):
        decode(b"k8s\x00" + ENVELOPE + part(2, part(2, part(7, part(4, part(1, data))))))
