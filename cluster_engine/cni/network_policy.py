"""What the network lets through: NetworkPolicies, as a CNI that has them (Calico, Cilium) holds to them.

A pure look at the informers, for the datapath, at the first packet of a connection. Models the rules of
https://kubernetes.io/docs/concepts/services-networking/network-policies/.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from cluster_engine.apimachinery.cow import JSON, key_of
from cluster_engine.apimachinery.labels import compile_selector
from cluster_engine.client_go import SharedInformerFactory
from cluster_engine.network import Packet

_POLICIES = "networkpolicies.networking.k8s.io"


class NetworkPolicies:
    """Answers for one cluster whether a packet may leave its Pod, and may enter the other."""

    def __init__(self, informers: SharedInformerFactory) -> None:
        self._policies = informers.of(_POLICIES)
        self._pods = informers.of("pods")
        self._namespaces = informers.of("namespaces")
        self._by_ip: dict[str, str] = {}

    def __call__(self, direction: str, packet: Packet) -> str:
        """Why the packet is dropped in that direction; "" lets it pass."""
        if packet.source == packet.destination or not self._policies.list():
            return ""
        source, target = self._pod(packet.source), self._pod(packet.destination)
        held, other, address = (
            (target, source, packet.source)
            if direction == "ingress"
            else (source, target, packet.destination)
        )
        if held is None or (direction == "ingress" and held["status"].get("hostIP") == packet.source):
            return ""  # nobody's Pod; or the Pod's own node, whose kubelet must reach it
        isolating = [
            p for p in self._policies.list(held["metadata"]["namespace"]) if _selects(p, held, direction)
        ]
        for policy in isolating:
            peers = "from" if direction == "ingress" else "to"
            for rule in policy["spec"].get(direction) or ():
                if _port_fits(rule.get("ports"), packet, target) and self._peer_fits(
                    rule.get(peers), policy, other, address
                ):
                    return ""
        if not isolating:
            return ""
        names = ", ".join(key_of(policy) for policy in isolating)
        return f"{key_of(held)} is isolated by {names}, and no rule lets {address} through"

    def _pod(self, ip: str) -> JSON | None:
        """The Pod that has the address for itself."""
        pod = self._pods.get(self._by_ip.get(ip, ""))
        if pod is None or (pod.get("status") or {}).get("podIP") != ip:
            self._by_ip = {
                found["status"]["podIP"]: key_of(found)
                for found in self._pods.list()
                if (found.get("status") or {}).get("podIP")
                and not found["spec"].get("hostNetwork")
                and found["status"].get("phase") == "Running"
            }
            pod = self._pods.get(self._by_ip.get(ip, ""))
        return pod

    def _peer_fits(self, peers: list[JSON] | None, policy: JSON, pod: JSON | None, address: str) -> bool:
        return not peers or any(self._is_peer(peer, policy, pod, address) for peer in peers)

    def _is_peer(self, peer: JSON, policy: JSON, pod: JSON | None, address: str) -> bool:
        block = peer.get("ipBlock")
        if block is not None:
            ip = ip_address(address)
            return ip in ip_network(block["cidr"], strict=False) and not any(
                ip in ip_network(part, strict=False) for part in block.get("except") or ()
            )
        if pod is None:
            return False
        meta, chosen = pod["metadata"], peer.get("namespaceSelector")
        if chosen is None:
            if meta["namespace"] != policy["metadata"]["namespace"]:
                return False
        else:
            namespace = self._namespaces.get(meta["namespace"]) or {"metadata": {}}
            if not compile_selector(chosen).matches(namespace["metadata"].get("labels") or {}):
                return False
        of_pods = peer.get("podSelector")
        return of_pods is None or compile_selector(of_pods).matches(meta.get("labels") or {})


def _selects(policy: JSON, pod: JSON, direction: str) -> bool:
    spec = policy["spec"]
    return direction.capitalize() in (spec.get("policyTypes") or ()) and compile_selector(
        spec.get("podSelector") or {}
    ).matches(pod["metadata"].get("labels") or {})


def _port_fits(ports: list[JSON] | None, packet: Packet, target: JSON | None) -> bool:
    if not ports:
        return True
    for port in ports:
        number = port.get("port")
        if port.get("protocol", "TCP") != packet.protocol:
            continue
        if isinstance(number, str):
            number = _named(target, number, packet.protocol)
            if number is None:
                continue
        if number is None or number <= packet.port <= (port.get("endPort") or number):
            return True
    return False


def _named(target: JSON | None, name: str, protocol: str) -> int | None:
    """The number of a port that the target's containers call so."""
    for container in (target or {"spec": {}})["spec"].get("containers") or ():
        for port in container.get("ports") or ():
            if port.get("name") == name and port.get("protocol", "TCP") == protocol:
                return int(port["containerPort"])
    return None
