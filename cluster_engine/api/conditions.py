"""Conditions as the newer kinds have them (metav1.Condition): what is wrong with a list of them.

Models k8s.io/apimachinery/pkg/apis/meta/v1/validation (ValidateConditions).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import (
    FieldError,
    duplicate,
    invalid_value,
    not_supported,
    required,
    too_long,
)
from cluster_engine.apimachinery.validation import regex_error, validate_label_name

_STATUSES = ("False", "True", "Unknown")
_REASON = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?"
_reason = re.compile(_REASON)
_REASON_ERROR = regex_error(
    "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric "
    "characters or '_,:', and must end with an alphanumeric character or '_'",
    _REASON,
    "my_name",
    "MY_NAME",
    "MyName",
    "ReasonA,ReasonB",
    "ReasonA:ReasonB",
)
_REASON_LENGTH, _MESSAGE_LENGTH = 1024, 32 * 1024


def check_conditions(conditions: Sequence[JSON], path: str) -> list[FieldError]:
    """What is wrong with each, and those whose type came before."""
    problems: list[FieldError] = []
    seen: list[str] = []
    for index, condition in enumerate(conditions):
        type_ = condition.get("type") or ""
        if type_ in seen:
            problems.append(duplicate(f"{path}[{index}].type", type_))
        seen.append(type_)
        problems += _check(condition, f"{path}[{index}]")
    return problems


def _check(condition: JSON, path: str) -> list[FieldError]:
    problems = validate_label_name(condition.get("type") or "", f"{path}.type")
    status, reason = condition.get("status") or "", condition.get("reason") or ""
    if status not in _STATUSES:
        problems.append(not_supported(f"{path}.status", status, _STATUSES))
    observed = condition.get("observedGeneration") or 0
    if observed < 0:
        text = "must be greater than or equal to zero"
        problems.append(invalid_value(f"{path}.observedGeneration", observed, text))
    if not condition.get("lastTransitionTime"):
        problems.append(required(f"{path}.lastTransitionTime", "must be set"))
    if not reason:
        problems.append(required(f"{path}.reason", "must be set"))
    elif not _reason.fullmatch(reason):
        problems.append(invalid_value(f"{path}.reason", reason, _REASON_ERROR))
    if len(reason.encode()) > _REASON_LENGTH:
        problems.append(too_long(f"{path}.reason", "", _REASON_LENGTH))
    if len((condition.get("message") or "").encode()) > _MESSAGE_LENGTH:
        problems.append(too_long(f"{path}.message", "", _MESSAGE_LENGTH))
    return problems
