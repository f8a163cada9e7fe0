"""PriorityLevelConfiguration: how many requests of a level are worked on at once.

Models pkg/registry/flowcontrol/prioritylevelconfiguration and pkg/apis/flowcontrol.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.flowcontrol.bootstrap import LEVELS, UPDATED
from cluster_engine.api.printing import AGE, NAME, NONE, age, doc
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.scheme import Column, Kind, World


def computed(world: World) -> list[JSON]:
    """Those that the API server makes."""
    metas = {name: {**world.meta(name), "annotations": UPDATED, "generation": 1} for name in LEVELS}
    return [{"metadata": metas[name], "spec": _spec(name), "status": {}} for name in LEVELS]


def _spec(name: str) -> JSON:
    limits = LEVELS[name]
    if limits is None:
        return {"exempt": {"lendablePercent": 0, "nominalConcurrencyShares": 0}, "type": "Exempt"}
    shares, lendable, queues = limits
    response: JSON = {"type": "Reject"}
    if queues is not None:
        queuing = dict(zip(("queues", "handSize", "queueLengthLimit"), queues, strict=True))
        response = {"queuing": queuing, "type": "Queue"}
    limited = {"lendablePercent": lendable, "limitResponse": response, "nominalConcurrencyShares": shares}
    return {"limited": limited, "type": "Limited"}


def row(level: JSON, now: int) -> list[Any]:
    """The cells of a level."""
    limited = level["spec"].get("limited") or {}
    queuing = (limited.get("limitResponse") or {}).get("queuing") or {}
    return [
        level["metadata"]["name"],
        level["spec"]["type"],
        limited.get("nominalConcurrencyShares", NONE),
        *(queuing.get(name, NONE) for name in ("queues", "handSize", "queueLengthLimit")),
        age(level, now),
    ]


_QUEUING = "flowcontrol.v1.QueuingConfiguration"
_LIMITED = "flowcontrol.v1.LimitedPriorityLevelConfiguration"
KIND = Kind(
    group="flowcontrol.apiserver.k8s.io",
    version="v1",
    kind="PriorityLevelConfiguration",
    resource="prioritylevelconfigurations",
    singular="prioritylevelconfiguration",
    namespaced=False,
    verbs=("get", "list"),
    computed=computed,
    refused="PriorityLevelConfigurations that somebody writes or watches; a real cluster limits requests by them",
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
)
