"""Finding by regular expressions.

Models k8s.io/apiserver/pkg/cel/library/regex.go.
"""

from __future__ import annotations

from cluster_engine.cel.library.function import Function, Overload
from cluster_engine.cel.library.standard import of_pattern
from cluster_engine.cel.regexes import pattern
from cluster_engine.cel.values import Value


def _find(text: str, regex: str) -> str:
    match = pattern(regex).search(text)
    return match.group() if match else ""


def _find_all(text: str, regex: str, limit: int = -1) -> list[str]:
    found: list[str] = []
    if limit == 0:
        return found
    for match in pattern(regex).finditer(text):
        found.append(match.group())
        if len(found) == limit:
            break
    return found


def _cost(*args: Value) -> int:
    return of_pattern(args[0], args[1])


FUNCTIONS = (
    Function("find", Overload("string_find_string", "string.(string) -> string", _find, _cost)),
    Function(
        "findAll",
        Overload("string_find_all_string", "string.(string) -> list(string)", _find_all, _cost),
        Overload("string_find_all_string_int", "string.(string, int) -> list(string)", _find_all, _cost),
    ),
)
"""One entry for each function."""
