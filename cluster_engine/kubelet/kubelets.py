"""The component: all nodes' kubelets on one queue, wired together from their parts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from cluster_engine.apimachinery.cow import JSON, key_of
from cluster_engine.client_go import Change
from cluster_engine.component import Component, Context
from cluster_engine.component_helpers.conditions import condition_of
from cluster_engine.container_runtime.container import Container
from cluster_engine.kubelet.audit_files import AuditFiles
from cluster_engine.kubelet.core import BOOTING, OFF, ON, Core
from cluster_engine.kubelet.devices import Devices
from cluster_engine.kubelet.egress import Egress
from cluster_engine.kubelet.environment import Environment
from cluster_engine.kubelet.faults import Faults
from cluster_engine.kubelet.lifecycle import Lifecycle
from cluster_engine.kubelet.logins import Logins
from cluster_engine.kubelet.node import Nodes
from cluster_engine.kubelet.node_logs import NodeLogs
from cluster_engine.kubelet.node_network import NodeNetwork
from cluster_engine.kubelet.port_forward import PortForward
from cluster_engine.kubelet.pressure import Pressure
from cluster_engine.kubelet.prober import Prober
from cluster_engine.kubelet.record import PodRecord
from cluster_engine.kubelet.runtime import Runtime
from cluster_engine.kubelet.server import NodeServer, fetched
from cluster_engine.kubelet.starter import Starter
from cluster_engine.kubelet.static_pods import StaticPods
from cluster_engine.kubelet.termination import Termination
from cluster_engine.kubelet.volumes import MountError, Volumes, disk_of
from cluster_engine.kubelet.worker import Worker

LATENCY = 0.010
RECONCILE = 10.0
"""Seconds after which a kubelet makes good a status that somebody else wrote (status_manager.go, syncPeriod)."""


class Kubelets(Component):
    """Every node's kubelet. One table of Pods, but each node acts as itself."""

    name = "kubelet"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.core = core = Core(ctx)
        calls = {
            **ctx.calls,
            "cri": self._cri,
            "interfaces": self._interfaces,
            "systemd": self._systemd,
            "journal": self._journal,
            "node-logs": self._node_logs,
            "node-processes": self._node_processes,
        }
        self.runtime = runtime = Runtime(core, ctx.network, calls, self._exited)
        self.logins: Logins = Logins(core, runtime)
        self.network: NodeNetwork = NodeNetwork(core, runtime)
        self.logs: NodeLogs = NodeLogs(core, runtime)
        AuditFiles(core, runtime)
        prober, lifecycle = Prober(core, runtime), Lifecycle(core, runtime)
        runtime.sandboxes.disturbed = prober.disturbed
        termination = Termination(core, runtime, lifecycle, prober)
        environment = Environment(ctx.informers)
        self.devices = devices = Devices(core)
        starter = Starter(core, runtime, environment, prober, lifecycle, termination, devices)
        static_pods = StaticPods(core, runtime)
        self.nodes = Nodes(core, static_pods, devices)
        volumes = Volumes(ctx.informers, lambda: runtime.disks, runtime.place_of_node, core.pki_of)
        self.worker = worker = Worker(
            core, runtime, volumes, starter, prober, termination, static_pods, devices
        )
        self.pressure = Pressure(core, runtime, self.nodes, worker.evict)
        self.queue = self.new_queue(worker.sync, latency=LATENCY)
        self.faults = Faults(
            core,
            runtime,
            self.nodes,
            prober,
            self.pressure,
            self.logins,
            static_pods,
            devices,
            ctx.network.wires,
            self._look,
            self.network_changed,
        )
        ctx.processes.outage_changed.append(self.faults.outage_changed)
        ctx.processes.give_up = self.faults.give_up
        self._without_power()
        self.refreshes = self.new_queue(worker.refresh, "refresh")
        for resource in ("configmaps", "secrets"):
            shown = partial(self._shown, resource)
            ctx.informers.of(resource).on(shown, partial(self._shown_again, resource), shown)
        ctx.informers.of("persistentvolumes").on(delete=self._volume_deleted)
        self.port_forward = port_forward = PortForward(core, runtime)
        egress = Egress(core, runtime)
        for node in core.nodes.values():
            api = NodeServer(core, runtime, port_forward, egress, node)
            ctx.server.node_proxy.register(node.name, api)
        core.pods.on(self._added, self._updated, self._deleted)
        of_nodes: dict[str, Callable[[str], None]] = {
            "register": self.nodes.register,
            "heartbeat": self.nodes.heartbeat,
            "lease": self.nodes.lease,
            "contradict": self.nodes.contradict,
            "tell": self.nodes.tell,
            "mirror": static_pods.refresh,
            "manifests": static_pods.reload,
            "shutdown": self.faults.shutdown.look,
            "relist": worker.relist,
            "pressure": self.pressure.look,
        }
        for name, of_node in of_nodes.items():
            self.clock.register(f"kubelet/{name}", partial(_in_its_life, core, of_node))
        self.clock.register("kubelet/boot", self.faults.boot)
        self.clock.register("kubelet/again", self.faults.service.again)
        self.clock.register("kubelet/poweroff", self.faults.go_down)
        of_pods: dict[str, Callable[..., None]] = {
            "resync": worker.resync,
            "wake": worker.wake,
            "storage": worker.measure,
            "renew": worker.tokens.renew,
            "step": worker.step,
            "finish": worker.finished,
            "plugin": devices.announced,
            "pulled": starter.pulled,
            "started": starter.started,
            "hooked": termination.hooked,
            "no-etcd": starter.look_for_etcd,
            "fetched": partial(fetched, self.core),
            "probe": prober.run,
            "probed": prober.probed,
        }
        for name, of_pod in of_pods.items():
            self.clock.register(f"kubelet/{name}", of_pod)

    def _exited(self, record: PodRecord, container: Container) -> None:
        self.worker.exited(record, container)

    def _cri(self, asked: Any) -> list[list[str]] | None:
        return self.logins.cri(asked)

    def _node_logs(self, asked: Any) -> dict[str, Any] | None:
        return self.logs.show(asked)

    def _interfaces(self, host: Any) -> dict[str, Any] | None:
        return self.network.told(host)

    def _node_processes(self, asked: Any) -> list[dict[str, Any]]:
        return self.runtime.processes(asked)

    def _systemd(self, asked: Any) -> list[Any]:
        return self.faults.service.asked(asked)

    def _journal(self, host: Any) -> str:
        return self.faults.service.journal(host)

    def _look(self, key: str) -> None:
        self.queue.add(key)

    def start(self) -> None:
        self.nodes.start()

    # ---- what happens in the cluster -------------------------------------------------------------------

    def _added(self, pod: JSON) -> None:
        if pod["spec"].get("nodeName") in self.core.nodes:
            self.queue.add(key_of(pod))

    def _updated(self, change: Change) -> None:
        spec, meta, was = change.new["spec"], change.new["metadata"], change.old["metadata"]
        if spec.get("nodeName") not in self.core.nodes:
            return
        if (change.labels or change.annotations) and self.core.records.of_key(change.key):
            self._shown("pods", change.new)  # of a Pod that has just been bound no volume shows anything yet
        if change.spec:
            self.worker.asks_anew(change)
        if change.status and _is_contradicted(change.new):
            # The node controller took the node for lost while its kubelet had just told of its Pods.
            self.queue.add_after(change.key, RECONCILE, background=True)
        if (
            change.spec
            or change.deletion
            or meta.get("deletionGracePeriodSeconds") != was.get("deletionGracePeriodSeconds")
            or spec.get("readinessGates")
        ):
            self.queue.add(change.key)

    def _shown(self, resource: str, obj: JSON) -> None:
        """An object that volumes may show has changed: kubelets look when they sync a Pod, every 60 to 90 seconds."""
        key = f"{resource}/{key_of(obj)}"
        seconds = 60.0 + self.core.chance.of("refresh", key, self.clock.now).uniform(0.0, 30.0)
        self.refreshes.add_after(key, seconds, background=True)

    def _shown_again(self, resource: str, change: Change) -> None:
        self._shown(resource, change.new)

    def _deleted(self, pod: JSON) -> None:
        key = key_of(pod)
        if self.core.records.of_key(key):
            self.queue.add(key)

    def _volume_deleted(self, volume: JSON) -> None:
        """What was deleted with its data is gone; what is retained waits for another volume of that place."""
        if volume["spec"].get("persistentVolumeReclaimPolicy") != "Delete":
            return
        for name in self.core.nodes:
            try:
                self.runtime.disks.drop(disk_of(volume, name))
            except MountError:
                return

    # ---- for the network -------------------------------------------------------------------------------

    def network_changed(self) -> None:
        """What lies between nodes and Pods is another now: no probe's answer is known any more."""
        for record in self.core.records.all():
            if record.sandbox:
                self.runtime.sandboxes.get(record.uid)

    # ---- saving ----------------------------------------------------------------------------------------

    def share(self, other: Kubelets) -> None:
        for name, node in other.core.nodes.items():
            self.core.nodes[name].load(node.state())
        self.core.failing = other.core.failing.copy()
        self._without_power()
        self.core.records.share(other.core.records)
        self.runtime.share(other.runtime)
        self.port_forward.load(other.port_forward.state())
        self.pressure.load(other.pressure.state())
        self.devices.load(other.devices.state())

    def _without_power(self) -> None:
        """Who is attached to the network is no part of its state: nodes that are off are not."""
        for node in self.core.nodes.values():
            if node.power in (OFF, BOOTING):
                self.runtime.clients.remove(node.name)

    def state(self) -> dict[str, Any]:
        return {
            "nodes": [[name, node.state()] for name, node in self.core.nodes.items()],
            "failing": self.core.failing.copy(),
            "records": [record.state_data() for record in self.core.records.all()],
            "runtime": self.runtime.state(),
            "forwards": self.port_forward.state(),
            **({"pressure": pressure} if (pressure := self.pressure.state()) else {}),
            **({"devices": devices} if (devices := self.devices.state()) else {}),
        }

    def load(self, state: dict[str, Any]) -> None:
        core = self.core
        for name, saved in state["nodes"]:
            core.nodes[name].load(saved)
        core.failing = list(state["failing"])
        core.records.clear()
        for data in state["records"]:
            core.records.add(PodRecord.from_data(data))
        self.runtime.load(state["runtime"])
        self._without_power()
        self.port_forward.load(state["forwards"])
        self.pressure.load(state.get("pressure", []))
        self.devices.load(state.get("devices", []))
        for record in core.records.all():
            if any(probe.steady for probe in record.probes.values()):
                self.runtime.sandboxes.resting.add(record.uid)


def _in_its_life(
    core: Core, handler: Callable[[str], None], name: str, boots: int = 0, restarts: int = 0
) -> None:
    """A clock event of a node whose machine and kubelet still run, and were not stopped since it was planned."""
    node = core.nodes[name]
    if node.power == ON and (node.boots, node.restarts) == (boots, restarts):
        handler(name)


def _is_contradicted(pod: JSON) -> bool:
    """Whether somebody says that a Pod is not ready all of whose containers are, by its kubelet's word."""
    ready = condition_of(pod, "Ready")
    if ready is None or ready["status"] == "True" or pod["spec"].get("readinessGates"):
        return False
    containers = condition_of(pod, "ContainersReady")
    return containers is not None and containers["status"] == "True"
