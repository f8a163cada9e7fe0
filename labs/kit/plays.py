"""Scripts played in labs, remembered: the same lab, seed and script give the same cluster, so none is played twice."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass

import orjson

from cluster_engine.cluster import Cluster
from labs.kit import runner
from labs.kit.lab import Lab
from labs.kit.workbench import Left, open_cluster

KEPT = 200
"""Played clusters in memory; the least recently used go first."""


@dataclass(frozen=True)
class Play:
    """How a script ended, and what it left: the cluster, and the terminal's files."""

    status: int
    output: str
    cluster: Cluster
    left: Left


class Plays:
    """What was played in this process."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Play] = OrderedDict()

    async def play(self, lab: Lab, seed: int, script: str, after: str = "") -> Play:
        """The script, typed into a terminal of the lab's variant; after another script, as it left the lab."""
        key = _key(lab, seed, after, script)
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        before = await self.play(lab, seed, after) if after else self.start(lab, seed)
        if before.status != 0:
            return before
        async with open_cluster(before.cluster.fork(), before.left) as bench:
            result = await bench.run(script)
            return self._keep(key, Play(result.status, result.output, bench.cluster, bench.left))

    def start(self, lab: Lab, seed: int) -> Play:
        """Nothing played: the lab as it begins. Raises ApiError, YamlError for a set-up that is refused."""
        key = _key(lab, seed)
        return self._known.get(key) or self._keep(
            key, Play(0, "", runner.boot(lab, seed), Left.at_home(lab.files))
        )

    def _keep(self, key: str, play: Play) -> Play:
        self._known[key] = play
        if len(self._known) > KEPT:
            self._known.popitem(last=False)
        return play


def _key(lab: Lab, seed: int, *scripts: str) -> str:
    """Of all that decides what comes of the scripts."""
    parts = [
        lab.slug,
        lab.nodes,
        lab.cloud,
        lab.scheduler,
        lab.control_planes,
        lab.kubelets,
        lab.audit,
        lab.admission,
        lab.images,
        seed,
        lab.setup,
        repr(lab.start),
        lab.files,
        scripts,
    ]
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()
