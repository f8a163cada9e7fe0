"""Host ports: what a Pod wants of its node's, and what collides.

Models pkg/scheduler/framework (HostPortInfo) and plugins/nodeports (getContainerPorts).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from cluster_engine.apimachinery.cow import JSON

Port = tuple[str, str, int]
"""(host IP, protocol, port)."""

_ANY = "0.0.0.0"


def host_ports(spec: JSON) -> tuple[Port, ...]:
    """The host ports of the Pod's containers and sidecars."""
    sidecars = (c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always")
    return tuple(
        (port.get("hostIP") or _ANY, port.get("protocol") or "TCP", port["hostPort"])
        for container in (*(spec.get("containers") or ()), *sidecars)
        for port in container.get("ports") or ()
        if port.get("hostPort")
    )


def any_conflicts(wanted: Iterable[Port], used: Collection[Port]) -> bool:
    """Whether one of the wanted ports is taken. An unspecified host address collides with every address."""
    return any(
        port[1:] == taken[1:] and (port[0] == taken[0] or _ANY in (port[0], taken[0]))
        for port in wanted
        for taken in used
    )
