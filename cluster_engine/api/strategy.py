"""What the strategies of most kinds have in common: status apart from spec, generation counts spec changes.

Models the PrepareForCreate and PrepareForUpdate methods in pkg/registry/<group>/<kind>/strategy.go.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.apimachinery.cow import JSON


def same(a: Any, b: Any) -> bool:
    """Semantic equality: an empty field equals a missing one (apiequality.Semantic.DeepEqual)."""
    if a is b or a == b:
        return True
    if isinstance(a, dict) and isinstance(b, dict):
        return all(same(a.get(name), b.get(name)) for name in a.keys() | b.keys())
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return _empty(a) and _empty(b)


def _empty(value: Any) -> bool:
    return value is None or value in ({}, [])


def with_generation(obj: JSON, generation: int) -> JSON:
    """The object with metadata.generation set."""
    return {**obj, "metadata": {**obj["metadata"], "generation": generation}}


def without_status(obj: JSON) -> JSON:
    """The object as a create takes it: a status that the client sent is dropped."""
    if "status" not in obj:
        return obj
    return {name: value for name, value in obj.items() if name != "status"}


def create_spec(obj: JSON) -> JSON:
    """PrepareForCreate of kinds with spec, status and generation. An empty status is shown as {}."""
    return {**obj, "metadata": {**obj["metadata"], "generation": 1}, "status": {}}


def keep_status(new: JSON, old: JSON) -> JSON:
    """The new object with the stored status."""
    status = old.get("status")
    if status is None:
        return without_status(new)
    return new if new.get("status") is status else {**new, "status": status}


def update_spec(new: JSON, old: JSON) -> JSON:
    """PrepareForUpdate: the status stays, a changed spec counts one generation more."""
    return next_generation(keep_status(new, old), old)


def first_generation(obj: JSON) -> JSON:
    """PrepareForCreate of kinds with a generation and no status."""
    return with_generation(obj, 1)


def next_generation(new: JSON, old: JSON) -> JSON:
    """PrepareForUpdate of kinds with a generation: a changed spec counts one more."""
    if same(new.get("spec"), old.get("spec")):
        return new
    return with_generation(new, old["metadata"].get("generation", 0) + 1)


def update_status(new: JSON, old: JSON) -> JSON:
    """PrepareForUpdate of the status subresource: only the status (and annotations) may change."""
    spec = old.get("spec")
    if spec is not None and new.get("spec") is not spec:
        new = {**new, "spec": spec}
    return keep_labels(new, old)


def keep_labels(new: JSON, old: JSON) -> JSON:
    """The new object with the stored labels."""
    labels = old["metadata"].get("labels")
    meta = new["metadata"]
    if meta.get("labels") is labels:
        return new
    if labels is None:
        return {**new, "metadata": {name: value for name, value in meta.items() if name != "labels"}}
    return {**new, "metadata": {**meta, "labels": labels}}
