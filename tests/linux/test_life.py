# ruff: noqa: E501 (one case a line)
"""Machines cut at random steps, written as JSON and read back, against the straight run."""

from __future__ import annotations

import hashlib
import json
import os
import random

import pytest

from cluster_engine.linux.machine import Machine
from tests.linux.world import TABLE, Host, World

SCRIPTS = {
    "counting": "i=0; while [ $i -lt 50 ]; do i=$((i+1)); echo $i; done",
    "substitution": 'i=0; while [ $i -lt 8 ]; do x=$(echo a; echo "b $i"); echo "$x"; i=$((i+1)); done; echo $?',
    "pipes": "i=0; while [ $i -lt 90 ]; do i=$((i+1)); echo $i; done | while read a; do echo [$a]; done | cat | lines",
    "two writers": (
        "w() { n=0; while [ $n -lt 120 ]; do n=$((n+1)); echo $1$n; done; }; w a & w b & wait; echo done"
    ),
    "two writers and sleeps": (
        "w() { n=0; while [ $n -lt 40 ]; do n=$((n+1)); echo $1$n; sleep 0.$2; done; }; w a 1 & w b 2 & wait; echo done"
    ),
    "functions": 'f() { local x=$1; [ $x -gt 0 ] && f $((x-1)); echo "$x $#"; }; f 12 a b; f 3',
    "traps": 'trap "echo usr; x=1" USR1; trap "echo bye $?" EXIT; (sleep 1; kill -USR1 $$) & wait; echo ${x:-no}; exit 3',
    "files": "for i in 1 2 3 4; do echo line $i >> /tmp/f; done; while read a b; do echo $b$a; done < /tmp/f",
    "here": 'i=0; while [ $i -lt 5 ]; do cat <<E\n$i $(echo in)\nE\ni=$((i+1)); done; eval "echo e; break; echo f"',
    "loops": (
        "for i in 1 2 3; do for j in a b c; do case $j in b) continue 2;; esac; echo $i$j; done; done; "
        "until [ $i = 9 ]; do i=9; done; for k in x y; do { echo r; break; } > /dev/null; done; echo $k"
    ),
    "redirections": '{ echo a; { echo b >&2; } 2>&1; } | cat; exec 3>/tmp/o; echo c >&3; exec 3>&-; cat /tmp/o',
    "background": 'sleep 5 & p=$!; kill $p; wait $p; echo $?; (exit 4) & wait $!; echo $?; jobs; echo "$(wait)"',
    "full pipe": "yes | { read a; echo $a; sleep 1; read b; echo $b; }; echo ${PIPESTATUS-none}",
    "connection": "echod 7 & sleep 1; talk 127.0.0.1 7 hello; talk 127.0.0.1 7 again; kill %1; wait; echo",
    "errexit": '(set -e; f() { false; echo no; }; if f; then echo yes; fi; f; echo never); echo $?',
    "getopts": 'while getopts ab: o -a -b x -a; do echo $o ${OPTARG-}; done; set -- a b c; shift; echo $1 "$*"',
    "reading": 'printf "a b\\\\\nc\n1:2\n" | { read x y; echo "$x|$y"; IFS=: read p q; echo $p $q; }',
    "spinner beside": "while :; do :; done & i=0; while [ $i -lt 3 ]; do sleep 1; date; i=$((i+1)); done; kill $!",
}  # fmt: skip
SECONDS = 30


def start(line: str) -> World:
    world = World()
    world.start("sh", "-c", line)
    world.machine.end_input("s")
    return world


def told(host: Host) -> tuple[str, str, dict[int, int]]:
    return host.out(1), host.out(2), host.exits


def straight(line: str) -> tuple[tuple[str, str, dict[int, int]], str]:
    world = start(line)
    world.advance(SECONDS * 1_000_000)
    return told(world.host), json.dumps(world.machine.state())


def cut(line: str, seed: int) -> tuple[tuple[str, str, dict[int, int]], str]:
    """The same with random budgets; now and then the machine is replaced by one read back from JSON."""
    chance = random.Random(seed)
    world = start(line)
    end = world.now + SECONDS * 1_000_000
    kept: list[tuple[object, str]] = []
    while True:
        due = world.machine.run(world.now, chance.choice((1, 1, 3, 17, 100, 1000)))
        if chance.random() < 0.3:
            state = world.machine.state()
            text = json.dumps(state)
            kept = [*kept[-5:], (state, text)]
            if chance.random() < 0.5:
                world.machine = Machine("box", world.host, TABLE.get)
                world.machine.load(json.loads(text) if chance.random() < 0.5 else state)
        if due is None or due > end:
            break
        world.now = max(world.now, due)
    world.now = end
    world.settle()
    for state, text in kept:
        assert json.dumps(state) == text, "a snapshot was changed afterwards"
    return told(world.host), json.dumps(world.machine.state())


@pytest.mark.parametrize("line", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_where_it_is_cut_does_not_show(line: str) -> None:
    expected = straight(line)
    for seed in range(3):
        found = cut(line, seed)
        assert found[0] == expected[0], f"seed {seed}"
        assert found[1] == expected[1], f"seed {seed}: the states differ"


LOOPS = (
    "while :; do date; sleep 10; done",
    'i=0; while :; do i=$((i+1)); echo "$i" > /tmp/count; sleep 30; done',
    'trap "exit 0" TERM; while true; do x=$(cat /tmp/.keep | lines); echo "got $x"; sleep 20 & wait $!; done',
    "while :; do for s in 1 2 3; do sleep $s; done; [ -f /tmp/ok ] || echo ok > /tmp/ok; done",
    "while :; do :; done",
)


def lived(machines: int, hours: int, seed: int | None) -> str:
    """Machines with a loop each and an exec probe every 10 s. ``seed``: cut, saved, read back and forked at random."""
    chance = random.Random(seed)
    worlds = [World() for _ in range(machines)]
    digests = []
    for index, world in enumerate(worlds):
        world.start("sh", "-c", LOOPS[index % len(LOOPS)], stdout=["log", "stdout"])
        for probe in range(hours * 360):
            world.start("sh", "-c", "[ -f /tmp/ok ] || exit 1", session=f"p{probe}")
            budget = 100_000 if seed is None else chance.choice((7, 50, 1_000))
            world.advance(10_000_000, budget)
            if seed is not None and chance.random() < 0.02:
                state = world.machine.state()
                fresh = Machine("box", world.host, TABLE.get)
                fresh.load(json.loads(json.dumps(state)) if chance.random() < 0.5 else state)
                fork = Machine("box", Host(), TABLE.get)
                fork.load(state)
                fork.run(world.now + 5_000_000)
                world.machine = fresh
        assert len(world.machine.processes()) < 10
        logs = hashlib.blake2b("".join(text for _, _, text in world.host.logs).encode()).hexdigest()
        digests.append((json.dumps(world.machine.state()), logs, sorted(world.host.ends.items())))
    return hashlib.blake2b(json.dumps(digests).encode()).hexdigest()


def test_an_hour_of_loops_and_probes() -> None:
    assert lived(len(LOOPS), 1, None) == lived(len(LOOPS), 1, 1)


@pytest.mark.soak
@pytest.mark.skipif(
    not os.environ.get("DRYDOCK_SOAK"), reason="100 virtual hours of 20 loops: DRYDOCK_SOAK=1"
)
def test_a_hundred_hours_of_twenty_loops() -> None:
    assert lived(20, 100, None) == lived(20, 100, 2)
