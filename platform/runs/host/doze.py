"""A run that nobody has used for a while: its cluster is a keyframe in memory, and wakes in milliseconds.

Its host owns it as before: the registry names it, its lease is renewed. The keyframe is kept in the database, too, so
that putting it to sleep takes nothing more. What happens in a cluster that nobody looks at is worked out when somebody
comes (`Driver.rouse`), awake or not; so dozing costs no event its time. Its terminals stay as they are, with all that
the learner has typed; in one that has something under way nothing would go on, and its run stays awake.

With open tabs it wakes by itself when the next thing is due that they are told (`resting.py`); they stay connected.
"""

from __future__ import annotations

import asyncio
import math
import uuid
import zlib
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from cluster_engine.cluster import Cluster
from runs.host.belongings import Belongings
from runs.host.building import Built
from runs.models import Run

#: How much longer a run stays in its host while somebody only looks at it.
WATCHED_FACTOR = 6


def idle_seconds(watched: bool) -> float:
    """After how long a run that nobody uses is put to sleep. Who is connected keeps it for longer, not for ever."""
    return float(settings.RUN_IDLE_SECONDS) * (WATCHED_FACTOR if watched else 1)


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
    due: float = math.inf
    """When it wakes by itself, if anybody is connected then: a time of the event loop's."""
    alarm: asyncio.TimerHandle | None = field(default=None)
    waking: asyncio.Future[Any] | None = field(default=None)
    """Somebody has come."""

    @property
    def watched(self) -> bool:
        """Whether anybody is connected."""
        return self.belongings.watched

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
        return self.waking is None and now - self.last_active > idle_seconds(self.watched)

    def built(self) -> Built:
        """Its cluster as it was. Raises KeyframeError."""
        cluster = Cluster.resume(self.keyframe)
        if self.past:
            cluster.remember(zlib.decompress(self.past))
        return Built(self.lab, cluster, {}, self.base, self.framed, self.room)

    async def sleep(self) -> None:
        """All is kept already."""

    async def close(self) -> None:
        """End what is connected; nothing else is left."""
        self.stop_alarm()
        await self.belongings.close()

    def stop_alarm(self) -> None:
        """It does not wake by itself any more."""
        if self.alarm is not None:
            self.alarm.cancel()
