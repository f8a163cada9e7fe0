"""FlowSchema: which requests belong to which priority level.

Models pkg/registry/flowcontrol/flowschema and pkg/apis/flowcontrol.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.flowcontrol.bootstrap import SCHEMAS, UPDATED
from cluster_engine.api.printing import AGE, NAME, NONE, age, doc
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.scheme import Column, Kind, World


def computed(world: World) -> list[JSON]:
    """Those that the API server makes."""
    return [_made(world, name) for name in SCHEMAS]


def _made(world: World, name: str) -> JSON:
    level, precedence, method, subjects, rules = SCHEMAS[name]
    meta = {**world.meta(name), "annotations": UPDATED, "generation": 1}
    told = f'This FlowSchema references the PriorityLevelConfiguration object named "{level}" and it exists'
    found = {
        "lastTransitionTime": meta["creationTimestamp"],
        "message": told,
        "reason": "Found",
        "status": "False",
        "type": "Dangling",
    }
    spec: JSON = {
        **({"distinguisherMethod": {"type": method}} if method else {}),
        "matchingPrecedence": precedence,
        "priorityLevelConfiguration": {"name": level},
        "rules": [{**rules, "subjects": subjects}],
    }
    return {"metadata": meta, "spec": spec, "status": {"conditions": [found]}}


def row(schema: JSON, now: int) -> list[Any]:
    """The cells of a schema."""
    spec, dangling = schema["spec"], "?"
    for condition in schema["status"]["conditions"]:
        if condition["type"] == "Dangling":
            dangling = condition["status"]
    return [
        schema["metadata"]["name"],
        spec["priorityLevelConfiguration"]["name"],
        spec["matchingPrecedence"],
        (spec.get("distinguisherMethod") or {}).get("type") or NONE,
        age(schema, now),
        dangling,
    ]


_SPEC = "flowcontrol.v1.FlowSchemaSpec"
KIND = Kind(
    group="flowcontrol.apiserver.k8s.io",
    version="v1",
    kind="FlowSchema",
    resource="flowschemas",
    singular="flowschema",
    namespaced=False,
    verbs=("get", "list"),
    computed=computed,
    refused="FlowSchemas that somebody writes or watches; a real cluster queues requests by them",
    columns=(
        NAME,
        Column(
            "PriorityLevel", description=doc("flowcontrol.v1.PriorityLevelConfigurationReference", "name")
        ),
        Column("MatchingPrecedence", description=doc(_SPEC, "matchingPrecedence")),
        Column("DistinguisherMethod", description=doc(_SPEC, "distinguisherMethod")),
        AGE,
        Column("MissingPL", description="references a broken or non-existent PriorityLevelConfiguration"),
    ),
    row=row,
    row_order=lambda schema: (schema["spec"]["matchingPrecedence"], schema["metadata"]["name"]),
)
