"""Service.

Models pkg/registry/core/service/strategy.go, pkg/apis/core/v1/defaults.go (SetDefaults_Service) and
pkg/api/service/warnings.go.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.printing import AGE, NAME, NONE, age, doc, joined, labels_text
from cluster_engine.api.subresources import PROXY, STATUS
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.scheme import Beside, Column, Kind
from cluster_engine.component_helpers.service_cidrs import address_of, addresses

from .pod_spec.sharing import mapped
from .service_allocation import allocate, is_headless, prepare_create, prepare_update
from .service_validation import validate, validate_status, validate_update

_AFFINITY_SECONDS = 10800
_OLD_HINTS = "service.kubernetes.io/topology-aware-hints"
_TOPOLOGY_MODE = "service.kubernetes.io/topology-mode"
_PENDING = "<pending>"


def default(service: JSON) -> JSON:
    """The Service with its defaults; addresses are allocated later."""
    spec: JSON = service.get("spec") or {}
    add: JSON = {}
    affinity = spec.get("sessionAffinity") or "None"
    if not spec.get("sessionAffinity"):
        add["sessionAffinity"] = affinity
    if affinity == "None":
        if spec.get("sessionAffinityConfig") is not None:
            add["sessionAffinityConfig"] = None
    elif affinity == "ClientIP":
        client = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
        if client.get("timeoutSeconds") is None:
            add["sessionAffinityConfig"] = {"clientIP": {**client, "timeoutSeconds": _AFFINITY_SECONDS}}
    kind = spec.get("type") or "ClusterIP"
    if not spec.get("type"):
        add["type"] = kind
    ports = spec.get("ports")
    if ports:
        made = mapped(ports, _default_port)
        if made is not ports:
            add["ports"] = made
    reachable = kind in ("NodePort", "LoadBalancer") or (kind == "ClusterIP" and spec.get("externalIPs"))
    if reachable and not spec.get("externalTrafficPolicy"):
        add["externalTrafficPolicy"] = "Cluster"
    if spec.get("internalTrafficPolicy") is None and kind in ("NodePort", "LoadBalancer", "ClusterIP"):
        add["internalTrafficPolicy"] = "Cluster"
    if kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is None:
        add["allocateLoadBalancerNodePorts"] = True
    if not add:
        return service
    made_spec = {name: value for name, value in {**spec, **add}.items() if value is not None}
    return {**service, "spec": made_spec}


def _default_port(port: JSON) -> JSON:
    target = port.get("targetPort")
    if port.get("protocol") and target not in (None, 0, ""):
        return port
    made = {**port, "protocol": port.get("protocol") or "TCP"}
    if target in (None, 0, ""):
        made["targetPort"] = port.get("port") or 0
    return made


def prepare_status(new: JSON, old: JSON) -> JSON:
    """The status only; an address of a load balancer is a virtual one unless it says otherwise."""
    out = new if new.get("spec") is old.get("spec") else {**new, "spec": old.get("spec") or {}}
    status = out.get("status") or {}
    ingresses = (status.get("loadBalancer") or {}).get("ingress")
    if not ingresses or all(not i.get("ip") or i.get("ipMode") for i in ingresses):
        return out
    made = [{**i, "ipMode": i.get("ipMode") or "VIP"} if i.get("ip") else i for i in ingresses]
    return {**out, "status": {**status, "loadBalancer": {**status["loadBalancer"], "ingress": made}}}


def warnings(service: JSON) -> list[str]:
    """Fields that a headless Service ignores."""
    spec = service.get("spec") or {}
    out = []
    if _OLD_HINTS in (service["metadata"].get("annotations") or {}):
        out.append(f"annotation {_OLD_HINTS} is deprecated, please use {_TOPOLOGY_MODE} instead")
    if is_headless(spec):
        if spec.get("loadBalancerIP"):
            out.append("spec.loadBalancerIP is ignored for headless services")
        if spec.get("externalIPs"):
            out.append("spec.externalIPs is ignored for headless services")
        if spec.get("sessionAffinity") not in (None, "None"):
            out.append("spec.SessionAffinity is ignored for headless services")
    elif spec.get("externalIPs") and spec.get("type") != "ExternalName":
        out.append("spec.externalIPs is deprecated and may no longer be implemented in some clusters")
    if spec.get("type") == "ExternalName" and spec.get("externalIPs"):
        out.append('spec.externalIPs is ignored when spec.type is "ExternalName"')
    if spec.get("type") != "ExternalName" and spec.get("externalName"):
        out.append('spec.externalName is ignored when spec.type is not "ExternalName"')
    if spec.get("trafficDistribution") == "PreferClose":
        out.append('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"')
    return out


def _external_ip(service: JSON) -> str:
    spec = service.get("spec") or {}
    kind, own = spec.get("type"), spec.get("externalIPs") or []
    if kind == "ExternalName":
        return spec.get("externalName") or ""
    if kind == "LoadBalancer":
        ingresses = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
        given = {i.get("ip") or i.get("hostname") or "" for i in ingresses} - {""}
        return ",".join([*sorted(given), *own]) or _PENDING
    return joined(own)


def _ports(spec: JSON) -> str:
    out = []
    for port in spec.get("ports") or ():
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        out.append(f"{port.get('port')}{node}/{port.get('protocol')}")
    return joined(out)


def row(service: JSON, now: int) -> list[Any]:
    """The cells of a Service."""
    spec = service.get("spec") or {}
    return [
        service["metadata"]["name"],
        spec.get("type") or "",
        (spec.get("clusterIPs") or [""])[0] or NONE,
        _external_ip(service),
        _ports(spec),
        age(service, now),
        labels_text(spec.get("selector")),
    ]


KIND = Kind(
    group="",
    version="v1",
    kind="Service",
    resource="services",
    singular="service",
    namespaced=True,
    short_names=("svc",),
    categories=("all",),
    subresources={"proxy": PROXY._replace(shows=("", "v1", "ServiceProxyOptions")), **STATUS},
    columns=(
        NAME,
        Column("Type", description=doc("core.v1.ServiceSpec", "type")),
        Column("Cluster-IP", description=doc("core.v1.ServiceSpec", "clusterIP")),
        Column("External-IP", description=doc("core.v1.ServiceSpec", "externalIPs")),
        Column("Port(s)", description=doc("core.v1.ServiceSpec", "ports")),
        AGE,
        Column("Selector", description=doc("core.v1.ServiceSpec", "selector"), priority=1),
    ),
    row=row,
    default=default,
    prepare_create=prepare_create,
    prepare_update=prepare_update,
    prepare_status=prepare_status,
    validate=validate,
    validate_update=validate_update,
    validate_status=validate_status,
    warnings=warnings,
    allocate=allocate,
    beside=Beside(
        "ipaddresses.networking.k8s.io",
        lambda service: [address_of(service, ip) for ip in addresses(service)],
    ),
    create_on_update=True,
    returns_deleted=True,
    field_labels={
        "spec.clusterIP": lambda service: (service.get("spec") or {}).get("clusterIP") or "",
        "spec.type": lambda service: (service.get("spec") or {}).get("type") or "",
    },
)
