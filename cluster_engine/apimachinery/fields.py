"""Field selectors: ``metadata.name=a,spec.nodeName!=b``.

Models k8s.io/apimachinery/pkg/fields/selector.go.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from functools import lru_cache
from typing import NamedTuple

MAX_SELECTOR_LENGTH = 64 * 1024
_ESCAPES = {"\\\\": "\\", "\\,": ",", "\\=": "="}


class FieldSelectorError(ValueError):
    """A field selector that cannot be read; the text is upstream's."""


class FieldRequirement(NamedTuple):
    field: str
    operator: str
    value: str


class FieldSelector:
    """A conjunction of equalities and inequalities on named fields."""

    __slots__ = ("requirements",)

    def __init__(self, requirements: tuple[FieldRequirement, ...] = ()) -> None:
        self.requirements = requirements

    @property
    def empty(self) -> bool:
        return not self.requirements

    def matches(self, get: Callable[[str], str]) -> bool:
        """Whether the fields, read through ``get(label)``, satisfy all requirements."""
        for field, operator, value in self.requirements:  # noqa: SIM110
            if (get(field) == value) != (operator == "="):
                return False
        return True

    def exact(self, field: str) -> str | None:
        """The value that ``field`` must equal, if the selector says so."""
        for name, operator, value in self.requirements:
            if name == field and operator == "=":
                return value
        return None

    def __str__(self) -> str:
        return ",".join(f"{f}{o}{escape(v)}" for f, o, v in self.requirements)


EVERYTHING = FieldSelector()


def escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")


def _unescape(text: str) -> str:
    if "\\" not in text and "," not in text and "=" not in text:
        return text
    out: list[str] = []
    at = 0
    while at < len(text):
        char = text[at]
        if char == "\\":
            pair = text[at : at + 2]
            if pair not in _ESCAPES:
                raise FieldSelectorError(f"invalid field selector: invalid escape sequence: {pair}")
            out.append(_ESCAPES[pair])
            at += 2
            continue
        if char in ",=":
            raise FieldSelectorError(f"invalid field selector: unescaped character in value: {char}")
        out.append(char)
        at += 1
    return "".join(out)


def _split_terms(text: str) -> list[str]:
    terms: list[str] = []
    start = at = 0
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == ",":
            terms.append(text[start:at])
            start = at + 1
        at += 1
    terms.append(text[start:])
    return terms


def _split_term(term: str) -> tuple[str, str, str] | None:
    for at in range(len(term)):
        for operator in ("!=", "==", "="):
            if term.startswith(operator, at):
                return term[:at], operator, term[at + len(operator) :]
    return None


@lru_cache(maxsize=1024)
def parse_field_selector(text: str) -> FieldSelector:
    """The selector of a ``fieldSelector`` query parameter; empty text selects everything."""
    if len(text) > MAX_SELECTOR_LENGTH:
        raise FieldSelectorError(f"selector is longer than {MAX_SELECTOR_LENGTH} characters")
    found: list[FieldRequirement] = []
    for term in _split_terms(text):
        if not term:
            continue
        parts = _split_term(term)
        if parts is None:
            raise FieldSelectorError(f"invalid selector: '{text}'; can't understand '{term}'")
        field, operator, value = parts
        found.append(FieldRequirement(field, "!=" if operator == "!=" else "=", _unescape(value)))
    return FieldSelector(tuple(found)) if found else EVERYTHING


def check_supported(selector: FieldSelector, supported: Container[str]) -> str | None:
    """The first label of the selector that the kind does not index, or None."""
    for field, _, _ in selector.requirements:
        if field not in supported:
            return field
    return None
