"""A run that nobody has used for a while: its cluster is a keyframe in memory, and wakes in milliseconds.

Its host owns it as before: the registry names it, its lease is renewed. The keyframe is kept in the database, too, so
that putting it to sleep takes nothing more. What happens in a cluster that nobody looks at is worked out when somebody
comes (`Driver.rouse`), awake or not; so dozing costs no event its time. Its terminals stay as they are, with all that
the learner has typed; in one that has something under way nothing would go on, and its run stays awake.
"""

from __future__ import annotations

import asyncio
import uuid
import zlib
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from cluster_engine.cluster import Cluster
from runs.host.belongings import Belongings
from runs.host.building import Built
from runs.models import Run


@dataclass(slots=True, eq=False)
class Doze:
    """What is left of a run in memory: some 40 kB, and its terminals."""

    run: Run
    keyframe: bytes
    past: bytes
    """What the cluster remembers of its changes, packed; empty where no check of the lab asks for it."""
    lab: Any
    belongings: Belongings
    base: int
    """`seq` in the database = base + `seq` in the engine's journal."""
    framed: int
    """`seq`, in the engine's journal, of the keyframe."""
    room: int
    """Bytes that its owner's runs may still keep."""
    bytes_limit: int
    since: int
    """The wall's time (µs of `steady_clock`) that its clock stands at."""
    last_active: float
    waking: asyncio.Future[Any] | None = field(default=None)
    """Somebody has come."""
    watched = False

    @property
    def run_id(self) -> uuid.UUID:
        """The run's."""
        return self.run.pk

    @property
    def epoch(self) -> int:
        """The run's on this host."""
        return self.run.epoch

    @property
    def user_id(self) -> int:
        """Its owner's."""
        return self.run.user_id

    def is_idle(self, now: float) -> bool:
        """Whether it may be put to sleep."""
        return self.waking is None and bool(now - self.last_active > settings.RUN_IDLE_SECONDS)

    def built(self) -> Built:
        """Its cluster as it was. Raises KeyframeError."""
        cluster = Cluster.resume(self.keyframe)
        if self.past:
            cluster.remember(zlib.decompress(self.past))
        return Built(self.lab, cluster, {}, self.base, self.framed, self.room)

    async def sleep(self) -> None:
        """All is kept already."""

    async def close(self) -> None:
        """End its terminals; nothing else is left."""
        await self.belongings.terminal.close()
