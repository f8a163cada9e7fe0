"""Forks, idle hours and recoveries: what a cluster's state costs. Run as a process of its own: one line of JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

from bench.engine import deployment

T = TypeVar("T")
REPEATS = 7
ENTRIES = 5_000
HOURS = 10


def cpu(act: Callable[[], T], after: Callable[[T], object] = lambda made: None) -> float:
    """The best of several runs, CPU seconds, after one that warms up; ``after`` is done to what each made, untimed."""
    after(act())
    best = float("inf")
    for _ in range(REPEATS):
        start = time.process_time()
        made = act()
        best = min(best, time.process_time() - start)
        after(made)
    return best


def _probed(number: int) -> dict[str, Any]:
    probe = {"httpGet": {"path": "/", "port": 80}}
    container = {"name": "c", "image": "nginx:1.27", "readinessProbe": probe, "livenessProbe": probe}
    metadata = {"name": f"web-{number}", "labels": {"app": "web"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}}


def fork(count: int) -> dict[str, Any]:
    """A fork of that many Pods, its first writes, a snapshot of it."""
    from cluster_engine import Cluster
    from cluster_engine.memory import relax_collector
    from cluster_engine.release import release

    relax_collector()
    cluster = Cluster(nodes=21 if count > 100 else 3, seed=1)
    cluster.apply(deployment(count))
    cluster.settle()
    cluster.advance(5)

    def used() -> None:
        twin = cluster.fork()
        twin.delete("pods", twin.list("pods", "default")[0]["metadata"]["name"])
        twin.settle()

    forks = [cluster.fork() for _ in range(REPEATS + 1)]
    return {
        "pods": count,
        "fork_cpu_seconds": cpu(cluster.fork, release),  # as hosts do, so that the next one has its memory
        "release_cpu_seconds": cpu(lambda: release(forks.pop())),
        "fork_and_replace_a_pod_cpu_seconds": cpu(used),
        "snapshot_cpu_seconds": cpu(cluster.snapshot),
        "snapshot_bytes": len(cluster.snapshot()),
        "keyframe_bytes": len(cluster.keyframe()),
    }


def idle(count: int) -> dict[str, Any]:
    """A virtual hour in which nothing happens but probes, of three nodes and that many Pods."""
    from cluster_engine import Cluster
    from cluster_engine.memory import relax_collector

    relax_collector()
    cluster = Cluster(nodes=3, seed=1)
    for number in range(count):
        cluster.apply(_probed(number))
    cluster.settle()
    cluster.advance(2 * 3600)  # the Events of the beginning are gone
    events = cluster.clock.events_run
    start = time.process_time()
    cluster.advance(3600)
    return {
        "pods": count,
        "hour_cpu_seconds": time.process_time() - start,
        "events": cluster.clock.events_run - events,
    }


def recovery(every: int) -> dict[str, Any]:
    """A run of ENTRIES entries and HOURS virtual hours, had again from a keyframe that is ``every`` entries old."""
    from cluster_engine import Cluster
    from cluster_engine.memory import relax_collector

    relax_collector()
    cluster = Cluster(nodes=3, seed=1)
    for number in range(10):
        cluster.apply(_probed(number))
    data = b""
    pause = HOURS * 3600 / ENTRIES
    while len(cluster.journal) < ENTRIES:
        number = len(cluster.journal)
        labels = {"step": str(number)}
        cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "labels": labels}})
        cluster.advance(pause * 2)
        if number < ENTRIES - every:
            data = b""
        elif not data:
            data = cluster.keyframe()
    start = time.process_time()
    resumed = Cluster.resume(data, cluster.journal)
    seconds = time.process_time() - start
    if resumed.state_hash() != cluster.state_hash():
        raise SystemExit("the resumed run is not the run")
    return {
        "entries": len(cluster.journal),
        "tail": len(resumed.journal) - 1,
        "virtual_hours": (cluster.clock.now - Cluster(nodes=0, boot=False).clock.now) / 3.6e9,
        "keyframe_bytes": len(data),
        "resume_cpu_seconds": seconds,
    }


MEASURES: dict[str, Callable[[int], dict[str, Any]]] = {"fork": fork, "idle": idle, "recovery": recovery}


if __name__ == "__main__":
    print(json.dumps(MEASURES[sys.argv[1]](int(sys.argv[2]))))
