"""Checks on Services.

Models pkg/apis/core/validation (ValidateService, ValidateServiceUpdate).
"""

from __future__ import annotations

from cluster_engine.api.meta import check_meta
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)
from cluster_engine.apimachinery.ip_validation import is_cidr, is_ip
from cluster_engine.apimachinery.validation import (
    is_dns1123_label,
    is_dns1123_subdomain,
    is_port_number,
    is_qualified_name,
    validate_labels,
)

from .addresses import check_not_special
from .pod_spec.handlers import check_port
from .service_allocation import is_headless, needs_health_check

_OLD_HINTS = "service.kubernetes.io/topology-aware-hints"
_TOPOLOGY_MODE = "service.kubernetes.io/topology-mode"
_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_AFFINITIES = ("ClientIP", "None")
_POLICIES = ("Cluster", "Local")
_FAMILIES = ("IPv4", "IPv6")
_FAMILY_POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")
_DISTRIBUTIONS = ("PreferClose", "PreferSameZone", "PreferSameNode")
_MAX_AFFINITY_SECONDS = 86400
_ONLY_LOAD_BALANCER = "may only be used when `type` is 'LoadBalancer'"
_ONCE = "may not change once set"


def validate(service: JSON) -> list[FieldError]:
    """What is wrong with a new Service."""
    problems = check_meta(service, name_rule="label")
    annotations = service["metadata"].get("annotations") or {}
    mode, hints = annotations.get(_TOPOLOGY_MODE), annotations.get(_OLD_HINTS)
    if mode is not None and hints is not None and mode != hints:
        text = f"must match annotations[{_OLD_HINTS}] when both are specified"
        problems.append(invalid_value(f"metadata.annotations[{_TOPOLOGY_MODE}]", mode, text))
    return problems + check_spec(service.get("spec") or {})


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """What is wrong with an update."""
    spec, was = new.get("spec") or {}, old.get("spec") or {}
    if spec is was:
        return []
    problems: list[FieldError] = []
    if "ExternalName" not in (spec.get("type"), was.get("type")):
        problems += _check_addresses_kept(spec, was)
    balanced = spec.get("type") == was.get("type") == "LoadBalancer"
    if balanced and spec.get("loadBalancerClass") != was.get("loadBalancerClass"):
        problems.append(invalid_value("spec.loadBalancerClass", spec.get("loadBalancerClass"), _ONCE))
    checked = needs_health_check(spec) and needs_health_check(was)
    if checked and spec.get("healthCheckNodePort") != was.get("healthCheckNodePort"):
        problems.append(forbidden_field("spec.healthCheckNodePort", "field is immutable"))
    return problems + check_spec(spec)


def _check_addresses_kept(spec: JSON, was: JSON) -> list[FieldError]:
    headless, before = is_headless(spec), is_headless(was)
    addresses, had = spec.get("clusterIPs") or [], was.get("clusterIPs") or []
    problems: list[FieldError] = []
    if not (headless and before):
        if had and not addresses:
            text = "primary clusterIP can not be unset"
            problems.append(invalid_value("spec.clusterIPs[0]", addresses, text))
        for index, (new, old) in enumerate(zip(addresses, had, strict=False)):
            if new != old:
                problems.append(invalid_value(f"spec.clusterIPs[{index}]", addresses, _ONCE))
    if not headless and not before:
        families, had = spec.get("ipFamilies") or [], was.get("ipFamilies") or []
        if families and had and families[0] != had[0]:
            problems.append(invalid_value("spec.ipFamilies[0]", families, _ONCE))
    return problems


def check_spec(spec: JSON) -> list[FieldError]:
    """Everything that does not depend on another object."""
    kind, headless, ports = spec.get("type") or "", is_headless(spec), spec.get("ports") or []
    problems: list[FieldError] = []
    if not ports and not headless and kind != "ExternalName":
        problems.append(required("spec.ports"))
    if kind in ("LoadBalancer", "NodePort") and headless:
        text = f"may not be set to 'None' for {kind} services"
        problems.append(invalid_value("spec.clusterIPs[0]", "None", text))
    elif kind == "ExternalName":
        problems += _check_external_name(spec)
    names: set[str] = set()
    for index, port in enumerate(ports):
        problems += _check_port(port, len(ports) > 1, names, f"spec.ports[{index}]")
    if spec.get("selector"):
        problems += validate_labels(spec["selector"], "spec.selector")
    problems += _check_affinity(spec)
    if kind != "ExternalName":
        problems += _check_cluster_ips(spec)
    for index, address in enumerate(spec.get("externalIPs") or ()):
        path = f"spec.externalIPs[{index}]"
        wrong = [invalid_value(path, address, text) for text in is_ip(address)]
        problems += wrong or check_not_special(address, path)
    if kind not in _TYPES:
        problems.append(not_supported("spec.type", kind, _TYPES) if kind else required("spec.type"))
    problems += _check_port_numbers(ports, kind)
    problems += _check_load_balancer(spec, kind)
    return problems + _check_traffic(spec, kind)


def _check_external_name(spec: JSON) -> list[FieldError]:
    problems = [
        forbidden_field(f"spec.{field}", "may not be set for ExternalName services")
        for field in ("clusterIPs", "ipFamilies", "ipFamilyPolicy")
        if spec.get(field)
    ]
    name = (spec.get("externalName") or "").removesuffix(".")
    if not name:
        return [*problems, required("spec.externalName")]
    return problems + [invalid_value("spec.externalName", name, text) for text in is_dns1123_subdomain(name)]


def _check_port(port: JSON, require_name: bool, names: set[str], path: str) -> list[FieldError]:
    name, number, protocol = port.get("name") or "", port.get("port") or 0, port.get("protocol") or ""
    problems: list[FieldError] = []
    if name:
        problems += [invalid_value(f"{path}.name", name, text) for text in is_dns1123_label(name)]
        if name in names:
            problems.append(duplicate(f"{path}.name", name))
        names.add(name)
    elif require_name:
        problems.append(required(f"{path}.name"))
    problems += [invalid_value(f"{path}.port", number, text) for text in is_port_number(number)]
    if not protocol:
        problems.append(required(f"{path}.protocol"))
    elif protocol not in _PROTOCOLS:
        problems.append(not_supported(f"{path}.protocol", protocol, _PROTOCOLS))
    problems += check_port(port.get("targetPort"), f"{path}.targetPort")
    if port.get("appProtocol") is not None:
        name = port["appProtocol"]
        problems += [invalid_value(f"{path}.appProtocol", name, text) for text in is_qualified_name(name)]
    return problems


def _check_affinity(spec: JSON) -> list[FieldError]:
    affinity, config = spec.get("sessionAffinity") or "", spec.get("sessionAffinityConfig")
    if not affinity:
        return [required("spec.sessionAffinity")]
    if affinity not in _AFFINITIES:
        return [not_supported("spec.sessionAffinity", affinity, _AFFINITIES)]
    path = "spec.sessionAffinityConfig"
    if affinity == "None":
        if config is None:
            return []
        return [forbidden_field(path, "must not be set when session affinity is None")]
    seconds = ((config or {}).get("clientIP") or {}).get("timeoutSeconds")
    path = f"{path}.clientIP.timeoutSeconds"
    if seconds is None:
        return [required(path, "when session affinity type is ClientIP")]
    if not 0 < seconds <= _MAX_AFFINITY_SECONDS:
        return [invalid_value(path, seconds, f"must be greater than 0 and less than {_MAX_AFFINITY_SECONDS}")]
    return []


def _check_cluster_ips(spec: JSON) -> list[FieldError]:
    address, addresses = spec.get("clusterIP") or "", spec.get("clusterIPs") or []
    families, policy = spec.get("ipFamilies") or [], spec.get("ipFamilyPolicy")
    path = "spec.clusterIPs"
    problems: list[FieldError] = []
    if address and not addresses:
        problems.append(required(path))
    elif address and addresses[0] != address:
        problems.append(invalid_value(path, addresses, "first value must match `clusterIP`"))
    elif addresses and not address:
        problems.append(invalid_value(path, addresses, "must be empty when `clusterIP` is not specified"))
    for index, family in enumerate(families):
        if family not in _FAMILIES:
            problems.append(not_supported(f"spec.ipFamilies[{index}]", family, _FAMILIES))
        if family in families[:index]:
            problems.append(duplicate(f"spec.ipFamilies[{index}]", family))
    if policy is not None and policy not in _FAMILY_POLICIES:
        problems.append(not_supported("spec.ipFamilyPolicy", policy, _FAMILY_POLICIES))
    wrong: list[FieldError] = []
    for index, value in enumerate(addresses):
        if index == 0 and value == "None":
            if len(addresses) > 1:
                wrong.append(invalid_value(path, addresses, "'None' must be the first and only value"))
            continue
        wrong += [invalid_value(f"{path}[{index}]", value, text) for text in is_ip(value)]
    problems += wrong
    if len(addresses) > 2:
        problems.append(invalid_value(path, addresses, "may only hold up to 2 values"))
    if wrong:
        return problems
    if len(addresses) > 1 and sum(":" in value for value in addresses) != 1:
        text = "may specify no more than one IP for each IP family"
        problems.append(invalid_value(path, addresses, text))
    if not is_headless(spec):
        for index, (value, family) in enumerate(zip(addresses, families, strict=False)):
            if (family == "IPv6") != (":" in value):
                text = f"expected an {family} value as indicated by `ipFamilies[{index}]`"
                problems.append(invalid_value(f"{path}[{index}]", value, text))
    return problems


def _check_port_numbers(ports: list[JSON], kind: str) -> list[FieldError]:
    """Node ports only where they mean something; no port twice."""
    problems: list[FieldError] = []
    if kind == "ClusterIP":
        problems += [
            forbidden_field(f"spec.ports[{index}].nodePort", "may not be used when `type` is 'ClusterIP'")
            for index, port in enumerate(ports)
            if port.get("nodePort")
        ]
    node_ports: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        number = port.get("nodePort")
        if not number:
            continue
        key = (port.get("protocol", ""), number)
        if key in node_ports:
            problems.append(duplicate(f"spec.ports[{index}].nodePort", number))
        node_ports.add(key)
    numbers: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        key = (port.get("protocol", ""), port.get("port") or 0)
        if key in numbers:
            # The internal struct is printed with Go's own field names.
            shown = {
                "Name": "",
                "Protocol": key[0],
                "AppProtocol": None,
                "Port": key[1],
                "TargetPort": 0,
                "NodePort": 0,
            }
            problems.append(duplicate(f"spec.ports[{index}]", shown))
        numbers.add(key)
    return problems


def _check_load_balancer(spec: JSON, kind: str) -> list[FieldError]:
    problems: list[FieldError] = []
    path = "spec.LoadBalancerSourceRanges"  # upstream's capital L
    ranges = spec.get("loadBalancerSourceRanges") or ()
    if ranges and kind != "LoadBalancer":
        problems.append(forbidden_field(path, _ONLY_LOAD_BALANCER))
    for index, network in enumerate(ranges):
        network = network.strip()
        problems += [invalid_value(f"{path}[{index}]", network, text) for text in is_cidr(network)]
    allocate = spec.get("allocateLoadBalancerNodePorts")
    if allocate is not None and kind != "LoadBalancer":
        problems.append(forbidden_field("spec.allocateLoadBalancerNodePorts", _ONLY_LOAD_BALANCER))
    if allocate is None and kind == "LoadBalancer":
        problems.append(required("allocateLoadBalancerNodePorts"))
    cloud = spec.get("loadBalancerClass")
    if cloud is not None:
        path = "spec.loadBalancerClass"
        if kind == "LoadBalancer":
            problems += [invalid_value(path, cloud, text) for text in is_qualified_name(cloud)]
        else:
            problems.append(forbidden_field(path, _ONLY_LOAD_BALANCER))
    return problems


def _check_traffic(spec: JSON, kind: str) -> list[FieldError]:
    problems: list[FieldError] = []
    external, path = spec.get("externalTrafficPolicy") or "", "spec.externalTrafficPolicy"
    reachable = kind in ("LoadBalancer", "NodePort") or (kind == "ClusterIP" and spec.get("externalIPs"))
    if not reachable:
        if external:
            text = "may only be set for externally-accessible services"
            problems.append(invalid_value(path, external, text))
    elif not external:
        problems.append(required(path))
    elif external not in _POLICIES:
        problems.append(not_supported(path, external, _POLICIES))
    health, path = spec.get("healthCheckNodePort") or 0, "spec.healthCheckNodePort"
    if needs_health_check(spec):
        if not health:
            problems.append(required(path))
        problems += [invalid_value(path, health, text) for text in is_port_number(health or 1)]
    elif health:
        text = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        problems.append(invalid_value(path, health, text))
    internal, path = spec.get("internalTrafficPolicy"), "spec.internalTrafficPolicy"
    if internal is None:
        if kind in ("NodePort", "LoadBalancer", "ClusterIP"):
            problems.append(required(path))
    elif internal not in _POLICIES:
        problems.append(not_supported(path, internal, _POLICIES))
    distribution = spec.get("trafficDistribution")
    if distribution is not None and distribution not in _DISTRIBUTIONS:
        problems.append(not_supported("spec.trafficDistribution", distribution, _DISTRIBUTIONS))
    return problems


def validate_status(new: JSON, old: JSON) -> list[FieldError]:
    """Addresses that a load balancer was given."""
    ingresses = ((new.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    path = "status.loadBalancer.ingress"
    if ingresses and (new.get("spec") or {}).get("type") != "LoadBalancer":
        return [forbidden_field(path, "may only be used when `spec.type` is 'LoadBalancer'")]
    problems: list[FieldError] = []
    for index, ingress in enumerate(ingresses):
        where, address, mode = f"{path}[{index}]", ingress.get("ip") or "", ingress.get("ipMode")
        if address:
            problems += [invalid_value(f"{where}.ip", address, text) for text in is_ip(address)]
            if mode is None:
                problems.append(required(f"{where}.ipMode", "must be specified when `ip` is set"))
        elif mode is not None:
            problems.append(forbidden_field(f"{where}.ipMode", "may not be specified when `ip` is not set"))
        if mode is not None and address and mode not in ("Proxy", "VIP"):
            problems.append(not_supported(f"{where}.ipMode", mode, ("Proxy", "VIP")))
        name = ingress.get("hostname") or ""
        if name:
            problems += [
                invalid_value(f"{where}.hostname", name, text) for text in is_dns1123_subdomain(name)
            ]
            if not is_ip(name):
                text = "must be a DNS name, not an IP address"
                problems.append(invalid_value(f"{where}.hostname", name, text))
    return problems
