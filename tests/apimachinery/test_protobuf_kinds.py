"""Every kind that is served, with every field of its type: what a client sends in protobuf is read as its JSON is."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from cluster_engine.api import KINDS
from cluster_engine.apimachinery.decode import decode_as
from cluster_engine.apimachinery.protobuf import ProtobufError, decode
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
}
WITHOUT_NUMBERS = ("apiextensions.k8s.io", "apiregistration.k8s.io")
"""Groups whose protobuf form is not known here (docs/deviations.md)."""


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
SENT = {name: form for name, form in FORMS.items() if form.group not in WITHOUT_NUMBERS}


@pytest.mark.parametrize("form", SENT.values(), ids=SENT)
def test_a_kind_is_read_from_protobuf_as_from_json(form: Kind) -> None:
    node = type_of(form.api_version, form.kind)
    assert node is not None
    obj = {**filled(node), "apiVersion": form.api_version, "kind": form.kind}
    as_json = decode_as(node, obj).obj
    assert decode(protobuf(form.api_version, form.kind, obj)) == as_json
    assert len(as_json) > 2


REFUSED = {name: form for name, form in FORMS.items() if form.group in WITHOUT_NUMBERS}


@pytest.mark.parametrize("form", REFUSED.values(), ids=REFUSED)
def test_a_kind_whose_numbers_are_not_known_is_refused(form: Kind) -> None:
    with pytest.raises(ProtobufError, match=f'no kind "{form.kind}" is registered'):
        decode(protobuf(form.api_version, form.kind, {}))
