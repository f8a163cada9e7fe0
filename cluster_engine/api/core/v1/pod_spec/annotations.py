"""Checks on the annotations that mean something to Pods.

Models pkg/apis/core/validation (ValidatePodSpecificAnnotations).
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, invalid_value

_MIRROR = "kubernetes.io/config.mirror"
_DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_INT32 = range(-(2**31), 2**31)


def check_pod_annotations(annotations: JSON, spec: JSON, path: str) -> list[FieldError]:
    """Mirror Pods name their node; a deletion cost is a plain 32 bit number."""
    problems = []
    if _MIRROR in annotations and not spec.get("nodeName"):
        text = f"must set spec.nodeName if mirror pod annotation is set: {annotations[_MIRROR]}"
        problems.append(invalid_value(f"{path}[{_MIRROR}]", annotations[_MIRROR], text))
    cost = annotations.get(_DELETION_COST)
    if cost is not None and not _is_int32(cost):
        problems.append(invalid_value(f"{path}[{_DELETION_COST}]", cost, "must be a 32bit integer"))
    return problems


def _is_int32(text: str) -> bool:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 10:
        return False
    if digits != "0" and (digits.startswith("0") or text.startswith("+")):
        return False
    return text != "-0" and int(text) in _INT32
