"""Whether a node takes a Pod that was bound to it. Pure.

The scheduler asks the same, but a Pod may have been bound without it. Models pkg/kubelet/lifecycle/predicate.go
and pkg/kubelet/sysctl.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component_helpers.host_ports import Port, any_conflicts
from cluster_engine.component_helpers.node_affinity import RequiredNodeAffinity
from cluster_engine.component_helpers.requests import Amounts
from cluster_engine.component_helpers.tolerations import untolerated
from cluster_engine.kubelet import eviction

OS = "linux"
UNEXPECTED = "UnexpectedAdmissionError"
"""Why a node takes no Pod to which it cannot give what was promised (cm/admission/errors.go)."""
_OS_LABEL = "kubernetes.io/os"
_CHECKED = ("cpu", "memory", "ephemeral-storage")
"""Checked first, in this order."""
_SAFE_SYSCTLS = {
    "kernel.shm_rmid_forced": "IPC",
    "net.ipv4.ip_local_port_range": "Net",
    "net.ipv4.tcp_syncookies": "Net",
    "net.ipv4.ping_group_range": "Net",
    "net.ipv4.ip_unprivileged_port_start": "Net",
    "net.ipv4.ip_local_reserved_ports": "Net",
    "net.ipv4.tcp_keepalive_time": "Net",
    "net.ipv4.tcp_fin_timeout": "Net",
    "net.ipv4.tcp_keepalive_intvl": "Net",
    "net.ipv4.tcp_keepalive_probes": "Net",
    "net.ipv4.tcp_rmem": "Net",
    "net.ipv4.tcp_wmem": "Net",
}
"""Each with the kernel's namespace that it belongs to (pkg/kubelet/sysctl/safe_sysctls.go)."""


@dataclass(slots=True)
class Usage:
    """What the Pods of a node ask for."""

    pods: int = 0
    amounts: Amounts = field(default_factory=dict)
    ports: dict[str, tuple[Port, ...]] = field(default_factory=dict)
    """By the Pod's uid; only Pods that want some."""

    def add(self, uid: str, asked: Amounts, ports: tuple[Port, ...]) -> None:
        self.pods += 1
        for name, amount in asked.items():
            self.amounts[name] = self.amounts.get(name, 0) + amount
        if ports:
            self.ports[uid] = ports

    def remove(self, uid: str, asked: Amounts) -> None:
        self.pods -= 1
        for name, amount in asked.items():
            self.amounts[name] -= amount
        self.ports.pop(uid, None)

    def state(self) -> list[Any]:
        return [self.pods, list(self.amounts.items()), [[uid, *ports] for uid, ports in self.ports.items()]]

    def load(self, state: list[Any]) -> None:
        self.pods, self.amounts = state[0], dict(state[1])
        self.ports = {uid: tuple((ip, kind, port) for ip, kind, port in ports) for uid, *ports in state[2]}


SHUTTING_DOWN = ("NodeShutdown", "Pod was rejected as the node is shutting down.")
"""Why a node takes no Pod whose machine goes down (nodeshutdown_manager_linux.go Admit)."""


def refusal(
    pod: JSON,
    node: JSON,
    allocatable: Amounts,
    usage: Usage,
    asked: Amounts,
    ports: tuple[Port, ...],
    static: bool = False,
    pressed: Iterable[str] = (),
    unexpected: str = "",
    making_room: bool = False,
) -> tuple[str, str] | None:
    """(reason, message) why the node, with these conditions of pressure, does not take the Pod; None when it does.

    ``unexpected``: why its devices cannot be given; ``making_room``: others can go so that there is enough for it.
    """
    return (
        eviction.refusal(pod, pressed, static)
        or _sysctls(pod["spec"])
        or ((UNEXPECTED, unexpected) if unexpected else None)
        or _system(pod)
        or (None if making_room else _resources(allocatable, usage, asked))
        or _predicates(pod["spec"], node, usage, ports, static)
    )


def _sysctls(spec: JSON) -> tuple[str, str] | None:
    wanted = (spec.get("securityContext") or {}).get("sysctls") or ()
    shared = {"IPC": bool(spec.get("hostIPC")), "Net": bool(spec.get("hostNetwork"))}
    for entry in wanted:
        name = entry["name"].replace("/", ".")
        namespace = _SAFE_SYSCTLS.get(name)
        if namespace is None:
            return "SysctlForbidden", f'forbidden sysctl: "{name}" not allowlisted'
        if shared[namespace]:
            text = f'forbidden sysctl: "{name}" not allowed with host {namespace} enabled'
            return "SysctlForbidden", text
    return None


def _system(pod: JSON) -> tuple[str, str] | None:
    if ((pod["metadata"].get("labels") or {}).get(_OS_LABEL) or OS) != OS:
        text = f"Failed to admit pod as the `{_OS_LABEL}` label doesn't match node label"
        return "PodOSSelectorNodeLabelDoesNotMatch", text
    if ((pod["spec"].get("os") or {}).get("name") or OS) != OS:
        return "PodOSNotSupported", "Failed to admit pod as the OS field doesn't match node OS"
    return None


def _resources(allocatable: Mapping[str, int], usage: Usage, asked: Amounts) -> tuple[str, str] | None:
    for name, (wanted, used, capacity) in _missing(allocatable, usage, asked).items():
        return _insufficient(name, wanted, used, capacity)
    return None


def missing(allocatable: Mapping[str, int], usage: Usage, asked: Amounts) -> dict[str, int]:
    """How much of each resource the node has not that the Pod asks for; ``pods`` is one of them."""
    found = _missing(allocatable, usage, asked)
    return {name: wanted - (capacity - used) for name, (wanted, used, capacity) in found.items()}


def _missing(allocatable: Mapping[str, int], usage: Usage, asked: Amounts) -> dict[str, tuple[int, int, int]]:
    """(wanted, used, capacity) of what is not enough."""
    found = {}
    if usage.pods + 1 > allocatable.get("pods", 0):
        found["pods"] = (1, usage.pods, allocatable.get("pods", 0))
    for name in (*_CHECKED, *(name for name in asked if name not in _CHECKED)):
        wanted = asked.get(name, 0)
        # Extended resources that the node does not know are the cluster's business.
        if not wanted or (name not in allocatable and "/" in name):
            continue
        used, capacity = usage.amounts.get(name, 0), allocatable.get(name, 0)
        if wanted > capacity - used:
            found[name] = (wanted, used, capacity)
    return found


def _insufficient(name: str, wanted: int, used: int, capacity: int) -> tuple[str, str]:
    text = (
        f"Node didn't have enough resource: {name}, requested: {wanted}, used: {used}, capacity: {capacity}"
    )
    return f"OutOf{name}", text


def _predicates(
    spec: JSON, node: JSON, usage: Usage, ports: Iterable[Port], static: bool
) -> tuple[str, str] | None:
    if (spec.get("nodeSelector") or spec.get("affinity")) and not RequiredNodeAffinity(spec).matches_node(
        node
    ):
        return _predicate("NodeAffinity", "node(s) didn't match Pod's node affinity/selector")
    if any_conflicts(ports, [port for taken in usage.ports.values() for port in taken]):
        return _predicate("NodePorts", "node(s) didn't have free ports for the requested pod ports")
    taints = node["spec"].get("taints") or ()
    if taints and not static and untolerated(taints, spec.get("tolerations") or (), ("NoExecute",)):
        return _predicate("TaintToleration", "node(s) had taints that the pod didn't tolerate")
    return None


def _predicate(name: str, why: str) -> tuple[str, str]:
    return name, f"Predicate {name} failed: {why}"
