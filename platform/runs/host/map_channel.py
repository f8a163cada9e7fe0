"""The map's channel: watches of the run's own API, by the names of a table, over one socket.

`watch` {resources: {name: resourceVersion}} begins them; "" asks for all that is there first, a version goes on from
what the browser has seen. `pause` ends them. The frames `map/<name>` are the API's watch events, a JSON line each,
cut anywhere. `ended` {resource} says that a watch is over (its client was too slow, or its kind is gone): begin anew;
`server` {stopped}: which of the API server and etcd do not run, when that has changed; watches stay, and nothing comes.
What waits is what the API server lets a watch keep (`watching.QUEUE_LIMIT` events a resource).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from cluster_engine.kube_apiserver import ADMIN, API_SERVER, ETCD, Request, Response, Stream
from cluster_engine.serving import ClusterApp

WHOLE = "application/json"
METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"

RESOURCES: dict[str, tuple[str, str]] = {
    "nodes": ("/api/v1/nodes", WHOLE),
    "namespaces": ("/api/v1/namespaces", METADATA),
    "pods": ("/api/v1/pods", WHOLE),
    "services": ("/api/v1/services", WHOLE),
    "configmaps": ("/api/v1/configmaps", METADATA),
    "secrets": ("/api/v1/secrets", METADATA),
    "persistentvolumeclaims": ("/api/v1/persistentvolumeclaims", WHOLE),
    "persistentvolumes": ("/api/v1/persistentvolumes", WHOLE),
    "deployments": ("/apis/apps/v1/deployments", WHOLE),
    "replicasets": ("/apis/apps/v1/replicasets", WHOLE),
    "daemonsets": ("/apis/apps/v1/daemonsets", WHOLE),
    "statefulsets": ("/apis/apps/v1/statefulsets", WHOLE),
    "jobs": ("/apis/batch/v1/jobs", WHOLE),
    "cronjobs": ("/apis/batch/v1/cronjobs", WHOLE),
}
"""What the map shows: name → address, and how much of each object it wants."""

FRAME = 64 * 1024
"""Bytes of a frame at most."""
LOOK_SECONDS = 0.5
"""From one look at what is stopped to the next."""


class MapChannel:
    """See the module."""

    def __init__(self, app: ClusterApp, wake: Callable[[], None]) -> None:
        self._app = app
        self._wake = wake
        self._watches: dict[str, Stream] = {}
        self._taken: dict[str, bytes] = {}
        self._ended: list[str] = []
        self._stopped: list[str] = []
        """As it was told last."""
        self._timer: asyncio.TimerHandle | None = None

    async def receive(self, message: dict[str, Any]) -> None:
        """`watch` or `pause`. Raises ValueError."""
        kind, wanted = message.get("type"), message.get("resources")
        if kind == "pause":
            self.close()
        elif kind == "watch" and isinstance(wanted, dict) and wanted.keys() <= RESOURCES.keys():
            if self._timer is None:
                self._look()
            for name, version in wanted.items():
                await self._begin(name, version)
        else:
            raise ValueError(f"the map takes no such message: {kind}")

    async def _begin(self, name: str, version: object) -> None:
        if not isinstance(version, str):
            raise ValueError("a resourceVersion is text")
        self._end(name)
        self._opened(name, await self._app.respond(self._asks(name, version)))
        self._wake()

    @staticmethod
    def _asks(name: str, version: str) -> Request:
        path, accept = RESOURCES[name]
        query = [("watch", "1"), ("allowWatchBookmarks", "true")]
        if version:
            query.append(("resourceVersion", version))
        else:
            query += [("sendInitialEvents", "true"), ("resourceVersionMatch", "NotOlderThan")]
        return Request("GET", path, query, {"accept": accept}, user=ADMIN)

    def _opened(self, name: str, response: Response | None) -> None:
        if response is None or response.stream is None:
            self._ended.append(name)
        else:
            self._watches[name] = response.stream
            response.stream.subscribe(self._wake)

    @property
    def _halted(self) -> list[str]:
        return [name for name in (API_SERVER, ETCD) if self._app.cluster.clock.is_halted(name)]

    def _look(self) -> None:
        if self._halted != self._stopped:
            self._wake()
        self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)

    def _end(self, name: str) -> None:
        self._taken.pop(name, None)
        if (stream := self._watches.pop(name, None)) is not None:
            stream.cancel()

    def take(self) -> str | bytes | None:
        """A piece of the first watch that has one; then it is the others' turn."""
        if self._ended:
            return json.dumps({"ch": "map", "type": "ended", "resource": self._ended.pop(0)})
        if self._timer is not None and (halted := self._halted) != self._stopped:
            self._stopped = halted
            return json.dumps({"ch": "map", "type": "server", "stopped": halted})
        for name, stream in self._watches.items():
            data = self._taken.pop(name, b"") or stream.take()
            if data:
                if len(data) > FRAME:
                    self._taken[name] = data[FRAME:]
                self._watches[name] = self._watches.pop(name)
                address = f"map/{name}".encode("ascii")
                return bytes([len(address)]) + address + data[:FRAME]
            if stream.closed:
                self._end(name)
                return json.dumps({"ch": "map", "type": "ended", "resource": name})
        return None

    def rest(self) -> Any:
        """What is watched, and up to which version all of it was told: that of now, since nothing waits."""
        follows = self._timer is not None
        left = list(self._watches), str(self._app.cluster.store.revision), self._stopped, follows
        self.close()
        return left

    def go_on(self, left: Any) -> None:
        """The same watches, each from there; what cannot be gone on with is begun anew by the browser."""
        names, version, self._stopped, follows = left
        if follows:
            self._look()
        for name in names:
            # Nobody asks: it is no request that time would go on for.
            self._opened(name, self._app.cluster.server.admit(self._asks(name, version)))
        self._wake()

    def close(self) -> None:
        """End all watches."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for name in list(self._watches):
            self._end(name)
        self._ended.clear()
