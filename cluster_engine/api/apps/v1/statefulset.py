"""StatefulSet.

Models pkg/registry/apps/statefulset/strategy.go and pkg/apis/apps/validation (ValidateStatefulSet).
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.core.v1 import persistentvolumeclaim
from cluster_engine.api.core.v1.workload import (
    check_amount,
    check_at_most_100_percent,
    check_collisions,
    check_counts,
    check_replica_counts,
    check_selector,
    check_template,
    defaulted,
    is_zero,
    workload_warnings,
)
from cluster_engine.api.meta import check_meta, check_not_negative
from cluster_engine.api.printing import AGE, CONTAINERS, IMAGES, NAME, age, container_cells
from cluster_engine.api.strategy import create_spec, same, update_spec, update_status
from cluster_engine.api.subresources import SCALE, STATUS
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import (
    FieldError,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)
from cluster_engine.apimachinery.scheme import Column, Kind
from cluster_engine.apimachinery.validation import is_dns1123_label

_DEFAULTS = {
    "replicas": 1,
    "revisionHistoryLimit": 10,
    "podManagementPolicy": "OrderedReady",
    "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
}
_STATUS_COUNTS = (
    "replicas",
    "readyReplicas",
    "currentReplicas",
    "updatedReplicas",
    "availableReplicas",
    "observedGeneration",
    "collisionCount",
)
_CHANGEABLE = (
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
)
_FROZEN = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
    "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)


def default(stateful_set: JSON) -> JSON:
    """The StatefulSet with its defaults."""
    made = defaulted(stateful_set, _DEFAULTS, "updateStrategy", _default_strategy)
    claims = made["spec"].get("volumeClaimTemplates")
    if not claims:
        return made
    filled = [_default_claim(claim) for claim in claims]
    if all(new is old for new, old in zip(filled, claims, strict=True)):
        return made
    return {**made, "spec": {**made["spec"], "volumeClaimTemplates": filled}}


def _default_claim(claim: JSON) -> JSON:
    """A template for claims, as it is shown."""
    if claim.get("kind") and (claim.get("status") or {}).get("phase"):
        return persistentvolumeclaim.default(claim)
    named = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", **claim, "status": {"phase": "Pending"}}
    return persistentvolumeclaim.default(named)


def _default_strategy(strategy: JSON) -> JSON:
    kind = strategy.get("type") or "RollingUpdate"
    if kind != "RollingUpdate":
        return strategy
    rolling = strategy.get("rollingUpdate") or {}
    if strategy.get("type") and rolling.get("partition") is not None:
        return strategy
    given = {name: value for name, value in rolling.items() if value is not None}
    return {**strategy, "type": kind, "rollingUpdate": {"partition": 0, **given}}


def prepare_create(stateful_set: JSON) -> JSON:
    """A fresh status; its counts of replicas are always shown."""
    return {**create_spec(stateful_set), "status": {"replicas": 0, "availableReplicas": 0}}


def validate(stateful_set: JSON) -> list[FieldError]:
    """What is wrong with a new StatefulSet."""
    return check_meta(stateful_set) + _check_spec(stateful_set.get("spec") or {})


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """Who a Pod is and what it keeps may not change."""
    spec, was = new.get("spec") or {}, old.get("spec") or {}
    if spec is was:
        return []
    problems = _check_spec(spec)
    if not same(_fixed(spec), _fixed(was)):
        problems.append(forbidden_field("spec", _FROZEN))
    return problems


def _fixed(spec: JSON) -> JSON:
    return {name: value for name, value in spec.items() if name not in _CHANGEABLE}


def _check_spec(spec: JSON) -> list[FieldError]:
    policy = spec.get("podManagementPolicy") or ""
    problems: list[FieldError] = []
    if not policy:
        problems.append(required("spec.podManagementPolicy"))
    elif policy not in ("OrderedReady", "Parallel"):
        text = "must be 'OrderedReady' or 'Parallel'"
        problems.append(invalid_value("spec.podManagementPolicy", policy, text))
    problems += _check_strategy(spec.get("updateStrategy") or {}, "spec.updateStrategy")
    problems += _check_retention(spec.get("persistentVolumeClaimRetentionPolicy"))
    problems += check_not_negative(spec.get("replicas"), "spec.replicas")
    problems += check_not_negative(spec.get("minReadySeconds"), "spec.minReadySeconds")
    problems += check_not_negative((spec.get("ordinals") or {}).get("start"), "spec.ordinals.start")
    problems += check_not_negative(spec.get("revisionHistoryLimit"), "spec.revisionHistoryLimit")
    name = spec.get("serviceName")
    if name:
        problems += [invalid_value("spec.serviceName", name, text) for text in is_dns1123_label(name)]
    return problems + check_selector(spec, "statefulset") + check_template(_with_claims(spec), "StatefulSet")


def _with_claims(spec: JSON) -> JSON:
    """The spec as its Pods will see it: with a volume for each claim."""
    names = [
        (claim.get("metadata") or {}).get("name", "") for claim in spec.get("volumeClaimTemplates") or ()
    ]
    template = spec.get("template") or {}
    pod = template.get("spec") or {}
    kept = [volume for volume in pod.get("volumes") or () if volume.get("name") not in names]
    claimed = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in names if name]
    if not claimed:
        return spec
    return {**spec, "template": {**template, "spec": {**pod, "volumes": [*kept, *claimed]}}}


def _check_strategy(strategy: JSON, path: str) -> list[FieldError]:
    kind, rolling = strategy.get("type") or "", strategy.get("rollingUpdate")
    if not kind:
        return [required(path)]
    if kind == "OnDelete":
        if rolling is None:
            return []
        text = "only allowed for updateStrategy 'RollingUpdate'"
        return [invalid_value(f"{path}.rollingUpdate", rolling, text)]
    if kind != "RollingUpdate":
        return [invalid_value(path, strategy, "must be 'RollingUpdate' or 'OnDelete'")]
    if rolling is None:
        return []
    problems = check_not_negative(rolling.get("partition"), f"{path}.rollingUpdate.partition")
    most, at = rolling.get("maxUnavailable"), f"{path}.rollingUpdate.maxUnavailable"
    if most is None:
        return problems
    problems += check_amount(most, at)
    if is_zero(most):
        problems.append(invalid_value(at, most, "cannot be 0"))
    return problems + check_at_most_100_percent(most, at)


def _check_retention(policy: JSON | None) -> list[FieldError]:
    problems: list[FieldError] = []
    for field in ("whenDeleted", "whenScaled"):
        value = (policy or {}).get(field)
        if policy is not None and value not in ("Retain", "Delete"):
            path = f"spec.persistentVolumeClaimRetentionPolicy.{field}"
            problems.append(not_supported(path, value or "", ("Delete", "Retain")))
    return problems


def validate_status(new: JSON, old: JSON) -> list[FieldError]:
    """Counts must fit together."""
    status = new.get("status") or {}
    problems = check_counts(status, _STATUS_COUNTS)
    problems += check_replica_counts(status, ("readyReplicas", "currentReplicas", "updatedReplicas"))
    return problems + check_collisions(new, old)


def row(stateful_set: JSON, now: int) -> list[Any]:
    """The cells of a StatefulSet."""
    spec, status = stateful_set.get("spec") or {}, stateful_set.get("status") or {}
    names, images = container_cells((spec.get("template") or {}).get("spec") or {})
    ready = f"{status.get('readyReplicas') or 0}/{spec.get('replicas') or 0}"
    return [stateful_set["metadata"]["name"], ready, age(stateful_set, now), names, images]


KIND = Kind(
    group="apps",
    version="v1",
    kind="StatefulSet",
    resource="statefulsets",
    singular="statefulset",
    namespaced=True,
    short_names=("sts",),
    categories=("all",),
    subresources=SCALE | STATUS,
    columns=(
        NAME,
        Column("Ready", description="Number of the pod with ready state"),
        AGE,
        CONTAINERS,
        IMAGES,
    ),
    row=row,
    default=default,
    prepare_create=prepare_create,
    prepare_update=update_spec,
    prepare_status=update_status,
    validate=validate,
    validate_update=validate_update,
    validate_status=validate_status,
    warnings=workload_warnings,
)
