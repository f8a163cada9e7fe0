"""Label selectors: parsing the query form, compiling the object form, matching.

Models k8s.io/apimachinery/pkg/labels/selector.go and pkg/apis/meta/v1/helpers.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from cluster_engine.apimachinery.errors import invalid_value
from cluster_engine.apimachinery.validation import is_label_value, is_qualified_name

MAX_SELECTOR_LENGTH = 64 * 1024
"""Characters of one query selector; a longer one is refused before it is read."""

IN, NOT_IN, EQUALS, DOUBLE_EQUALS, NOT_EQUALS = "in", "notin", "=", "==", "!="
EXISTS, DOES_NOT_EXIST, GREATER, LESS = "exists", "!", "gt", "lt"
_BINARY = ", ".join((IN, NOT_IN, EQUALS, DOUBLE_EQUALS, NOT_EQUALS, GREATER, LESS))
_OBJECT_OPERATORS = {"In": IN, "NotIn": NOT_IN, "Exists": EXISTS, "DoesNotExist": DOES_NOT_EXIST}
_SYMBOLS = frozenset("=!(),><")
_SPACE = frozenset(" \t\r\n")
_OPERATOR_TOKENS = frozenset((IN, NOT_IN, EQUALS, DOUBLE_EQUALS, NOT_EQUALS, ">", "<"))
_TOKENS = frozenset((")", ",", "!", "==", "=", ">", "<", "!=", "("))
_IDENTIFIER, _END = "identifier", ""


class SelectorError(ValueError):
    """A selector that cannot be read; the text is upstream's."""


class Requirement(NamedTuple):
    """One condition on one label."""

    key: str
    operator: str
    values: tuple[str, ...]

    def matches(self, labels: Mapping[str, str]) -> bool:
        operator = self.operator
        value = labels.get(self.key)
        if operator in (IN, EQUALS, DOUBLE_EQUALS):
            return value is not None and value in self.values
        if operator in (NOT_IN, NOT_EQUALS):
            return value is None or value not in self.values
        if operator == EXISTS:
            return value is not None
        if operator == DOES_NOT_EXIST:
            return value is None
        number = _integer(value)
        if number is None:
            return False
        limit = int(self.values[0])
        return number > limit if operator == GREATER else number < limit

    def __str__(self) -> str:
        if self.operator == EXISTS:
            return self.key
        if self.operator == DOES_NOT_EXIST:
            return f"!{self.key}"
        if self.operator in (IN, NOT_IN):
            return f"{self.key} {self.operator} ({','.join(self.values)})"
        sign = {GREATER: ">", LESS: "<"}.get(self.operator, self.operator)
        return f"{self.key}{sign}{','.join(self.values)}"


class Selector:
    """A compiled selector. ``nothing`` selects no object at all (a null LabelSelector)."""

    __slots__ = ("_equal", "_others", "nothing", "requirements")

    def __init__(self, requirements: Iterable[Requirement] = (), nothing: bool = False) -> None:
        self.requirements = tuple(sorted(requirements, key=lambda requirement: requirement.key))
        self.nothing = nothing
        single = (IN, EQUALS, DOUBLE_EQUALS)
        self._equal = tuple(
            (r.key, r.values[0]) for r in self.requirements if r.operator in single and len(r.values) == 1
        )
        self._others = tuple(
            r for r in self.requirements if not (r.operator in single and len(r.values) == 1)
        )

    @property
    def empty(self) -> bool:
        """True when every object is selected."""
        return not self.requirements and not self.nothing

    def matches(self, labels: Mapping[str, str] | None) -> bool:
        if self.nothing:
            return False
        if labels is None:
            labels = {}
        for key, value in self._equal:
            if labels.get(key) != value:
                return False
        for requirement in self._others:  # noqa: SIM110 - the loop is half the price of all()
            if not requirement.matches(labels):
                return False
        return True

    def __str__(self) -> str:
        return ",".join(str(requirement) for requirement in self.requirements)


EVERYTHING = Selector()
NOTHING = Selector(nothing=True)


def _integer(text: str | None) -> int | None:
    if text is None or len(text) > 20 or not text.lstrip("+-").isdecimal() or not text.isascii():
        return None
    try:
        return int(text)
    except ValueError:
        return None


def new_requirement(key: str, operator: str, values: Sequence[str], path: str = "") -> Requirement:
    """A checked requirement (labels.NewRequirement)."""
    prefix = f"{path}." if path else ""
    if problems := is_qualified_name(key):
        raise SelectorError(str(invalid_value(f"{path}.key" if path else "<nil>", key, "; ".join(problems))))
    errors = []
    listed = list(values)
    if operator in (IN, NOT_IN):
        if not listed:
            detail = "for 'in', 'notin' operators, values set can't be empty"
            errors.append(invalid_value(f"{prefix}values", listed, detail))
    elif operator in (EQUALS, DOUBLE_EQUALS, NOT_EQUALS):
        if len(listed) != 1:
            detail = "exact-match compatibility requires one single value"
            errors.append(invalid_value(f"{prefix}values", listed, detail))
    elif operator in (EXISTS, DOES_NOT_EXIST):
        if listed:
            detail = "values set must be empty for exists and does not exist"
            errors.append(invalid_value(f"{prefix}values", listed, detail))
    elif len(listed) != 1:
        detail = "for 'Gt', 'Lt' operators, exactly one value is required"
        errors.append(invalid_value(f"{prefix}values", listed, detail))
    elif _integer(listed[0]) is None:
        detail = "for 'Gt', 'Lt' operators, the value must be an integer"
        errors.append(invalid_value(f"{prefix}values[0]", listed[0], detail))
    for index, value in enumerate(listed):
        if problems := is_label_value(value):
            errors.append(invalid_value(f"{prefix}values[{index}][{key}]", value, "; ".join(problems)))
    if errors:
        texts = [str(error) for error in errors]
        raise SelectorError(texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]")
    return Requirement(key, operator, tuple(listed))


def _scan(text: str) -> list[tuple[str, str]]:
    """(token, literal) pairs; identifiers carry the token ``identifier``, the end an empty one."""
    tokens: list[tuple[str, str]] = []
    at, end = 0, len(text)
    while at < end:
        char = text[at]
        if char in _SPACE:
            at += 1
        elif char in _SYMBOLS:
            # "!=" and "==" are one token each; any other run of symbols is read one symbol at a time.
            two = text[at : at + 2]
            token = two if two in _TOKENS else char
            tokens.append((token, token))
            at += len(token)
        else:
            start = at
            while at < end and text[at] not in _SYMBOLS and text[at] not in _SPACE:
                at += 1
            word = text[start:at]
            tokens.append((word if word in (IN, NOT_IN) else _IDENTIFIER, word))
    tokens.append((_END, ""))
    return tokens


class _Parser:
    """Recursive descent over the tokens; one pass, no backtracking."""

    def __init__(self, text: str) -> None:
        self.tokens = _scan(text)
        self.at = 0

    def look(self, values: bool = True) -> tuple[str, str]:
        token, literal = self.tokens[min(self.at, len(self.tokens) - 1)]
        if values and token in (IN, NOT_IN):
            token = _IDENTIFIER
        return token, literal

    def take(self, values: bool = True) -> tuple[str, str]:
        found = self.look(values)
        self.at += 1
        return found

    def parse(self) -> list[Requirement]:
        found: list[Requirement] = []
        while True:
            token, literal = self.look()
            if token == _END:
                return found
            if token not in (_IDENTIFIER, "!"):
                raise SelectorError(f"found '{literal}', expected: !, identifier, or 'end of string'")
            try:
                found.append(self.requirement())
            except SelectorError as error:
                raise SelectorError(f"unable to parse requirement: {error}") from None
            token, literal = self.take()
            if token == _END:
                return found
            if token != ",":
                raise SelectorError(f"found '{literal}', expected: ',' or 'end of string'")
            token, literal = self.look()
            if token not in (_IDENTIFIER, "!"):
                raise SelectorError(f"found '{literal}', expected: identifier after ','")

    def requirement(self) -> Requirement:
        token, key = self.take()
        negated = token == "!"
        if negated:
            token, key = self.take()
        if token != _IDENTIFIER:
            raise SelectorError(f"found '{key}', expected: identifier")
        if problems := is_qualified_name(key):
            raise SelectorError(str(invalid_value("<nil>", key, "; ".join(problems))))
        if negated or self.look()[0] in (_END, ","):
            return new_requirement(key, DOES_NOT_EXIST if negated else EXISTS, ())
        token, literal = self.take(values=False)
        if token not in _OPERATOR_TOKENS:
            raise SelectorError(f"found '{literal}', expected: {_BINARY}")
        if token in (IN, NOT_IN):
            return new_requirement(key, token, sorted(self.values()))
        operator = {">": GREATER, "<": LESS}.get(token, token)
        return new_requirement(key, operator, (self.exact_value(),))

    def values(self) -> set[str]:
        token, literal = self.take()
        if token != "(":
            raise SelectorError(f"found '{literal}' expected: '('")
        token, literal = self.look()
        if token == ")":
            self.take()
            return set()
        if token not in (_IDENTIFIER, ","):
            raise SelectorError(f"found '{literal}', expected: ',', ')' or identifier")
        found = self.identifiers()
        if self.take()[0] != ")":
            raise SelectorError(f"found '{literal}', expected: ')'")
        return found

    def identifiers(self) -> set[str]:
        found: set[str] = set()
        while True:
            token, literal = self.take()
            if token == _IDENTIFIER:
                found.add(literal)
                token, literal = self.look()
                if token == ")":
                    return found
                if token != ",":
                    raise SelectorError(f"found '{literal}', expected: ',' or ')'")
            elif token == ",":
                if not found:
                    found.add("")
                token = self.look()[0]
                if token == ")":
                    found.add("")
                    return found
                if token == ",":
                    self.take()
                    found.add("")
            else:
                raise SelectorError(f"found '{literal}', expected: ',', or identifier")

    def exact_value(self) -> str:
        if self.look()[0] in (_END, ","):
            return ""
        token, literal = self.take()
        if token != _IDENTIFIER:
            raise SelectorError(f"found '{literal}', expected: identifier")
        return literal


@lru_cache(maxsize=1024)
def parse_selector(text: str) -> Selector:
    """The selector of a ``labelSelector`` query parameter; empty text selects everything."""
    if len(text) > MAX_SELECTOR_LENGTH:
        raise SelectorError(f"selector is longer than {MAX_SELECTOR_LENGTH} characters")
    return Selector(_Parser(text).parse()) if text else EVERYTHING


def compile_selector(selector: Mapping[str, Any] | None) -> Selector:
    """The matcher of a metav1.LabelSelector: null selects nothing, an empty one everything."""
    if selector is None:
        return NOTHING
    expressions = selector.get("matchExpressions")
    return _compile(
        tuple((selector.get("matchLabels") or {}).items()),
        tuple((e.get("key", ""), e.get("operator", ""), tuple(e.get("values") or ())) for e in expressions)
        if expressions
        else (),
    )


@lru_cache(maxsize=4096)
def _compile(
    equal: tuple[tuple[str, str], ...], expressions: tuple[tuple[str, str, tuple[str, ...]], ...]
) -> Selector:
    requirements = [new_requirement(key, EQUALS, (value,)) for key, value in equal]
    for key, operator, values in expressions:
        ours = _OBJECT_OPERATORS.get(operator)
        if ours is None:
            raise SelectorError(f'"{operator}" is not a valid label selector operator')
        requirements.append(new_requirement(key, ours, sorted(values)))
    return Selector(requirements) if requirements else EVERYTHING


def selector_of_map(labels: Mapping[str, str] | None) -> Selector:
    """An equality selector as Services and ReplicationControllers have it; empty selects everything."""
    return _equality(tuple(labels.items())) if labels else EVERYTHING


@lru_cache(maxsize=4096)
def _equality(pairs: tuple[tuple[str, str], ...]) -> Selector:
    return Selector(Requirement(key, EQUALS, (value,)) for key, value in pairs)
