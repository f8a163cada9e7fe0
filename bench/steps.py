"""The steps of an event loop by the processor's time that they took, and what they were about.

For Python's own loop alone (`asyncio.SelectorEventLoop`): whoever measures has the host run on that one.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

LONG = 0.005
"""Seconds of processor time: steps and rounds that took longer are told one by one."""
LOOK = 0.001
"""Seconds from look to look at what a step is about."""
DEPTH = 14
"""Innermost frames that are told."""
TOP = 20
"""Causes and rounds that are told."""


@dataclass(slots=True)
class Cause:
    """All steps that were about the same."""

    count: int = 0
    long: int = 0
    total: float = 0.0
    longest: float = 0.0
    collecting: float = 0.0
    """Seconds of the longest that the garbage collector took."""
    stacks: Counter[str] = field(default_factory=Counter)
    """Where its long steps were seen."""


class Steps:
    """Measures, from `__enter__` on, the loop that runs in the thread `ident`."""

    def __init__(self, ident: int) -> None:
        self._ident = ident
        self._clock = time.pthread_getcpuclockid(ident)
        self._causes: dict[str, Cause] = {}
        self._rounds: list[tuple[float, list[tuple[float, str]]]] = []
        self._round: list[tuple[float, str]] = []
        self._begun = 0.0
        """When the step that runs began, by the thread's clock; 0: none runs."""
        self._seen: Counter[str] = Counter()
        self._collecting = self._collected = 0.0
        self._collections: list[tuple[float, int, int]] = []
        self._over = threading.Event()
        self._looker = threading.Thread(target=self._look, daemon=True)
        self._run: Callable[..., Any] = asyncio.Handle._run
        self._run_once: Callable[..., Any] = asyncio.base_events.BaseEventLoop._run_once  # type: ignore[attr-defined]

    def __enter__(self) -> Steps:
        run, run_once = self._run, self._run_once

        def step(handle: Any) -> None:
            if threading.get_ident() != self._ident:
                run(handle)
                return
            cause = _cause(handle)
            self._collected = 0.0
            self._begun = begun = time.thread_time()
            run(handle)
            took, self._begun = time.thread_time() - begun, 0.0
            self._note(cause, took)

        def once(loop: Any) -> None:
            self._round = []
            run_once(loop)
            if threading.get_ident() == self._ident and (took := sum(t for t, _ in self._round)) > LONG:
                self._rounds.append((took, sorted(self._round, reverse=True)[:6]))

        asyncio.Handle._run = step  # type: ignore[method-assign]
        asyncio.base_events.BaseEventLoop._run_once = once  # type: ignore[attr-defined]
        gc.callbacks.append(self._collect)
        self._looker.start()
        return self

    def __exit__(self, *_error: object) -> None:
        asyncio.Handle._run = self._run  # type: ignore[method-assign]
        asyncio.base_events.BaseEventLoop._run_once = self._run_once  # type: ignore[attr-defined]
        gc.callbacks.remove(self._collect)
        self._over.set()
        self._looker.join()

    def report(self) -> dict[str, Any]:
        """The worst causes and rounds; times in milliseconds of the processor's time."""
        worst = sorted(self._causes.items(), key=lambda item: -item[1].longest)[:TOP]
        rounds = sorted(self._rounds, key=lambda each: -each[0])[:TOP]
        lengths = Counter(min(50, int(took * 1000) // 5 * 5) for took, _ in self._rounds)
        return {
            "causes": [
                {
                    "cause": name, "count": c.count, "long": c.long, "total": _ms(c.total),
                    "longest": _ms(c.longest), "collecting": _ms(c.collecting),
                    "stacks": c.stacks.most_common(3),
                }
                for name, c in worst
            ],
            "rounds": [[_ms(took), [[_ms(t), name] for t, name in steps]] for took, steps in rounds],
            "collections": [
                [_ms(took), generation, freed]
                for took, generation, freed in sorted(self._collections, reverse=True)[:TOP]
            ],
            "collecting": _ms(sum(took for took, _, _ in self._collections)),
            "rounds_by_ms": dict(sorted(lengths.items())),
        }  # fmt: skip

    def _note(self, name: str, took: float) -> None:
        cause = self._causes.setdefault(name, Cause())
        cause.count += 1
        cause.total += took
        if took > cause.longest:
            cause.longest, cause.collecting = took, self._collected
        if took > LONG:
            cause.long += 1
            cause.stacks.update(self._seen.keys())
        if self._seen:
            self._seen = Counter()
        self._round.append((took, name))

    def _look(self) -> None:
        while not self._over.wait(LOOK):
            if self._begun and time.clock_gettime(self._clock) - self._begun > LONG / 2:
                frame = sys._current_frames().get(self._ident)
                if frame is not None:
                    frames = traceback.extract_stack(frame, DEPTH)
                    # The innermost come and go; what called them is what the step is about.
                    told = " < ".join(
                        f"{f.filename.rsplit('/', 1)[-1]}:{f.lineno} {f.name}" for f in reversed(frames)
                    )
                    self._seen[told] += 1

    def _collect(self, phase: str, info: dict[str, int]) -> None:
        if threading.get_ident() != self._ident:
            return
        if phase == "start":
            self._collecting = time.thread_time()
        else:
            took = time.thread_time() - self._collecting
            self._collected += took
            self._collections.append((took, info["generation"], info["collected"]))


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


def _cause(handle: Any) -> str:
    """What a step goes on with: a task's coroutine, and where it waited; or who is called back."""
    callback = handle._callback
    task = getattr(callback, "__self__", None)
    if not isinstance(task, asyncio.Task):
        callback = getattr(callback, "func", callback)
        return str(getattr(callback, "__qualname__", callback))
    inner: Any = task.get_coro()
    names: list[str] = []
    while hasattr(inner, "cr_frame") or hasattr(inner, "gi_frame"):
        frame = inner.cr_frame if hasattr(inner, "cr_frame") else inner.gi_frame
        names.append(f"{inner.__qualname__}:{frame.f_lineno if frame else ''}")
        inner = inner.cr_await if hasattr(inner, "cr_await") else inner.gi_yieldfrom
    return " > ".join([names[0], *names[1:][-3:]])
