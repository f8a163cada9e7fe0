"""A process that packs keyframes: `python -m runs.host.packing` reads drafts until its input ends (`children.py`)."""

from __future__ import annotations

import json
import os
import sys
from typing import BinaryIO

from cluster_engine.memory import serve_parent
from cluster_engine.sim.keyframe import finish

NICE = 5
"""Who waits for an answer comes first; a quarter of a processor is left where all of it is wanted."""
MEMORY_LIMIT = 2 * 1024**3
"""Bytes of address space."""


def serve(questions: BinaryIO, answers: BinaryIO) -> None:
    """Pack one draft after the other."""
    while line := questions.readline():
        size = json.loads(line)["size"]
        draft = questions.read(size)
        if len(draft) < size:
            return
        packed = finish(draft)
        answers.write(json.dumps({"size": len(packed)}).encode("ascii") + b"\n" + packed)
        answers.flush()


if __name__ == "__main__":
    serve_parent(MEMORY_LIMIT)
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    os.nice(NICE)
    print(flush=True)
    serve(sys.stdin.buffer, sys.stdout.buffer)
