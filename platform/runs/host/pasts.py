"""Clusters of the past: a run as it was at any moment, from the nearest keyframe and the journal since.

Built in a thread, one at a time on a host, and kept for a while: who looks at a moment looks again. They are read
only: nothing is performed in them and their clock stands.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any

from django.utils.translation import gettext as _

from cluster_engine.cluster import Cluster
from cluster_engine.release import release
from cluster_engine.sim import Journal, rfc3339_micro
from cluster_engine.version import ENGINE_VERSION
from runs import journal
from runs.host import building
from runs.host.errors import HostError
from runs.journal import Moment

PASTS_KEPT = 12
"""Clusters of the past that a host keeps, those that were looked at last."""
RELEASE_SECONDS = 30.0
"""After that long one that has gone is taken apart: whoever still looked at it has looked away."""


class Pasts:
    """See the module."""

    def __init__(self, in_thread: Callable[..., Awaitable[Any]]) -> None:
        self._in_thread = in_thread
        self._kept: OrderedDict[tuple[uuid.UUID, int, Moment], Cluster] = OrderedDict()
        self._turn = asyncio.Semaphore(1)

    async def of(self, run_id: uuid.UUID, epoch: int, moment: Moment) -> Cluster:
        """The run's cluster as it was. Raises HostError 410 for what cannot be had again."""
        key = (run_id, epoch, moment)
        async with self._turn:
            if key not in self._kept:
                self._kept[key] = await self._in_thread(relived, run_id, moment)
            self._kept.move_to_end(key)
            while len(self._kept) > PASTS_KEPT:
                self._let_go(next(iter(self._kept)))
            return self._kept[key]

    def forget(self, run_id: uuid.UUID) -> None:
        """The run leaves this host."""
        for key in [key for key in self._kept if key[0] == run_id]:
            self._let_go(key)

    def _let_go(self, key: tuple[uuid.UUID, int, Moment]) -> None:
        asyncio.get_running_loop().call_later(RELEASE_SECONDS, release, self._kept.pop(key))


def relived(run_id: uuid.UUID, moment: Moment) -> Cluster:
    """The run's cluster as it was at a moment that it has lived. Raises HostError 410."""
    try:
        history = journal.read_until(run_id, moment)
    except LookupError:
        raise HostError(410, _("Of that entry nothing is kept.")) from None
    header = history.header
    if header is None or (history.frame is None and not history.records):
        begin = rfc3339_micro(journal.begin(run_id) or 0)
        raise HostError(410, _("Nothing before %(when)s is remembered.") % {"when": begin})
    cluster = building.resumed(run_id, header, history)
    if cluster is None and header.payload["engine"] != ENGINE_VERSION:
        raise HostError(
            410, _("That moment was lived in another version of the engine, and nothing is kept of it.")
        )
    if cluster is None:
        history = journal.read_until(run_id, moment, whole=True)
        cluster = Cluster.replay(Journal(header.payload, building.entries(header, history)))
    if not moment.entry:
        cluster.clock.run_until(moment.at_us)
    return cluster
