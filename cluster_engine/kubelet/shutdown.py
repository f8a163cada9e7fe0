"""Graceful node shutdown: from the word that its machine goes down to the end, the kubelet ends the node's Pods.

First those that are not critical, within the time that is left for them; then the critical ones; then the power
goes. Who is done early does not keep the others waiting. Models pkg/kubelet/nodeshutdown
(nodeshutdown_manager_linux.go), whose times are ``shutdownGracePeriod`` and ``shutdownGracePeriodCriticalPods``.
"""

from __future__ import annotations

from collections.abc import Callable

from cluster_engine.kubelet.core import Core, Node
from cluster_engine.kubelet.node import Nodes
from cluster_engine.kubelet.record import FINISHED, PodRecord, is_critical
from cluster_engine.sim import SECOND

LAST_WORDS = 3 * SECOND
"""µs for the kubelet to tell of those that were killed when their time was over, before the power goes."""
_LOOK = 1.0


class Shutdown:
    """Of all nodes. ``off`` is told which machine's power is to go."""

    def __init__(self, core: Core, nodes: Nodes, off: Callable[[Node], None]) -> None:
        self.core = core
        self.clock = core.clock
        self.nodes = nodes
        self._off = off

    def begin(self, node: Node, grace: int, critical: int) -> None:
        """The machine goes down in ``grace`` seconds, the last ``critical`` of which are for critical Pods."""
        now = self.clock.now
        node.shutdown = [now + (grace - critical) * SECOND, now + grace * SECOND]
        self.nodes.report(node)
        self._end(node, False, grace - critical)
        self.clock.call_later(_LOOK, "kubelet/shutdown", *node.life)

    def look(self, name: str) -> None:
        """Clock event: goes on when those whose turn it is have ended, or their time has."""
        node, now = self.core.nodes[name], self.clock.now
        last = len(node.shutdown) == 1
        due = node.shutdown[0] + (LAST_WORDS if last else 0)
        if now < due and any(self._turn(node, critical=last)):
            self.clock.call_later(_LOOK, "kubelet/shutdown", *node.life)
        elif last:
            self._off(node)
        else:
            end = node.shutdown.pop()
            node.shutdown = [end]
            self._end(node, True, (end - now) // SECOND)
            self.clock.call_later(_LOOK, "kubelet/shutdown", *node.life)

    def _turn(self, node: Node, critical: bool) -> list[PodRecord]:
        """The node's Pods of that kind that have not ended."""
        found = []
        for record in self.core.records.all():
            pod = self.core.pod_of(record) if record.node == node.name and record.state != FINISHED else None
            if pod is not None and is_critical(pod, record.static) == critical:
                found.append(record)
        return found

    def _end(self, node: Node, critical: bool, seconds: int) -> None:
        for known in self._turn(node, critical):
            record = self.core.records[known.uid]
            record.shutdown = max(seconds, 1)
            self.core.wake(record)
