"""A tab's channel `ticker`: what happens in the cluster, told as it does.

`follow` {on, language} begins and ends it. `happened` {items, more}: the last writes since it was told before, each
with its sentence and who did it; `more` counts those that are left out. What only says that all goes on is not told.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.utils import translation

from cluster_engine.cluster import Cluster
from cluster_engine.sim import Link
from runs.happenings import sentence
from runs.host.happening import matters, told

LOOK_SECONDS = 0.5
"""From one look at what has happened to the next."""
TOLD = 12
"""Happenings of one message, the last ones."""


class TickerChannel:
    """See the module."""

    def __init__(self, cluster: Cluster, wake: Callable[[], None]) -> None:
        self._cluster = cluster
        self._wake = wake
        self._language = settings.LANGUAGE_CODE
        self._mark = 0
        self._timer: asyncio.TimerHandle | None = None

    async def receive(self, message: dict[str, Any]) -> None:
        """`follow`. Raises ValueError."""
        language = message.get("language", settings.LANGUAGE_CODE)
        if message.get("type") != "follow" or language not in dict(settings.LANGUAGES):
            raise ValueError("the ticker takes `follow`, in a language of the site")
        self._language = language
        self.close()
        if message.get("on"):
            self._mark = self._cluster.clock.causes.mark
            self._look()

    def _look(self) -> None:
        if self._cluster.clock.causes.mark != self._mark:
            self._wake()
        self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)

    def take(self) -> str | bytes | None:
        """What has happened since, when it is followed."""
        causes = self._cluster.clock.causes
        if self._timer is None or causes.mark == self._mark:
            return None
        links = [link for link in causes.since(self._mark) if matters(link)]
        self._mark = causes.mark
        if not links:
            return None
        with translation.override(self._language):
            items = [self._item(link) for link in links[-TOLD:]]
        message = {"ch": "ticker", "type": "happened", "items": items, "more": max(0, len(links) - TOLD)}
        return json.dumps(message)

    def _item(self, link: Link) -> dict[str, str]:
        happening = told(self._cluster, link)
        return {"at": happening["at"], "component": happening["component"], "text": sentence(happening)}

    def rest(self) -> Any:
        """Up to where it was told, and in which language; None: it is not followed."""
        left = (self._mark, self._language) if self._timer is not None else None
        self.close()
        return left

    def go_on(self, left: Any) -> None:
        """What is told is what came after it."""
        if left is not None:
            self._mark, self._language = left
            self._look()

    def close(self) -> None:
        """Nobody follows any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
