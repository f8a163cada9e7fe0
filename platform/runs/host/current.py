"""This process's engine host, for the tasks of its worker: known here without importing what a host is made of."""

from __future__ import annotations

import uuid
from typing import Protocol


class Acquirer(Protocol):
    """What a task asks of a host."""

    @property
    def name(self) -> str:
        """Which host this is."""

    def acquire(self, run_id: uuid.UUID) -> None:
        """Own the run: boot or rebuild it. Idempotent."""


class NoHostError(RuntimeError):
    """A labs task ran in a worker without an engine host."""


_host: Acquirer | None = None


def current_host() -> Acquirer:
    """This process's engine host. Raises NoHostError where there is none."""
    if _host is None:
        raise NoHostError(
            "this worker has no engine host: start it with `celery -A config worker -Q labs --pool threads`"
        )
    return _host


def set_host(host: Acquirer | None) -> None:
    """The bootstep's business, and that of tests."""
    global _host
    _host = host
