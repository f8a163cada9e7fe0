"""The limits of the network, each crossed (the others: ``test_connections.py``)."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine.linux import dns, resolver
from cluster_engine.network import Clients, Rule, Wire, client
from cluster_engine.network import connections as room
from cluster_engine.network.limits import DATAGRAM_BYTES
from cluster_engine.network.wires import MAX_LATENCY
from cluster_engine.sim import SECOND
from tests.network.test_connections import CLIENT, SERVER, World, _Server


def test_a_request_is_given_up() -> None:
    world = World()
    world.wire(Wire(partition=True))
    world.network.connect("c", "7", SERVER, 80)
    world.run(126.9)
    assert world.client.take() == []
    world.run(0.1)
    assert world.client.take() == [["failed", "7", "timeout"]]


def test_a_conversation_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "RETRANSMIT_TRIES", 4)
    monkeypatch.setattr(room, "RETRANSMIT_MAX", SECOND // 2)
    world = World()
    world.network.connect("c", "7", SERVER, 80)
    world.run()
    world.client.take()
    world.wire(Wire(partition=True))
    world.network.send("c", "7", "x")
    world.run(1.59)  # 0.2, 0.4, and twice the longest pause
    assert world.client.take() == []
    world.run(0.01)
    assert world.client.take() == [["failed", "7", "timeout"]]


def test_conversations_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "NAT_ENTRIES", 1)
    world = World({("10.96.0.10", 53, "UDP"): Rule("dns", ((SERVER, 53),))})
    world.client.ports = (1, 2)
    for port in (1, 2):
        world.network.datagram("c", port, "10.96.0.10", 53, "?")
    world.run()
    for port in (1, 2):
        world.network.datagram("s", 53, CLIENT, port, "!")
    world.run()
    assert [told[2] for told in world.client.take()] == [SERVER, "10.96.0.10"]


def test_datagrams_beyond_the_queue_are_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "DATAGRAMS", 2)
    world = World()
    for number in range(3):
        world.network.datagram("c", 5_353, SERVER, 53, str(number))
    world.run()
    assert [told[-1] for told in world.server.take()] == ["0", "1"]


def test_a_datagram_that_is_too_long_is_lost() -> None:
    world = World()
    for size in (DATAGRAM_BYTES, DATAGRAM_BYTES + 1):
        world.network.datagram("c", 5_353, SERVER, 53, "x" * size)
    world.run()
    assert [len(told[-1]) for told in world.server.take()] == [DATAGRAM_BYTES]


def test_a_wire_is_not_longer() -> None:
    wires = World().network.wires
    wires.set("a", "b", Wire(latency=MAX_LATENCY))
    with pytest.raises(ValueError, match="latency must be 0 to 60000000 µs, found 60000001"):
        wires.set("a", "b", Wire(latency=MAX_LATENCY + 1))


def test_a_node_reads_only_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "HEAD_LIMIT", 10)
    world = World()
    told: list[Any] = []
    world.clock.register("told", told.append)
    world.fakes["s"] = _Server(world.network, "HTTP/1.1 " + "2" * 100, 80)
    clients = Clients(world.clock, world.network)
    clients.add("n1", "172.18.0.3")
    clients.http(
        "n1", SERVER, 80, "GET / HTTP/1.1\r\n\r\n", tls=False, timeout=SECOND, then=["told"], background=False
    )
    world.run(2)
    assert told == [["protocol", f'malformed HTTP response "HTTP/1.1 {"2" * 55}"']]


def test_a_name_that_is_too_long() -> None:
    given = resolver.config("nameserver 10.96.0.10\noptions ndots:1")
    label = "a" * 63
    name = ".".join([label, label, label, "a" * (dns.NAME_LIMIT - 192)])
    assert (len(name), resolver.questions(name, given)) == (253, [name])
    assert resolver.questions(name + "a", given) == []
    assert dns.read_question(f"1 A {name}") == (1, "A", name)
    assert dns.read_question(f"1 A {name}a") is None
