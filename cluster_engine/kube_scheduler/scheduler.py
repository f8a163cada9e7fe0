"""The scheduling loop.

Informer events put Pods into the queue and wake those that an event may help; a clock event takes the
active ones, finds a node for each through the plugins and binds it. A Pod that no node will take is told
so (condition PodScheduled, event FailedScheduling) and waits.

Models pkg/scheduler/{scheduler,schedule_one,eventhandlers}.go.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.apimachinery.cow import JSON, key_of
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.component import Component, Context
from cluster_engine.kube_scheduler import preemption
from cluster_engine.kube_scheduler.framework.cache import Cache
from cluster_engine.kube_scheduler.framework.interface import ClusterEvent
from cluster_engine.kube_scheduler.framework.runtime import Diagnosis, Framework, tell
from cluster_engine.kube_scheduler.framework.types import PodInfo, is_terminal
from cluster_engine.kube_scheduler.plugins import PLUGINS
from cluster_engine.kube_scheduler.queue import Queue, Waiting
from cluster_engine.sim.failures import PATIENCE

SCHEDULER_NAME = "default-scheduler"
LATENCY = 0.010
FLUSH_PERIOD = 30.0


class Scheduler(Component):
    """kube-scheduler with the default profile."""

    name = "kube-scheduler"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.client = ctx.client("system:kube-scheduler", manager="kube-scheduler")
        self.recorder = ctx.recorder(SCHEDULER_NAME, client=self.client)
        self.pods = ctx.informers.of("pods")
        self.cache = Cache(ctx.informers)
        plugins = tuple(plugin() for plugin in PLUGINS)
        self.framework = Framework(plugins, self.cache, ctx.chance)
        self._interested: dict[ClusterEvent, set[str]] = {}
        for plugin in plugins:
            for event in plugin.events:
                self._interested.setdefault(event, set()).add(plugin.name)
        self.waiting = Queue()
        self._run_timer: int | None = None
        self._promote_timer: int | None = None
        self.clock.register("kube-scheduler/run", self._run)
        self.clock.register("kube-scheduler/promote", self._promote)
        self.clock.register("kube-scheduler/flush", self._flush)
        self.pods.on(self._pod_added, self._pod_updated, self._pod_deleted)
        ctx.informers.of("nodes").on(self._node_added, self._node_updated, self._node_deleted)
        claims = ctx.informers.of("persistentvolumeclaims")
        claims.on(
            add=lambda _obj: self._happened("claim/changed"),
            update=lambda _old, _new: self._happened("claim/changed"),
        )

    def start(self) -> None:
        self.clock.call_later(FLUSH_PERIOD, "kube-scheduler/flush", background=True)

    # ---- what happens in the cluster -------------------------------------------------------------------

    def _pod_added(self, pod: JSON) -> None:
        if pod["spec"].get("nodeName"):
            if self.cache.add_pod(pod):
                self._happened("pod/added")
        else:
            self._enqueue(pod)

    def _pod_updated(self, old: JSON, new: JSON) -> None:
        if new["spec"].get("nodeName"):
            if old["spec"].get("nodeName"):
                event = self.cache.update_pod(old, new)
                if event is not None:
                    self._happened(event)
                return
            self.waiting.remove(key_of(new))
            self.cache.add_pod(new)
            self._happened("pod/added")
        elif old["spec"] is not new["spec"] or old["metadata"].get("labels") != new["metadata"].get("labels"):
            self._enqueue(new)
        elif "deletionTimestamp" in new["metadata"]:
            self.waiting.remove(key_of(new))
        elif old["metadata"].get("annotations") != new["metadata"].get("annotations"):
            refused = self.waiting.unschedulable.get(key_of(new))
            if refused and self._interested.get("pod/annotations", set()).intersection(refused.plugins):
                self._enqueue(new)

    def _pod_deleted(self, pod: JSON) -> None:
        if pod["spec"].get("nodeName"):
            if self.cache.remove_pod(pod):
                self._happened("pod/deleted")
        else:
            self.waiting.remove(key_of(pod))

    def _node_added(self, node: JSON) -> None:
        self.cache.add_node(node)
        self._happened("node/add")

    def _node_updated(self, old: JSON, new: JSON) -> None:
        for event in self.cache.update_node(old, new):
            self._happened(event)

    def _node_deleted(self, node: JSON) -> None:
        self.cache.remove_node(node["metadata"]["name"])

    def _enqueue(self, pod: JSON) -> None:
        spec, key = pod["spec"], key_of(pod)
        if (
            spec.get("schedulerName", SCHEDULER_NAME) != SCHEDULER_NAME
            or spec.get("schedulingGates")
            or "deletionTimestamp" in pod["metadata"]
            or is_terminal(pod)
        ):
            self.waiting.remove(key)
            return
        self.waiting.add(key, spec.get("priority") or 0, self.clock.now, self.clock.causes.roots)
        self._soon()

    def _happened(self, event: ClusterEvent) -> None:
        waiting = self.waiting
        if waiting.unschedulable and event in self._interested:
            self._later(waiting.wake(self._interested[event], self.clock.now, self.clock.causes.roots))
            if waiting.active:
                self._soon()

    def _soon(self) -> None:
        if self._run_timer is None:
            self._run_timer = self.clock.call_at(self.clock.beat(self.name, LATENCY), "kube-scheduler/run")

    def _later(self, due: int | None) -> None:
        if due is not None and self._promote_timer is None:
            self._promote_timer = self.clock.call_at(due, "kube-scheduler/promote")

    # ---- clock events ----------------------------------------------------------------------------------

    def _promote(self) -> None:
        self._promote_timer = None
        self._later(self.waiting.promote(self.clock.now))
        if self.waiting.active:
            self._soon()

    def _flush(self) -> None:
        self._later(self.waiting.flush(self.clock.now))
        if self.waiting.active:
            self._soon()
        self.clock.call_later(FLUSH_PERIOD, "kube-scheduler/flush", background=True)

    def _run(self) -> None:
        self._run_timer = None
        for key, entry in self.waiting.drain():
            pod = self.pods.get(key)
            if pod is None or pod["spec"].get("nodeName") or "deletionTimestamp" in pod["metadata"]:
                continue
            self.clock.causes.begin(self.name, key, entry.roots)
            try:
                self._schedule_one(key, entry, pod)
            except Exception as error:
                # The plugins' bug costs this Pod an attempt; those behind it have their turn.
                if not self.clock.failed(self.name, key, error):
                    raise
                self._broken(key, entry)

    def _schedule_one(self, key: str, entry: Waiting, pod: JSON) -> None:
        info = PodInfo(pod, self.cache.shapes.of(pod))
        if not self.cache.snapshot.nodes:
            self._refuse(
                key, entry, pod, "no nodes available to schedule pods", ("NodeName", "NodeResourcesFit")
            )
            return
        found = self.framework.schedule(info, entry.attempts)
        try:
            if isinstance(found, Diagnosis):
                self._unschedulable(key, entry, info, found)
                return
            self.client.bind(pod, found.name)
        except ApiError:
            # A conflict or a vanished namespace: look again after the back-off.
            self._errored(key, entry)
            return
        self.recorder.event(pod, "Normal", "Scheduled", f"Successfully assigned {key} to {found.name}")

    def _errored(self, key: str, entry: Waiting) -> None:
        """Tries the Pod again after its back-off."""
        if self.pods.get(key) is not None:
            self.waiting.errored(key, entry, self.clock.now)
            self._later(self.waiting.promote(self.clock.now))

    def _broken(self, key: str, entry: Waiting) -> None:
        """After a failure of the scheduler's own: as after an error, but in the end nobody waits for it."""
        self.waiting.remove(key)
        if entry.attempts < PATIENCE:
            self._errored(key, entry)
        else:
            self.waiting.failed(key, entry, (), self.clock.now)

    def _unschedulable(self, key: str, entry: Waiting, info: PodInfo, diagnosis: Diagnosis) -> None:
        total = len(self.cache.snapshot.nodes)
        message = tell(total, diagnosis.refusals, diagnosis.everywhere)
        candidate = preemption.find(self.framework, self.cache, info, diagnosis)
        if isinstance(candidate, str):
            self._refuse(key, entry, info.pod, f"{message} preemption: {candidate}", diagnosis.plugins)
            return
        self._refuse(key, entry, info.pod, message, diagnosis.plugins, nominated=candidate.node)
        for victim in candidate.victims:
            self._evict(info.pod, victim, candidate.node)

    def _refuse(
        self, key: str, entry: Waiting, pod: JSON, message: str, plugins: tuple[str, ...], nominated: str = ""
    ) -> None:
        """Tells the Pod's owner and puts it aside until something changes."""
        self.waiting.failed(key, entry, plugins, self.clock.now)
        self.recorder.event(pod, "Warning", "FailedScheduling", message)
        self._set_condition(
            pod,
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message},
            {"nominatedNodeName": nominated} if nominated else {},
        )

    def _evict(self, preemptor: JSON, victim: PodInfo, node: str) -> None:
        pod = self.pods.get(victim.key)
        if pod is None:
            return
        meta = pod["metadata"]
        self._set_condition(
            pod,
            {
                "type": "DisruptionTarget",
                "status": "True",
                "reason": "PreemptionByScheduler",
                "message": f"{SCHEDULER_NAME}: preempting to accommodate a higher priority pod",
            },
            {},
        )
        self.client.delete("pods", meta["name"], meta["namespace"])
        uid = preemptor["metadata"]["uid"]
        self.recorder.event(pod, "Normal", "Preempted", f"Preempted by pod {uid} on node {node}")

    def _set_condition(self, pod: JSON, condition: JSON, more: JSON) -> None:
        meta, status = pod["metadata"], pod.get("status") or {}
        conditions: list[Any] = list(status.get("conditions") or ())
        place = next((i for i, c in enumerate(conditions) if c["type"] == condition["type"]), None)
        stamp = self.clock.timestamp()
        if place is not None:
            old = conditions[place]
            if all(old.get(k) == v for k, v in condition.items()) and not more:
                return
            if old["status"] == condition["status"]:
                stamp = old.get("lastTransitionTime") or stamp
        new = {"lastProbeTime": None, "lastTransitionTime": stamp, **condition}
        if meta.get("generation"):
            new["observedGeneration"] = meta["generation"]
        if place is None:
            conditions.append(new)
        else:
            conditions[place] = new
        self.client.update_status("pods", {**pod, "status": {**status, **more, "conditions": conditions}})

    # ---- saving ----------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        return {"queue": self.waiting.state(), "run": self._run_timer, "promote": self._promote_timer}

    def load(self, state: dict[str, Any]) -> None:
        self._take(state)
        self.cache.rebuild()

    def share(self, other: Scheduler) -> None:
        self._take(other.state())
        self.cache.share(other.cache)

    def _take(self, state: dict[str, Any]) -> None:
        self.waiting.load(state["queue"])
        self._run_timer = state["run"]
        self._promote_timer = state["promote"]
