"""Clusters of the past: a run as it was at any moment, from what is nearest before it and the journal since.

That is a keyframe, or a cluster of the past that is kept: who looks at a moment looks at the ones beside it next. Built
in a thread, one at a time on a host. They are read only: nothing is performed in them and their clock stands.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _

from cluster_engine.cluster import Cluster
from cluster_engine.release import release
from cluster_engine.sim import Journal, rfc3339_micro
from cluster_engine.version import ENGINE_VERSION
from runs import journal
from runs.host import building
from runs.host.errors import HostError
from runs.journal import History, Moment, Record

PASTS_KEPT = 12
"""Clusters of the past that a host keeps, those that were looked at last."""
BASES_KEPT = 4
"""Clusters that a host keeps as keyframes told them, those that were gone on from last."""
RELEASE_SECONDS = 30.0
"""After that long one that has gone is taken apart: whoever still looked at it has looked away."""


Keys = tuple[uuid.UUID, int, Moment]
"""A run, its epoch, and a moment of it."""


class Pasts:
    """See the module."""

    def __init__(self, in_thread: Callable[..., Awaitable[Any]]) -> None:
        self._in_thread = in_thread
        self._kept: OrderedDict[Keys, Cluster] = OrderedDict()
        self._bases: OrderedDict[Keys, Cluster] = OrderedDict()
        self._turn = asyncio.Semaphore(1)

    async def of(self, run_id: uuid.UUID, epoch: int, moment: Moment) -> Cluster:
        """The run's cluster as it was. Raises HostError 410 for what cannot be had again."""
        key = (run_id, epoch, moment)
        async with self._turn:
            if key not in self._kept:
                near = self._near(run_id, epoch, moment)
                relived = await self._in_thread(relive, run_id, moment, near)
                if (base := relived.base) is not None:
                    self._keep(self._bases, (run_id, epoch, Moment(base.clock.now)), base, BASES_KEPT)
                self._keep(self._kept, key, relived.cluster, PASTS_KEPT)
            self._kept.move_to_end(key)
            return self._kept[key]

    def forget(self, run_id: uuid.UUID) -> None:
        """The run leaves this host."""
        for known in (self._kept, self._bases):
            for key in [key for key in known if key[0] == run_id]:
                self._let_go(known, key)

    def _near(self, run_id: uuid.UUID, epoch: int, moment: Moment) -> Cluster | None:
        """A copy of the last one before that time that is kept."""
        before = [
            cluster
            for known in (self._kept, self._bases)
            for key, cluster in known.items()
            if key[:2] == (run_id, epoch) and cluster.clock.now <= moment.at_us
        ]
        if moment.entry or not before:
            return None
        return max(before, key=lambda cluster: (cluster.clock.now, cluster.journal.next_seq)).fork()

    def _keep(self, known: OrderedDict[Keys, Cluster], key: Keys, cluster: Cluster, most: int) -> None:
        if key in known:
            self._let_go(known, key)
        known[key] = cluster
        while len(known) > most:
            self._let_go(known, next(iter(known)))

    def _let_go(self, known: OrderedDict[Keys, Cluster], key: Keys) -> None:
        asyncio.get_running_loop().call_later(RELEASE_SECONDS, release, known.pop(key))


@dataclass(frozen=True, slots=True)
class Relived:
    """A cluster of the past, and what was found on the way to it."""

    cluster: Cluster
    base: Cluster | None = None
    """As the keyframe told it that was gone on from; None: there was none."""


def relive(run_id: uuid.UUID, moment: Moment, near: Cluster | None = None) -> Relived:
    """The run's cluster as it was at a moment that it has lived; `near`: one of before, which it may become.

    Raises HostError 410.
    """
    try:
        history = journal.read_until(run_id, moment)
    except LookupError:
        raise HostError(410, _("Of that entry nothing is kept.")) from None
    header, frame = history.header, history.frame
    if header is None or (frame is None and not history.records):
        begin = rfc3339_micro(journal.begin(run_id) or 0)
        raise HostError(410, _("Nothing before %(when)s is remembered.") % {"when": begin})
    relived: Relived | None
    if near is not None and (frame is None or near.clock.now >= frame.at_us):
        relived = Relived(near)
    else:
        if near is not None:
            release(near)
        relived = _from_the_keyframe(run_id, header, history)
    if relived is None:
        history = journal.read_until(run_id, moment, whole=True)
        relived = Relived(Cluster.replay(Journal(header.payload, building.entries(header, history))))
    relived.cluster.go_on(building.entries(header, history))
    if not moment.entry:
        relived.cluster.clock.run_until(moment.at_us)
    return relived


def _from_the_keyframe(run_id: uuid.UUID, header: Record, history: History) -> Relived | None:
    """None: there is none that can be read. Raises HostError 410 where nothing else would do."""
    cluster = building.resumed(run_id, header, replace(history, records=[]))
    if cluster is not None:
        return Relived(cluster, cluster.fork())
    if header.payload["engine"] != ENGINE_VERSION:
        raise HostError(
            410, _("That moment was lived in another version of the engine, and nothing is kept of it.")
        )
    return None
