"""Processes that compute for a host: one that is slow, hangs or takes much memory costs its process, no more.

A thread of the pool belongs to each process and waits for it; the host's event loop, its heartbeats and its other work
in threads are not concerned. A process says with an empty line that it is ready. A question is a line of JSON with the
`size` of the bytes that follow; so is an answer.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.conf import settings

LINE_LIMIT = 4 * 1024 * 1024
"""Bytes of an answer's line."""
BYTES_LIMIT = 256 * 1024 * 1024
"""Bytes that follow it."""
CHUNK = 1 << 18
START_SECONDS = 120.0
"""That a process may take until it is ready. On a busy machine it takes longer than many answers; if that counted as
theirs, each would end the process of the next."""
PRIVATE = (
    "DRYDOCK_SECRET",
    "DRYDOCK_HOST_SECRET",
    "DRYDOCK_DATABASE",
    "DRYDOCK_REDIS",
    "DATABASE_",
    "REDIS_",
)
"""How the names of environment variables begin that such processes have no business with."""


class ChildError(Exception):
    """The process gave no answer; str() says why."""


class Child:
    """One process, begun when it is needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def _begun(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            known = {name: value for name, value in os.environ.items() if not name.startswith(PRIVATE)}
            path = os.pathsep.join([str(settings.ROOT), str(settings.ROOT / "platform")])
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=settings.ROOT,
                env={**known, "PYTHONPATH": path},
                bufsize=0,
            )
            assert self._process.stdout is not None
            _line(self._process.stdout.fileno(), time.monotonic() + START_SECONDS)
        return self._process

    def ask(
        self, command: Sequence[str], question: dict[str, Any], data: bytes, deadline: float
    ) -> tuple[dict[str, Any], bytes]:
        """The answer, and its bytes. Raises ChildError; then the next one is asked of a new process.

        `deadline` is of `time.monotonic`; what a new process takes to be ready is added to it.
        """
        asked = time.monotonic()
        try:
            process = self._begun(command)
            assert process.stdin is not None
            assert process.stdout is not None
            deadline += time.monotonic() - asked
            head = json.dumps({**question, "size": len(data)}).encode("ascii") + b"\n"
            for part in (head, data):
                _write(process.stdin.fileno(), part, deadline)
            return _read(process.stdout.fileno(), deadline)
        except (OSError, ValueError) as error:
            self.kill()
            raise ChildError(str(error) or type(error).__name__) from error

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
        raise TimeoutError("it took too long")


def _write(fd: int, data: bytes, deadline: float) -> None:
    os.set_blocking(fd, False)
    view = memoryview(data)
    while view:
        _wait(fd, select.POLLOUT, deadline)
        view = view[os.write(fd, view[:CHUNK]) :]


def _read(fd: int, deadline: float) -> tuple[dict[str, Any], bytes]:
    line, first = _line(fd, deadline)
    answer: dict[str, Any] = json.loads(line)
    size = answer.get("size", 0)
    if size > BYTES_LIMIT:
        raise ValueError(f"its answer is larger than {BYTES_LIMIT} bytes")
    parts, left = [first], size - len(first)
    while left > 0:
        parts.append(_chunk(fd, deadline))
        left -= len(parts[-1])
    return answer, b"".join(parts)


def _line(fd: int, deadline: float) -> tuple[bytes, bytes]:
    """A line, and what came with its end."""
    got = b""
    while b"\n" not in got:
        got += _chunk(fd, deadline)
        if len(got) > LINE_LIMIT:
            raise ValueError(f"its answer is larger than {LINE_LIMIT} bytes")
    line, _, first = got.partition(b"\n")
    return line, first


def _chunk(fd: int, deadline: float) -> bytes:
    _wait(fd, select.POLLIN, deadline)
    chunk = os.read(fd, CHUNK)
    if not chunk:
        raise OSError("the process has ended")
    return chunk


class Children:
    """So many processes, each of a thread of `pool`; they are asked in the order in which questions come."""

    def __init__(self, processes: int, name: str) -> None:
        self.pool = ThreadPoolExecutor(processes, thread_name_prefix=name)
        self._mine = threading.local()
        self._all: list[Child] = []

    def child(self) -> Child:
        """The process of this thread of the pool."""
        child: Child | None = getattr(self._mine, "child", None)
        if child is None:
            child = self._mine.child = Child()
            self._all.append(child)
        return child

    def stop(self) -> None:
        """End all; what is under way fails."""
        self.pool.shutdown(wait=False, cancel_futures=True)
        for child in self._all:
            child.kill()
