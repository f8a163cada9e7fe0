"""What a plugin may reach. Models pkg/scheduler/framework (Handle)."""

from __future__ import annotations

from collections.abc import Callable

from cluster_engine.client_go import Client, EventRecorder, SharedInformerFactory
from cluster_engine.kube_scheduler.framework.cache import Cache
from cluster_engine.kube_scheduler.framework.nominator import Nominator
from cluster_engine.kube_scheduler.framework.rotation import Rotation
from cluster_engine.kube_scheduler.framework.types import NodeInfo, PodInfo
from cluster_engine.kube_scheduler.framework.verdicts import Refusal
from cluster_engine.sim import Chance, Clock


class Handle:
    """The scheduler's side of a profile's plugins: views to read, a client to write with, what a dry run needs."""

    def __init__(
        self,
        clock: Clock,
        cache: Cache,
        client: Client,
        recorder: EventRecorder,
        allow: Callable[[str, str], None],
        reject: Callable[[str, str, str], bool],
        nominator: Nominator,
        rotation: Rotation,
        chance: Chance,
    ) -> None:
        self.clock = clock
        self.cache = cache
        self.client = client
        self.recorder = recorder
        self.nominator = nominator
        self.rotation = rotation
        self.chance = chance
        self.allow = allow
        """``allow(key, plugin)``: the plugin lets a Pod go on that its ``permit`` keeps waiting."""
        self.reject = reject
        """``reject(key, plugin, why)``: the Pod must try anew. False when no such Pod waits."""
        self.dry_run: Callable[[PodInfo, NodeInfo], Refusal | None] = lambda _pod, _node: None
        """``dry_run(pod, node)``: what all filters say of that node as it is given, promised room counted."""

    @property
    def informers(self) -> SharedInformerFactory:
        return self.cache.informers
