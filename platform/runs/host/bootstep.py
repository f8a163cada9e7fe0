"""The Celery bootstep that puts an engine host into a worker of the queue `labs`, and into no other."""

from __future__ import annotations

import logging
from typing import Any

from celery import bootsteps

from cluster_engine.memory import one_arena, relax_collector
from runs.host.current import set_host
from runs.host.host import EngineHost

logger = logging.getLogger(__name__)

QUEUE = "labs"


class EngineHostStep(bootsteps.StartStopStep):
    """Starts the host before the worker takes tasks, stops it after the last one."""

    host: EngineHost | None = None
    requires = ("celery.worker.components:Hub",)

    def include_if(self, parent: Any) -> bool:
        """Only where the queue `labs` is consumed, and only in the process that runs the tasks."""
        queues = set(parent.app.amqp.queues.consume_from)
        if QUEUE not in queues:
            return False
        if "prefork" in str(parent.pool_cls.__module__):
            logger.error("the labs queue needs `--pool threads`: engines live in the worker's own process")
            raise SystemExit(1)
        return True

    def start(self, parent: Any) -> None:
        """Begin to host."""
        self.host = EngineHost()
        one_arena()
        relax_collector(whole=False)
        self.host.start()
        set_host(self.host)

    def stop(self, parent: Any) -> None:
        """Passivate every run and leave nothing behind."""
        host, self.host = self.host, None
        set_host(None)
        if host is not None:
            host.stop()

    terminate = stop
