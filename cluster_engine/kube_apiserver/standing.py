"""What a store begins with: the roles and who has them, and the range of the Services' addresses.

Models pkg/controlplane/controller/defaultservicecidr for the latter, as pkg/controller/servicecidrs leaves it.
"""

from __future__ import annotations

from functools import lru_cache

from cluster_engine.apimachinery.cow import JSON, freeze
from cluster_engine.component_helpers.service_cidrs import FINALIZER, is_ready
from cluster_engine.etcd import Standing
from cluster_engine.sim import INSTALLATION_SEED, Chance

from .authorization import bootstrap_objects

SERVICE_RANGE = "10.96.0.0/12"
STARTS_KEPT = 16
"""Starting times of clusters whose objects are kept."""
_CIDRS, _V1 = "servicecidrs.networking.k8s.io", "networking.k8s.io/v1"


@lru_cache(STARTS_KEPT)
def standing(now: str, with_cloud: bool = False, freezing: bool = False) -> Standing:
    """All of it, made at ``now`` (RFC 3339)."""
    found = {**bootstrap_objects(now, with_cloud), _CIDRS: {"kubernetes": _default_service_cidr(now)}}
    if freezing:
        found = {
            resource: {key: freeze(obj) for key, obj in objects.items()}
            for resource, objects in found.items()
        }
    return {resource: (dict(sorted(objects.items())), sorted(objects)) for resource, objects in found.items()}


def _default_service_cidr(now: str) -> JSON:
    def entry(manager: str, operation: str, owned: JSON, subresource: str = "") -> JSON:
        made = {
            "manager": manager,
            "operation": operation,
            "apiVersion": _V1,
            "time": now,
            "fieldsType": "FieldsV1",
            "fieldsV1": owned,
        }
        return {**made, "subresource": subresource} if subresource else made

    ready = is_ready(now)
    owned: JSON = {f"f:{name}": {} for name in sorted(ready)}
    held: JSON = {"f:finalizers": {".": {}, f'v:"{FINALIZER}"': {}}}
    return {
        "apiVersion": _V1,
        "kind": "ServiceCIDR",
        "metadata": {
            "name": "kubernetes",
            "finalizers": [FINALIZER],
            "creationTimestamp": now,
            "uid": Chance(INSTALLATION_SEED).uid("uid", _CIDRS, "kubernetes", 0),
            "managedFields": [
                entry("kube-apiserver", "Update", {"f:spec": {"f:cidrs": {}}}),
                entry("kube-controller-manager", "Update", {"f:metadata": held}),
                entry(
                    "service-cidrs-controller",
                    "Apply",
                    {"f:status": {"f:conditions": {'k:{"type":"Ready"}': {".": {}, **owned}}}},
                    "status",
                ),
            ],
            "resourceVersion": "1",
        },
        "spec": {"cidrs": [SERVICE_RANGE]},
        "status": {"conditions": [ready]},
    }
