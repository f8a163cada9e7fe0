"""Devices that plugins announce to the kubelets: what a node has of them, and which container got which.

A plugin is a container whose image has ``devices``; it announces them a moment after its start, and again ten seconds
after its kubelet's. Models pkg/kubelet/cm/devicemanager (manager.go, pod_devices.go, endpoint.go) and, of the plugin's
side, plugin/v1beta1/stub.go (Register, Watch).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cluster_engine.apimachinery import quantity
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.container_runtime.container import RUNNING, Container
from cluster_engine.kubelet.core import Core, Node
from cluster_engine.kubelet.record import PodRecord, is_sidecar
from cluster_engine.sim import SECOND

GRACE = 300 * SECOND
"""How long the devices of a plugin that has gone still are its node's capacity (endpointStopGracePeriod)."""
_CONNECTS = 0.3
"""Seconds from a plugin's start to its registration."""
_NOTICES = 10.0
"""Seconds after which it registers with a kubelet that has begun anew."""
_CDI = "CDI_ENABLED"


@dataclass(slots=True)
class Endpoint:
    """A plugin that has announced devices of one resource. JSON data."""

    devices: list[str]
    """Their ids. Empty: the kubelet has begun anew, and remembers the resource alone."""
    container: str = ""
    """The id of the plugin's container."""
    stopped: int = 0
    """When it went away, virtual µs; 0: it is there."""
    cdi: bool = False
    """Whether containers are told of their devices as the container device interface does, too."""

    def healthy(self) -> list[str]:
        """The devices that may be given."""
        return [] if self.stopped else self.devices


Given = dict[str, dict[str, list[str]]]
"""Container -> resource -> ids of its devices."""


class _Unavailable(Exception):
    """The devices cannot be given; str() says why."""


class Devices:
    """Those of all nodes. A node has one endpoint for each resource that an image announces, whoever runs it."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.clock = core.clock
        self._endpoints: dict[str, dict[str, Endpoint]] = {}
        """By node and resource."""
        self._given: dict[str, Given] = {}
        """By the Pod's uid: of Pods that count on their node."""

    # ---- plugins ---------------------------------------------------------------------------------------

    def began(self, record: PodRecord, container: Container, seconds: float = _CONNECTS) -> None:
        """A container runs: if it is a plugin, it announces its devices a moment later."""
        if self.core.registry.find(container.image)[0].devices:
            self.clock.call_later(seconds, "kubelet/plugin", record.uid, container.name, container.id)

    def announced(self, uid: str, name: str, container_id: str) -> None:
        """Clock event: a plugin registers (Register), and lists its devices (ListAndWatch)."""
        record = self.core.records.get(uid)
        container = record.containers.get(name) if record is not None else None
        if record is None or container is None or container.state != RUNNING or container.id != container_id:
            return
        node = self.core.nodes[record.node]
        for resource, devices in self.core.registry.find(container.image)[0].devices.items():
            cdi = bool((container.env or {}).get(_CDI))
            endpoint = Endpoint(list(devices), container_id, cdi=cdi)
            self._endpoints.setdefault(node.name, {})[resource] = endpoint
        self.core.tell(node, background=False)

    def ended(self, record: PodRecord, container: Container) -> None:
        """A container has ended: the devices that it announced are unhealthy, and forgotten five minutes later."""
        node = self.core.nodes[record.node]
        for endpoint in self._endpoints.get(record.node, {}).values():
            if endpoint.container == container.id and not endpoint.stopped:
                endpoint.stopped = self.clock.now
                self.core.tell(node, background=False)
                self.core.tell(node, after=GRACE)

    def restarted(self, node: Node) -> None:
        """The kubelet has begun anew: it knows what it gave to whom, and waits for its plugins (readCheckpoint)."""
        for endpoint in self._endpoints.get(node.name, {}).values():
            endpoint.devices, endpoint.container, endpoint.stopped = [], "", self.clock.now
            self.core.tell(node, after=GRACE)
        for record in self.core.records.all():
            if record.node == node.name:
                for container in record.running():
                    self.began(record, container, _NOTICES)

    def amounts(self, node: Node) -> dict[str, tuple[int, int]]:
        """(capacity, allocatable) of each resource that was ever announced on the node (GetCapacity)."""
        found = {}
        for resource, endpoint in self._endpoints.get(node.name, {}).items():
            known = 0 if self._expired(endpoint) else len(endpoint.devices)
            found[resource] = known, len(endpoint.healthy())
        return found

    def _expired(self, endpoint: Endpoint) -> bool:
        return bool(endpoint.stopped) and self.clock.now - endpoint.stopped >= GRACE

    # ---- Pods ------------------------------------------------------------------------------------------

    def allocate(self, record: PodRecord, pod: JSON) -> str:
        """Gives the Pod's containers the devices that they ask for; why it cannot, or ""."""
        if record.node not in self._endpoints:
            return ""
        self._free_stranded()
        given: Given = {}
        reusable: dict[str, set[str]] = {}
        try:
            for container, lends in _in_order(pod["spec"]):
                for resource, wanted in self._wanted(record, container):
                    before = reusable.setdefault(resource, set())
                    devices = self._choose(record, resource, wanted, before, given)
                    given.setdefault(container["name"], {})[resource] = devices
                    reusable[resource] = before | set(devices) if lends else before - set(devices)
        except _Unavailable as error:
            return f"Allocate failed due to {error}, which is unexpected"
        if given:
            self._given[record.uid] = given
        return ""

    def again(self, record: PodRecord) -> str:
        """Why a Pod whose containers have to begin anew with their kubelet does not get its devices again, or ""."""
        for resources in self._given.get(record.uid, {}).values():
            for resource, devices in resources.items():
                try:
                    healthy = self._healthy(record.node, resource)
                except _Unavailable as error:
                    return f"Allocate failed due to {error}, which is unexpected"
                if not set(devices) <= set(healthy):
                    return (
                        "Allocate failed due to previously allocated devices are no longer healthy; "
                        f"cannot allocate unhealthy devices {resource}, which is unexpected"
                    )
        return ""

    def of_plugins(self, node: Node) -> frozenset[str]:
        """The resources of which its plugins decide, not the node's capacity."""
        known = self._endpoints.get(node.name, {})
        return frozenset(resource for resource, endpoint in known.items() if not self._expired(endpoint))

    def shown(self, record: PodRecord, name: str) -> tuple[dict[str, str], list[str]]:
        """(variables, paths of files) with which a container is told of its devices: what the plugin has answered."""
        variables: dict[str, str] = {}
        paths = []
        for resource, devices in self._given.get(record.uid, {}).get(name, {}).items():
            endpoint = self._endpoints[record.node][resource]
            for device in devices:
                paths.append(f"/tmp/{device}")
                if endpoint.cdi:
                    variables["CDI_DEVICE"] = f"CDI-{device}"
        return variables, paths

    def _wanted(self, record: PodRecord, container: JSON) -> Iterator[tuple[str, int]]:
        limits = (container.get("resources") or {}).get("limits") or {}
        for resource, endpoint in self._endpoints[record.node].items():
            amount = quantity.value(limits[resource]) if resource in limits else 0
            if amount and (not self._expired(endpoint) or self._taken(record.node, resource)):
                yield resource, amount

    def _choose(
        self, record: PodRecord, resource: str, wanted: int, before: set[str], own: Given
    ) -> list[str]:
        """The devices for a container, those that init containers had first (devicesToAllocate)."""
        healthy = self._healthy(record.node, resource)
        chosen = sorted(before)[:wanted]
        mine = {device for resources in own.values() for device in resources.get(resource, ())}
        taken = self._taken(record.node, resource) | mine
        free = [each for each in healthy if each not in taken]
        needed = wanted - len(chosen)
        if needed > len(free):
            raise _Unavailable(
                f"requested number of devices unavailable for {resource}. "
                f"Requested: {needed}, Available: {len(free)}"
            )
        return [*chosen, *free[:needed]]

    def _healthy(self, node: str, resource: str) -> list[str]:
        endpoint = self._endpoints.get(node, {}).get(resource)
        if endpoint is None or self._expired(endpoint):
            raise _Unavailable(f"cannot allocate unregistered device {resource}")
        if not endpoint.healthy():
            raise _Unavailable(f"no healthy devices present; cannot allocate unhealthy devices {resource}")
        return endpoint.healthy()

    def _taken(self, node: str, resource: str) -> set[str]:
        found: set[str] = set()
        for uid, given in self._given.items():
            if self.core.records.look(uid).node == node:
                found.update(device for resources in given.values() for device in resources.get(resource, ()))
        return found

    def _free_stranded(self) -> None:
        """Pods that count no more have no devices (UpdateAllocatedDevices)."""
        counted = {record.uid for record in self.core.records.all() if record.counted}
        self._given = {uid: given for uid, given in self._given.items() if uid in counted}

    # ---- saving ----------------------------------------------------------------------------------------

    def state(self) -> list[Any]:
        """[] while no plugin was ever there."""
        if not self._endpoints:
            return []
        endpoints = [
            [node, [[name, e.devices, e.container, e.stopped, e.cdi] for name, e in known.items()]]
            for node, known in self._endpoints.items()
        ]
        given = [
            [uid, [[name, list(resources.items())] for name, resources in given.items()]]
            for uid, given in self._given.items()
        ]
        return [endpoints, given]

    def load(self, state: list[Any]) -> None:
        endpoints, given = state or ((), ())
        self._endpoints = {
            node: {name: Endpoint(list(devices), *rest) for name, devices, *rest in known}
            for node, known in endpoints
        }
        self._given = {
            uid: {
                name: {resource: list(ids) for resource, ids in resources} for name, resources in containers
            }
            for uid, containers in given
        }


def _in_order(spec: JSON) -> Iterator[tuple[JSON, bool]]:
    """The containers as they begin, and whether those after them may have their devices."""
    for container in spec.get("initContainers") or ():
        yield container, not is_sidecar(container)
    for container in spec["containers"]:
        yield container, False
