"""What can be wrong with an expression, with cel-go's texts.

Models common/error.go and common/errors.go of cel-go.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

MAX_ISSUES = 100
"""Issues that one compilation reports; the rest is counted only."""

MAX_SNIPPET = 16_384
"""Bytes of a line that is still shown below an issue."""


class Issue(NamedTuple):
    """One thing that is wrong, at a place (code points from the start of the source)."""

    at: int
    message: str


class CelFault(Exception):
    """Base of all errors of this room."""


class CelCompileError(CelFault):
    """An expression that cannot be compiled; ``str()`` is what an API server prints after "compilation failed: "."""

    def __init__(self, source: str, issues: Sequence[Issue]) -> None:
        self.issues = tuple(issues)
        super().__init__(
            "\n".join(render(source, issue) for issue in sorted(issues, key=_place)[:MAX_ISSUES])
        )


class CelSyntaxError(CelCompileError):
    """The text is no CEL."""


class CelTypeError(CelCompileError):
    """The text is CEL, but names or types do not fit."""


class CelError(CelFault):
    """An expression that failed while it was evaluated: no such key, overflow, no such overload."""


class CelCostError(CelError):
    """An evaluation that cost more than its limit. It is never absorbed by ``&&`` and ``||``."""


def too_expensive() -> CelCostError:
    """The error of an evaluation above its limit."""
    return CelCostError("operation cancelled: actual cost limit exceeded")


def _place(issue: Issue) -> int:
    return issue.at


def position(source: str, at: int) -> tuple[int, int]:
    """(line from 1, column from 0) of a place in the source."""
    before = source[:at]
    return before.count("\n") + 1, at - (before.rfind("\n") + 1)


def render(source: str, issue: Issue) -> str:
    """``ERROR: <input>:1:5: message`` with the line and a caret below."""
    line, column = position(source, issue.at)
    lines = source.split("\n")
    text = f"ERROR: <input>:{line}:{column + 1}: {issue.message}"
    if line > len(lines) or len(lines[line - 1].encode("utf-8", "replace")) > MAX_SNIPPET:
        return text
    snippet = lines[line - 1].replace("\t", " ")
    dots = "".join("．" if ord(char) > 127 else "." for char in snippet[:column])
    caret = "＾" if column < len(snippet) and ord(snippet[column]) > 127 else "^"
    return f"{text}\n | {snippet}\n | {dots}{caret}"
