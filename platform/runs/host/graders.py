"""Processes in which a host's checks run (`labs.kit.process`)."""

from __future__ import annotations

import sys
from typing import Any

from cluster_engine.cluster import Cluster
from cluster_engine.release import release
from runs.host.children import ChildError, Children

COMMAND = [sys.executable, "-m", "labs.kit.process"]


class GradingError(Exception):
    """The checks came to no result; str() says why."""


class Graders(Children):
    """As many processes as the machine has processors."""

    def __init__(self, processes: int) -> None:
        super().__init__(processes, "grader")

    def grade(self, slug: str, fork: Cluster, past: bool, deadline: float) -> dict[str, Any]:
        """The report of the lab's checks (`labs.kit.runner.Report.as_data`) with the cluster's hash. In `pool`.

        The fork is taken apart while the process works: nothing else would free it before the next collection.

        `past`: its checks ask for what was. `deadline` is of `time.monotonic`. Raises GradingError.
        """
        try:
            keyframe = fork.keyframe(compressed=False)
            remembered = fork.past() if past else b""
        finally:
            self.pool.submit(release, fork)
        answer = self._asked("grade", slug, keyframe, remembered, deadline)
        return {**answer["report"], "state_hash": answer["state_hash"]}

    def written(self, slug: str, fork: Cluster, deadline: float) -> str:
        """What people wrote of the fork's objects since the lab began, as YAML. As `grade`, otherwise."""
        try:
            keyframe = fork.keyframe(compressed=False)
        finally:
            release(fork)
        return str(self._asked("written", slug, keyframe, b"", deadline)["written"])

    def _asked(
        self, deed: str, slug: str, keyframe: bytes, remembered: bytes, deadline: float
    ) -> dict[str, Any]:
        question = {"do": deed, "lab": slug, "past": len(remembered)}
        try:
            answer, _ = self.child().ask(COMMAND, question, keyframe + remembered, deadline)
        except ChildError as error:
            raise GradingError(str(error)) from error
        if "error" in answer:
            raise GradingError(answer["error"])
        return answer
