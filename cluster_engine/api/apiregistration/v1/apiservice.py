"""APIService: who answers for a group version: the API server itself, or a Service behind it.

Those of what the API server serves itself are worked out and never stored; the others are written.

Models k8s.io/kube-aggregator/pkg/registry/apiservice, pkg/apis/apiregistration/validation, and
pkg/controlplane/apiserver/aggregator.go.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.meta import check_meta
from cluster_engine.api.printing import AGE, NAME, age
from cluster_engine.api.strategy import keep_status, update_status, without_status
from cluster_engine.api.subresources import STATUS
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, invalid_value, not_simulated, required
from cluster_engine.apimachinery.scheme import Column, Kind, World
from cluster_engine.apimachinery.validation import is_dns1035_label, is_dns1123_subdomain

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
    "resource.k8s.io": 15_900,
}
"""groupPriorityMinimum of the built-in groups."""
_VERSIONS = {("", "v1"): 1, ("autoscaling", "v2"): 30, ("flowcontrol.apiserver.k8s.io", "v1"): 21}
_VERSION, _CUSTOM_GROUP, _CUSTOM_VERSION = 15, 1_000, 100
_PORT = 443
_GROUP_PRIORITY, _VERSION_PRIORITY = 20_000, 1_000
RESOURCE = f"apiservices.{_OWN}"


def computed(world: World) -> list[JSON]:
    """Those that are written, and one for each other group version, but that of APIServices themselves."""
    written = world.objects(RESOURCE)
    names = {each["metadata"]["name"] for each in written}
    served = dict.fromkeys((kind.group, kind.version) for kind in world.kinds if kind.group != _OWN)
    local = [(group, version) for group, version in served if f"{version}.{group}" not in names]
    return [*written, *(_local(world, group, version) for group, version in local)]


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


def default(service: JSON) -> JSON:
    """Port 443 of the Service."""
    spec = service.get("spec") or {}
    to = spec.get("service")
    if not to or to.get("port") is not None:
        return service
    return {**service, "spec": {**spec, "service": {**to, "port": _PORT}}}


def prepare_create(service: JSON) -> JSON:
    """A fresh status. Raises ApiError for one that would name nobody."""
    if not (service.get("spec") or {}).get("service"):
        raise not_simulated(
            "APIServices without a Service; a real cluster has groups served so by its API server"
        )
    return {**without_status(service), "status": {}}


def validate(service: JSON) -> list[FieldError]:
    """What is wrong with it."""
    spec, problems = service.get("spec") or {}, check_meta(service, namespaced=False)
    group, version = spec.get("group") or "", spec.get("version") or ""
    name, wanted = service["metadata"].get("name") or "", f"{version}.{group}"
    if name != wanted:
        problems.append(
            invalid_value("metadata.name", name, f'must be `spec.version+"."+spec.group`: "{wanted}"')
        )
    if not group and version != "v1":
        problems.append(
            required("spec.group", "only v1 may have an empty group and it better be legacy kube")
        )
    if group:
        problems += [invalid_value("spec.group", group, text) for text in is_dns1123_subdomain(group)]
    problems += [invalid_value("spec.version", version, text) for text in is_dns1035_label(version)]
    for field, highest in (
        ("groupPriorityMinimum", _GROUP_PRIORITY),
        ("versionPriority", _VERSION_PRIORITY),
    ):
        value = spec.get(field) or 0
        if not 0 < value <= highest:
            text = f"must be positive and less than {highest}"
            problems.append(invalid_value(f"spec.{field}", value, text))
    return problems + _check_way(spec)


def _check_way(spec: JSON) -> list[FieldError]:
    """The Service, and how it is trusted."""
    to, bundle, blind = spec.get("service"), spec.get("caBundle"), spec.get("insecureSkipTLSVerify")
    if to is None:
        problems = []
        if bundle:
            problems.append(
                invalid_value("spec.caBundle", bundle, "local APIServices may not have a caBundle")
            )
        if blind:
            text = "local APIServices may not have insecureSkipTLSVerify"
            problems.append(invalid_value("spec.insecureSkipTLSVerify", True, text))
        return problems
    problems = [required(f"spec.service.{part}") for part in ("namespace", "name") if not to.get(part)]
    port = to.get("port") or 0
    if not 0 < port < 65_536:
        text = "port is not valid: must be between 1 and 65535, inclusive"
        problems.append(invalid_value("spec.service.port", port, text))
    if blind and bundle:
        text = "may not be true if caBundle is present"
        problems.append(invalid_value("spec.insecureSkipTLSVerify", True, text))
    return problems


def available(service: JSON) -> JSON | None:
    """The condition ``Available``."""
    conditions = (service.get("status") or {}).get("conditions") or ()
    return next((each for each in conditions if each["type"] == "Available"), None)


def row(service: JSON, now: int) -> list[Any]:
    """The cells of an APIService."""
    to, condition = (service.get("spec") or {}).get("service"), available(service)
    shown = condition["status"] if condition else "Unknown"
    if condition and shown != "True":
        shown = f"{shown} ({condition.get('reason', '')})"
    where = f"{to['namespace']}/{to['name']}" if to else "Local"
    return [service["metadata"]["name"], where, shown, age(service, now)]


KIND = Kind(
    group=_OWN,
    version="v1",
    kind="APIService",
    resource="apiservices",
    singular="apiservice",
    namespaced=False,
    categories=("api-extensions",),
    subresources=STATUS,
    computed=computed,
    columns=(
        NAME,
        Column("Service", description="The reference to the service that hosts this API endpoint."),
        Column("Available", description="Whether this service is available."),
        AGE,
    ),
    row=row,
    default=default,
    prepare_create=prepare_create,
    prepare_update=keep_status,
    prepare_status=update_status,
    validate=validate,
    validate_update=lambda new, old: validate(new),
)
