"""A cluster's ceilings: so that no manifest, however large, harms the host or its neighbours.

They have no counterpart upstream but a ResourceQuota over the whole cluster, whose words they borrow.
"""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.scheme import Kind
from cluster_engine.etcd import Store

BODY_LIMIT = 3 * 1024 * 1024  # apiserver's --max-request-body-bytes
CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
OBJECT_LIMIT = 1536 * 1024  # etcd's --max-request-bytes


@dataclass(frozen=True, slots=True)
class Budgets:
    """How much a cluster may hold."""

    max_pods: int = 5_000
    max_objects: int = 20_000  # Events are counted apart, under the same number
    max_object_bytes: int = OBJECT_LIMIT
    max_containers: int = 100  # of one Pod, of all kinds together

    def check_create(self, store: Store, kind: Kind, name: str) -> None:
        """Refuse (403) an object past a ceiling."""
        resource = kind.group_resource
        if resource == "pods":
            pods = store.count("pods")
            if pods >= self.max_pods:
                raise _exceeded(resource, name, "pods", pods, self.max_pods)
        events = store.count("events")
        used = events if kind.ttl is not None else len(store) - events
        if used >= self.max_objects:
            what = "events" if kind.ttl is not None else "objects"
            raise _exceeded(resource, name, what, used, self.max_objects)

    def check_size(self, obj: JSON) -> int:
        """Its bytes. Refuse (413) an object that etcd would not take, and (403) a Pod with too many containers."""
        if obj.get("kind") == "Pod":
            spec = obj.get("spec") or {}
            count = sum(len(spec.get(name) or ()) for name in CONTAINERS)
            if count > self.max_containers:
                raise _exceeded("pods", obj["metadata"]["name"], "containers", 0, self.max_containers, count)
        size = len(orjson.dumps(obj))
        if size > self.max_object_bytes:
            raise errors.ApiError(
                errors.status_failure(413, "RequestEntityTooLarge", "etcdserver: request is too large")
            )
        return size


def _exceeded(
    resource: str, name: str, what: str, used: int, limit: int, requested: int = 1
) -> errors.ApiError:
    asked = f"requested: {what}={requested}, used: {what}={used}, limited: {what}={limit}"
    why = f"exceeded quota: cluster-budget, {asked}"
    return errors.forbidden(resource, name, why)
