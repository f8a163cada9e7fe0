"""``with:`` other objects that a rule in CEL may name beside the ones that a check is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cluster_engine.component_helpers.shapes import Schema
from labs.kit.checking import View, missing
from labs.kit.checks.kind import KIND_NAME, LABELS, NAME, NAMESPACE, mapping

MAX_OTHERS = 8
"""Names under one ``with``."""

SCHEMA: Schema = {
    "type": "object",
    "maxProperties": MAX_OTHERS,
    "description": "names for rules in CEL: an object (with name) or a list of objects (without)",
    "additionalProperties": mapping(
        ("kind",),
        kind=KIND_NAME,
        name=NAME,
        namespace=NAMESPACE,
        labels=LABELS,
        fields={"type": "string", "description": "a field selector"},
    ),
}


@dataclass(frozen=True)
class Other:
    """One of them."""

    kind: str
    name: str = ""
    namespace: str = "default"
    labels: str = ""
    fields: str = ""

    def value(self, view: View) -> Any:
        """The object or the objects. Raises Fail when an object that is named is not there."""
        kind = view.kind(self.kind)
        if not self.name:
            namespace = None if self.namespace == "*" or not kind.namespaced else self.namespace
            return view.list(self.kind, namespace, self.labels, self.fields)
        found = view.get(self.kind, self.name, self.namespace)
        if found is None:
            raise missing(kind, self.name, self.namespace)
        return found


Others = tuple[tuple[str, Other], ...]


def of(data: dict[str, Any] | None) -> Others:
    """From data of the shape SCHEMA."""
    return tuple((name, Other(**other)) for name, other in (data or {}).items())


def names(others: Others) -> tuple[str, ...]:
    """The names that rules may use."""
    return tuple(name for name, _ in others)


def values(others: Others, view: View) -> dict[str, Any]:
    """What they stand for at this moment. Raises Fail."""
    return {name: other.value(view) for name, other in others}


def kinds(others: Others) -> tuple[str, ...]:
    """The kinds that they look at."""
    return tuple(other.kind for _, other in others)
