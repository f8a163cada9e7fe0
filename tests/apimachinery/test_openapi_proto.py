"""The protobuf form of OpenAPI v2 says what its JSON says. Field numbers as in kubectl's own descriptor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from cluster_engine.api import KINDS
from cluster_engine.apimachinery import openapi, openapi_proto

PAIRS = {"name": 1, "value": 2}


def records(data: bytes) -> Iterator[tuple[int, Any]]:
    """(field number, value) of a message: an integer or bytes."""

    def varint(at: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            value, shift, at = value | (data[at] & 0x7F) << shift, shift + 7, at + 1
            if data[at - 1] < 0x80:
                return value, at

    at = 0
    while at < len(data):
        tag, at = varint(at)
        size, at = varint(at)
        if tag & 7 == 0:
            yield tag >> 3, size
        else:
            assert tag & 7 == 2
            yield tag >> 3, data[at : at + size]
            at += size


def one(data: bytes, number: int) -> Any:
    found = [value for field, value in records(data) if field == number]
    return found[0] if found else None


def entries(data: bytes, number: int) -> dict[str, bytes]:
    """A map's ``Named…`` entries."""
    found = [value for field, value in records(data) if field == number]
    return {one(entry, 1).decode(): one(entry, 2) or b"" for entry in found}


def schema(data: bytes) -> dict[str, Any]:
    """A ``Schema`` as JSON."""
    found: dict[str, Any] = {}
    texts = {1: "$ref", 2: "format", 3: "title", 4: "description", 13: "pattern"}
    for number, value in records(data):
        if number in texts:
            found[texts[number]] = value.decode()
        elif number == 5:
            found["default"] = orjson.loads(one(value, 2))
        elif number == 19:
            found.setdefault("required", []).append(value.decode())
        elif number == 20:
            found.setdefault("enum", []).append(orjson.loads(one(value, 2)))
        elif number == 21:
            inner = one(value, 1)
            found["additionalProperties"] = bool(one(value, 2)) if inner is None else schema(inner)
        elif number == 22:
            found["type"] = one(value, 1).decode()
        elif number == 23:
            found["items"] = schema(one(value, 1))
        elif number == 24:
            found.setdefault("allOf", []).append(schema(value))
        elif number == 25:
            found["properties"] = {name: schema(item) for name, item in entries(value, 1).items()}
        elif number == 31:
            found[one(value, 1).decode()] = orjson.loads(one(one(value, 2), 2))
        else:
            names = {11: "maxLength", 12: "minLength", 14: "maxItems", 15: "minItems", 16: "uniqueItems"}
            found[names[number]] = bool(value) if number == 16 else value
    return found


def test_definitions_and_paths_are_those_of_the_json() -> None:
    told = orjson.loads(openapi.v2_document(KINDS))
    data = openapi.v2_protobuf(KINDS)
    assert one(data, 1) == b"2.0"
    assert one(one(data, 2), 2).decode() == told["info"]["version"]
    definitions = entries(one(data, 9), 1)
    assert {name: schema(item) for name, item in definitions.items()} == told["definitions"]
    paths = entries(one(data, 8), 2)
    assert list(paths) == list(told["paths"])
    path = "/api/v1/namespaces/{namespace}/configmaps/{name}"
    wanted = told["paths"][path]["put"]
    put = one(paths[path], 3)
    assert one(put, 5).decode() == wanted["operationId"]
    assert orjson.loads(one(entries(put, 13)["x-kubernetes-action"], 2)) == "put"
    assert [value for number, value in records(put) if number == 7] == [b"*/*"]
    parameters = [one(value, 1) for number, value in records(put) if number == 8]
    query, body = one(one(parameters[0], 2), 3), one(parameters[-1], 1)
    assert [one(query, number) for number in (2, 4, 6)] == [b"query", b"dryRun", b"string"]
    assert schema(one(body, 5)) == wanted["parameters"][-1]["schema"]
    answers = entries(one(put, 9), 1)
    assert schema(one(one(one(answers["200"], 1), 2), 1)) == wanted["responses"]["200"]["schema"]
    shared = [one(value, 1) for number, value in records(paths[path]) if number == 9]
    in_path = one(one(shared[0], 2), 4)
    assert [one(in_path, number) for number in (1, 2, 4, 5)] == [1, b"path", b"name", b"string"]


SCHEMAS = {
    "numbers and patterns": {"type": "string", "maxLength": 300, "minLength": 1, "pattern": "^a$"},
    "lists": {
        "type": "array",
        "maxItems": 2,
        "minItems": 1,
        "uniqueItems": True,
        "items": {"type": "integer"},
    },
    "maps": {"type": "object", "additionalProperties": {"type": "string"}},
    "anything else": {"type": "object", "additionalProperties": False},
    "values": {"type": "string", "default": {"a": [1]}, "enum": ["a", "b"], "title": "T", "required": ["x"]},
    "extensions": {"x-kubernetes-map-type": "atomic", "x-kubernetes-list-map-keys": ["a", "b"]},
}


@pytest.mark.parametrize("value", SCHEMAS.values(), ids=SCHEMAS)
def test_a_schema(value: dict[str, Any]) -> None:
    data = openapi_proto.document({"definitions": {"d": value, "wild": {"oneOf": [{}]}}})
    assert {name: schema(item) for name, item in entries(one(data, 9), 1).items()} == {"d": value, "wild": {}}
