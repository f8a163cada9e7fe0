"""What Deployments, ReplicaSets and DaemonSets share: a selector, a template, counts, cells.

Models pkg/apis/apps/validation and pkg/apis/apps/v1/defaults.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cluster_engine.api.core.v1.pod_spec import default_template, template_warnings, validate_template
from cluster_engine.api.core.v1.pod_spec.annotations import check_pod_annotations
from cluster_engine.api.meta import check_immutable, check_meta, check_not_negative
from cluster_engine.api.printing import (
    AGE,
    CONTAINERS,
    IMAGES,
    NAME,
    age,
    container_cells,
    doc,
    selector_text,
)
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import (
    FieldError,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)
from cluster_engine.apimachinery.labels import SelectorError, compile_selector
from cluster_engine.apimachinery.scheme import Column
from cluster_engine.apimachinery.validation import is_dns1123_label, is_percent, validate_label_selector

_MISMATCH = "`selector` does not match template `labels`"
_SURPRISING = "this is used in Pod names and hostnames, which can result in surprising behavior"


def defaulted(
    obj: JSON,
    fields: Mapping[str, Any],
    strategy: str = "",
    default_strategy: Callable[[JSON], JSON] | None = None,
) -> JSON:
    """The workload with its template's defaults, the missing ones of ``fields``, and those of its strategy."""
    spec: JSON = obj.get("spec") or {}
    add = {name: value for name, value in fields.items() if spec.get(name) is None}
    if default_strategy is not None:
        given = spec.get(strategy) or {}
        made = default_strategy(given)
        if made is not given:
            add[strategy] = made
    template = spec.get("template") or {}
    made = default_template(template)
    if made is not template:
        add["template"] = made
    return {**obj, "spec": {**spec, **add}} if add else obj


def validate_with(
    check_spec: Callable[[JSON], list[FieldError]],
) -> tuple[Callable[[JSON], list[FieldError]], Callable[[JSON, JSON], list[FieldError]]]:
    """(validate, validate_update) of a workload whose spec is checked so; its selector never changes."""

    def validate(obj: JSON) -> list[FieldError]:
        return check_meta(obj) + check_spec(obj.get("spec") or {})

    def validate_update(new: JSON, old: JSON) -> list[FieldError]:
        spec, was = new.get("spec") or {}, old.get("spec") or {}
        if spec is was:
            return []
        immutable = check_immutable(spec.get("selector"), was.get("selector"), "spec.selector")
        return check_spec(spec) + immutable

    return validate, validate_update


def check_selector(spec: JSON, kind: str) -> list[FieldError]:
    """spec.selector must be there and must not be empty."""
    selector = spec.get("selector")
    if selector is None:
        return [required("spec.selector")]
    problems = validate_label_selector(selector, "spec.selector")
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        problems.append(invalid_value("spec.selector", selector, f"empty selector is invalid for {kind}"))
    return problems


def check_template(spec: JSON, kind: str) -> list[FieldError]:
    """spec.template must fit the selector and its Pods must restart always."""
    template: JSON = spec.get("template") or {}
    path = "spec.template"
    labels = (template.get("metadata") or {}).get("labels")
    selector = spec.get("selector")
    problems: list[FieldError] = []
    if selector and (selector.get("matchLabels") or selector.get("matchExpressions")):
        try:
            if not compile_selector(selector).matches(labels):
                problems.append(invalid_value(f"{path}.metadata.labels", labels, _MISMATCH))
        except SelectorError:
            problems.append(invalid_value("spec.selector", selector, "invalid label selector"))
    annotations = (template.get("metadata") or {}).get("annotations")
    if annotations:
        problems += check_pod_annotations(annotations, template.get("spec") or {}, f"{path}.annotations")
    problems += validate_template(template, path)
    pod: JSON = template.get("spec") or {}
    if pod.get("restartPolicy") != "Always":
        policy = pod.get("restartPolicy") or ""
        problems.append(not_supported(f"{path}.spec.restartPolicy", policy, ("Always",)))
    if pod.get("activeDeadlineSeconds") is not None:
        text = f"activeDeadlineSeconds in {kind} is not Supported"
        problems.append(forbidden_field(f"{path}.spec.activeDeadlineSeconds", text))
    return problems


def check_amount(value: Any, path: str) -> list[FieldError]:
    """A count or a percentage (ValidatePositiveIntOrPercent)."""
    if isinstance(value, str):
        return [invalid_value(path, value, text) for text in is_percent(value)]
    return check_not_negative(value, path)


def percent_of(value: Any) -> int | None:
    """The number of a percentage, None for anything else."""
    if isinstance(value, str) and not is_percent(value):
        return int(value[:-1])
    return None


def is_zero(value: Any) -> bool:
    """0, "0%" or nothing."""
    return not (percent_of(value) if isinstance(value, str) else value)


def check_at_most_100_percent(value: Any, path: str) -> list[FieldError]:
    """More than all Pods cannot be gone."""
    if (percent_of(value) or 0) > 100:
        return [invalid_value(path, value, "must not be greater than 100%")]
    return []


def check_counts(status: JSON, fields: tuple[str, ...]) -> list[FieldError]:
    """No count in a status may be negative."""
    problems: list[FieldError] = []
    for field in fields:
        problems += check_not_negative(status.get(field), f"status.{field}")
    return problems


def check_replica_counts(status: JSON, fields: tuple[str, ...]) -> list[FieldError]:
    """None of these counts may exceed the replicas, nor the available ones the ready ones."""
    problems: list[FieldError] = []
    total, text = status.get("replicas") or 0, "cannot be greater than status.replicas"
    for field in fields:
        if (status.get(field) or 0) > total:
            problems.append(invalid_value(f"status.{field}", status.get(field) or 0, text))
    available = status.get("availableReplicas") or 0
    if available > (status.get("readyReplicas") or 0):
        problems.append(
            invalid_value("status.availableReplicas", available, "cannot be greater than readyReplicas")
        )
    return problems


def check_collisions(new: JSON, old: JSON) -> list[FieldError]:
    """Collisions of hashes never grow fewer."""
    before = (old.get("status") or {}).get("collisionCount")
    after = (new.get("status") or {}).get("collisionCount")
    if before is None or (after is not None and after >= before):
        return []
    return [invalid_value("status.collisionCount", after or 0, "cannot be decremented")]


def wide_cells(obj: JSON) -> list[Any]:
    """The last cells of a workload: containers, images, selector."""
    spec = obj.get("spec") or {}
    names, images = container_cells((spec.get("template") or {}).get("spec") or {})
    return [names, images, selector_text(spec.get("selector"))]


def name_warnings(obj: JSON) -> list[str]:
    """A warning about a name that makes bad host names."""
    wrong = is_dns1123_label(obj["metadata"].get("name") or "")
    if not wrong:
        return []
    return [f"metadata.name: {_SURPRISING}; a DNS label is recommended: [{' '.join(wrong)}]"]


def workload_warnings(obj: JSON) -> list[str]:
    """Warnings about the name and about the template."""
    return name_warnings(obj) + template_warnings(
        (obj.get("spec") or {}).get("template") or {}, "spec.template"
    )


def replica_columns(kind: str) -> tuple[Column, ...]:
    """How a ReplicaSet or ReplicationController (``kind`` with group and version, as the docs name it) is printed."""
    return (
        NAME,
        Column("Desired", "integer", description=doc(f"{kind}Spec", "replicas")),
        Column("Current", "integer", description=doc(f"{kind}Status", "replicas")),
        Column("Ready", "integer", description=doc(f"{kind}Status", "readyReplicas")),
        AGE,
        CONTAINERS,
        IMAGES,
        Column("Selector", description=doc(f"{kind}Spec", "selector"), priority=1),
    )


def replica_cells(obj: JSON, now: int) -> list[Any]:
    """The cells of ``replica_columns`` that are not wide."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    counts = (spec.get("replicas"), status.get("replicas"), status.get("readyReplicas"))
    return [obj["metadata"]["name"], *(count or 0 for count in counts), age(obj, now)]
