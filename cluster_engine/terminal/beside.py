"""What runs beside the terminal's machine and is served by its session: a confined program, or a shell on a node."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

ReadInput = Callable[[], Awaitable[bytes | None]]
"""The next input: bytes, or None at the end."""
Output = Callable[[int, bytes], Awaitable[None]]
"""Gets (1 or 2, bytes)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended; `reason` is why it was stopped, if it was."""

    status: int
    unread: bytes = b""
    interrupted: bool = False
    reason: str = ""


class LoginError(Exception):
    """Nobody can log in there; str() is ``unknown`` or ``unreachable``."""


class Beside(Protocol):
    """One of them, from its start to its end."""

    @property
    def handles_signals(self) -> bool:
        """Whether control characters mean signals on its terminal."""

    def resize(self, cols: int, rows: int) -> None:
        """Its terminal has another size."""

    def interrupt(self) -> None:
        """Whoever waits for it wants it to end."""

    async def wait(self, stdin: ReadInput, on_output: Output) -> Outcome:
        """Move bytes until it ends. Raises LoginError."""


class Logins(Protocol):
    """Where one can log in."""

    def start(self, host: str, argv: list[str], *, tty: bool, size: tuple[int, int]) -> Beside:
        """A command there."""
