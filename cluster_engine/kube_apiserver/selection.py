"""Which objects a list, a watch or a deletecollection is about: namespace, labels, fields.

Models k8s.io/apiserver/pkg/storage/selection_predicate.go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cluster_engine.apimachinery import errors, fields, labels
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.scheme import Kind

_META_FIELDS = frozenset({"metadata.name", "metadata.namespace"})


class Readable(Protocol):
    """Where objects are read: the store, or what is computed instead (computed.py)."""

    @property
    def revision(self) -> int: ...

    def get(self, resource: str, key: str) -> JSON | None: ...

    def get_at(self, resource: str, key: str, revision: int) -> JSON | None: ...

    def range(self, resource: str, namespace: str | None = None) -> list[JSON]: ...

    def range_at(self, resource: str, revision: int, namespace: str | None = None) -> list[JSON]: ...


@dataclass(frozen=True, slots=True)
class Selection:
    """A compiled selection of one resource's objects."""

    kind: Kind
    namespace: str | None
    labels: labels.Selector
    fields: fields.FieldSelector
    everything: bool

    @classmethod
    def parse(
        cls, kind: Kind, namespace: str | None, label_selector: str = "", field_selector: str = ""
    ) -> Selection:
        """Raises ApiError 400 for selectors that cannot be read or that the kind does not know."""
        try:
            by_label = labels.parse_selector(label_selector)
        except labels.SelectorError as problem:
            raise errors.bad_request(
                f"unable to parse requirement: {problem}"
                if "unable to parse" not in str(problem)
                else str(problem)
            ) from problem
        try:
            by_field = fields.parse_field_selector(field_selector)
        except fields.FieldSelectorError as problem:
            raise errors.bad_request(str(problem)) from problem
        known = _META_FIELDS | set(kind.field_labels)
        unknown = fields.check_supported(by_field, known)
        if unknown is not None:
            raise errors.bad_request(
                f"field label not supported: {unknown}"
                if kind.field_labels
                else f'"{unknown}" is not a known field selector: only "metadata.name", "metadata.namespace"'
            )
        return cls(kind, namespace or None, by_label, by_field, by_label.empty and by_field.empty)

    def list(self, store: Readable, revision: int | None = None) -> list[JSON]:
        """The stored objects that are selected, in order of their keys; as they were at ``revision`` when given.

        Raises Compacted for a revision that is not kept any more.
        """
        resource = self.kind.group_resource
        name = None if self.everything else self.fields.exact("metadata.name")
        if name is not None and (self.namespace or not self.kind.namespaced):
            key = f"{self.namespace}/{name}" if self.namespace else name
            found = store.get(resource, key) if revision is None else store.get_at(resource, key, revision)
            candidates = [] if found is None else [found]
        elif revision is None:
            candidates = store.range(resource, self.namespace)
        else:
            candidates = store.range_at(resource, revision, self.namespace)
        if self.everything:
            return candidates
        return [obj for obj in candidates if self.selects(obj)]

    def matches(self, obj: JSON) -> bool:
        """Whether an object (of any namespace) is selected."""
        if self.namespace and obj["metadata"].get("namespace") != self.namespace:
            return False
        return self.everything or self.selects(obj)

    def selects(self, obj: JSON) -> bool:
        """Whether labels and fields match."""
        if not self.labels.empty and not self.labels.matches(obj["metadata"].get("labels")):
            return False
        return self.fields.empty or self.fields.matches(_getter(self.kind, obj))


def _getter(kind: Kind, obj: JSON) -> Callable[[str], str]:
    def field(label: str) -> str:
        if label == "metadata.name":
            return str(obj["metadata"]["name"])
        if label == "metadata.namespace":
            return str(obj["metadata"].get("namespace", ""))
        shown = kind.shown(obj) if kind.custom is not None and kind.custom.webhook is None else obj
        return kind.field_labels[label](shown)

    return field
