"""The DaemonSet controller: one Pod on every node that fits.

Models pkg/controller/daemon.
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON, key_of
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.apimachinery.labels import compile_selector
from cluster_engine.client_go import Change
from cluster_engine.component import Context, Controller
from cluster_engine.sim import SECOND

from . import daemonset_rules as rules
from .ownership import ORPHANS, claim, orphans_by_namespace, resolve
from .pods import AT_ONCE, is_namespace_terminating, slow_start
from .replicaset import STATUS_LATENCY, availability

_DAEMON_SETS, _PODS, _REVISIONS = "daemonsets.apps", "pods", "controllerrevisions.apps"


class DaemonSetController(Controller):
    """Keeps a Pod on each eligible node and rolls new templates over them."""

    name = "daemon-set-controller"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.recorder = ctx.recorder("daemonset-controller", client=self.client)
        self.sets = ctx.informers.of(_DAEMON_SETS)
        self.pods = ctx.informers.of(_PODS)
        self.nodes = ctx.informers.of("nodes")
        self.revisions = ctx.informers.of(_REVISIONS)
        self.pods.add_index(ORPHANS, orphans_by_namespace, ("owners",))
        self.sets.on(add=self._added, update=self._updated)
        self.pods.on(
            add=self._pod_added, update=self._pod_updated, delete=self._pod_added, owners=("DaemonSet",)
        )
        self.revisions.on(delete=self._pod_added, owners=("DaemonSet",))
        self.nodes.on(add=self._nodes_changed, update=self._node_updated, delete=self._nodes_changed)

    # ---- what makes us look ----------------------------------------------------------------------------

    def _added(self, ds: JSON) -> None:
        self.queue.add(key_of(ds))

    def _updated(self, change: Change) -> None:
        if change.spec or change.deletion:
            self.queue.add(change.key)

    def _pod_added(self, pod: JSON) -> None:
        """A Pod came or went, or a revision went."""
        owner = resolve(self.sets, "DaemonSet", pod)
        if owner is not None:
            self.queue.add(key_of(owner))

    def _pod_updated(self, change: Change) -> None:
        if change.deletion or change.labels or change.owners:
            self._pod_added(change.new)
            return
        owner = resolve(self.sets, "DaemonSet", change.new) if change.readiness else None
        if owner is not None:
            self.queue.add_after(key_of(owner), STATUS_LATENCY)

    def _nodes_changed(self, node: JSON) -> None:
        for ds in self.sets.list():
            self.queue.add(key_of(ds))

    def _node_updated(self, change: Change) -> None:
        old, new = change.old, change.new
        if change.labels or (change.spec and old["spec"].get("taints") != new["spec"].get("taints")):
            self._nodes_changed(new)

    # ---- what we do ------------------------------------------------------------------------------------

    def reconcile(self, key: str) -> None:
        ds = self.sets.get(key)
        if ds is None:
            return
        if ds["spec"]["selector"] == {}:
            text = "This daemon set is selecting all pods. A non-empty selector is required."
            self.recorder.event(ds, "Warning", "SelectingAll", text)
            return
        selector = compile_selector(ds["spec"]["selector"])
        hash = rules.template_hash(ds)
        where = rules.places(ds, self.nodes.list())
        if not ds["metadata"].get("deletionTimestamp"):
            self._keep_revision(ds, hash)
            claim(self.client, self.pods, ds, selector, _PODS)
            self._act(ds, where, hash)
        pods = self.pods.by_index("owner", ds["metadata"]["uid"])
        now = self.clock.now
        status = rules.status(ds, where, rules.by_node(pods), hash, now)
        if status != ds.get("status"):
            self.client.update_status(_DAEMON_SETS, {**ds, "status": status})
        min_ready = ds["spec"].get("minReadySeconds", 0)
        due = availability(pods, min_ready, now)[1] if min_ready else None
        if due is not None:
            self.queue.add_after(key, (due - now) / SECOND)

    def _act(self, ds: JSON, where: rules.Places, hash: str) -> None:
        """Puts Pods where they are missing, takes superfluous ones away, then rolls a step."""
        pods = rules.by_node(self.pods.by_index("owner", ds["metadata"]["uid"]))
        changes = rules.manage(ds, where, pods, hash)
        rolling = ds["spec"]["updateStrategy"]["type"] == "RollingUpdate"
        if rolling and not (changes.create_on or changes.delete):
            changes = rules.roll(ds, where, pods, hash, self.clock.now)
        for pod in changes.failed:
            text = f"Found failed daemon pod {key_of(pod)} on node {rules.node_of(pod)}, will try to kill it"
            self.recorder.event(ds, "Warning", "FailedDaemonPod", text)
        for pod in changes.delete[:AT_ONCE]:
            self._delete(ds, pod)
        waiting = iter(changes.create_on)
        _, error = slow_start(len(changes.create_on), lambda: self._create(ds, next(waiting), hash))
        if error is not None:
            raise error

    def _create(self, ds: JSON, node: str, hash: str) -> ApiError | None:
        try:
            pod = self.client.create(_PODS, rules.daemon_pod(ds, node, hash))
        except ApiError as error:
            if is_namespace_terminating(error):
                return None
            self.recorder.event(ds, "Warning", "FailedCreate", f"Error creating: {error.message}")
            return error
        self.recorder.event(ds, "Normal", "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}")
        return None

    def _delete(self, ds: JSON, pod: JSON) -> None:
        meta = pod["metadata"]
        try:
            self.client.delete(_PODS, meta["name"], meta["namespace"], uid=meta["uid"])
        except ApiError as error:
            if error.code != 404:
                self.recorder.event(ds, "Warning", "FailedDelete", f"Error deleting: {error.message}")
                raise
        else:
            self.recorder.event(ds, "Normal", "SuccessfulDelete", f"Deleted pod: {meta['name']}")

    def _keep_revision(self, ds: JSON, hash: str) -> None:
        """Remembers the template; a rolled-back one gets the highest number, those over the limit go."""
        owned = self.revisions.by_index("owner", ds["metadata"]["uid"])
        owned.sort(key=lambda revision: revision["revision"])
        current = next((revision for revision in owned if rules.is_updated(revision, hash)), None)
        last = owned[-1]["revision"] if owned else 0
        if current is None:
            current = self.client.create(_REVISIONS, rules.revision_of(ds, hash, last + 1))
        elif current["revision"] < last:
            current = self.client.update(_REVISIONS, {**current, "revision": last + 1})
        olds = [r for r in owned if r["metadata"]["name"] != current["metadata"]["name"]]
        excess = len(olds) - ds["spec"].get("revisionHistoryLimit", 10)
        if excess <= 0:
            return
        in_use = {
            (pod["metadata"].get("labels") or {}).get(rules.HASH_LABEL)
            for pod in self.pods.by_index("owner", ds["metadata"]["uid"])
        }
        unused = [r for r in olds if r["metadata"]["labels"][rules.HASH_LABEL] not in in_use]
        for revision in unused[:excess]:
            self.client.delete(_REVISIONS, revision["metadata"]["name"], revision["metadata"]["namespace"])
