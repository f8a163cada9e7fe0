"""The Pod workers: one pass compares a Pod with its containers and starts, restarts or ends what is due.

A pass that starts containers takes virtual time; what happens meanwhile is looked at when it ends.
Models pkg/kubelet/pod_workers.go, kubelet.go (SyncPod) and kuberuntime_manager.go (computePodActions,
doBackOff).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.container_runtime.container import EXITED, Container
from cluster_engine.kubelet.core import Core
from cluster_engine.kubelet.environment import ConfigError
from cluster_engine.kubelet.record import (
    NEW,
    SYNCING,
    PodRecord,
    field_path,
    is_sidecar,
    pod_text,
    record_uid,
    restarts,
)
from cluster_engine.kubelet.runtime import PodSandboxConfig, Runtime, RuntimeFailed
from cluster_engine.kubelet.starter import INITIAL_BACKOFF, MAX_BACKOFF
from cluster_engine.kubelet.status import is_started, phase
from cluster_engine.kubelet.volumes import MountError
from cluster_engine.sim import SECOND

if TYPE_CHECKING:
    from cluster_engine.kubelet.prober import Prober
    from cluster_engine.kubelet.starter import Starter
    from cluster_engine.kubelet.termination import Termination

RESYNC = 60.0
PAUSE = 10.0
_MOUNT_RETRY = 0.5
_MOUNT_RETRY_MAX = 122.0
_FOREGROUND = 300
"""A deadline (seconds) that ``settle`` waits for."""
_DEADLINE = ["DeadlineExceeded", "Pod was active on the node longer than the specified deadline"]


class Worker:
    """All Pods of all nodes."""

    starter: Starter
    prober: Prober
    runtime: Runtime
    termination: Termination
    retry: Callable[[str], None]
    """Has the Pod of that key synced again after its back-off."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.clock = core.clock

    # ---- noticing --------------------------------------------------------------------------------------

    def sync(self, key: str) -> None:
        """A Pod of that key was bound, changed or deleted. Raises ApiError."""
        core = self.core
        pod = core.pods.get(key)
        uid = record_uid(pod) if pod is not None else ""
        for known in list(core.by_key.get(key, ())):
            if known != uid:
                self.termination.vanished(core.records[known])
        if pod is None or pod["spec"].get("nodeName") not in core.nodes:
            return
        record = core.records.get(uid)
        if record is None:
            record = self._admit(pod, uid)
            if record is None:
                return
        if pod["metadata"].get("deletionTimestamp"):
            self.termination.begin(record, pod)
        elif record.state == NEW and not record.started:
            self._begin(record, pod)
        elif record.state == SYNCING:
            record.quiet = False
            self.reconcile(record, pod)

    def _admit(self, pod: JSON, uid: str) -> PodRecord | None:
        if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
            if pod["metadata"].get("deletionTimestamp"):
                self.termination.remove(self.core.nodes[pod["spec"]["nodeName"]], pod)
            return None
        record = PodRecord(
            uid, f"{pod['metadata']['namespace']}/{pod['metadata']['name']}", pod["spec"]["nodeName"]
        )
        self.core.add(record)
        return record

    def _begin(self, record: PodRecord, pod: JSON) -> None:
        record.started = self.clock.now
        seconds = pod["spec"].get("activeDeadlineSeconds")
        if seconds:
            due = record.started + seconds * SECOND
            record.timers["deadline"] = self.clock.call_at(
                due,
                "kubelet/deadline",
                record.uid,
                background=seconds > _FOREGROUND,
            )
        self.core.write_status(record, pod)
        self.core.step(record, self.core.chance.of("mount", record.uid).uniform(0.15, 0.35), "mount")

    def step(self, uid: str, epoch: int, action: str, name: str) -> None:
        """Clock event: the next step of a pass. Raises ApiError."""
        record = self.core.records.get(uid)
        if record is None or record.epoch != epoch:
            return
        pod = self.core.pod_of(record)
        if action == "finish":
            self.termination.finish(record)
        elif pod is None:
            return
        elif action == "mount":
            self._mount(record, pod)
        elif action == "start":
            self.starter.start(record, pod, name)
        elif action == "next":
            self.next(record, pod)
        elif action == "resync":
            record.timer = None
            record.quiet = True
            self.reconcile(record, pod)

    def _mount(self, record: PodRecord, pod: JSON) -> None:
        """Volumes, then the sandbox and its address."""
        core = self.core
        node = core.nodes[record.node]
        volumes, errors = core.volumes.setup(pod, node.name, node.ip, "")
        host_network = bool(pod["spec"].get("hostNetwork"))
        if errors:
            for name, error in errors.items():
                text = f'MountVolume.SetUp failed for volume "{name}" : {error}'
                core.event(record, pod, "Warning", "FailedMount", text)
            delay = min(_MOUNT_RETRY * 2**record.mounts_failed, _MOUNT_RETRY_MAX)
            record.mounts_failed += 1
            core.step(record, delay, "mount", background=record.mounts_failed > 3)
            return
        hostname = (
            node.name if host_network else (pod["spec"].get("hostname") or pod["metadata"]["name"])[:63]
        )
        config = PodSandboxConfig(hostname, pod["metadata"]["namespace"], host_network, volumes)
        try:
            self.runtime.run_pod_sandbox(record, config)
        except RuntimeFailed as error:
            text = f"Failed to create pod sandbox: rpc error: code = Unknown desc = {error}"
            core.event(record, pod, "Warning", "FailedCreatePodSandBox", text)
            core.step(record, PAUSE, "mount", background=True)
            return
        record.state = SYNCING
        core.changed(record)
        self._act(record, pod)

    # ---- one pass --------------------------------------------------------------------------------------

    def relist(self, node_name: str) -> None:
        """Clock event: notices containers that changed in the last second (PLEG). Raises ApiError."""
        node = self.core.nodes[node_name]
        node.relist = None
        dirty, node.dirty = node.dirty, {}
        for uid in dirty:
            record = self.core.records.get(uid)
            if record is None:
                continue
            pod = self.core.pod_of(record)
            if pod is not None and record.state == SYNCING:
                try:
                    self.reconcile(record, pod)
                except ApiError:
                    self.retry(record.key)
                except Exception as error:
                    # One Pod's trouble is not its node's: it has its turn again from the queue.
                    if not self.clock.failed("kubelet/relist", record.key, error):
                        raise
                    self.retry(record.key)

    def health_changed(self, record: PodRecord, pod: JSON) -> None:
        """A probe changed its mind: the status is written at once."""
        self.core.write_status(record, pod)
        if not record.working and record.state == SYNCING:
            self._act(record, self.core.pod_of(record) or pod)

    def reconcile(self, record: PodRecord, pod: JSON) -> None:
        """Writes the status, then starts what is missing. Raises ApiError."""
        if record.state != SYNCING:
            return
        ended = phase(record, pod, False) in ("Succeeded", "Failed") and not record.working
        if ended:
            self.termination.ended(record, pod)
            return
        pod = self.core.write_status(record, pod)
        if record.working:
            record.again = True
            return
        self._act(record, pod)

    def _act(self, record: PodRecord, pod: JSON) -> None:
        """Starts a pass over the containers that should run and do not."""
        if record.working or record.state != SYNCING:
            return
        self.clock.cancel(record.timer)
        record.timer = None
        record.failures = []
        record.todo = self._missing(record, pod)
        if record.todo:
            record.working = True
            self.next(record, pod)
        elif record.failures:
            self._rest(record)

    def next(self, record: PodRecord, pod: JSON) -> None:
        """Goes on with the pass: the next container, or its end."""
        if record.todo:
            self.starter.begin(record, pod, record.todo.pop(0))
            return
        record.working = False
        if record.failures:
            if 0 in record.failures:
                # Why a container could not be started is told at once; a back-off only at its end.
                pod = self.core.write_status(record, pod)
            self._rest(record)
        if record.again:
            record.again = False
            # What failed has its own time to be tried again; containers that ended meanwhile do not wait.
            if not record.failures or any(c.state == EXITED for c in record.containers.values()):
                self.core.changed(record)

    def _rest(self, record: PodRecord) -> None:
        """Something failed: the next pass comes when its back-off ends, at the latest after a minute."""
        known = [at for at in record.failures if at]
        seconds = (min(known) - self.clock.now) / SECOND if known else PAUSE
        jitter = 0.5 * self.core.chance.of("resync", record.uid, self.clock.now).random()
        seconds = min(max(seconds, 0.0), RESYNC) * (1 + jitter)
        self.clock.cancel(record.timer)
        record.timer = self.core.step(record, seconds, "resync", background=True)

    def _missing(self, record: PodRecord, pod: JSON) -> list[str]:
        """The containers to start now, in order (computePodActions). Notes failures of those in back-off."""
        spec = pod["spec"]
        regular_ran = any(c["name"] in record.containers for c in spec["containers"])
        wanted: list[str] = []
        for init in spec.get("initContainers") or ():
            container = record.containers.get(init["name"])
            if is_sidecar(init):
                if container is None or container.state == EXITED:
                    if self._may_start(record, pod, init, container):
                        wanted.append(init["name"])
                    if not regular_ran:
                        return wanted
                elif not regular_ran and not is_started(record, init):
                    return wanted
                continue
            if regular_ran:
                continue
            if container is None:
                return [*wanted, init["name"]]
            if container.state != EXITED:
                return wanted
            if container.exit_code != 0:
                if self._may_start(record, pod, init, container):
                    wanted.append(init["name"])
                return wanted
        for regular in spec["containers"]:
            container = record.containers.get(regular["name"])
            if (container is None or container.state == EXITED) and self._may_start(
                record, pod, regular, container
            ):
                wanted.append(regular["name"])
        return wanted

    def _may_start(self, record: PodRecord, pod: JSON, spec: JSON, last: Container | None) -> bool:
        """Whether the restart policy wants it and no back-off forbids it (doBackOff)."""
        if last is None:
            return True
        if not restarts(pod["spec"], spec, last.exit_code):
            return False
        now, ended = self.clock.now, last.finished_at
        entry = record.crashes.get(spec["name"])
        if entry is not None and ended - entry[1] <= 2 * MAX_BACKOFF and now - ended < entry[0]:
            name = spec["name"]
            text = f"Back-off restarting failed container {name} in pod {pod_text(pod)}"
            self.core.event(record, pod, "Warning", "BackOff", text, field_path(pod["spec"], name))
            seconds = entry[0] // SECOND
            delay = f"{seconds // 60}m{seconds % 60}s" if seconds >= 60 else f"{seconds}s"
            record.waiting[name] = [
                "CrashLoopBackOff",
                f"back-off {delay} restarting failed container={name} pod={pod_text(pod)}",
            ]
            # As upstream: from now on, not from the container's end.
            record.failures.append(now + entry[0])
            return False
        if entry is None or ended - entry[1] > 2 * MAX_BACKOFF:
            record.crashes[spec["name"]] = [INITIAL_BACKOFF, now]
        else:
            record.crashes[spec["name"]] = [min(entry[0] * 2, MAX_BACKOFF), now]
        return True

    # ---- containers that end ---------------------------------------------------------------------------

    def exited(self, record: PodRecord, container: Container) -> None:
        """The runtime says that a container's process has ended."""
        name = container.name
        record.stopping.pop(name, None)
        self.clock.cancel(record.timers.pop(f"hook/{name}", None))
        self._read_message(record, container)
        for kind in ("startup", "readiness", "liveness"):
            self.prober.drop(record, name, kind)
        if record.state == SYNCING:
            self.core.changed(record)
        else:
            self.termination.container_ended(record, self.core.pod_of(record))

    def _read_message(self, record: PodRecord, container: Container) -> None:
        """/dev/termination-log, or the end of the log when the Pod wants that."""
        pod = self.core.pod_of(record)
        if pod is None:
            return
        specs = (*pod["spec"]["containers"], *(pod["spec"].get("initContainers") or ()))
        spec: JSON = next((c for c in specs if c["name"] == container.name), {})
        path = spec.get("terminationMessagePath") or "/dev/termination-log"
        written = self.runtime.read_file(record, container, path)
        if written is not None:
            container.message = written.decode("utf-8", "replace")[:4096]
        if (
            not container.message
            and container.exit_code
            and spec.get("terminationMessagePolicy") == "FallbackToLogsOnError"
        ):
            lines = self.runtime.logs(record, container)[-80:]
            container.message = "".join(f"{text}\n" for _, _, text in lines)[-2048:]

    def kill_container(
        self, record: PodRecord, pod: JSON, name: str, message: str, grace: int | None
    ) -> None:
        """Stops one container of a Pod that goes on."""
        self.core.event(record, pod, "Normal", "Killing", message, field_path(pod["spec"], name))
        seconds = grace if grace is not None else pod["spec"].get("terminationGracePeriodSeconds", 30)
        self.termination.stop(record, pod, name, seconds, told=True)

    def refresh(self, key: str) -> None:
        """A ConfigMap or Secret (``configmaps/namespace/name``) changed: volumes that show it follow."""
        core = self.core
        resource, namespace, name = key.split("/")
        for record in list(core.records.values()):
            pod = core.pod_of(record)
            if record.sandbox is None or pod is None or pod["metadata"]["namespace"] != namespace:
                continue
            node = core.nodes[record.node]
            for volume in pod["spec"].get("volumes") or ():
                if not core.volumes.reads(volume, resource, name):
                    continue
                try:
                    files = core.volumes.content(pod, volume, node.name, node.ip, record.ip)
                except (MountError, ConfigError):
                    continue  # as upstream: what was mounted stays
                if files is not None:
                    self.runtime.update_volume(record, volume["name"], files)

    def deadline(self, uid: str) -> None:
        """Clock event: activeDeadlineSeconds are over."""
        record = self.core.records.get(uid)
        if record is None or record.state not in (NEW, SYNCING):
            return
        record.timers.pop("deadline", None)
        pod = self.core.pod_of(record)
        if pod is None:
            return
        record.outcome = list(_DEADLINE)
        self.core.event(record, pod, "Normal", "DeadlineExceeded", _DEADLINE[1])
        pod = self.core.write_status(record, pod)
        self.termination.fail(record, pod)
