"""Checks on file system paths in a Pod's spec.

Models pkg/apis/core/validation (validatePathNoBacksteps, validateLocalDescendingPath).
"""

from __future__ import annotations

from cluster_engine.apimachinery.errors import FieldError, invalid_value

_BACKSTEP = "must not contain '..'"


def check_no_backsteps(target: str, path: str) -> list[FieldError]:
    """No part of the path may be '..'."""
    if ".." in target.split("/"):
        return [invalid_value(path, target, _BACKSTEP)]
    return []


def check_descending(target: str, path: str) -> list[FieldError]:
    """The path must be relative and must not leave its directory."""
    problems = []
    if target.startswith("/"):
        problems.append(invalid_value(path, target, "must be a relative path"))
    return problems + check_no_backsteps(target, path)


def check_no_leading_backsteps(target: str, path: str) -> list[FieldError]:
    """A file name inside a volume must not start with '..' (validateLocalNonReservedPath)."""
    problems = check_descending(target, path)
    if target.startswith("..") and not target.startswith("../"):
        problems.append(invalid_value(path, target, "must not start with '..'"))
    return problems
