"""The shell's side of a measurement: the prototype's ten scripts, snapshots, bombs. Run by ``engine.py``."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from cluster_engine.linux import programs
from cluster_engine.linux.files import tree
from cluster_engine.linux.limits import Limits
from cluster_engine.linux.machine import Machine

EPOCH = 1_700_000_000_000_000
HOUR = 3_600_000_000
PATH = {"PATH": "/bin", "HOME": "/root"}

SCRIPTS: dict[str, tuple[str, float]] = {
    "count_20000": ("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done", 19.9),
    "mixed_5000": (
        "i=0; while [ $i -lt 5000 ]; do if [ $((i%2)) -eq 0 ]; then x=even; else x=odd; fi; "
        "case $x in e*) y=1;; *) y=2;; esac; i=$((i+1)); done",
        38,
    ),
    "function_5000": ("f() { r=$(($1+1)); }; i=0; while [ $i -lt 5000 ]; do f $i; i=$r; done", 18),
    "echo_null_5000": ("i=0; while [ $i -lt 5000 ]; do echo $i >/dev/null; i=$((i+1)); done", 11.7),
    "substitution_2000": ("i=0; while [ $i -lt 2000 ]; do x=$(echo $i); i=$((i+1)); done", 22),
    "read_10000": ("seq 10000 | while read x; do [ $x -gt 5 ] && y=$x; done", 35),
    "echo_wc_10000": ("i=0; while [ $i -lt 10000 ]; do echo $i; i=$((i+1)); done | wc -l", 30),
    "pipeline_10000": ("seq 10000 | grep 7 | sort | uniq | tr 7 x | wc -l", 2.6),
    "cats_10000": ("seq 10000 | cat | cat | cat | cat | cat | wc -l", 1.4),
    "date_sleep_day": ("while :; do date; sleep 1; done", 710),
}
"""Name: (script, milliseconds of the prototype with closures)."""

BOMBS = {
    "spinner": "while :; do :; done",
    "counter": "while :; do i=$((i+1)); done",
    "short_sleeps": "while :; do sleep 0.001; done",
    "dates": "while :; do date; done",
    "fork_bomb": "f() { f | f & }; f; sleep 100000",
    "endless_output": "yes",
    "many_files": "i=0; while :; do i=$((i+1)); echo x > /tmp/$i; done",
}


class Host:
    """Takes everything and keeps nothing."""

    def log(self, tag: str, stream: str, text: str) -> None: ...

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *arguments: None


def _image() -> dict[str, Any]:
    contents: dict[str, Any] = {f"/bin/{name}": tree.program(name) for name in programs.of("busybox")}
    contents |= {"/tmp/.keep": "", "/dev/null": tree.device("null"), "/root/.keep": ""}
    return tree.build(contents)


IMAGE = _image()


def _machine(line: str, limits: Limits | None = None) -> Machine:
    machine = Machine("bench", Host(), programs.program, limits)
    machine.add_root("c", IMAGE)
    machine.spawn(["sh", "-c", line], root="c", env=PATH)
    return machine


def _run(machine: Machine, until: int) -> None:
    now = EPOCH
    while True:
        due = machine.run(now, 1_000_000)
        if due is None or due > until:
            return
        now = max(now, due)


def _timed(line: str, until: int) -> float:
    machine = _machine(line, Limits(burst=10**9))
    start = time.process_time()
    _run(machine, until)
    return (time.process_time() - start) * 1000


def scripts(runs: int) -> dict[str, Any]:
    """Milliseconds of each script (best of ``runs``) and how many times the prototype's they are."""
    result: dict[str, Any] = {}
    for name, (line, prototype) in SCRIPTS.items():
        day = name.endswith("day")
        best = min(_timed(line, EPOCH + 24 * HOUR if day else EPOCH) for _ in range(1 if day else runs))
        result[f"{name}_ms"] = best
        result[f"{name}_ratio"] = best / prototype
    return result


def bombs() -> dict[str, Any]:
    """CPU milliseconds that a virtual hour of each bomb costs, the first hour aside."""
    result = {}
    for name, line in BOMBS.items():
        machine = _machine(line)
        _run(machine, EPOCH + HOUR)
        start = time.process_time()
        _run(machine, EPOCH + 2 * HOUR)
        result[f"{name}_hour_ms"] = (time.process_time() - start) * 1000
    return result


def snapshots() -> dict[str, Any]:
    """Microseconds to save and to fork a looping machine, at its start and after a day."""
    machine = _machine("a=1; b=2; while :; do date; sleep 1; done")
    result = {}
    for moment, until in (("start", EPOCH + 10_000_000), ("day", EPOCH + 24 * HOUR)):
        _run(machine, until)
        start = time.perf_counter()
        state = machine.state()
        result[f"save_{moment}_us"] = (time.perf_counter() - start) * 1e6
        start = time.perf_counter()
        for _ in range(100):
            fork = Machine("bench", Host(), programs.program)
            fork.load(state)
        result[f"fork_{moment}_us"] = (time.perf_counter() - start) * 1e4
    return result


def shell(runs: int = 3) -> dict[str, Any]:
    """All of it."""
    return {**scripts(runs), **bombs(), **snapshots()}
