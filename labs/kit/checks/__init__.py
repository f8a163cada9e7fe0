"""Kinds of checks: one file each, listed in the table KINDS. A check in lab.yaml has exactly one of their keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cluster_engine.component_helpers.shapes import Schema
from labs.kit.checking import Judge, Reader
from labs.kit.checks import (
    always,
    between,
    can_i,
    changed,
    dns,
    event,
    exec,
    list,
    log,
    object,
    on_fork,
    python,
    request,
)
from labs.kit.checks.always import OnceJudge
from labs.kit.checks.kind import CheckKind, Context

KINDS: tuple[CheckKind, ...] = (
    object.KIND,
    list.KIND,
    request.KIND,
    dns.KIND,
    exec.KIND,
    can_i.KIND,
    event.KIND,
    log.KIND,
    on_fork.KIND,
    always.KIND,
    between.KIND,
    changed.KIND,
    python.KIND,
)
"""Every kind of check."""

_BY_KEY = {kind.key: kind for kind in KINDS}


def build(data: Mapping[str, Any], functions: Mapping[str, Callable[[Reader], None]]) -> Judge:
    """The judge of a check's data, which has one key of KINDS; ``sticky`` makes it enough to have held once.

    Raises ValueError: what was expected, and what was found.
    """

    def inner(nested: Mapping[str, Any]) -> Judge:
        return build(nested, functions)

    key = next(key for key in data if key in _BY_KEY)
    judge = _BY_KEY[key].build(data[key], Context(functions, inner))
    if data.get("sticky"):
        if not _BY_KEY[key].of_moments:
            raise ValueError(f"a check whose past can be asked ({', '.join(MOMENTS)}), found {key!r}")
        return OnceJudge(judge)
    return judge


MOMENTS = tuple(kind.key for kind in KINDS if kind.of_moments)
"""The kinds that can be asked of the past: what ``always``, ``between`` and ``sticky`` take."""
PAST = tuple(kind.key for kind in KINDS if kind.of_past)
"""The kinds that ask for the past themselves."""


def asks_past(data: Mapping[str, Any]) -> bool:
    """Whether a check's data, or those of a check that a copy is judged by, ask for the cluster's past."""
    return any(
        relives(each) or bool(each.get("sticky")) or any(key in each for key in PAST) for each in _all(data)
    )


def relives(data: Mapping[str, Any]) -> bool:
    """Whether the journal is needed: a moment of the past is lived again, to try something on it."""
    return any("at" in each.get(on_fork.KIND.key, ()) for each in _all(data))


def _all(data: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A check's data, and those of the checks that a copy is judged by."""
    yield data
    for each in data.get(on_fork.KIND.key, {}).get("then", ()):
        yield from _all(each)


def rules(kinds: tuple[CheckKind, ...]) -> Schema:
    """The schema of a mapping that has exactly one of the kinds' keys."""
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties(kinds),
        "oneOf": [{"required": [kind.key]} for kind in kinds],
    }


def properties(kinds: tuple[CheckKind, ...]) -> dict[str, Schema]:
    """The kinds' schemas by key."""
    return {kind.key: {"description": kind.about, **kind.schema} for kind in kinds}


DEFS: dict[str, Schema] = {
    "rule": rules(KINDS),
    "moment": rules(tuple(kind for kind in KINDS if kind.of_moments)),
}
"""What ``$ref`` in the kinds' schemas refers to."""
