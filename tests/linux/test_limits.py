# ruff: noqa: E501 (one case a line)
"""Every limit is crossed once, and what crosses it hears of it; processes, their parents and namespaces."""

from __future__ import annotations

import pytest

from cluster_engine.linux import sockets
from cluster_engine.linux.limits import BACKLOG, CODES, MAX_LINE, TERMINAL_INPUT, TERMINAL_LINE, Limits
from tests.linux.world import PATH, World, image

CROSSED: dict[str, tuple[Limits, str, int, str, str]] = {
    "processes": (Limits(processes=4), "sleep 9 & sleep 9 & sleep 9 & sleep 9 & echo no", 2, "",
                  "sh: can't fork: Resource temporarily unavailable\n"),
    "processes of a command": (Limits(processes=3), "sleep 1 & sleep 1 & sleep 1; echo $?", 0, "2\n",
                               "sh: can't fork: Resource temporarily unavailable\n"),
    "value": (Limits(value=1000), "x=0123456789; while :; do x=$x$x; done", 2, "", "sh: out of memory\n"),
    "variables": (Limits(variables=2000), "x=$(printf %0600d 0); a=$x; b=$x; c=$x; d=$x; echo no", 2, "",
                  "sh: out of memory\n"),
    "substitution": (Limits(value=1000), "x=$(printf %02000d 0); echo ${#x}", 0, "0\n",
                     "sh: write error: Cannot allocate memory\n"),
    "words": (Limits(value=1000), "x=0123456789; echo $x${x#no}$(printf %0990d 0)${x#no}; echo no", 2, "",
              "sh: out of memory\n"),
    "fields": (Limits(fields=10), "x='1 2 3 4 5 6 7 8 9 10 11'; IFS=' '; echo $x; echo no", 2, "",
               "sh: Argument list too long\n"),
    "depth": (Limits(depth=20), "f() { f; }; f; echo no", 2, "", "sh: maximum function recursion depth exceeded\n"),
    "depth of eval": (Limits(depth=20), "x='eval \"$x\"'; eval \"$x\"; echo no", 2, "",
                      "sh: maximum function recursion depth exceeded\n"),
    "functions": (Limits(functions=2), "f() { :; }; g() { :; }; h() { :; }; echo no", 2, "", "sh: out of memory\n"),
    "aliases": (Limits(functions=1), "alias a=b; alias c=d; echo $?", 0, "2\n", "sh: out of memory\n"),
    "descriptors": (Limits(descriptors=5), "exec echod 7", 0, "", ""),
    "line": (Limits(), "echo " + "x" * MAX_LINE, 2, "", "sh: a command line may have at most 65,536 characters\n"),
    "arithmetic": (Limits(), "echo $((" + "(" * 50 + "1" + ")" * 50 + "))", 2, "",
                   "sh: arithmetic expression: nested more than 40 deep\n"),
    "arithmetic recursion": (Limits(), "x=y; y=x; echo $((x)); echo no", 2, "", "sh: expression recursion loop detected\n"),
    "test": (Limits(), "[ " + "\\( " * 41 + "a" + " \\)" * 41 + " ]; echo $?", 0, "2\n", "sh: nested more than 40 deep\n"),
    "width": (Limits(), "printf %20000d 1; echo $?", 0, "1\n", "sh: a width may be at most 10,000\n"),
}  # fmt: skip


@pytest.mark.parametrize(("limits", "line", "status", "out", "err"), CROSSED.values(), ids=CROSSED.keys())
def test_a_limit_is_told(limits: Limits, line: str, status: int, out: str, err: str) -> None:
    world = World(limits=limits)
    if line.startswith("exec echod"):
        process = world.start("echod", "7")
        world.settle()
        for number in range(4):
            world.machine.accept(7, "", "10.0.0.2", 4000 + number)
        world.settle()
        assert world.machine.alive(process)
        assert [call[0] for call in world.host.calls] == ["close"] * 3
        return
    result = world.sh(line)
    assert (result.status, result.out, result.err) == (status, out, err)


def test_a_terminal_drops_what_nobody_reads() -> None:
    world = World()
    world.machine.open_terminal("t", 80, 24)
    tty = ["tty", "t"]
    world.start("sleep", "100", stdin=tty, stdout=tty, stderr=tty, session="t")
    world.machine.input("t", "x" * (TERMINAL_LINE + 100) + "\r")
    assert len(world.host.out()) == TERMINAL_LINE + 2
    for _ in range(TERMINAL_INPUT // TERMINAL_LINE + 5):
        world.machine.input("t", "y" * (TERMINAL_LINE - 1) + "\r")
    assert world.machine.state()["machine"]["ttys"]["t"]["n"] <= TERMINAL_INPUT


def test_a_full_backlog_refuses() -> None:
    world = World()
    process = world.start("echod", "7")
    world.settle()
    world.machine.signal(process, "STOP")
    world.settle()
    taken = [world.machine.accept(7, "", "10.0.0.2", 4000 + number) for number in range(BACKLOG + 3)]
    assert taken.count(None) == 3


def test_datagrams_that_nobody_takes_are_dropped() -> None:
    world = World()
    kernel = world.machine._kernel
    sockets.bind(kernel, "", 53)
    for number in range(sockets.DATAGRAMS + 5):
        assert world.machine.datagram_in(53, "10.0.0.2", 4000, str(number))
    assert len(next(iter(kernel.io.values()))["queue"]) == sockets.DATAGRAMS
    assert not world.machine.datagram_in(54, "10.0.0.2", 4000, "x")


def test_texts_that_nothing_refers_to_are_forgotten() -> None:
    world = World()
    result = world.sh(f'i=0; while [ $i -lt {2 * CODES} ]; do i=$((i+1)); eval "x=$i"; done; echo $x')
    assert (result.status, result.out) == (0, f"{2 * CODES}\n")
    assert len(world.machine.state()["machine"]["codes"]) <= CODES


def test_ports_are_taken_in_turn() -> None:
    kernel = World().machine._kernel
    kernel.touch()
    kernel.top["ephemeral"] = sockets.LAST_EPHEMERAL
    ports = [kernel.io[sockets.bind(kernel, "", 0)]["port"] for _ in range(2)]
    assert ports == [sockets.LAST_EPHEMERAL, sockets.FIRST_EPHEMERAL]


def test_a_socket_takes_only_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "SOCKET_BUFFER", 1_000)
    world = World()
    process = world.start("talk", "10.0.0.2", "7", "x" * 1_001)
    world.settle()
    world.machine.connected(world.host.calls[0][1])
    world.settle()
    assert (world.host.exits, world.host.out()) == ({process: 1}, "talk: No buffer space available\n")


def states(world: World) -> dict[str, str]:
    return {" ".join(each["argv"]): each["state"] for each in world.machine.processes()}


def test_an_orphan_goes_to_the_first_process() -> None:
    """A shell reaps it."""
    world = World()
    world.start("sh", "-c", "(sleep 3 &); sleep 2; sleep 3; sleep 100; :")
    world.advance(1_000_000)
    assert "sleep 3" in states(world)
    world.advance(5_000_000)
    assert list(states(world)) == ["sh -c (sleep 3 &); sleep 2; sleep 3; sleep 100; :", "sleep 100"]


def test_whoever_does_not_wait_has_zombies() -> None:
    world = World()
    process = world.start("sh", "-c", "sleep 1 & exec sleep 100")
    world.advance(2_000_000)
    assert states(world) == {"sleep 100": "S", "sleep 1": "Z"}
    world.machine.signal(process, "KILL")
    world.settle()
    assert states(world) == {}
    assert world.host.exits == {process: 137}


def test_pid_namespaces() -> None:
    world = World()
    world.machine.add_root("other", image())
    world.machine.add_root("shared", image(), namespace="c")
    first = world.start("sleep", "100", session="a")
    for session, root in (("b", "other"), ("c", "shared")):
        streams = {name: ["session", session] for name in ("stdin", "stdout", "stderr")}
        world.machine.spawn(
            ["sh", "-c", "echo $$ $PPID; kill -0 1 && echo yes"], root=root, env={"PATH": PATH}, **streams
        )
    world.settle()
    shown = {
        name: "".join(text for session, _, text in world.host.outputs if session == name) for name in "bc"
    }
    assert shown == {"b": "1 0\nyes\n", "c": "2 0\nyes\n"}
    assert world.machine.pid(first) == 1


def test_only_root_signals_others() -> None:
    world = World()
    world.start("sleep", "100", session="a")
    process = world.start("sh", "-c", "kill 1; echo $?", session="b", uid=1000)
    world.settle()
    assert world.host.exits == {process: 0}
    assert world.host.out() == "sh: can't kill pid 1: Operation not permitted\n1\n"


def test_a_stopped_process_remembers_its_timer() -> None:
    world = World()
    process = world.start("sleep", "5")
    world.settle()
    world.machine.signal(process, "STOP")
    world.advance(20_000_000)
    assert world.host.exits == {}
    world.machine.signal(process, "CONT")
    world.settle()
    assert world.host.exits == {process: 0}
