"""Scripts played in labs, remembered: the same lab, seed and script give the same cluster, so none is played twice."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass

import orjson

from cluster_engine.cluster import Cluster
from labs.kit.catalog import Lab
from labs.kit.workbench import open_lab

KEPT = 200
"""Played clusters in memory; the least recently used go first."""


@dataclass(frozen=True)
class Play:
    """How a script ended, and the cluster that it left."""

    status: int
    output: str
    cluster: Cluster


class Plays:
    """What was played in this process."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Play] = OrderedDict()

    async def play(self, lab: Lab, seed: int, script: str) -> Play:
        """The script, typed into a terminal of the lab's variant."""
        parts = [
            lab.slug,
            lab.nodes,
            lab.cloud,
            lab.scheduler,
            lab.control_planes,
            lab.kubelets,
            lab.audit,
            lab.admission,
            seed,
            lab.setup,
            repr(lab.start),
            lab.files,
            script,
        ]
        key = hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        async with open_lab(lab, seed) as bench:
            result = await bench.run(script)
            play = Play(result.status, result.output, bench.cluster)
        self._known[key] = play
        if len(self._known) > KEPT:
            self._known.popitem(last=False)
        return play
