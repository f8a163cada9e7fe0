"""kubectl in a pseudo-terminal: what is typed, what is seen."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

TIMEOUT = 30


class Terminal:
    """A kubectl that believes that somebody sits before it."""

    def __init__(self, command: list[str], environment: dict[str, str], cwd: Path) -> None:
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            command, env=environment, cwd=cwd, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)
        self.screen = ""

    def type(self, text: str) -> None:
        """Types."""
        os.write(self._master, text.encode())

    def sees(self, text: str) -> None:
        """Waits until the text is on the screen; what came before it is forgotten."""
        end = time.monotonic() + TIMEOUT
        while text not in self.screen:
            ready, _, _ = select.select([self._master], [], [], max(0.0, end - time.monotonic()))
            assert ready, f"{text!r} is not on the screen: {self.screen!r}"
            self._read()
        self.screen = self.screen.partition(text)[2]

    def _read(self) -> None:
        try:
            data = os.read(self._master, 65_536)
        except OSError:
            data = b""
        assert data, f"the terminal was closed: {self.screen!r}"
        self.screen += data.decode("utf-8", "replace")

    def ends(self) -> int:
        """Waits for the exit status."""
        end = time.monotonic() + TIMEOUT
        while self._process.poll() is None:
            assert time.monotonic() < end, f"still running: {self.screen!r}"
            ready, _, _ = select.select([self._master], [], [], 0.1)
            if ready:
                with contextlib.suppress(AssertionError):
                    self._read()
        return self._process.returncode

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._master)
