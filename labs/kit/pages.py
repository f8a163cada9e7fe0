"""A lab's words in one language: ``lab.<language>.md``, YAML between two lines of ``---``, then the instructions.

---
title: Declare a Deployment
summary: …
objectives: [Read a refusal, …]
learned: [You can …, …]
stretch: …
checks:
  accepted: {title: …, hints: [where to look, what to think of, how it is written]}
says: {ready: "{count} ready replicas"}
---
What stands before the first step.

## Read a refusal {#refusal}
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from cluster_engine.component_helpers.shapes import Schema, problems
from labs.kit import located
from labs.kit.located import CatalogError, Located
from labs.kit.source import CourseSource
from labs.kit.words import LANGUAGES

HINTS = 3
"""Of each check: where to look, what to think of, how it is written."""

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")
_HEADING = re.compile(r"^## +(.+?) *\{#([a-z0-9-]+)\} *$", re.MULTILINE)
_ANY_HEADING = re.compile(r"^## .*$", re.MULTILINE)
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)

_TEXT: Schema = {"type": "string", "pattern": r"\S", "description": "text"}
_TEXTS: Schema = {"type": "array", "minItems": 1, "items": _TEXT, "description": "a list of sentences"}
_WORDS: Schema = {
    "type": "object",
    "required": ["title", "hints"],
    "additionalProperties": False,
    "properties": {"title": _TEXT, "hints": _TEXTS, "expected": _TEXT, "found": _TEXT},
}

SCHEMA: Schema = {
    "type": "object",
    "required": ["title", "summary", "objectives", "learned", "checks"],
    "additionalProperties": False,
    "properties": {
        "title": _TEXT,
        "summary": _TEXT,
        "objectives": _TEXTS,
        "learned": _TEXTS,
        "stretch": _TEXT,
        "checks": {"type": "object", "additionalProperties": _WORDS},
        "says": {"type": "object", "additionalProperties": _TEXT},
    },
}


@dataclass(frozen=True)
class Section:
    """One step's text."""

    id: str
    title: str
    body: str
    line: int


@dataclass(frozen=True)
class Page:
    """One language of a lab."""

    front: Located
    intro: str
    sections: tuple[Section, ...]

    @property
    def markdown(self) -> str:
        """The whole instructions, without the steps' ids."""
        parts = [self.intro, *(f"## {section.title}\n\n{section.body}" for section in self.sections)]
        return "\n\n".join(part for part in parts if part) + "\n"


def places(source: CourseSource, folder: str, stem: str) -> dict[str, str]:
    """Where the words are, by language: ``lab.<language>.md``. Those of the course come first, there or not.

    Any other language is one more file. Raises CatalogError for a name that is no language.
    """
    found = {language: f"{folder}/{stem}.{language}.md" for language in LANGUAGES}
    for path in source.under(folder):
        name = path.removeprefix(f"{folder}/")
        if name.startswith(f"{stem}.") and name.endswith(".md") and "/" not in name:
            language = name.removeprefix(f"{stem}.").removesuffix(".md")
            if not _LANGUAGE.fullmatch(language):
                raise CatalogError(
                    f"{source.shown(path)}: expected a language in lower case, such as `de`, found {language!r}"
                )
            found.setdefault(language, path)
    return found


def split(text: str, name: str) -> tuple[Located, str, int]:
    """The YAML before the text, the text, and the line on which it begins. Raises CatalogError."""
    if not text.startswith("---\n"):
        raise CatalogError(f"{name}:1: expected a line `---` that begins the front matter")
    head, mark, body = text[4:].partition("\n---\n")
    if not mark:
        raise CatalogError(f"{name}:1: expected a line `---` that ends the front matter, found none")
    return located.read(head + "\n", name, 2), body, head.count("\n") + 4


def read(text: str, name: str) -> Page:
    """The page. Raises CatalogError."""
    front, body, first = split(text, name)
    wrong = list(problems(SCHEMA, front.data))
    if wrong:
        raise front.error(wrong)
    blank = _FENCED.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), body)  # a # in a script is no heading
    for heading in _ANY_HEADING.finditer(blank):
        if _HEADING.fullmatch(heading[0]) is None:
            line = first + body.count("\n", 0, heading.start())
            raise CatalogError(
                f"{name}:{line}: expected a step like `## Title {{#id}}`, found {heading[0]!r}"
            )
    found = list(_HEADING.finditer(blank))
    ends = [match.start() for match in found[1:]] + [len(body)]
    sections = tuple(
        Section(
            match[2],
            body[match.start(1) : match.end(1)],
            body[match.end() : end].strip("\n"),
            first + body.count("\n", 0, match.start()),
        )
        for match, end in zip(found, ends, strict=True)
    )
    intro = body[: found[0].start()] if found else body
    return Page(front, intro.strip("\n"), sections)


def words(page: Page, check: str) -> dict[str, Any]:
    """The texts of one check; empty when there are none."""
    found: dict[str, Any] = page.front.data["checks"].get(check, {})
    return found
