"""ComponentStatus: what the API server finds when it looks at its neighbours; never stored.

Models pkg/registry/core/componentstatus.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.printing import NAME
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.scheme import Column, Kind, World

_COMPONENTS = ("controller-manager", "etcd-0", "scheduler")


def computed(world: World) -> list[JSON]:
    """The three that there are. They run in this very process: whoever can ask finds them well."""
    healthy = {"type": "Healthy", "status": "True", "message": "ok"}
    return [{"metadata": {"name": name}, "conditions": [healthy]} for name in _COMPONENTS]


def row(component: JSON, now: int) -> list[Any]:
    """The cells of a component."""
    told = [each for each in component.get("conditions") or () if each["type"] == "Healthy"]
    health = told[0] if told else {}
    status = ("Healthy" if health["status"] == "True" else "Unhealthy") if health else "Unknown"
    return [component["metadata"]["name"], status, health.get("message") or "", health.get("error") or ""]


KIND = Kind(
    group="",
    version="v1",
    kind="ComponentStatus",
    resource="componentstatuses",
    singular="componentstatus",
    namespaced=False,
    short_names=("cs",),
    verbs=("get", "list"),
    deprecated="v1 ComponentStatus is deprecated in v1.19+",
    computed=computed,
    columns=(
        NAME,
        Column("Status", description="Status of the component conditions"),
        Column("Message", description="Message of the component conditions"),
        Column("Error", description="Error of the component conditions"),
    ),
    row=row,
)
