"""The Celery bootstep that sends grading tickets from a worker of the queue `grading`, and from no other."""

from __future__ import annotations

from typing import Any

from celery import bootsteps
from config import alive

from grading import queue

QUEUE = "grading"


class TicketStep(bootsteps.StartStopStep):
    """A ticket when the worker starts and every few seconds: what was queued before it, or lost, is found."""

    requires = ("celery.worker.components:Timer",)
    timer: Any = None

    def include_if(self, parent: Any) -> bool:
        """Only where the queue `grading` is consumed."""
        return QUEUE in set(parent.app.amqp.queues.consume_from)

    def start(self, parent: Any) -> None:
        """Begin."""
        self._look_around()
        self.timer = parent.timer.call_repeatedly(queue.TICKET_SECONDS, self._look_around)

    @staticmethod
    def _look_around() -> None:
        alive.beat()
        queue.ask()

    def stop(self, parent: Any) -> None:
        """No more."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    terminate = stop
