"""A script in a run's terminal that nobody looks at: how large that is, and what is kept of what it prints."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

#: The terminal in which a script runs, and how large it is.
SCRIPT, SCRIPT_COLUMNS, SCRIPT_ROWS = "script", 200, 50
#: Bytes that are kept of what a script prints; the rest is dropped.
SCRIPT_OUTPUT = 64 * 1024
#: How long a script that took too long has to end.
HANG_UP_SECONDS = 3.0


class Told:
    """What a script printed, and how it ended."""

    def __init__(self, lines: Callable[[bytes], None] | None = None) -> None:
        """`lines` is given whole lines of what is kept, as they come."""
        self.output = bytearray()
        self.status = 0
        self.late = self.cut = False
        """Whether it took too long; whether it printed more than is kept."""
        self.ended = asyncio.Event()
        self._lines = lines
        self._given = 0

    def show(self, data: bytes) -> None:
        """Bytes of its terminal."""
        self.output += data[: SCRIPT_OUTPUT - len(self.output)]
        self.cut = self.cut or len(self.output) == SCRIPT_OUTPUT
        whole = self.output.rfind(b"\n") + 1
        if self._lines is not None and whole > self._given:
            self._lines(bytes(self.output[self._given : whole]))
            self._given = whole

    def end(self, status: int) -> None:
        """Its shell has ended."""
        self.status = status
        self.ended.set()
