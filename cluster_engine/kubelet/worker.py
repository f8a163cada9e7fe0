"""The Pod workers: ask ``decide`` what is to be done about a Pod, and do it.

A pass that starts containers takes virtual time; what happens meanwhile is looked at when it ends.
Models pkg/kubelet/pod_workers.go and kubelet.go (SyncPod).
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.client_go import Change
from cluster_engine.component_helpers.host_ports import host_ports
from cluster_engine.component_helpers.pod_phase import is_finished
from cluster_engine.component_helpers.requests import Amounts, amounts, pod_requests
from cluster_engine.container_runtime.container import EXITED, RUNNING, Container
from cluster_engine.kubelet import decide as do
from cluster_engine.kubelet import resizing
from cluster_engine.kubelet.admission import SHUTTING_DOWN, UNEXPECTED, missing, refusal
from cluster_engine.kubelet.core import ALLOCATABLE, CAPACITY, ON, Core, as_allocated
from cluster_engine.kubelet.devices import Devices
from cluster_engine.kubelet.dns import pod_resolver
from cluster_engine.kubelet.environment import Facts
from cluster_engine.kubelet.eviction import over_limit, storage_limits
from cluster_engine.kubelet.hosts import HostnameError, kernel_hostname
from cluster_engine.kubelet.preemption import (
    Candidate,
    NobodyGoes,
    candidate,
    preemptable,
    still_needed,
    victims,
)
from cluster_engine.kubelet.prober import KINDS, Prober
from cluster_engine.kubelet.record import (
    CONTAINERS,
    FINISHED,
    NEW,
    PREEMPTED,
    SYNCING,
    TERMINATING,
    PodRecord,
    find_container,
    is_critical,
    record_uid,
)
from cluster_engine.kubelet.runtime import PodSandboxConfig, Runtime, RuntimeFailed
from cluster_engine.kubelet.starter import Starter
from cluster_engine.kubelet.static_pods import StaticPods
from cluster_engine.kubelet.storage import stored
from cluster_engine.kubelet.termination import Termination
from cluster_engine.kubelet.tokens import Tokens
from cluster_engine.kubelet.volumes import Volumes, disk_limits, memory_limits
from cluster_engine.sim import SECOND

RESYNC = 60.0
PAUSE = 10.0
_RETRY = 1.0
_MOUNT_RETRY = 0.5
_MOUNT_RETRY_MAX = 122.0
_FOREGROUND = 300 * SECOND
"""A deadline this near is waited for by ``settle``."""
_STORAGE_PERIOD = 10.0
"""Seconds between two looks at what is in volumes (the eviction manager's)."""
_OFTEN = 3
"""A Pod whose containers have begun so often is not waited for by ``settle``."""
_RECOVERY = "Unexpected error while attempting to recover from admission failure"
_MESSAGE = 4096
_MESSAGES = 12 * 1024
"""Bytes of the termination messages of a Pod's containers, in equal shares (status_manager.go, normalizeStatus)."""
_MESSAGE_FROM_LOG, _LINES_FROM_LOG = 2048, 80
"""Bytes of a termination message; bytes and lines of one that is taken from the log."""


class Worker:
    """All Pods of all nodes."""

    def __init__(
        self,
        core: Core,
        runtime: Runtime,
        volumes: Volumes,
        starter: Starter,
        prober: Prober,
        termination: Termination,
        static_pods: StaticPods,
        devices: Devices,
    ) -> None:
        self.core = core
        self.clock = core.clock
        self.runtime = runtime
        self.volumes = volumes
        self.starter = starter
        self.prober = prober
        self.termination = termination
        self.static_pods = static_pods
        self.devices = devices
        self.tokens = Tokens(core, runtime, volumes, self._facts, self._suffix)

    # ---- noticing --------------------------------------------------------------------------------------

    def sync(self, key: str) -> None:
        """A Pod of that key was bound, changed or deleted. Raises ApiError."""
        core = self.core
        pod = core.pods.get(key)
        uid = record_uid(pod) if pod is not None else ""
        for known in core.records.of_key(key):
            if known != uid and core.nodes[core.records[known].node].reachable:
                self.act(core.records[known], None)
        if pod is None or (node := core.nodes.get(pod["spec"].get("nodeName"))) is None or not node.reachable:
            return
        record = core.records.get(uid)
        if record is None:
            if is_finished(pod):
                if pod["metadata"].get("deletionTimestamp"):
                    self.termination.remove(pod["spec"]["nodeName"], pod)
                return
            record = PodRecord(uid, key, pod["spec"]["nodeName"])
            record.static = self.static_pods.owns(record)
            record.grace = pod["spec"].get("terminationGracePeriodSeconds", 30)
            core.records.add(record)
        if record.state == SYNCING:
            record.quiet = False
        self._watch_deadline(record, pod)
        self.act(record, pod)

    def _watch_deadline(self, record: PodRecord, pod: JSON) -> None:
        seconds = pod["spec"].get("activeDeadlineSeconds")
        if not seconds or record.state not in (NEW, SYNCING):
            return
        due = (record.started or self.clock.now) + seconds * SECOND
        self.clock.cancel(record.timers.get("deadline"))
        record.timers["deadline"] = self.clock.call_at(
            due, "kubelet/wake", record.uid, background=due - self.clock.now > _FOREGROUND
        )

    def relist(self, node_name: str) -> None:
        """Clock event: notices containers that changed in the last second (PLEG)."""
        for uid, roots in self.core.relisted(node_name).items():
            record = self.core.records.get(uid)
            self.core.clock.causes.roots = roots
            if record is not None and record.state == SYNCING:
                self.core.wake(record)

    def resync(self, uid: str) -> None:
        """Clock event: what failed is tried again."""
        record = self.core.records.get(uid)
        if record is not None:
            record.timer = None
            record.quiet = True
            self.wake(uid)

    def wake(self, uid: str) -> None:
        """Clock event: something about the Pod may have changed."""
        record = self.core.records.get(uid)
        if record is not None:
            self._look(record)

    def _look(self, record: PodRecord, tell: bool = True) -> None:
        """Acts, and tries again later when a write is refused (a namespace going away, a full cluster)."""
        if self.core.nodes[record.node].power != ON:
            return
        try:
            self.act(record, self.core.pod_of(record), tell)
        except ApiError:
            self.clock.call_later(_RETRY, "kubelet/wake", record.uid)

    def exited(self, record: PodRecord, container: Container) -> None:
        """The runtime says that a container's process has ended."""
        killed = container.name in record.stopping
        if record.static and self.core.nodes[record.node].control_plane:
            self.core.ctx.processes.ended(container.name, record.node)
        self.termination.ended(record, container.name)
        self.devices.ended(record, container)
        pod = self.core.pod_of(record)
        if pod is not None:
            container.message = self._message(record, pod, container)
        for kind in KINDS:
            self.prober.drop(record, container.name, kind)
        if record.state == SYNCING:
            self.core.changed(record)
        if killed or record.state != SYNCING:
            # A pass that kills a container goes on when it has ended, without a word in between.
            self._look(record, tell=False)

    def _message(self, record: PodRecord, pod: JSON, container: Container) -> str:
        """/dev/termination-log, or the end of the log when the Pod wants that."""
        return self._last_words(record, pod, container)[: _MESSAGES // _containers(pod)].decode(
            "utf-8", "replace"
        )

    def _last_words(self, record: PodRecord, pod: JSON, container: Container) -> bytes:
        spec = find_container(pod["spec"], container.name)
        written = self.runtime.last_words(record, container)
        if written:
            return written[:_MESSAGE]
        if container.exit_code and spec.get("terminationMessagePolicy") == "FallbackToLogsOnError":
            lines = self.runtime.logs(record, container)[-_LINES_FROM_LOG:]
            text = "".join(line for _, _, line in lines)
            return text.encode()[-_MESSAGE_FROM_LOG:]
        return b""

    # ---- doing -----------------------------------------------------------------------------------------

    def act(self, record: PodRecord, pod: JSON | None, tell: bool = True) -> None:
        """Does what is to be done now; ``tell``: a pass begins with a status. Raises ApiError."""
        if record.allocated and pod is not None and record.state == SYNCING:
            pod = self._resize(record, pod)
        passing = record.state == SYNCING and not record.working
        actions = do.decide(record, pod, self.clock.now)
        if passing and pod is not None:
            self.starter.look_for_pull_secrets(record, pod)
        if passing:
            self.clock.cancel(record.timer)
            record.timer, record.failures, record.todo = None, [], []
        for action in actions:
            if pod is None:
                self._end(record, None, action)
            elif isinstance(action, do.WriteStatus):
                if tell or action is not actions[0]:
                    pod = self.core.write_status(record, pod)
            else:
                self._go_on(record, pod, action)
        if not passing or record.state != SYNCING or pod is None:
            return
        if record.todo:
            record.working = True
            self._next(record, pod)
        elif record.failures:
            self._rest(record)

    def _clear(self, record: PodRecord, pod: JSON) -> None:
        """Nothing of the Pod runs, and all of it is to begin anew, without a back-off."""
        for name in [name for name in record.containers if name not in _ephemeral(pod)]:
            record.quiet = record.quiet or record.containers[name].attempt >= _OFTEN
            record.waiting.pop(name, None)
            self.runtime.remove_container(record, name)
        self.core.wake(record)

    # ---- resizing --------------------------------------------------------------------------------------

    def asks_anew(self, change: Change) -> None:
        """A Pod's spec has changed: what its containers ask for may be something else now."""
        record = self.core.records.get(record_uid(change.new))
        if record is None or not record.counted:
            return
        before, wanted = resizing.resources_of(change.old["spec"]), resizing.resources_of(change.new["spec"])
        if before == wanted:
            return
        record.allocated = record.allocated or before
        if record.allocated == wanted:
            record.allocated, record.resizing = {}, []

    def _resize(self, record: PodRecord, pod: JSON) -> JSON:
        """The Pod with what it asks for, if its node gives it now; else with what it has."""
        core = self.core
        stored = core.pods.get(record.key)
        if stored is None or not core.nodes[record.node].reachable:
            return as_allocated(record, pod)
        wanted, usage = pod_requests(stored["spec"]), core.nodes[record.node].usage
        why = resizing.refusal(ALLOCATABLE, usage.amounts, record.asked, wanted)
        if why is not None:
            if record.resizing != list(why):
                record.resizing = list(why)
                text = f"Pod resize {why[0]}: {resizing.details(stored, why[1])}"
                core.event(record, stored, "Warning", f"Resize{why[0]}", text)
            return as_allocated(record, stored)
        ports = usage.ports.get(record.uid, ())
        usage.remove(record.uid, record.asked)
        usage.add(record.uid, wanted, ports)
        record.asked, record.allocated, record.resizing = wanted, {}, []
        core.event(
            record, stored, "Normal", "ResizeStarted", f"Pod resize started: {resizing.details(stored)}"
        )
        for name, container in record.containers.items():
            spec = find_container(stored["spec"], name)
            if (
                container.state == RUNNING
                and resizing.to_change(spec, container)
                and not resizing.needs_restart(spec, container)
            ):
                self.runtime.update_container(record, name, *resizing.limits_of(spec.get("resources") or {}))
        if not resizing.in_progress(stored["spec"], record.containers):
            text = f"Pod resize completed: {resizing.details(stored)}"
            core.event(record, stored, "Normal", "ResizeCompleted", text)
        return stored

    def _end(self, record: PodRecord, pod: JSON | None, action: do.Action) -> None:
        """What can be done without an API object."""
        ending = self.termination
        match action:
            case do.Wait():
                record.again = True
            case do.Terminate(seconds):
                ending.terminate(record, seconds)
            case do.Hurry(seconds):
                ending.hurry(record, seconds)
            case do.Stop(name, seconds):
                ending.stop(record, pod, name, seconds)
            case do.AwaitTurn(name, seconds):
                ending.await_turn(record, name, seconds)
            case do.Signal(name, seconds):
                ending.signal(record, name, seconds)
            case do.Finish():
                ending.finish(record)
            case do.Close():
                ending.close(record)
            case do.Forget():
                ending.forget(record)
                if record.static:
                    self.static_pods.look_again(record.node)
            case do.Mirror():
                self.static_pods.mirror_gone(record)

    def _go_on(self, record: PodRecord, pod: JSON, action: do.Action) -> None:
        """What is done about a Pod that has its API object. Raises ApiError."""
        match action:
            case do.Admit():
                self._admit(record, pod)
            case do.Start(name, backoff):
                if backoff:
                    record.crashes[name] = [backoff, self.clock.now]
                record.todo.append(name)
            case do.Postpone(name, until, message):
                text, path = do.backoff_event(pod, name)
                self.core.event(record, pod, "Warning", "BackOff", text, path)
                record.waiting[name] = ["CrashLoopBackOff", message]
                record.failures.append(until)
            case do.Kill(name, seconds, message):
                self.termination.kill(record, pod, name, seconds, message)
            case do.Clear():
                self._clear(record, pod)
            case do.Fail(reason, message, kind):
                record.outcome = [reason, message]
                if kind:
                    self.core.event(record, pod, kind, reason, message)
            case do.Remove():
                self.termination.remove(record.node, pod)
                if record.gone and self.core.nodes[record.node].cut:
                    self.static_pods.look_again(record.node)
            case _:
                self._end(record, pod, action)

    # ---- a Pod begins ----------------------------------------------------------------------------------

    def _admit(self, record: PodRecord, pod: JSON) -> None:
        core, host = self.core, self.core.nodes[record.node]
        asked, ports = pod_requests(pod["spec"]), host_ports(pod["spec"])
        node = core.ctx.informers.of("nodes").get(record.node)
        why = None
        if node is not None:
            unexpected = self.devices.allocate(record, pod)
            allocatable = self._allocatable(record, node, asked)

            def refused(room: bool) -> tuple[str, str] | None:
                usage, static = host.usage, record.static
                return refusal(
                    pod, node, allocatable, usage, asked, ports, static, host.pressed, unexpected, room
                )

            why = refused(False)
            if why is not None and is_critical(pod, record.static) and refused(True) is None:
                needs = missing(allocatable, host.usage, asked)
                try:
                    self._make_room(record, pod, needs)
                except NobodyGoes as error:
                    why = (
                        UNEXPECTED,
                        f"{_RECOVERY}: preemption: error finding a set of pods to preempt: {error}",
                    )
                else:
                    self.clock.call_later(_RETRY, "kubelet/wake", record.uid)
                    return
        if host.shutdown:
            why = SHUTTING_DOWN
        record.started = self.clock.now
        delay = core.chance.of("mount", record.uid).uniform(0.15, 0.35)
        if why is not None:
            record.outcome = list(why)
            core.later(record, delay, "reject")
            return
        core.claim(record, asked, ports)
        core.write_status(record, pod)
        core.later(record, delay, "mount")

    def _make_room(self, record: PodRecord, pod: JSON, needs: dict[str, int]) -> None:
        """Others of the node go, unless enough are going already. Raises NobodyGoes."""
        going: list[Candidate] = []
        there: list[Candidate] = []
        for other in self.core.records.all():
            if other.node != record.node or not other.counted or (found := self.core.pod_of(other)) is None:
                continue
            if other.evicted == PREEMPTED:
                going.append(candidate(other.uid, found, other.asked))
            elif other.state in (NEW, SYNCING) and preemptable(pod, record.static, found, other.static):
                there.append(candidate(other.uid, found, other.asked))
        for uid in victims(still_needed(needs, going), there):
            self.evict(self.core.records[uid], PREEMPTED)

    def _allocatable(self, record: PodRecord, node: JSON, asked: Amounts) -> Amounts:
        """What the node has, with what others say of it; its devices were given one by one (UpdatePluginResources)."""
        if not any("/" in name for name in asked):
            return ALLOCATABLE
        counted = self.devices.of_plugins(self.core.nodes[record.node])
        said = (node.get("status") or {}).get("allocatable") or {}
        others = {name: amount for name, amount in said.items() if "/" in name and name not in counted}
        return {**amounts(others), **ALLOCATABLE}

    def _reject(self, record: PodRecord, pod: JSON) -> None:
        """The node does not take the Pod. Raises ApiError."""
        if record.state != FINISHED:
            self.core.event(record, pod, "Warning", record.outcome[0], record.outcome[1])
            record.rejected = True
            self.termination.close(record)
        self.core.write_status(record, pod)

    def _mount(self, record: PodRecord, pod: JSON) -> None:
        """Volumes, then the sandbox and its address. Raises ApiError."""
        core = self.core
        node = core.nodes[record.node]
        suffix = self._suffix(record)
        volumes, errors = self.volumes.setup(pod, self._facts(record), self.clock.now, suffix)
        if errors:
            for name, error in errors.items():
                text = f'MountVolume.SetUp failed for volume "{name}" : {error}'
                core.event(record, pod, "Warning", "FailedMount", text)
            delay = min(_MOUNT_RETRY * 2**record.mounts_failed, _MOUNT_RETRY_MAX)
            record.mounts_failed += 1
            core.later(record, delay, "mount", background=record.mounts_failed > 3)
            return
        resolver, told = pod_resolver(pod)
        for text in told:
            core.event(record, pod, "Warning", "DNSConfigForming", text)
        try:
            config = PodSandboxConfig(
                kernel_hostname(pod, node.name),
                pod["metadata"]["namespace"],
                bool(pod["spec"].get("hostNetwork")),
                {**volumes, **node.kept.get(record.uid, {})},
                memory_limits(pod),
                resolver,
                self._handler(pod),
            )
            if record.sandbox_at:
                text = "Pod sandbox changed, it will be killed and re-created."
                core.event(record, pod, "Normal", "SandboxChanged", text)
            self.runtime.run_pod_sandbox(record, config)
            node.kept.pop(record.uid, None)
            self.runtime.mount_disks(record, self.volumes.disks(pod, node.name))
        except (HostnameError, RuntimeFailed) as error:
            text = f"Failed to create pod sandbox: {error}"
            core.event(record, pod, "Warning", "FailedCreatePodSandBox", text)
            core.later(record, PAUSE, "mount", background=True)
            return
        record.state = SYNCING
        self.tokens.mounted(record, pod)
        if disk_limits(pod) or storage_limits(pod):
            self._measure_later(record)
        core.changed(record)
        # This pass has told its status before the volumes were mounted.
        self.act(record, pod, tell=False)

    def _handler(self, pod: JSON) -> str:
        """The runtime that the Pod's runtime class names; "": the usual one."""
        name = pod["spec"].get("runtimeClassName")
        found = self.core.ctx.informers.of("runtimeclasses.node.k8s.io").get(name) if name else None
        return str(found.get("handler") or "") if found is not None else ""

    # ---- one pass --------------------------------------------------------------------------------------

    def step(self, uid: str, epoch: int, action: str, name: str) -> None:
        """Clock event: the next step of a pass."""
        record = self.core.records.get(uid)
        if record is None or record.epoch != epoch or (pod := self.core.pod_of(record)) is None:
            return
        try:
            match action:
                case "mount":
                    if record.state == NEW:  # a step that failed at its end is not done twice
                        self._mount(record, pod)
                case "reject":
                    self._reject(record, pod)
                case "start":
                    self.starter.start(record, pod, name)
                case _:
                    self._next(record, pod)
        except ApiError:
            self.clock.call_later(_RETRY, "kubelet/step", uid, epoch, action, name)

    def finished(self, uid: str) -> None:
        """Clock event: nothing of a Pod runs any more."""
        record = self.core.records.get(uid)
        if record is not None and record.state == TERMINATING:
            self.termination.close(record)
            self.wake(uid)

    def _next(self, record: PodRecord, pod: JSON) -> None:
        """Goes on with the pass: the next container, or its end. Raises ApiError."""
        if record.todo:
            self.starter.begin(record, pod, record.todo.pop(0))
            return
        record.working = False
        if record.failures:
            self._rest(record)
            if 0 in record.failures:
                # Why a container could not be started is told at once; a back-off only at its end.
                self.core.write_status(record, pod)
        if record.again:
            record.again = False
            # What failed has its own time to be tried again; containers that ended meanwhile do not wait.
            if not record.failures or any(c.state == EXITED for c in record.containers.values()):
                self.core.changed(record)

    def _rest(self, record: PodRecord) -> None:
        """Something failed: the next pass comes when its back-off ends, at the latest after a minute.

        Since 1.35 (completeWork, MinBackoffExpiration): until then a Pod in back-off shows how its container ended.
        """
        known = [at for at in record.failures if at]
        seconds = (min(known) - self.clock.now) / SECOND if known else PAUSE
        jitter = 0.5 * self.core.chance.of("resync", record.uid, self.clock.now).random()
        seconds = min(max(seconds, 0.0), RESYNC) * (1 + jitter)
        self.clock.cancel(record.timer)
        record.timer = self.clock.call_later(seconds, "kubelet/resync", record.uid, background=True)

    # ---- volumes ---------------------------------------------------------------------------------------

    def _facts(self, record: PodRecord) -> Facts:
        node = self.core.nodes[record.node]
        policy = self.core.ctx.options.audit_policy
        return Facts(node.name, node.ip, record.ip, CAPACITY, node.control_plane, policy)

    def _suffix(self, record: PodRecord) -> int:
        """The number in the name of a volume's directory of this moment."""
        return self.core.chance.of("volumes", record.uid, self.clock.now).randrange(1 << 32)

    def _measure_later(self, record: PodRecord) -> None:
        record.timers["storage"] = self.clock.call_later(
            _STORAGE_PERIOD, "kubelet/storage", record.uid, background=True
        )

    def measure(self, uid: str) -> None:
        """Clock event: a Pod that has more on the disk than it may is evicted."""
        record = self.core.records.get(uid)
        pod = self.core.pod_of(record) if record is not None else None
        if record is None or pod is None or record.state != SYNCING:
            return
        containers, volumes = stored(self.core.registry, record, pod, self.runtime.look_at(record))
        why = over_limit(pod, containers, volumes, disk_limits(pod))
        if why:
            self.evict(record, why)
        else:
            self._measure_later(record)

    def evict(self, record: PodRecord, why: str) -> None:
        """The Pod ends for that reason."""
        record.evicted = why
        self._look(record)

    def refresh(self, key: str) -> None:
        """An object (``configmaps/namespace/name``) changed: volumes that show it follow."""
        resource, namespace, name = key.split("/")
        for known in self.core.records.all():
            if resource == "pods" and known.key != f"{namespace}/{name}":
                continue
            pod = self.core.pod_of(known)
            if (
                not known.sandbox
                or pod is None
                or not self.core.nodes[known.node].reachable
                or pod["metadata"]["namespace"] != namespace
            ):
                continue
            for volume in pod["spec"].get("volumes") or ():
                if self.volumes.reads(volume, resource, name):
                    self._refresh(known, pod, volume)

    def _refresh(self, known: PodRecord, pod: JSON, volume: JSON) -> None:
        before = self.runtime.volume(known, volume["name"])
        if before is None:
            return
        facts, suffix = self._facts(known), self._suffix(known)
        fresh = self.volumes.refreshed(pod, volume, facts, before, self.clock.now, suffix)
        if fresh is not None:
            self.runtime.set_volume(self.core.records[known.uid], volume["name"], fresh)


def _ephemeral(pod: JSON) -> set[str]:
    return {container["name"] for container in pod["spec"].get("ephemeralContainers") or ()}


def _containers(pod: JSON) -> int:
    """How many the Pod has, of all kinds."""
    return sum(len(pod["spec"].get(kind) or ()) for kind in CONTAINERS)
