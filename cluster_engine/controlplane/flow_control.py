"""FlowSchemas and PriorityLevelConfigurations: whether the level that a schema names is there, and that those which the
API server makes for itself stay as they are meant.

Models k8s.io/apiserver/pkg/util/flowcontrol/apf_controller.go (digestFlowSchemasLocked) and
pkg/registry/flowcontrol/ensurer.
"""

from __future__ import annotations

from cluster_engine.api.flowcontrol.bootstrap import (
    AUTO_UPDATE,
    LEVELS,
    MANDATORY,
    SCHEMAS,
    dangling,
    is_level_spec,
    level_spec,
    schema_spec,
)
from cluster_engine.apimachinery.cow import JSON, with_meta
from cluster_engine.component import Component, Context
from cluster_engine.component_helpers.conditions import condition_of
from cluster_engine.sim import SECOND, rfc3339

_GROUP = "flowcontrol.apiserver.k8s.io"
_SCHEMAS, _LEVELS = f"flowschemas.{_GROUP}", f"prioritylevelconfigurations.{_GROUP}"
_INTERVAL = 60
"""Seconds between two looks at what the API server makes for itself."""
_TRUE, _FALSE = ("1", "t", "T", "true", "TRUE", "True"), ("0", "f", "F", "false", "FALSE", "False")
"""As Go's strconv.ParseBool reads them."""


class FlowControl(Component):
    """Writes the condition ``Dangling`` of every FlowSchema, and makes good what is the API server's own."""

    name = "api-priority-and-fairness"
    process = "kube-apiserver"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        groups = ("system:masters",)
        self.client = ctx.client("system:apiserver", "api-priority-and-fairness-config-consumer-v1", groups)
        self.producer = ctx.client("system:apiserver", "api-priority-and-fairness-config-producer-v1", groups)
        self.queue = self.new_queue(self.reconcile, priority=10)
        self.ensured = self.new_queue(self.ensure, "bootstrap", priority=10)
        self.schemas, self.levels = ctx.informers.of(_SCHEMAS), ctx.informers.of(_LEVELS)
        self.schemas.on(
            add=self._seen,
            update=lambda change: self._changed(_SCHEMAS, change.new),
            delete=lambda schema: self._later(_SCHEMAS, schema),
        )
        self.levels.on(
            add=self._level,
            update=lambda change: self._later(_LEVELS, change.new),
            delete=lambda level: self._gone(level),
        )

    def _seen(self, schema: JSON) -> None:
        self.queue.add(schema["metadata"]["name"])

    def _changed(self, resource: str, schema: JSON) -> None:
        self._seen(schema)
        self._later(resource, schema)

    def _gone(self, level: JSON) -> None:
        self._level(level)
        self._later(_LEVELS, level)

    def _level(self, level: JSON) -> None:
        for schema in self.schemas.list():
            if _level_of(schema) == level["metadata"]["name"]:
                self._seen(schema)

    def reconcile(self, key: str) -> None:
        schema = self.schemas.get(key)
        if schema is None:
            return
        level = _level_of(schema)
        new = dangling(level, self.levels.get(level) is not None)
        old = condition_of(schema, "Dangling")
        if old is not None and all(old.get(part) == new[part] for part in new):
            return
        conditions = [
            each for each in (schema.get("status") or {}).get("conditions") or () if each is not old
        ]
        told = {"lastTransitionTime": rfc3339(self.clock.now), **new}
        self.client.update_status(_SCHEMAS, {**schema, "status": {"conditions": [*conditions, told]}})

    # ---- what is its own -----------------------------------------------------------------------------------

    def _later(self, resource: str, obj: JSON) -> None:
        """Looks at an object of its own when it next looks at all of them."""
        name = obj["metadata"]["name"]
        if name in (SCHEMAS if resource == _SCHEMAS else LEVELS):
            past = self.clock.now % (_INTERVAL * SECOND)
            self.ensured.add_after(f"{resource}/{name}", _INTERVAL - past / SECOND, background=True)

    def ensure(self, key: str) -> None:
        resource, _, name = key.partition("/")
        is_schema = resource == _SCHEMAS
        spec = schema_spec(name) if is_schema else level_spec(name)
        current = (self.schemas if is_schema else self.levels).get(name)
        if current is None:
            kind = "FlowSchema" if is_schema else "PriorityLevelConfiguration"
            meta = {"name": name, "annotations": {AUTO_UPDATE: "true"}}
            made = {"apiVersion": f"{_GROUP}/v1", "kind": kind, "metadata": meta, "spec": spec}
            self.producer.create(resource, made)
            return
        kept = name in MANDATORY or keeps(current)
        told = "true" if kept else "false"
        notes = current["metadata"].get("annotations") or {}
        same = current["spec"] == spec if is_schema else is_level_spec(name, current["spec"])
        wanted = current
        if _read(notes.get(AUTO_UPDATE)) is not kept:
            wanted = with_meta(wanted, annotations={**notes, AUTO_UPDATE: told})
        if kept and not same:
            wanted = {**wanted, "spec": spec}
        if wanted is not current:
            self.producer.update(resource, wanted)


def keeps(obj: JSON) -> bool:
    """Whether a suggested object is kept as the API server means it (shouldUpdateSpec)."""
    meta = obj["metadata"]
    asked = _read((meta.get("annotations") or {}).get(AUTO_UPDATE))
    return bool(meta.get("generation") == 1) if asked is None else asked


def _read(value: str | None) -> bool | None:
    return True if value in _TRUE else False if value in _FALSE else None


def _level_of(schema: JSON) -> str:
    return str(schema["spec"]["priorityLevelConfiguration"]["name"])
