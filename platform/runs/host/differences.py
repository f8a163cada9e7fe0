"""What a write changed of an object, as few short lines: what a reader looks for first, upkeep left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypedDict

TOLD = 3
"""Differences that are told in a line."""
SHOWN = 60
"""Characters of a value."""
DEEP = 24
"""Levels that are looked into; what lies below changes as a whole."""

UPKEEP = frozenset(
    {
        "managedFields", "resourceVersion", "generation", "observedGeneration", "creationTimestamp", "uid",
        "lastTransitionTime", "lastProbeTime", "lastUpdateTime", "lastHeartbeatTime", "startTime", "startedAt",
        "finishedAt", "containerID", "imageID", "hostIPs", "podIPs", "hostIP", "allocatedResources",
    }
)  # fmt: skip
"""Fields that say when and by whom, never what."""
NAMES = ("name", "type", "key", "uid", "ip")
"""What tells the items of a list apart, the first that all of them have."""
FIRST = (
    "metadata.deletionTimestamp", "spec.", "data.", "metadata.labels", "metadata.annotations",
    "metadata.ownerReferences", "metadata.finalizers", "status.phase",
    "status.conditions[Ready]", "status.conditions", "status.",
)  # fmt: skip
"""What is told before what, by how its path begins; the rest comes last."""


class Difference(TypedDict):
    """One field; a value that is not there is ""."""

    path: str
    before: str
    after: str


def differences(before: Mapping[str, Any], after: Mapping[str, Any], most: int = TOLD) -> list[Difference]:
    """The differences that say most, `most` of them."""
    found = [
        Difference(path=path, before=_text(old), after=_text(new))
        for path, old, new in _walk("", before, after, DEEP)
    ]
    return sorted(found, key=lambda each: _rank(each["path"]))[:most]


def _rank(path: str) -> int:
    return next((place for place, start in enumerate(FIRST) if path.startswith(start)), len(FIRST))


def _walk(path: str, before: Any, after: Any, deep: int) -> Iterator[tuple[str, Any, Any]]:
    if before is after or before == after:
        return
    if (summary := _summary_of(path)) is not None:
        if summary(before or {}) != summary(after or {}):
            yield path, summary(before or {}), summary(after or {})
        return
    if deep and isinstance(before, dict | None) and isinstance(after, dict | None):
        one, other = before or {}, after or {}
        for key in sorted({*one, *other} - UPKEEP):
            yield from _walk(f"{path}.{key}" if path else key, one.get(key), other.get(key), deep - 1)
        return
    if deep and isinstance(before, list | None) and isinstance(after, list | None):
        named = _named(before or [], after or [])
        if named is not None:
            one, other = named
            for key in dict.fromkeys((*one, *other)):
                yield from _walk(f"{path}[{key}]", one.get(key), other.get(key), deep - 1)
            return
    yield path, before, after


def _summary_of(path: str) -> Summary | None:
    last = path.rpartition(".")[2]
    return SUMMARIES.get(last.partition("[")[0]) if "[" in last or last in ("state", "lastState") else None


def _condition(condition: dict[str, Any]) -> str:
    """Its status and why."""
    return _with(condition.get("status"), condition.get("reason"))


def _state(state: dict[str, Any]) -> str:
    """Of a container: waiting, running or terminated, and why."""
    name = next(iter(state), "")
    return _with(name, (state.get(name) or {}).get("reason"))


def _taint(taint: dict[str, Any]) -> str:
    return str(taint.get("effect") or "")


def _with(what: Any, why: Any) -> str:
    return f"{what} ({why})" if what and why else str(what or "")


Summary = Callable[[dict[str, Any]], str]

SUMMARIES: dict[str, Summary] = {
    "conditions": _condition,
    "taints": _taint,
    "state": _state,
    "lastState": _state,
}
"""Field → what is told of such a thing, of a list of each; it is not looked into."""


def _named(before: list[Any], after: list[Any]) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The items by their names; None when they have none."""
    items = [*before, *after]
    for name in NAMES:
        if all(isinstance(each, dict) and name in each for each in items):
            return {str(e[name]): e for e in before}, {str(e[name]): e for e in after}
    return None


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        value = "{…}" if value else "{}"
    elif isinstance(value, list):
        value = ", ".join(_text(each) for each in value[:8])
    elif isinstance(value, bool):
        value = str(value).lower()
    text = str(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
