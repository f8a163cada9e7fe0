"""events.k8s.io/v1: the Event of the core group under other names, and looked at more strictly.

Models pkg/apis/events/v1/conversion.go and pkg/apis/core/validation/events.go (ValidateEventCreate,
ValidateEventUpdate).
"""

from __future__ import annotations

from collections.abc import Callable

from cluster_engine.api.meta import check_immutable
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, invalid_value, required
from cluster_engine.apimachinery.scheme import Version

_NAMES = (
    ("regarding", "involvedObject"),
    ("note", "message"),
    ("reportingController", "reportingComponent"),
    ("deprecatedSource", "source"),
    ("deprecatedFirstTimestamp", "firstTimestamp"),
    ("deprecatedLastTimestamp", "lastTimestamp"),
    ("deprecatedCount", "count"),
)
"""What a field is called here, and in the core group."""
_TO_CORE = dict(_NAMES)
_FROM_CORE = {core: own for own, core in _NAMES}
_SHOWN_EMPTY = ("reportingComponent", "reportingInstance")
"""What the core group shows even when it is empty."""
_REGARDING = ("apiVersion", "fieldPath", "kind", "name", "namespace", "resourceVersion", "uid")
_KEPT = (
    ("involvedObject", "involvedObject"),
    ("reason", "reason"),
    ("message", "message"),
    ("source", "source"),
    ("firstTimestamp", "firstTimestamp"),
    ("lastTimestamp", "lastTimestamp"),
    ("count", "count"),
    ("reason", "reason"),
    ("type", "type"),
    ("eventTime", "eventTime"),
    ("action", "action"),
    ("related", "related"),
    ("reportingComponent", "reportingController"),
    ("reportingInstance", "reportingInstance"),
)
"""What no update may change: the stored field, and what it is called in an error."""


def to_core(event: JSON) -> JSON:
    """An event of this group as it is stored."""
    return {_TO_CORE.get(name, name): value for name, value in event.items()}


def from_core(event: JSON) -> JSON:
    """A stored event as this group shows it: what it may leave out when it is empty, it does."""
    shown = ((name, value) for name, value in event.items() if value != "" or name not in _SHOWN_EMPTY)
    return {_FROM_CORE.get(name, name): value for name, value in shown}


def _check_series(event: JSON) -> list[FieldError]:
    series, problems = event.get("series"), []
    if series is None:
        return []
    if (series.get("count") or 0) < 2:
        problems.append(invalid_value("series.count", "", "should be at least 2"))
    if not series.get("lastObservedTime"):
        problems.append(required("series.lastObservedTime"))
    return problems


def check_new(event: JSON) -> list[FieldError]:
    """What is wrong with a stored event that was made through this group."""
    problems = _check_series(event)
    if not event.get("eventTime"):
        problems.append(required("eventTime"))
    type_ = event.get("type") or ""
    if type_ not in ("Normal", "Warning"):
        problems.append(invalid_value("type", "", f"has invalid value: {type_}"))
    source = event.get("source") or {}
    unset = {name: event.get(name) for name in ("firstTimestamp", "lastTimestamp", "count")}
    unset["source"] = source.get("component") or source.get("host")
    return problems + [invalid_value(name, "", "needs to be unset") for name, value in unset.items() if value]


def check_update(new: JSON, old: JSON) -> list[FieldError]:
    """What an update through this group may not do."""
    problems = [] if new.get("series") == old.get("series") else _check_series(new)
    for name, told in _KEPT:
        now, was = new.get(name), old.get(name)
        problems += [] if not now and not was else check_immutable(now, was, told)
    return problems


def field_labels(core: dict[str, Callable[[JSON], str]]) -> dict[str, Callable[[JSON], str]]:
    """The selectable fields of this group, of those of the core group."""
    found = {f"regarding.{name}": core[f"involvedObject.{name}"] for name in _REGARDING}
    same = {name: core[name] for name in ("reason", "source", "type")}
    return {**found, **same, "reportingController": core["reportingComponent"]}


def version(core: dict[str, Callable[[JSON], str]]) -> Version:
    """How an Event of the core group, with these selectable fields, is served in this one."""
    return Version(
        "v1",
        group="events.k8s.io",
        to_stored=to_core,
        from_stored=from_core,
        validate=check_new,
        validate_update=check_update,
        field_labels=field_labels(core),
    )
