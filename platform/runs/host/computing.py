"""The turn of threads that compute beside a host's loop: of two the loop would have a third of the interpreter."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

BLINK = 0.0005
"""Seconds from look to look whether anybody still waits."""
BREATH = 0.1
"""Seconds that one turn's computing lets those who wait go first, altogether."""


def _nobody() -> bool:
    return False


class Computing:
    """Held by whoever computes for more than some milliseconds, and can wait.

    Each time that the loop has let go of the interpreter, to send an answer or to wait for one, it gets it back only
    after a moment: of the 3 ms of a learner's command a thread that computes made 15.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left = 0.0
        self.disturbs: Callable[[], bool] = _nobody
        """Whether somebody waits for the loop; the host says it."""

    def __enter__(self) -> None:
        self._lock.acquire()
        self._left = BREATH

    def __exit__(self, *_error: object) -> None:
        self._lock.release()

    def forget(self, disturbs: Callable[[], bool]) -> None:
        """That host is no more."""
        if self.disturbs == disturbs:
            self.disturbs = _nobody

    def breathe(self) -> None:
        """Between two steps of what is computed in this turn: who waits for the loop goes first."""
        while self._left > 0 and self.disturbs():
            self._left -= BLINK
            time.sleep(BLINK)


COMPUTING = Computing()
"""The process's."""
