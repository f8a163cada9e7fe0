"""Checks in processes of their own: what a slow, a hanging or a dying one costs."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from runs.host import children
from runs.host import graders as module
from runs.host.graders import Graders, GradingError

from cluster_engine.apimachinery import yaml
from cluster_engine.cluster import Cluster
from labs.kit import process, runner, takehome


class _Report:
    def as_data(self) -> dict[str, Any]:
        return {}


REPORT = _Report()


@pytest.fixture
def graders() -> Iterator[Graders]:
    made = Graders(1)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    from labs.kit import catalog

    return runner.boot(catalog.load().labs[0])


def ask(
    graders: Graders, slug: str, cluster: Cluster, seconds: float = 30, past: bool = False
) -> dict[str, Any]:
    return graders.pool.submit(graders.grade, slug, cluster.fork(), past, time.monotonic() + seconds).result()


def test_a_report_is_what_it_would_be_here(graders: Graders, lab: Any, cluster: Cluster) -> None:
    expected = {**runner.grade(lab, cluster).as_data(), "state_hash": cluster.state_hash()}
    assert ask(graders, lab.slug, cluster) == expected
    assert ask(graders, lab.slug, cluster) == expected
    with pytest.raises(GradingError, match="KeyError: 'gone'"):
        ask(graders, "gone", cluster)


def written(graders: Graders, slug: str, cluster: Cluster) -> str:
    deadline = time.monotonic() + 30
    return graders.pool.submit(graders.written, slug, cluster.fork(), deadline).result()


def test_what_people_wrote_is_gathered(
    graders: Graders, lab: Any, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert written(graders, lab.slug, cluster) == "# nothing\n"
    mine = cluster.fork()
    for name in ("a", "b"):
        mine.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"k": name}})
    found = list(yaml.load_all(written(graders, lab.slug, mine)))
    assert [(obj["kind"], obj["metadata"], obj["data"]) for obj in found] == [
        ("ConfigMap", {"name": name, "namespace": "default"}, {"k": name}) for name in ("a", "b")
    ]
    monkeypatch.setattr(takehome, "WRITTEN_MAX", 100)
    with pytest.raises(ValueError, match="it is more than 0 KiB"):
        takehome.written(lab, mine)


def test_a_process_knows_the_past_where_the_lab_asks_for_it(graders: Graders) -> None:
    from labs.kit import catalog

    lab = next(lab for lab in catalog.load().labs if lab.keeps_history)
    cluster = runner.boot(lab)
    copy = Cluster.resume(cluster.keyframe())
    assert not copy.store.past(), "a keyframe knows the present alone"
    copy.remember(cluster.past())
    assert copy.store.past() == cluster.store.past() != {}
    assert copy.state_hash() == cluster.state_hash()
    told: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            runner, "grade", lambda lab, cluster, spent: told.append(cluster.store.past()) or REPORT
        )
        for past in (cluster.past(), b""):
            keyframe = cluster.keyframe(compressed=False)
            head = {"do": "grade", "lab": lab.slug, "size": len(keyframe) + len(past), "past": len(past)}
            line = json.dumps(head).encode() + b"\n"
            process.serve(io.BytesIO(line + keyframe + past), io.BytesIO())
    assert told == [cluster.store.past(), {}]
    assert ask(graders, lab.slug, cluster, past=True)["checks"]


READ = "print(flush=True); import json, sys, time; s = sys.stdin.buffer; s.read(json.loads(s.readline())['size']);"
SCRIPTS = [
    ("one that hangs", "print(flush=True); import time; time.sleep(60)", 0.3, "it took too long"),
    ("one that ends", "pass", 30, "the process has ended|Broken pipe"),
    (
        "one that does not read",
        "print(flush=True); import sys; sys.stdin.close(); import time; time.sleep(9)",
        0.3,
        "too long|Broken",
    ),
    ("one that talks nonsense", READ + "print('{', flush=True); time.sleep(60)", 30, "Expecting"),
    ("one that talks without end", READ + "\nwhile True: print('x' * 9999, end='')", 30, "larger than"),
]


@pytest.mark.parametrize(
    ("script", "seconds", "message"), [r[1:] for r in SCRIPTS], ids=[r[0] for r in SCRIPTS]
)
def test_a_process_that_fails_is_replaced(
    graders: Graders,
    lab: Any,
    cluster: Cluster,
    monkeypatch: pytest.MonkeyPatch,
    script: str,
    seconds: float,
    message: str,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(module, "COMMAND", [sys.executable, "-c", script])
        with pytest.raises(GradingError, match=message):
            ask(graders, lab.slug, cluster, seconds)
    assert ask(graders, lab.slug, cluster)["checks"]


def test_a_start_is_not_taken_from_the_time_of_an_answer(
    graders: Graders, lab: Any, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = f"import time; time.sleep(2.5); {READ} print(json.dumps({{'error': 'answered'}}), flush=True)"
    monkeypatch.setattr(module, "COMMAND", [sys.executable, "-c", script])
    with pytest.raises(GradingError, match="answered"):
        ask(graders, lab.slug, cluster, 2.4)


def test_one_that_is_never_ready_is_given_up(
    graders: Graders, lab: Any, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "START_SECONDS", 0.3)
    monkeypatch.setattr(module, "COMMAND", [sys.executable, "-c", "import time; time.sleep(60)"])
    with pytest.raises(GradingError, match="it took too long"):
        ask(graders, lab.slug, cluster)


def test_one_that_was_killed_is_replaced(graders: Graders, lab: Any, cluster: Cluster) -> None:
    ask(graders, lab.slug, cluster)
    grader = graders._all[0]
    assert grader._process is not None
    os.kill(grader._process.pid, signal.SIGKILL)
    grader._process.wait()
    assert ask(graders, lab.slug, cluster)["checks"]


def test_nothing_is_left_when_it_stops(lab: Any, cluster: Cluster) -> None:
    graders = Graders(2)
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda _: ask(graders, lab.slug, cluster), range(4)))
    processes = [grader._process for grader in graders._all]
    graders.stop()
    assert all(one is not None and one.poll() is not None for one in processes)


def test_secrets_stay_here(
    graders: Graders, lab: Any, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRYDOCK_SECRET_KEY", "x")
    monkeypatch.setenv("DRYDOCK_DATABASE_URL", "x")
    script = READ + "import os; print(json.dumps({'error': ' '.join(os.environ)}), flush=True)"
    monkeypatch.setattr(module, "COMMAND", [sys.executable, "-c", script])
    with pytest.raises(GradingError) as told:
        ask(graders, lab.slug, cluster)
    assert "PYTHONPATH" in str(told.value)
    assert "SECRET" not in str(told.value)
    assert "DATABASE" not in str(told.value)


def test_the_process_ends_with_its_input(lab: Any, cluster: Cluster) -> None:
    keyframe = cluster.keyframe(compressed=False)
    head = json.dumps({"do": "grade", "lab": lab.slug, "size": len(keyframe), "past": 0}).encode() + b"\n"
    answers = io.BytesIO()
    process.serve(io.BytesIO(head + keyframe + head + keyframe[:100]), answers)
    assert [sorted(json.loads(line)) for line in answers.getvalue().splitlines()] == [
        ["report", "state_hash"]
    ]
