"""Which runs of a host doze, and how they come back: a part of the host."""

from __future__ import annotations

import asyncio
import logging
import math
import uuid
from collections.abc import Coroutine
from typing import Any, cast

from cluster_engine.release import release
from cluster_engine.sim.keyframe import KeyframeError
from runs.host.doze import Doze
from runs.host.hosted import Host, HostedRun
from runs.host.writer import JournalUnavailableError
from runs.journal import FencedError, JournalFullError

logger = logging.getLogger(__name__)


class Slumber:
    """See the module."""

    runs: dict[uuid.UUID, HostedRun]
    dozing: dict[uuid.UUID, Doze]
    """Those that nobody has used for a while."""

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine on its own in the loop."""
        raise NotImplementedError

    async def in_thread(self, fn: Any, *args: Any) -> Any:
        """Blocking work beside the loop."""
        raise NotImplementedError

    async def drop(self, hosted: HostedRun | Doze) -> None:
        """Forget an engine as it is."""
        raise NotImplementedError

    @property
    def residents(self) -> list[HostedRun | Doze]:
        """All runs of this host."""
        return [*self.runs.values(), *self.dozing.values()]

    def resident(self, run_id: uuid.UUID) -> HostedRun | Doze | None:
        """The run, awake or not, if it is here."""
        return self.runs.get(run_id) or self.dozing.get(run_id)

    async def awake(self, run_id: uuid.UUID) -> HostedRun | None:
        """The run, woken if it dozes; None: it is not here."""
        doze = self.dozing.get(run_id)
        if doze is not None:
            if doze.waking is None:
                doze.waking = asyncio.ensure_future(self._wake(doze))
            await asyncio.shield(doze.waking)
        return self.runs.get(run_id)

    async def _wake(self, doze: Doze) -> None:
        doze.stop_alarm()
        try:
            built = await self.in_thread(doze.built)
        except (KeyframeError, MemoryError) as error:
            # Whoever asks or is connected is sent away, comes again, and the run is built from its journal.
            logger.error("a keyframe in memory cannot be read: %s", error, extra={"run": doze.run_id})
            await self.drop(doze)
            return
        if self.dozing.get(doze.run_id) is not doze:
            release(built.cluster)  # let go meanwhile
            return
        del self.dozing[doze.run_id]
        hosted = HostedRun(cast(Host, self), doze.run, built, doze.belongings)
        hosted.last_active = doze.last_active
        self.runs[doze.run_id] = hosted
        hosted.start(doze.since)
        hosted.driver.rouse()

    async def doze(self, hosted: HostedRun) -> None:
        """Hold a run as its keyframe, unless somebody comes meanwhile."""
        try:
            doze = await hosted.doze()
        except FencedError:
            hosted.abandon()
            return
        except (JournalFullError, JournalUnavailableError) as error:
            logger.info("kept awake: %s", error, extra={"run": hosted.run_id})
            return
        if doze is not None and self.runs.get(hosted.run_id) is hosted:
            del self.runs[hosted.run_id]
            self.dozing[hosted.run_id] = doze
            hosted.leave()
            if doze.due < math.inf:
                doze.alarm = asyncio.get_running_loop().call_at(doze.due, self._ring, doze)

    def _ring(self, doze: Doze) -> None:
        """Something is due that those who are connected are told."""
        if doze.watched and self.dozing.get(doze.run_id) is doze:
            self.spawn(self._call(doze.run_id))

    async def _call(self, run_id: uuid.UUID) -> None:
        await self.awake(run_id)
