"""What a node's network name space has, as programs there show it: interfaces, routes, who listens.

As a cluster whose CNI plugin is the bridge one has it: each Pod has a pair of interfaces, whose end on the node is a
port of ``cni0``; the Pods of other nodes are reached over these nodes. It is worked out when somebody asks; packets
find their way without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from cluster_engine.kubelet.core import Core, Node
from cluster_engine.kubelet.runtime import Runtime
from cluster_engine.linux.programs.links import LOOP_MAC, PEERS, Link, Route, hardware

_ETH, _BRIDGE = "eth0", "cni0"
_GATEWAY = "172.18.0.1"
_NODES = "172.18.0.0/16"
_ON_LOOPBACK, _EVERYWHERE = "127.0.0.1", ""
_SERVICES = (
    ("sshd", _EVERYWHERE, 22),
    ("kubelet", _ON_LOOPBACK, 10248),
    ("kubelet", _EVERYWHERE, 10250),
)
"""(program, address, port) of what listens on every node beside its Pods."""


class NodeNetwork:
    """That of each node."""

    def __init__(self, core: Core, runtime: Runtime) -> None:
        self.core = core
        self.runtime = runtime

    def told(self, host: Any) -> dict[str, Any] | None:
        """``interfaces`` of a node (``linux.programs.links.View`` as JSON); None: nobody knows that node."""
        node = self.core.nodes.get(str(host))
        if node is None:
            return None
        return {
            "links": [list(link) for link in self._links(node)],
            "routes": [list(route) for route in self._routes(node)],
            "listeners": self._listeners(node),
        }

    def _links(self, node: Node) -> Iterator[Link]:
        prefix = node.addresses.prefix
        yield Link(1, "lo", LOOP_MAC, "127.0.0.1/8")
        yield Link(2, _ETH, _docker(node.ip), f"{node.ip}/16")
        pairs = sorted(self._pairs(node))
        if pairs:
            yield Link(3, _BRIDGE, hardware(f"{prefix}.1"), f"{prefix}.1/24")
        for number, name, mac in pairs:
            yield Link(number, name, mac, peer=2, master=_BRIDGE)

    def _pairs(self, node: Node) -> Iterator[tuple[int, str, str]]:
        """(number, name, hardware's address) of the node's end of each Pod's pair."""
        for record in self.core.records.all():
            if record.node == node.name and record.sandbox and record.ip not in ("", node.ip):
                drawn = self.core.chance.of("veth", record.uid).hex(80)
                mac = ":".join(drawn[at : at + 2] for at in range(8, 20, 2))
                last = int(record.ip.rpartition(".")[2])
                # A locally administered address of one card (IEEE 802): the second digit is 2, 6, a or e.
                yield last + PEERS, f"veth{drawn[:8]}", f"{mac[0]}e{mac[2:]}"

    def _routes(self, node: Node) -> Iterator[Route]:
        yield Route("default", _GATEWAY, _ETH)
        for other in self.core.nodes.values():
            to = f"{other.addresses.prefix}.0/24"
            if other is not node:
                yield Route(to, other.ip, _ETH)
            elif any(True for _ in self._pairs(node)):
                yield Route(to, "", _BRIDGE, f"{node.addresses.prefix}.1")
        yield Route(_NODES, "", _ETH, node.ip)

    def _listeners(self, node: Node) -> list[dict[str, Any]]:
        """Who listens at the node's addresses: its services and the Pods on its network."""
        pids: dict[str, int] = {}
        for row in self.runtime.processes([node.name, ""]):
            pids.setdefault(_base(row["argv"]), int(row["pid"]))
        found = [("tcp", ip, port, name) for name, ip, port in _SERVICES]
        for record in self.core.records.all():
            if record.node == node.name and record.sandbox and record.ip == node.ip:
                found += self.runtime.sandboxes.look(record.uid).listening()
        return [
            {"protocol": protocol, "ip": ip, "port": port, "pid": pids.get(name, 0), "name": name}
            for protocol, ip, port, name in found
        ]


def _base(argv: Sequence[str]) -> str:
    return argv[0].rpartition("/")[2] if argv else ""


def _docker(ip: str) -> str:
    """The hardware's address that docker gives with an IP, as kind's nodes have it."""
    return ":".join(f"{part:02x}" for part in (0x02, 0x42, *map(int, ip.split("."))))
