"""IPAddress: one for each address that a Service has, and those that somebody keeps from Services.

Models pkg/registry/core/service/ipallocator (createIPAddress), pkg/registry/networking/ipaddress and
pkg/apis/networking/validation.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.meta import check_immutable, check_meta
from cluster_engine.api.printing import NAME, NONE, doc
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, invalid_value, required
from cluster_engine.apimachinery.scheme import Column, Kind
from cluster_engine.apimachinery.validation import is_dns1123_subdomain, is_path_segment_name

_GROUP, _PARENT = "networking.k8s.io", "spec.parentRef"


def validate(address: JSON) -> list[FieldError]:
    """What is wrong with a new address (ValidateIPAddress)."""
    problems = check_meta(address, namespaced=False, name_rule="ip")
    parent = (address.get("spec") or {}).get("parentRef")
    if parent is None:
        return [*problems, required(_PARENT)]
    group = parent.get("group") or ""
    problems += [
        invalid_value(f"{_PARENT}.group", group, text)
        for text in (is_dns1123_subdomain(group) if group else ())
    ]
    for name in ("resource", "name", "namespace"):
        value = parent.get(name) or ""
        if value:
            problems += [
                invalid_value(f"{_PARENT}.{name}", value, text) for text in is_path_segment_name(value)
            ]
        elif name != "namespace":
            problems.append(required(f"{_PARENT}.{name}"))
    return problems


def _validate_update(new: JSON, old: JSON) -> list[FieldError]:
    return check_immutable(
        (new.get("spec") or {}).get("parentRef"), (old.get("spec") or {}).get("parentRef"), _PARENT
    )


def row(address: JSON, now: int) -> list[Any]:
    """The cells of an address."""
    parent = address["spec"].get("parentRef")
    if parent is None:
        return [address["metadata"]["name"], NONE]
    resource = ".".join(part for part in (parent["resource"], parent.get("group")) if part).lower()
    told = "/".join(part for part in (resource, parent.get("namespace"), parent["name"]) if part)
    return [address["metadata"]["name"], told]


KIND = Kind(
    group=_GROUP,
    version="v1",
    kind="IPAddress",
    resource="ipaddresses",
    singular="ipaddress",
    namespaced=False,
    short_names=("ip",),
    columns=(NAME, Column("ParentRef", description=doc("networking.v1.IPAddressSpec", "parentRef"))),
    row=row,
    validate=validate,
    validate_update=_validate_update,
)
