"""Cluster IPs, node ports and IP families of a Service.

The cluster has one family, IPv4. What is free is known by the server, which hands an allocation context to
`allocate`; what was given once stays with the Service through updates that do not name it.

Models pkg/registry/core/service/{strategy,storage/alloc,storage/storage}.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from cluster_engine.api.strategy import keep_status
from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, invalid_value

_WITH_CLUSTER_IP = ("ClusterIP", "NodePort", "LoadBalancer")
_WITH_NODE_PORT = ("NodePort", "LoadBalancer")
_FAMILY = "IPv4"
_NO_DUAL_STACK = "this cluster is not configured for dual-stack services"


class AllocContext(Protocol):
    """What the server offers; `uid` names the Service whose own allocations do not count."""

    def cluster_ip(self, uid: str) -> str:
        """A free address; RuntimeError when there is none."""

    def node_port(self, uid: str, what: str, mine: Iterable[int] = ()) -> int:
        """A free node port for its port `what`, none of `mine`; RuntimeError when there is none."""

    def cluster_ip_problem(self, address: str, uid: str = "") -> str:
        """Why this address cannot be had; "" when it can."""

    def node_port_problem(self, port: int, uid: str = "") -> str:
        """Why this node port cannot be had; "" when it can."""


def is_headless(spec: JSON) -> bool:
    """A Service without an address of its own."""
    return spec.get("clusterIP") == "None" or (spec.get("clusterIPs") or [""])[0] == "None"


def needs_health_check(spec: JSON) -> bool:
    """A load balancer asks the nodes whether they have a Pod of the Service."""
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def prepare_create(service: JSON) -> JSON:
    """No load balancer yet; clusterIP is also the first of clusterIPs."""
    spec = service.get("spec") or {}
    if spec.get("clusterIP") and not spec.get("clusterIPs"):
        spec = {**spec, "clusterIPs": [spec["clusterIP"]]}
    return {**service, "spec": spec, "status": {"loadBalancer": {}}}


def prepare_update(new: JSON, old: JSON) -> JSON:
    """What was allocated stays; what a changed type has no use for goes."""
    new = keep_status(new, old)
    if new.get("spec") is old.get("spec"):
        return new
    spec, was = dict(new.get("spec") or {}), old.get("spec") or {}
    _normalize_addresses(spec, was)
    _keep_allocated(spec, was)
    _drop_useless(spec, was)
    out = {**new, "spec": spec}
    if was.get("type") == "LoadBalancer" and spec.get("type") != "LoadBalancer":
        out["status"] = {"loadBalancer": {}}
    return out


def _normalize_addresses(spec: JSON, was: JSON) -> None:
    """clusterIP and clusterIPs say the same, whichever the client changed (NormalizeClusterIPs)."""
    if spec.get("clusterIP") == was.get("clusterIP"):
        return
    if not spec.get("clusterIP") and spec.get("clusterIPs") == was.get("clusterIPs"):
        spec.pop("clusterIPs", None)
    elif spec.get("clusterIP") and (spec.get("clusterIPs") or []) == (was.get("clusterIPs") or []):
        spec["clusterIPs"] = [spec["clusterIP"]]


def _keep_allocated(spec: JSON, was: JSON) -> None:
    kind, before = spec.get("type"), was.get("type")
    if kind in _WITH_CLUSTER_IP and before in _WITH_CLUSTER_IP:
        if not spec.get("clusterIP") and was.get("clusterIP"):
            spec["clusterIP"] = was["clusterIP"]
        if (
            not spec.get("clusterIPs")
            and spec.get("clusterIP") == was.get("clusterIP")
            and was.get("clusterIPs")
        ):
            spec["clusterIPs"] = was["clusterIPs"]
        for field in ("ipFamilies", "ipFamilyPolicy"):
            if not spec.get(field) and was.get(field):
                spec[field] = was[field]
    if kind in _WITH_NODE_PORT and before in _WITH_NODE_PORT:
        given = {
            (p.get("protocol"), p.get("port")): p["nodePort"]
            for p in was.get("ports") or ()
            if p.get("nodePort")
        }
        taken = {p["nodePort"] for p in spec.get("ports") or () if p.get("nodePort")}
        ports = []
        for port in spec.get("ports") or ():
            number = given.get((port.get("protocol"), port.get("port")))
            if not port.get("nodePort") and number and number not in taken:
                port = {**port, "nodePort": number}
            ports.append(port)
        spec["ports"] = ports
    if needs_health_check(spec) and needs_health_check(was) and not spec.get("healthCheckNodePort"):
        spec["healthCheckNodePort"] = was.get("healthCheckNodePort")


def _drop_useless(spec: JSON, was: JSON) -> None:
    """Fields that only made sense for the old type go, unless changed too (dropTypeDependentFields)."""
    kind, before = spec.get("type"), was.get("type")
    if before in _WITH_CLUSTER_IP and kind not in _WITH_CLUSTER_IP:
        for field in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if spec.get(field) == was.get(field):
                spec.pop(field, None)
    if before in _WITH_NODE_PORT and kind not in _WITH_NODE_PORT:
        old = {p.get("nodePort") for p in was.get("ports") or ()}
        if all(p.get("nodePort") in old or not p.get("nodePort") for p in spec.get("ports") or ()):
            spec["ports"] = [{n: v for n, v in p.items() if n != "nodePort"} for p in spec.get("ports") or ()]
    if needs_health_check(was) and not needs_health_check(spec):
        _drop_same(spec, was, "healthCheckNodePort")
    if before == "LoadBalancer" and kind != "LoadBalancer":
        _drop_same(spec, was, "allocateLoadBalancerNodePorts")
        _drop_same(spec, was, "loadBalancerClass")
    if before in _WITH_NODE_PORT and kind not in _WITH_NODE_PORT and not spec.get("externalIPs"):
        _drop_same(spec, was, "externalTrafficPolicy")
    if before == "ExternalName" and kind != "ExternalName":
        _drop_same(spec, was, "externalName")


def _drop_same(spec: JSON, was: JSON, field: str) -> None:
    if spec.get(field) == was.get(field):
        spec.pop(field, None)


def allocate(service: JSON, context: AllocContext) -> JSON:
    """The Service with its families, addresses and node ports. Raises ApiError 422 or 500."""
    spec = dict(service.get("spec") or {})
    kind = spec.get("type")
    if kind not in _WITH_CLUSTER_IP:
        return service  # an ExternalName has nothing to allocate, an unknown type is refused by validation
    uid = service["metadata"].get("uid", "")
    problems = _families(spec)
    if not problems:
        problems = _cluster_ips(spec, context, uid)
    if not problems:
        problems = _node_ports(spec, context, uid)
    if problems:
        raise errors.invalid("", "Service", service["metadata"].get("name", ""), problems)
    return {**service, "spec": spec}


def _families(spec: JSON) -> list[FieldError]:
    """ipFamilies and ipFamilyPolicy (initIPFamilyFields)."""
    policy = spec.get("ipFamilyPolicy")
    families = spec.get("ipFamilies") or []
    if is_headless(spec) and not spec.get("selector"):
        spec["ipFamilyPolicy"] = policy = policy or "RequireDualStack"
        wanted = [_FAMILY] if policy == "SingleStack" else [_FAMILY, "IPv6"]
        spec["ipFamilies"] = families + [
            f for f in wanted if f not in families and len(families) < len(wanted)
        ]
        return []
    problems = []
    if policy == "RequireDualStack":
        problems.append(invalid_value("spec.ipFamilyPolicy", policy, _NO_DUAL_STACK))
    for index, family in enumerate(families):
        if family == "IPv6":
            problems.append(
                invalid_value(f"spec.ipFamilies[{index}]", family, "not configured on this cluster")
            )
    if problems:
        return problems
    spec["ipFamilyPolicy"] = policy or "SingleStack"
    if not families:
        spec["ipFamilies"] = [_FAMILY]
    return []


def _cluster_ips(spec: JSON, context: AllocContext, uid: str) -> list[FieldError]:
    if is_headless(spec):
        spec["clusterIP"] = "None"
        spec["clusterIPs"] = spec.get("clusterIPs") or ["None"]
        return []
    given = spec.get("clusterIPs") or ([spec["clusterIP"]] if spec.get("clusterIP") else [])
    if given and given[0]:
        problem = context.cluster_ip_problem(given[0], uid)
        if problem:
            return [invalid_value("spec.clusterIPs", given, problem)]
        spec["clusterIP"], spec["clusterIPs"] = spec.get("clusterIP") or given[0], given
        return []
    try:
        address = context.cluster_ip(uid)
    except RuntimeError as full:
        raise errors.internal(f"failed to allocate a serviceIP: {full}") from full
    spec["clusterIP"], spec["clusterIPs"] = address, [address]
    return []


def _node_ports(spec: JSON, context: AllocContext, uid: str) -> list[FieldError]:
    kind = spec.get("type")
    problems: list[FieldError] = []

    def free(what: str, mine: Iterable[int]) -> int:
        try:
            return context.node_port(uid, what, mine)
        except RuntimeError as full:
            raise errors.internal(f"failed to allocate a nodePort: {full}") from full

    if kind in _WITH_NODE_PORT:
        automatic = kind == "NodePort" or spec.get("allocateLoadBalancerNodePorts") is not False
        ports: list[JSON] = []
        # One port number serves several protocols of one Service (53/TCP and 53/UDP).
        shared: dict[tuple[int, str], int] = {}
        mine = {p["nodePort"] for p in spec.get("ports") or () if p.get("nodePort")}
        for index, port in enumerate(spec.get("ports") or ()):
            number, protocol = port.get("nodePort"), port.get("protocol", "")
            if number:
                problem = context.node_port_problem(number, uid)
                if problem:
                    problems.append(invalid_value(f"spec.ports[{index}].nodePort", number, problem))
            elif automatic:
                others = [
                    n for (p, proto), n in shared.items() if p == port.get("port") and proto != protocol
                ]
                port = {
                    **port,
                    "nodePort": others[0] if others else free(f"{port.get('port')}/{protocol}", mine),
                }
                mine.add(port["nodePort"])
            if port.get("nodePort"):
                shared[(port.get("port") or 0, protocol)] = port["nodePort"]
            ports.append(port)
        spec["ports"] = ports
    if needs_health_check(spec) and not spec.get("healthCheckNodePort"):
        spec["healthCheckNodePort"] = free("health", ())
    return problems
