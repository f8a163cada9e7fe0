"""Node.

Models pkg/registry/core/node/strategy.go and pkg/apis/core/validation (ValidateNode, ValidateNodeUpdate).
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.meta import check_meta
from cluster_engine.api.printing import AGE, NAME, NONE, UNKNOWN, age, doc
from cluster_engine.api.strategy import keep_status
from cluster_engine.api.subresources import PROXY, STATUS
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, duplicate, forbidden_field, invalid_value
from cluster_engine.apimachinery.ip_validation import is_cidr
from cluster_engine.apimachinery.scheme import Column, Kind
from cluster_engine.apimachinery.validation import is_label_value, validate_label_name

from .pod_spec import quantities
from .pod_spec.resources import check_quantity
from .pod_spec.scheduling import check_effect

_ROLE_PREFIX = "node-role.kubernetes.io/"
_ROLE = "kubernetes.io/role"
_CIDR_SET = 'node updates may not change podCIDR except from "" to valid'
_PROVIDER_SET = 'node updates may not change providerID except from "" to valid'


def default(node: JSON) -> JSON:
    """Allocatable is the capacity unless it is given; podCIDR and podCIDRs[0] are one."""
    status, spec = node.get("status") or {}, node.get("spec") or {}
    out = node
    if status.get("capacity"):
        capacity = quantities(status["capacity"])
        allocatable = quantities(status.get("allocatable") or capacity)
        if capacity is not status["capacity"] or allocatable is not status.get("allocatable"):
            out = {**out, "status": {**status, "capacity": capacity, "allocatable": allocatable}}
    if spec.get("podCIDR") and not spec.get("podCIDRs"):
        out = {**out, "spec": {**spec, "podCIDRs": [spec["podCIDR"]]}}
    elif spec.get("podCIDRs") and not spec.get("podCIDR"):
        out = {**out, "spec": {**spec, "podCIDR": spec["podCIDRs"][0]}}
    if "spec" not in out:
        out = {**out, "spec": {}}
    return out


def _check_taints(taints: list[JSON], path: str) -> list[FieldError]:
    problems: list[FieldError] = []
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate(taints):
        where = f"{path}[{index}]"
        key, value, effect = taint.get("key") or "", taint.get("value") or "", taint.get("effect") or ""
        problems += validate_label_name(key, f"{where}.key")
        wrong = is_label_value(value)
        if wrong:
            problems.append(invalid_value(f"{where}.value", value, ";".join(wrong)))
        problems += check_effect(effect, f"{where}.effect")
        if (key, effect) in seen:
            # The internal struct is printed with Go's own field names.
            shown = {"Key": key, "Value": value, "Effect": effect, "TimeAdded": taint.get("timeAdded")}
            problem = duplicate(where, shown)
            problem.detail = "taints must be unique by key and effect pair"
            problems.append(problem)
        seen.add((key, effect))
    return problems


def _check_resources(node: JSON) -> list[FieldError]:
    status = node.get("status") or {}
    problems: list[FieldError] = []
    for field in ("capacity", "allocatable"):
        for name, value in (status.get(field) or {}).items():
            problems += check_quantity(name, value, f"status.{field}.{name}")
    return problems


def validate(node: JSON) -> list[FieldError]:
    """What is wrong with a new node."""
    spec = node.get("spec") or {}
    problems = check_meta(node, namespaced=False)
    problems += _check_taints(spec.get("taints") or [], "metadata.taints")  # upstream's path
    problems += _check_resources(node)
    networks = spec.get("podCIDRs") or []
    for index, network in enumerate(networks):
        problems += [invalid_value(f"spec.podCIDRs[{index}]", network, text) for text in is_cidr(network)]
    if len(networks) > 1 and (len(networks) > 2 or sum(":" in network for network in networks) != 1):
        text = "may specify no more than one CIDR for each IP family"
        problems.append(invalid_value("spec.podCIDRs", networks, text))
    return problems


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """What an update may not do."""
    spec, was = new.get("spec") or {}, old.get("spec") or {}
    problems: list[FieldError] = []
    if spec is not was:
        networks, had = spec.get("podCIDRs") or [], was.get("podCIDRs") or []
        if had and networks != had:
            problems.append(forbidden_field("spec.podCIDRs", _CIDR_SET))
        if was.get("providerID") and spec.get("providerID") != was["providerID"]:
            problems.append(forbidden_field("spec.providerID", _PROVIDER_SET))
        if spec.get("taints") is not was.get("taints"):
            problems += _check_taints(spec.get("taints") or [], "metadata.taints")
    return problems


def validate_status(new: JSON, old: JSON) -> list[FieldError]:
    """Quantities are sane and no address is named twice."""
    status, was = new.get("status") or {}, old.get("status") or {}
    problems: list[FieldError] = []
    if any(status.get(f) is not was.get(f) for f in ("capacity", "allocatable")):
        problems += _check_resources(new)
    seen: set[tuple[str, str]] = set()
    for index, address in enumerate(status.get("addresses") or ()):
        key = (address.get("type", ""), address.get("address", ""))
        if key in seen:
            shown = {"Type": key[0], "Address": key[1]}
            problems.append(duplicate(f"status.addresses[{index}]", shown))
        seen.add(key)
    return problems


def _roles(node: JSON) -> str:
    roles = set()
    for name, value in (node["metadata"].get("labels") or {}).items():
        if name.startswith(_ROLE_PREFIX) and len(name) > len(_ROLE_PREFIX):
            roles.add(name[len(_ROLE_PREFIX) :])
        elif name == _ROLE and value:
            roles.add(value)
    return ",".join(sorted(roles)) or NONE


def _address(node: JSON, kind: str) -> str:
    for address in (node.get("status") or {}).get("addresses") or ():
        if address.get("type") == kind:
            return address.get("address") or NONE
    return NONE


def row(node: JSON, now: int) -> list[Any]:
    """The cells of a node."""
    status = node.get("status") or {}
    info = status.get("nodeInfo") or {}
    states = [
        "Ready" if condition.get("status") == "True" else "NotReady"
        for condition in status.get("conditions") or ()
        if condition.get("type") == "Ready"
    ][-1:] or ["Unknown"]
    if (node.get("spec") or {}).get("unschedulable"):
        states.append("SchedulingDisabled")
    return [
        node["metadata"]["name"],
        ",".join(states),
        _roles(node),
        age(node, now),
        info.get("kubeletVersion") or "",
        _address(node, "InternalIP"),
        _address(node, "ExternalIP"),
        info.get("osImage") or UNKNOWN,
        info.get("kernelVersion") or UNKNOWN,
        info.get("containerRuntimeVersion") or UNKNOWN,
    ]


KIND = Kind(
    group="",
    version="v1",
    kind="Node",
    resource="nodes",
    singular="node",
    namespaced=False,
    short_names=("no",),
    subresources={
        "proxy": PROXY._replace(shows=("", "v1", "NodeProxyOptions"), answer="node proxy"),
        **STATUS,
    },
    columns=(
        NAME,
        Column("Status", description="The status of the node"),
        Column("Roles", description="The roles of the node"),
        AGE,
        Column("Version", description=doc("core.v1.NodeSystemInfo", "kubeletVersion")),
        Column("Internal-IP", description=doc("core.v1.NodeStatus", "addresses"), priority=1),
        Column("External-IP", description=doc("core.v1.NodeStatus", "addresses"), priority=1),
        Column("OS-Image", description=doc("core.v1.NodeSystemInfo", "osImage"), priority=1),
        Column("Kernel-Version", description=doc("core.v1.NodeSystemInfo", "kernelVersion"), priority=1),
        Column(
            "Container-Runtime",
            description=doc("core.v1.NodeSystemInfo", "containerRuntimeVersion"),
            priority=1,
        ),
    ),
    row=row,
    default=default,
    prepare_update=keep_status,
    prepare_status=lambda new, old: (
        new if new.get("spec") is old.get("spec") else {**new, "spec": old.get("spec") or {}}
    ),
    validate=validate,
    validate_update=validate_update,
    validate_status=validate_status,
    field_labels={
        "spec.unschedulable": lambda node: (
            "true" if (node.get("spec") or {}).get("unschedulable") else "false"
        ),
    },
)
