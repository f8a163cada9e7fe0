"""What an event loop did while it did not come round: a thread looks at it, and names the stack."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import time
import traceback
from collections import Counter
from typing import Any

BEAT = 0.005
"""Seconds from round to round, as it should be."""
LATE = 0.025
"""Seconds after which the loop's stack is looked at."""
LONG = 0.050
"""Seconds: a step that takes longer is one too many."""
WORST = 5
"""Stalls that are told with their stacks."""
DEPTH = 6
"""Innermost frames of a stack that are told."""


class Stalls:
    """Watches the running loop from `watch` until its end.

    A stall is told twice: by the wall (others are at work on this machine, too), and by the processor's time that the
    loop's own thread took within it.
    """

    def __init__(self) -> None:
        self._beat = time.monotonic()
        self._loop_thread = 0
        self._over = threading.Event()
        self._stacks: list[tuple[float, str]] = []
        self._stalls: list[tuple[float, float, str]] = []
        self._collections: list[float] = []
        self._collecting = 0.0
        self._longest = self._longest_own = 0.0

    async def watch(self, seconds: float) -> dict[str, Any]:
        """The longest times for which the loop did not come round, in milliseconds, and what it did meanwhile."""
        self._loop_thread = threading.get_ident()
        looker = threading.Thread(target=self._look, daemon=True)
        gc.callbacks.append(self._collected)
        looker.start()
        try:
            await self._beats(seconds)
        finally:
            self._over.set()
            gc.callbacks.remove(self._collected)
        looker.join()
        worst = sorted(self._stalls, reverse=True)[:WORST]
        return {
            "longest_stall_ms": self._longest * 1000,
            "longest_own_stall_ms": self._longest_own * 1000,
            "long_stalls": sum(own > LONG for own, _, _ in self._stalls),
            "longest_collection_ms": max(self._collections, default=0.0) * 1000,
            "worst": [
                {"own_ms": round(own * 1000), "wall_ms": round(wall * 1000), "stack": stack}
                for own, wall, stack in worst
            ],
        }

    async def _beats(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        last, last_own = time.monotonic(), time.thread_time()
        while last < end:
            self._beat = last
            await asyncio.sleep(BEAT)
            now, now_own = time.monotonic(), time.thread_time()
            late = now - last - BEAT
            own = min(late, now_own - last_own)
            self._longest, self._longest_own = max(self._longest, late), max(self._longest_own, own)
            if late > LATE:
                seen = Counter(stack for at, stack in self._stacks if at >= last)
                self._stalls.append((own, late, seen.most_common(1)[0][0] if seen else ""))
            self._stacks.clear()
            last, last_own = now, now_own

    def _look(self) -> None:
        while not self._over.wait(BEAT):
            if time.monotonic() - self._beat > LATE:
                frame = sys._current_frames().get(self._loop_thread)
                frames = traceback.extract_stack(frame)[-DEPTH:] if frame else []
                told = " < ".join(
                    f"{f.filename.rsplit('/', 1)[-1]}:{f.lineno} {f.name}" for f in reversed(frames)
                )
                self._stacks.append((time.monotonic(), told))

    def _collected(self, phase: str, _info: dict[str, int]) -> None:
        if phase == "start":
            self._collecting = time.thread_time()
        else:
            self._collections.append(time.thread_time() - self._collecting)
