"""``python``: a function of the lab's check.py, for what data cannot say."""

from __future__ import annotations

from typing import Any

from labs.kit.checking import Function, Judge
from labs.kit.checks.kind import CheckKind, Context


def _build(data: Any, context: Context) -> Judge:
    if data not in context.functions:
        known = ", ".join(sorted(context.functions)) or "none"
        raise ValueError(f"a function of check.py ({known}), found {data!r}")
    return Function(context.functions[data])


KIND = CheckKind(
    "python",
    "A function of the lab's check.py, for what data cannot say.",
    {
        "type": "string",
        "pattern": "^[a-z][a-z0-9_]*$",
        "description": "the name of a function in check.py",
    },
    _build,
)
