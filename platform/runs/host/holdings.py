"""How many bytes of objects a run's cluster holds, so that a list of them, a keyframe or a fork stays a short step.

Measured at the edge, before a write is journaled: what the engine does at a replay does not depend on it.
"""

from __future__ import annotations

import time

import orjson

from cluster_engine.cluster import Cluster
from cluster_engine.sim import Entry

STORE_BYTES = 24_000_000
"""What the objects of one cluster may take, as JSON."""
GROWTH = 1_000_000
"""Bytes written from one measurement to the next."""
AGAIN_SECONDS = 2.0
"""From one measurement to the next while there is too much."""
GROWING = frozenset({"POST", "PUT", "PATCH"})


class Holdings:
    """Of one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._written = GROWTH
        self._held = 0
        self._measured_at = 0.0

    def full(self, entry: Entry) -> bool:
        """Whether the entry would add to a cluster that holds too much."""
        if entry.kind != "request" or entry.payload["method"] not in GROWING:
            return False
        late = self._held >= STORE_BYTES and time.monotonic() - self._measured_at > AGAIN_SECONDS
        if self._written >= GROWTH or late:
            self._measure()
        return self._held >= STORE_BYTES

    def wrote(self, size: int) -> None:
        """So many bytes of a request were carried out."""
        self._written += size

    def _measure(self) -> None:
        store = self._cluster.store
        objects = (obj for resource in store.resources() for obj in store.range(resource))
        self._held = sum(len(orjson.dumps(obj)) for obj in objects)
        self._written, self._measured_at = 0, time.monotonic()
