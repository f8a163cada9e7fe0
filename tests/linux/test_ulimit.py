# ruff: noqa: E501 (one case a line)
"""What `ulimit` and a container's memory limit allow; compared with busybox 1.35 where it has the same."""

from __future__ import annotations

import json

import pytest

from cluster_engine.linux import programs
from cluster_engine.linux.limits import Limits
from cluster_engine.linux.machine import Machine
from cluster_engine.linux.program import Event, Program, State, Sys
from tests.linux.world import PATH, TABLE, World, image

KIB, MIB = 1024, 1024 * 1024

ULIMITS: dict[str, tuple[str, int, str, str]] = {
    "cpu": ("ulimit -t 1; i=0; while :; do i=$((i+1)); done", 137, "", ""),
    "cpu of a child": ("(ulimit -t 1; i=0; while :; do i=$((i+1)); done); echo $?", 0, "137\n", "Killed\n"),
    "cpu, soft": ("(ulimit -S -t 1; i=0; while :; do i=$((i+1)); done); echo $?", 0, "152\n", "CPU time limit exceeded\n"),
    "cpu of what would be parked": ("(ulimit -t 1; while :; do :; done); echo $?", 0, "137\n", "Killed\n"),
    "cpu, handled": (
        "trap 'echo slow; exit 3' XCPU; ulimit -S -t 1; i=0; while :; do i=$((i+1)); done", 3, "slow\n", "",
    ),
    "file size": (
        "ulimit -f 2; echo hi > a; (yes > /tmp/b); echo $?; wc -c < /tmp/b", 0, "153\n1024\n", "File size limit exceeded\n",
    ),
    "file size, ignored": (
        "trap '' XFSZ; ulimit -f 0; echo hi > /tmp/a; echo $?", 0, "1\n", "sh: write error: File too large\n",
    ),
    "files": ("ulimit -n 5; exec 3>a; exec 4>b; exec 5>c; echo no", 1, "", "sh: can't create c: Too many open files\n"),
    "files of a command": (
        "echo x > a; ulimit -n 3; cat < a; echo $?", 0, "1\n", "sh: can't open a: Too many open files\n",
    ),
    "files of a pipe": ("ulimit -n 4; echo a | cat; echo no", 2, "", "sh: can't create pipe: Bad file descriptor\n"),
    "files of a program": ("ulimit -n 3; cat /etc/passwd; echo $?", 0, "1\n", "cat: can't open '/etc/passwd': Too many open files\n"),
    "memory of a shell": ("ulimit -v 1000; x=0123456789; while :; do x=$x$x; done", 2, "", "sh: out of memory\n"),
    "memory of a program": ("ulimit -v 1000; hog; echo $?", 0, "1\n", "hog: out of memory\n"),
    "shown": ("ulimit -n 20; ulimit -v 100; ulimit -n; ulimit -v; (ulimit -n 10; ulimit -n); ulimit -n", 0, "20\n100\n10\n20\n", ""),
    "handed on": ("ulimit -n 9; sh -c 'ulimit -n'", 0, "9\n", ""),
    "root has as many processes as it wants": ("ulimit -u 2; sleep 1 & sleep 1 & sleep 1 & echo yes", 0, "yes\n", ""),
}  # fmt: skip


def _hog(sys: Sys, state: State, event: Event) -> State:
    """Takes a MiB each second."""
    sys.sleep(1_000_000)
    return {"memory": state.get("memory", 0) + MIB}


PROGRAMS = {**TABLE, **programs.PROGRAMS, "hog": Program("hog", on=_hog)}


def world_of(memory: int = 0) -> World:
    world = World()
    world.machine = Machine("box", world.host, PROGRAMS.get, Limits())
    world.machine.add_root("c", image(names=PROGRAMS), memory=memory)
    return world


@pytest.mark.parametrize(("line", "status", "out", "err"), ULIMITS.values(), ids=ULIMITS)
def test_ulimit(line: str, status: int, out: str, err: str) -> None:
    world = world_of()
    process = world.start("sh", "-c", f"cd /tmp; {line}", stderr=["session", "s"])
    world.advance(600_000_000)
    assert world.host.exits == {process: status}
    assert (world.host.out(1), world.host.out(2)) == (out, err)


def test_processes_of_a_user() -> None:
    world = world_of()
    process = world.start("sh", "-c", "ulimit -u 3; sleep 1 & sleep 1 & sleep 1 & echo no", uid=7)
    world.advance(10_000_000)
    assert world.host.exits == {process: 2}
    assert world.host.out() == "sh: can't fork: Resource temporarily unavailable\n"


@pytest.mark.parametrize("saved", [False, True], ids=["straight", "saved each second"])
def test_a_container_beyond_its_memory_ends_as_a_whole(saved: bool) -> None:
    world = world_of(memory=8 * MIB)
    world.machine.add_root("other", image(names=PROGRAMS))
    first = world.start("sh", "-c", "sleep 1000 & hog & wait")
    second = world.start("sleep", "1000", session="t")
    other = world.machine.spawn(["sleep", "1000"], root="other", env={"PATH": PATH}, now=world.now)
    for _ in range(10):
        world.advance(1_000_000)
        if saved:
            state = json.loads(json.dumps(world.machine.state()))
            world.machine = Machine("box", world.host, PROGRAMS.get)
            world.machine.load(state)
    assert world.host.killed == ["c"]
    assert world.host.exits == {first: 137, second: 137}
    assert world.machine.alive(other)


def test_what_a_container_used() -> None:
    world = world_of()
    world.start(
        "sh", "-c", "x=$(printf %010000d 0); i=0; while [ $i -lt 1000 ]; do i=$((i+1)); done; sleep 9; :"
    )
    world.advance(5_000_000)
    usage = world.machine.usage("c")
    assert usage["processes"] == 2
    assert 1_320_000 < usage["memory"] < 1_330_000  # a shell with its variable, and sleep
    world.advance(10_000_000)
    after = world.machine.usage("c")
    assert (after["processes"], after["memory"]) == (0, 0)
    assert 3_000 < usage["cpu"] <= after["cpu"] < 50_000  # those that have ended count
    assert world.machine.usage("other")["cpu"] == 0
