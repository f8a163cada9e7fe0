"""Conditions that a run's clock can go on to: an object's condition, an expression over it, an Event's reason.

pod/web Ready                             the condition of that type is True
deploy/web -n prod self.status.readyReplicas == 3        a rule in CEL, as of a check
event Scheduled                           an Event of that reason is written
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.scheme import Kind
from cluster_engine.cluster import Cluster
from cluster_engine.sim import Link
from labs.kit.expectations import Rule
from runs.host.happening import EVENTS

TEXT_LIMIT = 2_000
"""Characters of a condition."""
_OBJECT = re.compile(r"([a-z][a-z0-9.]*)/([a-z0-9][a-z0-9.:-]*)(?:\s+-n\s+([a-z0-9-]+))?\s+(\S.*)", re.DOTALL)
_EVENT = re.compile(r"event\s+([A-Za-z]+)")
_TYPE = re.compile(r"(?!self\b)[A-Za-z][A-Za-z0-9./-]*")
USAGE = "pod/NAME [-n NAMESPACE] CONDITION|CEL | event REASON"


class Condition(NamedTuple):
    """One condition of one cluster."""

    holds: Callable[[Cluster], bool]
    """Whether it does already."""
    reached: Callable[[Cluster, Link], bool]
    """Whether this write, which was done just now, made it hold."""


def parse(cluster: Cluster, text: object) -> Condition:
    """See the module. Raises ValueError."""
    words = str(text).strip()
    if len(words) > TEXT_LIMIT:
        raise ValueError(
            _("%(name)s: at most %(most)d characters, found %(found)d")
            % {"name": "until", "most": TEXT_LIMIT, "found": len(words)}
        )
    if match := _EVENT.fullmatch(words):
        reason = match[1]
        return Condition(lambda one: False, lambda one, link: _reason_of(one, link) == reason)
    match = _OBJECT.fullmatch(words)
    if match is None:
        raise ValueError(
            _("%(name)s: %(usage)s, found %(found)r") % {"name": "until", "usage": USAGE, "found": words[:60]}
        )
    resource, name, namespace, wanted = match.groups()
    try:
        kind = cluster.kind_of(resource)
    except KeyError:
        raise ValueError(f"the server doesn't have a resource type {resource[:60]!r}") from None
    key = f"{namespace or 'default'}/{name}" if kind.namespaced else name
    fulfils = _has_condition(wanted) if _TYPE.fullmatch(wanted) else _expression(wanted)
    return Condition(
        lambda one: _of(one, kind, key, fulfils),
        lambda one, link: (
            (link.resource, link.key) == (kind.group_resource, key) and _of(one, kind, key, fulfils)
        ),
    )


def _of(cluster: Cluster, kind: Kind, key: str, fulfils: Callable[[JSON], bool]) -> bool:
    obj = cluster.store.get(kind.group_resource, key)
    return obj is not None and fulfils(obj)


def _has_condition(wanted: str) -> Callable[[JSON], bool]:
    def fulfils(obj: JSON) -> bool:
        conditions: list[Any] = (obj.get("status") or {}).get("conditions") or []
        return any((each.get("type"), each.get("status")) == (wanted, "True") for each in conditions)

    return fulfils


def _expression(text: str) -> Callable[[JSON], bool]:
    try:
        rule = Rule.of(text, ("self",))
    except ValueError as error:
        raise ValueError(f"until: {str(error).splitlines()[0]}") from error
    return rule.holds


def _reason_of(cluster: Cluster, link: Link) -> str | None:
    event = cluster.store.get(EVENTS, link.key) if link.resource == EVENTS else None
    return str(event.get("reason")) if event is not None else None
