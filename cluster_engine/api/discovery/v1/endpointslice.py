"""EndpointSlice.

Models pkg/registry/discovery/endpointslice/strategy.go and pkg/apis/discovery/validation.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.core.v1.addresses import check_not_special
from cluster_engine.api.meta import check_immutable, check_meta
from cluster_engine.api.printing import AGE, NAME, UNSET, age, doc
from cluster_engine.api.strategy import same, with_generation
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import (
    FieldError,
    duplicate,
    invalid_value,
    not_supported,
    required,
    too_many,
)
from cluster_engine.apimachinery.ip_validation import is_ip
from cluster_engine.apimachinery.scheme import Column, Kind
from cluster_engine.apimachinery.validation import (
    is_dns1123_label,
    is_dns1123_subdomain,
    is_port_number,
    is_qualified_name,
)

_ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_MAX_ENDPOINTS = 1000
_MAX_ADDRESSES = 100
_MAX_PORTS = 20000
_MAX_HINTS = 8
_SHOWN = 3


def default(endpoint_slice: JSON) -> JSON:
    """Ports have a name, though it may be empty, and are TCP ones unless they say otherwise."""
    ports = endpoint_slice.get("ports")
    if not ports or all(p.get("name") is not None and p.get("protocol") for p in ports):
        return endpoint_slice
    made = [{**p, "name": p.get("name") or "", "protocol": p.get("protocol") or "TCP"} for p in ports]
    return {**endpoint_slice, "ports": made}


def prepare_create(endpoint_slice: JSON) -> JSON:
    """Generation 1."""
    return with_generation(endpoint_slice, 1)


def prepare_update(new: JSON, old: JSON) -> JSON:
    """Any change, but of most metadata, counts one generation more."""
    meta, was = new["metadata"], old["metadata"]
    unchanged = same(_plain(new), _plain(old)) and same(meta.get("labels"), was.get("labels"))
    return new if unchanged else with_generation(new, was.get("generation", 0) + 1)


def _plain(endpoint_slice: JSON) -> JSON:
    return {name: value for name, value in endpoint_slice.items() if name != "metadata"}


def _check_address(address: str, kind: str, path: str) -> list[FieldError]:
    if kind == "FQDN":
        problems = [invalid_value(path, address, text) for text in is_dns1123_subdomain(address)]
        if not problems and "." not in address:
            text = "should be a domain with at least two segments separated by dots"
            problems.append(invalid_value(path, address, text))
        return problems
    problems = [invalid_value(path, address, text) for text in is_ip(address)]
    if problems:
        return problems
    if (":" in address) != (kind == "IPv6"):
        return [invalid_value(path, address, f"must be a valid {kind} address")]
    return check_not_special(address, path)


def _check_endpoint(endpoint: JSON, kind: str, path: str) -> list[FieldError]:
    problems: list[FieldError] = []
    addresses = endpoint.get("addresses") or []
    if not addresses:
        problems.append(required(f"{path}.addresses", "must contain at least 1 address"))
    elif len(addresses) > _MAX_ADDRESSES:
        problems.append(too_many(f"{path}.addresses", len(addresses), _MAX_ADDRESSES))
    for index, address in enumerate(addresses):
        problems += _check_address(address, kind, f"{path}.addresses[{index}]")
    if endpoint.get("hostname"):
        name = endpoint["hostname"]
        problems += [invalid_value(f"{path}.hostname", name, text) for text in is_dns1123_label(name)]
    node = endpoint.get("nodeName")
    if node is not None:
        problems += [invalid_value(f"{path}.nodeName", node, text) for text in is_dns1123_subdomain(node)]
    for field in ("forZones", "forNodes"):
        hints = (endpoint.get("hints") or {}).get(field) or []
        if len(hints) > _MAX_HINTS:
            problems.append(too_many(f"{path}.hints.{field}", len(hints), _MAX_HINTS))
    return problems


def _check_ports(ports: list[JSON]) -> list[FieldError]:
    if len(ports) > _MAX_PORTS:
        return [too_many("ports", len(ports), _MAX_PORTS)]
    problems: list[FieldError] = []
    names: set[str] = set()
    for index, port in enumerate(ports):
        path, name = f"ports[{index}]", port.get("name") or ""
        if name:
            problems += [invalid_value(f"{path}.name", name, text) for text in is_dns1123_label(name)]
        if name in names:
            problems.append(duplicate(f"{path}.name", name))
        names.add(name)
        protocol = port.get("protocol")
        if not protocol:
            problems.append(required(f"{path}.protocol"))
        elif protocol not in _PROTOCOLS:
            problems.append(not_supported(f"{path}.protocol", protocol, _PROTOCOLS))
        number = port.get("port")
        if number is not None:
            problems += [invalid_value(f"{path}.port", number, text) for text in is_port_number(number)]
        if port.get("appProtocol"):
            name = port["appProtocol"]
            problems += [invalid_value(f"{path}.appProtocol", name, text) for text in is_qualified_name(name)]
    return problems


def _check(endpoint_slice: JSON) -> list[FieldError]:
    kind = endpoint_slice.get("addressType") or ""
    problems: list[FieldError] = []
    if not kind:
        problems.append(required("addressType"))
    elif kind not in _ADDRESS_TYPES:
        problems.append(not_supported("addressType", kind, _ADDRESS_TYPES))
    endpoints = endpoint_slice.get("endpoints") or []
    if len(endpoints) > _MAX_ENDPOINTS:
        return [*problems, too_many("endpoints", len(endpoints), _MAX_ENDPOINTS)]
    if kind in _ADDRESS_TYPES:
        for index, endpoint in enumerate(endpoints):
            problems += _check_endpoint(endpoint, kind, f"endpoints[{index}]")
    return problems + _check_ports(endpoint_slice.get("ports") or [])


def validate(endpoint_slice: JSON) -> list[FieldError]:
    """What is wrong with a new slice."""
    return check_meta(endpoint_slice) + _check(endpoint_slice)


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """The address type may never change."""
    return _check(new) + check_immutable(new.get("addressType"), old.get("addressType"), "addressType")


def _listed(values: list[str]) -> str:
    if not values:
        return UNSET
    text = ",".join(values[:_SHOWN])
    return f"{text} + {len(values) - _SHOWN} more..." if len(values) > _SHOWN else text


def row(endpoint_slice: JSON, now: int) -> list[Any]:
    """The cells of a slice."""
    ports = [
        str(port["port"]) if port.get("port") is not None else port.get("name") or "*"
        for port in endpoint_slice.get("ports") or ()
    ]
    addresses = [a for e in endpoint_slice.get("endpoints") or () for a in e.get("addresses") or ()]
    kind = endpoint_slice.get("addressType") or ""
    name = endpoint_slice["metadata"]["name"]
    return [name, kind, _listed(ports), _listed(addresses), age(endpoint_slice, now)]


KIND = Kind(
    group="discovery.k8s.io",
    version="v1",
    kind="EndpointSlice",
    resource="endpointslices",
    singular="endpointslice",
    namespaced=True,
    columns=(
        NAME,
        Column("AddressType", description=doc("discovery.v1.EndpointSlice", "addressType")),
        Column("Ports", description=doc("discovery.v1.EndpointSlice", "ports")),
        Column("Endpoints", description=doc("discovery.v1.EndpointSlice", "endpoints")),
        AGE,
    ),
    row=row,
    default=default,
    prepare_create=prepare_create,
    prepare_update=prepare_update,
    validate=validate,
    validate_update=validate_update,
)
