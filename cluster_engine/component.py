"""What every component of the cluster is: built from a context, started once, saved and loaded as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Self
from zlib import crc32

from cluster_engine.apimachinery.scheme import Scheme
from cluster_engine.client_go import Client, EventRecorder, Reader, SharedInformerFactory, WorkQueue
from cluster_engine.cloud_provider import SPARE_MACHINES, Cloud
from cluster_engine.kube_apiserver import API_SERVER, ETCD, APIServer, UserInfo
from cluster_engine.network import Network
from cluster_engine.sim import EVERYBODY, Chance, Clock, Failures


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """How a cluster is made. Part of the journal's header: the same options give the same cluster."""

    nodes: int = 3
    seed: int = 0
    start: str = "2026-01-01T00:00:00Z"
    addons: bool = True
    control_plane: bool = True
    """Whether the first node is a tainted control-plane node with the static system Pods on it."""
    control_planes: int = 1
    """How many control-plane nodes there are, of ``nodes``, if there is one: an odd number up to MAX_CONTROL_PLANES."""
    cloud: bool = False
    """Whether it stands on the simulated cloud, and has its cloud-controller-manager."""
    scheduler_config: str = ""
    """A KubeSchedulerConfiguration as YAML; "": kube-scheduler's defaults."""
    kubelets: str = ""
    """The flags of nodes' kubelets as YAML (`kubelet/flags.py`): ``{worker-1: {register-node: false}}``; "": none."""
    admission_plugins: str = ""
    """Admission plugins that are on beside the usual ones, with commas between: AlwaysPullImages."""
    audit_policy: str = ""
    """A Policy of audit.k8s.io as YAML; "": no request is written to an audit log."""
    images: str = ""
    """Images that its registries have beside the usual ones, as YAML (`container_runtime/declared`); "": none."""
    max_objects: int = 20_000
    max_pods: int = 5_000
    freezing: bool = False
    """Raise on any mutation of a stored object (tests)."""
    strict: bool = field(default_factory=lambda: Failures.strict_by_default)
    """Let every unexpected exception through, instead of noting it as a failure and going on (tests)."""

    def node_names(self) -> list[tuple[str, bool]]:
        """(name, whether it is a control-plane node) of every node; machines that are to spare are none yet."""
        count = min(self.control_planes, self.nodes) if self.control_plane else 0
        names = [(f"control-plane{i + 1 if i else ''}", True) for i in range(count)]
        return names + [(f"worker-{i + 1}", False) for i in range(self.nodes - len(names))]

    def control_plane_names(self) -> tuple[str, ...]:
        """The nodes on which kubeadm has made a control plane."""
        names = self.node_names() if self.addons else []
        return tuple(name for name, control_plane in names if control_plane)

    def spare_machines(self) -> list[str]:
        """The machines that the cloud has beside those of nodes."""
        first = 1 + sum(not control_plane for _name, control_plane in self.node_names())
        return [f"worker-{first + i}" for i in range(SPARE_MACHINES if self.cloud else 0)]

    def as_dict(self) -> dict[str, Any]:
        """What is not said is left out."""
        found = {name: value for name in self.__dataclass_fields__ if (value := getattr(self, name)) != ""}
        return (
            found if self.control_planes != 1 else {k: v for k, v in found.items() if k != "control_planes"}
        )


MAX_CONTROL_PLANES = 5
"""Control-plane nodes that a cluster has at most."""
ELECTED = ("kube-controller-manager", "kube-scheduler")
"""Processes of which the one that holds the lease of their name acts (``--leader-elect``)."""
ADMISSION_POLICIES = (
    "validatingadmissionpolicies.admissionregistration.k8s.io",
    "validatingadmissionpolicybindings.admissionregistration.k8s.io",
    "mutatingadmissionpolicies.admissionregistration.k8s.io",
    "mutatingadmissionpolicybindings.admissionregistration.k8s.io",
)
"""What may refuse or change the renewal of a lease."""


class Processes:
    """The processes of the control plane that can stop: what they do and see stands still until they start again.

    Without any API server, or with less than most of the members of etcd behind them, nobody can do anything.
    ``hosts``: the nodes with a control plane, of which each has all processes.
    """

    def __init__(self, clock: Clock, informers: SharedInformerFactory, hosts: tuple[str, ...] = ()) -> None:
        self._clock = clock
        self._informers = informers
        self.hosts = hosts
        self.away: dict[str, list[str]] = {}
        """Process -> the hosts on which it does not run, in their order; where it does on all, it is not named."""
        self.outage_changed: list[Callable[[], None]] = []
        """Told when the API begins or ceases to be out of reach."""
        self.turned: Callable[[str, str, bool], None] = lambda process, host, runs: None
        """Told when one of ELECTED begins or ends on a host: it does something only while it leads."""
        self.servers_changed: Callable[[], None] = lambda: None
        """Told when an API server begins or ends."""
        self.give_up: Callable[[str, str], None] = lambda process, host: None
        """Ends the process on that host with the status 1."""

    @property
    def outage(self) -> bool:
        """Whether nothing can be written to the cluster."""
        return self._clock.is_halted(API_SERVER) or self._clock.is_halted(ETCD)

    @property
    def without_etcd(self) -> bool:
        """Whether most members of etcd are away."""
        return self._clock.is_halted(ETCD)

    def began(self, process: str, host: str) -> None:
        """The process runs on that host."""
        self._turn(process, host, runs=True)

    def ended(self, process: str, host: str) -> None:
        """It does not run there any more."""
        self._turn(process, host, runs=False)

    def runs_on(self, process: str, host: str) -> bool:
        """Whether it runs there."""
        return host not in self.away.get(process, ())

    def _turn(self, process: str, host: str, *, runs: bool) -> None:
        away = [other for other in self.away.get(process, ()) if other != host]
        self.away[process] = away if runs else sorted([*away, host])
        if not self.away[process]:
            del self.away[process]
        if process in ELECTED:
            self.turned(process, host, runs)
            return
        there = len(self.hosts) - len(self.away.get(process, ()))
        needed = len(self.hosts) // 2 + 1 if process == ETCD else 1
        (self.start if there >= needed else self.stop)(process)
        if process == API_SERVER:
            self.servers_changed()

    def stop(self, process: str) -> None:
        """It does nothing any more, and is told of nothing."""
        if self._clock.is_halted(process):
            return
        before = self.outage
        self._clock.halt(process)
        self._informers.halt(process)
        if self.outage and not before:
            self._clock.halt(EVERYBODY)
            self._outage_has_changed()

    def start(self, process: str) -> None:
        """It hears what has happened, then does what was due meanwhile."""
        if not self._clock.is_halted(process):
            return
        before = self.outage
        self._clock.go_on(process)
        self._informers.resume(process)
        if before and not self.outage:
            self._clock.go_on(EVERYBODY)
            self._outage_has_changed()

    def _outage_has_changed(self) -> None:
        for tell in self.outage_changed:
            tell()


@dataclass(slots=True)
class Context:
    """What a component may touch: the clock, chance, informers, clients, recorders and the network. Never etcd."""

    clock: Clock
    chance: Chance
    informers: SharedInformerFactory
    server: APIServer
    options: ClusterOptions
    network: Network
    processes: Processes
    cloud: Cloud
    """What the cluster stands on, if it stands on the simulated cloud."""
    calls: Mapping[str, Callable[[Any], Any]]
    """What programs may ask their host for, beside the kernel: name -> who answers."""
    recorders: dict[str, EventRecorder] = field(default_factory=dict)
    accounts: list[str] = field(default_factory=list)
    """The service accounts of kube-system as which controllers act."""

    @property
    def control_planes(self) -> tuple[str, ...]:
        """The nodes on which kubeadm has made a control plane."""
        return self.options.control_plane_names()

    @property
    def scheme(self) -> Scheme:
        """The kinds that the cluster serves; components follow it."""
        return self.server.registry.scheme

    def client(self, username: str, manager: str, groups: tuple[str, ...] = ()) -> Client:
        """A client that acts as ``username``; service accounts and nodes get their groups by themselves."""
        return Client(self.server, user_of(username, groups), manager)

    def read_as(self, username: str, process: str) -> Context:
        """The same for a component whose informers list and watch as ``username``."""
        reader = Reader(self.server, self.clock, user_of(username), process)
        # As dataclasses.replace, which takes ten times as long: every fork makes some of them.
        return Context(
            self.clock,
            self.chance,
            self.informers.read_as(reader),
            self.server,
            self.options,
            self.network,
            self.processes,
            self.cloud,
            self.calls,
            self.recorders,
            self.accounts,
        )

    def recorder(self, component: str, client: Client, host: str = "") -> EventRecorder:
        """The recorder of a component on a host, writing with that client: one per pair, made when the component is."""
        name = f"{component}/{host}"
        recorder = self.recorders.get(name)
        if recorder is None:
            place = crc32(name.encode()) % 900
            recorder = self.recorders[name] = EventRecorder(client, self.clock, component, host, place)
        return recorder


@lru_cache(maxsize=4096)
def user_of(username: str, groups: tuple[str, ...] = ()) -> UserInfo:
    """The user of that name with the groups that follow from it."""
    if username.startswith("system:serviceaccount:"):
        namespace = username.split(":")[2]
        groups = (*groups, "system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    elif username.startswith("system:node:"):
        groups = (*groups, "system:nodes")
    return UserInfo(username, groups=(*groups, "system:authenticated"))


class Component:
    """A part of the control plane or of a node.

    The constructor registers clock handlers and informer hooks and writes nothing; ``start`` schedules the
    first work. After ``load`` a component behaves exactly as the one whose ``state`` it was given.
    """

    name: str = ""
    process: str = ""
    """Whose log tells of it, and with which it stops: the container of a static Pod."""
    reads_as: str = ""
    """The user as whom its informers list and watch; "": it is trusted."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.clock = ctx.clock
        self.clock.owner = self.process
        self._queues: list[WorkQueue] = []

    def new_queue(
        self,
        reconcile: Callable[[str], None],
        suffix: str = "",
        latency: float = 0.005,
        priority: int = 50,
    ) -> WorkQueue:
        """A work queue of this component, saved and loaded with it."""
        name = f"{self.name}/{suffix}" if suffix else self.name
        queue = WorkQueue(self.clock, name, reconcile, latency, priority, self.process)
        self._queues.append(queue)
        return queue

    def start(self) -> None:
        """Schedules the first work. Called once in a cluster's life, not after a restore."""

    def state(self) -> dict[str, Any]:
        """JSON data that cannot be derived from the store (queues aside)."""
        return {}

    def load(self, state: dict[str, Any]) -> None:
        """Takes over what ``state`` gave."""

    def share(self, other: Self) -> None:
        """As ``load``, from a component of another cluster: whatever neither changes in place may be shared."""
        self.load(other.state())

    def share_all(self, other: Self) -> None:
        for queue, theirs in zip(self._queues, other._queues, strict=True):
            queue.share(theirs)
        kind = self.__class__
        if (kind.share, kind.state, kind.load) != _STATELESS:
            self.share(other)

    def save_all(self) -> dict[str, Any]:
        return {"state": self.state(), "queues": [queue.state() for queue in self._queues]}

    def load_all(self, saved: dict[str, Any]) -> None:
        for queue, state in zip(self._queues, saved["queues"], strict=True):
            queue.load(state)
        self.load(saved["state"])


_STATELESS = Component.share, Component.state, Component.load
"""The methods of a component that keeps nothing beside the store and its queues, as most of a fork's 44."""


class Controller(Component):
    """A control loop: informer handlers enqueue keys, ``reconcile`` compares and writes.

    Models the shape of k8s.io/kubernetes/pkg/controller: level driven, not edge driven.
    """

    process = "kube-controller-manager"
    reads_as = "system:kube-controller-manager"  # upstream's controllers share the informers of one client
    latency: float = 0.005
    priority: int = 50
    account: str = ""
    """The service account as which it acts, where that is not its name."""

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.queue = self.new_queue(self.reconcile, latency=self.latency, priority=self.priority)
        account = self.account or self.name
        if account not in ctx.accounts:
            ctx.accounts.append(account)
        self.client = ctx.client(
            f"system:serviceaccount:kube-system:{account}",
            manager="kube-controller-manager",
        )

    def reconcile(self, key: str) -> None:
        """Brings the object of that key one step nearer to its spec. May raise ApiError: it is tried again."""
        raise NotImplementedError
