"""The way of a packet: policy, Service, endpoint, policy again, node, Pod. A pure look at rules; it moves nothing.

Models what iptables rules of kube-proxy (pkg/proxy/iptables), a CNI's policies and the kernel's routes decide
together about the first packet of a connection.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple, Protocol

Step = list[str]
"""[stage, what was found there]: ``["service", "shop/api:http has 2 endpoints"]``."""


class Packet(NamedTuple):
    """The first packet of a connection, or a datagram."""

    source: str
    destination: str
    port: int
    protocol: str = "TCP"
    node: str = ""
    """The sender's; "": it comes from outside of the cluster."""


class Verdict(StrEnum):
    """What becomes of a packet."""

    DELIVER = "deliver"
    REJECT = "reject"
    """Answered by a refusal: the sender knows at once."""
    DROP = "drop"
    """Gone: the sender waits until it gives up."""
    UNREACHABLE = "unreachable"
    """No neighbour has the address: ``no route to host``."""


class Way(NamedTuple):
    """Where a packet goes: the verdict, the address and the port after the Service, and the reasons."""

    verdict: Verdict
    ip: str
    port: int
    steps: list[Step]
    masked: str = ""
    """The address that the receiver sees instead of the sender's."""


class Rule(NamedTuple):
    """What the proxy does with one address, port and protocol of a Service."""

    name: str
    """``namespace/service:port``."""
    endpoints: tuple[tuple[str, int], ...]
    """(address, port) of those that may answer, in a stable order; none: the packet is rejected."""
    sticky: int = 0
    """Seconds for which a client stays with the endpoint that it had last; 0: it does not."""
    silence: str = ""
    """Why the packet is dropped, not rejected, where there is no endpoint."""
    masquerade: bool = False
    """The endpoint sees the node that was called instead of the caller."""


class Services(Protocol):
    """kube-proxy's rules."""

    def rule(self, packet: Packet) -> Rule | None:
        """The rule for a packet; None when its destination belongs to no Service."""
        ...

    def owns(self, ip: str) -> bool:
        """Whether the address lies in the range that only Services have."""
        ...


Choice = Callable[[Rule, Packet], tuple[str, int]]
"""Picks one of a rule's endpoints for a packet."""

Policy = Callable[[str, Packet], str]
"""(``"egress"`` or ``"ingress"``, packet) -> why it is dropped; "" lets it pass."""


class Datapath:
    """One cluster's. ``node_of`` tells which node has an address; None: nobody."""

    def __init__(
        self,
        services: Services,
        node_of: Callable[[str], str | None],
        policies: tuple[Policy, ...] = (),
    ) -> None:
        self._services = services
        self._node_of = node_of
        self._policies = policies

    def way(self, packet: Packet, choose: Choice, known: bool = False) -> Way:
        """Where the packet goes. ``known``: no policy is asked."""
        steps: list[Step] = []
        destination, port, masked = packet.destination, packet.port, ""
        rule = self._services.rule(packet)
        if rule is not None:
            endpoints = rule.endpoints
            if not endpoints:
                steps.append(["service", f"{rule.name} {rule.silence or 'has no endpoints'}"])
                verdict = Verdict.DROP if rule.silence else Verdict.REJECT
                return Way(verdict, destination, port, steps)
            masked = destination if rule.masquerade else ""
            alone = len(endpoints) == 1 and not rule.sticky
            destination, port = endpoints[0] if alone else choose(rule, packet)
            steps.append(["service", f"{rule.name} has {len(endpoints)} endpoints"])
            steps.append(["endpoint", f"{destination}:{port}"])
        elif self._services.owns(destination):
            steps.append(["service", f"no Service has {destination}:{port}/{packet.protocol}"])
            return Way(Verdict.DROP, destination, port, steps)
        for direction in ("egress", "ingress") if self._policies and not known else ():
            # Policies see the endpoint: the address is rewritten before they are asked.
            why = self._denied(direction, Packet(packet.source, destination, port, packet.protocol))
            if why:
                steps.append([direction, why])
                return Way(Verdict.DROP, destination, port, steps)
        node = self._node_of(destination)
        if node is None:
            steps.append(["route", f"no node has {destination}"])
            return Way(Verdict.UNREACHABLE, destination, port, steps)
        steps.append(["node", node])
        return Way(Verdict.DELIVER, destination, port, steps, masked)

    def _denied(self, direction: str, packet: Packet) -> str:
        for policy in self._policies:
            if why := policy(direction, packet):
                return why
        return ""


def is_address(host: str) -> bool:
    """Whether the host is a dotted IPv4 address rather than a name."""
    parts = host.split(".")
    return len(parts) == 4 and all(p.isascii() and p.isdecimal() and int(p[:4]) < 256 for p in parts)
