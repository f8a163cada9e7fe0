"""One test of `[[ … ]]`: files, texts, patterns, regular expressions, numbers."""

from __future__ import annotations

import re2

from cluster_engine.linux.sh import arithmetic, arrays, pattern
from cluster_engine.linux.sh.base import Usage
from cluster_engine.linux.sh.bash import BINARY
from cluster_engine.linux.sh.builtins import testing
from cluster_engine.linux.sh.errors import ShellError
from cluster_engine.linux.sh.shell import Shell
from cluster_engine.linux.text import characters, octets

_COUNTING = ("-eq", "-ne", "-lt", "-le", "-gt", "-ge")
MATCH = "BASH_REMATCH"
GROUPS = 100
"""Groups of a regular expression whose texts are kept."""


def holds(sh: Shell, operator: str, left: str, right: list[tuple[str, bool]]) -> bool:
    """Its value. ``right`` are segments, of which what is quoted means itself. Raises ShellError."""
    text = pattern.plain(right)
    match operator:
        case "":
            return left != ""
        case "=" | "==":
            return pattern.matches(right, left)
        case "!=":
            return not pattern.matches(right, left)
        case "=~":
            return _matches(sh, left, right)
        case "<":
            return left < text
        case ">":
            return left > text
        case "-v":
            name, _, index = left.rstrip("]").partition("[")
            return (arrays.value(sh, name, index) if index else sh.parameter(name)) is not None
        case _ if operator in _COUNTING:
            sides = [arithmetic.compiled(each)(sh) for each in (left, text)]
            return testing.compare(sides[0], operator, sides[1])
    words = [left, operator, text] if operator in BINARY else ["-e" if operator == "-a" else operator, left]
    try:
        return testing.Condition(words, sh.files, sh.is_terminal).evaluate()
    except Usage as error:
        raise ShellError(str(error)) from None


def _matches(sh: Shell, text: str, right: list[tuple[str, bool]]) -> bool:
    """`=~`; the groups go to BASH_REMATCH."""
    source = "".join(re2.escape(part) if quoted else part for part, quoted in right)
    if len(source) > pattern.MAX_PATTERN:
        raise ShellError("the regular expression is too long")
    found = pattern.regular(characters(source))
    if found is None:
        raise ShellError(f"{pattern.plain(right)}: invalid regular expression")
    sh.extra += 1 + len(text) // 256
    match = found.search(characters(text))
    groups = [] if match is None else [match.group(0), *match.groups()][:GROUPS]
    arrays.assign_all(sh, MATCH, [(None, octets(group or "")) for group in groups])
    return match is not None
