"""The fields that a definition's scale subresource names.

Models ValidateScaleSpec and ValidateScaleStatus in k8s.io/apiextensions-apiserver/pkg/registry/customresource and
the helpers of k8s.io/apimachinery/pkg/apis/meta/v1/unstructured that they read with.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, go_value, invalid_value
from cluster_engine.apimachinery.scheme import ScalePaths

_INT32 = (1 << 31) - 1
_TYPES = {bool: "bool", int: "int64", float: "float64", str: "string"}


def paths(scale: JSON | None) -> ScalePaths | None:
    """Of a version's ``subresources.scale``."""
    if scale is None:
        return None
    return ScalePaths(
        _fields(scale["specReplicasPath"]),
        _fields(scale["statusReplicasPath"]),
        _fields(scale.get("labelSelectorPath") or ""),
    )


def _fields(path: str) -> tuple[str, ...]:
    return tuple(path.removeprefix(".").split(".")) if path else ()


def check(obj: JSON, scale: ScalePaths | None) -> list[FieldError]:
    """What is wrong with the fields that a Scale shows."""
    if scale is None:
        return []
    return _check_count(obj, scale.spec_replicas) + check_status(obj, scale)


def check_status(obj: JSON, scale: ScalePaths | None) -> list[FieldError]:
    """The same of those in the status."""
    if scale is None:
        return []
    problems = _check_count(obj, scale.status_replicas)
    if scale.selector:
        _, why = _nested(obj, scale.selector, str)
        if why:
            problems.append(invalid_value(_shown(scale.selector), "", why))
    return problems


def _check_count(obj: JSON, path: tuple[str, ...]) -> list[FieldError]:
    found, why = _nested(obj, path, int)
    if why:
        return [invalid_value(_shown(path), 0, why)]
    if found is not None and found < 0:
        return [invalid_value(_shown(path), found, "should be a non-negative integer")]
    if found is not None and found > _INT32:
        return [invalid_value(_shown(path), found, f"should be less than or equal to {_INT32}")]
    return []


def _nested(obj: JSON, path: tuple[str, ...], kind: type) -> tuple[Any, str]:
    """The value at the path, None when there is none; and what is wrong with it."""
    found: Any = obj
    for at, name in enumerate(path):
        if not isinstance(found, dict):
            return None, _accessor_error(path[: at + 1], found, "map[string]interface{}")
        if name not in found:
            return None, ""
        found = found[name]
        if found is None and at + 1 < len(path):
            return None, ""
    if type(found) is not kind:
        return None, _accessor_error(path, found, _TYPES[kind])
    return found, ""


def _accessor_error(path: tuple[str, ...], found: Any, expected: str) -> str:
    given = _TYPES.get(
        type(found), "[]interface {}" if isinstance(found, list) else "map[string]interface {}"
    )
    shown = found if isinstance(found, str) else go_value(found)
    if found is None:
        given = shown = "<nil>"
    return f"{_shown(path)} accessor error: {shown} is of the type {given}, expected {expected}"


def _shown(path: tuple[str, ...]) -> str:
    return "." + ".".join(path)
