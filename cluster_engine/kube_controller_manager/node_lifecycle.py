"""The node lifecycle controller: notices nodes that fell silent, and taints nodes by their conditions.

Models pkg/controller/nodelifecycle. Upstream looks at every node each five seconds; here a node has one timer,
due when its grace period would end, and none while its lease is renewed by itself.
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON, key_of
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.client_go import Change
from cluster_engine.component import Context, Controller
from cluster_engine.component_helpers.conditions import condition_of, is_node_ready
from cluster_engine.sim import SECOND

from . import node_rules as rules
from .pods import is_pod_ready

_NODES, _LEASES, _PODS = "nodes", "leases.coordination.k8s.io", "pods"
_LEASE_NAMESPACE = "kube-node-lease"


class NodeLifecycleController(Controller):
    """Sets silent nodes' conditions to Unknown, keeps taints true, marks Pods of lost nodes not ready."""

    name = "node-controller"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.recorder = ctx.recorder("node-controller", client=self.client)
        self.nodes = ctx.informers.of(_NODES)
        self.leases = ctx.informers.of(_LEASES)
        self.pods = ctx.informers.of(_PODS)
        self.watch = self.new_queue(self._check_silence, suffix="watch")
        self.events = self.new_queue(self._tell, suffix="events")
        self._tainted: dict[str, int] = {}
        """When (virtual µs) the last node of each zone was tainted for eviction."""
        self._zones: dict[str, list[bool]] | None = None
        """Whether each node is ready, by zone; None: to be looked at anew. A pure cache."""
        self.nodes.on(add=self._added, update=self._updated, delete=self._deleted)
        self.leases.on(update=lambda change: self._lease_changed(change.new), delete=self._lease_changed)

    def state(self) -> JSON:
        return {"tainted": dict(self._tainted)}

    def load(self, state: JSON) -> None:
        self._tainted = dict(state.get("tainted", {}))
        self._zones = None

    def _added(self, node: JSON) -> None:
        name = node["metadata"]["name"]
        self._zones = None
        self.queue.add(name)
        self.events.add(
            f"RegisteredNode|{name}|Registered Node {name} in Controller|{node['metadata']['uid']}"
        )
        self.watch.add_after(name, rules.GRACE_PERIOD, background=True)

    def _lease_changed(self, lease: JSON) -> None:
        name, namespace = lease["metadata"]["name"], lease["metadata"]["namespace"]
        if namespace == _LEASE_NAMESPACE and not self.leases.is_renewed(key_of(lease)):
            self.watch.add_after(name, rules.GRACE_PERIOD, background=True)

    def _deleted(self, node: JSON) -> None:
        name = node["metadata"]["name"]
        self._zones = None
        self.events.add(f"RemovingNode|{name}|Removing Node {name} from Controller|{node['metadata']['uid']}")

    def _updated(self, change: Change) -> None:
        old, new = change.old, change.new
        if change.labels or (change.status and is_node_ready(old) != is_node_ready(new)):
            self._zones = None
        if change.spec or (change.status and _statuses(old) != _statuses(new)):
            self.queue.add(change.key)
        if change.status and is_node_ready(old) != is_node_ready(new):
            # Whether others are to be evicted may be another question now.
            for node in self.nodes.list():
                if not is_node_ready(node):
                    self.queue.add(node["metadata"]["name"])

    def _tell(self, key: str) -> None:
        reason, name, what, uid = key.split("|")
        about = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "uid": uid}}
        self.recorder.event(about, "Normal", reason, f"Node {name} event: {what}")

    def _check_silence(self, name: str) -> None:
        """The timer of one node: writes Unknown when the grace period is over, else looks again then."""
        node, lease_key = self.nodes.get(name), f"{_LEASE_NAMESPACE}/{name}"
        if node is None or self.leases.is_renewed(lease_key):
            return  # it cannot fall silent before its lease is written by somebody else, or goes
        now = self.clock.now
        due = rules.last_sign(node, self.leases.get(lease_key))
        due += round(rules.grace_period(node) * SECOND)
        if now >= due:
            old = (node.get("status") or {}).get("conditions") or ()
            found = rules.silent_conditions(node, self.clock.timestamp())
            if found != list(old):
                self.client.update_status(_NODES, {**node, "status": {**node["status"], "conditions": found}})
            due = now + 5 * SECOND
        self.watch.add_after(name, (due - now) / SECOND, background=True)

    def reconcile(self, key: str) -> None:
        node = self.nodes.get(key)
        if node is None:
            return
        ready = condition_of(node, "Ready")
        lost = ready is None or ready["status"] != "True"
        if lost and ready is not None and ready.get("reason") == "NodeStatusUnknown":
            self._mark_pods(node)
        old = list(node["spec"].get("taints") or ())
        new = rules.taints(node, self.clock.timestamp(), lost and self._evict(node))
        if new != old:
            spec = {name: value for name, value in node["spec"].items() if name != "taints"}
            self.client.update(_NODES, {**node, "spec": {**spec, "taints": new} if new else spec})

    def _evict(self, node: JSON) -> bool:
        """Whether the Pods of a lost node are to go, now or already. If not yet, it is looked at again in its turn."""
        name, zone = node["metadata"]["name"], rules.zone_of(node)
        if self._zones is None:
            self._zones = rules.zones(self.nodes.list())
        zones = self._zones
        if rules.all_lost(zones) or rules.evicting(node):
            return not rules.all_lost(zones)
        interval = rules.eviction_interval(zones[zone]) if zone in zones else rules.EVICTION_INTERVAL
        if interval is None:
            return False
        due = self._tainted[zone] + round(interval * SECOND) if zone in self._tainted else 0
        if self.clock.now < due:
            self.queue.add_after(name, (due - self.clock.now) / SECOND)
            return False
        self._tainted[zone] = self.clock.now
        return True

    def _mark_pods(self, node: JSON) -> None:
        """Pods of a node that went silent are not ready, whatever they said last (MarkPodsNotReady)."""
        name = node["metadata"]["name"]
        marked = False
        for pod in self.pods.by_index("node", name):
            if not is_pod_ready(pod):
                continue
            marked = True
            change = {"status": "False", "lastTransitionTime": self.clock.timestamp()}
            found = [{**c, **change} if c["type"] == "Ready" else c for c in pod["status"]["conditions"]]
            try:
                self.client.update_status(_PODS, {**pod, "status": {**pod["status"], "conditions": found}})
            except ApiError as error:
                if error.code not in (404, 409):
                    raise
                continue
            self.recorder.event(pod, "Warning", "NodeNotReady", "Node is not ready")
        if marked:
            text = f"Node {name} status is now: NodeNotReady"
            self.recorder.event(node, "Normal", "NodeNotReady", text)


def _statuses(node: JSON) -> list[tuple[str, str]]:
    return [(c["type"], c["status"]) for c in (node.get("status") or {}).get("conditions") or ()]
