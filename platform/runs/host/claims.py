"""The builds that a host has under way: nobody else is asked for those runs, nor builds them, for as long as it lives.

Each has a claim in the registry that lasts for a moment and is renewed meanwhile. A host that is killed, or hangs, in
the middle of a build keeps nobody waiting for longer than that.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import RedisError

from runs import registry

logger = logging.getLogger(__name__)

RENEW_SECONDS = registry.BUILD_CLAIM_SECONDS / 6


class Claims:
    """See the module. `start` and `stop` are called by the host, `building` by the threads of its tasks."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._runs: set[uuid.UUID] = set()
        self._lock = threading.Lock()
        """Held while claims are written: none is renewed that has just been given back."""
        self._some, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="build-claims", daemon=True)

    def start(self) -> None:
        """Begin to renew."""
        self._thread.start()

    def stop(self) -> None:
        """Renew no more."""
        self._over.set()
        self._some.set()

    @contextmanager
    def building(self, run_id: uuid.UUID) -> Iterator[bool]:
        """The run is built inside, unless it says False: another host builds it already. Raises RedisError."""
        if not registry.begin_build(run_id, self._host, registry.BUILD_CLAIM_SECONDS):
            yield False
            return
        with self._lock:
            self._runs.add(run_id)
            self._some.set()
        try:
            yield True
        finally:
            with self._lock:
                self._runs.discard(run_id)
                if not self._runs:
                    self._some.clear()
                registry.end_build(run_id, self._host)

    def renew(self) -> None:
        """All of them last for as long again."""
        with self._lock:
            try:
                registry.renew_builds(self._runs, self._host, registry.BUILD_CLAIM_SECONDS)
            except (RedisError, OSError) as error:
                logger.info("builds under way could not be claimed anew: %s", error)

    def _work(self) -> None:
        while self._some.wait() and not self._over.wait(RENEW_SECONDS):
            self.renew()
