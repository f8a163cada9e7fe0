"""The end of Pods: preStop, SIGTERM, the grace period, SIGKILL, the last status, the deletion.

Models pkg/kubelet/kubelet.go (SyncTerminatingPod, SyncTerminatedPod) and kuberuntime_container.go
(killContainer).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.container_runtime.container import RUNNING
from cluster_engine.kubelet.core import Core, Node
from cluster_engine.kubelet.record import (
    FINISHED,
    NEW,
    TERMINATING,
    PodRecord,
    field_path,
    find_container,
    is_sidecar,
)
from cluster_engine.sim import SECOND

if TYPE_CHECKING:
    from cluster_engine.kubelet.lifecycle import Lifecycle
    from cluster_engine.kubelet.prober import Prober
    from cluster_engine.kubelet.static_pods import StaticPods
    from cluster_engine.kubelet.worker import Worker

_KILLED = 137
_MINIMUM = 2
"""Seconds that a container gets after a preStop hook that used up the grace period."""


class Termination:
    """Ends Pods."""

    worker: Worker
    prober: Prober
    lifecycle: Lifecycle
    static_pods: StaticPods

    def __init__(self, core: Core) -> None:
        self.core = core
        self.clock = core.clock

    def begin(self, record: PodRecord, pod: JSON) -> None:
        """The Pod is being deleted. Raises ApiError."""
        if self.static_pods.owns(record):
            self.static_pods.mirror_deleted(record, pod)
            return
        grace = pod["metadata"].get("deletionGracePeriodSeconds")
        if grace is None:
            grace = pod["spec"].get("terminationGracePeriodSeconds", 30)
        if record.state == FINISHED:
            self.remove(self.core.nodes[record.node], pod)
        elif record.state == TERMINATING:
            self._shorten(record, grace)
        else:
            self._terminate(record, pod, grace)

    def vanished(self, record: PodRecord) -> None:
        """The API object is gone (or another Pod has its name): nobody is left to tell."""
        if self.static_pods.owns(record):
            self.static_pods.mirror_gone(record)
            return
        if record.state in (NEW, FINISHED) or not record.running():
            self.core.forget(record)
        elif record.state != TERMINATING:
            self._terminate(record, None, record.grace)

    def fail(self, record: PodRecord, pod: JSON) -> None:
        """The kubelet itself ends the Pod; the object stays, Failed."""
        self._terminate(record, pod, pod["spec"].get("terminationGracePeriodSeconds", 30))

    def ended(self, record: PodRecord, pod: JSON) -> None:
        """All containers have ended for good: Succeeded or Failed. Raises ApiError."""
        if record.running():  # sidecars
            self._terminate(record, pod, pod["spec"].get("terminationGracePeriodSeconds", 30))
            return
        self._close(record)
        self.core.write_status(record, pod, terminal=True)

    # ---- stopping --------------------------------------------------------------------------------------

    def _terminate(self, record: PodRecord, pod: JSON | None, grace: int) -> None:
        record.state = TERMINATING
        record.quiet = False
        record.epoch += 1  # whatever pass was under way is void
        record.working = False
        record.todo = []
        record.grace = grace
        record.kill_at = self.clock.now + max(grace, 1) * SECOND
        self.clock.cancel(record.timer)
        self.prober.stop(record)
        for container in record.containers.values():
            if container.state == "created":
                container.state, container.exit_code, container.reason = "exited", 128, "ContainerCannotRun"
                container.finished_at = self.clock.now
        self._stop_next(record, pod)

    def _stop_next(self, record: PodRecord, pod: JSON | None) -> None:
        """Regular containers at once; sidecars afterwards, the last one first."""
        running = {c.name: c for c in record.running()}
        if not running:
            self.core.step(record, 0.05, "finish")
            return
        sidecars = self._sidecars(pod) if pod is not None else []
        regular = [name for name in running if name not in sidecars]
        names = regular or [name for name in reversed(sidecars) if name in running][:1] or list(running)
        left = (
            max((record.kill_at - self.clock.now) / SECOND, 0.0) if pod is not None else float(record.grace)
        )
        for name in names:
            if not running[name].stopping:
                self.stop(record, pod, name, left)

    @staticmethod
    def _sidecars(pod: JSON) -> list[str]:
        return [c["name"] for c in pod["spec"].get("initContainers") or () if is_sidecar(c)]

    def stop(self, record: PodRecord, pod: JSON | None, name: str, grace: float, told: bool = False) -> None:
        """preStop, SIGTERM, and SIGKILL when the grace period is over."""
        container = record.containers.get(name)
        if container is None or container.state != RUNNING or container.stopping:
            return
        container.stopping = now = self.clock.now
        hook = 0.0
        if pod is not None:
            if not told:
                text = f"Stopping container {name}"
                self.core.event(record, pod, "Normal", "Killing", text, field_path(pod["spec"], name))
            if grace > 0:
                hook = min(self.lifecycle.pre_stop(record, pod, find_container(pod["spec"], name)), grace)
        left = max(grace - hook, _MINIMUM if grace else 0)
        record.timers[f"kill/{name}"] = self.clock.call_at(
            now + round((hook + left) * SECOND), "kubelet/kill", record.uid, name, container.id
        )
        if hook:
            self.clock.call_later(hook, "kubelet/term", record.uid, name, container.id)
        else:
            self.term(record.uid, name, container.id)

    def term(self, uid: str, name: str, container_id: str) -> None:
        """Clock event: SIGTERM."""
        record = self.core.records.get(uid)
        if record is None or (container := record.containers.get(name)) is None:
            return
        if container.id != container_id or container.state != RUNNING:
            return
        now, sandbox = self.clock.now, record.sandbox
        plan = self.core.plan(record, container)
        if plan.script and sandbox is not None:
            if sandbox.signal(name, "TERM", now):
                self.core.watch_scripts(record, self.core.pod_of(record))
            return
        for offset, stream, text in plan.term_log:
            container.note(now + offset, stream, text)
        if plan.on_term is not None:
            self.worker.exit_at(record, name, now + plan.on_term[0], plan.on_term[1])

    def kill(self, uid: str, name: str, container_id: str) -> None:
        """Clock event: SIGKILL."""
        self.worker.exited(uid, name, container_id, _KILLED, "")

    def _shorten(self, record: PodRecord, grace: int) -> None:
        """Deleted again with less patience."""
        due = self.clock.now + max(grace, 1) * SECOND
        if due >= record.kill_at:
            return
        record.grace, record.kill_at = grace, due
        for container in record.running():
            timer = f"kill/{container.name}"
            if timer in record.timers:
                self.clock.cancel(record.timers[timer])
                record.timers[timer] = self.clock.call_at(
                    due, "kubelet/kill", record.uid, container.name, container.id
                )

    def container_ended(self, record: PodRecord, pod: JSON | None) -> None:
        """One more container of a Pod that is being stopped has ended."""
        if record.state == TERMINATING:
            self._stop_next(record, pod)

    # ---- the end ---------------------------------------------------------------------------------------

    def finish(self, record: PodRecord) -> None:
        """Nothing runs any more: the last status, then the deletion. Raises ApiError."""
        pod = self.core.pod_of(record)
        self._close(record)
        if pod is None:
            self.core.forget(record)
            return
        pod = self.core.write_status(record, pod, terminal=True)
        if pod["metadata"].get("deletionTimestamp"):
            self.remove(self.core.nodes[record.node], pod)

    def _close(self, record: PodRecord) -> None:
        record.state = FINISHED
        self.prober.stop(record)
        self.clock.cancel(record.timer)
        for timer in record.timers.values():
            self.clock.cancel(timer)
        record.timers.clear()
        self.core.release(record)

    def remove(self, node: Node, pod: JSON) -> None:
        """Deletes the API object. Raises ApiError."""
        meta = pod["metadata"]
        try:
            node.client.delete("pods", meta["name"], meta["namespace"], grace_period=0, uid=meta["uid"])
        except ApiError as error:
            if error.code not in (404, 409):
                raise
