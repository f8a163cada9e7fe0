"""The rules of a node as `iptables-save` shows them: what kube-proxy would have written into its tables.

Made from the same endpoints that packets are led to. Models pkg/proxy/iptables/proxier.go (syncProxyRules); the chains
that a cluster without Services has are the same in every cluster.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

POD_CIDR = "10.244.0.0/16"
PORTS = 2_000
"""Ports of Services that are listed; more are told of in a comment."""
_FILTER = (
    "INPUT", "FORWARD", "OUTPUT", "KUBE-EXTERNAL-SERVICES", "KUBE-FIREWALL", "KUBE-FORWARD", "KUBE-NODEPORTS",
    "KUBE-PROXY-FIREWALL", "KUBE-SERVICES",
)  # fmt: skip
_NAT = (
    "PREROUTING", "INPUT", "OUTPUT", "POSTROUTING", "KUBE-MARK-MASQ", "KUBE-NODEPORTS", "KUBE-POSTROUTING",
    "KUBE-SERVICES",
)  # fmt: skip
"""Chains of every node; the kernel's own have a policy."""
_FILTER_RULES = (
    '-A INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
    '-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD',
    '-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
    '-A OUTPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
    "-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP",
    '-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -j ACCEPT',
)
_NAT_RULES = (
    '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
    '-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
    '-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING',
    "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000",
    "-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN",
    "-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0",
    '-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully',
)


class Port(NamedTuple):
    """A port of a Service, for one node."""

    name: str
    """``namespace/name:port``."""
    protocol: str
    ip: str
    number: int
    node_port: int
    external_ips: tuple[str, ...]
    local_outside: bool
    """externalTrafficPolicy: Local."""
    endpoints: tuple[str, ...]
    """``ip:port`` of those that its cluster IP leads to."""
    local: tuple[str, ...]
    """Of those on the node."""
    sticky: int


def saved(ports: Sequence[Port]) -> str:
    """What `iptables-save` prints."""
    chains: list[str] = []
    rules: list[str] = []
    refusals: list[str] = []
    for port in ports[:PORTS]:
        if port.endpoints:
            made, written = _port(port)
            chains += made
            rules += written
        else:
            refusals += _refusals(port)
    more = [f"# {len(ports) - PORTS} ports of Services more"] if len(ports) > PORTS else []
    last = (
        '-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this '
        'chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS'
    )
    own = [*_NAT, *sorted(set(chains))]
    tables = (
        *_table("filter", _FILTER, (*_FILTER_RULES, *refusals)),
        *_table("nat", own, (*_NAT_RULES, *sorted(rules), last, *more)),
    )
    return "".join(f"{line}\n" for line in tables)


def _table(name: str, chains: Iterable[str], rules: Iterable[str]) -> list[str]:
    heads = [f":{chain} {'-' if chain.startswith('KUBE-') else 'ACCEPT'} [0:0]" for chain in chains]
    return [f"*{name}", *heads, *rules, "COMMIT"]


def _hash(*parts: str) -> str:
    return base64.b32encode(hashlib.sha256("".join(parts).encode()).digest()).decode()[:16]


def _comment(text: str) -> str:
    return f'-m comment --comment "{text}"'


def _port(port: Port) -> tuple[list[str], list[str]]:
    """The chains and the rules of a port that has endpoints."""
    protocol = port.protocol.lower()
    digest = _hash(port.name, protocol)
    service, outside, own = f"KUBE-SVC-{digest}", f"KUBE-EXT-{digest}", f"KUBE-SVL-{digest}"
    match = f"-p {protocol} {_comment(f'{port.name} cluster IP')} -m {protocol} --dport {port.number}"
    chains = [service]
    rules = [
        f"-A KUBE-SERVICES -d {port.ip}/32 {match} -j {service}",
        f"-A {service} ! -s {POD_CIDR} -d {port.ip}/32 {match} -j KUBE-MARK-MASQ",
        *_spread(port, service, port.endpoints, protocol),
    ]
    for endpoint in port.endpoints:
        chain = _chain(port, endpoint, protocol)
        chains.append(chain)
        rules += [
            f"-A {chain} -s {endpoint.rpartition(':')[0]}/32 {_comment(port.name)} -j KUBE-MARK-MASQ",
            f"-A {chain} -p {protocol} {_comment(port.name)}{_recent(port, chain, '--set')} -m {protocol} "
            f"-j DNAT --to-destination {endpoint}",
        ]
    if not (port.node_port or port.external_ips):
        return chains, rules
    chains.append(outside)
    for ip in port.external_ips:
        text = _comment(f"{port.name} loadbalancer IP")
        rules.append(
            f"-A KUBE-SERVICES -d {ip}/32 -p {protocol} {text} -m {protocol} --dport {port.number} -j {outside}"
        )
    if port.node_port:
        rules.append(
            f"-A KUBE-NODEPORTS -p {protocol} {_comment(port.name)} -m {protocol} --dport {port.node_port} -j {outside}"
        )
    if not port.local_outside:
        text = f"masquerade traffic for {port.name} external destinations"
        return chains, [
            *rules,
            f"-A {outside} {_comment(text)} -j KUBE-MARK-MASQ",
            f"-A {outside} -j {service}",
        ]
    chains.append(own)
    text = f"pod traffic for {port.name} external destinations"
    rules += [f"-A {outside} -s {POD_CIDR} {_comment(text)} -j {service}", f"-A {outside} -j {own}"]
    if port.local:
        rules += _spread(port, own, port.local, protocol)
    else:
        rules.append(f"-A {own} {_comment(f'{port.name} has no local endpoints')} -j DROP")
    return chains, rules


def _spread(port: Port, chain: str, endpoints: Iterable[str], protocol: str) -> list[str]:
    """Each endpoint with its share: the first takes one in n, the next one in n - 1 of the rest."""
    rows = list(endpoints)
    again = []
    if port.sticky:
        again = [
            f"-A {chain} {_comment(f'{port.name} -> {each}')}"
            f"{_recent(port, _chain(port, each, protocol), f'--rcheck --seconds {port.sticky} --reap')} "
            f"-j {_chain(port, each, protocol)}"
            for each in rows
        ]
    for at, each in enumerate(rows):
        left = len(rows) - at
        share = f" -m statistic --mode random --probability {1 / left:.11f}" if left > 1 else ""
        again.append(
            f"-A {chain} {_comment(f'{port.name} -> {each}')}{share} -j {_chain(port, each, protocol)}"
        )
    return again


def _recent(port: Port, chain: str, how: str) -> str:
    return f" -m recent {how} --name {chain} --mask 255.255.255.255 --rsource" if port.sticky else ""


def _chain(port: Port, endpoint: str, protocol: str) -> str:
    return f"KUBE-SEP-{_hash(port.name, protocol, endpoint)}"


def _refusals(port: Port) -> list[str]:
    """A port without endpoints is refused."""
    protocol = port.protocol.lower()
    text = _comment(f"{port.name} has no endpoints")
    reject = "-j REJECT --reject-with icmp-port-unreachable"
    rows = [
        f"-A KUBE-SERVICES -d {port.ip}/32 -p {protocol} {text} -m {protocol} --dport {port.number} {reject}"
    ]
    if port.node_port:
        rows.append(
            f"-A KUBE-EXTERNAL-SERVICES -p {protocol} {text} -m addrtype --dst-type LOCAL -m {protocol} "
            f"--dport {port.node_port} {reject}"
        )
    return rows
