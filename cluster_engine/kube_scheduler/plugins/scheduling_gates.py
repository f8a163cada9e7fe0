"""Keeps Pods with scheduling gates out of the queue. Models plugins/schedulinggates."""

from __future__ import annotations

from cluster_engine.kube_scheduler.framework import Interest, Plugin, PodInfo, Refusal, unresolvable
from cluster_engine.kube_scheduler.framework.events import POD_GATES


class SchedulingGates(Plugin):
    """A Pod is looked at when its last gate is gone."""

    name = "SchedulingGates"

    def events(self) -> tuple[Interest, ...]:
        return (
            Interest(
                "Pod", (POD_GATES,), lambda pod, e: e.new is not None and e.new["metadata"]["uid"] == pod.uid
            ),
        )

    def pre_enqueue(self, pod: PodInfo) -> Refusal | None:
        gates = [gate["name"] for gate in pod.pod["spec"].get("schedulingGates") or ()]
        return unresolvable(f"waiting for scheduling gates: [{' '.join(gates)}]") if gates else None
