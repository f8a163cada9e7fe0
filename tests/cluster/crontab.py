"""A kind in two versions, of which nothing stands anywhere else.

v1 is stored; v1beta1 has the whole schedule in one string.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.meta import check_meta, check_not_negative
from cluster_engine.api.printing import AGE, NAME, age
from cluster_engine.api.strategy import create_spec, update_spec, update_status
from cluster_engine.api.subresources import STATUS
from cluster_engine.apimachinery.scheme import Column, Kind, Version

JSON = dict[str, Any]


def _schema(**spec: JSON) -> JSON:
    spec = {"image": {"type": "string"}, "replicas": {"type": "integer", "format": "int32"}, **spec}
    status = {"type": "object", "properties": {"replicas": {"type": "integer"}}}
    return {
        "type": "object",
        "properties": {"spec": {"type": "object", "properties": spec}, "status": status},
    }


def from_v1beta1(obj: JSON) -> JSON:
    spec = dict(obj.get("spec") or {})
    if "cronSpec" in spec:
        minute, _, hour = spec.pop("cronSpec").partition(" ")
        spec["schedule"] = {"minute": minute, "hour": hour}
    return {**obj, "spec": spec} if "spec" in obj else obj


def to_v1beta1(obj: JSON) -> JSON:
    spec = dict(obj.get("spec") or {})
    if "schedule" in spec:
        schedule = spec.pop("schedule")
        spec["cronSpec"] = f"{schedule.get('minute', '')} {schedule.get('hour', '')}"
    return {**obj, "spec": spec} if "spec" in obj else obj


def default(obj: JSON) -> JSON:
    spec = obj.get("spec") or {}
    return obj if "replicas" in spec else {**obj, "spec": {**spec, "replicas": 1}}


KIND = Kind(
    group="stable.example.com",
    version="v1",
    kind="CronTab",
    resource="crontabs",
    singular="crontab",
    namespaced=True,
    versions=(
        Version(
            "v1beta1",
            to_stored=from_v1beta1,
            from_stored=to_v1beta1,
            openapi=_schema(cronSpec={"type": "string"}),
            deprecated="stable.example.com/v1beta1 CronTab is deprecated; use stable.example.com/v1 CronTab",
        ),
    ),
    openapi=_schema(
        schedule={
            "type": "object",
            "properties": {"minute": {"type": "string"}, "hour": {"type": "string"}},
        }
    ),
    short_names=("ct",),
    subresources=STATUS,
    columns=(NAME, Column("Replicas", "integer", description="How many run."), AGE),
    row=lambda obj, now: [obj["metadata"]["name"], obj["spec"].get("replicas"), age(obj, now)],
    default=default,
    prepare_create=create_spec,
    prepare_update=update_spec,
    prepare_status=update_status,
    validate=lambda obj: check_meta(obj) + check_not_negative(obj["spec"].get("replicas"), "spec.replicas"),
    field_labels={"spec.image": lambda obj: obj["spec"].get("image") or ""},
)
