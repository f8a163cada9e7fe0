"""eviction: a delete that asks the Pod's disruption budget first.

Models pkg/registry/core/pod/storage/eviction.go.
"""

from __future__ import annotations

from typing import Protocol

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON, key_of
from cluster_engine.apimachinery.scheme import Kind
from cluster_engine.component_helpers import disruption
from cluster_engine.component_helpers.conditions import condition_of
from cluster_engine.component_helpers.pod_conditions import with_pod_condition
from cluster_engine.etcd import Store
from cluster_engine.sim import Clock

from ..deletion import check_preconditions
from ..types import RequestContext

MAX_DISRUPTED_PODS = 2_000
"""Pods of a budget whose eviction was allowed and that are not gone yet."""
_BUDGETS = "poddisruptionbudgets.policy"
_VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget."
_UNGUARDED = ("Succeeded", "Failed", "Pending")
_TARGET = {
    "type": "DisruptionTarget",
    "status": "True",
    "reason": "EvictionByEvictionAPI",
    "message": "Eviction API: evicting",
}


class Pods(Protocol):
    """What an eviction needs of the registry."""

    clock: Clock
    store: Store

    def kind(self, resource: str) -> Kind: ...

    def find(self, resource: str, namespace: str | None, name: str) -> JSON | None: ...

    def delete(
        self,
        ctx: RequestContext,
        resource: str,
        namespace: str | None,
        name: str,
        options: JSON | None = None,
    ) -> JSON: ...


def evict(registry: Pods, ctx: RequestContext, namespace: str, name: str, eviction: JSON) -> JSON:
    """Delete the Pod with the eviction's options. Raises ApiError 400, 403, 404, 409, 422, 429, 500."""
    given = (eviction.get("metadata") or {}).get("name", "")
    if given and given != name:
        raise errors.bad_request(f"name in URL does not match name in Eviction object: {given} != {name}")
    pod = registry.find("pods", namespace, name)
    if pod is None:
        raise errors.not_found("pods", name)
    options = eviction.get("deleteOptions") or {}
    check_preconditions(registry.kind("pods"), pod, options)
    if not _is_unguarded(pod):
        budget = _budget_of(registry.store, pod)
        if budget is not None and not _is_free(pod, budget):
            charged = _charged(budget, name, registry.clock.timestamp())
            if not ctx.dry_run:
                _put(registry.store, _BUDGETS, budget, charged)
    if not ctx.dry_run and "deletionTimestamp" not in pod["metadata"]:
        _put(registry.store, "pods", pod, with_pod_condition(pod, _TARGET, registry.clock.timestamp()))
    # The version was compared above, and the condition has changed it.
    wanted = {k: v for k, v in (options.get("preconditions") or {}).items() if k != "resourceVersion"}
    registry.delete(ctx, "pods", namespace, name, {**options, "preconditions": wanted})
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def _put(store: Store, resource: str, obj: JSON, status: JSON) -> None:
    expect = int(obj["metadata"]["resourceVersion"])
    store.put(resource, key_of(obj), {**obj, "status": status}, expect=expect)


def _is_unguarded(pod: JSON) -> bool:
    """Whether no budget is asked: nothing runs that could be missed (canIgnorePDB)."""
    return pod["status"].get("phase") in _UNGUARDED or "deletionTimestamp" in pod["metadata"]


def _budget_of(store: Store, pod: JSON) -> JSON | None:
    budgets = store.range(_BUDGETS, pod["metadata"]["namespace"])
    found = disruption.budgets_of(pod, budgets)
    if len(found) > 1:
        text = (
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        )
        raise errors.ApiError(errors.status_failure(500, "", text))
    return found[0] if found else None


def _is_free(pod: JSON, budget: JSON) -> bool:
    """Whether a Pod that is not ready may go without being counted."""
    ready = condition_of(pod, "Ready")
    if ready is not None and ready["status"] == "True":
        return False
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = budget["status"]
    desired: int = status.get("desiredHealthy", 0)
    return bool(0 < desired <= status.get("currentHealthy", 0))


def _charged(budget: JSON, pod: str, stamp: str) -> JSON:
    """The budget's status with one disruption less. Raises ApiError 429, 403 (checkAndDecrement)."""
    meta, status = budget["metadata"], budget["status"]
    name, allowed = meta["name"], status.get("disruptionsAllowed", 0)
    if status.get("observedGeneration", 0) < meta.get("generation", 0):
        raise _violated(f"The disruption budget {name} is still being processed by the server.", 10)
    if len(status.get("disruptedPods") or {}) > MAX_DISRUPTED_PODS:
        text = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
        raise errors.forbidden("poddisruptionbudget.policy", name, text)
    if allowed == 0:
        known = condition_of(budget, disruption.ALLOWED)
        if known is not None and known["reason"] == disruption.SYNC_FAILED:
            text = f"The disruption budget {name} does not allow evicting pods currently because it failed sync: "
            raise _violated(text + known["message"], 0)
        wanted, found = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
        raise _violated(
            f"The disruption budget {name} needs {wanted} healthy pods and has {found} currently", 0
        )
    disrupted = {**(status.get("disruptedPods") or {}), pod: stamp}
    left = {**status, "disruptionsAllowed": allowed - 1, "disruptedPods": disrupted}
    return left if allowed > 1 else disruption.told(left, stamp)


def _violated(cause: str, retry_after: int) -> errors.ApiError:
    causes = [{"reason": "DisruptionBudget", "message": cause}]
    return errors.ApiError(
        errors.status_failure(429, "TooManyRequests", _VIOLATES, {"causes": causes}, retry_after)
    )
