"""Mounted tokens that run out: the kubelet fetches others in time. Models pkg/kubelet/token (token_manager.go).

Those of a year, which every Pod has, are not renewed here: nobody would see a difference.
"""

from __future__ import annotations

from collections.abc import Callable

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.kubelet.core import OFF, Core
from cluster_engine.kubelet.environment import Facts
from cluster_engine.kubelet.record import PodRecord
from cluster_engine.kubelet.runtime import Runtime
from cluster_engine.kubelet.volumes import Volumes, token_lifetimes

_RETRY = 60.0
"""Seconds after which a kubelet that cannot be reached, or does not run, would try again."""
_DAY = 86_400


def renewal(pod: JSON) -> int:
    """Seconds until the Pod's tokens are fetched anew: 80 percent of the shortest, a day at most; 0: none runs out."""
    found = [seconds for volume in pod["spec"].get("volumes") or () for seconds in token_lifetimes(volume)]
    return min(min(found) * 4 // 5, _DAY) if found else 0


class Tokens:
    """Of all Pods. ``facts`` are those of a Pod's node, ``suffix`` the number of a new directory."""

    def __init__(
        self,
        core: Core,
        runtime: Runtime,
        volumes: Volumes,
        facts: Callable[[PodRecord], Facts],
        suffix: Callable[[PodRecord], int],
    ) -> None:
        self.core = core
        self.clock = core.clock
        self.runtime = runtime
        self.volumes = volumes
        self._facts = facts
        self._suffix = suffix

    def mounted(self, record: PodRecord, pod: JSON) -> None:
        """The Pod has its volumes, and those tokens that are fetched now."""
        if seconds := renewal(pod):
            at = record.sandbox_at
            self.clock.call_later(seconds, "kubelet/renew", record.uid, at, background=True)

    def renew(self, uid: str, sandbox_at: int) -> None:
        """Clock event: those of a sandbox that is still there are fetched anew."""
        record = self.core.records.get(uid)
        if record is None or record.sandbox_at != sandbox_at or not record.sandbox:
            return
        node, pod = self.core.nodes[record.node], self.core.pod_of(record)
        if node.power == OFF or pod is None:
            return
        if not node.reachable:
            self.clock.call_later(_RETRY, "kubelet/renew", uid, sandbox_at, background=True)
            return
        for volume in pod["spec"].get("volumes") or ():
            fresh = self.volumes.renewed(
                pod, volume, self._facts(record), self.clock.now, self._suffix(record)
            )
            if fresh is not None:
                self.runtime.set_volume(record, volume["name"], fresh)
        self.mounted(record, pod)
