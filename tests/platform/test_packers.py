"""Keyframes are packed in processes of their own, or here when one of those fails."""

from __future__ import annotations

import io
import json
import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from runs.host import children, computing, packing
from runs.host import packers as module
from runs.host.computing import COMPUTING
from runs.host.packers import Packers

from cluster_engine.cluster import Cluster


@pytest.fixture
def packers() -> Iterator[Packers]:
    made = Packers(1)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    cluster = Cluster(nodes=1, seed=1)
    cluster.settle()
    return cluster


def pack(packers: Packers, cluster: Cluster) -> bytes:
    return packers.pool.submit(packers.pack, cluster.fork()).result()


def test_a_keyframe_is_what_it_would_be_here(packers: Packers, cluster: Cluster) -> None:
    assert pack(packers, cluster) == cluster.keyframe(), "what is shared is shared there, too"
    assert pack(packers, cluster) == cluster.keyframe()


def test_one_thread_at_a_time_computes_beside_the_loop(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two, the loop would have a third of the interpreter."""
    together: list[int] = []
    at_work = 0

    class Fork:
        def draft(self, _pause: object) -> bytes:
            nonlocal at_work
            at_work += 1
            together.append(at_work)
            time.sleep(0.01)
            at_work -= 1
            return b"draft"

    monkeypatch.setattr(module, "release", lambda fork, pause: None)
    monkeypatch.setattr(children.Child, "ask", lambda *asked: ({}, b"packed"))
    made = Packers(2)
    with COMPUTING:
        waiting = [made.pool.submit(made.pack, Fork()) for _ in range(4)]  # type: ignore[arg-type]
        time.sleep(0.01)
        assert not together
    assert [each.result() for each in waiting] == [b"packed"] * 4
    made.stop()
    assert together == [1, 1, 1, 1]


def test_who_computes_lets_those_who_wait_go_first(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the steps of a draft, and of taking a fork apart; not for ever."""
    slept: list[float] = []
    looked = 0

    def disturbs() -> bool:
        nonlocal looked
        looked += 1
        return looked % 3 != 0  # who waits has gone when it is asked for the third time

    monkeypatch.setattr(computing.time, "sleep", slept.append)
    monkeypatch.setattr(COMPUTING, "disturbs", disturbs)
    with COMPUTING:
        draft = cluster.draft(COMPUTING.breathe)
    assert draft == cluster.draft()
    drafting = len(slept)
    assert drafting >= 2 * (len(draft) // 200_000)
    with COMPUTING:
        module.release(cluster.fork(), COMPUTING.breathe)
    assert len(slept) > drafting
    monkeypatch.setattr(COMPUTING, "disturbs", lambda: True)
    slept.clear()
    with COMPUTING:
        cluster.draft(COMPUTING.breathe)
        COMPUTING.breathe()
    assert sum(slept) == pytest.approx(computing.BREATH, abs=computing.BLINK)


def test_a_packer_comes_after_who_waits_for_an_answer(packers: Packers, cluster: Cluster) -> None:
    pack(packers, cluster)
    own = [child._process.pid for child in packers._all if child._process is not None]
    assert [(os.sched_getscheduler(pid), os.getpriority(os.PRIO_PROCESS, pid)) for pid in own] == [
        (os.SCHED_BATCH, min(19, os.getpriority(os.PRIO_PROCESS, 0) + packing.NICE))
    ]


READ = "print(flush=True); import json, sys, time; s = sys.stdin.buffer; s.read(json.loads(s.readline())['size']);"
SCRIPTS = [
    ("one that hangs", "print(flush=True); import time; time.sleep(60)", "it took too long"),
    ("one that ends", "pass", "the process has ended|Broken pipe"),
    ("one that ends half-way", READ + "print(json.dumps({'size': 9}), flush=True)", "the process has ended"),
    (
        "one that never ends its line",
        READ + "print('x' * 100, end='', flush=True); time.sleep(60)",
        "larger than 64 bytes",
    ),
    ("one that says too much", READ + "print(json.dumps({'size': 1 << 40}), flush=True)", "larger than"),
]


@pytest.mark.parametrize(("script", "message"), [r[1:] for r in SCRIPTS], ids=[r[0] for r in SCRIPTS])
def test_where_a_process_fails_it_is_packed_here(
    packers: Packers,
    cluster: Cluster,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    script: str,
    message: str,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(module, "COMMAND", [sys.executable, "-c", script])
        patch.setattr(children, "LINE_LIMIT", 64)
        if "sleep(60)" in script and READ not in script:
            patch.setattr(module, "SECONDS", 0.3)
        assert pack(packers, cluster) == cluster.keyframe()
    assert any(re.search(message, record.getMessage()) for record in caplog.records)
    caplog.clear()
    assert pack(packers, cluster) == cluster.keyframe()
    assert not caplog.records


def test_the_process_ends_with_its_input(cluster: Cluster) -> None:
    draft = cluster.draft()
    head = json.dumps({"size": len(draft)}).encode() + b"\n"
    answers = io.BytesIO()
    packing.serve(io.BytesIO(head + draft + head + draft[:100]), answers)
    size, _, keyframe = answers.getvalue().partition(b"\n")
    assert keyframe == cluster.keyframe()
    assert json.loads(size) == {"size": len(keyframe)}


PARENT = """
import subprocess, sys, time
from cluster_engine.memory import die_with_parent
child = subprocess.Popen(["sleep", "600"], preexec_fn=die_with_parent, stdout=subprocess.DEVNULL)
print(child.pid, flush=True)
time.sleep(600)
"""


def test_a_child_ends_with_its_parent_however_that_ends() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = os.pidfd_open(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    gone, _, _ = select.select([child], [], [], 30)
    os.close(child)
    assert gone
