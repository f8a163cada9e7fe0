"""FlowSchemas: whether the level that each names is there.

Models k8s.io/apiserver/pkg/util/flowcontrol/apf_controller.go (digestFlowSchemasLocked).
"""

from __future__ import annotations

from cluster_engine.api.flowcontrol.bootstrap import LEVELS
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component import Component, Context
from cluster_engine.component_helpers.conditions import condition_of
from cluster_engine.sim import rfc3339

_GROUP = "flowcontrol.apiserver.k8s.io"
_SCHEMAS = f"flowschemas.{_GROUP}"


class FlowControl(Component):
    """Writes the condition ``Dangling`` of every FlowSchema that somebody wrote."""

    name = "api-priority-and-fairness"
    process = "kube-apiserver"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        manager = "api-priority-and-fairness-config-consumer-v1"
        self.client = ctx.client("system:apiserver", manager, ("system:masters",))
        self.queue = self.new_queue(self.reconcile, priority=10)
        self.schemas = ctx.informers.of(_SCHEMAS)
        self.levels = ctx.informers.of(f"prioritylevelconfigurations.{_GROUP}")
        self.schemas.on(add=self._seen, update=lambda change: self._seen(change.new))
        self.levels.on(add=self._level, delete=self._level)

    def _seen(self, schema: JSON) -> None:
        self.queue.add(schema["metadata"]["name"])

    def _level(self, level: JSON) -> None:
        for schema in self.schemas.list():
            if _level_of(schema) == level["metadata"]["name"]:
                self._seen(schema)

    def reconcile(self, key: str) -> None:
        schema = self.schemas.get(key)
        if schema is None:
            return
        level = _level_of(schema)
        new = dangling(level, level in LEVELS or self.levels.get(level) is not None)
        old = condition_of(schema, "Dangling")
        if old is not None and all(old.get(part) == new[part] for part in new):
            return
        conditions = [
            each for each in (schema.get("status") or {}).get("conditions") or () if each is not old
        ]
        told = {"lastTransitionTime": rfc3339(self.clock.now), **new}
        self.client.update_status(_SCHEMAS, {**schema, "status": {"conditions": [*conditions, told]}})


def dangling(level: str, exists: bool) -> JSON:
    """The condition of a FlowSchema that names this level, but for its time."""
    told = f'This FlowSchema references the PriorityLevelConfiguration object named "{level}"'
    if exists:
        return {"message": f"{told} and it exists", "reason": "Found", "status": "False", "type": "Dangling"}
    return {
        "message": f"{told} but there is no such object",
        "reason": "NotFound",
        "status": "True",
        "type": "Dangling",
    }


def _level_of(schema: JSON) -> str:
    return str(schema["spec"]["priorityLevelConfiguration"]["name"])
