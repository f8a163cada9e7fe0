"""Regular expressions: RE2's, compiled once, in time that grows with the text only."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

from cluster_engine.cel.errors import CelError

MAX_PROGRAM = 1 << 18
"""Bytes of one compiled pattern."""


_GO_WORDS = {
    "missing )": "missing closing )",
    "missing ]": "missing closing ]",
    "bad repetition operator": "invalid nested repetition operator",
    "no argument for repetition operator": "missing argument to repetition operator",
    "invalid repetition size": "invalid repeat count",
    "invalid named capture group": "invalid named capture",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "pattern too large - compile failed": "expression too large",
}
"""RE2's words for a mistake, and those of Go's regexp."""


def _options() -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MAX_PROGRAM
    return options


_OPTIONS = _options()


@lru_cache(maxsize=128)
def pattern(text: str) -> Any:
    """The compiled pattern. Raises CelError with Go's words."""
    try:
        return re2.compile(text, _OPTIONS)
    except re2.error as error:
        raise CelError(f"error parsing regexp: {_reason(error, text)}") from None


def _reason(error: Exception, text: str) -> str:
    said = error.args[0] if error.args else ""
    what, colon, part = (said.decode() if isinstance(said, bytes) else str(said)).partition(": ")
    return f"{_GO_WORDS.get(what, what)}: `{part if colon else text}`"


def search(text: str, regex: str) -> bool:
    """Whether the pattern matches somewhere in the text. Raises CelError for a bad pattern."""
    return pattern(regex).search(text) is not None
