"""Checks on a whole Pod spec, and on a template that holds one.

Models pkg/apis/core/validation (ValidatePodSpec, ValidatePodTemplateSpec).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)
from cluster_engine.apimachinery.identity_cache import RULE_CACHE
from cluster_engine.apimachinery.ip_validation import is_ip
from cluster_engine.apimachinery.validation import (
    is_dns1123_label,
    is_dns1123_subdomain,
    is_qualified_name,
    validate_annotations,
    validate_labels,
)

from .containers import (
    Around,
    check_containers,
    check_ephemeral_containers,
    check_image_space,
    check_init_containers,
)
from .resources import check_pod_level, check_quantity
from .scheduling import check_affinity, check_scheduling_gates, check_tolerations, check_topology_spread
from .security import check_host_users, check_pod_security
from .volumes import check_volumes

_RESTART_POLICIES = ("Always", "OnFailure", "Never")
_DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_MAX_INT32 = 2**31 - 1
_MAX_HOSTNAME = 64
_MAX_NAMESERVERS = 3
_MAX_SEARCHES = 32
_MAX_SEARCH_CHARS = 2048
_OS = ("linux", "windows")


def _once(
    spec: JSON, field: str, path: str, check: Callable[[Any, str], list[FieldError]], out: list[FieldError]
) -> None:
    """Check a part of the spec that does not depend on the rest, unless this very part was found valid."""
    value = spec.get(field)
    if not value:
        return
    if RULE_CACHE.of(field, value):
        return
    problems = check(value, f"{path}.{field}")
    if problems:
        out += problems
    else:
        RULE_CACHE.keep(field, value)


def validate_pod_spec(spec: JSON, path: str = "spec", *, pod: bool) -> list[FieldError]:
    """What is wrong with a Pod's spec. `pod`: it is a Pod's own, not a template's."""
    problems: list[FieldError] = []
    if spec.get("terminationGracePeriodSeconds") is None:
        problems.append(required(f"{path}.terminationGracePeriodSeconds"))
    volumes: dict[str, JSON] = {}
    if spec.get("volumes"):
        volumes, found = check_volumes(spec["volumes"], f"{path}.volumes")
        problems += found
    claims = _claims(spec, path, problems) if spec.get("resourceClaims") else ()
    restart = spec.get("restartPolicy") or ""
    around = Around(
        volumes,
        claims,
        spec.get("terminationGracePeriodSeconds"),
        restart,
        spec.get("hostUsers") is not False,
    )
    containers: list[JSON] = spec.get("containers") or []
    problems += check_containers(containers, around, f"{path}.containers")
    if spec.get("initContainers"):
        problems += check_init_containers(
            spec["initContainers"], containers, around, f"{path}.initContainers"
        )
    if spec.get("ephemeralContainers"):
        problems += check_ephemeral_containers(spec, around, f"{path}.ephemeralContainers")
    if spec.get("resources"):
        problems += check_pod_level(spec, f"{path}.resources")
    if spec.get("hostNetwork"):
        problems += _check_host_network(containers, path, pod)
    if restart not in _RESTART_POLICIES:
        where = f"{path}.restartPolicy"
        problems.append(not_supported(where, restart, _RESTART_POLICIES) if restart else required(where))
    dns = spec.get("dnsPolicy") or ""
    if dns not in _DNS_POLICIES:
        where = f"{path}.dnsPolicy"
        problems.append(not_supported(where, dns, _DNS_POLICIES) if dns else required(where))
    _once(spec, "nodeSelector", path, validate_labels, problems)
    if spec.get("securityContext") or spec.get("shareProcessNamespace"):
        problems += check_pod_security(spec, path)
    _once(spec, "affinity", path, check_affinity, problems)
    if spec.get("dnsConfig") or dns == "None":
        problems += _check_dns_config(spec.get("dnsConfig"), dns, f"{path}.dnsConfig")
    _once(spec, "readinessGates", path, _check_readiness_gates, problems)
    _once(spec, "schedulingGates", path, check_scheduling_gates, problems)
    _once(spec, "topologySpreadConstraints", path, check_topology_spread, problems)
    if spec.get("hostUsers") is False:
        problems += check_host_users(spec, path)
    for field, rule in _NAMES:
        value = spec.get(field)
        if value:
            problems += [invalid_value(f"{path}.{field}", value, text) for text in rule(value)]
    override = spec.get("hostnameOverride") or ""
    if len(override) > _MAX_HOSTNAME:
        problems.append(
            invalid_value(f"{path}.hostnameOverride", override, f"must be no more than {_MAX_HOSTNAME} bytes")
        )
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= _MAX_INT32:
        text = f"must be between 1 and {_MAX_INT32}, inclusive"
        problems.append(invalid_value(f"{path}.activeDeadlineSeconds", deadline, text))
    _once(spec, "tolerations", path, check_tolerations, problems)
    _once(spec, "hostAliases", path, _check_host_aliases, problems)
    preemption = spec.get("preemptionPolicy")
    if preemption is not None and preemption not in ("PreemptLowerPriority", "Never"):
        where = f"{path}.preemptionPolicy"
        choices = ("PreemptLowerPriority", "Never")
        problems.append(not_supported(where, preemption, choices) if preemption else required(where))
    for name, value in (spec.get("overhead") or {}).items():
        problems += check_quantity(name, value, f"{path}.overhead[{name}]")
    if spec.get("os") is not None:
        problems += _check_os(spec, path)
    if pod:
        problems += _check_pod_only(spec, path)
    return problems


_NAMES: tuple[tuple[str, Callable[[str], list[str]]], ...] = (
    ("serviceAccountName", is_dns1123_subdomain),
    ("nodeName", is_dns1123_subdomain),
    ("hostname", is_dns1123_label),
    ("subdomain", is_dns1123_label),
    ("hostnameOverride", is_dns1123_subdomain),
    ("priorityClassName", is_dns1123_subdomain),
    ("runtimeClassName", is_dns1123_subdomain),
)


def _check_pod_only(spec: JSON, path: str) -> list[FieldError]:
    """What holds for Pods but, for old clients' sake, not for templates."""
    problems: list[FieldError] = []
    if not spec.get("serviceAccountName"):
        for index, volume in enumerate(spec.get("volumes") or ()):
            for number, source in enumerate((volume.get("projected") or {}).get("sources") or ()):
                if source.get("serviceAccountToken") is not None:
                    where = f"{path}.volumes[{index}].projected.sources[{number}].serviceAccountToken"
                    text = "must not be specified when serviceAccountName is not set"
                    problems.append(forbidden_field(where, text))
    for field in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(field) or ()):
            problems += check_image_space(container, f"{path}.{field}[{index}]")
    return problems


def _claims(spec: JSON, path: str, problems: list[FieldError]) -> list[str]:
    names: list[str] = []
    for index, claim in enumerate(spec["resourceClaims"]):
        name, where = claim.get("name") or "", f"{path}.resourceClaims[{index}]"
        if not name:
            problems.append(required(f"{where}.name"))
        elif name in names:
            problems.append(duplicate(f"{where}.name", name))
        else:
            problems += [invalid_value(f"{where}.name", name, text) for text in is_dns1123_label(name)]
            names.append(name)
        sources = [f for f in ("resourceClaimName", "resourceClaimTemplateName") if claim.get(f) is not None]
        if len(sources) != 1:
            text = (
                "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
                if sources
                else "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"
            )
            problems.append(invalid_value(where, claim, text))
    return names


def _check_host_network(containers: list[JSON], path: str, pod: bool) -> list[FieldError]:
    problems = []
    for index, container in enumerate(containers):
        for number, port in enumerate(container.get("ports") or ()):
            host = port.get("hostPort") or 0
            if (pod or host) and host != (port.get("containerPort") or 0):
                where = f"{path}.containers[{index}].ports[{number}].hostPort"
                text = "must match `containerPort` when `hostNetwork` is true"
                problems.append(invalid_value(where, host, text))
    return problems


def _check_dns_config(config: JSON | None, policy: str, path: str) -> list[FieldError]:
    if policy == "None":
        if config is None:
            return [required(path, "must provide `dnsConfig` when `dnsPolicy` is None")]
        if not config.get("nameservers"):
            text = "must provide at least one DNS nameserver when `dnsPolicy` is None"
            return [required(f"{path}.nameservers", text)]
    config = config or {}
    servers, searches = config.get("nameservers") or [], config.get("searches") or []
    problems: list[FieldError] = []
    if len(servers) > _MAX_NAMESERVERS:
        text = f"must not have more than {_MAX_NAMESERVERS} nameservers"
        problems.append(invalid_value(f"{path}.nameservers", servers, text))
    for index, server in enumerate(servers):
        problems += [invalid_value(f"{path}.nameservers[{index}]", server, text) for text in is_ip(server)]
    if len(searches) > _MAX_SEARCHES:
        text = f"must not have more than {_MAX_SEARCHES} search paths"
        problems.append(invalid_value(f"{path}.searches", searches, text))
    if len(" ".join(searches)) > _MAX_SEARCH_CHARS:
        text = f"must not have more than {_MAX_SEARCH_CHARS} characters (including spaces) in the search list"
        problems.append(invalid_value(f"{path}.searches", searches, text))
    for index, search in enumerate(searches):
        if search == ".":
            continue
        # Underscores are allowed in searches since 1.32, so they are looked at as if they were dashes.
        plain = search.removesuffix(".").replace("_", "a")
        where = f"{path}.searches[{index}]"
        problems += [invalid_value(where, search, text) for text in is_dns1123_subdomain(plain)]
    for index, option in enumerate(config.get("options") or ()):
        if not option.get("name"):
            problems.append(required(f"{path}.options[{index}]", "must not be empty"))
    return problems


def _check_readiness_gates(gates: list[JSON], path: str) -> list[FieldError]:
    problems: list[FieldError] = []
    for index, gate in enumerate(gates):
        name = gate.get("conditionType") or ""
        where = f"{path}[{index}].conditionType"
        problems += [invalid_value(where, name, text) for text in is_qualified_name(name)]
    return problems


def _check_host_aliases(aliases: list[JSON], path: str) -> list[FieldError]:
    problems: list[FieldError] = []
    for index, alias in enumerate(aliases):
        address, where = alias.get("ip") or "", f"{path}[{index}]"
        problems += [invalid_value(f"{where}.ip", address, text) for text in is_ip(address)]
        for number, name in enumerate(alias.get("hostnames") or ()):
            at = f"{where}.hostnames[{number}]"
            problems += [invalid_value(at, name, text) for text in is_dns1123_subdomain(name)]
    return problems


def _check_os(spec: JSON, path: str) -> list[FieldError]:
    name = spec["os"].get("name") or ""
    if not name:
        return [required(f"{path}.os.name", "cannot be empty")]
    if name not in _OS:
        return [not_supported(f"{path}.os", name, _OS)]
    if name == "linux":
        context = spec.get("securityContext") or {}
        if context.get("windowsOptions") is not None:
            where = f"{path}.securityContext.windowsOptions"
            return [forbidden_field(where, "windows options cannot be set for a linux pod")]
    return []


def validate_template(template: JSON, path: str) -> list[FieldError]:
    """What is wrong with a PodTemplateSpec."""
    if RULE_CACHE.of("template is valid", template):
        return []
    meta, spec = template.get("metadata") or {}, template.get("spec") or {}
    problems = validate_labels(meta.get("labels"), f"{path}.labels")
    problems += validate_annotations(meta.get("annotations"), f"{path}.annotations")
    problems += validate_pod_spec(spec, f"{path}.spec", pod=False)
    if spec.get("ephemeralContainers"):
        text = "ephemeral containers not allowed in pod template"
        problems.append(forbidden_field(f"{path}.spec.ephemeralContainers", text))
    if not problems:
        RULE_CACHE.keep("template is valid", template)
    return problems
