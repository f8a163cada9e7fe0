"""DaemonSet.

Models pkg/registry/apps/daemonset/strategy.go and pkg/apis/apps/validation (ValidateDaemonSet).
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.core.v1.pod_spec import template_warnings
from cluster_engine.api.core.v1.workload import (
    check_amount,
    check_at_most_100_percent,
    check_collisions,
    check_counts,
    check_selector,
    check_template,
    defaulted,
    is_zero,
    validate_with,
    wide_cells,
)
from cluster_engine.api.meta import check_not_negative
from cluster_engine.api.printing import (
    AGE,
    CONTAINERS,
    IMAGES,
    NAME,
    age,
    doc,
    labels_text,
)
from cluster_engine.api.strategy import create_spec, same, update_spec, update_status
from cluster_engine.api.subresources import STATUS
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, invalid_value, not_supported, required
from cluster_engine.apimachinery.scheme import Column, Kind

_STATUS_COUNTS = (
    "currentNumberScheduled",
    "numberMisscheduled",
    "desiredNumberScheduled",
    "numberReady",
    "observedGeneration",
    "updatedNumberScheduled",
    "numberAvailable",
    "numberUnavailable",
)
_NEW_STATUS = {
    "currentNumberScheduled": 0,
    "desiredNumberScheduled": 0,
    "numberMisscheduled": 0,
    "numberReady": 0,
}
TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"


def default(daemon_set: JSON) -> JSON:
    """The DaemonSet with its defaults."""
    return defaulted(daemon_set, {"revisionHistoryLimit": 10}, "updateStrategy", _default_strategy)


def _default_strategy(strategy: JSON) -> JSON:
    kind = strategy.get("type") or "RollingUpdate"
    if kind != "RollingUpdate":
        return strategy
    limits = strategy.get("rollingUpdate") or {}
    if (
        strategy.get("type")
        and limits.get("maxUnavailable") is not None
        and limits.get("maxSurge") is not None
    ):
        return strategy
    given = {name: value for name, value in limits.items() if value is not None}
    return {**strategy, "type": kind, "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1, **given}}


def _template_generation(daemon_set: JSON, generation: int) -> JSON:
    """The internal field of that name shows as an annotation in apps/v1."""
    meta = daemon_set["metadata"]
    annotations = {**(meta.get("annotations") or {}), TEMPLATE_GENERATION: str(generation)}
    return {**daemon_set, "metadata": {**meta, "annotations": annotations}}


def template_generation(daemon_set: JSON) -> int:
    """How often the template was changed, from 1."""
    text = (daemon_set["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def prepare_create(daemon_set: JSON) -> JSON:
    """Generation 1, template generation 1, a status of zeros."""
    return _template_generation({**create_spec(daemon_set), "status": _NEW_STATUS}, 1)


def prepare_update(new: JSON, old: JSON) -> JSON:
    """A changed template also counts one template generation more."""
    new = update_spec(new, old)
    generation = template_generation(old)
    template, before = (new.get("spec") or {}).get("template"), (old.get("spec") or {}).get("template")
    if not same(template, before):
        generation += 1
    return new if template_generation(new) == generation else _template_generation(new, generation)


def _check_strategy(strategy: JSON) -> list[FieldError]:
    path, kind, rolling = "spec.updateStrategy", strategy.get("type") or "", strategy.get("rollingUpdate")
    if kind == "OnDelete":
        return []
    if kind != "RollingUpdate":
        return [not_supported(f"{path}.type", kind, ("RollingUpdate", "OnDelete"))]
    path = f"{path}.rollingUpdate"
    if rolling is None:
        return [required(path)]
    unavailable, surge = rolling.get("maxUnavailable"), rolling.get("maxSurge")
    problems = check_amount(unavailable, f"{path}.maxUnavailable")
    problems += check_at_most_100_percent(unavailable, f"{path}.maxUnavailable")
    problems += check_amount(surge, f"{path}.maxSurge")
    problems += check_at_most_100_percent(surge, f"{path}.maxSurge")
    if not is_zero(unavailable) and not is_zero(surge):
        text = "may not be set when maxUnavailable is non-zero"
        problems.append(invalid_value(f"{path}.maxSurge", surge, text))
    elif is_zero(unavailable) and is_zero(surge):
        problems.append(required(f"{path}.maxUnavailable", "cannot be 0 when maxSurge is 0"))
    return problems


def _check_spec(spec: JSON) -> list[FieldError]:
    problems = check_selector(spec, "daemonset") + check_template(spec, "DaemonSet")
    for field in ("minReadySeconds", "revisionHistoryLimit"):
        problems += check_not_negative(spec.get(field), f"spec.{field}")
    return problems + _check_strategy(spec.get("updateStrategy") or {})


validate, validate_update = validate_with(_check_spec)


def validate_status(new: JSON, old: JSON) -> list[FieldError]:
    """No count may be negative, collisions never grow fewer."""
    return check_counts(new.get("status") or {}, _STATUS_COUNTS) + check_collisions(new, old)


def row(daemon_set: JSON, now: int) -> list[Any]:
    """The cells of a DaemonSet."""
    spec, status = daemon_set.get("spec") or {}, daemon_set.get("status") or {}
    pod = (spec.get("template") or {}).get("spec") or {}
    return [
        daemon_set["metadata"]["name"],
        status.get("desiredNumberScheduled") or 0,
        status.get("currentNumberScheduled") or 0,
        status.get("numberReady") or 0,
        status.get("updatedNumberScheduled") or 0,
        status.get("numberAvailable") or 0,
        labels_text(pod.get("nodeSelector")),
        age(daemon_set, now),
        *wide_cells(daemon_set),
    ]


KIND = Kind(
    group="apps",
    version="v1",
    kind="DaemonSet",
    resource="daemonsets",
    singular="daemonset",
    namespaced=True,
    short_names=("ds",),
    categories=("all",),
    subresources=STATUS,
    columns=(
        NAME,
        Column("Desired", "integer", description=doc("apps.v1.DaemonSetStatus", "desiredNumberScheduled")),
        Column("Current", "integer", description=doc("apps.v1.DaemonSetStatus", "currentNumberScheduled")),
        Column("Ready", "integer", description=doc("apps.v1.DaemonSetStatus", "numberReady")),
        Column("Up-to-date", "integer", description=doc("apps.v1.DaemonSetStatus", "updatedNumberScheduled")),
        Column("Available", "integer", description=doc("apps.v1.DaemonSetStatus", "numberAvailable")),
        Column("Node Selector", description=doc("core.v1.PodSpec", "nodeSelector")),
        AGE,
        CONTAINERS,
        IMAGES,
        Column("Selector", description=doc("apps.v1.DaemonSetSpec", "selector"), priority=1),
    ),
    row=row,
    default=default,
    prepare_create=prepare_create,
    prepare_update=prepare_update,
    prepare_status=update_status,
    validate=validate,
    validate_update=validate_update,
    validate_status=validate_status,
    warnings=lambda obj: template_warnings((obj.get("spec") or {}).get("template") or {}, "spec.template"),
)
