"""Connections between fake hosts: order, refusals, time-outs, lossy wires, limits, saving in the middle."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cluster_engine.network import Clients, Network, Packet, Rule, Wire
from cluster_engine.network import connections as room
from cluster_engine.sim import SECOND, Clock
from cluster_engine.sim.chance import Chance

SERVER, CLIENT = "10.244.2.2", "10.244.1.2"


class Services:
    """Rules from a table."""

    def __init__(self, rules: dict[tuple[str, int, str], Rule]) -> None:
        self.rules = rules

    def rule(self, packet: Packet) -> Rule | None:
        return self.rules.get((packet.destination, packet.port, packet.protocol))

    def owns(self, ip: str) -> bool:
        return ip.startswith("10.96.")


class Fake:
    """A host that writes down what it is told; ``ports`` are listened on."""

    def __init__(self, *ports: int) -> None:
        self.ports = ports
        self.told: list[list[Any]] = []
        self.sock = 100

    def accept(self, port: int, ip: str, peer_ip: str, peer_port: int) -> str | None:
        if port not in self.ports:
            return None
        self.sock += 1
        self.told.append(["accepted", f"s{self.sock}", peer_ip, peer_port])
        return f"s{self.sock}"

    def connected(self, sock: str) -> None:
        self.told.append(["connected", sock])

    def failed(self, sock: str, reason: str) -> None:
        self.told.append(["failed", sock, reason])

    def received(self, sock: str, data: str) -> None:
        self.told.append(["received", sock, data])

    def closed(self, sock: str) -> None:
        self.told.append(["ended", sock])

    def acked(self, sock: str, count: int) -> None:
        self.told.append(["acked", sock, count])

    def datagram_in(self, port: int, peer_ip: str, peer_port: int, data: str) -> bool:
        if port not in self.ports:
            return False
        self.told.append(["datagram", port, peer_ip, peer_port, data])
        return True

    def take(self) -> list[list[Any]]:
        told, self.told = self.told, []
        return told


class _Hosts:
    """Hands what is told to the fake of that key."""

    def __init__(self, fakes: dict[str, Fake]) -> None:
        self.fakes = fakes

    def __getattr__(self, name: str) -> Any:
        return lambda key, *rest: getattr(self.fakes[key], name)(*rest)


class World:
    """Two nodes, a client on the one, a server with port 80 on the other."""

    def __init__(self, rules: dict[tuple[str, int, str], Rule] | None = None) -> None:
        self.clock = Clock(0)
        self.services = Services(rules or {})
        self.network = Network(self.clock, self.services, Chance(1))
        self.client, self.server = Fake(5_353), Fake(80, 53)
        self.fakes = {"c": self.client, "s": self.server}
        self.network.kinds["pod"] = _Hosts(self.fakes)
        self.network.attach("c", CLIENT, "n1", "pod")
        self.network.attach("s", SERVER, "n2", "pod")

    def run(self, seconds: float = 0) -> None:
        self.clock.run_until(self.clock.now + round(seconds * SECOND))

    def wire(self, wire: Wire) -> None:
        for pair in (("n1", "n2"), ("n2", "n1")):
            self.network.wires.set(*pair, wire)


def test_a_conversation() -> None:
    world = World()
    network = world.network
    network.connect("c", "7", SERVER, 80)
    world.run()
    assert world.server.take() == [["accepted", "s101", CLIENT, 32_768]]
    assert world.client.take() == [["connected", "7"]]
    network.send("c", "7", "GET ")
    network.send("c", "7", "/")
    network.shutdown("c", "7")
    world.run()
    assert world.server.take() == [["received", "s101", "GET "], ["received", "s101", "/"], ["ended", "s101"]]
    network.took("s", "s101", 5)
    network.send("s", "s101", "page")
    network.close("s", "s101")
    world.run()
    assert world.client.take() == [["acked", "7", 5], ["received", "7", "page"], ["ended", "7"]]
    assert network.connections("c") == []
    assert network.state()["connections"] == []


def _rule(*endpoints: tuple[str, int]) -> dict[tuple[str, int, str], Rule]:
    return {("10.96.0.7", 80, "TCP"): Rule("shop/api:http", endpoints)}


OUTCOMES = {
    "listens": (SERVER, 80, None, [[0.0, "connected", "7"]]),
    "nobody listens": (SERVER, 81, None, [[0.0, "failed", "7", "refused"]]),
    "no such address": ("10.244.9.9", 80, None, [[3.0, "failed", "7", "unreachable"]]),
    "a Service": ("10.96.0.7", 80, _rule((SERVER, 80)), [[0.0, "connected", "7"]]),
    "a Service without endpoints": ("10.96.0.7", 80, _rule(), [[0.0, "failed", "7", "refused"]]),
    "a port that the Service has not": (
        "10.96.0.7",
        81,
        _rule((SERVER, 80)),
        [[127.0, "failed", "7", "timeout"]],
    ),
    "an endpoint that does not listen": (
        "10.96.0.7",
        80,
        _rule((SERVER, 81)),
        [[0.0, "failed", "7", "refused"]],
    ),
}


@pytest.mark.parametrize(("ip", "port", "rules", "expected"), OUTCOMES.values(), ids=OUTCOMES.keys())
def test_outcome_of_a_connection(ip: str, port: int, rules: Any, expected: list[list[Any]]) -> None:
    world = World(rules)
    world.network.connect("c", "7", ip, port)
    told: list[list[Any]] = []
    for _ in range(1_300):
        world.run()
        told += [[world.clock.now / SECOND, *entry] for entry in world.client.take()]
        world.run(0.1)
    assert told == expected


def test_latency_both_ways() -> None:
    world = World()
    world.wire(Wire(latency=SECOND // 10))
    world.network.connect("c", "7", SERVER, 80)
    world.run(0.15)
    assert (len(world.server.take()), world.client.take()) == (1, [])
    world.run(0.05)
    assert world.client.take() == [["connected", "7"]]
    world.network.send("c", "7", "a")
    world.run(0.09)
    world.network.wires.set("n1", "n2", Wire())
    world.network.send("c", "7", "b")
    world.run()
    assert world.server.take() == []  # a faster segment does not overtake
    world.run(0.01)
    assert [entry[2] for entry in world.server.take()] == ["a", "b"]


def test_a_partition_that_heals_lets_the_request_through() -> None:
    world = World()
    world.wire(Wire(partition=True))
    world.network.connect("c", "7", SERVER, 80)
    world.run(5)
    assert world.client.take() == []
    world.wire(Wire())
    world.run(1.9)
    assert world.client.take() == []
    world.run(0.1)  # the fourth request leaves after 1 + 2 + 4 s
    assert world.client.take() == [["connected", "7"]]


def test_a_partition_in_a_conversation() -> None:
    world = World()
    world.network.connect("c", "7", SERVER, 80)
    world.run()
    world.client.take(), world.server.take()
    world.wire(Wire(partition=True))
    for text in "abc":
        world.network.send("c", "7", text)
    world.run(1)
    assert world.server.take() == []
    world.wire(Wire())
    world.run(1)
    assert "".join(entry[2] for entry in world.server.take()) == "abc"
    world.wire(Wire(partition=True))
    world.network.send("c", "7", "d")
    world.run(2_000)
    assert world.client.take() == [["failed", "7", "timeout"]]
    assert world.server.take() == [["failed", "s101", "timeout"]]


def test_loss_delays_and_keeps_order() -> None:
    world = World()
    world.network.connect("c", "7", SERVER, 80)
    world.run()
    world.server.take()
    world.wire(Wire(loss=400))
    sent = [str(n) for n in range(50)]
    for text in sent:
        world.network.send("c", "7", text)
    world.run()
    assert len(world.server.told) < 50
    world.run(120)
    assert [entry[2] for entry in world.server.take()] == sent


def test_a_closed_end_resets() -> None:
    world = World()
    world.network.connect("c", "7", SERVER, 80)
    world.run()
    world.network.close("s", "s101")
    world.run()
    world.network.send("c", "7", "x")
    world.run()
    assert world.client.take()[1:] == [["ended", "7"], ["failed", "7", "reset"]]


def test_a_host_that_is_gone() -> None:
    world = World()
    world.network.connect("c", "7", SERVER, 80)
    world.run()
    world.network.send("s", "s101", "last words")
    world.network.detach("s")
    world.run()
    world.network.send("c", "7", "x")
    world.run()
    assert world.client.take()[1:] == [["received", "7", "last words"], ["failed", "7", "reset"]]
    assert world.network.node_of(SERVER) is None


def test_datagrams_come_back_from_where_they_were_sent() -> None:
    world = World({("10.96.0.10", 53, "UDP"): Rule("kube-system/kube-dns:dns", ((SERVER, 53),))})
    world.network.datagram("c", 5_353, "10.96.0.10", 53, "web?")
    world.run()
    assert world.server.take() == [["datagram", 53, CLIENT, 5_353, "web?"]]
    world.network.datagram("s", 53, CLIENT, 5_353, "web!")
    world.run()
    assert world.client.take() == [["datagram", 5_353, "10.96.0.10", 53, "web!"]]


def test_policies_see_the_endpoint_and_are_told() -> None:
    asked: list[tuple[str, str, int]] = []

    def policy(direction: str, packet: Any) -> str:
        asked.append((direction, packet.destination, packet.port))
        return "shop/deny-all" if direction == "ingress" else ""

    network = Network(Clock(0), Services(_rule((SERVER, 8080))), Chance(1), policies=(policy,))
    network.attach("s", SERVER, "n2", "pod")
    way = network.way(CLIENT, "10.96.0.7", 80)
    assert asked == [("egress", SERVER, 8080), ("ingress", SERVER, 8080)]
    assert (way.verdict, way.steps) == (
        "drop",
        [
            ["service", "shop/api:http has 1 endpoints"],
            ["endpoint", f"{SERVER}:8080"],
            ["ingress", "shop/deny-all"],
        ],
    )


def test_connections_per_host_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "CONNECTIONS", 3)
    world = World()
    for sock in "0123":
        world.network.connect("c", sock, SERVER, 80)
    world.run()
    assert sorted(world.client.take()) == [*(["connected", n] for n in "012"), ["failed", "3", "refused"]]
    assert len(world.network.connections("c")) == 3


def test_bytes_in_flight_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "IN_FLIGHT", 10)
    world = World()
    world.network.connect("c", "7", SERVER, 80)
    world.run()
    world.client.take()
    world.network.send("c", "7", "0123456789")
    world.network.took("s", "s101", 10)
    world.network.send("c", "7", "0123456789")
    world.run()
    assert world.client.take() == [["acked", "7", 10]]
    world.network.send("c", "7", "!")
    world.run()
    assert world.client.take() == [["failed", "7", "reset"]]


def test_links_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    with pytest.raises(ValueError, match="latency must be 0 to 60000000 µs, found -1"):
        world.network.wires.set("a", "b", Wire(latency=-1))
    with pytest.raises(ValueError, match="loss must be 0 to 1000 of a thousand, found 1001"):
        world.network.wires.set("a", "b", Wire(loss=1_001))
    monkeypatch.setattr("cluster_engine.network.wires.WIRES", 1)
    world.network.wires.set("a", "b", Wire(latency=1))
    with pytest.raises(ValueError, match="a cluster may have 1 wires"):
        world.network.wires.set("a", "c", Wire(latency=1))
    world.network.wires.set("a", "b", Wire())
    assert not world.network.wires.any
    with pytest.raises(ValueError, match="a wire lies between two nodes"):
        world.network.wires.set("a", "a", Wire(latency=1))


@pytest.mark.parametrize("cut", range(40))
def test_saved_in_the_middle_it_goes_on_as_it_would(cut: int) -> None:
    """A talk over a bad line, saved as JSON after ``cut`` clock events, ends as the straight one."""

    def talk(cut: int | None) -> list[list[Any]]:
        world = World()
        world.wire(Wire(latency=30_000, loss=300))
        world.network.connect("c", "7", SERVER, 80)
        told: list[list[Any]] = []
        for step in range(120):
            if step == cut:
                saved = json.loads(json.dumps([world.network.state(), world.clock.state()]))
                sockets = world.server.sock
                world = World()
                world.network.load(saved[0])
                world.server.sock = sockets
                world.clock.load(saved[1])
            world.clock.step()
            for name, fake in (("c", world.client), ("s", world.server)):
                for entry in fake.take():
                    told.append([world.clock.now, name, *entry])
                    if entry[0] == "connected":
                        world.network.send("c", "7", "hello")
                    if entry[0] == "received" and len(told) < 60:
                        world.network.took(name, entry[1], len(entry[2]))
                        world.network.send(name, entry[1], entry[2] + ".")
        return told

    assert talk(cut) == talk(None)


class _Server(Fake):
    """Answers every request with the same text, or with nothing."""

    def __init__(self, network: Network, answer: str, *ports: int) -> None:
        super().__init__(*ports)
        self.network, self.answer = network, answer

    def received(self, sock: str, data: str) -> None:
        super().received(sock, data)
        if self.answer:
            self.network.send("s", sock, self.answer)
        self.network.close("s", sock)


ANSWERS = {
    "a reply": (80, "HTTP/1.1 204 No Content\r\n\r\n", False, 0.0, ["reply", 204]),
    "a reply over TLS": (80, "HTTP/1.1 200 OK\r\n\r\n", True, 0.0, ["reply", 200]),
    "no TLS there": (
        80,
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        True,
        0.0,
        ["protocol", "http: server gave HTTP response to HTTPS client"],
    ),
    "no HTTP": (80, "+PONG\r\n", False, 0.0, ["protocol", 'malformed HTTP response "+PONG\r\n"']),
    "closed": (80, "", False, 0.0, ["failed", "EOF"]),
    "refused": (81, "", False, 0.0, ["failed", "connection refused"]),
}


@pytest.mark.parametrize(("port", "text", "tls", "at", "expected"), ANSWERS.values(), ids=ANSWERS.keys())
def test_a_node_asks(port: int, text: str, tls: bool, at: float, expected: list[Any]) -> None:
    world = World()
    told: list[Any] = []
    world.clock.register("told", lambda *args: told.append([world.clock.now / SECOND, *args]))
    world.fakes["s"] = _Server(world.network, text, 80)
    clients = Clients(world.clock, world.network)
    clients.add("n1", "172.18.0.3")
    request = "GET / HTTP/1.1\r\n\r\n"
    clients.http("n1", SERVER, port, request, tls=tls, timeout=SECOND, then=["told", "x"], background=False)
    world.run(2)
    assert told == [[at, "x", expected]]
    assert world.network.state()["connections"] == []


def test_a_node_waits_only_so_long() -> None:
    world = World()
    told: list[Any] = []
    world.clock.register("told", lambda *args: told.append([world.clock.now / SECOND, *args]))
    clients = Clients(world.clock, world.network)
    clients.add("n1", "172.18.0.3")
    clients.http("n1", SERVER, 80, "GET /", tls=False, timeout=SECOND, then=["told"], background=False)
    clients.connect_tcp("n1", SERVER, 80, timeout=SECOND, then=["told"], background=False)
    world.run(0.5)
    assert told == [[0.0, ["connected"]]]
    saved = json.loads(json.dumps(clients.state()))
    clients.load(saved)
    world.run(2)
    assert told[1:] == [[1.0, ["timeout"]]]
