"""A tab's channel `status`, the host's part: `pace` {pace} is told when the cluster falls behind the wall's clock, and
again when it does not any more; `clock` {now, speed, resume} at the beginning and whenever somebody sets or moves the
clock. (The run's state is the web tier's to tell.)
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from cluster_engine.serving import Driver
from runs.host.clock import RunClock

LOOK_SECONDS = 3.0
"""From one look at the pace to the next."""
SLOW = 0.9
"""A pace below this is told, to one decimal place."""


class StatusChannel:
    """See the module."""

    def __init__(self, driver: Driver | None, clock: RunClock, wake: Callable[[], None]) -> None:
        self._driver = driver
        self._clock = clock
        self._turns = -1
        """The clock's, when it was told last."""
        self._wake = wake
        self._told = 1.0
        self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)

    @property
    def _pace(self) -> float:
        pace = self._driver.pace if self._driver is not None else 1.0
        return max(0.1, round(pace, 1)) if pace < SLOW else 1.0

    def _look(self) -> None:
        if self._pace != self._told:
            self._wake()
        self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)

    async def receive(self, message: dict[str, Any]) -> None:
        """Nothing is to be said to it. Raises ValueError."""
        raise ValueError("the status is told, not asked for")

    def take(self) -> str | bytes | None:
        """The clock or the pace, when it is another one."""
        if self._turns != self._clock.turns:
            self._turns = self._clock.turns
            return json.dumps({"ch": "status", "type": "clock", **self._clock.state()})
        if (pace := self._pace) == self._told:
            return None
        self._told = pace
        return json.dumps({"ch": "status", "type": "pace", "pace": pace})

    def rest(self) -> Any:
        """What was told last; nothing is from now on."""
        self.close()
        return self._turns, self._told

    def go_on(self, left: Any) -> None:
        """Nothing is told anew."""
        self._turns, self._told = left

    def close(self) -> None:
        """The browser is gone."""
        self._timer.cancel()
