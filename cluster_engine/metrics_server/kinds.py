"""What the metrics-server serves: PodMetrics and NodeMetrics, worked out when somebody asks, never stored.

Models k8s.io/metrics/pkg/apis/metrics/v1beta1.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.printing import NAME
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.scheme import Column, Kind

GROUP, VERSION = "metrics.k8s.io", "v1beta1"
_QUANTITIES: JSON = {"type": "object", "additionalProperties": {"type": "string"}}
_TEXT: JSON = {"type": "string"}
_CONTAINER: JSON = {
    "type": "object",
    "required": ["name", "usage"],
    "properties": {"name": _TEXT, "usage": _QUANTITIES},
}


def _schema(**more: JSON) -> JSON:
    common = {
        "apiVersion": _TEXT,
        "kind": _TEXT,
        "metadata": {"type": "object"},
        "timestamp": {"type": "string", "format": "date-time"},
        "window": _TEXT,
    }
    return {"type": "object", "required": ["timestamp", "window"], "properties": {**common, **more}}


def _usage(obj: JSON) -> list[JSON]:
    return [obj["usage"]] if "usage" in obj else [each["usage"] for each in obj["containers"]]


def _row(obj: JSON, now: int) -> list[Any]:
    """As metrics-server prints them: of a Pod, what its first container uses."""
    usage = _usage(obj)[0]
    return [obj["metadata"]["name"], usage["cpu"], usage["memory"], obj["window"]]


_COLUMNS = (
    NAME,
    Column("cpu", description="What it uses of processors."),
    Column("memory", description="The memory in use."),
    Column("Window", description="The time over which it was measured."),
)
NODES = Kind(
    group=GROUP,
    version=VERSION,
    kind="NodeMetrics",
    resource="nodes",
    singular="",
    namespaced=False,
    verbs=("get", "list"),
    told_as="nodemetrics.metrics.k8s.io",
    openapi=_schema(usage=_QUANTITIES),
    columns=_COLUMNS,
    row=_row,
)
PODS = Kind(
    group=GROUP,
    version=VERSION,
    kind="PodMetrics",
    resource="pods",
    singular="",
    namespaced=True,
    verbs=("get", "list"),
    told_as="podmetrics.metrics.k8s.io",
    openapi=_schema(containers={"type": "array", "items": _CONTAINER}),
    columns=_COLUMNS,
    row=_row,
)
