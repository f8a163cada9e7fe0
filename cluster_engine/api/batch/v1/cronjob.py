"""CronJob.

Models pkg/registry/batch/cronjob/strategy.go and pkg/apis/batch/validation (ValidateCronJobCreate).
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.core.v1.pod_spec import default_template, template_warnings
from cluster_engine.api.core.v1.workload import name_warnings
from cluster_engine.api.meta import check_meta, check_not_negative
from cluster_engine.api.printing import (
    AGE,
    CONTAINERS,
    IMAGES,
    NAME,
    NONE,
    UNSET,
    age,
    container_cells,
    doc,
    selector_text,
)
from cluster_engine.api.strategy import create_spec, update_spec
from cluster_engine.api.subresources import STATUS
from cluster_engine.apimachinery import cron, duration
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, invalid_value, not_supported, required
from cluster_engine.apimachinery.scheme import Column, Kind

from .job import prepare_status
from .job_spec import check_spec

POLICIES = ("Allow", "Forbid", "Replace")
NAME_LIMIT = 52
"""The controller appends eleven characters to make a Job's name."""

_DEFAULTS = {
    "concurrencyPolicy": "Allow",
    "suspend": False,
    "successfulJobsHistoryLimit": 3,
    "failedJobsHistoryLimit": 1,
}


def default(cron_job: JSON) -> JSON:
    """The CronJob with its defaults; of its Jobs only the Pods' template is defaulted here."""
    spec = cron_job.get("spec") or {}
    add: JSON = {name: value for name, value in _DEFAULTS.items() if spec.get(name) is None}
    job = spec.get("jobTemplate") or {}
    template = (job.get("spec") or {}).get("template") or {}
    made = default_template(template)
    if made is not template:
        add["jobTemplate"] = {**job, "spec": {**(job.get("spec") or {}), "template": made}}
    return {**cron_job, "spec": {**spec, **add}} if add else cron_job


def validate(cron_job: JSON) -> list[FieldError]:
    """What is wrong with a new CronJob."""
    problems = check_meta(cron_job) + _check_spec(cron_job.get("spec") or {}, None)
    name = cron_job["metadata"]["name"]
    if len(name) > NAME_LIMIT:
        problems.append(invalid_value("metadata.name", name, f"must be no more than {NAME_LIMIT} characters"))
    return problems


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """Everything may change."""
    spec, was = new.get("spec") or {}, old.get("spec") or {}
    return [] if spec is was else _check_spec(spec, was)


def _check_spec(spec: JSON, was: JSON | None) -> list[FieldError]:
    zone = spec.get("timeZone")
    problems = _check_schedule(spec.get("schedule") or "", (was or {}).get("schedule") or "", zone)
    problems += check_not_negative(spec.get("startingDeadlineSeconds"), "spec.startingDeadlineSeconds")
    if zone is not None and (was is None or was.get("timeZone") != zone):
        problems += _check_zone(zone)
    policy = spec.get("concurrencyPolicy") or ""
    if not policy:
        problems.append(required("spec.concurrencyPolicy"))
    elif policy not in POLICIES:
        problems.append(not_supported("spec.concurrencyPolicy", policy, POLICIES))
    problems += _check_job_template(spec.get("jobTemplate") or {}, "spec.jobTemplate.spec")
    for field in ("successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        problems += check_not_negative(spec.get(field), f"spec.{field}")
    return problems


def _check_job_template(job: JSON, path: str) -> list[FieldError]:
    spec = job.get("spec") or {}
    problems, selector = check_spec(spec, path), spec.get("selector")
    if selector is not None:
        problems.append(invalid_value(f"{path}.selector", selector, "`selector` will be auto-generated"))
    if spec.get("manualSelector"):
        problems.append(not_supported(f"{path}.manualSelector", True, ("nil", "false")))
    return problems


def _check_schedule(schedule: str, before: str, zone: str | None) -> list[FieldError]:
    path = "spec.schedule"
    if not schedule:
        return [required(path)]
    problems: list[FieldError] = []
    try:
        cron.parse(schedule)
    except ValueError as error:
        problems.append(invalid_value(path, schedule, str(error)))
    if "TZ" in schedule:
        if "TZ" not in before:
            text = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
            problems.append(invalid_value(path, schedule, text))
        elif zone is not None:
            text = "cannot use both timeZone field and TZ or CRON_TZ in schedule"
            problems.append(invalid_value(path, schedule, text))
    return problems


def _check_zone(zone: str) -> list[FieldError]:
    path = "spec.timeZone"
    if not zone:
        return [invalid_value(path, zone, "timeZone must be nil or non-empty string")]
    if zone.lower() == "local":
        text = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        return [invalid_value(path, zone, text)]
    try:
        cron.time_zone(zone)
    except ValueError as error:
        return [invalid_value(path, zone, str(error))]
    return []


def warnings(cron_job: JSON) -> list[str]:
    """About its name, which becomes part of host names, and about the template of its Pods."""
    spec = cron_job.get("spec") or {}
    template = ((spec.get("jobTemplate") or {}).get("spec") or {}).get("template") or {}
    return name_warnings(cron_job) + template_warnings(template, "spec.jobTemplate.spec.template")


def row(cron_job: JSON, now: int) -> list[Any]:
    """The cells of a CronJob."""
    spec, status = cron_job.get("spec") or {}, cron_job.get("status") or {}
    job = (spec.get("jobTemplate") or {}).get("spec") or {}
    last, suspend = status.get("lastScheduleTime"), spec.get("suspend")
    names, images = container_cells((job.get("template") or {}).get("spec") or {})
    return [
        cron_job["metadata"]["name"],
        spec.get("schedule") or "",
        NONE if spec.get("timeZone") is None else spec["timeZone"],
        UNSET if suspend is None else str(suspend),
        len(status.get("active") or ()),
        duration.age(last, now) if last else NONE,
        age(cron_job, now),
        names,
        images,
        selector_text(job.get("selector")),
    ]


KIND = Kind(
    group="batch",
    version="v1",
    kind="CronJob",
    resource="cronjobs",
    singular="cronjob",
    namespaced=True,
    short_names=("cj",),
    categories=("all",),
    subresources=STATUS,
    columns=(
        NAME,
        Column("Schedule", description=doc("batch.v1.CronJobSpec", "schedule")),
        Column("Timezone", description=doc("batch.v1.CronJobSpec", "timeZone")),
        Column("Suspend", "boolean", description=doc("batch.v1.CronJobSpec", "suspend")),
        Column("Active", "integer", description=doc("batch.v1.CronJobStatus", "active")),
        Column("Last Schedule", description=doc("batch.v1.CronJobStatus", "lastScheduleTime")),
        AGE,
        CONTAINERS,
        IMAGES,
        Column("Selector", description=doc("batch.v1.JobSpec", "selector"), priority=1),
    ),
    row=row,
    default=default,
    prepare_create=create_spec,
    prepare_update=update_spec,
    prepare_status=prepare_status,
    validate=validate,
    validate_update=validate_update,
    warnings=warnings,
)
