"""Small steps of defaulting that share what they do not change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cluster_engine.apimachinery.cow import JSON


def mapped(items: list[Any], change: Callable[[Any], Any]) -> list[Any]:
    """The list with `change` applied; the same list when no item changed."""
    made = [change(item) for item in items]
    for old, new in zip(items, made, strict=True):
        if old is not new:
            return made
    return items


def default_env_source(source: JSON) -> JSON:
    """apiVersion of a fieldRef, divisor of a resourceFieldRef (both in downward API volumes, too), optional of a
    fileKeyRef."""
    reference = source.get("fieldRef")
    if reference is not None and not reference.get("apiVersion"):
        source = {**source, "fieldRef": {**reference, "apiVersion": "v1"}}
    reference = source.get("resourceFieldRef")
    if reference is not None and "divisor" not in reference:
        source = {**source, "resourceFieldRef": {**reference, "divisor": "0"}}
    reference = source.get("fileKeyRef")
    if reference is not None and reference.get("optional") is None:
        source = {**source, "fileKeyRef": {**reference, "optional": False}}
    return source
