"""One who waits, and many who may wake him: as ``asyncio.Event``, for a single task and without a task for each wait.

A task that is woken goes on in the loop's next turn. Who watches is told of a write before the writer is answered.
"""

from __future__ import annotations

import asyncio


class Signal:
    """Set by anybody on the loop, waited for by one task."""

    def __init__(self) -> None:
        self._set = False
        self._waiter: asyncio.Future[None] | None = None

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits, whom nothing has woken yet."""
        return self._waiter is not None and not self._waiter.done()

    def set(self) -> None:
        """Wake who waits, or keep it for who comes."""
        self._set = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def wait(self, seconds: float) -> None:
        """Until it is set, or was since the last wait; for so many seconds at most."""
        if not self._set:
            loop = asyncio.get_running_loop()
            self._waiter = loop.create_future()
            timer = loop.call_later(seconds, self.set)
            try:
                await self._waiter
            finally:
                timer.cancel()
                self._waiter = None
        self._set = False
