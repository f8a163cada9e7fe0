"""The ReplicaSet controller: as many Pods as asked for.

Models pkg/controller/replicaset.
"""

from __future__ import annotations

from collections.abc import Sequence

from cluster_engine.apimachinery.cow import JSON, compact, controller_of, key_of
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.apimachinery.labels import Selector, compile_selector
from cluster_engine.client_go import ORPHAN, Change
from cluster_engine.component import Context, Controller
from cluster_engine.component_helpers.conditions import find_condition, without_condition
from cluster_engine.sim import SECOND

from .ownership import ORPHANS, claim, orphans_by_namespace, resolve
from .pods import (
    AT_ONCE,
    available_at,
    is_namespace_terminating,
    is_pod_active,
    pod_from_template,
    pods_to_delete,
    slow_start,
)
from .replica_tally import Tallies, Tally

STATUS_LATENCY = 0.1
LATENCY_PER_REPLICA = 0.0005
MAX_STATUS_LATENCY = 1.0
"""Seconds for which readiness changes are gathered: more for large sets, whose Pods change all the time.

Upstream writes at once, but no faster than its client may (20 requests a second for all controllers).
"""

_PODS = "pods"


def status_latency(replicas: int) -> float:
    """How long a set of that size waits for more changes before it counts."""
    return min(STATUS_LATENCY + LATENCY_PER_REPLICA * replicas, MAX_STATUS_LATENCY)


def new_status(rs: JSON, tally: Tally, available: int, error: ApiError | None, stamp: str) -> JSON:
    """The status of ``rs`` with these Pods after ``error`` in managing them."""
    old = (rs.get("status") or {}).get("conditions") or ()
    status: JSON = {
        "replicas": tally.active,
        "fullyLabeledReplicas": tally.labeled,
        "readyReplicas": tally.ready,
        "availableReplicas": available,
        "terminatingReplicas": tally.terminating,
        "observedGeneration": rs["metadata"].get("generation", 0),
        "conditions": _failure_conditions(old, error, tally.active - rs["spec"]["replicas"], stamp),
    }
    return compact(status, keep=("replicas", "terminatingReplicas"))


def _failure_conditions(old: Sequence[JSON], error: ApiError | None, diff: int, stamp: str) -> list[JSON]:
    if error is None:
        return without_condition(old, "ReplicaFailure")
    if find_condition(old, "ReplicaFailure") is not None:
        return list(old)
    failure: JSON = {"type": "ReplicaFailure", "status": "True", "lastTransitionTime": stamp}
    if diff:
        failure["reason"] = "FailedCreate" if diff < 0 else "FailedDelete"
    failure["message"] = error.message
    return [*old, failure]


def availability(pods: Sequence[JSON], min_ready: int, now: int) -> tuple[int, int | None]:
    """(how many active Pods are available, when the next ready one will be)."""
    times = [available_at(pod, min_ready) for pod in pods if is_pod_active(pod)]
    waiting = [at for at in times if at is not None and at > now]
    return sum(at is not None for at in times) - len(waiting), min(waiting, default=None)


class ReplicaSetController(Controller):
    """Creates and deletes Pods until ``spec.replicas`` are active, and counts them."""

    name = "replicaset-controller"
    resource = "replicasets.apps"
    kind = "ReplicaSet"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.recorder = ctx.recorder(self.name, client=self.client)
        self.sets = ctx.informers.of(self.resource)
        self.pods = ctx.informers.of(_PODS)
        self.pods.add_index(ORPHANS, orphans_by_namespace, ("owners",))
        self.tallies = Tallies(lambda uid: self.pods.by_index("owner", uid), self.selector)
        self.sets.on(add=self._set_added, update=self._set_updated, delete=self._set_deleted)
        self.pods.on(
            add=self._pod_added,
            update=self._pod_updated,
            delete=self._pod_deleted,
            owners=(self.kind, ORPHAN),
        )

    @staticmethod
    def selector(spec_selector: JSON | None) -> Selector:
        """The matcher of a ``spec.selector``."""
        return compile_selector(spec_selector)

    # ---- what makes us look ----------------------------------------------------------------------------

    def _set_added(self, rs: JSON) -> None:
        self.queue.add(key_of(rs))

    def _set_updated(self, change: Change) -> None:
        if change.spec or change.deletion:
            self.queue.add(change.key)

    def _set_deleted(self, rs: JSON) -> None:
        self.tallies.forget(rs["metadata"]["uid"])

    def _owner_key(self, pod: JSON) -> str | None:
        owner = resolve(self.sets, self.kind, pod)
        return None if owner is None else key_of(owner)

    def _pod_added(self, pod: JSON) -> None:
        self.tallies.count(pod, 1)
        self._enqueue(pod)

    def _enqueue(self, pod: JSON) -> None:
        key = self._owner_key(pod)
        if key is not None:
            self.queue.add(key)
        elif controller_of(pod) is None:
            self._offer(pod)

    def _enqueue_later(self, key: str) -> None:
        rs = self.sets.get(key)
        if rs is not None:
            self.queue.add_after(key, status_latency(rs["spec"]["replicas"]))

    def _offer(self, orphan: JSON) -> None:
        labels = orphan["metadata"].get("labels")
        if not labels:
            return
        for rs in self.sets.by_index("namespace", orphan["metadata"]["namespace"]):
            if self.selector(rs["spec"]["selector"]).matches(labels):
                self.queue.add(key_of(rs))

    def _pod_updated(self, change: Change) -> None:
        old, new = change.old, change.new
        moved, going = change.owners or change.labels, change.going
        if not (moved or going or change.readiness):
            return
        if moved or going:
            self.tallies.count(old, -1)
            self.tallies.count(new, 1)
        else:
            self.tallies.changed(old, new)
        key = self._owner_key(new)
        if moved:
            former = self._owner_key(old)
            if former is not None:
                self.queue.add(former)
        if moved or going:
            self._enqueue(new)
        elif key is not None:
            self._enqueue_later(key)

    def _pod_deleted(self, pod: JSON) -> None:
        self.tallies.count(pod, -1)
        key = self._owner_key(pod)
        if key is None:
            return
        if pod["metadata"].get("deletionTimestamp"):
            self._enqueue_later(key)  # replaced already when its deletion began
        else:
            self.queue.add(key)

    # ---- what we do ------------------------------------------------------------------------------------

    def reconcile(self, key: str) -> None:
        rs = self.sets.get(key)
        if rs is None:
            return
        tally = self._claimed(rs)
        error = None
        if not rs["metadata"].get("deletionTimestamp"):
            error = self._manage(rs, tally.active)
        available, due = tally.ready, None
        min_ready, now = rs["spec"].get("minReadySeconds", 0), self.clock.now
        if min_ready:
            available, due = availability(self._pods(rs), min_ready, now)
        status = self.shown(new_status(rs, tally, available, error, self.clock.timestamp()))
        if status != rs.get("status"):
            self.client.update_status(self.resource, {**rs, "status": status})
        if due is not None:
            self.queue.add_after(key, (due - now) / SECOND)
        if error is not None:
            raise error

    def shown(self, status: JSON) -> JSON:
        """The status as the kind has it."""
        return status

    def load(self, state: JSON) -> None:
        self.tallies.clear()

    def _pods(self, rs: JSON) -> list[JSON]:
        return self.pods.by_index("owner", rs["metadata"]["uid"])

    def _claimed(self, rs: JSON) -> Tally:
        """The counts of the set's Pods, after it adopted matching orphans and released strays."""
        tally = self.tallies.of(rs)
        orphans = self.pods.by_index(ORPHANS, rs["metadata"]["namespace"])
        if tally.strays or any(tally.selector.matches(pod["metadata"].get("labels")) for pod in orphans):
            claim(self.client, self.pods, rs, tally.selector, _PODS)
        return tally

    def _manage(self, rs: JSON, active: int) -> ApiError | None:
        """Creates or deletes the difference, at most a burst of it; the first error."""
        diff = active - rs["spec"]["replicas"]
        if diff < 0:
            _, error = slow_start(-diff, lambda: self._create(rs))
            return error
        if diff > 0:
            pods = [pod for pod in self._pods(rs) if is_pod_active(pod)]
            doomed = pods_to_delete(pods, self._related(rs), min(diff, AT_ONCE), self.clock.now)
            errors = [error for pod in doomed if (error := self._delete(rs, pod)) is not None]
            return errors[0] if errors else None
        return None

    def _create(self, rs: JSON) -> ApiError | None:
        try:
            pod = self.client.create(_PODS, pod_from_template(rs["spec"]["template"], rs))
        except ApiError as error:
            if is_namespace_terminating(error):
                return None
            self.recorder.event(rs, "Warning", "FailedCreate", f"Error creating: {error.message}")
            return error
        self.recorder.event(rs, "Normal", "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}")
        return None

    def _delete(self, rs: JSON, pod: JSON) -> ApiError | None:
        meta = pod["metadata"]
        try:
            self.client.delete(_PODS, meta["name"], meta["namespace"], uid=meta["uid"])
        except ApiError as error:
            if error.code == 404:
                return None
            self.recorder.event(rs, "Warning", "FailedDelete", f"Error deleting: {error.message}")
            return error
        self.recorder.event(rs, "Normal", "SuccessfulDelete", f"Deleted pod: {meta['name']}")
        return None

    def _related(self, rs: JSON) -> list[JSON]:
        """The Pods of every ReplicaSet with the same controller: a Deployment's old and new ones."""
        reference = controller_of(rs)
        siblings = self.sets.by_index("owner", reference["uid"]) if reference is not None else [rs]
        uids = [sibling["metadata"]["uid"] for sibling in siblings]
        return [pod for uid in uids for pod in self.pods.by_index("owner", uid)]
