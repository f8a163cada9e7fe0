"""TaintNodesByCondition: a new node is not-ready until its controller says otherwise.

Models plugin/pkg/admission/nodetaint.
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON

from .plugin import CREATE, Attributes, Plugin

_TAINT: JSON = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}


class TaintNodesByCondition(Plugin):
    """Adds the not-ready taint on create."""

    name = "TaintNodesByCondition"
    operations = (CREATE,)
    resources = ("nodes",)
    mutates = True

    def admit(self, attributes: Attributes, obj: JSON) -> JSON:
        spec = obj.get("spec") or {}
        taints = spec.get("taints") or []
        if any(t.get("key") == _TAINT["key"] and t.get("effect") == _TAINT["effect"] for t in taints):
            return obj
        return {**obj, "spec": {**spec, "taints": [*taints, _TAINT]}}
