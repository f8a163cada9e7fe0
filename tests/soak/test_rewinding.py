"""Recorded runs, rewound: any moment, from a keyframe before it and the journal, is what the straight run was.

And it stays so whatever is tried on branches of it that are dropped.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.release import release
from cluster_engine.sim import Journal
from labs.kit import catalog
from labs.kit.lab import DEFAULT_SEED
from labs.kit.plays import Plays

from .size import size
from .test_stories import act

pytestmark = pytest.mark.soak

ROOT = Path(__file__).resolve().parents[2]
STORIES = size(3, 140)
SOLUTIONS = size(2, 60)
STEPS = 24
PACES = [0.004, 0.3, 1.0, 2.5, 20.0, 70.0, 900.0]
MOMENTS = 5

MADE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "on-a-branch"}}
"""What is made on a branch."""

Recorded = dict[str, Any]
"""A run as JSON: its ``journal``, its keyframes (``frames``: [µs, base64]), and its ``moments``: [µs, hash]."""


def _frame(cluster: Cluster) -> list[Any]:
    return [cluster.clock.now, base64.b64encode(cluster.keyframe()).decode("ascii")]


def story(seed: int) -> Recorded:
    """What a learner may do at random, faults among it."""
    chance, cluster = random.Random(seed), Cluster(nodes=3, seed=seed)
    frames, moments = [_frame(cluster)], []
    for _ in range(STEPS):
        act(chance, cluster)
        if chance.random() < 0.15:
            cluster.fault("node/power", node=f"worker-{chance.randrange(1, 3)}", up=chance.random() < 0.5)
        cluster.advance(chance.choice(PACES))
        if chance.random() < 0.15:
            frames.append(_frame(cluster))
        if chance.random() < 0.3:
            moments.append([cluster.clock.now, cluster.state_hash()])
            cluster.advance(0.001)  # a moment holds all that was written in its microsecond
    return {"journal": cluster.journal.as_dict(), "frames": frames, "moments": moments}


def solution(number: int) -> Recorded:
    """What the solution of a lab does, with the real kubectl."""
    labs = catalog.load().labs
    lab = labs[number * len(labs) // SOLUTIONS]
    script = next(iter(lab.solutions.values()))
    played = asyncio.run(Plays().play(lab, DEFAULT_SEED, script)).cluster
    journal, chance = played.journal, random.Random(number)
    begin = journal.entries[0].at
    moments = []
    for _ in range(MOMENTS):
        at = chance.randint(begin, played.clock.now)
        moments.append([at, Cluster.replay(journal, until=at).state_hash()])
    frames = [
        _frame(Cluster.replay(journal, until=at)) for at in (begin, chance.randint(begin, played.clock.now))
    ]
    return {"journal": journal.as_dict(), "frames": frames, "moments": moments}


def rewound(run: Recorded) -> list[list[Any]]:
    """The moments as they are had from the last keyframe before them."""
    entries = Journal.from_dict(run["journal"]).entries
    found = []
    for at, _hash in run["moments"]:
        _at, frame = max((frame for frame in run["frames"] if frame[0] <= at), key=lambda each: each[0])
        tail = [entry for entry in entries if entry.at <= at]
        cluster = Cluster.resume(base64.b64decode(frame), tail)
        cluster.clock.run_until(at)
        branch = cluster.fork()
        branch.fault("node/power", node="worker-1", up=False)
        branch.apply(MADE)
        branch.advance(90)
        assert branch.state_hash() != cluster.state_hash()
        release(branch)
        found.append([at, cluster.state_hash()])
    return found


def _elsewhere(runs: list[Recorded], hash_seed: int) -> list[list[list[Any]]]:
    """What another process makes of them."""
    code = (
        "import json, sys; from tests.soak.test_rewinding import rewound; "
        "print(json.dumps([rewound(run) for run in json.load(sys.stdin)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(runs),
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=1_800,
    )
    found: list[list[list[Any]]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("first", range(0, STORIES, 20))
def test_a_story_can_be_rewound_to_any_moment(first: int) -> None:
    runs = [story(seed) for seed in range(first, min(first + 20, STORIES))]
    assert all(run["moments"] for run in runs)
    assert _elsewhere(runs, first + 1) == [run["moments"] for run in runs]


@pytest.mark.parametrize("number", range(SOLUTIONS))
def test_a_labs_solution_can_be_rewound_to_any_moment(number: int) -> None:
    run = solution(number)
    assert _elsewhere([run], number + 1) == [run["moments"]]
