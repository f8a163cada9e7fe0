"""Checks on metadata and other fields that every kind shares.

Models pkg/apis/core/validation (ValidateObjectMeta, ValidateImmutableField, ValidateNonnegativeField).
"""

from __future__ import annotations

from typing import Any, Literal

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, invalid_value
from cluster_engine.apimachinery.validation import validate_object_meta, validate_standard_finalizers

from .strategy import same

NameRule = Literal["subdomain", "label", "label1035", "path_segment", "ip"]

IMMUTABLE = "field is immutable"
NOT_NEGATIVE = "must be greater than or equal to 0"


def check_meta(obj: JSON, *, namespaced: bool = True, name_rule: NameRule = "subdomain") -> list[FieldError]:
    """What is wrong with the metadata of a built-in kind on create; the server checks it itself on update."""
    meta = obj["metadata"]
    problems = validate_object_meta(meta, namespaced=namespaced, name_rule=name_rule)
    if finalizers := meta.get("finalizers"):
        problems += validate_standard_finalizers(finalizers, "metadata.finalizers")
    return problems


def check_immutable(new: Any, old: Any, path: str) -> list[FieldError]:
    """A field that no update may change."""
    if same(new, old):
        return []
    return [invalid_value(path, new, IMMUTABLE)]


def check_not_negative(value: int | None, path: str) -> list[FieldError]:
    """A count must be 0 or more; a missing one is 0."""
    if value is None or value >= 0:
        return []
    return [invalid_value(path, value, NOT_NEGATIVE)]
