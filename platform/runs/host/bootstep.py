"""The Celery bootstep that puts an engine host into a worker of the queue `labs`, and into no other."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from celery import bootsteps

if TYPE_CHECKING:
    from runs.host.host import EngineHost

logger = logging.getLogger(__name__)

QUEUE = "labs"

_host: EngineHost | None = None


class NoHostError(RuntimeError):
    """A labs task ran in a worker without an engine host."""


def current_host() -> EngineHost:
    """This process's engine host."""
    if _host is None:
        raise NoHostError(
            "this worker has no engine host: start it with `celery -A config worker -Q labs --pool threads`"
        )
    return _host


def set_host(host: EngineHost | None) -> None:
    """The bootstep's business, and that of tests."""
    global _host
    _host = host


class EngineHostStep(bootsteps.StartStopStep):
    """Starts the host before the worker takes tasks, stops it after the last one."""

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
        from cluster_engine.memory import relax_collector
        from runs.host.host import EngineHost

        host = EngineHost()
        relax_collector()
        host.start()
        set_host(host)

    def stop(self, parent: Any) -> None:
        """Passivate every run and leave nothing behind."""
        host = _host
        set_host(None)
        if host is not None:
            host.stop()

    terminate = stop
