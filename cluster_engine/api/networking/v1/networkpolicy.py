"""NetworkPolicy.

Models pkg/registry/networking/networkpolicy/strategy.go and pkg/apis/networking/validation. The network holds to them
(cni/network_policy.py).
"""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

from cluster_engine.api.meta import check_meta
from cluster_engine.api.printing import AGE, NAME, age, doc, selector_text
from cluster_engine.api.strategy import first_generation, next_generation
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import (
    FieldError,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)
from cluster_engine.apimachinery.ip_validation import is_cidr
from cluster_engine.apimachinery.scheme import Column, Kind
from cluster_engine.apimachinery.validation import (
    is_port_name,
    is_port_number,
    validate_label_selector,
)

_PROTOCOLS = ("TCP", "UDP", "SCTP")
_TYPES = ("Ingress", "Egress")


def default(policy: JSON) -> JSON:
    """Ingress is meant, egress too where there are rules for it; ports are TCP."""
    spec = policy.get("spec") or {}
    new = dict(spec)
    for part in ("ingress", "egress"):
        if spec.get(part):
            new[part] = [_default_ports(rule) for rule in spec[part]]
    if not spec.get("policyTypes"):
        new["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]
    return policy if new == spec and policy.get("spec") is not None else {**policy, "spec": new}


def _default_ports(rule: JSON) -> JSON:
    ports = rule.get("ports")
    if not ports:
        return rule
    return {**rule, "ports": [{**port, "protocol": port.get("protocol") or "TCP"} for port in ports]}


def _check_port(port: JSON, path: str) -> list[FieldError]:
    problems: list[FieldError] = []
    protocol, number, end = port.get("protocol"), port.get("port"), port.get("endPort")
    if protocol is not None and protocol not in _PROTOCOLS:
        problems.append(not_supported(f"{path}.protocol", protocol, _PROTOCOLS))
    if isinstance(number, int):
        problems += [invalid_value(f"{path}.port", number, text) for text in is_port_number(number)]
        if end is not None:
            if end < number:
                text = "must be greater than or equal to `port`"
                problems.append(invalid_value(f"{path}.endPort", end, text))
            problems += [invalid_value(f"{path}.endPort", end, text) for text in is_port_number(end)]
    elif number is not None:
        if end is not None:
            text = "may not be specified when `port` is non-numeric"
            problems.append(invalid_value(f"{path}.endPort", end, text))
        problems += [invalid_value(f"{path}.port", number, text) for text in is_port_name(number)]
    elif end is not None:
        text = "may not be specified when `port` is not specified"
        problems.append(invalid_value(f"{path}.endPort", end, text))
    return problems


def _check_block(block: JSON, path: str) -> list[FieldError]:
    cidr = block.get("cidr") or ""
    if not cidr:
        return [required(f"{path}.cidr")]
    problems = [invalid_value(f"{path}.cidr", cidr, text) for text in is_cidr(cidr)]
    if problems:
        return problems
    whole = ip_network(cidr, strict=False)
    for index, text in enumerate(block.get("except") or ()):
        where = f"{path}.except[{index}]"
        wrong = [invalid_value(where, text, why) for why in is_cidr(text)]
        problems += wrong
        if wrong:
            continue
        part = ip_network(text, strict=False)
        if part.version != whole.version or not (
            part.network_address in whole and part.prefixlen > whole.prefixlen
        ):
            problems.append(invalid_value(where, text, "must be a strict subset of `cidr`"))
    return problems


def _check_peer(peer: JSON, path: str) -> list[FieldError]:
    problems: list[FieldError] = []
    found = [name for name in ("podSelector", "namespaceSelector", "ipBlock") if peer.get(name) is not None]
    for name in found:
        where = f"{path}.{name}"
        if name == "ipBlock":
            problems += _check_block(peer[name], where)
        else:
            problems += validate_label_selector(peer[name], where)
    if not found:
        problems.append(required(path, "must specify a peer"))
    elif len(found) > 1 and "ipBlock" in found:
        problems.append(forbidden_field(path, "may not specify both ipBlock and another peer"))
    return problems


def _check(policy: JSON) -> list[FieldError]:
    spec = policy.get("spec") or {}
    problems = validate_label_selector(spec.get("podSelector"), "spec.podSelector")
    for part, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(spec.get(part) or ()):
            path = f"spec.{part}[{index}]"
            for number, port in enumerate(rule.get("ports") or ()):
                problems += _check_port(port, f"{path}.ports[{number}]")
            for number, peer in enumerate(rule.get(peers) or ()):
                problems += _check_peer(peer, f"{path}.{peers}[{number}]")
    types = spec.get("policyTypes") or []
    if len(types) > len(_TYPES):
        text = "may not specify more than two policyTypes"
        return [*problems, invalid_value("spec.policyTypes", types, text)]
    problems += [
        not_supported(f"spec.policyTypes[{index}]", kind, _TYPES)
        for index, kind in enumerate(types)
        if kind not in _TYPES
    ]
    return problems


def row(policy: JSON, now: int) -> list[Any]:
    """The cells of a policy."""
    selector = (policy.get("spec") or {}).get("podSelector") or {}
    return [policy["metadata"]["name"], selector_text(selector), age(policy, now)]


KIND = Kind(
    group="networking.k8s.io",
    version="v1",
    kind="NetworkPolicy",
    resource="networkpolicies",
    singular="networkpolicy",
    namespaced=True,
    short_names=("netpol",),
    columns=(
        NAME,
        Column("Pod-Selector", description=doc("networking.v1.NetworkPolicySpec", "podSelector")),
        AGE,
    ),
    row=row,
    default=default,
    prepare_create=first_generation,
    prepare_update=next_generation,
    validate=lambda policy: check_meta(policy) + _check(policy),
    validate_update=lambda new, old: _check(new),
)
