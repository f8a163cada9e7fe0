"""The TTL-after-finished controller: ended Jobs go when their time is over.

Models pkg/controller/ttlafterfinished.
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON, key_of
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.client_go import Change
from cluster_engine.component import Context, Controller
from cluster_engine.sim import SECOND, parse_rfc3339

from .job_rules import end_of

_JOBS = "jobs.batch"


class TTLAfterFinishedController(Controller):
    """Deletes a Job, and its Pods with it, ``ttlSecondsAfterFinished`` after it ended."""

    name = "ttl-after-finished-controller"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.jobs = ctx.informers.of(_JOBS)
        self.jobs.on(add=self._look, update=self._updated)

    def _look(self, job: JSON) -> None:
        if job["spec"].get("ttlSecondsAfterFinished") is not None and end_of(job) is not None:
            self.queue.add(key_of(job))

    def _updated(self, change: Change) -> None:
        if change.spec or change.status:
            self._look(change.new)

    def reconcile(self, key: str) -> None:
        job = self.jobs.get(key)
        end = end_of(job) if job is not None else None
        if job is None or end is None or job["metadata"].get("deletionTimestamp"):
            return
        ttl = job["spec"].get("ttlSecondsAfterFinished")
        if ttl is None:
            return
        wait = parse_rfc3339(end["lastTransitionTime"]) + ttl * SECOND - self.clock.now
        if wait > 0:
            self.queue.add_after(key, wait / SECOND, background=True)
            return
        meta = job["metadata"]
        try:
            self.client.delete(
                _JOBS, meta["name"], meta["namespace"], uid=meta["uid"], propagation="Foreground"
            )
        except ApiError as error:
            if error.code != 404:
                raise
