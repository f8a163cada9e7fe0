"""The end of Pods: preStop, SIGTERM, the grace period, SIGKILL, the last status, the deletion.

Models pkg/kubelet/kubelet.go (SyncTerminatingPod, SyncTerminatedPod) and kuberuntime_container.go
(killContainer).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.container_runtime.container import RUNNING
from cluster_engine.kubelet.core import Core, Node
from cluster_engine.kubelet.lifecycle import Lifecycle, hook_failure
from cluster_engine.kubelet.record import (
    FINISHED,
    NEW,
    TERMINATING,
    PodRecord,
    field_path,
    find_container,
    is_sidecar,
)
from cluster_engine.kubelet.runtime import Runtime
from cluster_engine.sim import SECOND

if TYPE_CHECKING:
    from cluster_engine.kubelet.prober import Prober
    from cluster_engine.kubelet.static_pods import StaticPods

_MINIMUM = 2
"""Seconds that a container gets after SIGTERM, whatever of the grace period is left (minimumGracePeriodInSeconds)."""


class Termination:
    """Ends Pods."""

    prober: Prober
    lifecycle: Lifecycle
    runtime: Runtime
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
            self._forget(record)
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
                self.runtime.stop_container(record, container.name, 0)
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
            if name not in record.stopping:
                self.stop(record, pod, name, left)

    @staticmethod
    def _sidecars(pod: JSON) -> list[str]:
        return [c["name"] for c in pod["spec"].get("initContainers") or () if is_sidecar(c)]

    def stop(self, record: PodRecord, pod: JSON | None, name: str, grace: float, told: bool = False) -> None:
        """preStop, SIGTERM, and SIGKILL when the grace period (seconds) is over."""
        container = record.containers.get(name)
        if container is None or container.state != RUNNING or name in record.stopping:
            return
        record.stopping[name] = self.clock.now + round(grace * SECOND)
        if pod is None:
            self._term(record, name)
            return
        spec = find_container(pod["spec"], name)
        if not told:
            text = f"Stopping container {name}"
            self.core.event(record, pod, "Normal", "Killing", text, field_path(pod["spec"], name))
        then = ["kubelet/hooked", record.uid, name, container.id]
        if grace > 0 and self.lifecycle.run(record, spec, "preStop", grace, then):
            self._limit_hook(record, name)
        else:
            self._term(record, name)

    def _limit_hook(self, record: PodRecord, name: str) -> None:
        """The hook is not waited for when the grace period is over."""
        timer, container = f"hook/{name}", record.containers[name]
        self.clock.cancel(record.timers.get(timer))
        record.timers[timer] = self.clock.call_at(
            record.stopping[name], "kubelet/hooked", record.uid, name, container.id, ["timeout"]
        )

    def hooked(self, uid: str, name: str, container_id: str, answer: list[Any]) -> None:
        """Clock event: a preStop hook is done, or its time is over."""
        record = self.core.records.get(uid)
        container = record.containers.get(name) if record is not None else None
        if record is None or container is None or container.id != container_id:
            return
        if f"hook/{name}" not in record.timers:
            return  # it came too late, or the container has ended
        self.clock.cancel(record.timers.pop(f"hook/{name}"))
        pod = self.core.pod_of(record)
        if pod is not None and answer != ["timeout"]:
            spec = find_container(pod["spec"], name)
            if hook_failure(record, pod, spec, "preStop", answer):
                path = field_path(pod["spec"], name)
                self.core.event(record, pod, "Warning", "FailedPreStopHook", "PreStopHook failed", path)
        self._term(record, name)

    def _term(self, record: PodRecord, name: str) -> None:
        """SIGTERM, and what is left of the grace period until SIGKILL."""
        left = max(record.stopping[name] - self.clock.now, 0) / SECOND
        self.runtime.stop_container(record, name, max(left, _MINIMUM))

    def _shorten(self, record: PodRecord, grace: int) -> None:
        """Deleted again with less patience."""
        due = self.clock.now + max(grace, 1) * SECOND
        if due >= record.kill_at:
            return
        record.grace, record.kill_at = grace, due
        for container in record.running():
            name = container.name
            if name not in record.stopping:
                continue
            record.stopping[name] = min(record.stopping[name], due)
            if f"hook/{name}" in record.timers:
                self._limit_hook(record, name)
            else:
                self.runtime.stop_container(record, name, max(grace, 1))

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
            self._forget(record)
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
        self.runtime.remove_pod(record)

    def _forget(self, record: PodRecord) -> None:
        self.runtime.remove_pod(record)
        self.core.forget(record)

    def remove(self, node: Node, pod: JSON) -> None:
        """Deletes the API object. Raises ApiError."""
        meta = pod["metadata"]
        try:
            node.client.delete("pods", meta["name"], meta["namespace"], grace_period=0, uid=meta["uid"])
        except ApiError as error:
            if error.code not in (404, 409):
                raise
