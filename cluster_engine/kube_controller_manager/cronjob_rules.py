"""What the CronJob controller decides: which moment is due, what its Job is called, which Jobs are history.

Pure functions. Models pkg/controller/cronjob/utils.go.
"""

from __future__ import annotations

from typing import NamedTuple

from cluster_engine.apimachinery.cow import JSON, owner_reference
from cluster_engine.apimachinery.cron import Schedule
from cluster_engine.sim import SECOND, parse_rfc3339, rfc3339

from .job_rules import end_of

SCHEDULED_AT = "batch.kubernetes.io/cronjob-scheduled-timestamp"
TOO_MANY_MISSED = 100


class Due(NamedTuple):
    """``at``: the latest moment (s since 1970) that has come, None for none; ``missed``: how many have gone by."""

    at: int | None
    missed: int


def due(cron_job: JSON, schedule: Schedule, zone: str, now: int) -> Due:
    """What is to be started at virtual time ``now`` (µs) (mostRecentScheduleTime)."""
    spec, status = cron_job["spec"], cron_job.get("status") or {}
    begin = status.get("lastScheduleTime") or cron_job["metadata"]["creationTimestamp"]
    earliest, seconds = parse_rfc3339(begin) // SECOND, now // SECOND
    if spec.get("startingDeadlineSeconds") is not None:
        earliest = max(earliest, seconds - spec["startingDeadlineSeconds"])
    first = schedule.next(earliest, zone)
    if first is None or seconds < first:
        return Due(None, 0)
    second = schedule.next(first, zone)
    if second is None or seconds < second:
        return Due(first, 0)
    # As upstream: a long gap is jumped over by the distance of the first two moments, then walked.
    interval = second - first
    missed = (seconds - first) // interval + 1
    latest, moment = first, first + max(0, missed - 2) * interval
    found: int | None = schedule.next(moment - 1, zone)
    while found is not None and found <= seconds:
        latest, found = found, schedule.next(found, zone)
    return Due(latest, missed)


def job_name(cron_job: JSON, at: int) -> str:
    """The name of the Job of a moment (s): the CronJob's and the minutes since 1970."""
    return f"{cron_job['metadata']['name']}-{at // 60}"


def job_of(cron_job: JSON, at: int) -> JSON:
    """The Job of a moment (s) (getJobFromTemplate2)."""
    template = cron_job["spec"]["jobTemplate"]
    given = template.get("metadata") or {}
    annotations = {**(given.get("annotations") or {}), SCHEDULED_AT: rfc3339(at * SECOND)}
    meta = {
        "name": job_name(cron_job, at),
        "namespace": cron_job["metadata"]["namespace"],
        "annotations": annotations,
        "ownerReferences": [owner_reference(cron_job)],
    }
    if given.get("labels"):
        meta["labels"] = given["labels"]
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": template["spec"]}


def history(jobs: list[JSON], cron_job: JSON) -> list[JSON]:
    """Ended Jobs beyond the limits of the history, the oldest first."""
    spec, gone = cron_job["spec"], []
    for type, field in (("Complete", "successfulJobsHistoryLimit"), ("Failed", "failedJobsHistoryLimit")):
        if spec.get(field) is None:
            continue
        ended = [job for job in jobs if (end_of(job) or {}).get("type") == type]
        ended.sort(
            key=lambda job: ((job.get("status") or {}).get("startTime") or "", job["metadata"]["name"])
        )
        gone += ended[: max(0, len(ended) - spec[field])]
    return gone
