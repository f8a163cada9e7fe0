"""nodeSelector and node affinity, compiled once and asked for many nodes.

Models k8s.io/component-helpers/scheduling/corev1/nodeaffinity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from cluster_engine.apimachinery.cow import JSON, get
from cluster_engine.apimachinery.labels import Requirement, SelectorError, new_requirement

_OPERATORS = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!", "Gt": "gt", "Lt": "lt"}
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_NAME = "metadata.name"


class Term(NamedTuple):
    """A node selector term: all of it must hold."""

    labels: tuple[Requirement, ...]
    fields: tuple[Requirement, ...]

    def matches(self, labels: Mapping[str, str], name: str) -> bool:
        """Whether a node with these labels and that name is meant."""
        return all(r.matches(labels) for r in self.labels) and all(
            r.matches({_NAME: name}) for r in self.fields
        )

    def names(self) -> set[str] | None:
        """The only nodes that can match because the term names them; None when it names none."""
        named = [set(r.values) for r in self.fields if r.key == _NAME and r.operator == "in"]
        return set.intersection(*named) if named else None


def _compile(term: JSON, path: str) -> Term | None:
    """The compiled term; None for an empty one, which matches no node. Raises SelectorError."""
    expressions, fields = term.get("matchExpressions") or (), term.get("matchFields") or ()
    if not expressions and not fields:
        return None
    return Term(
        _requirements(expressions, f"{path}.matchExpressions"), _requirements(fields, f"{path}.matchFields")
    )


def _requirements(expressions: Sequence[JSON], path: str) -> tuple[Requirement, ...]:
    found = []
    for index, expression in enumerate(expressions):
        operator = _OPERATORS.get(expression.get("operator") or "")
        where = f"{path}[{index}]"
        if operator is None:
            supported = ", ".join(f'"{name}"' for name in _OPERATORS)
            raise SelectorError(
                f'{where}.operator: Unsupported value: "{expression.get("operator") or ""}": '
                f"supported values: {supported}"
            )
        found.append(
            new_requirement(expression.get("key") or "", operator, expression.get("values") or (), where)
        )
    return tuple(found)


class RequiredNodeAffinity:
    """nodeSelector and required node affinity of one Pod spec together (GetRequiredNodeAffinity).

    A term that cannot be read matches no node.
    """

    __slots__ = ("_selector", "_terms")

    def __init__(self, spec: JSON) -> None:
        self._selector: dict[str, str] = spec.get("nodeSelector") or {}
        self._terms: tuple[Term, ...] | None = None
        required = get(spec, "affinity", "nodeAffinity", _REQUIRED)
        if required is not None:
            compiled = [_lenient(term) for term in required.get("nodeSelectorTerms") or ()]
            self._terms = tuple(term for term in compiled if term is not None)

    def __bool__(self) -> bool:
        """Whether anything is required at all."""
        return bool(self._selector) or self._terms is not None

    def matches(self, labels: Mapping[str, str], name: str) -> bool:
        """Whether a node with these labels and that name will do."""
        for key, value in self._selector.items():
            if labels.get(key) != value:
                return False
        return self._terms is None or any(term.matches(labels, name) for term in self._terms)

    def matches_node(self, node: JSON) -> bool:
        """Whether that Node object will do."""
        meta = node["metadata"]
        return self.matches(meta.get("labels") or {}, meta["name"])

    def names(self) -> set[str] | None:
        """The only nodes that can match because every term names some; None when a term names none."""
        if not self._terms:
            return None
        found: set[str] = set()
        for term in self._terms:
            named = term.names()
            if named is None:
                return None
            found |= named
        return found


def _lenient(term: JSON) -> Term | None:
    try:
        return _compile(term, "")
    except SelectorError:
        return None


def unreadable(affinity: JSON, path: str) -> list[str]:
    """What cannot be read in a nodeAffinity, with the path of each."""
    required = (affinity.get(_REQUIRED) or {}).get("nodeSelectorTerms") or ()
    places = [(term, f"{path}.{_REQUIRED}.nodeSelectorTerms[{index}]") for index, term in enumerate(required)]
    for index, item in enumerate(affinity.get(_PREFERRED) or ()):
        if item.get("weight"):
            places.append((item.get("preference") or {}, f"{path}.{_PREFERRED}[{index}]"))
    problems = []
    for term, where in places:
        try:
            _compile(term, where)
        except SelectorError as error:
            problems.append(str(error))
    return problems


class PreferredNodeAffinity:
    """The preferred terms with their weights. Raises SelectorError for a term that cannot be read."""

    __slots__ = ("_terms",)

    def __init__(self, spec: JSON) -> None:
        terms = []
        for index, item in enumerate(get(spec, "affinity", "nodeAffinity", _PREFERRED, default=())):
            weight = item.get("weight") or 0
            term = _compile(item.get("preference") or {}, f"[{index}]") if weight else None
            if term is not None:
                terms.append((term, weight))
        self._terms: tuple[tuple[Term, int], ...] = tuple(terms)

    def __bool__(self) -> bool:
        return bool(self._terms)

    def score(self, labels: Mapping[str, str], name: str) -> int:
        """The sum of the weights of the terms that match."""
        return sum(weight for term, weight in self._terms if term.matches(labels, name))
