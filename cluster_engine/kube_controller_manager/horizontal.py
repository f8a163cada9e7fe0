"""The horizontal Pod autoscaler: a target's size follows what its Pods use, within limits.

What they use is asked of the API metrics.k8s.io, as anybody may: while nobody serves it, only the limits act, and the
rest is told as upstream tells it. Models pkg/controller/podautoscaler/horizontal.go.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON, get, key_of, put
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.apimachinery.labels import Selector, compile_selector, parse_selector, selector_of_map
from cluster_engine.apimachinery.scheme import Kind
from cluster_engine.client_go import Change
from cluster_engine.component import Context, Controller
from cluster_engine.component_helpers.conditions import find_condition, with_condition

from .horizontal_rules import Outcome, Unmeasured, best, forced, measured, proposal, unmeasured
from .replica_calculator import CannotTell, Proposal
from .scaling_behavior import Past, normalized, remember_change

_METRICS = "pods.metrics.k8s.io"
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
        self.pods = ctx.informers.of("pods")
        self._pasts: dict[str, Past] = {}
        self.autoscalers.on(add=self._added, update=self._updated, delete=self._gone)

    def state(self) -> dict[str, Any]:
        return {key: past.as_list() for key, past in self._pasts.items()}

    def load(self, state: dict[str, Any]) -> None:
        self._pasts = {
            key: Past(*([list(entry) for entry in part] for part in saved)) for key, saved in state.items()
        }

    def _gone(self, autoscaler: JSON) -> None:
        self._pasts.pop(key_of(autoscaler), None)

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
        past = self._pasts.setdefault(key, Past([[current, self.clock.now]]))
        spec = autoscaler["spec"]
        wanted = forced(spec, current)
        if not current:
            text = "scaling is disabled since the replica count of the target is zero"
            conditions = self._set(conditions, "ScalingActive", "False", "ScalingDisabled", text)
            self._tell(autoscaler, conditions, status | {"desiredReplicas": 0})
            return
        if wanted is None:
            outcome = self._measure(autoscaler, kind, target, current)
            status["currentMetrics"] = outcome.statuses or None
            conditions = self._set(conditions, "ScalingActive", *outcome.active)
            if outcome.replicas is None:
                self._tell(autoscaler, conditions, status)
                return
            decision = normalized(spec, past, current, outcome.replicas, self.clock.now)
            conditions = self._set(conditions, "AbleToScale", *decision.able)
            conditions = self._set(conditions, "ScalingLimited", *decision.limited)
            wanted = outcome.resize(decision.replicas, current)
        status["desiredReplicas"] = wanted.replicas
        if wanted.replicas != current:
            self._resize(autoscaler, kind, put(target, path, wanted.replicas), *wanted)
            text = f"the HPA controller was able to update the target scale to {wanted.replicas}"
            conditions = self._set(conditions, "AbleToScale", "True", "SucceededRescale", text)
            remember_change(spec, past, current, wanted.replicas, self.clock.now)
            status["lastScaleTime"] = self.clock.timestamp()
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

    def _measure(self, autoscaler: JSON, kind: Kind, target: JSON, current: int) -> Outcome:
        """What all metrics together ask for; where one cannot be had, everybody may know why."""
        spec, namespace = autoscaler["spec"], autoscaler["metadata"]["namespace"]
        selector = _selector(kind, target)
        if selector is None:
            self.recorder.event(autoscaler, "Warning", "SelectorRequired", "selector is required")
            active = ("False", "InvalidSelector", "the HPA target's scale is missing a selector")
            return Outcome(None, "", active, [])
        pods = [pod for pod in self.pods.list(namespace) if selector.matches(pod["metadata"].get("labels"))]
        found = []
        for metric in spec["metrics"]:
            one = self._one(spec, metric, namespace, pods, current)
            if isinstance(one, Unmeasured):
                self.recorder.event(autoscaler, "Warning", one.reason, one.message)
            found.append(one)
        outcome = best(spec["metrics"], found, current)
        if outcome.failure:
            self.recorder.event(autoscaler, "Warning", "FailedComputeMetricsReplicas", outcome.failure)
        return outcome

    def _one(
        self, spec: JSON, metric: JSON, namespace: str, pods: list[JSON], current: int
    ) -> Proposal | Unmeasured:
        """What one metric asks for."""
        if metric["type"] not in ("Resource", "ContainerResource"):
            return unmeasured(metric, namespace)
        try:
            listed = self._metrics(measured(metric).name, namespace, pods)
            return proposal(spec, metric, listed, pods, current, self.clock.now)
        except CannotTell as why:
            return measured(metric).failed(str(why))

    def _metrics(self, resource: str, namespace: str, pods: list[JSON]) -> list[JSON]:
        """The PodMetrics of the Pods. Raises CannotTell."""
        prefix = f"unable to get metrics for resource {resource}: "
        try:
            listed = self.client.list(_METRICS, namespace)
        except ApiError as error:
            text = f"unable to fetch metrics from resource metrics API: {error.message} (get {_METRICS})"
            raise CannotTell(prefix + text) from error
        names = {pod["metadata"]["name"] for pod in pods}
        listed = [each for each in listed if each["metadata"]["name"] in names]
        if not listed:
            raise CannotTell(prefix + "no metrics returned from resource metrics API")
        return listed

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
        status = {name: value for name, value in status.items() if value is not None}
        if status != autoscaler["status"]:
            self.client.update_status(_AUTOSCALERS, {**autoscaler, "status": status})


def _selector(kind: Kind, target: JSON) -> Selector | None:
    """Whose use counts: the Pods of the target. None: it does not say."""
    if kind.scale is not None:
        text = get(target, *kind.scale.selector, default="") if kind.scale.selector else ""
        return parse_selector(text) if text else None
    selector = target["spec"].get("selector")
    if not selector:
        return None
    return selector_of_map(selector) if kind.kind == "ReplicationController" else compile_selector(selector)
