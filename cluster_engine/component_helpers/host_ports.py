"""Host ports: what a Pod wants of its node's, and what collides.

Models pkg/scheduler/framework (HostPortInfo) and plugins/nodeports (getContainerPorts).
"""

from __future__ import annotations

from collections.abc import Iterable

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


def conflicts(wanted: Port, used: Port) -> bool:
    """Whether two host ports collide; an unspecified host address collides with every address."""
    return wanted[1:] == used[1:] and (wanted[0] == used[0] or _ANY in (wanted[0], used[0]))


def any_conflicts(wanted: Iterable[Port], used: Iterable[Port]) -> bool:
    """Whether one of the wanted ports is taken."""
    taken = tuple(used)
    return any(conflicts(port, other) for port in wanted for other in taken)
