"""The Node object: registration, status, lease. Models pkg/kubelet/{kubelet_node_status,nodelease}.go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cluster_engine.apimachinery.cow import JSON, key_of
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.client_go import Change
from cluster_engine.component import ADMISSION_POLICIES
from cluster_engine.component_helpers.conditions import condition_of
from cluster_engine.container_runtime.names import parse
from cluster_engine.kubelet.core import CAPACITY, ON, UPDATE_PERIOD, Core, Node
from cluster_engine.kubelet.devices import Devices
from cluster_engine.kubelet.eviction import DISK_PRESSURE, MEMORY_PRESSURE
from cluster_engine.kubelet.static_pods import StaticPods
from cluster_engine.sim import SECOND, parse_rfc3339
from cluster_engine.version import KUBERNETES_VERSION

LEASE_SECONDS = 40
_LEASE_PERIOD = 10.0  # the store's RENEWAL_PERIOD
_LEASES, _LEASE_NAMESPACE = "leases.coordination.k8s.io", "kube-node-lease"
STATUS_PERIOD = 300.0
_RETRY = 1.0
_ZONES = ("a", "b", "c")
_REGION = "region-1"
_UNINITIALIZED = "node.cloudprovider.kubernetes.io/uninitialized"
_IMAGES_SHOWN = 50

Condition = tuple[str, str, str, str]
"""(type, status, reason, message)."""
_CONDITIONS: tuple[Condition, ...] = (
    (MEMORY_PRESSURE, "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    (DISK_PRESSURE, "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
)
_PRESSED: Mapping[str, Condition] = {
    MEMORY_PRESSURE: (
        MEMORY_PRESSURE,
        "True",
        "KubeletHasInsufficientMemory",
        "kubelet has insufficient memory available",
    ),
    DISK_PRESSURE: (DISK_PRESSURE, "True", "KubeletHasDiskPressure", "kubelet has disk pressure"),
}
_READY = ("Ready", "True", "KubeletReady", "kubelet is posting ready status")
_NOT_READY = (
    "Ready",
    "False",
    "KubeletNotReady",
    "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady "
    "message:Network plugin returns error: cni plugin not initialized",
)


_SHUTTING_DOWN = ("Ready", "False", "KubeletNotReady", "node is shutting down")


class Nodes:
    """Registers nodes and keeps their objects and leases alive."""

    def __init__(self, core: Core, static_pods: StaticPods, devices: Devices) -> None:
        self.core = core
        self.clock = core.clock
        self.static_pods = static_pods
        self.devices = devices

        core.ctx.informers.of("nodes").on(add=self._made, update=self._status_changed)
        self.leases = core.ctx.informers.of(_LEASES)
        for policies in ADMISSION_POLICIES:
            changed = self._refusals_changed
            self.core.ctx.informers.of(policies).on(changed, changed, changed)
        self.leases.on(
            update=lambda change: self._lease_changed(change.old, change.new),
            delete=lambda lease: self._lease_changed(lease, lease),
        )

    def start(self) -> None:
        for node in self.core.nodes.values():
            if node.power == ON:
                self.clock.call_later(0.05 + 0.01 * node.index, "kubelet/register", *node.life)

    def register(self, name: str) -> None:
        """Clock event: creates the Node, and a second later reports it ready."""
        node = self.core.nodes[name]
        if node.cut:
            self.clock.call_later(_LEASE_PERIOD, "kubelet/register", *node.life, background=True)
            return
        if not node.registered:
            if not node.flags.register_node:
                if self.core.ctx.informers.of("nodes").get(name) is None:
                    return  # somebody else is to make it, and is noticed then
            elif not self._create(node):
                self.clock.call_later(_RETRY, "kubelet/register", *node.life)
                return
            node.registered = True
            self._tell_of_start(node)
            self.clock.call_later(_RETRY, "kubelet/register", *node.life)
            return
        if not node.ready:
            node.ready = True
            for manifest in self.static_pods.manifests(node):
                for container in manifest["spec"]["containers"]:
                    # kubeadm has pulled the control plane's images before the kubelet starts.
                    node.images.setdefault(str(parse(container["image"])), self.clock.now)
            self.write(node)
            self.static_pods.refresh(name)
            self.clock.call_later(_report_period(node), "kubelet/heartbeat", *node.life, background=True)
        if not self._renew(node):
            self.clock.call_later(_RETRY, "kubelet/register", *node.life)

    def _made(self, made: JSON) -> None:
        """A Node that its kubelet does not register itself: it finds it when it next writes its status."""
        node = self.core.nodes.get(made["metadata"]["name"])
        if node is not None and node.power == ON and not node.registered and not node.flags.register_node:
            period = round((node.flags.node_status_update_frequency or UPDATE_PERIOD) * SECOND)
            due = (self.clock.now // period + 1) * period
            self.clock.call_at(due, "kubelet/register", *node.life)

    def _tell_of_start(self, node: Node) -> None:
        """What a kubelet tells of its node when it has started (BirthCry, and the setters of its first status)."""
        self.event(node, "Normal", "Starting", "Starting kubelet.")
        if node.flags.register_node:
            self._tell_of_changes(node, ())
        self.event(node, "Normal", "NodeAllocatableEnforced", "Updated Node Allocatable limit across pods")

    def _tell_of_changes(self, node: Node, old: Iterable[JSON]) -> None:
        for reason in _changes(old, _conditions(node)):
            self.event(node, "Normal", reason, f"Node {node.name} status is now: {reason}")

    def _create(self, node: Node) -> bool:
        """The Node object, if it is not there yet; False when it was refused."""
        try:
            node.client.create("nodes", self._object(node))
        except ApiError as error:
            return error.code == 409
        return True

    def heartbeat(self, name: str) -> None:
        """Clock event: the status again, with a new heartbeat."""
        node = self.core.nodes[name]
        self.write(node)
        if node.reachable:
            self.static_pods.create(node)
        self.clock.call_later(_report_period(node), "kubelet/heartbeat", *node.life, background=True)

    def tell(self, name: str) -> None:
        """Clock event: what the node has is told, if it is not what its status says (syncNodeStatus)."""
        node, found = self.core.nodes[name], self.core.ctx.informers.of("nodes").get(name)
        old = (found.get("status") or {}) if found is not None else {}
        now = {**self._amounts(node, old), "images": self._images(node)}
        if node.ready and any(old.get(part) != value for part, value in now.items()):
            self.write(node)

    def lease(self, name: str) -> None:
        """Clock event: renews the lease. From then on that goes by itself, until somebody else writes it."""
        node = self.core.nodes[name]
        if node.cut or not self._renew(node):
            self.clock.call_later(_LEASE_PERIOD, "kubelet/lease", *node.life, background=True)

    def _status_changed(self, change: Change) -> None:
        """Who is taken for lost says within ten seconds that it is not."""
        node = self.core.nodes.get(change.key)
        ready = condition_of(change.new, "Ready") if change.status and node is not None else None
        if node is not None and node.ready and ready is not None and ready["status"] == "Unknown":
            period = node.flags.node_status_update_frequency or UPDATE_PERIOD
            self.clock.call_later(period, "kubelet/contradict", *node.life, background=True)

    def contradict(self, name: str) -> None:
        """Clock event: the status is written if it is still another one than the kubelet's."""
        node, found = self.core.nodes[name], self.core.ctx.informers.of("nodes").get(name)
        ready = condition_of(found, "Ready") if found is not None else None
        if ready is not None and ready["status"] == "Unknown":
            self.write(node)

    def _lease_changed(self, old: JSON, new: JSON) -> None:
        name, namespace = new["metadata"]["name"], new["metadata"]["namespace"]
        node = self.core.nodes.get(name)
        if namespace != _LEASE_NAMESPACE or node is None or not node.leased:
            return
        if not self.leases.is_renewed(key_of(new)):
            # Somebody else wrote it, or deleted it: at the next renewal the kubelet makes it good.
            node.leased = False
            due = parse_rfc3339(old["spec"]["renewTime"]) + round(_LEASE_PERIOD * SECOND)
            self.clock.call_at(due, "kubelet/lease", *node.life, background=True)

    def restart(self, node: Node) -> None:
        """The machine has come up: the kubelet registers its node, which may have been deleted, and goes on."""
        node.registered = node.ready = False
        self.register(node.name)

    def report(self, node: Node) -> None:
        """The control plane can be reached again: it hears how the node is."""
        self.write(node)
        self.static_pods.refresh(node.name)

    def silence(self, node: Node) -> None:
        """The lease is renewed no longer; the kubelet tries to write it when the next renewal would be due."""
        node.client.stop_renewing(_LEASES, node.name, _LEASE_NAMESPACE)

    def _refusals_changed(self, policy: object) -> None:
        """What may refuse a renewal is another now: each node's next one is written, and may be refused."""
        for node in self.core.nodes.values():
            if node.leased:
                self.silence(node)

    # ---- objects ---------------------------------------------------------------------------------------

    def _object(self, node: Node) -> JSON:
        zone = f"{_REGION}{_ZONES[node.index % len(_ZONES)]}"
        labels = {
            "beta.kubernetes.io/arch": "amd64",
            "beta.kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64",
            "kubernetes.io/hostname": node.name,
            "kubernetes.io/os": "linux",
        }
        given = node.flags.cloud_provider
        cloud = self.core.ctx.options.cloud if given is None else given == "external"
        if not cloud:
            labels |= {"topology.kubernetes.io/region": _REGION, "topology.kubernetes.io/zone": zone}
        spec: JSON = {
            "podCIDR": f"{node.addresses.prefix}.0/24",
            "podCIDRs": [f"{node.addresses.prefix}.0/24"],
        }
        if node.control_plane:
            labels["node-role.kubernetes.io/control-plane"] = ""
            labels["node.kubernetes.io/exclude-from-external-load-balancers"] = ""
            spec["taints"] = [{"effect": "NoSchedule", "key": "node-role.kubernetes.io/control-plane"}]
        waits = {"effect": "NoSchedule", "key": _UNINITIALIZED, "value": "true"}
        # --cloud-provider=external: what its machine is, the cloud says.
        taints = [*spec.get("taints", ()), *node.flags.taints, *([waits] if cloud else [])]
        if taints:
            spec["taints"] = taints
        notes = (
            {"alpha.kubernetes.io/provided-node-ip": node.flags.node_ip}
            if node.flags.node_ip and cloud
            else {}
        )
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": node.name,
                "labels": labels | dict(node.flags.node_labels),
                "annotations": {
                    **notes,
                    "node.alpha.kubernetes.io/ttl": "0",
                    "volumes.kubernetes.io/controller-managed-attach-detach": "true",
                },
            },
            "spec": spec,
            "status": self._status(node, {}),
        }

    def _status(self, node: Node, old: JSON) -> JSON:
        now = self.clock.timestamp()
        before = {c["type"]: c for c in old.get("conditions") or ()}
        conditions = []
        for kind, status, reason, message in _conditions(node):
            known = before.get(kind)
            changed = known is None or known["status"] != status
            conditions.append(
                {
                    "lastHeartbeatTime": now,
                    "lastTransitionTime": now if known is None or changed else known["lastTransitionTime"],
                    "message": message,
                    "reason": reason,
                    "status": status,
                    "type": kind,
                }
            )
        conditions += [c for kind, c in before.items() if kind not in {c["type"] for c in conditions}]
        identity = f"{node.index:032x}"
        return {
            "addresses": [
                {"address": node.ip, "type": "InternalIP"},
                {"address": node.name, "type": "Hostname"},
            ],
            **self._amounts(node, old),
            "conditions": conditions,
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "features": {"supplementalGroupsPolicy": True},
            "images": self._images(node),
            "nodeInfo": {
                "architecture": "amd64",
                "bootID": _boot_id(node),
                "containerRuntimeVersion": "containerd://2.2.0",
                "kernelVersion": "6.12.48",
                "kubeProxyVersion": "",
                "kubeletVersion": f"v{KUBERNETES_VERSION}",
                "machineID": identity,
                "operatingSystem": "linux",
                "osImage": "Debian GNU/Linux 13 (trixie)",
                "swap": {"capacity": 0},
                "systemUUID": f"5157e300-0000-4000-8000-{node.index:012x}",
            },
            "runtimeHandlers": [
                {"features": {"recursiveReadOnlyMounts": True, "userNamespaces": True}, "name": name}
                for name in ("", "runc")
            ],
        }

    def _amounts(self, node: Node, old: JSON) -> JSON:
        """Capacity and allocatable: the machine's, its devices', and what others say that it has (MachineInfo)."""
        others = {name: amount for name, amount in (old.get("capacity") or {}).items() if "/" in name}
        devices = self.devices.amounts(node)
        if not others and not devices:
            return {"allocatable": CAPACITY, "capacity": CAPACITY}
        capacity = {**others, **CAPACITY, **{name: str(known) for name, (known, _) in devices.items()}}
        free = {name: str(healthy) for name, (_, healthy) in devices.items()}
        return {"allocatable": {**capacity, **free}, "capacity": capacity}

    def _images(self, node: Node) -> list[JSON]:
        shown = []
        for reference in node.images:
            image, tag = self.core.registry.find(reference)
            names = [f"{image.repository}@{image.digest(tag)}", reference]
            shown.append({"names": names, "sizeBytes": image.variants[tag].size})
        shown.sort(key=lambda entry: -int(str(entry["sizeBytes"])))
        return shown[:_IMAGES_SHOWN]

    def event(self, node: Node, kind: str, reason: str, text: str) -> None:
        """An event about the node."""
        if node.reachable:
            # Kubelets' events about their node carry its name as uid.
            about = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": node.name, "uid": node.name}}
            node.recorder.event(about, kind, reason, text)

    def write(self, node: Node) -> None:
        """Writes the status, if the control plane can be reached."""
        current = self.core.ctx.informers.of("nodes").get(node.name)
        if current is None or not node.reachable:
            return
        old = current.get("status") or {}
        status = self._status(node, old)
        try:
            node.client.update_status("nodes", {**current, "status": status})
        except ApiError as error:
            if error.code not in (404, 409):
                raise
            return
        boot = _boot_id(node)
        if ((old.get("nodeInfo") or {}).get("bootID") or boot) != boot:
            self.event(node, "Warning", "Rebooted", f"Node {node.name} has been rebooted, boot id: {boot}")
        self._tell_of_changes(node, old.get("conditions") or ())

    def _renew(self, node: Node) -> bool:
        current = self.leases.get(f"{_LEASE_NAMESPACE}/{node.name}")
        spec = {
            "holderIdentity": node.name,
            "leaseDurationSeconds": LEASE_SECONDS,
            "renewTime": self.clock.timestamp_micro(),
        }
        try:
            if current is not None:
                node.client.update(_LEASES, {**current, "spec": {**current["spec"], **spec}})
            elif not self._create_lease(node, spec):
                return False
            node.client.keep_renewed(_LEASES, node.name, _LEASE_NAMESPACE)
        except ApiError:
            return False  # the namespace is not there yet, or somebody else just wrote it
        node.leased = True
        return True

    def _create_lease(self, node: Node, spec: JSON) -> bool:
        """False when the node is not there to own it. Raises ApiError."""
        owner = self.core.ctx.informers.of("nodes").get(node.name)
        if owner is None:
            return False
        reference = {"apiVersion": "v1", "kind": "Node", "name": node.name, "uid": owner["metadata"]["uid"]}
        meta = {"name": node.name, "namespace": _LEASE_NAMESPACE, "ownerReferences": [reference]}
        node.client.create(
            _LEASES,
            {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta, "spec": spec},
        )
        return True


def _report_period(node: Node) -> float:
    """Seconds between two status writes with nothing new (nodeStatusReportFrequency)."""
    return node.flags.node_status_update_frequency or STATUS_PERIOD


def _conditions(node: Node) -> tuple[Condition, ...]:
    """What the kubelet says of its node."""
    found = _CONDITIONS
    if node.pressed:
        found = tuple(_PRESSED[each[0]] if each[0] in node.pressed else each for each in _CONDITIONS)
    if node.shutdown:
        return (*found, _SHUTTING_DOWN)
    return (*found, _READY if node.ready else _NOT_READY)


def _boot_id(node: Node) -> str:
    return f"b0071d00-0000-4000-8000-{node.boots:06x}{node.index:06x}"


def _changes(old: Iterable[JSON], new: Iterable[Condition]) -> list[str]:
    """The reasons to tell of: conditions that are not what they were; of readiness, only that it changed."""
    before = {condition["type"]: condition["status"] for condition in old}
    found = []
    for kind, status, reason, _message in new:
        known = before.get(kind, status if kind == "Ready" else "Unknown")
        if known != status:
            found.append("Node" + reason.removeprefix("Kubelet"))
    return found
