"""The order of the queue: priority, then age. Models plugins/queuesort."""

from __future__ import annotations

from cluster_engine.kube_scheduler.framework import Plugin


class PrioritySort(Plugin):
    """Higher priority first; among equals, whoever waits longer."""

    name = "PrioritySort"

    def queue_key(self, priority: int, added: int) -> tuple[int, ...]:
        return (-priority, added)
