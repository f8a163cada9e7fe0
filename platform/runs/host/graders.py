"""Processes in which a host's checks run: one that is slow, hangs or takes much memory costs its process, no more.

A thread of the pool belongs to each process and waits for it; the host's event loop, its heartbeats and its other work
in threads are not concerned.
"""

from __future__ import annotations

import json
import logging
import os
import select
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.conf import settings

from cluster_engine.cluster import Cluster
from cluster_engine.release import release

logger = logging.getLogger(__name__)

COMMAND = [sys.executable, "-m", "labs.kit.process"]
ANSWER_LIMIT = 4 * 1024 * 1024
"""Bytes of a report."""
CHUNK = 1 << 18
PRIVATE = (
    "DRYDOCK_SECRET",
    "DRYDOCK_HOST_SECRET",
    "DRYDOCK_DATABASE",
    "DRYDOCK_REDIS",
    "DATABASE_",
    "REDIS_",
)
"""How the names of environment variables begin that checks have no business with."""


class GradingError(Exception):
    """The checks came to no result; str() says why."""


class _Grader:
    """One process, begun when it is needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def _begun(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            known = {name: value for name, value in os.environ.items() if not name.startswith(PRIVATE)}
            environment = {**known, "PYTHONPATH": str(settings.ROOT)}
            self._process = subprocess.Popen(
                COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=settings.ROOT,
                env=environment,
                bufsize=0,
            )
        return self._process

    def ask(self, slug: str, keyframe: bytes, deadline: float) -> dict[str, Any]:
        """Raises GradingError; then the next one is asked of a new process."""
        process = self._begun()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            head = json.dumps({"lab": slug, "size": len(keyframe)}).encode("ascii") + b"\n"
            _write(process.stdin.fileno(), head + keyframe, deadline)
            answer: dict[str, Any] = json.loads(_read_line(process.stdout.fileno(), deadline))
        except (OSError, ValueError) as error:
            self.kill()
            raise GradingError(str(error) or type(error).__name__) from error
        if "error" in answer:
            raise GradingError(answer["error"])
        return {**answer["report"], "state_hash": answer["state_hash"]}

    def kill(self) -> None:
        """End the process at once."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()


def _wait(fd: int, event: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(fd, event)
    left = deadline - time.monotonic()
    if left <= 0 or not poll.poll(left * 1000):
        raise TimeoutError("the checks took too long")


def _write(fd: int, data: bytes, deadline: float) -> None:
    os.set_blocking(fd, False)
    view = memoryview(data)
    while view:
        _wait(fd, select.POLLOUT, deadline)
        view = view[os.write(fd, view[:CHUNK]) :]


def _read_line(fd: int, deadline: float) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        _wait(fd, select.POLLIN, deadline)
        chunk = os.read(fd, CHUNK)
        if not chunk:
            raise OSError("the grading process has ended")
        line += chunk
        if len(line) > ANSWER_LIMIT:
            raise ValueError(f"the report is larger than {ANSWER_LIMIT} bytes")
    return line


class Graders:
    """As many processes as the machine has processors; they are asked in the order in which clusters come."""

    def __init__(self, processes: int) -> None:
        self.pool = ThreadPoolExecutor(processes, thread_name_prefix="grader")
        self._mine = threading.local()
        self._all: list[_Grader] = []

    def grade(self, slug: str, fork: Cluster, deadline: float) -> dict[str, Any]:
        """The report of the lab's checks (`labs.kit.runner.Report.as_data`) with the cluster's hash. In `pool`.

        The fork is taken apart as soon as its keyframe is there: nothing else would free it before the next collection.

        `deadline` is of `time.monotonic`. Raises GradingError.
        """
        grader: _Grader | None = getattr(self._mine, "grader", None)
        if grader is None:
            grader = self._mine.grader = _Grader()
            self._all.append(grader)
        try:
            keyframe = fork.keyframe(compressed=False)
        finally:
            release(fork)
        return grader.ask(slug, keyframe, deadline)

    def stop(self) -> None:
        """End all; what is under way fails."""
        self.pool.shutdown(wait=False, cancel_futures=True)
        for grader in self._all:
            grader.kill()
