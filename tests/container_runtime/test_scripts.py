"""Shell commands as containers: virtual time, signals, shared volumes, restoring."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cluster_engine.container_runtime.process import Launch, Plan
from cluster_engine.container_runtime.sandbox import Profile, Sandbox
from cluster_engine.container_runtime.script import Script
from cluster_engine.kubelet.programs import missing, plan
from cluster_engine.linux.files import tree

BUSYBOX = "docker.io/library/busybox:1.36"
SECOND = 1_000_000
START = 1_767_225_600 * SECOND


def sandbox() -> Sandbox:
    return Sandbox(
        "web",
        "default",
        "10.244.1.2",
        {"data": tree.directory()},
        "",
        lambda name: Profile([["data", "/data", "", False]]),
        None,
    )


def start(box: Sandbox, name: str, text: str, at: int = 0) -> Script:
    return box.start(name, BUSYBOX, ["sh", "-c", text], {}, START + at * SECOND)


def told(script: Script) -> list[tuple[float, str]]:
    return [((at - START) / SECOND, text) for at, _, text in script.lines]


RUNS = {
    "ends": ("echo hi; exit 3", [(0.0, "hi")], (0.0, 3)),
    "sleeps": ("echo a; sleep 2; echo b", [(0.0, "a"), (2.0, "b")], (2.0, 0)),
    "fails": ("cat /none", [(0.0, "cat: /none: No such file or directory")], (0.0, 1)),
    "loops": ("for i in 1 2; do echo $i; sleep 1; done", [(0.0, "1"), (1.0, "2")], (2.0, 0)),
    "tells the time": ("sleep 1; date -u +%H:%M:%S", [(1.0, "00:00:01")], (1.0, 0)),
    "never ends": ("while true; do echo x; sleep 4; done", [(0.0, "x"), (4.0, "x"), (8.0, "x")], None),
}


@pytest.mark.parametrize(("text", "lines", "ended"), RUNS.values(), ids=RUNS.keys())
def test_run(text: str, lines: list[tuple[float, str]], ended: tuple[float, int] | None) -> None:
    box = sandbox()
    script = start(box, "c", text)
    box.script("c", START + 10 * SECOND)
    assert told(script) == lines
    assert (((script.exit[0] - START) / SECOND, script.exit[1]) if script.exit else None) == ended


def test_a_busy_loop_is_stopped_and_stays_alive() -> None:
    script = start(sandbox(), "c", "while true; do :; done")
    assert (script.spinning, script.exit) == (True, None)


def test_output_is_bounded() -> None:
    script = start(sandbox(), "c", "yes | head -n 5000")
    assert len(script.lines) <= 2_000


def test_containers_share_a_volume() -> None:
    box = sandbox()
    start(box, "writer", "while true; do date -u +%S >> /data/log; sleep 2; done")
    reader = start(box, "reader", "touch /data/log; tail -f /data/log", 1)
    box.script("reader", START + 6 * SECOND)
    assert told(reader) == [(1.0, "00"), (2.0, "02"), (4.0, "04"), (6.0, "06")]


@pytest.mark.parametrize(
    ("trap", "handled", "ended"),
    [
        pytest.param("trap 'echo bye; exit 5' TERM; ", True, (4.0, 5), id="trapped"),
        pytest.param("", False, None, id="ignored"),
    ],
)
def test_sigterm(trap: str, handled: bool, ended: tuple[float, int] | None) -> None:
    box = sandbox()
    script = start(box, "c", trap + "while true; do sleep 2; done")
    assert box.signal("c", "TERM", START + 3 * SECOND) is handled
    box.script("c", START + 20 * SECOND)
    assert (((script.exit[0] - START) / SECOND, script.exit[1]) if script.exit else None) == ended


def test_exec_changes_what_the_script_sees() -> None:
    box = sandbox()
    script = start(box, "c", "while [ ! -f /tmp/go ]; do sleep 1; done; echo gone")
    code, out, err = box.execute("c", BUSYBOX, {}, ["touch", "/tmp/go"], b"", START + 3 * SECOND)
    assert (code, out, err) == (0, b"", b"")
    box.script("c", START + 5 * SECOND)
    assert told(script) == [(3.0, "gone")] or told(script) == [(4.0, "gone")]


def test_exec_of_what_is_not_there() -> None:
    box = sandbox()
    start(box, "c", "sleep 100 && :")
    with pytest.raises(FileNotFoundError):
        box.execute("c", BUSYBOX, {}, ["curl", "x"], b"", START)


def test_restored_sandbox_is_the_same() -> None:
    box = sandbox()
    start(box, "w", "i=0; while true; do i=$((i+1)); echo $i | tee -a /data/log; sleep 3; done")
    box.execute("w", BUSYBOX, {}, ["sh", "-c", "echo exec >> /data/log"], b"", START + 10 * SECOND)
    twin = Sandbox.load(json.loads(json.dumps(box.state())), box.profile, None)
    later = START + 60 * SECOND
    results: list[Any] = []
    for one in (box, twin):
        script = one.script("w", later)
        assert script is not None
        results.append((script.lines, one.execute("w", BUSYBOX, {}, ["cat", "/data/log"], b"", later)))
    assert results[0] == results[1]


def _launch(*argv: str) -> Launch:
    return Launch(argv, {}, "1.36", "web")


PLANS = {
    "sleep": (("sleep", "5"), Plan(exits=(5 * SECOND, 0))),
    "sleep in a shell": (("sh", "-c", "sleep 1h"), Plan(exits=(3600 * SECOND, 0))),
    "sleep for ever": (("sleep", "infinity"), Plan()),
    "tail on nothing": (("sh", "-c", "exec tail -f /dev/null"), Plan()),
    "a script": (("sh", "-c", "echo a; sleep 5"), Plan(script=True)),
    "no such program": (("foo",), Plan(error=missing("foo"))),
    "a builtin is no program": (("export", "x"), Plan(error=missing("export"))),
}


@pytest.mark.parametrize(("argv", "expected"), PLANS.values(), ids=PLANS.keys())
def test_plan(argv: tuple[str, ...], expected: Plan) -> None:
    assert plan(_launch(*argv), BUSYBOX) == expected


SERVICES = {
    "postgres without a password": ("docker.io/library/postgres:17", {}, (50_000, 1)),
    "postgres with a password": ("docker.io/library/postgres:17", {"POSTGRES_PASSWORD": "x"}, None),
    "mysql without a password": ("docker.io/library/mysql:8.0", {}, (450_000, 1)),
    "nginx": ("docker.io/library/nginx:1.25", {}, None),
    "hello-world": ("docker.io/library/hello-world:latest", {}, (20_000, 0)),
}


@pytest.mark.parametrize(("image", "env", "exits"), SERVICES.values(), ids=SERVICES.keys())
def test_service(image: str, env: dict[str, str], exits: tuple[int, int] | None) -> None:
    from cluster_engine.container_runtime.registry import find

    found, tag = find(image)
    launch = Launch((*found.entrypoint, *found.cmd), env, tag, "web", START)
    assert plan(launch, image).exits == exits
