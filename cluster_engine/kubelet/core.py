"""What all parts of the kubelets share: tables of nodes and Pods, identities, the relist, status writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.client_go import Client, EventRecorder
from cluster_engine.cni import HostLocal, node_address, pod_range
from cluster_engine.component import Context
from cluster_engine.component_helpers.host_ports import Port
from cluster_engine.component_helpers.requests import Amounts, amounts
from cluster_engine.container_runtime.declared import registry_of
from cluster_engine.kubelet.admission import Usage
from cluster_engine.kubelet.flags import FlagError, Flags, check, flags_of, kubelets_of
from cluster_engine.kubelet.node_pki import Place
from cluster_engine.kubelet.record import PodRecord, record_uid
from cluster_engine.kubelet.records import Records
from cluster_engine.kubelet.resizing import IN_PROGRESS, details, with_resources
from cluster_engine.kubelet.status import pod_status
from cluster_engine.sim import SECOND, Roots, merged

RELIST = 1 * SECOND
UPDATE_PERIOD = 10.0
"""Seconds between two looks of a kubelet at its node's status (nodeStatusUpdateFrequency)."""
CAPACITY = {
    "cpu": "4",
    "ephemeral-storage": "103133176Ki",
    "hugepages-1Gi": "0",
    "hugepages-2Mi": "0",
    "memory": "8140296Ki",
    "pods": "110",
}
"""Of every node; all of it is allocatable."""
ALLOCATABLE = amounts(CAPACITY)
ON, BOOTING, OFF = "on", "booting", "off"
"""The power of a node's machine."""
UNATTENDED = "unattended"
"""It is on and its containers run, but its kubelet does not."""


@dataclass(slots=True)
class Node:
    """One node's kubelet."""

    name: str
    index: int
    control_plane: bool
    client: Client
    recorder: EventRecorder
    addresses: HostLocal
    images: dict[str, int] = field(default_factory=dict)
    """References that were pulled, and when."""
    pull_free_at: int = 0
    """Images are pulled one after the other."""
    pulling: dict[str, int] = field(default_factory=dict)
    """References that are being pulled, and when the last of those pulls ends."""
    dirty: dict[str, Roots] = field(default_factory=dict)
    """Pods whose containers changed since the last relist, by uid, and why."""
    relist: int | None = None
    relist_waited: bool = False
    usage: Usage = field(default_factory=Usage)
    registered: bool = False
    ready: bool = False
    leased: bool = False
    power: str = ON
    boots: int = 0
    """How often its machine was switched off: clock events of an earlier life are void."""
    restarts: int = 0
    """How often its kubelet was stopped: neither does that kubelet's later business count."""
    cut: bool = False
    """Whether it cannot reach the control plane, nor be reached: for whatever reason."""
    partitioned: bool = False
    """Whether that is for want of a way."""
    flags: Flags = field(default_factory=Flags)
    """What its kubelet was started with: it follows from ``given``."""
    given: JSON = field(default_factory=dict)
    """The same as it was written. From the cluster's options it is no state, from the node's files it is."""
    from_files: bool = False
    complaint: list[Any] = field(default_factory=list)
    """[when (µs), why] its kubelet did not start, or what one that runs said of its configuration; then how often
    systemd has started it again by itself."""
    taken: dict[str, int] = field(default_factory=dict)
    """Percent of its ``memory`` and ``disk`` that something takes which is no Pod."""
    pressed: dict[str, int] = field(default_factory=dict)
    """The conditions of pressure that it has, and when (µs) each was last seen."""
    collected: bool = True
    """Whether the last collection of images freed enough."""
    collects_at: int = 0
    """When (µs) the next one is; 0 while nobody looks at the node, for nothing takes of it."""
    shutdown: list[int] = field(default_factory=list)
    """While its machine goes down: when (µs) the Pods' time ends that are not critical, then the critical ones'."""
    seen: dict[str, JSON] = field(default_factory=dict)
    """While it is cut off: its Pods as it last saw them, by the records' uids."""
    kept: dict[str, dict[str, JSON]] = field(default_factory=dict)
    """While it is off: what is on its disk of each Pod's emptyDir volumes."""

    @property
    def life(self) -> tuple[Any, ...]:
        """What clock events of the node begin with: its name, and which of its and its kubelet's lives they are of."""
        if self.restarts:
            return self.name, self.boots, self.restarts
        return (self.name, self.boots) if self.boots else (self.name,)

    @property
    def reachable(self) -> bool:
        """Whether the control plane and the kubelet can talk."""
        return self.power == ON and not self.cut

    @property
    def ip(self) -> str:
        """The InternalIP."""
        return node_address(self.index)

    def state(self) -> list[Any]:
        return [
            list(self.images.items()),
            self.pull_free_at,
            list(self.pulling.items()),
            list(self.dirty.items()),
            self.relist,
            self.relist_waited,
            self.registered,
            self.ready,
            self.leased,
            self.addresses.state(),
            self.usage.state(),
            self._service(),
            self.boots,
            self.cut,
            list(self.seen.items()),
            [[uid, list(volumes.items())] for uid, volumes in self.kept.items()],
            *([self.partitioned, *self.shutdown] if self.shutdown or self.partitioned != self.cut else []),
        ]

    def _service(self) -> Any:
        """How its power is, with how its kubelet was started where that is not as at first."""
        if not self.restarts:
            return self.power
        more = [self.given if self.from_files else None, *self.complaint]
        return [self.power, self.restarts, *(more if self.from_files or self.complaint else ())]

    def load(self, state: list[Any]) -> None:
        self.images = {name: at for name, at in state[0]}  # noqa: C416  (pairs are lists after JSON)
        self.pull_free_at = state[1]
        self.pulling = {name: at for name, at in state[2]}  # noqa: C416
        self.dirty = {uid: tuple(roots) for uid, roots in state[3]}
        self.relist, self.relist_waited, self.registered, self.ready, self.leased = state[4:9]
        self.addresses.load(state[9])
        self.usage.load(state[10])
        power, self.boots, self.cut = state[11:14]
        self.power, self.restarts, given, *self.complaint = (
            (power, 0, None) if isinstance(power, str) else power if len(power) > 2 else (*power, None)
        )
        if given is not None:
            self.given, self.flags, self.from_files = given, flags_of(given), True
        self.seen = {uid: pod for uid, pod in state[14]}  # noqa: C416
        self.kept = {uid: dict(volumes) for uid, volumes in state[15]}
        self.partitioned = state[16] if len(state) > 16 else self.cut
        self.shutdown = list(state[17:])


class Core:
    """Shared by the parts of the kubelets; it decides nothing."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.clock = ctx.clock
        self.chance = ctx.chance
        self.pods = ctx.informers.of("pods")
        self.registry = registry_of(ctx.options.images)
        self.nodes: dict[str, Node] = {}
        self.records = Records()
        self.failing: list[str] = []
        """Registries that fail."""
        spare = ctx.options.spare_machines()
        names = [*ctx.options.node_names(), *((name, False) for name in spare)]
        given = kubelets_of(ctx.options.kubelets)
        if unknown := sorted(given.keys() - {name for name, _control_plane in names}):
            raise FlagError(f"flags are given to the kubelet of {', '.join(unknown)}, which is no node")
        for index, (host, control_plane) in enumerate(names):
            flags = flags_of(given.get(host, {}))
            check(flags, node_address(index), control_plane)
            name = flags.hostname_override or host
            client = ctx.client(f"system:node:{name}", manager="kubelet")
            recorder = ctx.recorder("kubelet", client, name)
            addresses = HostLocal(pod_range(index))
            node = Node(name, index, control_plane, client, recorder, addresses)
            node.flags, node.given = flags, given.get(host, {})
            node.power = OFF if host in spare else ON
            self.nodes[name] = node

    # ---- records ---------------------------------------------------------------------------------------

    def pod_of(self, record: PodRecord) -> JSON | None:
        """The API object, if it is still this Pod's; a node that is cut off knows what it saw last."""
        node = self.nodes[record.node]
        if node.cut:
            return node.seen.get(record.uid)
        pod = self.pods.get(record.key)
        return as_allocated(record, pod) if pod is not None and record_uid(pod) == record.uid else None

    def pki_of(self, name: str) -> Place | None:
        """Whose certificates lie on a node; None in a cluster that nobody has installed anything in."""
        node, options = self.nodes[name], self.ctx.options
        return (
            Place(name, node.ip, node.control_plane, options.seed, options.start) if options.addons else None
        )

    def claim(self, record: PodRecord, asked: Amounts, ports: tuple[Port, ...]) -> None:
        """The Pod counts on its node from now on."""
        record.asked, record.counted = asked, True
        self.nodes[record.node].usage.add(record.uid, asked, ports)

    def release(self, record: PodRecord) -> None:
        """It does not count any more."""
        if record.counted:
            record.counted = False
            self.nodes[record.node].usage.remove(record.uid, record.asked)
            for other in self.records.all():
                if other.resizing and other.node == record.node:
                    self.wake(other)

    def forget(self, record: PodRecord) -> None:
        """Drops a Pod of which nothing is left."""
        self.clock.cancel(record.timer)
        for timer in record.timers.values():
            self.clock.cancel(timer)
        self.records.remove(record)

    # ---- relist and status -----------------------------------------------------------------------------

    def changed(self, record: PodRecord) -> None:
        """A container changed: the node's next relist will notice (PLEG)."""
        node = self.nodes[record.node]
        node.dirty[record.uid] = merged(node.dirty.get(record.uid, ()), self.clock.causes.roots)
        if node.relist is not None and not record.quiet and not node.relist_waited:
            self.clock.cancel(node.relist)
            node.relist = None
        if node.relist is None:
            # All nodes relist on the same beat: what happened in a second is one batch for the controllers.
            due = self.clock.now // RELIST * RELIST + RELIST
            node.relist_waited = not record.quiet
            node.relist = self.clock.call_at(due, "kubelet/relist", *node.life, background=record.quiet)

    def relisted(self, node_name: str) -> dict[str, Roots]:
        """The Pods, by uid, whose containers changed since the last relist, and why."""
        node = self.nodes[node_name]
        node.relist = None
        dirty, node.dirty = node.dirty, {}
        return dirty

    def wake(self, record: PodRecord) -> None:
        """Something about the Pod may have changed: it is looked at in this instant."""
        self.clock.call_at(self.clock.now, "kubelet/wake", record.uid)

    def tell(self, node: Node, *, after: int = 0, background: bool = True) -> None:
        """Something of the node's status may be another: its kubelet sees it when it next looks, ``after`` µs on."""
        period = round((node.flags.node_status_update_frequency or UPDATE_PERIOD) * SECOND)
        due = ((self.clock.now + after) // period + 1) * period
        self.clock.call_at(due, "kubelet/tell", *node.life, background=background)

    def later(
        self, record: PodRecord, seconds: float, action: str, name: str = "", background: bool = False
    ) -> None:
        """Goes on with the Pod's present pass later: ``mount``, ``start`` a container, ``next``."""
        self.clock.call_later(
            seconds,
            "kubelet/step",
            record.uid,
            record.epoch,
            action,
            name,
            background=background or record.quiet,
        )

    def write_status(self, record: PodRecord, pod: JSON) -> JSON:
        """Writes the status when it differs; the Pod as it is now stored. Raises ApiError."""
        node = self.nodes[record.node]
        status = pod_status(record, pod, node.ip, self.clock.now, self.registry)
        if status == pod.get("status"):
            return pod
        if _resized(pod.get("status") or {}, status):
            self.event(record, pod, "Normal", "ResizeCompleted", f"Pod resize completed: {details(pod)}")
        if node.cut:
            told = node.seen[record.uid] = {**pod, "status": status}
            return told
        try:
            return as_allocated(record, node.client.update_status("pods", {**pod, "status": status}))
        except ApiError as error:
            if error.code in (404, 409):
                return pod
            raise

    def event(self, record: PodRecord, pod: JSON, kind: str, reason: str, text: str, path: str = "") -> None:
        """An event about the Pod, or about one of its containers."""
        node = self.nodes[record.node]
        if node.reachable:
            node.recorder.event(pod, kind, reason, text, field_path=path)


def _resized(before: JSON, status: JSON) -> bool:
    """Whether a resize that was under way is done."""
    was, now = (
        any(c["type"] == IN_PROGRESS for c in told.get("conditions") or ()) for told in (before, status)
    )
    return was and not now


def as_allocated(record: PodRecord, pod: JSON) -> JSON:
    """The Pod as its node holds to it: with what is allocated to it, while it asks for something else."""
    return with_resources(pod, record.allocated) if record.allocated else pod
