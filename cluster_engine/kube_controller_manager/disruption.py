"""The disruption controller: how many Pods of a budget may be evicted now.

Models pkg/controller/disruption.
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON, controller_of, key_of
from cluster_engine.apimachinery.labels import compile_selector
from cluster_engine.client_go import Change
from cluster_engine.component import Context, Controller
from cluster_engine.component_helpers import disruption
from cluster_engine.component_helpers.conditions import condition_of
from cluster_engine.component_helpers.pod_conditions import with_pod_condition
from cluster_engine.component_helpers.pod_phase import is_finished
from cluster_engine.sim import SECOND, parse_rfc3339

from .disruption_rules import Count, Uncountable, disrupted_pods, expected, healthy, owner_scale

_BUDGETS = "poddisruptionbudgets.policy"
STALE_SECONDS = 120
"""Seconds that a Pod may be marked for a disruption without being deleted (stalePodDisruptionTimeout)."""
_MARK = "DisruptionTarget"


class DisruptionController(Controller):
    """Keeps the status of PodDisruptionBudgets; takes back marks of disruptions that did not come."""

    name = "disruption-controller"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.recorder = ctx.recorder("controllermanager", client=self.client)
        self.stale = self.new_queue(self.unmark, suffix="stale")
        self.budgets = ctx.informers.of(_BUDGETS)
        self.pods = ctx.informers.of("pods")
        self.budgets.on(add=lambda budget: self.queue.add(key_of(budget)), update=self._budget_updated)
        self.pods.on(add=self._pod_seen, update=self._pod_updated, delete=self._pod_seen)

    def _budget_updated(self, change: Change) -> None:
        self.queue.add(change.key)

    def _pod_seen(self, pod: JSON) -> None:
        namespace = pod["metadata"]["namespace"]
        if not self.budgets.count_by_index("namespace", namespace):
            return
        found = disruption.budgets_of(pod, self.budgets.list(namespace))
        if found:
            self.queue.add(key_of(found[0]))
        if len(found) > 1:
            name = pod["metadata"]["name"]
            told = f'Pod "{namespace}"/"{name}" matches multiple PodDisruptionBudgets.  '
            told += f'Chose "{found[0]["metadata"]["name"]}" arbitrarily.'
            self.recorder.event(pod, "Warning", "MultiplePodDisruptionBudgets", told)

    def _pod_updated(self, change: Change) -> None:
        if change.labels or change.deletion or change.readiness:
            self._pod_seen(change.new)
        if change.status and _is_marked(change.new):
            self.stale.add_after(change.key, STALE_SECONDS, background=True)

    def reconcile(self, key: str) -> None:
        budget = self.budgets.get(key)
        if budget is None:
            return
        selector = compile_selector((budget.get("spec") or {}).get("selector"))
        namespace = budget["metadata"]["namespace"]
        pods = [p for p in self.pods.list(namespace) if selector.matches(p["metadata"].get("labels") or {})]
        if not pods:
            self.recorder.event(budget, "Normal", "NoPods", "No matching pods found")
        try:
            count = expected(budget["spec"], pods, self._scale_of)
        except Uncountable as why:
            told = f"Failed to calculate the number of expected pods: {why}"
            self.recorder.event(budget, "Warning", "CalculateExpectedPodCountFailed", told)
            status = {**budget["status"], "disruptionsAllowed": 0}
            status = disruption.condition(status, disruption.SYNC_FAILED, str(why), self.clock.timestamp())
            self._write(budget, status)
            return
        self._write(budget, self._counted(budget, pods, count))

    def _counted(self, budget: JSON, pods: list[JSON], count: Count) -> JSON:
        """The status of a budget; asks to look again when a Pod that shall be evicted should be gone."""
        disrupted, late, again = disrupted_pods(
            budget["status"].get("disruptedPods") or {}, pods, self.clock.now
        )
        namespace = budget["metadata"]["namespace"]
        for pod in late:
            told = f"Pod was expected by PDB {namespace}/{namespace} to be deleted but it wasn't"
            self.recorder.event(pod, "Warning", "NotDeleted", told)
        if again is not None:
            self.queue.add_after(key_of(budget), (again - self.clock.now) / SECOND, background=True)
        now_healthy = healthy(pods, disrupted)
        allowed = now_healthy - count.desired if count.expected > 0 else 0
        status: JSON = {
            "currentHealthy": now_healthy,
            "desiredHealthy": count.desired,
            "disruptionsAllowed": max(allowed, 0),
            "expectedPods": count.expected,
            "observedGeneration": budget["metadata"].get("generation", 0),
        }
        if disrupted:
            status["disruptedPods"] = disrupted
        if budget["status"].get("conditions"):
            status["conditions"] = budget["status"]["conditions"]
        return disruption.told(status, self.clock.timestamp())

    def _write(self, budget: JSON, status: JSON) -> None:
        if status != budget["status"]:
            self.client.update_status(_BUDGETS, {**budget, "status": status})

    def _scale_of(self, pod: JSON) -> tuple[str, int] | None:
        """(uid, replicas) of what finally decides over the Pod's number. Raises Uncountable."""
        namespace, holder = pod["metadata"]["namespace"], pod
        for _level in range(2):  # a ReplicaSet's Deployment decides for it
            reference = controller_of(holder)
            if reference is None:
                break
            kind = self.ctx.scheme.of_object(reference["apiVersion"], reference["kind"])
            if kind is None:
                raise Uncountable(
                    f'no matches for kind "{reference["kind"]}" in version "{reference["apiVersion"]}"'
                )
            owner = self.ctx.informers.of(kind.group_resource).get(f"{namespace}/{reference['name']}")
            if owner is None or owner["metadata"]["uid"] != reference["uid"]:
                return None
            if kind.group_resource != "replicasets.apps" or controller_of(owner) is None:
                return owner_scale(kind, owner)
            holder = owner
        return None

    def unmark(self, key: str) -> None:
        """A Pod that was marked for a disruption and is still there is marked no longer."""
        pod = self.pods.get(key)
        if pod is None or not _is_marked(pod):
            return
        mark = condition_of(pod, _MARK) or {}
        wait = parse_rfc3339(mark["lastTransitionTime"]) + STALE_SECONDS * SECOND - self.clock.now
        if wait > 0:
            self.stale.add_after(key, wait / SECOND, background=True)
            return
        status = with_pod_condition(pod, {"type": _MARK, "status": "False"}, self.clock.timestamp())
        self.client.update_status("pods", {**pod, "status": status})


def _is_marked(pod: JSON) -> bool:
    """Whether the Pod waits to be disrupted; what the kubelet says of Pods that it ends is no such mark."""
    mark = condition_of(pod, _MARK)
    return (
        mark is not None
        and mark["status"] == "True"
        and mark.get("reason") != "TerminationByKubelet"
        and "deletionTimestamp" not in pod["metadata"]
        and not is_finished(pod)
    )
