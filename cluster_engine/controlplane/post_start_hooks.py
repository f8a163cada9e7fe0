"""What a cluster has before anybody asks: system namespaces, the ``kubernetes`` Service, priority classes.

Models pkg/controlplane/controller/{systemnamespaces,kubernetesservice}, pkg/controlplane/reconcilers and
pkg/registry/scheduling/rest (AddSystemPriorityClasses).
"""

from __future__ import annotations

from cluster_engine.api.scheduling.v1.priorityclass import SYSTEM
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.client_go import Change
from cluster_engine.component import Component, Context

SYSTEM_NAMESPACES = ("kube-system", "kube-public", "kube-node-lease", "default")
SERVICE_IP = "10.96.0.1"
API_PORT = 6443
CONTROL_PLANE_LABEL = "node-role.kubernetes.io/control-plane"
MASTER_LEASE = 15.0
"""Seconds after which an API server that is gone is no endpoint any more (the endpoint reconciler's lease)."""
_SLICES = "endpointslices.discovery.k8s.io"
_CLASSES = "priorityclasses.scheduling.k8s.io"
_OBJECTS, _ENDPOINTS = "objects", "endpoints"

_DESCRIPTIONS = {
    "system-cluster-critical": "Used for system critical pods that must run in the cluster, "
    "but can be moved to another node if necessary.",
    "system-node-critical": "Used for system critical pods that must not be moved from their current node.",
}
PRIORITY_CLASSES: tuple[JSON, ...] = tuple(
    {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": name},
        "value": value,
        "description": _DESCRIPTIONS[name],
    }
    for name, value in SYSTEM.items()
)

SERVICE: JSON = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {
        "name": "kubernetes",
        "namespace": "default",
        "labels": {"component": "apiserver", "provider": "kubernetes"},
    },
    "spec": {
        "clusterIP": SERVICE_IP,
        "clusterIPs": [SERVICE_IP],
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": API_PORT}],
        "sessionAffinity": "None",
        "type": "ClusterIP",
    },
}


def node_ip(node: JSON) -> str:
    """The node's InternalIP, or ""."""
    for address in (node.get("status") or {}).get("addresses") or ():
        if address["type"] == "InternalIP":
            ip: str = address["address"]
            return ip
    return ""


def api_endpoints(ips: list[str]) -> JSON:
    """The Endpoints of the API servers at these addresses."""
    ports = [{"name": "https", "port": API_PORT, "protocol": "TCP"}]
    return {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"},
        },
        "subsets": [{"addresses": [{"ip": ip} for ip in ips], "ports": ports}],
    }


def api_slice(ips: list[str]) -> JSON:
    """The same as an EndpointSlice."""
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "labels": {"kubernetes.io/service-name": "kubernetes"},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [ip], "conditions": {"ready": True}} for ip in ips],
        "ports": [{"name": "https", "port": API_PORT, "protocol": "TCP"}],
    }


class PostStartHooks(Component):
    """Makes the API server's own objects, and makes them again when they are gone."""

    name = "kube-apiserver"
    process = "kube-apiserver"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.client = ctx.client("system:apiserver", "kube-apiserver", ("system:masters",))
        self.queue = self.new_queue(self.reconcile, latency=0.0, priority=10)
        ctx.processes.servers_changed = self._servers_changed
        self.nodes = ctx.informers.of("nodes")
        self.nodes.on(add=self._node_added, update=self._node_updated, delete=self._node_added)
        ctx.informers.of("namespaces").on(delete=self._gone)
        ctx.informers.of("services").on(delete=self._gone)

    def start(self) -> None:
        self.queue.add(_OBJECTS)

    def _servers_changed(self) -> None:
        self.queue.add_after(_ENDPOINTS, MASTER_LEASE, background=True)

    def _gone(self, obj: JSON) -> None:
        if obj["metadata"]["name"] in (*SYSTEM_NAMESPACES, "kubernetes"):
            self.queue.add(_OBJECTS)
            self.queue.add_after(_ENDPOINTS, 1)

    def _node_added(self, node: JSON) -> None:
        self.queue.add(_ENDPOINTS)

    def _node_updated(self, change: Change) -> None:
        if change.status and node_ip(change.old) != node_ip(change.new):
            self.queue.add(_ENDPOINTS)

    def reconcile(self, key: str) -> None:
        if key == _ENDPOINTS:
            self._publish()
            return
        for name in SYSTEM_NAMESPACES:
            self._ensure("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        for priority_class in PRIORITY_CLASSES:
            self._ensure(_CLASSES, priority_class)
        self._ensure("services", SERVICE)

    def _ensure(self, resource: str, obj: JSON) -> None:
        meta = obj["metadata"]
        key = f"{meta['namespace']}/{meta['name']}" if "namespace" in meta else meta["name"]
        if self.ctx.informers.of(resource).get(key) is None:
            self.client.create(resource, obj)

    def _publish(self) -> None:
        """Endpoints and EndpointSlice of the API servers: the control-plane nodes, else the first node."""
        nodes = [node for node in self.nodes.list() if node_ip(node)]
        planes = [node for node in nodes if CONTROL_PLANE_LABEL in (node["metadata"].get("labels") or {})]
        serving = [
            node for node in planes if self.ctx.processes.runs_on(self.process, node["metadata"]["name"])
        ]
        servers = serving or planes or nodes[:1]
        if not servers or self.ctx.informers.of("namespaces").get("default") is None:
            return
        ips = [node_ip(node) for node in servers]
        self._replace("endpoints", api_endpoints(ips), "subsets")
        self._replace(_SLICES, api_slice(ips), "endpoints")

    def _replace(self, resource: str, wanted: JSON, field: str) -> None:
        existing = self.ctx.informers.of(resource).get("default/kubernetes")
        if existing is None:
            self.client.create(resource, wanted)
        elif existing.get(field) != wanted[field]:
            self.client.update(resource, {**existing, field: wanted[field]})
