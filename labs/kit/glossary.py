"""The words of the course, ``glossary.yaml``: what each is called in each language, and what it means in a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from cluster_engine.component_helpers.shapes import Schema, problems
from labs.kit import located
from labs.kit.catalog import ROOT
from labs.kit.words import LANGUAGES, Text

TERMS = 300
"""Terms that a glossary holds at most."""

_TEXT: Schema = {"type": "string", "pattern": r"\S", "description": "text"}
_SLUG: Schema = {"type": "string", "pattern": r"^[a-z0-9-]+$", "description": "lower-case words with dashes"}
_WORDS: Schema = {
    "type": "object",
    "required": ["term", "text"],
    "additionalProperties": False,
    "properties": {
        "term": _TEXT,
        "text": _TEXT,
        "also": {"type": "array", "items": _TEXT, "description": "a list"},
    },
}
_TERMS: Schema = {
    "type": "array",
    "maxItems": TERMS,
    "description": "a list of terms",
    "items": {
        "type": "object",
        "required": ["id", "lesson", *LANGUAGES],
        "additionalProperties": False,
        "properties": {"id": _SLUG, "lesson": _SLUG, **dict.fromkeys(LANGUAGES, _WORDS)},
    },
}
_SCHEMA: Schema = {
    "type": "object",
    "required": ["terms"],
    "additionalProperties": False,
    "properties": {"terms": _TERMS},
}


@dataclass(frozen=True, eq=False)
class Term:
    """One word of the course."""

    id: str
    lesson: str
    """The slug of the lesson that teaches it."""
    name: Text
    text: Text
    forms: dict[str, tuple[str, ...]]
    """By language: how texts write it."""


def read(text: str, name: str) -> tuple[Term, ...]:
    """The terms of a file, in its order. Raises CatalogError."""
    found = located.read(text, name)
    wrong = list(problems(_SCHEMA, found.data))
    if wrong:
        raise found.error(wrong)
    return tuple(_term(item) for item in found.data["terms"])


def _term(item: dict[str, Any]) -> Term:
    return Term(
        id=item["id"],
        lesson=item["lesson"],
        name={language: item[language]["term"] for language in LANGUAGES},
        text={language: item[language]["text"] for language in LANGUAGES},
        forms={language: (item[language]["term"], *item[language].get("also", ())) for language in LANGUAGES},
    )


@cache
def load() -> tuple[Term, ...]:
    """The terms that ship with the course."""
    path = ROOT / "glossary.yaml"
    return read(path.read_text(encoding="utf-8"), path.name)


class Finder:
    """Finds the first use of each term in the texts that it is shown, one after the other."""

    def __init__(self, terms: tuple[Term, ...], language: str) -> None:
        self._pattern, self._terms = _pattern(terms, language)
        self._left = {term.id for term in terms}

    def uses(self, text: str) -> Iterator[tuple[int, int, Term]]:
        """(from, to, term) of each use in the text that is the first one, in order."""
        for match in self._pattern.finditer(text):
            term = self._terms[int(str(match.lastgroup)[1:])]
            if term.id in self._left:
                self._left.discard(term.id)
                yield match.start(), match.end(), term


@cache
def _pattern(terms: tuple[Term, ...], language: str) -> tuple[re.Pattern[str], dict[int, Term]]:
    """One expression for all forms, the longest first, with a group for each."""
    forms = sorted(
        ((form, term) for term in terms for form in term.forms[language]), key=lambda each: -len(each[0])
    )
    parts = [f"(?P<g{number}>{_expression(form)})" for number, (form, _term) in enumerate(forms)]
    return re.compile("|".join(parts)), {number: term for number, (_form, term) in enumerate(forms)}


def _expression(form: str) -> str:
    """A word in Latin letters stands alone, may begin with a capital and may be a plural; others stand anywhere."""
    if not form.isascii():
        return re.escape(form) + "(?!（tag）)"
    first = f"[{form[0]}{form[0].upper()}]" if form[0].islower() else re.escape(form[0])
    return rf"(?<![\w-]){first}{re.escape(form[1:])}s?(?![\w-])"
