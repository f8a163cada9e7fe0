"""Event.

Models pkg/registry/core/event/strategy.go and pkg/apis/core/validation/events.go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cluster_engine.api.meta import check_meta
from cluster_engine.api.printing import NAME, UNKNOWN, doc
from cluster_engine.apimachinery import duration
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, invalid_value, required
from cluster_engine.apimachinery.scheme import Column, Kind
from cluster_engine.apimachinery.validation import is_qualified_name

from . import events_group

_TTL = 3600.0
_MAX_REASON = _MAX_ACTION = 128
_MAX_NOTE = 1024

# What the type always shows, set or not.
_ALWAYS: JSON = {
    "eventTime": None,
    "firstTimestamp": None,
    "lastTimestamp": None,
    "reportingComponent": "",
    "reportingInstance": "",
    "source": {},
}


def default(event: JSON) -> JSON:
    """Fields that are shown even when they are empty."""
    if event.keys() >= _ALWAYS.keys():
        return event
    return {**event, **{name: value for name, value in _ALWAYS.items() if name not in event}}


def _check(event: JSON) -> list[FieldError]:
    namespace = event["metadata"].get("namespace") or ""
    involved = (event.get("involvedObject") or {}).get("namespace") or ""
    recent = bool(event.get("eventTime"))
    # What has no namespace is told of in one of these.
    elsewhere = ("default", "kube-system") if recent else ("default",)
    matches = namespace in elsewhere if not involved else recent or namespace == involved
    problems: list[FieldError] = []
    if not matches:
        problems.append(invalid_value("involvedObject.namespace", involved, "does not match event.namespace"))
    return problems + _check_recent(event) if recent else problems


def _check_recent(event: JSON) -> list[FieldError]:
    """What is demanded of events that tell the microsecond."""
    reporter, field = event.get("reportingComponent") or "", "reportingController"
    problems = [] if reporter else [required(field)]
    problems += [invalid_value(field, reporter, text) for text in is_qualified_name(reporter)]
    for field, limit in (("reportingInstance", 128), ("action", _MAX_ACTION), ("reason", _MAX_REASON)):
        if not event.get(field):
            problems.append(required(field))
        problems += _check_length(event, field, limit)
    return problems + _check_length(event, "message", _MAX_NOTE)


def _check_length(event: JSON, field: str, limit: int) -> list[FieldError]:
    if len((event.get(field) or "").encode()) <= limit:
        return []
    return [invalid_value(field, "", f"can have at most {limit} characters")]


def validate(event: JSON) -> list[FieldError]:
    """What is wrong with a new event."""
    return check_meta(event) + _check(event)


def _source(event: JSON) -> str:
    source = event.get("source") or {}
    component, host = source.get("component") or "", source.get("host") or ""
    component = component or event.get("reportingComponent") or ""
    host = host or event.get("reportingInstance") or ""
    return f"{component}, {host}" if host else component


def row(event: JSON, now: int) -> list[Any]:
    """The cells of an event."""
    first = duration.age(event.get("firstTimestamp") or event.get("eventTime"), now)
    last = duration.age(event["lastTimestamp"], now) if event.get("lastTimestamp") else first
    count = event.get("count") or 0
    series = event.get("series")
    if series:
        last = duration.age(series.get("lastObservedTime"), now)
        count = series.get("count") or 0
    involved = event.get("involvedObject") or {}
    target = (involved.get("kind") or "").lower()
    if involved.get("name"):
        target = f"{target}/{involved['name']}"
    return [
        last,
        event.get("type") or "",
        event.get("reason") or "",
        target,
        involved.get("fieldPath") or "",
        _source(event),
        (event.get("message") or "").strip(),
        first or UNKNOWN,
        count or 1,
        event["metadata"]["name"],
    ]


def _involved(field: str) -> Callable[[JSON], str]:
    return lambda event: (event.get("involvedObject") or {}).get(field) or ""


_FIELDS: dict[str, Callable[[JSON], str]] = {
    **{
        f"involvedObject.{field}": _involved(field)
        for field in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
    },
    "reason": lambda event: event.get("reason") or "",
    "reportingComponent": lambda event: event.get("reportingComponent") or "",
    "source": lambda event: (
        (event.get("source") or {}).get("component") or event.get("reportingComponent") or ""
    ),
    "type": lambda event: event.get("type") or "",
}
KIND = Kind(
    group="",
    version="v1",
    kind="Event",
    resource="events",
    singular="event",
    namespaced=True,
    short_names=("ev",),
    columns=(
        Column("Last Seen", description=doc("core.v1.Event", "lastTimestamp")),
        Column("Type", description=doc("core.v1.Event", "type")),
        Column("Reason", description=doc("core.v1.Event", "reason")),
        Column("Object", description=doc("core.v1.Event", "involvedObject")),
        Column("Subobject", description=doc("core.v1.ObjectReference", "fieldPath"), priority=1),
        Column("Source", description=doc("core.v1.Event", "source"), priority=1),
        Column("Message", description=doc("core.v1.Event", "message")),
        Column("First Seen", description=doc("core.v1.Event", "firstTimestamp"), priority=1),
        Column("Count", description=doc("core.v1.Event", "count"), priority=1),
        Column("Name", format="", description=NAME.description, priority=1),
    ),
    row=row,
    default=default,
    validate=validate,
    validate_update=lambda new, old: _check(new),
    field_labels=_FIELDS,
    versions=(events_group.version(_FIELDS),),
    create_on_update=True,
    ttl=_TTL,
)
