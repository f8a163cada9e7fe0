"""The end of containers and Pods: preStop, the turn of sidecars, SIGTERM, SIGKILL, the last status.

``decide`` says when; this does it. Models pkg/kubelet/kuberuntime/kuberuntime_container.go (killContainer) and
kubelet.go (SyncTerminatingPod, SyncTerminatedPod).
"""

from __future__ import annotations

from typing import Any

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.container_runtime.container import RUNNING
from cluster_engine.kubelet.core import Core
from cluster_engine.kubelet.decide import MINIMUM_GRACE
from cluster_engine.kubelet.lifecycle import Lifecycle, hook_failure
from cluster_engine.kubelet.prober import Prober
from cluster_engine.kubelet.record import (
    FINISHED,
    HOOK,
    STOPPED,
    TERMINATING,
    TURN,
    WAITED,
    PodRecord,
    field_path,
    find_container,
)
from cluster_engine.kubelet.runtime import Runtime
from cluster_engine.sim import SECOND

_CLEANUP = 0.05
"""Seconds that the sandbox's end takes."""


class Termination:
    """Ends containers and Pods."""

    def __init__(self, core: Core, runtime: Runtime, lifecycle: Lifecycle, prober: Prober) -> None:
        self.core = core
        self.clock = core.clock
        self.runtime = runtime
        self.lifecycle = lifecycle
        self.prober = prober

    # ---- containers ------------------------------------------------------------------------------------

    def kill(self, record: PodRecord, pod: JSON, name: str, seconds: int, message: str) -> None:
        """Stops one container of a Pod that goes on."""
        container = record.containers[name]
        if (
            container.state == RUNNING
            and name not in record.stopping
            and not self._hook(record, pod, name, seconds, message)
        ):
            self.signal(record, name, max(seconds, MINIMUM_GRACE))

    def stop(self, record: PodRecord, pod: JSON | None, name: str, seconds: int) -> None:
        """Begins the end of one container of a Pod that ends; of a Pod that is gone from the API without its hook."""
        message = f"Stopping container {name}"
        if pod is not None:
            self._hook(record, pod, name, seconds, message)
            return
        namespace, _, pod_name = record.key.partition("/")
        meta = {"namespace": namespace, "name": pod_name, "uid": record.uid}
        gone = {"apiVersion": "v1", "kind": "Pod", "metadata": meta}
        self.core.event(record, gone, "Normal", "Killing", message, f"spec.containers{{{name}}}")

    def _hook(self, record: PodRecord, pod: JSON, name: str, seconds: int, message: str) -> bool:
        """Tells of the end and runs the preStop hook; False when there is none."""
        self.core.event(record, pod, "Normal", "Killing", message, field_path(pod["spec"], name))
        then = ["kubelet/hooked", record.uid, name, record.containers[name].id]
        spec = find_container(pod["spec"], name)
        if seconds <= 0 or not self.lifecycle.run(record, spec, "preStop", seconds, then):
            return False
        record.stopping[name] = [HOOK, self.clock.now, seconds]
        self._limit(record, name, "kubelet/hooked", record.containers[name].id, ["timeout"])
        return True

    def hooked(self, uid: str, name: str, container_id: str, answer: list[Any]) -> None:
        """Clock event: a preStop hook is done, or its time is over."""
        record = self.core.records.get(uid)
        container = record.containers.get(name) if record is not None else None
        if record is None or container is None or container.id != container_id:
            return
        known = record.stopping.get(name)
        if known is None or known[0] != HOOK:
            return  # it came too late, or the container has ended
        self._unlimit(record, name)
        pod = self.core.pod_of(record)
        if pod is not None and answer != ["timeout"]:
            spec = find_container(pod["spec"], name)
            if hook_failure(record, pod, spec, "preStop", answer):
                path = field_path(pod["spec"], name)
                self.core.event(record, pod, "Warning", "FailedPreStopHook", "PreStopHook failed", path)
        left = known[2] - (self.clock.now - known[1]) // SECOND
        if record.state == TERMINATING:
            record.stopping[name] = [WAITED, self.clock.now, left]
            self.core.wake(record)
        else:
            self.signal(record, name, max(left, MINIMUM_GRACE))

    def await_turn(self, record: PodRecord, name: str, seconds: int) -> None:
        """A sidecar's signal comes when those before it have ended, at the latest after ``seconds``."""
        record.stopping[name] = [TURN, self.clock.now, seconds]
        self._limit(record, name, "kubelet/wake")

    def signal(self, record: PodRecord, name: str, seconds: int) -> None:
        """SIGTERM now, SIGKILL after ``seconds``."""
        self._unlimit(record, name)
        record.stopping[name] = [STOPPED, self.clock.now, seconds]
        self.runtime.stop_container(record, name, seconds)

    def _limit(self, record: PodRecord, name: str, handler: str, *args: Any) -> None:
        """The present step of a container's end is over when its grace period is."""
        self._unlimit(record, name)
        _, since, left = record.stopping[name]
        named = (name, *args) if args else ()
        due = since + left * SECOND
        record.timers[f"stop/{name}"] = self.clock.call_at(due, handler, record.uid, *named)

    def _unlimit(self, record: PodRecord, name: str) -> None:
        self.clock.cancel(record.timers.pop(f"stop/{name}", None))

    def ended(self, record: PodRecord, name: str) -> None:
        """The container's process has ended."""
        record.stopping.pop(name, None)
        self._unlimit(record, name)

    # ---- Pods ------------------------------------------------------------------------------------------

    def terminate(self, record: PodRecord, seconds: int) -> None:
        """Nothing of the Pod is started any more."""
        record.state = TERMINATING
        record.quiet = record.working = record.again = False
        record.epoch += 1  # whatever pass was under way is void
        record.todo = []
        record.grace, record.kill_at = seconds, self.clock.now + max(seconds, 1) * SECOND
        self.clock.cancel(record.timer)
        self.prober.stop(record)
        for container in record.containers.values():
            if container.state == "created":
                self.runtime.stop_container(record, container.name, 0)
        self._shorten(record, seconds)

    def hurry(self, record: PodRecord, seconds: int) -> None:
        """The Pod was deleted again with less patience."""
        record.grace, record.kill_at = seconds, self.clock.now + seconds * SECOND
        self._shorten(record, seconds)

    def _shorten(self, record: PodRecord, seconds: int) -> None:
        now = self.clock.now
        for name, (step, since, left) in list(record.stopping.items()):
            if since + left * SECOND <= now + seconds * SECOND:
                continue
            record.stopping[name] = [step, now, seconds]
            if step == HOOK:
                self._limit(record, name, "kubelet/hooked", record.containers[name].id, ["timeout"])
            elif step == TURN:
                self._limit(record, name, "kubelet/wake")
            elif step == STOPPED:
                self.runtime.stop_container(record, name, seconds)

    def finish(self, record: PodRecord) -> None:
        """Nothing runs any more: the Pod is finished when its sandbox is gone."""
        record.timers["finish"] = self.clock.call_later(_CLEANUP, "kubelet/finish", record.uid)

    def close(self, record: PodRecord) -> None:
        """Nothing of the Pod runs, or will."""
        self.core.release(record)
        self.prober.stop(record)
        self.clock.cancel(record.timer)
        self.runtime.remove_pod(record)
        for timer in record.timers.values():
            self.clock.cancel(timer)
        record.timers.clear()
        # Last: what fails before is tried again.
        record.state = FINISHED

    def forget(self, record: PodRecord) -> None:
        """Drops a Pod of which nothing is left."""
        self.close(record)
        self.core.forget(record)

    def remove(self, node: str, pod: JSON) -> None:
        """Deletes the API object; who cannot reach the control plane does so later. Raises ApiError."""
        if self.core.nodes[node].cut:
            return
        meta, client = pod["metadata"], self.core.nodes[node].client
        try:
            client.delete("pods", meta["name"], meta["namespace"], grace_period=0, uid=meta["uid"])
        except ApiError as error:
            if error.code not in (404, 409):
                raise
