"""Processes in which a host's keyframes are packed (`runs.host.packing`): in a thread, all runs would wait for it."""

from __future__ import annotations

import logging
import sys
import time

from cluster_engine.cluster import Cluster
from cluster_engine.release import release
from cluster_engine.sim.keyframe import finish
from runs.host.children import ChildError, Children
from runs.host.computing import COMPUTING

logger = logging.getLogger(__name__)

COMMAND = [sys.executable, "-m", "runs.host.packing"]
SECONDS = 30.0
"""That one keyframe may take, its way to the process and back included."""


class Packers(Children):
    """As many processes as the machine has processors."""

    def __init__(self, processes: int) -> None:
        super().__init__(processes, "packer")

    def pack(self, fork: Cluster) -> bytes:
        """The keyframe of a fork, which is taken apart: the collector would not find it for hours. In `pool`."""
        with COMPUTING:
            try:
                draft = fork.draft(COMPUTING.breathe)
            finally:
                release(fork, COMPUTING.breathe)
        try:
            return self.child().ask(COMMAND, {}, draft, time.monotonic() + SECONDS)[1]
        except ChildError as error:
            logger.warning("a keyframe is packed in the host itself: %s", error)
            return finish(draft)
