"""The limits of servers and logs, each crossed (the others: ``test_sandboxes.py``, ``test_http.py``)."""

from __future__ import annotations

import pytest

from cluster_engine.container_runtime import http, programs
from cluster_engine.container_runtime.logs import LINE, Log
from tests.linux.world import World

SERVER = http.server("server", http.Server(lambda sys, state, request: http.Reply(200)))


def test_connections_of_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "OPEN", 2)
    world = World(table={"server": SERVER}.get, names=["server"])
    world.start("server")
    world.settle()
    socks = [world.machine.accept(80, "", "10.0.0.2", 4000 + number) for number in range(3)]
    world.settle()
    assert world.host.calls == [("close", socks[2])]
    world.machine.closed(socks[0] or "")
    world.settle()
    world.machine.accept(80, "", "10.0.0.2", 5000)
    world.settle()
    assert world.host.calls == [("close", socks[2]), ("close", socks[0])]


def test_connections_of_a_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "TALKS", 1)
    talk = programs.by_lines(lambda sys, state, own, line: (f"{line}!\n", line == "bye"), 8)
    daemon = programs.daemon("daemon", lambda sys: [], after=1, ports=(80,), ready=lambda sys: [], talk=talk)
    world = World(table={"daemon": daemon}.get, names=["daemon"])
    world.start("daemon")
    world.advance(10)
    first, second = (world.machine.accept(80, "", "10.0.0.2", port) or "" for port in (1, 2))
    world.settle()
    assert world.host.calls[-1] == ("close", second)
    world.machine.received(first, "hello\nwor")
    world.settle()
    assert ("send", first, "hello!\n") in world.host.calls
    world.machine.received(first, "ld, all of it")
    world.settle()
    assert world.host.calls[-1] == ("close", first)


def test_a_long_line_comes_in_parts_and_the_last_one_keeps_what_it_is() -> None:
    log = Log()
    log.write(1, "stdout", "x" * (2 * LINE + 5))
    assert [len(text) for _, _, text in log.lines()] == [LINE, LINE]
    log.write(1, "stdout", f"\n{'é'.encode().decode('latin-1') * LINE}\nend")
    log.close(2)
    assert Log.load(log.state()).lines() == log.lines()
    said = "".join(text for _, _, text in log.lines())
    assert said == f"{'x' * (2 * LINE + 5)}\n{'é' * LINE}\nend"
