"""PriorityLevelConfiguration: how many requests of a level are worked on at once.

Models pkg/registry/flowcontrol/prioritylevelconfiguration and pkg/apis/flowcontrol.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.flowcontrol.validation import check_conditions, check_level
from cluster_engine.api.printing import AGE, NAME, NONE, age, doc
from cluster_engine.api.strategy import create_spec, update_spec, update_status
from cluster_engine.api.subresources import STATUS
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.scheme import Column, Kind


def default(level: JSON) -> JSON:
    """Shares, what is lent of them, and queues."""
    spec = level.get("spec") or {}
    made = dict(spec)
    for name, shares in (("limited", 30), ("exempt", 0)):
        if spec.get(name) is not None:
            made[name] = _with({"nominalConcurrencyShares": shares, "lendablePercent": 0}, spec[name])
    response = (made.get("limited") or {}).get("limitResponse") or {}
    if response.get("queuing") is not None:
        given = {name: value for name, value in response["queuing"].items() if value}
        made["limited"] = {**made["limited"], "limitResponse": {**response, "queuing": _with(_QUEUES, given)}}
    return level if made == spec else {**level, "spec": made}


def _with(defaults: JSON, given: JSON) -> JSON:
    return {**defaults, **{name: value for name, value in given.items() if value is not None}}


def row(level: JSON, now: int) -> list[Any]:
    """The cells of a level."""
    limited = (level.get("spec") or {}).get("limited") or {}
    queuing = (limited.get("limitResponse") or {}).get("queuing") or {}
    return [
        level["metadata"]["name"],
        level["spec"]["type"],
        limited.get("nominalConcurrencyShares", NONE),
        *(queuing.get(name, NONE) for name in ("queues", "handSize", "queueLengthLimit")),
        age(level, now),
    ]


_GROUP = "flowcontrol.apiserver.k8s.io"
_QUEUES: JSON = {"queues": 64, "handSize": 8, "queueLengthLimit": 50}
_QUEUING = "flowcontrol.v1.QueuingConfiguration"
_LIMITED = "flowcontrol.v1.LimitedPriorityLevelConfiguration"
KIND = Kind(
    group=_GROUP,
    version="v1",
    kind="PriorityLevelConfiguration",
    resource="prioritylevelconfigurations",
    singular="prioritylevelconfiguration",
    namespaced=False,
    subresources=STATUS,
    columns=(
        NAME,
        Column("Type", description=doc("flowcontrol.v1.PriorityLevelConfigurationSpec", "type")),
        Column("NominalConcurrencyShares", description=doc(_LIMITED, "nominalConcurrencyShares")),
        Column("Queues", description=doc(_QUEUING, "queues")),
        Column("HandSize", description=doc(_QUEUING, "handSize")),
        Column("QueueLengthLimit", description=doc(_QUEUING, "queueLengthLimit")),
        AGE,
    ),
    row=row,
    default=default,
    prepare_create=create_spec,
    prepare_update=update_spec,
    prepare_status=update_status,
    validate=check_level,
    validate_update=lambda new, old: check_level(new),
    validate_status=lambda new, old: check_conditions(new),
)
