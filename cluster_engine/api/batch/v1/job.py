"""Job.

Models pkg/registry/batch/job/strategy.go and pkg/apis/batch/validation (ValidateJob).
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.core.v1.workload import check_counts, wide_cells, workload_warnings
from cluster_engine.api.meta import check_immutable, check_meta
from cluster_engine.api.printing import AGE, CONTAINERS, IMAGES, NAME, age, doc
from cluster_engine.api.strategy import create_spec, update_spec
from cluster_engine.api.subresources import STATUS
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.duration import human_duration
from cluster_engine.apimachinery.errors import FieldError, duplicate, invalid_value, required
from cluster_engine.apimachinery.labels import SelectorError, compile_selector
from cluster_engine.apimachinery.scheme import Column, Kind
from cluster_engine.apimachinery.validation import is_dns1123_label, validate_label_selector
from cluster_engine.component_helpers.conditions import condition_of
from cluster_engine.sim import SECOND, parse_rfc3339

from .job_spec import (
    COMPLETIONS_SOFT_LIMIT,
    PARALLELISM_AT_HIGH_COMPLETIONS,
    check_spec,
    default_spec,
)

CONTROLLER_UID, JOB_NAME = "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"
_LEGACY_UID, _LEGACY_NAME = "controller-uid", "job-name"
_COUNTS = ("active", "succeeded", "failed", "ready", "terminating")
_IMMUTABLE = (
    "selector",
    "completionMode",
    "podFailurePolicy",
    "backoffLimitPerIndex",
    "managedBy",
    "successPolicy",
)
_MISMATCH = "`selector` does not match template `labels`"


def default(job: JSON) -> JSON:
    """The Job with its defaults; without labels of its own it takes its template's."""
    spec = job.get("spec") or {}
    made = default_spec(spec)
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    meta = job["metadata"]
    if labels and not meta.get("labels"):
        job = {**job, "metadata": {**meta, "labels": labels}}
    return job if made is spec else {**job, "spec": made}


def prepare_create(job: JSON) -> JSON:
    """Generation 1, no status, and a selector by the Job's uid unless it brings its own."""
    job = create_spec(job)
    spec = {name: value for name, value in job["spec"].items() if name != "scheduling"}
    if not spec.get("manualSelector"):
        spec = _with_selector(spec, job["metadata"])
    return {**job, "spec": spec}


def _with_selector(spec: JSON, meta: JSON) -> JSON:
    """generateSelector: labels on the template that no other Job's Pods have, and a selector for them."""
    uid, name = meta["uid"], meta["name"]
    template = spec.get("template") or {}
    given = template.get("metadata") or {}
    made = {_LEGACY_NAME: name, JOB_NAME: name, _LEGACY_UID: uid, CONTROLLER_UID: uid}
    labels = {**made, **(given.get("labels") or {})}
    selector = spec.get("selector") or {}
    matched = {CONTROLLER_UID: uid, **(selector.get("matchLabels") or {})}
    return {
        **spec,
        "selector": {**selector, "matchLabels": matched},
        "template": {**template, "metadata": {**given, "labels": labels}},
    }


def prepare_status(new: JSON, old: JSON) -> JSON:
    """Only the status may change."""
    spec = old.get("spec")
    return new if new.get("spec") is spec else {**new, "spec": spec}


# ---- validation ------------------------------------------------------------------------------------------


def validate(job: JSON) -> list[FieldError]:
    """What is wrong with a new Job."""
    spec = job.get("spec") or {}
    problems = check_meta(job) + _check_generated(job) + _check_spec(spec)
    if spec.get("completionMode") == "Indexed" and (spec.get("completions") or 0) > 0:
        name = job["metadata"]["name"]
        host = f"{name}-{spec['completions'] - 1}"
        if is_dns1123_label(host):
            text = f"will not able to create pod with invalid DNS label: {host}"
            problems.append(invalid_value("metadata.name", name, text))
    return problems


def _check_spec(spec: JSON) -> list[FieldError]:
    problems, selector = check_spec(spec, "spec"), spec.get("selector")
    if selector is None:
        return [*problems, required("spec.selector")]
    problems += validate_label_selector(selector, "spec.selector")
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    try:
        if not compile_selector(selector).matches(labels):
            problems.append(invalid_value("spec.template.metadata.labels", labels, _MISMATCH))
    except SelectorError:
        pass  # told above
    return problems


def _check_generated(job: JSON) -> list[FieldError]:
    """The labels and the selector must be those that were generated, whatever the user sent."""
    spec, meta = job.get("spec") or {}, job["metadata"]
    selector = spec.get("selector")
    if spec.get("manualSelector") or selector is None:
        return []
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    uid, name = meta.get("uid", ""), meta["name"]
    problems, expected = [], {_LEGACY_UID: uid, _LEGACY_NAME: name, CONTROLLER_UID: uid, JOB_NAME: name}
    for key, value in expected.items():
        at, text = f"spec.template.metadata.labels[{key}]", f"must be '{value}'"
        if key not in labels:
            problems.append(required(at, text))
        elif labels[key] != value:
            problems.append(invalid_value(at, labels, text))
    try:
        if not compile_selector(selector).matches(expected):
            problems.append(invalid_value("spec.selector", selector, "`selector` not auto-generated"))
    except SelectorError:
        pass  # told by the check of the selector
    return problems


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """Most of a Job never changes; a suspended one that has not begun may still be placed elsewhere, and one of which
    nothing runs may ask for other resources (MutablePodResourcesForSuspendedJobs)."""
    spec, was = new.get("spec") or {}, old.get("spec") or {}
    if spec is was:
        return []
    problems = _check_generated(new) + _check_spec(spec) + _check_completions(spec, was)
    for field in _IMMUTABLE:
        problems += check_immutable(spec.get(field), was.get(field), f"spec.{field}")
        if field == "selector":
            problems += _check_template_update(new, old)
    return problems


def _check_completions(spec: JSON, was: JSON) -> list[FieldError]:
    if spec.get("completionMode") != "Indexed":
        return check_immutable(spec.get("completions"), was.get("completions"), "spec.completions")
    completions = spec.get("completions")
    if completions in (was.get("completions"), None) or completions == spec.get("parallelism"):
        return []
    text = "can only be modified in tandem with spec.parallelism"
    return [invalid_value("spec.completions", completions, text)]


def _check_template_update(new: JSON, old: JSON) -> list[FieldError]:
    template, was = new["spec"].get("template") or {}, old["spec"].get("template") or {}
    status = old.get("status") or {}
    if old["spec"].get("suspend"):
        if not status.get("startTime"):
            was = _placed_as(was, template)
        if not status.get("startTime") or (_is_suspended(status) and not status.get("active")):
            was = _sized_as(was, template)
    return check_immutable(template, was, "spec.template")


def _is_suspended(status: JSON) -> bool:
    return any(
        each.get("type") == "Suspended" and each.get("status") == "True"
        for each in status.get("conditions") or ()
    )


def _sized_as(old: JSON, new: JSON) -> JSON:
    """The old template with what its containers ask for taken from the new one."""
    spec, wanted = old.get("spec") or {}, new.get("spec") or {}
    sized = {
        field: [
            _without_none({**container, "resources": given.get("resources")})
            for container, given in zip(spec[field], wanted[field], strict=True)
        ]
        for field in ("containers", "initContainers")
        if spec.get(field) and len(spec[field]) == len(wanted.get(field) or ())
    }
    return {**old, "spec": {**spec, **sized}}


def _placed_as(old: JSON, new: JSON) -> JSON:
    """The old template with what says where its Pods may run taken from the new one."""
    spec, wanted = old.get("spec") or {}, new.get("spec") or {}
    affinity, given = spec.get("affinity") or {}, wanted.get("affinity") or {}
    placed = {**spec, "affinity": {**affinity, "nodeAffinity": given.get("nodeAffinity")}}
    placed |= {name: wanted.get(name) for name in ("nodeSelector", "tolerations", "schedulingGates")}
    meta = {**(old.get("metadata") or {})}
    meta |= {name: (new.get("metadata") or {}).get(name) for name in ("labels", "annotations")}
    return {**old, "metadata": _without_none(meta), "spec": _without_none(placed, "affinity")}


def _without_none(fields: JSON, nested: str = "") -> JSON:
    kept = {name: value for name, value in fields.items() if value is not None}
    if nested and nested in kept:
        inner = _without_none(kept[nested])
        kept = {**kept, nested: inner} if inner else {n: v for n, v in kept.items() if n != nested}
    return kept


def validate_status(new: JSON, old: JSON) -> list[FieldError]:
    """Counts are not negative; no Pod waits twice to be counted."""
    status = new.get("status") or {}
    problems = check_counts(status, _COUNTS)
    seen: set[str] = set()
    for part in ("succeeded", "failed"):
        for index, uid in enumerate((status.get("uncountedTerminatedPods") or {}).get(part) or ()):
            at = f"status.uncountedTerminatedPods.{part}[{index}]"
            if not uid:
                problems.append(invalid_value(at, uid, "must not be empty"))
            elif uid in seen:
                problems.append(duplicate(at, uid))
            seen.add(uid)
    return problems


def warnings(job: JSON) -> list[str]:
    """Those of every workload; and an Indexed Job can be too large to be tracked."""
    spec = job.get("spec") or {}
    out = workload_warnings(job)
    if (
        spec.get("completionMode") == "Indexed"
        and (spec.get("completions") or 0) > COMPLETIONS_SOFT_LIMIT
        and (spec.get("parallelism") or 0) > PARALLELISM_AT_HIGH_COMPLETIONS
    ):
        out.insert(
            0,
            "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, "
            "Kubernetes might not be able to track completedIndexes when a big number of indexes fail",
        )
    return out


# ---- printing --------------------------------------------------------------------------------------------


def _state(job: JSON) -> str:
    for type, word in (("Complete", "Complete"), ("Failed", "Failed")):
        if _is_true(job, type):
            return word
    if job["metadata"].get("deletionTimestamp"):
        return "Terminating"
    for type in ("Suspended", "FailureTarget", "SuccessCriteriaMet"):
        if _is_true(job, type):
            return type
    return "Running"


def _is_true(job: JSON, type: str) -> bool:
    condition = condition_of(job, type)
    return condition is not None and condition["status"] == "True"


def _completions(spec: JSON, succeeded: int) -> str:
    if spec.get("completions") is not None:
        return f"{succeeded}/{spec['completions']}"
    parallelism = spec.get("parallelism") or 0
    return f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"


def row(job: JSON, now: int) -> list[Any]:
    """The cells of a Job."""
    spec, status = job.get("spec") or {}, job.get("status") or {}
    lasted = ""
    if status.get("startTime"):
        end = status.get("completionTime")
        lasted = human_duration(
            ((parse_rfc3339(end) if end else now) - parse_rfc3339(status["startTime"])) / SECOND
        )
    return [
        job["metadata"]["name"],
        _state(job),
        _completions(spec, status.get("succeeded") or 0),
        lasted,
        age(job, now),
        *wide_cells(job),
    ]


KIND = Kind(
    group="batch",
    version="v1",
    kind="Job",
    resource="jobs",
    singular="job",
    namespaced=True,
    categories=("all",),
    subresources=STATUS,
    columns=(
        NAME,
        Column("Status", description="Status of the job."),
        Column("Completions", description=doc("batch.v1.JobStatus", "succeeded")),
        Column("Duration", description="Time required to complete the job."),
        AGE,
        CONTAINERS,
        IMAGES,
        Column("Selector", description=doc("batch.v1.JobSpec", "selector"), priority=1),
    ),
    row=row,
    default=default,
    prepare_create=prepare_create,
    prepare_update=update_spec,
    prepare_status=prepare_status,
    validate=validate,
    validate_update=validate_update,
    validate_status=validate_status,
    warnings=warnings,
    orphans="child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove "
    "them or set propagationPolicy=Orphan to suppress this warning",
    field_labels={"status.successful": lambda obj: str((obj.get("status") or {}).get("succeeded") or 0)},
)
