"""ServiceCIDR: a range of which Services get their addresses.

The first one stands from the first moment (`kube_apiserver/standing.py`).

Models pkg/registry/networking/servicecidr and pkg/apis/networking/validation.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.meta import check_immutable, check_meta
from cluster_engine.api.printing import AGE, NAME, age, doc
from cluster_engine.api.strategy import keep_status, update_status, without_status
from cluster_engine.api.subresources import STATUS
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, invalid_value, required
from cluster_engine.apimachinery.ip_validation import is_cidr, is_strict_cidr
from cluster_engine.apimachinery.scheme import Column, Kind

_CIDRS = "spec.cidrs"
_MOST = 2
_NOT_DUAL = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"


def validate(cidr: JSON) -> list[FieldError]:
    """What is wrong with a new range (ValidateServiceCIDR)."""
    problems = check_meta(cidr, namespaced=False)
    found = (cidr.get("spec") or {}).get("cidrs") or []
    shown = {"CIDRs": found}
    if not found:
        return [*problems, required(_CIDRS, "at least one CIDR required")]
    if len(found) > _MOST:
        return [*problems, invalid_value(_CIDRS, shown, "may only hold up to 2 values")]
    if len(found) == _MOST and not _is_dual(found):
        return [*problems, invalid_value(_CIDRS, shown, _NOT_DUAL)]
    for index, each in enumerate(found):
        problems += [invalid_value(f"{_CIDRS}[{index}]", each, text) for text in is_strict_cidr(each)]
    return problems


def _is_dual(cidrs: list[str]) -> bool:
    return not any(is_cidr(each) for each in cidrs) and len({":" in each for each in cidrs}) == _MOST


def _validate_update(new: JSON, old: JSON) -> list[FieldError]:
    return check_immutable((new.get("spec") or {}).get("cidrs"), (old.get("spec") or {}).get("cidrs"), _CIDRS)


def row(cidr: JSON, now: int) -> list[Any]:
    """The cells of a range."""
    return [cidr["metadata"]["name"], ",".join(cidr["spec"]["cidrs"]), age(cidr, now)]


KIND = Kind(
    group="networking.k8s.io",
    version="v1",
    kind="ServiceCIDR",
    resource="servicecidrs",
    singular="servicecidr",
    namespaced=False,
    subresources=STATUS,
    columns=(NAME, Column("CIDRs", description=doc("networking.v1.ServiceCIDRSpec", "cidrs")), AGE),
    row=row,
    prepare_create=without_status,
    prepare_update=keep_status,
    prepare_status=update_status,
    validate=validate,
    validate_update=_validate_update,
)
