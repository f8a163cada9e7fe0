"""A tab's channel `traffic`: which Services and Pods are called, as it happens.

`follow` {on} begins and ends it. `called` {seconds, services, pods}: how often each was called in the last so many
seconds of the cluster's time, as [answered, refused]; Services by `namespace/name`, Pods by their address.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from cluster_engine.cluster import Cluster
from cluster_engine.sim import SECOND

LOOK_SECONDS = 1.0
"""From one look at the calls to the next."""
WINDOW_SECONDS = 10
"""Of the cluster's time, that are told."""

Called = dict[str, dict[str, list[int]]]


class TrafficChannel:
    """See the module."""

    def __init__(self, cluster: Cluster, wake: Callable[[], None]) -> None:
        self._cluster = cluster
        self._wake = wake
        self._timer: asyncio.TimerHandle | None = None
        self._told: Called = {"services": {}, "pods": {}}

    async def receive(self, message: dict[str, Any]) -> None:
        """`follow`. Raises ValueError."""
        if message.get("type") != "follow" or not isinstance(message.get("on"), bool):
            raise ValueError("traffic is followed, or not")
        self.close()
        self._told = {"services": {}, "pods": {}}
        if message["on"]:
            self._look()

    def _look(self) -> None:
        if called(self._cluster) != self._told:
            self._wake()
        self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)

    def take(self) -> str | bytes | None:
        """What has changed, when it is followed."""
        if self._timer is None or (now := called(self._cluster)) == self._told:
            return None
        self._told = now
        return json.dumps({"ch": "traffic", "type": "called", "seconds": WINDOW_SECONDS, **now})

    def rest(self) -> Any:
        """What was told last; None: it is not followed."""
        left = self._told if self._timer is not None else None
        self.close()
        return left

    def go_on(self, left: Any) -> None:
        """What is told is what differs from it."""
        if left is not None:
            self._told = left
            self._look()

    def close(self) -> None:
        """Nobody follows any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def called(cluster: Cluster) -> Called:
    """How often each was called lately."""
    found: Called = {"services": {}, "pods": {}}
    for call in cluster.network.traffic.since(cluster.clock.now - WINDOW_SECONDS * SECOND):
        for table, name in (("services", call.service), ("pods", call.ip)):
            if name:
                found[table].setdefault(name, [0, 0])[not call.answered] += 1
    return found
