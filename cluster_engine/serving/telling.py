"""A stream on its way to its client.

What a request changes is said in the very step that changes it, where the client takes what it is given: the first
change of each request, so that many are not a write to the socket each. The others are said together when the loop
comes round.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.kube_apiserver import Stream
from cluster_engine.serving import eager
from cluster_engine.serving.signal import Signal

POLL = 0.1
"""Seconds between looks at a followed log."""
BOOKMARK_INTERVAL = 60.0
STREAM_TIMEOUT = 2_700.0
"""Seconds; upstream ends watches after 30-60 minutes."""
CHUNK = 1 << 18

Send = Callable[[MutableMapping[str, Any]], Any]
Failed = Callable[[Exception], bool]
"""Notes a failure; False: it must go through."""


class Telling:
    """One stream, and the one who reads it."""

    def __init__(
        self, stream: Stream, send: Send, failed: Failed, act: Callable[[], int], at_once: bool
    ) -> None:
        """``act``: the number of the request that is being carried out, or was last; ``at_once``: what was sent is the
        kernel's when ``send`` is done, not when the loop comes round.
        """
        self._stream = stream
        self._send = send
        self._failed = failed
        self._act = act
        self._at_once = at_once and not stream.polled
        self._ready = Signal()
        self._told_in = -1
        self._over = False
        self._left = b""
        self._begun: Awaitable[None] | None = None
        stream.subscribe(self._happened)

    @property
    def late(self) -> bool:
        """Whether the client may not have been told yet of what has happened."""
        return not (self._at_once and self._ready.is_awaited)

    def gone(self) -> None:
        """The client has gone away."""
        self._over = True
        self._ready.set()

    def close(self) -> None:
        """Nothing more is told; the stream knows nobody any more, so that both are gone when they are let go."""
        self._stream.subscribe(_nobody)
        self._stream.cancel()

    async def pump(self) -> None:
        """Bytes from the stream to the socket until one of the two has enough."""
        loop = asyncio.get_running_loop()
        timeout = self._stream.timeout
        end = loop.time() + min(STREAM_TIMEOUT if timeout is None else timeout, STREAM_TIMEOUT)
        next_mark = loop.time() + BOOKMARK_INTERVAL
        while not self._over:
            now = loop.time()
            if self._begun is not None:
                begun, self._begun = self._begun, None
                await begun
            data = self._left + self._taken(mark=now >= next_mark)
            self._left = b""
            if now >= next_mark:
                next_mark = now + BOOKMARK_INTERVAL
            for start in range(0, len(data), CHUNK):
                await self._send(_part(data[start : start + CHUNK]))
            if self._over or self._stream.closed or now >= end:
                return
            if data:
                continue  # there may be more
            pause = min(end, next_mark) - now
            if self._stream.polled:
                pause = min(pause, POLL)
            await self._ready.wait(pause)

    def _happened(self) -> None:
        """There is something to say: called from inside a write, or a clock event."""
        act = self._act()
        if act == self._told_in or not self._at_once or not self._ready.is_awaited:
            self._ready.set()
            return
        self._told_in = act
        data = self._taken()
        if len(data) > CHUNK:
            self._left = data
        elif data:
            self._begun = eager.begin(self._send(_part(data)))
        if self._left or self._begun is not None or self._over or self._stream.closed:
            self._ready.set()

    def _taken(self, mark: bool = False) -> bytes:
        """What the stream has. When it fails, it is over: the client sees its end, as at a time-out, and asks again."""
        over, self._over = self._over, True
        try:
            data = self._stream.take()
            if mark:
                data += self._stream.tick()
        except ApiError:
            return b""  # the Pod behind a followed log is gone
        except Exception as error:
            if not self._failed(error):
                raise
            return b""
        self._over = over
        return data


def _nobody() -> None:
    """Whom a stream tells that has no reader."""


def _part(data: bytes) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": True}
