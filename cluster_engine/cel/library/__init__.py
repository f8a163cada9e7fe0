"""The functions of the language, one entry each: what cel-go has and Kubernetes adds.

Models k8s.io/apiserver/pkg/cel/environment/base.go (compatibility version 1.37): the strings extension at version
2, lists at version 3, sets, two-variable comprehensions, optional types, and Kubernetes' own libraries.
``cel.bind`` is in none of them.
"""

from __future__ import annotations

from cluster_engine.cel.library import (
    authorizer,
    conversions,
    formats,
    jsonpatch,
    lists,
    network,
    optional,
    quantity,
    regex,
    semver,
    standard,
    strings,
    urls,
)
from cluster_engine.cel.library.function import Function

TABLES = (
    standard.FUNCTIONS,
    conversions.FUNCTIONS,
    optional.FUNCTIONS,
    strings.FUNCTIONS,
    lists.FUNCTIONS,
    regex.FUNCTIONS,
    urls.FUNCTIONS,
    quantity.FUNCTIONS,
    semver.FUNCTIONS,
    network.FUNCTIONS,
    formats.FUNCTIONS,
    authorizer.FUNCTIONS,
    jsonpatch.FUNCTIONS,
)
"""The libraries; what several of them have under one name is one function with the overloads of all."""


def _joined() -> dict[str, Function]:
    found: dict[str, Function] = {}
    for table in TABLES:
        for function in table:
            before = found.get(function.name)
            overloads = (*before.overloads, *function.overloads) if before else function.overloads
            found[function.name] = Function(function.name, *overloads, named=(before or function).named)
    return found


FUNCTIONS = _joined()
"""Every function by its name."""
