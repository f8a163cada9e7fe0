"""The CronJob controller: a Job at each moment of a schedule.

Models pkg/controller/cronjob (cronjob_controllerv2.go).
"""

from __future__ import annotations

from datetime import UTC, datetime

from cluster_engine.apimachinery import cron
from cluster_engine.apimachinery.cow import JSON, controller_of, key_of
from cluster_engine.apimachinery.errors import ApiError, go_value
from cluster_engine.client_go import Change, object_reference
from cluster_engine.component import Context, Controller
from cluster_engine.sim import SECOND, parse_rfc3339, rfc3339

from .cronjob_rules import TOO_MANY_MISSED, due, history, job_name, job_of
from .job_rules import end_of, is_over
from .ownership import resolve

_CRON_JOBS, _JOBS = "cronjobs.batch", "jobs.batch"
DELTA = 0.1
"""Seconds by which a moment must be over (nextScheduleDelta)."""


class CronJobController(Controller):
    """Starts the Job of each moment that has come, and keeps a list of those that run."""

    name = "cronjob-controller"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.recorder = ctx.recorder("cronjob-controller", client=self.client)
        self.cron_jobs = ctx.informers.of(_CRON_JOBS)
        self.jobs = ctx.informers.of(_JOBS)
        self.cron_jobs.on(add=self._added, update=self._updated)
        self.jobs.on(
            add=self._job_changed, update=self._job_updated, delete=self._job_changed, owners=("CronJob",)
        )

    def _added(self, cron_job: JSON) -> None:
        self.queue.add(key_of(cron_job))

    def _updated(self, change: Change) -> None:
        if change.spec or change.deletion:
            self.queue.add(change.key)

    def _job_updated(self, change: Change) -> None:
        if change.status or change.owners:
            self._job_changed(change.new)

    def _job_changed(self, job: JSON) -> None:
        cron_job = resolve(self.cron_jobs, "CronJob", job)
        if cron_job is not None:
            self.queue.add(key_of(cron_job))

    def reconcile(self, key: str) -> None:
        cron_job = self.cron_jobs.get(key)
        if cron_job is None:
            return
        jobs = [
            job
            for job in self.jobs.by_index("owner", cron_job["metadata"]["uid"])
            if (controller_of(job) or {}).get("kind") == "CronJob"
        ]
        status: JSON = {**(cron_job.get("status") or {})}
        self._clean(cron_job, jobs)
        self._follow(cron_job, jobs, status)
        error = self._start(key, cron_job, status)
        status = {name: value for name, value in status.items() if value}
        if status != (cron_job.get("status") or {}):
            self.client.update_status(_CRON_JOBS, {**cron_job, "status": status})
        if error is not None:
            raise error

    def _clean(self, cron_job: JSON, jobs: list[JSON]) -> None:
        """Deletes what is more than the history may be (cleanupFinishedJobs)."""
        for job in history(jobs, cron_job):
            self._delete(cron_job, job)

    def _delete(self, cron_job: JSON, job: JSON) -> bool:
        meta = job["metadata"]
        try:
            self.client.delete(_JOBS, meta["name"], meta["namespace"], propagation="Background")
        except ApiError as error:
            if error.code != 404:
                text = f"Deleted job: {error.message}"
                self.recorder.event(cron_job, "Warning", "FailedDelete", text)
                return False
        self.recorder.event(cron_job, "Normal", "SuccessfulDelete", f"Deleted job {meta['name']}")
        return True

    def _follow(self, cron_job: JSON, jobs: list[JSON], status: JSON) -> None:
        """Brings ``status.active`` and the time of the last success up to date."""
        active = list(status.get("active") or ())
        listed = {reference["uid"] for reference in active}
        there = {job["metadata"]["uid"] for job in jobs}
        for job in jobs:
            name, uid = job["metadata"]["name"], job["metadata"]["uid"]
            if uid not in listed and not is_over(job):
                text = f"Saw a job that the controller did not create or forgot: {name}"
                self.recorder.event(cron_job, "Warning", "UnexpectedJob", text)
            elif uid in listed and is_over(job):
                active = [reference for reference in active if reference["uid"] != uid]
                end = (end_of(job) or {})["type"]
                text = f"Saw completed job: {name}, condition: {end}"
                self.recorder.event(cron_job, "Normal", "SawCompletedJob", text)
            done = (job.get("status") or {}).get("completionTime")
            if done and done > (status.get("lastSuccessfulTime") or ""):
                status["lastSuccessfulTime"] = done
        for reference in active:
            if reference["uid"] not in there:
                text = f"Active job went missing: {reference['name']}"
                self.recorder.event(cron_job, "Normal", "MissingJob", text)
        status["active"] = [reference for reference in active if reference["uid"] in there]

    def _start(self, key: str, cron_job: JSON, status: JSON) -> ApiError | None:
        """Starts what is due and comes back at the next moment (syncCronJob)."""
        spec, zone = cron_job["spec"], cron_job["spec"].get("timeZone") or "UTC"
        if cron_job["metadata"].get("deletionTimestamp"):
            return None
        if spec.get("suspend"):
            return None
        try:
            cron.time_zone(zone)
        except ValueError as error:
            text = f"invalid timeZone: {go_value(zone)}: {error}"
            self.recorder.event(cron_job, "Warning", "UnknownTimeZone", text)
            return None
        try:
            schedule = cron.parse(spec["schedule"])
        except ValueError as error:
            text = f"unparseable schedule: {go_value(spec['schedule'])} : {error}"
            self.recorder.event(cron_job, "Warning", "UnparseableSchedule", text)
            return None
        now = self.clock.now
        at, missed = due(cron_job, schedule, zone, now)
        following = schedule.next(now // SECOND, zone)
        if following is not None:
            self.queue.add_after(key, following - now / SECOND + DELTA, background=True)
        if at is None:
            return None
        if missed > TOO_MANY_MISSED:
            text = (
                f"too many missed start times: {missed}. Set or decrease .spec.startingDeadlineSeconds "
                "or check clock skew"
            )
            self.recorder.event(cron_job, "Warning", "TooManyMissedTimes", text)
        deadline = spec.get("startingDeadlineSeconds")
        if deadline is not None and at + deadline < now // SECOND:
            stamp = datetime.fromtimestamp(at, UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
            text = f"Missed scheduled time to start a job: {stamp}"
            self.recorder.event(cron_job, "Warning", "MissSchedule", text)
            return None
        return self._start_at(cron_job, status, at)

    def _start_at(self, cron_job: JSON, status: JSON, at: int) -> ApiError | None:
        active, name = status.get("active") or [], job_name(cron_job, at)
        last = status.get("lastScheduleTime")
        if (last and parse_rfc3339(last) // SECOND == at) or any(ref["name"] == name for ref in active):
            return None
        policy = cron_job["spec"]["concurrencyPolicy"]
        if policy == "Forbid" and active:
            text = "Not starting job because prior execution is running and concurrency policy is Forbid"
            self.recorder.event(cron_job, "Normal", "JobAlreadyActive", text)
            return None
        if policy == "Replace":
            for reference in active:
                job = self.jobs.get(f"{cron_job['metadata']['namespace']}/{reference['name']}")
                if job is not None and not self._delete(cron_job, job):
                    return None
            status["active"] = active = []
        try:
            made = self.client.create(_JOBS, job_of(cron_job, at))
        except ApiError as error:
            causes = (error.status.get("details") or {}).get("causes") or ()
            if any(cause.get("reason") == "NamespaceTerminating" for cause in causes):
                return None
            if error.reason == "AlreadyExists":
                return None
            self.recorder.event(cron_job, "Warning", "FailedCreate", f"Error creating job: {error.message}")
            return error
        self.recorder.event(cron_job, "Normal", "SuccessfulCreate", f"Created job {name}")
        status["active"] = [*active, object_reference(made)]
        status["lastScheduleTime"] = rfc3339(at * SECOND)
        return None
