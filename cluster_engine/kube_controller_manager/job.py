"""The Job controller: Pods until enough of them have succeeded, each counted once.

Models pkg/controller/job. A Pod carries a finalizer until the Job has counted it: its uid goes into
``status.uncountedTerminatedPods``, then the finalizer goes, then the count grows.
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON, controller_of, key_of
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.apimachinery.labels import compile_selector
from cluster_engine.client_go import ORPHAN, Change
from cluster_engine.component import Context, Controller
from cluster_engine.component_helpers.conditions import find_condition
from cluster_engine.sim import SECOND

from . import job_indexes
from .job_rules import (
    MANAGED_BY,
    MAX_PODS,
    MAX_UNCOUNTED,
    TRACKING,
    Backoff,
    View,
    completion_index,
    condition,
    counts_as_failure,
    deadline_at,
    ending,
    has_succeeded,
    is_complete,
    is_failed,
    is_indexed,
    is_over,
    is_tracked,
    look,
    next_indexes,
    only_replaces_failed,
    superfluous,
    template_of,
    wanted,
)
from .ownership import ORPHANS, claim, orphans_by_namespace, resolve
from .pods import is_namespace_terminating, is_pod_ready, pod_from_template, slow_start

_JOBS, _PODS = "jobs.batch", "pods"
BATCH_PERIOD = 1.0
"""Seconds for which changes of Pods are gathered (SyncJobBatchPeriod)."""


class JobController(Controller):
    """Runs Pods to completion, in parallel, with back-off, by index, within a deadline."""

    name = "job-controller"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.recorder = ctx.recorder("job-controller", client=self.client)
        self.orphans = self.new_queue(self.reconcile_orphan, "orphans")
        self.jobs = ctx.informers.of(_JOBS)
        self.pods = ctx.informers.of(_PODS)
        self.pods.add_index(ORPHANS, orphans_by_namespace, ("owners",))
        self.jobs.on(add=self._job_added, update=self._job_updated, delete=self._job_deleted)
        self.pods.on(
            add=self._pod_changed,
            update=self._pod_updated,
            delete=self._pod_changed,
            owners=("Job", ORPHAN),
        )
        self._backoff: dict[str, Backoff] = {}

    def state(self) -> JSON:
        return {"backoff": {key: [found.failures, found.last] for key, found in self._backoff.items()}}

    def load(self, state: JSON) -> None:
        self._backoff = {key: Backoff(*saved) for key, saved in (state.get("backoff") or {}).items()}

    # ---- what makes us look ----------------------------------------------------------------------------

    def _job_added(self, job: JSON) -> None:
        self.queue.add(key_of(job))

    def _job_updated(self, change: Change) -> None:
        if change.spec or change.deletion:
            self.queue.add(change.key)

    def _job_deleted(self, job: JSON) -> None:
        self.queue.add(key_of(job))
        for pod in self.pods.by_index("owner", job["metadata"]["uid"]):
            if is_tracked(pod):
                self.orphans.add(key_of(pod))

    def _pod_updated(self, change: Change) -> None:
        if change.owners:
            self._pod_changed(change.old)
        if change.status or change.deletion or change.labels or change.owners or change.finalizers:
            self._pod_changed(change.new)

    def _pod_changed(self, pod: JSON) -> None:
        job = resolve(self.jobs, "Job", pod)
        if job is not None:
            self.queue.add_after(key_of(job), BATCH_PERIOD)
        elif controller_of(pod) is not None:
            if is_tracked(pod):
                self.orphans.add(key_of(pod))
        elif pod["metadata"].get("labels"):
            for job in self.jobs.by_index("namespace", pod["metadata"]["namespace"]):
                if compile_selector(job["spec"]["selector"]).matches(pod["metadata"]["labels"]):
                    self.queue.add(key_of(job))

    # ---- what we do ------------------------------------------------------------------------------------

    def reconcile(self, key: str) -> None:
        job = self.jobs.get(key)
        if job is None or is_over(job):
            self._backoff.pop(key, None)
            return
        if job["spec"].get("managedBy") not in (None, MANAGED_BY):
            return
        selector = compile_selector(job["spec"]["selector"])
        claim(self.client, self.pods, job, selector, _PODS, TRACKING)
        pods = list(self.pods.by_index("owner", job["metadata"]["uid"]))
        view = look(job, pods, self._backoff.get(key, Backoff()))
        status = self._begun(job)
        due = deadline_at({**job, "status": status})
        if due is not None and due > self.clock.now:
            self.queue.add_after(key, (due - self.clock.now) / SECOND)
        end = ending(view, self.clock.now, self.clock.timestamp())
        if end is not None:
            active, error = self._end(view)
        else:
            active, error = self._manage(key, view)
            if is_complete(view, active):
                reached = "Reached expected number of succeeded pods"
                stamp = self.clock.timestamp()
                end = condition("SuccessCriteriaMet", "CompletionsReached", reached, stamp)
            else:
                status = self._suspended(job, status)
        status |= {"active": active, "ready": view.ready, "terminating": view.terminating}
        self._track(key, view, status, None if error is not None else end)
        if error is not None:
            raise error

    def _begun(self, job: JSON) -> JSON:
        """A copy of the status, with the moment of the first start."""
        status: JSON = {**(job.get("status") or {})}
        if not status.get("startTime") and not job["spec"].get("suspend"):
            status["startTime"] = self.clock.timestamp()
        return status

    def _suspended(self, job: JSON, status: JSON) -> JSON:
        """The status with what is to be said of a suspension."""
        if job["metadata"].get("deletionTimestamp"):
            return status
        stamp, conditions = self.clock.timestamp(), list(status.get("conditions") or ())
        before = find_condition(conditions, "Suspended")
        suspended = bool(job["spec"].get("suspend"))
        if suspended == (before is not None and before["status"] == "True"):
            return status
        if suspended:
            made = condition("Suspended", "JobSuspended", "Job suspended", stamp)
            self.recorder.event(job, "Normal", "Suspended", "Job suspended")
        else:
            made = condition("Suspended", "JobResumed", "Job resumed", stamp, "False")
            self.recorder.event(job, "Normal", "Resumed", "Job resumed")
            status = {**status, "startTime": stamp}
        if before is None:
            return {**status, "conditions": [*conditions, made]}
        return {**status, "conditions": [made if c is before else c for c in conditions]}

    # ---- Pods ------------------------------------------------------------------------------------------

    def _end(self, view: View) -> tuple[int, ApiError | None]:
        """Deletes what is active, finalizers kept: (how many stay active, the first error)."""
        return self._delete(view, view.active, release=False)

    def _manage(self, key: str, view: View) -> tuple[int, ApiError | None]:
        """Makes or deletes Pods: (how many are active then, the first error) (manageJob)."""
        job, active, now = view.job, len(view.active), self.clock.now
        if job["metadata"].get("deletionTimestamp"):
            return active, None
        if job["spec"].get("suspend"):
            return self._delete(view, superfluous(view, active, now), release=True)
        want = wanted(view)
        doomed = superfluous(view, max(0, active - want), now)
        if doomed:
            return self._delete(view, doomed, release=True)
        missing = min(
            want - active - (view.terminating if only_replaces_failed(job) else 0),
            MAX_PODS,
        )
        if missing <= 0:
            return active, None
        wait = 0 if view.lost is not None else view.backoff.remaining(now)
        indexes: list[int | None] = [None] * missing
        if not wait and is_indexed(job):
            found, wait = next_indexes(view, missing, now)
            indexes = list(found)
        if wait:
            self.queue.add_after(key, max(wait / SECOND, BATCH_PERIOD))
            return active, None
        places = iter(indexes)
        made, error = slow_start(len(indexes), lambda: self._create(view, next(places)))
        if error is None and made < len(indexes):
            self.queue.add(key)
        return active + made, error

    def _create(self, view: View, index: int | None) -> ApiError | None:
        job = view.job
        template, begin = template_of(view, index)
        pod = pod_from_template(template, job)
        pod["metadata"]["generateName"] = begin
        try:
            made = self.client.create(_PODS, pod)
        except ApiError as error:
            if is_namespace_terminating(error):
                return None
            self.recorder.event(job, "Warning", "FailedCreate", f"Error creating: {error.message}")
            return error
        self.recorder.event(job, "Normal", "SuccessfulCreate", f"Created pod: {made['metadata']['name']}")
        return None

    def _delete(self, view: View, pods: list[JSON], release: bool) -> tuple[int, ApiError | None]:
        """``release``: they are not counted any more, so their finalizers go first."""
        job, active, first = view.job, len(view.active), None
        for pod in pods:
            meta = pod["metadata"]
            try:
                if release and is_tracked(pod):
                    self._release(pod)
                self.client.delete(_PODS, meta["name"], meta["namespace"], uid=meta["uid"])
            except ApiError as error:
                if error.code != 404:
                    text = f"Error deleting: {error.message}"
                    self.recorder.event(job, "Warning", "FailedDelete", text)
                    first = first or error
                    continue
            else:
                self.recorder.event(job, "Normal", "SuccessfulDelete", f"Deleted pod: {meta['name']}")
            active -= 1
            view.terminating += 1
            view.ready -= is_pod_ready(pod)
        return active, first

    def _release(self, pod: JSON) -> None:
        meta = pod["metadata"]
        patch = {"metadata": {"$deleteFromPrimitiveList/finalizers": [TRACKING]}}
        self.client.patch(_PODS, meta["name"], meta["namespace"], patch)

    def reconcile_orphan(self, key: str) -> None:
        """A Pod whose Job is gone is counted by nobody: its finalizer goes (syncOrphanPod)."""
        pod = self.pods.get(key)
        if pod is None or not is_tracked(pod) or resolve(self.jobs, "Job", pod) is not None:
            return
        try:
            self._release(pod)
        except ApiError as error:
            if error.code != 404:
                raise

    # ---- counting --------------------------------------------------------------------------------------

    def _track(self, key: str, view: View, status: JSON, end: JSON | None) -> None:
        """Counts Pods that ended, and ends the Job when all are counted (trackJobStatusAndRemoveFinalizers)."""
        job, now = view.job, self.clock.timestamp()
        counted = self._countable(view, end)
        uncounted = view.uncounted
        tracked = [pod["metadata"]["uid"] for pod in view.pods if is_tracked(pod)]
        status = _settled(status, uncounted, tracked)
        fresh = self._count(view, counted, end)
        if is_indexed(job):
            status = _with_indexes(view, status, fresh)
        final = end
        if end is not None and end["type"] in ("FailureTarget", "SuccessCriteriaMet"):
            conditions = list(status.get("conditions") or ())
            if find_condition(conditions, end["type"]) is None:
                status["conditions"] = [*conditions, end]
            type = "Failed" if end["type"] == "FailureTarget" else "Complete"
            final = condition(type, end.get("reason", ""), end.get("message", ""), now)
        job = self._write(job, status, uncounted)
        self._backoff[key] = view.backoff
        for pod in counted:
            try:
                self._release(pod)
            except ApiError as error:
                if error.code != 404:
                    raise
        gone = {pod["metadata"]["uid"] for pod in counted}
        left = [uid for uid in tracked if uid not in gone]
        status = _settled(status, uncounted, left)
        if final is not None and len(counted) < MAX_UNCOUNTED and not view.terminating:
            status["conditions"] = [*(status.get("conditions") or ()), final]
            if final["type"] == "Complete":
                status["completionTime"] = now
        else:
            final = None
        job = self._write(job, status, uncounted)
        if final is not None:
            self._tell_end(job, final)

    def _countable(self, view: View, end: JSON | None) -> list[JSON]:
        """The Pods whose finalizer may go now (canRemoveFinalizer)."""
        over = bool(view.job["metadata"].get("deletionTimestamp")) or end is not None
        found: list[JSON] = []
        for pod in sorted(view.pods, key=completion_index) if is_indexed(view.job) else view.pods:
            if not is_tracked(pod) or len(found) == MAX_UNCOUNTED:
                continue
            waits = view.awaited.get(completion_index(pod)) is pod
            if over or has_succeeded(pod) or (is_failed(pod, view.job) and not waits):
                found.append(pod)
        return found

    def _count(self, view: View, pods: list[JSON], end: JSON | None) -> list[int]:
        """Puts uids among the uncounted; the indexes that succeeded."""
        job, uncounted, done = view.job, view.uncounted, []
        failing = end is not None and end["type"] != "SuccessCriteriaMet"
        for pod in pods:
            uid, index = pod["metadata"]["uid"], completion_index(pod)
            valid = not is_indexed(job) or 0 <= index < job["spec"]["completions"]
            if has_succeeded(pod):
                if is_indexed(job):
                    done += [index] if valid else []
                elif uid not in uncounted["succeeded"]:
                    uncounted["succeeded"].append(uid)
            elif (is_failed(pod, job) or failing) and valid and counts_as_failure(job, pod):
                uncounted["failed"] += [uid] if uid not in uncounted["failed"] else []
        return done

    def _write(self, job: JSON, status: JSON, uncounted: JSON) -> JSON:
        """Writes the status when it differs; the Job as it is then."""
        shown = {part: list(uids) for part, uids in uncounted.items() if uids}
        made = {**status, "uncountedTerminatedPods": shown}
        made = {
            n: v for n, v in made.items() if v or n in ("ready", "terminating", "uncountedTerminatedPods")
        }
        if "failedIndexes" in status:
            made["failedIndexes"] = status["failedIndexes"]
        if made == (job.get("status") or {}):
            return job
        return self.client.update_status(_JOBS, {**job, "status": made})

    def _tell_end(self, job: JSON, end: JSON) -> None:
        if end["type"] == "Failed":
            self.recorder.event(job, "Warning", end.get("reason", ""), end.get("message", ""))
            return
        completions = job["spec"].get("completions")
        if completions is not None and (job["status"].get("succeeded") or 0) > completions:
            text = "Too many succeeded pods running after completion count reached"
            self.recorder.event(job, "Warning", "TooManySucceededPods", text)
        self.recorder.event(job, "Normal", "Completed", "Job completed")


def _settled(status: JSON, uncounted: JSON, tracked: list[str]) -> JSON:
    """The status with the Pods counted that have no finalizer any more; they leave ``uncounted``."""
    made = {**status}
    for part in ("succeeded", "failed"):
        left = [uid for uid in uncounted[part] if uid in tracked]
        made[part] = (made.get(part) or 0) + len(uncounted[part]) - len(left)
        uncounted[part] = left
    return made


def _with_indexes(view: View, status: JSON, fresh: list[int]) -> JSON:
    done = job_indexes.with_indexes(view.done_before, sorted(fresh))
    made = {**status, "succeeded": job_indexes.total(done), "completedIndexes": job_indexes.text(done)}
    if view.lost is not None:
        made["failedIndexes"] = job_indexes.text(view.lost)
    return made
