"""What went wrong and should not have: the memory of the fault boundaries.

A bug costs one object, not a cluster. Where work is driven (a clock event, a work queue's key, an informer's
handler, a request) an unexpected exception is logged, counted and kept here, and the work is tried again later.
The same journal meets the same failures, so they are part of the cluster's state; what a replay would not meet
again (a read, a watch, the edge) is counted beside it.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from dataclasses import dataclass
from types import TracebackType
from typing import Any, ClassVar

logger = logging.getLogger(__name__)

LIMIT = 200
"""Failures that are kept apart; the one that was not seen for longest makes room for a new one."""
TEXT_LIMIT = 300
"""Characters of a key or a message."""
BASE_DELAY = 0.005
"""Seconds before the first retry; each further one waits twice as long."""
MAX_DELAY = 1000.0
PATIENCE = 8
"""Retries that ``settle`` waits for; later ones are background upkeep."""

_ADDRESS = re.compile(r"\b0x[0-9a-f]{4,}")


class BudgetExceeded(RuntimeError):
    """A run of the clock used up its ceiling of events before it reached its goal."""


def backoff(attempts: int) -> float:
    """Seconds until the retry after so many failures: 5 ms × 2ⁿ, at most 1,000 s.

    Models DefaultTypedControllerRateLimiter of k8s.io/client-go/util/workqueue, without its bucket.
    """
    return min(BASE_DELAY * (1 << min(attempts, 30)), MAX_DELAY)


@dataclass(slots=True)
class Failure:
    """One place that failed for one key. ``at`` is the virtual µs of the last time, ``count`` how often."""

    component: str
    key: str
    error: str
    """The exception's type."""
    message: str
    digest: str
    """Of the traceback: the same for the same way to the same line."""
    at: int
    count: int = 1


class _Ledger:
    """Failures with their counts by component; JSON data."""

    __slots__ = ("counts", "kept")

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str, str], Failure] = {}
        self.counts: dict[str, int] = {}

    def add(self, new: Failure) -> Failure:
        place = (new.component, new.key, new.digest)
        known = self.kept.pop(place, None)
        if known is not None:
            new.count = known.count + 1
        self.kept[place] = new
        if len(self.kept) > LIMIT:
            del self.kept[next(iter(self.kept))]
        self.counts[new.component] = self.counts.get(new.component, 0) + 1
        return new


class Failures:
    """All failures of one cluster, oldest first. ``strict`` lets every exception through instead."""

    strict_by_default: ClassVar[bool] = os.environ.get("DRYDOCK_STRICT") == "1"
    """What a cluster is whose options do not say. Tests are strict, hosts are not."""

    __slots__ = ("_inside", "_outside", "retries", "strict")

    def __init__(self, strict: bool | None = None) -> None:
        self.strict = self.strict_by_default if strict is None else strict
        self._inside = _Ledger()
        self._outside = _Ledger()
        self.retries: dict[str, int] = {}
        """Rate-limited retries by work queue."""

    def note(
        self,
        component: str,
        key: str,
        error: Exception,
        now: int,
        *,
        replayed: bool = True,
        outermost: bool = False,
    ) -> bool:
        """Logs, counts and keeps ``error``. False: it must go through, so raise it again.

        ``replayed``: a replay of the journal meets it again. ``outermost``: there is nobody whom MemoryError and
        BudgetExceeded could reach.
        """
        if self.strict or (isinstance(error, (MemoryError, BudgetExceeded)) and not outermost):
            return False
        # Addresses differ from run to run.
        message = _ADDRESS.sub("0x…", str(error))[:TEXT_LIMIT]
        digest = digest_of(error)
        ledger = self._inside if replayed else self._outside
        failure = ledger.add(Failure(component, key[:TEXT_LIMIT], type(error).__name__, message, digest, now))
        logger.error(
            "%s failed for %r (%s, %d times so far): %s: %s",
            component,
            failure.key,
            digest,
            failure.count,
            failure.error,
            message,
            # The same traceback again tells nobody anything.
            exc_info=error if failure.count == 1 else None,
            extra={"component": component, "key": failure.key},
        )
        return True

    def retried(self, queue: str) -> None:
        """Counts a rate-limited retry of a work queue."""
        self.retries[queue] = self.retries.get(queue, 0) + 1

    def list(self) -> list[Failure]:
        """What is kept, by the time of its last occurrence."""
        found = [*self._inside.kept.values(), *self._outside.kept.values()]
        return sorted(found, key=lambda failure: failure.at)

    def counts(self) -> dict[str, int]:
        """Failures by component since the cluster's beginning, those that are no longer kept too."""
        total = dict(self._inside.counts)
        for component, count in self._outside.counts.items():
            total[component] = total.get(component, 0) + count
        return dict(sorted(total.items()))

    def state(self) -> dict[str, Any]:
        return {
            "kept": [
                [f.component, f.key, f.error, f.message, f.digest, f.at, f.count]
                for f in self._inside.kept.values()
            ],
            "counts": dict(self._inside.counts),
            "retries": dict(self.retries),
        }

    def load(self, state: dict[str, Any]) -> None:
        kept = [Failure(*fields) for fields in state["kept"]]
        self._inside.kept = {(f.component, f.key, f.digest): f for f in kept}
        self._inside.counts = dict(state["counts"])
        self.retries = dict(state["retries"])


def digest_of(error: BaseException) -> str:
    """Where it was raised: the same for the same way to the same line, on every machine.

    From whoever caught it inwards, so that who called that one does not count.
    """
    traceback: TracebackType | None = error.__traceback__
    hashed = hashlib.blake2b(digest_size=6)
    while traceback is not None:
        code = traceback.tb_frame.f_code
        module = traceback.tb_frame.f_globals.get("__name__", "")
        hashed.update(f"{module}:{code.co_qualname}:{traceback.tb_lineno}\n".encode())
        traceback = traceback.tb_next
    return hashed.hexdigest()
