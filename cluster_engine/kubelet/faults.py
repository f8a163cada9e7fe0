"""Faults that are injected: a node's power, its way to the control plane, a process, a registry, a component.

What follows from them is nobody's invention: the kubelet, its containers and the controllers do what they do when
such a thing happens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cluster_engine.apimachinery.cow import JSON, key_of
from cluster_engine.container_runtime.container import RUNNING
from cluster_engine.kube_apiserver import API_SERVER
from cluster_engine.kubelet.admission import UNEXPECTED
from cluster_engine.kubelet.cloud_faults import CloudFaults
from cluster_engine.kubelet.core import BOOTING, OFF, ON, UNATTENDED, Core, Node
from cluster_engine.kubelet.devices import Devices
from cluster_engine.kubelet.logins import Logins
from cluster_engine.kubelet.node import Nodes
from cluster_engine.kubelet.pressure import Pressure
from cluster_engine.kubelet.prober import Prober
from cluster_engine.kubelet.record import FINISHED, LOST, NEW, SYNCING, PodRecord, record_uid
from cluster_engine.kubelet.runtime import Runtime
from cluster_engine.kubelet.service import Service
from cluster_engine.kubelet.shutdown import Shutdown
from cluster_engine.kubelet.static_pods import StaticPods
from cluster_engine.network import Wire
from cluster_engine.network.wires import Wires

BOOT_SECONDS = 20.0
"""From the power to the kubelet's start."""
COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
"""Parts of the control plane that may stop."""
FILLED = ("disk", "memory")
"""What of a node may be taken by something that is no Pod."""
MAX_GRACE = 3_600
"""Seconds that a machine may take to go down."""
MAX_MILLIS = 4_000
"""Thousandths of a processor that a container may be left."""
REGISTRIES = 64
"""Registries that may fail at a time."""

Payload = Mapping[str, Any]


class Faults:
    """Carries them out. ``look`` has a Pod of that key synced; ``rewired`` is told that wires have changed."""

    def __init__(
        self,
        core: Core,
        runtime: Runtime,
        nodes: Nodes,
        prober: Prober,
        pressure: Pressure,
        logins: Logins,
        static_pods: StaticPods,
        devices: Devices,
        wires: Wires,
        look: Callable[[str], None],
        rewired: Callable[[], None],
    ) -> None:
        self.core = core
        self.clock = core.clock
        self.runtime = runtime
        self.nodes = nodes
        self.prober = prober
        self.pressure = pressure
        self.logins = logins
        self.static_pods = static_pods
        self.devices = devices
        self.wires = wires
        self.shutdown = Shutdown(core, nodes, self._power_off)
        self.service = Service(core, runtime, nodes, prober, pressure, devices, self._resume)
        self.cloud = CloudFaults(core, lambda node, up: self.power({"node": node.name, "up": up}))
        self._look = look
        self._rewired = rewired

    def checked(self, kind: str, what: Payload) -> dict[str, Any]:
        """The whole data of a fault. Raises ValueError for one that cannot be."""
        fault = FAULTS.get(kind)
        payload = {**fault.defaults, **what} if fault is not None else dict(what)
        self._check(kind, payload)
        return payload

    def _check(self, kind: str, payload: Payload) -> None:
        fault = FAULTS.get(kind)
        if fault is None:
            raise ValueError(f"a fault is one of {', '.join(FAULTS)}, found {kind!r}")
        for name, expected in fault.fields.items():
            if type(payload.get(name)) is not expected:
                raise ValueError(f"{kind} needs {name} ({expected.__name__}), found {payload.get(name)!r}")
        if unknown := sorted(payload.keys() - fault.fields.keys()):
            raise ValueError(f"{kind} has no {', '.join(unknown)}")
        fault.check(self, payload)

    def perform(self, kind: str, payload: Payload) -> None:
        """Does it. Raises ValueError."""
        self._check(kind, payload)
        FAULTS[kind].perform(self, payload)

    # ---- a node's power --------------------------------------------------------------------------------

    def check_worker(self, payload: Payload) -> None:
        """Raises ValueError when the node is none that may fail."""
        node = self.core.nodes.get(payload["node"])
        if node is None:
            raise ValueError(
                f"expected one of the nodes {', '.join(self.core.nodes)}, found {payload['node']!r}"
            )
        if node.control_plane:
            raise ValueError(
                f"{node.name} carries the control plane, which does not fail here; a real cluster would stand still"
            )

    def check_power(self, payload: Payload) -> None:
        """As ``check_worker``; of several control-plane nodes some may go while most of them stay."""
        node = self.core.nodes.get(payload["node"])
        planes = [other for other in self.core.nodes.values() if self.static_pods.is_kubeadms(other)]
        staying = [other for other in planes if other.power == ON and other is not node]
        if len(planes) < 2 or node not in planes:
            self.check_worker(payload)
        elif len(staying) <= len(planes) // 2:
            raise ValueError("most nodes of the control plane have to stay; a real cluster would stand still")

    def power(self, payload: Payload) -> None:
        """Off: whatever runs on the node ends at once, and nobody is told. On: the machine starts, then its kubelet."""
        node, up = self.core.nodes[payload["node"]], payload["up"]
        if not up and node.power != OFF:
            if node.power in (ON, UNATTENDED):
                self._lose(node)
                for component in COMPONENTS if self.static_pods.is_kubeadms(node) else ():
                    self.core.ctx.processes.ended(component, node.name)
            node.power = OFF
            node.boots += 1
        elif up and node.power == OFF:
            node.power = BOOTING
            self.clock.call_later(BOOT_SECONDS, "kubelet/boot", node.name, node.boots)

    def check_shutdown(self, payload: Payload) -> None:
        """Raises ValueError for a node that may not, and for times that cannot be."""
        self.check_worker(payload)
        if not 0 <= payload["critical"] <= payload["grace"] <= MAX_GRACE:
            raise ValueError(f"expected 0 <= critical <= grace <= {MAX_GRACE} seconds")
        if self.core.nodes[payload["node"]].power != ON:
            raise ValueError(f"{payload['node']} is not on")

    def check_machine(self, payload: Payload) -> None:
        """Raises ValueError for a node that may not fail, and without a cloud."""
        self.cloud.check_machine(payload)
        self.check_worker(payload)

    def shut_down(self, payload: Payload) -> None:
        """As ``systemctl poweroff``, with a kubelet that has these grace periods."""
        node = self.core.nodes[payload["node"]]
        if not node.shutdown:
            self.shutdown.begin(node, payload["grace"], payload["critical"])

    def _power_off(self, node: Node) -> None:
        self.power({"node": node.name, "up": False})

    def check_fill(self, payload: Payload) -> None:
        """Raises ValueError for a node whose machine does not run, and for an amount that cannot be."""
        self.check_kubelet(payload)
        if payload["what"] not in FILLED or not 0 <= payload["percent"] <= 100:
            raise ValueError(f"expected 0 to 100 percent of {' or '.join(FILLED)}")

    def fill(self, payload: Payload) -> None:
        """Something that is no Pod takes so much of a node's memory, or of its disk."""
        self.pressure.fill(self.core.nodes[payload["node"]], payload["what"], payload["percent"])

    def check_kubelet(self, payload: Payload) -> None:
        """Raises ValueError for a node whose machine does not run."""
        node = self.core.nodes.get(payload["node"])
        if node is None or node.power not in (ON, UNATTENDED):
            raise ValueError(f"expected a node that is on, found {payload['node']!r}")

    def turn_kubelet(self, payload: Payload) -> None:
        """As ``systemctl start kubelet``, or ``stop``."""
        node = self.core.nodes[payload["node"]]
        (self.service.start if payload["running"] else self.service.stop)(node)

    def go_down(self, name: str, again: bool, grace: int, critical: int) -> None:
        """Clock event: as ``systemctl poweroff`` or ``reboot``, with a kubelet that has these grace periods."""
        node = self.core.nodes[name]
        try:
            self.check_power({"node": name})
        except ValueError:
            return  # the control plane's machine stays
        if again:
            self.power({"node": name, "up": False})
            self.power({"node": name, "up": True})
        elif grace and node.power == ON:
            self.shutdown.begin(node, grace, critical)
        else:
            self.power({"node": name, "up": False})

    def boot(self, name: str, boots: int) -> None:
        """Clock event: the machine has started, unless its power was cut meanwhile."""
        node = self.core.nodes[name]
        if node.power == BOOTING and node.boots == boots:
            node.power = ON
            node.taken.pop("memory", None)  # a disk stays as full as it was
            self.runtime.clients.add(name, node.ip)
            self.devices.restarted(node)
            self.nodes.restart(node)
            self.pressure.begin(node)
            self._resume(node)

    def _lose(self, node: Node) -> None:
        for known in self._records(node):
            record = self.core.records[known.uid]
            pod = self.core.pod_of(record)
            if record.sandbox and pod is not None:
                kept = {name: self.runtime.volume(record, name) for name in _on_disk(pod)}
                node.kept[record.uid] = {name: root for name, root in kept.items() if root is not None}
            self._lose_pod(record)
        self.service.forget_plans(node)
        node.seen.clear()
        self.nodes.silence(node)
        self.logins.lose(node.name)
        self.runtime.clients.remove(node.name)

    def _lose_pod(self, record: PodRecord) -> None:
        """What ran has ended, and what the kubelet had in mind about the Pod is gone."""
        if record.state == FINISHED:
            return
        self.prober.stop(record)
        self.runtime.lose(record)
        record.probes.clear()
        for timer in record.timers.values():
            self.clock.cancel(timer)
        record.timers.clear()
        self.service.abandon(record)
        record.ip, record.mounts_failed = "", 0
        if record.state in (NEW, SYNCING):
            record.state = LOST

    def _resume(self, node: Node) -> None:
        """The kubelet has heard from the API server which Pods it has."""
        if not node.reachable:
            return
        keys: dict[str, None] = {}
        for known in self._records(node):
            record = self.core.records[known.uid]
            keys[record.key] = None
            for container in record.containers.values():
                container.finished_at = container.finished_at or self.clock.now
            if record.state == LOST:
                self._begin_again(record)
        here = (pod for pod in self.core.pods.list() if pod["spec"].get("nodeName") == node.name)
        for key in [*keys, *(key for key in map(key_of, here) if key not in keys)]:
            self._look(key)

    def _begin_again(self, record: PodRecord) -> None:
        """A Pod that the node had before: another sandbox, if any of it is to run."""
        record.state = NEW
        if record.counted and (why := self.devices.again(record)):
            record.outcome = [UNEXPECTED, why]
            self.core.release(record)
        if record.started:
            delay = self.core.chance.of("mount", record.uid, record.epoch).uniform(0.15, 0.35)
            self.core.later(record, delay, "mount" if record.counted else "reject")

    def _records(self, node: Node) -> Iterable[PodRecord]:
        return [record for record in self.core.records.all() if record.node == node.name]

    # ---- its way to the control plane ------------------------------------------------------------------

    def partition(self, payload: Payload) -> None:
        """Cut: the kubelet goes on with what it has seen, and the control plane hears nothing. Or healed."""
        node, cut = self.core.nodes[payload["node"]], payload["cut"]
        if cut == node.partitioned:
            return
        node.partitioned = cut
        for other in self.core.nodes.values():
            if other.control_plane:
                self._rewire(node, other, partition=cut)
        self._rewired()
        self._connect(node)

    def _rewire(self, node: Node, other: Node, **change: Any) -> None:
        for ends in ((node.name, other.name), (other.name, node.name)):
            self.wires.set(*ends, self.wires.between(*ends)._replace(**change))

    def check_slow(self, payload: Payload) -> None:
        """Raises ValueError for a node that is none, and for a time that cannot be."""
        if payload["node"] not in self.core.nodes:
            raise ValueError(
                f"expected one of the nodes {', '.join(self.core.nodes)}, found {payload['node']!r}"
            )
        for other in self.core.nodes:
            if other != payload["node"]:
                wire = Wire(payload["milliseconds"] * 1_000)
                self.wires.check(payload["node"], other, wire)
                self.wires.check(other, payload["node"], wire)

    def slow(self, payload: Payload) -> None:
        """Whatever goes between the node and another one takes that long in each direction; 0: no time again."""
        node = self.core.nodes[payload["node"]]
        for other in self.core.nodes.values():
            if other is not node:
                self._rewire(node, other, latency=payload["milliseconds"] * 1_000)
        self._rewired()

    def outage_changed(self) -> None:
        """The API has gone out of everybody's reach, or is there again; its probes find something else than before."""
        for record in self.core.records.all():
            if record.static and record.sandbox and API_SERVER in record.containers:
                self.runtime.sandboxes.get(record.uid)
        for node in self.core.nodes.values():
            self._connect(node)

    def _connect(self, node: Node) -> None:
        """Whether the kubelet can talk with the control plane may be another question now."""
        cut = node.partitioned or self.core.ctx.processes.outage
        if cut == node.cut:
            return
        if cut:
            seen = {record.uid: self.core.pod_of(record) for record in self._records(node)}
            node.seen = {uid: pod for uid, pod in seen.items() if pod is not None}
            self.nodes.silence(node)
        else:
            node.seen.clear()
        node.cut = cut
        if node.reachable:
            self.nodes.report(node)
            self._resume(node)

    # ---- a container -----------------------------------------------------------------------------------

    def _running(self, payload: Payload) -> tuple[PodRecord, str]:
        """Raises ValueError."""
        pod = self.core.pods.get(f"{payload['namespace']}/{payload['pod']}")
        record = self.core.records.get(record_uid(pod)) if pod is not None else None
        if pod is None or record is None:
            raise ValueError(f"expected a Pod on a node, found {payload['namespace']}/{payload['pod']}")
        name = payload["container"] or pod["spec"]["containers"][0]["name"]
        if name not in record.containers or record.containers[name].state != RUNNING:
            raise ValueError(f"expected a running container of {payload['pod']}, found {name!r}")
        return record, name

    def check_container(self, payload: Payload) -> None:
        """Raises ValueError when it does not run."""
        self._running(payload)

    def kill(self, payload: Payload) -> None:
        """SIGKILL to a container's main process, as from the node."""
        self.runtime.kill(*self._running(payload))

    def check_throttle(self, payload: Payload) -> None:
        """Raises ValueError for a container that does not run, and for a share that cannot be."""
        self._running(payload)
        if not 0 <= payload["millis"] <= MAX_MILLIS:
            raise ValueError(
                f"expected 0 to {MAX_MILLIS} thousandths of a processor, found {payload['millis']}"
            )

    def throttle(self, payload: Payload) -> None:
        """So much of a processor is left to a container, whatever it may have; 0: what it may have. Until it ends."""
        self.runtime.throttle(*self._running(payload), payload["millis"])

    # ---- a component of the control plane --------------------------------------------------------------

    def check_component(self, payload: Payload) -> None:
        """Raises ValueError when it is none that stops here, or not where it is said to be."""
        if payload["component"] not in COMPONENTS:
            raise ValueError(f"a component is one of {', '.join(COMPONENTS)}, found {payload['component']!r}")
        node = self._control_plane(payload["node"])
        self.static_pods.find(node, payload["component"], put_away=not payload["stopped"])

    def stop_component(self, payload: Payload) -> None:
        """Its manifest is put away, and its Pod ends; or put back, and it starts again."""
        self.static_pods.move(self._control_plane(payload["node"]), payload["component"], payload["stopped"])

    def give_up(self, component: str, host: str) -> None:
        """A component ends by itself, with the status 1."""
        for record in self._records(self.core.nodes[host]):
            container = record.containers.get(component)
            if record.static and container is not None and container.state == RUNNING:
                self.runtime.give_up(record, component)

    def _control_plane(self, name: str) -> Node:
        """The node of that name, or the first one. Raises ValueError without one."""
        for node in self.core.nodes.values():
            if self.static_pods.is_kubeadms(node) and name in ("", node.name):
                return node
        raise ValueError("expected a control plane of static Pods, found none")

    # ---- a registry ------------------------------------------------------------------------------------

    def check_registry(self, payload: Payload) -> None:
        """Raises ValueError when more fail than may."""
        if payload["failing"] and len(self.core.failing) >= REGISTRIES:
            raise ValueError(f"{REGISTRIES} registries may fail at a time")

    def registry(self, payload: Payload) -> None:
        """A registry, by the first part of its images' names, answers 503; or it is well again."""
        host = payload["host"]
        self.core.failing = [other for other in self.core.failing if other != host]
        if payload["failing"]:
            self.core.failing.append(host)


def _on_disk(pod: JSON) -> list[str]:
    """The volumes of the Pod that outlive a restart of its node's machine."""
    found = []
    for volume in pod["spec"].get("volumes") or ():
        if volume.get("emptyDir") is not None and volume["emptyDir"].get("medium") != "Memory":
            found.append(volume["name"])
    return found


@dataclass(frozen=True, slots=True)
class Fault:
    """What a fault's data looks like, what is checked of it, and what carries it out."""

    fields: Mapping[str, type]
    defaults: Mapping[str, Any]
    check: Callable[[Faults, Payload], None]
    perform: Callable[[Faults, Payload], None]


FAULTS: dict[str, Fault] = {
    "node/power": Fault({"node": str, "up": bool}, {}, Faults.check_power, Faults.power),
    "node/shutdown": Fault(
        {"node": str, "grace": int, "critical": int},
        {"grace": 30, "critical": 10},
        Faults.check_shutdown,
        Faults.shut_down,
    ),
    "node/partition": Fault({"node": str, "cut": bool}, {}, Faults.check_worker, Faults.partition),
    "node/slow": Fault({"node": str, "milliseconds": int}, {}, Faults.check_slow, Faults.slow),
    "container/kill": Fault(
        {"namespace": str, "pod": str, "container": str},
        {"namespace": "default", "container": ""},
        Faults.check_container,
        Faults.kill,
    ),
    "container/throttle": Fault(
        {"namespace": str, "pod": str, "container": str, "millis": int},
        {"namespace": "default", "container": ""},
        Faults.check_throttle,
        Faults.throttle,
    ),
    "component/stop": Fault(
        {"component": str, "stopped": bool, "node": str},
        {"node": ""},
        Faults.check_component,
        Faults.stop_component,
    ),
    "registry/fail": Fault({"host": str, "failing": bool}, {}, Faults.check_registry, Faults.registry),
    "node/kubelet": Fault({"node": str, "running": bool}, {}, Faults.check_kubelet, Faults.turn_kubelet),
    "node/fill": Fault({"node": str, "what": str, "percent": int}, {}, Faults.check_fill, Faults.fill),
    "cloud/machine": Fault(
        {"node": str, "state": str},
        {},
        Faults.check_machine,
        lambda faults, what: faults.cloud.set_machine(what),
    ),
    "cloud/group": Fault(
        {"size": int},
        {},
        lambda faults, what: faults.cloud.check_group(what),
        lambda faults, what: faults.cloud.resize(what),
    ),
    "cloud/api": Fault(
        {"service": str, "error": str, "slow": int},
        {"error": "", "slow": 0},
        lambda faults, what: faults.cloud.check_api(what),
        lambda faults, what: faults.cloud.set_api(what),
    ),
    "cloud/quota": Fault(
        {"loadbalancers": int},
        {},
        lambda faults, what: faults.cloud.check_quota(what),
        lambda faults, what: faults.cloud.set_quota(what),
    ),
}
"""Every fault that can be injected, by the kind of its journal entry."""
