"""Coroutines that are begun in place: what need not wait is done at once, only the rest becomes a task's.

As the eager tasks of Python 3.12 (asyncio.eager_task_factory), which this has to do without. Until it waits for
the first time such a coroutine is in no task: `asyncio.timeout` has to come later.
"""

from __future__ import annotations

import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any


def begin(coroutine: Coroutine[Any, Any, None]) -> Awaitable[None] | None:
    """Runs it until it has to wait. What is to be awaited then, once; None: it is done already."""
    try:
        waits_for = coroutine.send(None)
    except StopIteration:
        return None
    return _rest(coroutine, waits_for)


@types.coroutine
def _rest(coroutine: Coroutine[Any, Any, None], waits_for: Any) -> Generator[Any, Any, None]:
    step: Callable[[Any], Any]
    while True:
        try:
            # The future, as the coroutine gave it: the task waits for it as if nobody stood in between.
            given = yield waits_for
        except BaseException as error:  # noqa: BLE001 (whatever the task is told, as that it is cancelled)
            step, told = coroutine.throw, error
        else:
            step, told = coroutine.send, given
        try:
            waits_for = step(told)
        except StopIteration:
            return


async def finish(rest: Awaitable[None]) -> None:
    """What `begin` has left, as a coroutine for a task."""
    await rest
