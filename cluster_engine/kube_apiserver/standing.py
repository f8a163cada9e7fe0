"""What a store begins with: the roles and who has them, the range of the Services' addresses, flow control's objects.

Models pkg/controlplane/controller/defaultservicecidr, as pkg/controller/servicecidrs leaves it, and
pkg/registry/flowcontrol/rest (storage_flowcontrol.go), as the API server's own consumer of these objects leaves them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from cluster_engine.api.flowcontrol.bootstrap import (
    AUTO_UPDATE,
    LEVELS,
    SCHEMAS,
    dangling,
    level_spec,
    schema_spec,
)
from cluster_engine.apimachinery.cow import JSON, freeze
from cluster_engine.component_helpers.service_cidrs import FINALIZER, is_ready
from cluster_engine.etcd import Standing
from cluster_engine.sim import INSTALLATION_SEED, Chance

from .authorization import bootstrap_objects

SERVICE_RANGE = "10.96.0.0/12"
STARTS_KEPT = 16
"""Starting times of clusters whose objects are kept."""
_FLOW = "flowcontrol.apiserver.k8s.io"
_CIDRS, _V1 = "servicecidrs.networking.k8s.io", "networking.k8s.io/v1"


@lru_cache(STARTS_KEPT)
def standing(now: str, with_cloud: bool = False, freezing: bool = False) -> Standing:
    """All of it, made at ``now`` (RFC 3339)."""
    found = {
        **bootstrap_objects(now, with_cloud),
        _CIDRS: {"kubernetes": _default_service_cidr(now)},
        f"flowschemas.{_FLOW}": {name: _flow_schema(name, now) for name in SCHEMAS},
        f"prioritylevelconfigurations.{_FLOW}": {name: _priority_level(name, now) for name in LEVELS},
    }
    if freezing:
        found = {
            resource: {key: freeze(obj) for key, obj in objects.items()}
            for resource, objects in found.items()
        }
    return {resource: (dict(sorted(objects.items())), sorted(objects)) for resource, objects in found.items()}


def _entry(
    api_version: str, now: str, manager: str, operation: str, owned: JSON, subresource: str = ""
) -> JSON:
    made = {
        "manager": manager,
        "operation": operation,
        "apiVersion": api_version,
        "time": now,
        "fieldsType": "FieldsV1",
        "fieldsV1": owned,
    }
    return {**made, "subresource": subresource} if subresource else made


def _meta(resource: str, name: str, now: str, entries: list[JSON], **more: Any) -> JSON:
    return {
        "name": name,
        **more,
        "creationTimestamp": now,
        "uid": Chance(INSTALLATION_SEED).uid("uid", resource, name, 0),
        "managedFields": entries,
        "resourceVersion": "1",
    }


def _status_of(kind: str, condition: JSON) -> JSON:
    """Who owns a condition of a status alone."""
    owned: JSON = {f"f:{name}": {} for name in sorted(condition)}
    return {"f:status": {"f:conditions": {f'k:{{"type":"{kind}"}}': {".": {}, **owned}}}}


def _default_service_cidr(now: str) -> JSON:
    ready = is_ready(now)
    held: JSON = {"f:finalizers": {".": {}, f'v:"{FINALIZER}"': {}}}
    entries = [
        _entry(_V1, now, "kube-apiserver", "Update", {"f:spec": {"f:cidrs": {}}}),
        _entry(_V1, now, "kube-controller-manager", "Update", {"f:metadata": held}),
        _entry(_V1, now, "service-cidrs-controller", "Apply", _status_of("Ready", ready), "status"),
    ]
    return {
        "apiVersion": _V1,
        "kind": "ServiceCIDR",
        "metadata": _meta(_CIDRS, "kubernetes", now, entries, finalizers=[FINALIZER]),
        "spec": {"cidrs": [SERVICE_RANGE]},
        "status": {"conditions": [ready]},
    }


def _flow_schema(name: str, now: str) -> JSON:
    spec = schema_spec(name)
    level = spec["priorityLevelConfiguration"]["name"]
    found = {"lastTransitionTime": now, **dangling(level, True)}
    owned: JSON = {f"f:{part}": {} for part in sorted(spec) if part not in _PARTS}
    owned["f:priorityLevelConfiguration"] = {"f:name": {}}
    if "distinguisherMethod" in spec:
        owned["f:distinguisherMethod"] = {".": {}, "f:type": {}}
    entries = [
        _entry(_FLOW_V1, now, _CONSUMER, "Apply", _status_of("Dangling", found), "status"),
        _entry(_FLOW_V1, now, _PRODUCER, "Update", {**_ANNOTATED, "f:spec": dict(sorted(owned.items()))}),
    ]
    return {
        "apiVersion": _FLOW_V1,
        "kind": "FlowSchema",
        "metadata": _meta(f"flowschemas.{_FLOW}", name, now, entries, annotations=_KEPT, generation=1),
        "spec": spec,
        "status": {"conditions": [found]},
    }


def _priority_level(name: str, now: str) -> JSON:
    spec = level_spec(name)
    entries = [_entry(_FLOW_V1, now, _PRODUCER, "Update", {**_ANNOTATED, "f:spec": _leaves(spec)})]
    meta = _meta(f"prioritylevelconfigurations.{_FLOW}", name, now, entries, annotations=_KEPT, generation=1)
    return {
        "apiVersion": _FLOW_V1,
        "kind": "PriorityLevelConfiguration",
        "metadata": meta,
        "spec": spec,
        "status": {},
    }


_FLOW_V1 = f"{_FLOW}/v1"
_PARTS = ("distinguisherMethod", "priorityLevelConfiguration")
_CONSUMER = "api-priority-and-fairness-config-consumer-v1"
_PRODUCER = "api-priority-and-fairness-config-producer-v1"
_KEPT = {AUTO_UPDATE: "true"}
_ANNOTATED: JSON = {"f:metadata": {"f:annotations": {".": {}, f"f:{AUTO_UPDATE}": {}}}}
_ALWAYS_THERE = ("limitResponse",)
"""Of a level's spec what is no pointer, so that nobody owns it as such."""


def _leaves(spec: JSON) -> JSON:
    """Who owns a level's spec: each of its values, and the objects that may be absent."""
    owned: JSON = {}
    for name, value in sorted(spec.items()):
        if not isinstance(value, dict):
            owned[f"f:{name}"] = {}
        else:
            itself: JSON = {} if name in _ALWAYS_THERE else {".": {}}
            owned[f"f:{name}"] = {**itself, **_leaves(value)}
    return owned
