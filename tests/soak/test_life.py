"""Long lives: many virtual hours, with detours at random moments, end as the straight run does."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from cluster_engine import Cluster

from .size import size

pytestmark = pytest.mark.soak

ROOT = Path(__file__).resolve().parents[2]
LIVES = size(2, 40)
HOURS = size(2, 100)
PODS = size(4, 20)
PACES = [0.001, 0.4, 3.0, 11.0, 61.0, 300.0, 1800.0, 3600.0]


def looper(number: int) -> dict[str, object]:
    probe = {"exec": {"command": ["cat", "/tmp/alive"]}, "periodSeconds": 30 + number}
    script = f"echo > /tmp/alive; while true; do date; sleep {600 + number}; done"
    container = {
        "name": "c",
        "image": "busybox:1.36",
        "command": ["sh", "-c", script],
        "livenessProbe": probe,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"looper-{number}"},
        "spec": {"containers": [container]},
    }


WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: nginx, image: "nginx:1.27", readinessProbe: {httpGet: {path: /, port: 80}}}
---
apiVersion: v1
kind: Pod
metadata: {name: crasher}
spec:
  containers: [{name: c, image: "busybox:1.36", command: [sh, -c, "sleep 40; exit 1"]}]
"""


def detour(chance: random.Random, cluster: Cluster) -> Cluster:
    """The same cluster by another way."""
    kind = chance.randrange(5)
    if kind == 0:
        return Cluster.restore(cluster.snapshot())
    if kind == 4:
        return Cluster.resume(cluster.keyframe())
    if kind == 1:
        fork = cluster.fork()
        fork.apply(looper(99))
        fork.advance(100)  # what a fork does is nobody else's business
        return cluster
    if kind == 2:
        fork = cluster.fork()
        if cluster.get("pods", "looper-0"):
            cluster.delete("pods", "looper-0")
        cluster.advance(100)
        return fork.fork()
    young = cluster.clock.now < START + 1_800_000_000 and cluster.journal.entries[0].seq == 1
    return Cluster.replay(cluster.journal) if young else cluster


START = Cluster(nodes=0, boot=False).clock.now


def live(seed: int, detours: bool) -> list[str]:
    """The hashes on the way. The same things are done at the same times whether there are detours or not."""
    story, chance = random.Random(seed), random.Random(seed + 1)
    cluster = Cluster(nodes=3, seed=seed, freezing=not detours)
    cluster.apply(WEB)
    for number in range(PODS):
        cluster.apply(looper(number))
    hashes = []
    end = START + HOURS * 3_600_000_000
    while cluster.clock.now < end:
        cluster.advance(story.choice(PACES))
        if story.random() < 0.2:
            cluster.delete("pods", story.choice(cluster.list("pods", "default"))["metadata"]["name"])
        if story.random() < 0.2:
            cluster.apply(looper(story.randrange(PODS)))
        if detours and chance.random() < 0.5:
            cluster = detour(chance, cluster)
        if story.random() < 0.3:
            hashes.append(cluster.state_hash())
    return [*hashes, cluster.state_hash()]


@pytest.mark.parametrize("seed", range(LIVES))
def test_a_life_with_detours_is_the_straight_life(seed):
    code = f"import json; from tests.soak.test_life import live; print(json.dumps(live({seed}, True)))"
    other = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": str(seed + 1), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    straight = live(seed, False)
    output, _ = other.communicate(timeout=3600)
    assert json.loads(output) == straight
