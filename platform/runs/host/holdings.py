"""How many bytes of objects a run's cluster holds, so that a list of them, a keyframe or a fork stays a short step.

Measured at the edge, before a write is journaled: what the engine does at a replay does not depend on it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import orjson
from django.utils.translation import gettext as _

from cluster_engine.cluster import Cluster
from cluster_engine.serving.pacer import in_slices
from cluster_engine.sim import Entry

STORE_BYTES = 24_000_000
"""What the objects of one cluster may take, as JSON."""
USER_STORE_BYTES = 60_000_000
"""What the objects of all clusters of one user on one host may take."""
GROWTH = 1_000_000
"""Bytes written from one measurement to the next."""
AGAIN_SECONDS = 2.0
"""From one measurement to the next while there is too much."""
GROWING = frozenset({"POST", "PUT", "PATCH"})


LOOKED_AT = 64
"""Objects whose size is found out in one step."""


class Holdings:
    """Of one cluster. `siblings`: those of all clusters of its user on this host, its own among them."""

    def __init__(self, cluster: Cluster, siblings: Callable[[], Iterable[Holdings]]) -> None:
        self._cluster = cluster
        self._siblings = siblings
        #: By identity: what did not change is not looked at again. Of what was stored at the last measurement, no more.
        self._sizes: dict[int, tuple[Any, int]] = {}
        self._written = GROWTH
        self._held = self._held_together = 0
        self._measured_at = 0.0

    async def full(self, entry: Entry) -> str:
        """Why the entry may not add to the cluster: it holds too much, or its user's clusters do. Else nothing."""
        if entry.kind != "request" or entry.payload["method"] not in GROWING:
            return ""
        late = self._excess() and time.monotonic() - self._measured_at > AGAIN_SECONDS
        if self._written >= GROWTH or late:
            await self._measure()
        return self._excess()

    def _excess(self) -> str:
        if self._held >= STORE_BYTES:
            return _("the objects of this cluster take more than %(limit)d MB; delete some to go on") % {
                "limit": STORE_BYTES // 1_000_000
            }
        if self._held_together >= USER_STORE_BYTES:
            return _(
                "the objects of your clusters take more than %(limit)d MB; delete some, or stop a lab, to go on"
            ) % {"limit": USER_STORE_BYTES // 1_000_000}
        return ""

    def wrote(self, size: int) -> None:
        """So many bytes of a request were carried out."""
        self._written += size

    async def _measure(self) -> None:
        sizes: dict[int, tuple[Any, int]] = {}
        self._held = sum(await in_slices(self._sizes_of(sizes)))
        self._sizes = sizes
        self._held_together = sum(one._held for one in self._siblings())
        self._written, self._measured_at = 0, time.monotonic()

    def _sizes_of(self, sizes: dict[int, tuple[Any, int]]) -> Iterator[int]:
        """The bytes of some objects, and of the next ones; each is noted, with its size."""
        store = self._cluster.store
        for resource in store.resources():
            objects = store.range(resource)
            for begin in range(0, len(objects), LOOKED_AT):
                some = {id(obj): (obj, self._size_of(obj)) for obj in objects[begin : begin + LOOKED_AT]}
                sizes.update(some)
                yield sum(size for _, size in some.values())

    def _size_of(self, obj: Any) -> int:
        known = self._sizes.get(id(obj))
        return known[1] if known is not None else len(orjson.dumps(obj))
