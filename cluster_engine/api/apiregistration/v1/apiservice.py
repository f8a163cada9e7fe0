"""APIService: the group versions that the API server serves itself.

Models kube-aggregator/pkg/registry/apiservice and pkg/controlplane/apiserver/aggregator.go.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.printing import AGE, NAME, age
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.scheme import Column, Kind, World

_OWN = "apiregistration.k8s.io"
_PRIORITIES = {
    "": 18_000,
    "apps": 17_800,
    "events.k8s.io": 17_750,
    "authentication.k8s.io": 17_700,
    "authorization.k8s.io": 17_600,
    "autoscaling": 17_500,
    "batch": 17_400,
    "certificates.k8s.io": 17_300,
    "networking.k8s.io": 17_200,
    "policy": 17_100,
    "rbac.authorization.k8s.io": 17_000,
    "storage.k8s.io": 16_800,
    "apiextensions.k8s.io": 16_700,
    "admissionregistration.k8s.io": 16_700,
    "scheduling.k8s.io": 16_600,
    "coordination.k8s.io": 16_500,
    "node.k8s.io": 16_300,
    "discovery.k8s.io": 16_200,
    "flowcontrol.apiserver.k8s.io": 16_100,
}
"""groupPriorityMinimum of the built-in groups."""
_VERSIONS = {("", "v1"): 1, ("autoscaling", "v2"): 30, ("flowcontrol.apiserver.k8s.io", "v1"): 21}
_VERSION, _CUSTOM_GROUP, _CUSTOM_VERSION = 15, 1_000, 100


def computed(world: World) -> list[JSON]:
    """One for each group version, but that of APIServices themselves."""
    served = dict.fromkeys((kind.group, kind.version) for kind in world.kinds if kind.group != _OWN)
    return [_local(world, group, version) for group, version in served]


def _local(world: World, group: str, version: str) -> JSON:
    own = group in _PRIORITIES
    spec: JSON = {
        **({"group": group} if group else {}),
        "groupPriorityMinimum": _PRIORITIES.get(group, _CUSTOM_GROUP),
        "version": version,
        "versionPriority": _VERSIONS.get((group, version), _VERSION) if own else _CUSTOM_VERSION,
    }
    meta = world.meta(f"{version}.{group}")
    available = {
        "lastTransitionTime": meta["creationTimestamp"],
        "message": "Local APIServices are always available",
        "reason": "Local",
        "status": "True",
        "type": "Available",
    }
    managed = {"kube-aggregator.kubernetes.io/automanaged": "onstart" if own else "true"}
    return {"metadata": {**meta, "labels": managed}, "spec": spec, "status": {"conditions": [available]}}


def row(service: JSON, now: int) -> list[Any]:
    """The cells of an APIService."""
    available = service["status"]["conditions"][0]["status"]
    return [service["metadata"]["name"], "Local", available, age(service, now)]


KIND = Kind(
    group=_OWN,
    version="v1",
    kind="APIService",
    resource="apiservices",
    singular="apiservice",
    namespaced=False,
    categories=("api-extensions",),
    verbs=("get", "list"),
    computed=computed,
    refused="APIServices that somebody writes or watches; a real cluster hands a group on to a server of its own",
    columns=(
        NAME,
        Column("Service", description="The reference to the service that hosts this API endpoint."),
        Column("Available", description="Whether this service is available."),
        AGE,
    ),
    row=row,
)
