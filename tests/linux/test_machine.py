"""The machine: processes, pipes, signals, terminals, sockets, budgets."""

from __future__ import annotations

import json

import pytest

from cluster_engine.linux.errors import FileError
from cluster_engine.linux.limits import Limits
from cluster_engine.linux.machine import Machine
from cluster_engine.linux.program import Program, Sys
from tests.linux.world import TABLE, World


def test_a_program_writes_to_the_log() -> None:
    world = World()
    process = world.start(
        "echo", "hi", stdin=["null"], stdout=["log", "stdout"], stderr=["log", "stderr"], tag="t"
    )
    world.settle()
    assert world.host.logs == [("t", "stdout", "hi\n")]
    assert world.host.exits == {process: 0}


def test_no_such_program() -> None:
    world = World()
    with pytest.raises(FileError, match="No such file or directory"):
        world.start("nosuch")
    with pytest.raises(FileError, match="Permission denied"):
        world.start("/etc/passwd")


def test_a_filter_reads_its_session() -> None:
    world = World()
    process = world.start("cat")
    world.machine.input("s", "one\n")
    world.settle()
    assert world.host.out() == "one\n"
    assert process not in world.host.exits
    world.machine.input("s", "two\n")
    world.machine.end_input("s")
    world.settle()
    assert (world.host.out(), world.host.ends) == ("one\ntwo\n", {"s": 0})


def test_a_sleeper_sleeps_on_the_clock() -> None:
    world = World()
    process = world.start("sleep", "3600")
    assert world.settle() == world.now + 3_600_000_000
    world.advance(3_599_999_999)
    assert world.machine.alive(process)
    world.advance(1)
    assert world.host.exits == {process: 0}


PAUSES = {
    "over": ("sleep 2; echo $?", [], "0\n"),
    "killed": ("sleep 9; echo $?", [(1, "TERM")], "Terminated\n143\n"),
    "stopped beyond its end": ("sleep 2; echo $?", [(1, "STOP"), (3, "CONT")], "0\n"),
    "stopped and going on": ("sleep 5; echo $?", [(1, "STOP"), (2, "CONT")], "0\n"),
    "ignored": ("trap '' TERM; sleep 3; echo $?", [(1, "TERM")], "0\n"),
    "of nothing": ("sleep 0; echo $?", [], "0\n"),
    "become": ("(exec sleep 2); echo $?", [], "0\n"),
    "in the background": ("sleep 3 & sleep 1; kill $!; wait $!; echo $?", [], "Terminated\n143\n"),
    "with a pipe": ("sleep 2 | cat; echo $?", [], "0\n"),
    "misused": ("sleep x; echo $?", [], "sleep: invalid number 'x'\n1\n"),
}


@pytest.mark.parametrize("name", PAUSES)
@pytest.mark.parametrize("saved", [False, True], ids=["straight", "saved each second"])
def test_a_process_that_only_waits(name: str, saved: bool) -> None:
    line, signals, out = PAUSES[name]
    world = World()
    world.start("sh", "-c", line)
    for second in range(10):
        for signal in [each for at, each in signals if at == second]:
            sleeps = [each["id"] for each in world.machine.processes() if each["argv"][0] == "sleep"]
            world.machine.signal(sleeps[0], signal)
        world.advance(1_000_000)
        if saved:
            state = json.loads(json.dumps(world.machine.state()))
            world.machine = Machine("box", world.host, TABLE.get)
            world.machine.load(state)
    assert (world.host.out(), list(world.host.exits.values())) == (out, [0])


@pytest.mark.parametrize(
    ("signal", "status"), [("TERM", None), ("KILL", 137), ("INT", None)], ids=["term", "kill", "int"]
)
def test_the_first_process_ignores_what_it_has_no_handler_for(signal: str, status: int | None) -> None:
    world = World()
    process = world.start("sleep", "60")
    world.settle()
    world.machine.signal(process, signal)
    world.settle()
    assert world.host.exits.get(process) == status


def test_a_handler_of_the_first_process() -> None:
    world = World()
    process = world.start("sh", "-c", 'trap "echo bye; exit 3" TERM; while :; do sleep 1; done')
    world.advance(2_500_000)
    world.machine.signal(process, "TERM")
    world.advance(1_000_000)
    assert (world.host.out(), world.host.exits) == ("bye\n", {process: 3})


def test_the_end_of_the_first_process_ends_the_others() -> None:
    world = World()
    first = world.start("sh", "-c", "sleep 1000 & sleep 5")
    other = world.start("sleep", "1000", session="t")
    world.advance(10_000_000)
    assert world.host.exits == {first: 0, other: 137}
    assert world.machine.processes() == []


def test_back_pressure_and_a_broken_pipe() -> None:
    world = World()
    result = world.sh("yes | { read a; echo $a; sleep 5; read b; echo $b; }")
    assert (result.status, result.out) == (0, "y\ny\n")
    assert world.machine.processes() == []
    assert world.machine.usage()["cpu"] < 20_000


def test_a_terminal_edits_and_interrupts() -> None:
    world = World()
    world.machine.open_terminal("t", 80, 24)
    tty = ["tty", "t"]
    world.start("sh", stdin=tty, stdout=tty, stderr=tty, session="t")
    world.settle()
    assert world.host.out() == "/ # "
    for keys in ("echp\x7fo hi\r", "sleep 100\r"):
        world.machine.input("t", keys)
        world.settle()
    assert world.host.out() == "/ # echp\b \bo hi\r\nhi\r\n/ # sleep 100\r\n"
    world.machine.input("t", "\x03")
    world.settle()
    assert world.host.out().endswith("sleep 100\r\n^C\r\n/ # ")
    world.machine.input("t", "sleep 100\r")
    world.settle()
    world.machine.input("t", "\x1a")
    world.settle()
    assert world.host.out().endswith("^Z[1]+  Stopped                    sleep 100\r\n/ # ")
    world.machine.input("t", "exit\r")
    world.settle()
    assert world.host.out().endswith("exit\r\nYou have stopped jobs.\r\n/ # ")
    world.machine.input("t", "exit 4\r")
    world.settle()
    assert world.host.ends == {"t": 4}
    assert world.machine.processes() == []


def test_connections_inside_the_machine() -> None:
    world = World()
    result = world.sh("talk 127.0.0.1 7 early; echod 7 & sleep 1; talk 127.0.0.1 7 hello; echo; kill $!")
    assert (result.out, result.err) == ("hello\n", "talk: refused\n")


def test_connections_to_the_outside() -> None:
    world = World()
    process = world.start("talk", "10.0.0.9", "80", "GET")
    world.settle()
    ((_, sock, ip, port),) = world.host.calls
    assert (ip, port) == ("10.0.0.9", 80)
    world.machine.connected(sock)
    world.settle()
    assert world.host.calls[1:] == [("send", sock, "GET"), ("shutdown", sock)]
    world.machine.received(sock, "200")
    world.machine.closed(sock)
    world.settle()
    assert (world.host.out(), world.host.exits) == ("200", {process: 0})


def test_connections_from_the_outside() -> None:
    world = World()
    world.start("echod", "7")
    world.settle()
    assert world.machine.accept(8, "10.0.0.1", "10.0.0.2", 4000) is None
    sock = world.machine.accept(7, "10.0.0.1", "10.0.0.2", 4000)
    assert sock is not None
    world.machine.received(sock, "abc")
    world.settle()
    assert world.host.calls == [("send", sock, "abc")]
    world.machine.closed(sock)
    world.settle()
    assert world.host.calls[1:] == [("close", sock)]


BOMBS = {
    "spinner": "while :; do :; done",
    "counter": "while :; do i=$((i+1)); done",
    "short sleeps": "while :; do sleep 0.001; done",
    "fork bomb": "f() { f | f & }; f; sleep 100000",
    "endless output": "yes",
    "endless echo": "while :; do echo y; done",
    "dates": "while :; do date; done",
}


@pytest.mark.parametrize("line", BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_uses_its_share_and_no_more(line: str) -> None:
    """After what it had saved up, a machine does some thousand steps a minute."""
    world = World(limits=Limits(processes=64))
    world.start("sh", "-c", line, stdout=["log", "stdout"])
    world.advance(120_000_000)
    before = world.machine.steps
    world.advance(600_000_000)
    assert world.machine.steps - before < 40_000


def test_a_spinner_is_metered_as_one_core() -> None:
    world = World()
    world.start("sh", "-c", "while :; do :; done")
    world.advance(60_000_000)
    before = world.machine.usage(now=world.now)["cpu"]
    world.advance(60_000_000)
    assert world.machine.usage(now=world.now)["cpu"] - before == 60_000_000
    assert world.machine.run(world.now) is None, "it comes back to where it was: it is parked"


def test_a_snapshot_is_the_same_object_until_something_runs() -> None:
    world = World()
    world.start("sh", "-c", "while :; do sleep 1; done")
    world.advance(1_500_000)
    first = world.machine.state()
    assert world.machine.state() is first
    text = json.dumps(first)
    world.advance(1_000_000)
    assert world.machine.state() is not first
    assert json.dumps(first) == text


def _buggy(sys: Sys, argv: list[str]) -> int:
    raise ValueError("planted")


def test_a_bug_costs_one_process() -> None:
    """Strict hosts let it through; any other sees the process die of SEGV, and the machine goes on."""
    table = {**TABLE, "buggy": Program("buggy", run=_buggy)}
    for line, status in (("buggy", 139), ("(buggy); echo $?; sleep 1; echo on", 0)):
        world = World(table=table.get, names=table)
        world.host.faults = []
        process = world.start("sh", "-c", line)
        world.advance(5_000_000)
        assert world.host.exits == {process: status}
        assert len(world.host.faults) == 1
        assert "planted" in world.host.faults[0]
    assert world.host.out(1) == "139\non\n"
    strict = World(table=table.get, names=table)
    strict.start("buggy")
    with pytest.raises(ValueError, match="planted"):
        strict.settle()
