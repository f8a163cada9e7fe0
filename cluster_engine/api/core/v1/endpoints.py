"""Endpoints.

Models pkg/registry/core/endpoint/strategy.go and pkg/apis/core/validation (ValidateEndpoints).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cluster_engine.api.meta import check_meta
from cluster_engine.api.printing import AGE, NAME, NONE, age, doc
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, invalid_value, not_supported, required
from cluster_engine.apimachinery.ip_validation import is_ip
from cluster_engine.apimachinery.scheme import Column, Kind
from cluster_engine.apimachinery.validation import (
    is_dns1123_label,
    is_dns1123_subdomain,
    is_port_number,
    is_qualified_name,
)

from .addresses import check_not_special

_PROTOCOLS = ("SCTP", "TCP", "UDP")
_SHOWN = 3


def default(endpoints: JSON) -> JSON:
    """Ports are TCP ones unless they say otherwise."""
    subsets = endpoints.get("subsets") or []
    if all(port.get("protocol") for subset in subsets for port in subset.get("ports") or ()):
        return endpoints
    made = [
        {**subset, "ports": [{"protocol": "TCP", **port} for port in subset["ports"]]}
        if subset.get("ports")
        else subset
        for subset in subsets
    ]
    return {**endpoints, "subsets": made}


def _check_address(address: JSON, path: str) -> list[FieldError]:
    ip = address.get("ip") or ""
    problems = [invalid_value(f"{path}.ip", ip, text) for text in is_ip(ip)]
    if address.get("hostname"):
        name = address["hostname"]
        problems += [invalid_value(f"{path}.hostname", name, text) for text in is_dns1123_label(name)]
    node = address.get("nodeName")
    if node is not None:
        problems += [invalid_value(f"{path}.nodeName", node, text) for text in is_dns1123_subdomain(node)]
    return problems + check_not_special(ip, f"{path}.ip")


def _check_port(port: JSON, require_name: bool, path: str) -> list[FieldError]:
    name, number, protocol = port.get("name") or "", port.get("port") or 0, port.get("protocol") or ""
    problems: list[FieldError] = []
    if name:
        problems += [invalid_value(f"{path}.name", name, text) for text in is_dns1123_label(name)]
    elif require_name:
        problems.append(required(f"{path}.name"))
    problems += [invalid_value(f"{path}.port", number, text) for text in is_port_number(number)]
    if not protocol:
        problems.append(required(f"{path}.protocol"))
    elif protocol not in _PROTOCOLS:
        problems.append(not_supported(f"{path}.protocol", protocol, _PROTOCOLS))
    if port.get("appProtocol"):
        name = port["appProtocol"]
        problems += [invalid_value(f"{path}.appProtocol", name, text) for text in is_qualified_name(name)]
    return problems


def _check_subsets(endpoints: JSON) -> list[FieldError]:
    problems: list[FieldError] = []
    for index, subset in enumerate(endpoints.get("subsets") or ()):
        path = f"subsets[{index}]"
        if not subset.get("addresses") and not subset.get("notReadyAddresses"):
            problems.append(required(path, "must specify `addresses` or `notReadyAddresses`"))
        for field in ("addresses", "notReadyAddresses"):
            for number, address in enumerate(subset.get(field) or ()):
                problems += _check_address(address, f"{path}.{field}[{number}]")
        ports = subset.get("ports") or []
        for number, port in enumerate(ports):
            problems += _check_port(port, len(ports) > 1, f"{path}.ports[{number}]")
    return problems


def validate(endpoints: JSON) -> list[FieldError]:
    """What is wrong with new Endpoints."""
    return check_meta(endpoints) + _check_subsets(endpoints)


def _shown(endpoints: JSON) -> Iterator[str]:
    for subset in endpoints.get("subsets") or ():
        ports: list[JSON | None] = list(subset.get("ports") or ()) or [None]
        for port in ports:
            for address in subset.get("addresses") or ():
                ip = address.get("ip", "")
                host = f"[{ip}]" if ":" in ip and port else ip
                yield f"{host}:{port['port']}" if port else ip


def format_endpoints(endpoints: JSON) -> str:
    """The first addresses and how many more there are."""
    if not endpoints.get("subsets"):
        return NONE
    shown = list(_shown(endpoints))
    text = ",".join(shown[:_SHOWN])
    return f"{text} + {len(shown) - _SHOWN} more..." if len(shown) > _SHOWN else text


def row(endpoints: JSON, now: int) -> list[Any]:
    """The cells of Endpoints."""
    return [endpoints["metadata"]["name"], format_endpoints(endpoints), age(endpoints, now)]


KIND = Kind(
    group="",
    version="v1",
    kind="Endpoints",
    resource="endpoints",
    singular="endpoints",
    namespaced=True,
    short_names=("ep",),
    columns=(NAME, Column("Endpoints", description=doc("core.v1.Endpoints", "subsets")), AGE),
    row=row,
    default=default,
    validate=validate,
    validate_update=lambda new, old: _check_subsets(new),
    create_on_update=True,
    deprecated="v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
)
