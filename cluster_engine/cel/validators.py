"""Literals that must be good: durations, times and regular expressions are read when an expression is compiled.

Models cel/validator.go of cel-go (ASTValidators).
"""

from __future__ import annotations

from cluster_engine.cel import regexes
from cluster_engine.cel.checker import Checked
from cluster_engine.cel.errors import CelError, CelTypeError, Issue
from cluster_engine.cel.syntax import Call, Literal
from cluster_engine.cel.times import read_duration, read_timestamp


def _good(function: str, text: str) -> bool:
    try:
        if function == "matches":
            regexes.pattern(text)
            return True
        return (read_duration if function == "duration" else read_timestamp)(text) is not None
    except CelError:
        return False


def validate(checked: Checked) -> None:
    """Raises CelTypeError for a literal argument that can never be good."""
    issues: list[Issue] = []
    for node in checked.types:
        if not isinstance(node, Call) or node.function not in ("duration", "timestamp", "matches"):
            continue
        last = node.args[-1] if node.args else None
        if isinstance(last, Literal) and isinstance(last.value, str) and not _good(node.function, last.value):
            issues.append(Issue(last.at, f"invalid {node.function} argument"))
    if issues:
        raise CelTypeError(checked.source, issues)
