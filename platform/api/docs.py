"""The API's page for people: the OpenAPI document, told. No script, nothing from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Field:
    """A parameter, or a member of an object. `shape`: the object's name where its type is one of ours."""

    name: str
    type: str
    shape: str
    required: bool
    text: str


@dataclass(frozen=True)
class Outcome:
    """What comes back, or goes in, under a status or a content type."""

    name: str
    type: str
    shape: str


@dataclass(frozen=True)
class Operation:
    """One method of one address."""

    anchor: str
    method: str
    path: str
    text: str
    is_open: bool
    parameters: list[Field]
    bodies: list[Outcome]
    answers: list[Outcome]


@dataclass(frozen=True)
class Shape:
    """A named object and its members."""

    name: str
    text: str
    fields: list[Field]


def _shape_of(schema: dict[str, Any]) -> str:
    """The name of the object that this is, or that this is a list of; else nothing."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for key in ("allOf", "oneOf", "anyOf"):
        if len(schema.get(key, ())) == 1:
            return _shape_of(schema[key][0])
    return _shape_of(schema["items"]) if "items" in schema else ""


def _type_of(schema: dict[str, Any]) -> str:
    """The type in words, without the name that `_shape_of` gives."""
    if "items" in schema:
        inner = _shape_of(schema["items"]) or _type_of(schema["items"])
        return f"list of {inner}"
    if shape := _shape_of(schema):
        return shape
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    kind = str(schema.get("type", "any"))
    return f"{kind} ({schema['format']})" if "format" in schema else kind


def _fields(schema: dict[str, Any]) -> list[Field]:
    required = set(schema.get("required", ()))
    return [
        Field(name, _type_of(member), _shape_of(member), name in required, str(member.get("description", "")))
        for name, member in schema.get("properties", {}).items()
    ]


def _outcomes(content: dict[str, Any], status: str = "") -> list[Outcome]:
    return [
        Outcome(status or media, _type_of(found.get("schema", {})), _shape_of(found.get("schema", {})))
        for media, found in content.items()
    ]


def _operation(path: str, method: str, data: dict[str, Any]) -> Operation:
    parameters = [
        Field(
            given["name"], _type_of(given["schema"]), "", bool(given.get("required")),
            str(given.get("description", "")),
        )
        for given in data.get("parameters", ())
    ]  # fmt: skip
    answers: list[Outcome] = []
    for status, answer in data["responses"].items():
        answers += _outcomes(answer.get("content", {}), status) or [Outcome(status, "no content", "")]
    return Operation(
        anchor=data["operationId"],
        method=method.upper(),
        path=path,
        text=str(data.get("description", "")),
        is_open={} in data.get("security", ()),
        parameters=parameters,
        bodies=_outcomes(data.get("requestBody", {}).get("content", {})),
        answers=answers,
    )


@cache
def _told() -> tuple[list[Operation], list[Shape]]:
    """The document of this version: it changes with the code alone."""
    document = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    operations = [
        _operation(path, method, methods[method])
        for path, methods in document["paths"].items()
        if path.startswith("/api/v1/")
        for method in METHODS
        if method in methods
    ]
    shapes = [
        Shape(name, str(schema.get("description", "")), _fields(schema))
        for name, schema in document["components"]["schemas"].items()
        if "properties" in schema
    ]
    return operations, shapes


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """What the API takes and gives, and how to begin."""
    operations, shapes = _told()
    base = request.build_absolute_uri("/")
    known = {shape.name for shape in shapes}
    context = {"operations": operations, "shapes": shapes, "known": known, "base": base.rstrip("/")}
    return render(request, "api/docs.html", context)
