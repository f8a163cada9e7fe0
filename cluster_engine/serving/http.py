"""HTTP connections on which nobody waits for the event loop to come round.

A request that came whole is begun in the step in which its last byte was read, and what a stream says is written in the
step that says it. Else as uvicorn's own.
"""

from __future__ import annotations

import contextvars
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from cluster_engine.serving import eager
from cluster_engine.serving.application import AT_ONCE


class Http(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._reading = False
        self._due: list[tuple[RequestResponseCycle, Any]] = []

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self.scheme == "http":  # TLS writes when the loop comes round, whatever is asked for
            self.scope[AT_ONCE] = self._write_at_once  # type: ignore[literal-required]

    def _write_at_once(self) -> None:
        self.transport.set_write_buffer_limits(high=0)

    def data_received(self, data: bytes) -> None:
        self._reading = True
        try:
            super().data_received(data)
            while self._due:
                context = contextvars.copy_context()
                context.run(self._begin, context, *self._due.pop(0))
        finally:
            self._reading = False

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if self._reading:
            self._due.append((cycle, app))  # when all is read that has come: mostly the body, too
        else:
            super()._start_asgi_task(cycle, app)

    def _begin(self, context: contextvars.Context, cycle: RequestResponseCycle, app: Any) -> None:
        rest = eager.begin(cycle.run_asgi(app))
        if rest is not None:
            task = self.loop.create_task(eager.finish(rest), context=context)
            task.add_done_callback(self.tasks.discard)
            self.tasks.add(task)
