"""The way of a packet and its reasons, as a table."""

from __future__ import annotations

import pytest

from cluster_engine.network import Datapath, Packet, Rule, Verdict

RULES = {
    ("10.96.0.7", 80, "TCP"): Rule("shop/api:http", (("10.244.1.1", 8080), ("10.244.2.2", 8080))),
    ("10.96.0.8", 80, "TCP"): Rule("shop/empty", ()),
    ("10.96.0.9", 80, "TCP"): Rule("shop/gone", (("10.244.9.9", 80),)),
    ("10.96.0.6", 80, "TCP"): Rule("shop/far", (), silence="has no local endpoints"),
    ("192.168.0.11", 30080, "TCP"): Rule("shop/node", (("10.244.2.2", 8080),), masquerade=True),
}
NODES = {"10.244.1.1": "n1", "10.244.2.2": "n2"}
API = ["service", "shop/api:http has 2 endpoints"]


class Table:
    def rule(self, packet: Packet) -> Rule | None:
        return RULES.get((packet.destination, packet.port, packet.protocol))

    def owns(self, ip: str) -> bool:
        return ip.startswith("10.96.")


def _deny(direction: str, packet: Packet) -> str:
    denied = {("egress", 443): "shop/no-https", ("ingress", 8080): "shop/deny-all"}
    return denied.get((direction, packet.port), "") if packet.source == "10.244.1.66" else ""


WAYS = {
    "a Pod": (("10.244.1.1", 80), "deliver", "10.244.1.1:80", [["node", "n1"]]),
    "a Service": (
        ("10.96.0.7", 80),
        "deliver",
        "10.244.2.2:8080",
        [API, ["endpoint", "10.244.2.2:8080"], ["node", "n2"]],
    ),
    "no endpoints": (
        ("10.96.0.8", 80),
        "reject",
        "10.96.0.8:80",
        [["service", "shop/empty has no endpoints"]],
    ),
    "no local endpoints": (
        ("10.96.0.6", 80),
        "drop",
        "10.96.0.6:80",
        [["service", "shop/far has no local endpoints"]],
    ),
    "another port": (
        ("10.96.0.7", 81),
        "drop",
        "10.96.0.7:81",
        [["service", "no Service has 10.96.0.7:81/TCP"]],
    ),
    "an endpoint that is gone": (
        ("10.96.0.9", 80),
        "unreachable",
        "10.244.9.9:80",
        [
            ["service", "shop/gone has 1 endpoints"],
            ["endpoint", "10.244.9.9:80"],
            ["route", "no node has 10.244.9.9"],
        ],
    ),
    "nobody": (
        ("192.0.2.1", 80),
        "unreachable",
        "192.0.2.1:80",
        [["route", "no node has 192.0.2.1"]],
    ),
}


@pytest.mark.parametrize(("to", "verdict", "end", "steps"), WAYS.values(), ids=WAYS.keys())
def test_way(to: tuple[str, int], verdict: str, end: str, steps: list[list[str]]) -> None:
    way = Datapath(Table(), NODES.get).way(Packet("10.244.1.5", *to), lambda rule, _: rule.endpoints[-1])
    assert (way.verdict, f"{way.ip}:{way.port}", way.steps) == (verdict, end, steps)


DENIALS = {
    "ingress, asked about the endpoint": (
        "10.244.1.66",
        ("10.96.0.7", 80),
        [API, ["endpoint", "10.244.1.1:8080"], ["ingress", "shop/deny-all"]],
    ),
    "egress": ("10.244.1.66", ("10.244.1.1", 443), [["egress", "shop/no-https"]]),
}


@pytest.mark.parametrize(("source", "to", "steps"), DENIALS.values(), ids=DENIALS.keys())
def test_policies(source: str, to: tuple[str, int], steps: list[list[str]]) -> None:
    path = Datapath(Table(), NODES.get, policies=(_deny,))
    way = path.way(Packet(source, *to), lambda rule, _: rule.endpoints[0])
    assert (way.verdict, way.steps) == (Verdict.DROP, steps)
    assert path.way(Packet("10.244.1.5", *to), lambda rule, _: rule.endpoints[0]).verdict == Verdict.DELIVER


def test_behind_a_node_port_the_node_is_seen() -> None:
    path = Datapath(Table(), NODES.get)
    assert path.way(Packet("172.18.0.1", "192.168.0.11", 30080), lambda rule, _: rule.endpoints[0]).masked
    assert not path.way(Packet("10.244.1.5", "10.96.0.7", 80), lambda rule, _: rule.endpoints[0]).masked
