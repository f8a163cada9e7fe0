"""What the course covers of what it is to teach: ``labs/coverage.yaml`` and the course make ``docs/coverage.md``.

A lesson or a lab stands beside a part when its text has the part's words. That is coarse: it finds what
nobody speaks of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import re2

from cluster_engine.component_helpers.shapes import Schema, problems
from labs.kit import located
from labs.kit.catalog import Course, Lesson
from labs.kit.lab import Lab
from labs.kit.words import LANGUAGES

MAX_LABS = 4
"""Labs that one cell names."""
LESSONS_ISSUE = "D"
"""The issue that brings lessons and labs."""

_TEXT: Schema = {"type": "string", "pattern": r"\S", "description": "text"}
_ISSUE: Schema = {"type": "string", "pattern": "^[A-Z]$", "description": "the letter of an issue"}
_PART: Schema = {
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {
        "name": _TEXT,
        "words": {"type": "string", "format": "regex"},
        "engine": {"type": "array", "minItems": 1, "items": _TEXT, "description": "paths"},
        "issue": _ISSUE,
    },
}
_HEADING: Schema = {
    "type": "object",
    "required": ["heading", "lesson", "parts"],
    "additionalProperties": False,
    "properties": {
        "heading": _TEXT,
        "lesson": _TEXT,
        "parts": {"type": "array", "minItems": 1, "items": _PART, "description": "a list of parts"},
    },
}
SCHEMA: Schema = {
    "type": "object",
    "required": ["headings"],
    "additionalProperties": False,
    "properties": {"headings": {"type": "array", "minItems": 1, "items": _HEADING, "description": "a list"}},
}

HEAD = """\
# What the course covers

Made by `manage.py lab coverage` from `labs/coverage.yaml` and the course. A lesson or a lab stands in a row when its
text has the words of that part. An open cell names the issue that closes it; at a dash the engine has nothing to do.
"""


@dataclass(frozen=True)
class Row:
    """One part of a heading, and where it is found."""

    name: str
    lessons: tuple[str, ...]
    """Slugs of the lessons that speak of it, the heading's own first."""
    labs: tuple[str, ...]
    """Slugs of the labs that use it, those of the heading's lesson first."""
    engine: tuple[str, ...]
    issue: str
    """The issue that brings what the engine lacks; empty when it lacks nothing."""


def read(text: str, name: str) -> list[dict[str, Any]]:
    """The headings of the list. Raises CatalogError."""
    found = located.read(text, name)
    wrong = list(problems(SCHEMA, found.data))
    if wrong:
        raise found.error(wrong)
    headings: list[dict[str, Any]] = found.data["headings"]
    return headings


def rows(course: Course, heading: dict[str, Any]) -> list[Row]:
    """The rows of one heading."""
    own = heading["lesson"]
    lessons = sorted(course.lessons, key=lambda lesson: lesson.slug != own)
    labs = sorted(course.labs, key=lambda lab: lab.lesson_slug != own)
    found = []
    for part in heading["parts"]:
        words = re2.compile(part.get("words", re2.escape(part["name"])))
        found.append(
            Row(
                part["name"],
                tuple(lesson.slug for lesson in lessons if words.search(_said(lesson))),
                tuple(lab.slug for lab in labs if words.search(_done(lab))),
                tuple(part.get("engine", ())),
                part.get("issue", ""),
            )
        )
    return found


def _said(lesson: Lesson) -> str:
    return lesson.body[LANGUAGES[0]]


def _done(lab: Lab) -> str:
    hints = [hint[LANGUAGES[0]] for check in lab.checks for hint in check.hints]
    return "\n".join([lab.instructions[LANGUAGES[0]], lab.setup, *hints, *lab.solutions.values()])


def markdown(course: Course, headings: list[dict[str, Any]]) -> str:
    """The page."""
    counts: Counter[str] = Counter()
    parts = []
    for heading in headings:
        table = [f"\n## {heading['heading']}\n", "| Part | Lesson | Labs | Engine |", "|---|---|---|---|"]
        for row in rows(course, heading):
            cells = _cells(course, row)
            counts["cells"] += len(cells)
            counts["open"] += sum("open:" in cell for cell in cells)
            table.append(f"| {row.name} | {' | '.join(cells)} |")
        parts.append("\n".join(table) + "\n")
    told = f"\n{counts['cells'] - counts['open']} of {counts['cells']} cells are filled; open: {counts['open']}.\n"
    return HEAD + told + "".join(parts)


def _cells(course: Course, row: Row) -> tuple[str, str, str]:
    open_here = f"open: issue {LESSONS_ISSUE}"
    lesson = _links((slug, f"{course.lesson(slug).folder}/lesson.en.md") for slug in row.lessons[:1])
    labs = _links((slug, f"{course.lab(slug).folder}/lab.en.md") for slug in row.labs[:MAX_LABS])
    engine = ", ".join(f"[{path.removeprefix('cluster_engine/')}](../{path})" for path in row.engine)
    missing = f"open: issue {row.issue}" if row.issue else ""
    return lesson or open_here, labs or open_here, "; ".join(filter(None, (engine, missing))) or "–"


def _links(found: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"[{slug}](../labs/{path})" for slug, path in found)
