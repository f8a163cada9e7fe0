"""Ingress.

Models pkg/registry/networking/ingress/strategy.go and pkg/apis/networking/validation (ValidateIngress).
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.meta import check_meta
from cluster_engine.api.printing import AGE, NAME, NONE, age, doc
from cluster_engine.api.strategy import create_spec, update_spec, update_status
from cluster_engine.api.subresources import STATUS
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, invalid_value, not_supported, required
from cluster_engine.apimachinery.ip_validation import is_ip
from cluster_engine.apimachinery.scheme import Column, Kind
from cluster_engine.apimachinery.validation import (
    is_dns1123_label,
    is_dns1123_subdomain,
    is_path_segment_name,
    is_port_name,
    is_port_number,
    is_wildcard_dns1123_subdomain,
)

CLASS_ANNOTATION = "kubernetes.io/ingress.class"
_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_SEQUENCES = ("//", "/./", "/../", "%2f", "%2F")
_SUFFIXES = ("/..", "/.")
_HOSTS_SHOWN = 3
"""Hosts that a table shows."""


def default(ingress: JSON) -> JSON:
    """Shows an empty spec."""
    return ingress if ingress.get("spec") is not None else {**ingress, "spec": {}}


def prepare_create(ingress: JSON) -> JSON:
    """A new Ingress has no address."""
    return {**create_spec(ingress), "status": {"loadBalancer": {}}}


def _check_host(host: str, path: str) -> list[FieldError]:
    check = is_wildcard_dns1123_subdomain if "*" in host else is_dns1123_subdomain
    return [invalid_value(path, host, text) for text in check(host)]


def check_local_reference(reference: JSON, path: str) -> list[FieldError]:
    """A group, a kind and a name (validateIngressTypedLocalObjectReference)."""
    problems: list[FieldError] = []
    group = reference.get("apiGroup")
    if group is not None:
        problems += [invalid_value(f"{path}.apiGroup", group, text) for text in is_dns1123_subdomain(group)]
    for field in ("kind", "name"):
        value = reference.get(field) or ""
        if not value:
            problems.append(required(f"{path}.{field}", f"{field} is required"))
        problems += [invalid_value(f"{path}.{field}", value, text) for text in is_path_segment_name(value)]
    return problems


def _check_backend(backend: JSON, path: str) -> list[FieldError]:
    service, resource = backend.get("service"), backend.get("resource")
    if service is not None and resource is not None:
        return [invalid_value(path, "", "cannot set both resource and service backends")]
    if resource is not None:
        return check_local_reference(resource, f"{path}.resource")
    if service is None:
        return [invalid_value(path, "", "resource or service backend is required")]
    where, name = f"{path}.service", service.get("name") or ""
    problems = [] if name else [required(f"{where}.name")]
    if name:
        problems += [invalid_value(f"{where}.name", name, text) for text in is_dns1123_label(name)]
    port = service.get("port") or {}
    named, number = port.get("name") or "", port.get("number") or 0
    if named and number:
        problems.append(invalid_value(path, "", "cannot set both port name & port number"))
    elif named:
        problems += [invalid_value(f"{where}.port.name", named, text) for text in is_port_name(named)]
    elif number:
        problems += [invalid_value(f"{where}.port.number", number, text) for text in is_port_number(number)]
    else:
        problems.append(required(path, "port name or number is required"))
    return problems


def _check_path(entry: JSON, path: str) -> list[FieldError]:
    kind, text = entry.get("pathType"), entry.get("path") or ""
    if kind is None:
        return [required(f"{path}.pathType", "pathType must be specified")]
    problems: list[FieldError] = []
    where = f"{path}.path"
    if kind not in _PATH_TYPES:
        problems.append(not_supported(f"{path}.pathType", kind, _PATH_TYPES))
    elif not text.startswith("/") and (text or kind != "ImplementationSpecific"):
        problems.append(invalid_value(where, text, "must be an absolute path"))
    if kind in ("Exact", "Prefix"):
        problems += [invalid_value(where, text, f"must not contain '{s}'") for s in _SEQUENCES if s in text]
        problems += [
            invalid_value(where, text, f"cannot end with '{s}'") for s in _SUFFIXES if text.endswith(s)
        ]
    return problems + _check_backend(entry.get("backend") or {}, f"{path}.backend")


def _check_rules(rules: list[JSON]) -> list[FieldError]:
    problems: list[FieldError] = []
    for index, rule in enumerate(rules):
        path, host = f"spec.rules[{index}]", rule.get("host") or ""
        if host:
            if not is_ip(host):
                text = "must be a DNS name, not an IP address"
                problems.append(invalid_value(f"{path}.host", host, text))
            problems += _check_host(host, f"{path}.host")
        http = rule.get("http")
        if http is None:
            continue
        paths = http.get("paths") or []
        if not paths:
            problems.append(required(f"{path}.http.paths"))
        for number, entry in enumerate(paths):
            problems += _check_path(entry, f"{path}.http.paths[{number}]")
    return problems


def _check(ingress: JSON) -> list[FieldError]:
    spec = ingress.get("spec") or {}
    problems: list[FieldError] = []
    rules, backend = spec.get("rules") or [], spec.get("defaultBackend")
    if not rules and backend is None:
        text = "either `defaultBackend` or `rules` must be specified"
        problems.append(invalid_value("spec", spec.get("rules"), text))
    if backend is not None:
        problems += _check_backend(backend, "spec.defaultBackend")
    problems += _check_rules(rules)
    for index, tls in enumerate(spec.get("tls") or ()):
        path = f"spec.tls[{index}]"
        for number, host in enumerate(tls.get("hosts") or ()):
            problems += _check_host(host, f"{path}.hosts[{number}]")
        secret = tls.get("secretName") or ""
        if secret:
            wrong = is_dns1123_subdomain(secret)
            problems += [invalid_value(f"{path}.secretName", secret, text) for text in wrong]
    name = spec.get("ingressClassName")
    if name is not None:
        wrong = is_dns1123_subdomain(name)
        problems += [invalid_value("spec.ingressClassName", name, text) for text in wrong]
    return problems


def validate(ingress: JSON) -> list[FieldError]:
    """What is wrong with a new Ingress."""
    problems = check_meta(ingress) + _check(ingress)
    old = (ingress["metadata"].get("annotations") or {}).get(CLASS_ANNOTATION)
    name = (ingress.get("spec") or {}).get("ingressClassName")
    if old is not None and name is not None and old != name:
        text = "must match `ingressClassName` when both are specified"
        problems.append(invalid_value(f"annotations.{CLASS_ANNOTATION}", old, text))
    return problems


def _hosts(rules: list[JSON]) -> str:
    """The first hosts; behind these every rule counts, with a host or without (formatHosts)."""
    named = [at for at, rule in enumerate(rules) if rule.get("host")][:_HOSTS_SHOWN]
    if not named:
        return "*"
    shown = ",".join(rules[at]["host"] for at in named)
    more = len(named) == _HOSTS_SHOWN and named[-1] < len(rules) - 1
    return f"{shown} + {len(rules) - _HOSTS_SHOWN} more..." if more else shown


def row(ingress: JSON, now: int) -> list[Any]:
    """The cells of an Ingress."""
    spec, status = ingress.get("spec") or {}, ingress.get("status") or {}
    points = (status.get("loadBalancer") or {}).get("ingress") or ()
    return [
        ingress["metadata"]["name"],
        spec.get("ingressClassName") or NONE,
        _hosts(spec.get("rules") or []),
        ",".join(sorted({point.get("ip") or point.get("hostname") or "" for point in points} - {""})),
        "80, 443" if spec.get("tls") else "80",
        age(ingress, now),
    ]


KIND = Kind(
    group="networking.k8s.io",
    version="v1",
    kind="Ingress",
    resource="ingresses",
    singular="ingress",
    namespaced=True,
    short_names=("ing",),
    subresources=STATUS,
    columns=(
        NAME,
        Column(
            "Class",
            description="The name of the IngressClass resource that should be used for additional configuration",
        ),
        Column(
            "Hosts", description="Hosts that incoming requests are matched against before the ingress rule"
        ),
        Column("Address", description=doc("networking.v1.IngressStatus", "loadBalancer")),
        Column("Ports", description="Ports of TLS configurations that open"),
        AGE,
    ),
    row=row,
    default=default,
    prepare_create=prepare_create,
    prepare_update=update_spec,
    prepare_status=update_status,
    validate=validate,
    validate_update=lambda new, old: _check(new),
)
