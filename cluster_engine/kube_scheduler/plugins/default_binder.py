"""Binds a Pod to its node through the API. Models plugins/defaultbinder."""

from __future__ import annotations

from cluster_engine.kube_scheduler.framework import CycleState, Plugin, PodInfo


class DefaultBinder(Plugin):
    """Writes pods/binding."""

    name = "DefaultBinder"

    def bind(self, state: CycleState, pod: PodInfo, node: str) -> bool:
        self.handle.client.bind(pod.pod, node)
        return True
