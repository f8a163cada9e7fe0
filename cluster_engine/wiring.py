"""How the rooms of one cluster are wired, brought up, and kept as data.

``Wiring`` is all of a cluster but its journal: the clock, etcd, the API server, the components. `cluster.py` is the
facade over it, `performers.py` what the entries of a journal do to it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from cluster_engine.addons import DEFAULT_IP, DEFAULT_NODE, AddonManager
from cluster_engine.api import KINDS
from cluster_engine.api.coordination.v1 import lease
from cluster_engine.apimachinery.scheme import Kind, Scheme
from cluster_engine.client_go import Reader, SharedInformerFactory
from cluster_engine.cloud_controller_manager import CLOUD_CONTROLLERS
from cluster_engine.cloud_provider import Cloud
from cluster_engine.cni.network_policy import NetworkPolicies
from cluster_engine.cni.port_map import PortMap
from cluster_engine.component import (
    MAX_CONTROL_PLANES,
    ClusterOptions,
    Component,
    Context,
    Processes,
    user_of,
)
from cluster_engine.controlplane import (
    Aggregator,
    CustomResources,
    FlowControl,
    PostStartHooks,
    RepairIPAddresses,
)
from cluster_engine.coredns import Resolver
from cluster_engine.etcd import Stamp, Store
from cluster_engine.etcd.keys import Keys
from cluster_engine.kube_apiserver import APIServer, Inside
from cluster_engine.kube_apiserver.standing import standing
from cluster_engine.kube_controller_manager import CONTROLLERS
from cluster_engine.kube_proxy import Proxy
from cluster_engine.kube_scheduler import Scheduler
from cluster_engine.kubelet import Kubelets
from cluster_engine.leader_election import LeaderElection
from cluster_engine.metrics_server import MetricsServer
from cluster_engine.network import Network, Outside
from cluster_engine.sim import (
    INSTALLATION_SEED,
    SECOND,
    BudgetExceeded,
    Chance,
    Clock,
    Failures,
    parse_rfc3339,
)

COMPONENTS: tuple[type[Component], ...] = (
    PostStartHooks,
    CustomResources,
    Aggregator,
    FlowControl,
    RepairIPAddresses,
    MetricsServer,
    LeaderElection,
    *CONTROLLERS,
    Scheduler,
    Kubelets,
    AddonManager,
)
"""Every component of the cluster, in the order in which they see a change."""

RENEWED: dict[str, Stamp] = {"leases.coordination.k8s.io": lease.renewed}
"""Resources whose objects can be renewed by the store itself, and what a renewal changes."""

_OWN = frozenset(kind.group_resource for kind in KINDS)
"""Resources whose keys in etcd stand below /registry by their plural alone."""

SETTLE_EVENTS = 2_000_000
"""Clock events that one settle, wait or advance may run; a cluster that needs more is running away."""

INSTALLATIONS_KEPT = 16
"""Installed clusters that a process keeps to copy from; the one not used for longest goes."""
INSTALLATION_NODES = 100
"""Nodes that a kept one has at most."""
BOOT_SECONDS = 600.0
"""Virtual seconds within which the system Pods must be Ready."""

_installations: OrderedDict[ClusterOptions, Wiring] = OrderedDict()


class Wiring:
    """The rooms of one cluster. All times are virtual; nothing here reads the wall clock."""

    def __init__(self, options: ClusterOptions, kinds: Iterable[Kind] = KINDS) -> None:
        """Nothing runs yet. Raises ValueError for options that no cluster can have."""
        if not 0 <= options.nodes <= 5_000:
            raise ValueError(f"nodes must be between 0 and 5000, found {options.nodes}")
        if not 1 <= options.control_planes <= MAX_CONTROL_PLANES or options.control_planes % 2 == 0:
            raise ValueError(
                f"control planes are 1, 3 or {MAX_CONTROL_PLANES}, found {options.control_planes}"
            )
        self.options = options
        self.clock = Clock(parse_rfc3339(options.start), Failures(options.strict))
        self.chance = Chance(options.seed)
        born = standing(options.start, options.cloud, options.freezing)
        self.store = Store(self.clock, freezing=options.freezing, stamps=RENEWED, standing=born)
        self.scheme = Scheme(kinds)
        self.server = APIServer(self.clock, self.chance, self.store, self.scheme, options)
        self.informers = SharedInformerFactory(self.store)
        proxy, resolver = Proxy(self._read_as("kube-proxy")), Resolver(self._read_as("coredns"))
        ports = PortMap(proxy, self.informers)
        self.network = Network(self.clock, ports, self.chance, (NetworkPolicies(self.informers),))
        self.network.served = proxy.health
        self.outside = Outside(self.network, proxy.from_outside, (DEFAULT_NODE, DEFAULT_IP))
        keys = Keys(self.store, _OWN)
        inside = Inside(self.clock, self.chance, self.server, self.store)
        calls: dict[str, Callable[[Any], Any]] = {
            "dns": resolver.answer,
            "etcd": keys.answer,
            "iptables": proxy.listed,
            "http": inside.answer,
            "watch": inside.watch,
            "follow": inside.follow,
            "token": self.server.mounted_token,
        }
        processes = Processes(self.clock, self.informers, options.control_plane_names())
        self.context = Context(
            self.clock,
            self.chance,
            self.informers,
            self.server,
            options,
            self.network,
            processes,
            Cloud(options.spare_machines()),
            calls,
        )
        self.components: dict[str, Component] = {}
        contexts = {("", ""): self.context}
        for component in (*COMPONENTS, *(CLOUD_CONTROLLERS if options.cloud else ())):
            reader = (component.reads_as, component.process if component.reads_as else "")
            if reader not in contexts:
                contexts[reader] = self.context.read_as(*reader)
            built = component(contexts[reader])
            self.components[built.name] = built
        self.clock.owner = ""

    def _read_as(self, account: str) -> SharedInformerFactory:
        """Informers of a workload of kube-system, which reads as its service account."""
        user = user_of(f"system:serviceaccount:kube-system:{account}")
        return self.informers.read_as(Reader(self.server, self.clock, user, account))

    def begin(self) -> None:
        """Puts in what is there before anybody has done anything: the roles, and who has them."""
        self.store.begin()
        self.informers.load({})

    def boot(self) -> None:
        """Starts every component and runs until the system Pods are Ready, as every cluster of these options does."""
        self.chance.reseed(INSTALLATION_SEED)
        for component in self.components.values():
            component.start()
        self.run_settled(BOOT_SECONDS)
        self.chance.reseed(self.options.seed)

    def run_settled(self, limit: float) -> bool:
        """Runs until only background upkeep is left, at most ``limit`` virtual seconds. True when settled."""
        clock = self.clock
        deadline = clock.now + round(limit * SECOND)
        for _ in range(SETTLE_EVENTS):
            if not clock.busy:
                # What is due right now belongs to this instant, upkeep too: a replay runs it before going on.
                clock.run_until(clock.now)
                if not clock.busy:
                    return True
            due = clock.next_due()
            if due is None or due > deadline:
                clock.run_until(deadline)
                return not clock.busy
            clock.step()
        raise BudgetExceeded(f"more than {SETTLE_EVENTS} events without settling")

    def save(self) -> dict[str, Any]:
        """Everything that makes this cluster go on as it would; objects by reference."""
        return {
            "clock": self.clock.state(),
            "failures": self.clock.failures.state(),
            "store": self.store.state(),
            "informers": self.informers.state(),
            "server": self.server.state(),
            "network": self.network.state(),
            "components": {
                name: saved
                for name, component in self.components.items()
                if not _is_idle(saved := component.save_all())
            },
            "recorders": {
                n: recorder.state() for n, recorder in self.context.recorders.items() if recorder.used
            },
        }

    def load(self, saved: dict[str, Any]) -> None:
        """Takes over what ``save`` gave."""
        self.clock.failures.load(saved["failures"])
        self.store.load(saved["store"])
        self.informers.load(saved["informers"])
        self.server.load(saved["server"])
        self.network.load(saved["network"])
        for name, component in self.components.items():
            if name in saved["components"]:
                component.load_all(saved["components"][name])
            elif not component.state():
                component.load({})
        for name, state in saved["recorders"].items():
            self.context.recorders[name].load(state)
        # Last: whatever the components scheduled while they were built is replaced by what was saved.
        self.clock.load(saved["clock"])

    def share(self, other: Wiring) -> None:
        """As ``load`` of what ``other`` would save, but by reference: what it costs does not grow with objects."""
        self.clock.failures.load(other.clock.failures.state())
        self.store.share(other.store)
        self.informers.share(other.informers)
        self.server.share(other.server)
        self.network.share(other.network)
        for name, component in other.components.items():
            self.components[name].share_all(component)
        for name, recorder in other.context.recorders.items():
            self.context.recorders[name].share(recorder)
        self.clock.share(other.clock)


def installed(options: ClusterOptions, kinds: Iterable[Kind] = KINDS) -> Wiring:
    """A booted cluster of these options, whatever their seed and images (none of which a boot uses): to share from,
    never to run.

    Kept for the next who asks, unless it serves other kinds than KINDS or has very many nodes.
    """
    key = replace(options, seed=INSTALLATION_SEED, images="")
    found = _installations.get(key) if kinds is KINDS else None
    if found is None:
        found = Wiring(key, kinds)
        found.begin()
        found.boot()
        if kinds is KINDS and key.nodes <= INSTALLATION_NODES:
            _installations[key] = found
    else:
        _installations.move_to_end(key)
    if len(_installations) > INSTALLATIONS_KEPT:
        _installations.popitem(last=False)
    return found


def forget_installations() -> None:
    """Nothing is kept any more (a test has changed what a boot does)."""
    _installations.clear()


def _is_idle(saved: dict[str, Any]) -> bool:
    """Whether a component has nothing to tell: it is left out of what is kept, and loaded with nothing."""
    return not saved["state"] and not any(any(queue.values()) for queue in saved["queues"])
