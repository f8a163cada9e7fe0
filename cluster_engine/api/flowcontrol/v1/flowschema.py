"""FlowSchema: which requests belong to which priority level.

Models pkg/registry/flowcontrol/flowschema and pkg/apis/flowcontrol.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.flowcontrol.validation import check_conditions, check_schema
from cluster_engine.api.printing import AGE, NAME, NONE, age, doc
from cluster_engine.api.strategy import create_spec, update_spec, update_status
from cluster_engine.api.subresources import STATUS
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.scheme import Column, Kind


def default(schema: JSON) -> JSON:
    """A precedence."""
    spec = schema.get("spec") or {}
    if spec.get("matchingPrecedence"):
        return schema
    return {**schema, "spec": {**spec, "matchingPrecedence": _PRECEDENCE}}


def row(schema: JSON, now: int) -> list[Any]:
    """The cells of a schema."""
    spec, dangling = schema["spec"], "?"
    for condition in (schema.get("status") or {}).get("conditions") or ():
        if condition["type"] == "Dangling":
            dangling = condition.get("status") or ""
    return [
        schema["metadata"]["name"],
        spec["priorityLevelConfiguration"]["name"],
        spec["matchingPrecedence"],
        (spec.get("distinguisherMethod") or {}).get("type") or NONE,
        age(schema, now),
        dangling,
    ]


_GROUP, _PRECEDENCE = "flowcontrol.apiserver.k8s.io", 1_000
_SPEC = "flowcontrol.v1.FlowSchemaSpec"
KIND = Kind(
    group=_GROUP,
    version="v1",
    kind="FlowSchema",
    resource="flowschemas",
    singular="flowschema",
    namespaced=False,
    subresources=STATUS,
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
    default=default,
    prepare_create=create_spec,
    prepare_update=update_spec,
    prepare_status=update_status,
    validate=check_schema,
    validate_update=lambda new, old: check_schema(new),
    validate_status=lambda new, old: check_conditions(new),
    row_order=lambda schema: (schema["spec"]["matchingPrecedence"], schema["metadata"]["name"]),
)
