"""What exams ask for and which lessons teach it, ``curricula.yaml``: honest about what the course does not cover."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from cluster_engine.component_helpers.shapes import Schema, problems
from labs.kit import located
from labs.kit.catalog import ROOT
from labs.kit.words import LANGUAGES, Text

_TEXT: Schema = {"type": "string", "pattern": r"\S", "description": "text"}
_IN_ALL: dict[str, Schema] = dict.fromkeys(LANGUAGES, _TEXT)
_LIST: Schema = {"type": "array", "description": "a list"}
_TOPIC: Schema = {
    "type": "object",
    "required": [*LANGUAGES, "lessons"],
    "additionalProperties": False,
    "properties": {**_IN_ALL, "lessons": {**_LIST, "items": _TEXT}, "partly": {"type": "boolean"}},
}
_DOMAIN: Schema = {
    "type": "object",
    "required": ["weight", "name", "topics"],
    "additionalProperties": False,
    "properties": {
        "weight": {"type": "integer", "minimum": 1, "maximum": 100},
        "name": {"type": "object", "required": list(LANGUAGES), "properties": _IN_ALL},
        "topics": {**_LIST, "minItems": 1, "items": _TOPIC},
    },
}
_EXAM: Schema = {
    "type": "object",
    "required": ["id", "name", "domains"],
    "additionalProperties": False,
    "properties": {"id": _TEXT, "name": _TEXT, "domains": {**_LIST, "items": _DOMAIN}},
}
_SCHEMA: Schema = {
    "type": "object",
    "required": ["exams"],
    "additionalProperties": False,
    "properties": {"exams": {**_LIST, "items": _EXAM}},
}


@dataclass(frozen=True)
class Topic:
    """Something that an exam asks for, and the slugs of the lessons that teach it."""

    name: Text
    lessons: tuple[str, ...]
    partly: bool

    @property
    def covered(self) -> Literal["yes", "partly", "no"]:
        """Whether the course teaches it."""
        if not self.lessons:
            return "no"
        return "partly" if self.partly else "yes"


@dataclass(frozen=True)
class Domain:
    """A part of an exam; ``weight`` is its percent."""

    weight: int
    name: Text
    topics: tuple[Topic, ...]


@dataclass(frozen=True)
class Exam:
    """One exam."""

    id: str
    name: str
    domains: tuple[Domain, ...]


def read(text: str, name: str) -> tuple[Exam, ...]:
    """The exams of a file. Raises CatalogError."""
    found = located.read(text, name)
    wrong = list(problems(_SCHEMA, found.data))
    if wrong:
        raise found.error(wrong)
    return tuple(
        Exam(each["id"], each["name"], tuple(_domain(domain) for domain in each["domains"]))
        for each in found.data["exams"]
    )


def _domain(data: dict[str, Any]) -> Domain:
    topics = tuple(
        Topic(
            {language: each[language] for language in LANGUAGES},
            tuple(each["lessons"]),
            each.get("partly", False),
        )
        for each in data["topics"]
    )
    return Domain(data["weight"], dict(data["name"]), topics)


@cache
def load() -> tuple[Exam, ...]:
    """The exams that ship with the course."""
    path = ROOT / "curricula.yaml"
    return read(path.read_text(encoding="utf-8"), path.name)
