"""The horizontal Pod autoscaler: a target's size follows what its Pods use, within limits.

No metrics API is served, as in a cluster that kubeadm makes; so only the limits act, and the rest is told as
upstream tells it. Models pkg/controller/podautoscaler/horizontal.go.
"""

from __future__ import annotations

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON, get, key_of, put
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.apimachinery.scheme import Kind
from cluster_engine.client_go import Change
from cluster_engine.component import Context, Controller
from cluster_engine.component_helpers.conditions import find_condition, with_condition

from .horizontal_rules import forced, unmeasured

_AUTOSCALERS = "horizontalpodautoscalers.autoscaling"
_PERIOD = 15.0
"""Seconds between two looks at an autoscaler (--horizontal-pod-autoscaler-sync-period)."""


class HorizontalPodAutoscalerController(Controller):
    """Keeps targets within their autoscalers' limits, and tells of metrics that it cannot get."""

    name = "horizontal-pod-autoscaler"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.recorder = ctx.recorder("horizontal-pod-autoscaler", client=self.client)
        self.autoscalers = ctx.informers.of(_AUTOSCALERS)
        self.autoscalers.on(add=self._added, update=self._updated)

    def _added(self, autoscaler: JSON) -> None:
        self.queue.add_after(key_of(autoscaler), _PERIOD)

    def _updated(self, change: Change) -> None:
        if change.spec:
            self.queue.add_after(change.key, _PERIOD)

    def reconcile(self, key: str) -> None:
        autoscaler = self.autoscalers.get(key)
        if autoscaler is None:
            return
        self.queue.add_after(key, _PERIOD, background=True)
        conditions = list(get(autoscaler, "status", "conditions", default=()))
        try:
            kind, target, path = self._target(autoscaler)
        except ApiError as error:
            self.recorder.event(autoscaler, "Warning", "FailedGetScale", error.message)
            text = f"the HPA controller was unable to get the target's current scale: {error.message}"
            self._tell(autoscaler, self._set(conditions, "AbleToScale", "False", "FailedGetScale", text))
            return
        text = "the HPA controller was able to get the target's current scale"
        conditions = self._set(conditions, "AbleToScale", "True", "SucceededGetScale", text)
        current = get(target, *path, default=1 if kind.scale is None else 0)
        status: JSON = {"currentReplicas": current}
        wanted = forced(autoscaler["spec"], current)
        if not current:
            text = "scaling is disabled since the replica count of the target is zero"
            conditions = self._set(conditions, "ScalingActive", "False", "ScalingDisabled", text)
            status["desiredReplicas"] = 0
        elif wanted is None:
            conditions = self._measure(autoscaler, conditions)
        else:
            self._resize(autoscaler, kind, put(target, path, wanted.replicas), *wanted)
            text = f"the HPA controller was able to update the target scale to {wanted.replicas}"
            conditions = self._set(conditions, "AbleToScale", "True", "SucceededRescale", text)
            status |= {"desiredReplicas": wanted.replicas, "lastScaleTime": self.clock.timestamp()}
        self._tell(autoscaler, conditions, status)

    def _target(self, autoscaler: JSON) -> tuple[Kind, JSON, tuple[str, ...]]:
        """The target, its kind, and where it says its size. Raises ApiError."""
        reference, namespace = autoscaler["spec"]["scaleTargetRef"], autoscaler["metadata"]["namespace"]
        group = (reference.get("apiVersion") or "").rpartition("/")[0]
        name = reference["name"]
        kinds = [k for k in self.ctx.scheme.kinds if (k.group, k.kind) == (group, reference["kind"])]
        if not kinds:
            text = f'no matches for kind "{reference["kind"]}" in group "{group}"'
            raise ApiError(errors.status_failure(404, "NotFound", text))
        kind = kinds[0]
        if "scale" not in kind.subresources:
            raise errors.no_such_resource()
        target = self.ctx.informers.of(kind.group_resource).get(f"{namespace}/{name}")
        if target is None:
            scale = f"{kind.resource}/scale.{kind.group}" if kind.group else f"{kind.resource}/scale"
            raise errors.not_found(scale, name)
        return kind, target, ("spec", "replicas") if kind.scale is None else kind.scale.spec_replicas

    def _measure(self, autoscaler: JSON, conditions: list[JSON]) -> list[JSON]:
        """No metric can be had: the size stays, and everybody may know why."""
        metrics, namespace = autoscaler["spec"]["metrics"], autoscaler["metadata"]["namespace"]
        failures = [unmeasured(metric, namespace) for metric in metrics]
        for failure in failures:
            self.recorder.event(autoscaler, "Warning", failure.reason, failure.message)
        first, count = failures[0], len(failures)
        text = f"invalid metrics ({count} invalid out of {count}), first error is: {first.summary}"
        self.recorder.event(autoscaler, "Warning", "FailedComputeMetricsReplicas", text)
        text = f"the HPA was unable to compute the replica count: {first.message}"
        return self._set(conditions, "ScalingActive", "False", first.reason, text)

    def _resize(self, autoscaler: JSON, kind: Kind, target: JSON, replicas: int, reason: str) -> None:
        """Raises ApiError; then it is told, and tried again."""
        try:
            self.client.update(kind.group_resource, target, "scale")
        except ApiError as error:
            text = f"New size: {replicas}; reason: {reason}; error: {error.message}"
            self.recorder.event(autoscaler, "Warning", "FailedRescale", text)
            raise
        text = f"New size: {replicas}; reason: {reason}"
        self.recorder.event(autoscaler, "Normal", "SuccessfulRescale", text)

    def _set(self, conditions: list[JSON], kind: str, status: str, reason: str, message: str) -> list[JSON]:
        """The conditions with one set; when it changed last is when its status did."""
        old = find_condition(conditions, kind)
        since = self.clock.timestamp()
        if old is not None and old["status"] == status:
            since = old["lastTransitionTime"]
        new = {
            "type": kind,
            "status": status,
            "lastTransitionTime": since,
            "reason": reason,
            "message": message,
        }
        return with_condition(conditions, new)

    def _tell(self, autoscaler: JSON, conditions: list[JSON], more: JSON | None = None) -> None:
        status = {**autoscaler["status"], **(more or {}), "conditions": conditions}
        if status != autoscaler["status"]:
            self.client.update_status(_AUTOSCALERS, {**autoscaler, "status": status})
