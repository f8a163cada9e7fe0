"""Host ports: what comes to a node's own address at a Pod's ``hostPort`` goes to that Pod.

Models the portmap plugin of containernetworking (plugins/meta/portmap): kube-proxy's rules come first.
"""

from __future__ import annotations

from collections.abc import Sequence

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.client_go import SharedInformerFactory
from cluster_engine.network import Packet, Rule
from cluster_engine.network.datapath import Services

_HOST_PORT = "host-port"
_ANY = ("", "0.0.0.0")
_OVER = ("Succeeded", "Failed")


class PortMap:
    """The rules of Services, and those of host ports after them."""

    def __init__(self, services: Services, informers: SharedInformerFactory) -> None:
        self._services = services
        self._pods = informers.of("pods")
        self._pods.add_index(_HOST_PORT, _host_ports, ("spec",))

    def rule(self, packet: Packet) -> Rule | None:
        """The rule for a packet; None when its destination is neither a Service's nor a host port."""
        found = self._services.rule(packet)
        if found is not None or not self._pods.count_by_index(
            _HOST_PORT, _place(packet.port, packet.protocol)
        ):
            return found
        for pod in self._pods.by_index(_HOST_PORT, _place(packet.port, packet.protocol)):
            status = pod.get("status") or {}
            if status.get("hostIP") != packet.destination or status.get("phase") in _OVER:
                continue
            for port in _ports(pod):
                if (
                    port["hostPort"] == packet.port
                    and port.get("protocol", "TCP") == packet.protocol
                    and (port.get("hostIP", "") in _ANY or port["hostIP"] == packet.destination)
                    and status.get("podIP")
                ):
                    name = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}:{packet.port}"
                    return Rule(name, ((status["podIP"], port["containerPort"]),))
        return None

    def owns(self, ip: str) -> bool:
        """Whether the address is a Service's."""
        return self._services.owns(ip)


def _place(port: int, protocol: str) -> str:
    return f"{port}/{protocol}"


def _ports(pod: JSON) -> list[JSON]:
    """The ports that are mapped; on a node's own network nothing is."""
    spec = pod["spec"]
    if spec.get("hostNetwork"):
        return []
    containers = (*spec["containers"], *(spec.get("initContainers") or ()))
    return [port for container in containers for port in container.get("ports") or () if port.get("hostPort")]


def _host_ports(pod: JSON) -> Sequence[str]:
    """Index function: where its node listens for it."""
    return [_place(port["hostPort"], port.get("protocol", "TCP")) for port in _ports(pod)]
