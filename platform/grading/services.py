"""Submissions: taken in by the web tier, graded by a worker in a cluster made for it.

Every outcome is a result. What the learner did wrong is told in Kubernetes' own words; what we did wrong is
told as such and never counts against the learner.
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from accounts.models import User
from billiard.exceptions import SoftTimeLimitExceeded
from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from kombu.exceptions import KombuError
from redis.exceptions import RedisError
from runs.registry import sync_redis
from runs.texts import is_storable, storable_json

from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.cluster import Cluster
from cluster_engine.sim import BudgetExceeded
from cluster_engine.version import ENGINE_VERSION
from grading.models import FAILED, GRADED, QUEUED, RUNNING, Attempt, Submission
from grading.reports import as_data
from labs.kit import catalog, runner

logger = logging.getLogger(__name__)

MAX_MANIFESTS = 1024 * 1024
TASK = "grading.tasks.grade_submission"
MAX_TRIES = 2
#: Virtual seconds that a submission is given to come to rest.
SETTLE_SECONDS = 600.0
DONE_PREFIX = "drydock:done:"
DONE_SECONDS = 300

NOT_CHECKED = {
    "en": "The manifests were not accepted, so this was not checked.",
    "zh-hans": "清单未被接受，因此没有检查这一项。",
}


class ManifestsError(ValueError):
    """What was sent cannot be a submission."""


class QueueError(Exception):
    """There is no way to the workers just now."""


def check_manifests(manifests: object) -> str:
    """The manifests' text, or `ManifestsError`. Whether it is YAML at all is for the grader to say."""
    if not isinstance(manifests, str):
        raise ManifestsError("manifests: expected YAML text")
    if not is_storable(manifests):
        raise ManifestsError("manifests: the text holds NUL or broken Unicode characters")
    if not manifests.strip():
        raise ManifestsError("manifests: the text is empty")
    size = len(manifests.encode("utf-8"))
    if size > MAX_MANIFESTS:
        raise ManifestsError(f"manifests: at most {MAX_MANIFESTS} bytes are taken, found {size}")
    return manifests


def submit(user: User, lab: Any, manifests: str) -> Submission:
    """Queue manifests for grading. Raises `ManifestsError`, or `QueueError` and keeps nothing."""
    submission = Submission.objects.create(
        user=user, lab_slug=lab.slug, manifests=check_manifests(manifests), max_score=lab.max_score
    )
    transaction.on_commit(lambda: _enqueue(submission))
    return submission


def _enqueue(submission: Submission) -> None:
    try:
        current_app.send_task(TASK, args=(str(submission.pk),), retry=False)
    except (KombuError, RedisError) as error:
        logger.warning("a submission could not be queued: %s", error)
        submission.delete()
        raise QueueError("The grading queue cannot be reached at the moment. Try again.") from error


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a grading ended."""

    state: str
    report: dict[str, Any]
    seed: int | None = None
    state_hash: str = ""
    error: dict[str, Any] | None = None
    #: Whether it says something about the learner's work.
    counts: bool = True


def unchecked(lab: Any) -> dict[str, Any]:
    """The report of a submission whose checks never ran."""
    return {
        "score": 0,
        "max_score": sum(check.points for check in lab.checks),
        "passed": False,
        "checks": [
            {
                "id": check.id,
                "title": dict(check.title),
                "state": "failed",
                "score": 0,
                "max_score": check.points,
                "message": NOT_CHECKED,
                "hint": {},
            }
            for check in lab.checks
        ],
    }


@lru_cache(maxsize=64)
def _booted(slug: str) -> Cluster:
    """The lab's cluster before anybody touched it. A fork of it is what a boot would give, for a tenth of the time."""
    return runner.boot(catalog.load().lab(slug))


def evaluate(lab: Any, manifests: str) -> Outcome:
    """Boot, apply, fast-forward, check."""
    cluster = _booted(lab.slug).fork()
    seed = cluster.options.seed
    try:
        cluster.apply(manifests)
        cluster.settle(SETTLE_SECONDS)
    except ApiError as error:
        status = error.status
        told = {
            "reason": status.get("reason") or "Rejected",
            "message": status.get("message", ""),
            "status": status,
        }
        return Outcome(FAILED, unchecked(lab), seed, cluster.state_hash(), told)
    except BudgetExceeded as error:
        told = {
            "reason": "BudgetExceeded",
            "message": f"The manifests keep the cluster busy for too long: {error}",
        }
        return Outcome(FAILED, unchecked(lab), seed, "", told)
    report = as_data(runner.grade(lab, cluster))
    return Outcome(GRADED, report, seed, cluster.state_hash())


def grade(submission_id: uuid.UUID) -> None:
    """Grade one submission and keep the result."""
    submission = _claim(submission_id)
    if submission is None:
        return
    try:
        lab = catalog.load().lab(submission.lab_slug)
    except KeyError:
        _give_up(submission, "LabGone", f"the lab {submission.lab_slug!r} is not in the course any more")
        return
    try:
        outcome = evaluate(lab, submission.manifests)
    except SoftTimeLimitExceeded:
        seconds = settings.GRADING_SOFT_SECONDS
        message = f"The manifests could not be graded within {seconds} seconds."
        outcome = Outcome(FAILED, unchecked(lab), error={"reason": "TimeLimit", "message": message})
    except (MemoryError, RecursionError) as error:
        message = f"The manifests need more than a grading may use ({type(error).__name__})."
        outcome = Outcome(FAILED, unchecked(lab), error={"reason": "BudgetExceeded", "message": message})
    except Exception:
        # The outermost boundary of a task: an engine's bug must end as a result, not as a lost submission.
        logger.exception("grading failed", extra={"task": str(submission_id)})
        told = {
            "reason": "InternalError",
            "message": "The grader itself failed; this does not count as an attempt.",
        }
        outcome = Outcome(FAILED, unchecked(lab), error=told, counts=False)
    finish(submission, outcome)


def _claim(submission_id: uuid.UUID) -> Submission | None:
    """Begin a submission, unless it is done or has killed enough workers."""
    with transaction.atomic():
        submission = Submission.objects.select_for_update().filter(pk=submission_id).first()
        if submission is None or submission.is_done:
            return None
        if submission.tries >= MAX_TRIES:
            _give_up(
                submission,
                "TimeLimit",
                "Grading was cut off twice; the manifests need more than a grading may use.",
            )
            return None
        Submission.objects.filter(pk=submission_id).update(
            state=RUNNING, started=timezone.now(), tries=F("tries") + 1
        )
    submission.refresh_from_db()
    return submission


def _give_up(submission: Submission, reason: str, message: str) -> None:
    report = {"score": 0, "max_score": submission.max_score or 0, "passed": False, "checks": []}
    finish(submission, Outcome(FAILED, report, error={"reason": reason, "message": message}, counts=False))


def settle_lost(submission: Submission) -> Submission:
    """End a submission whose worker was killed at its hard time limit."""
    if submission.is_lost:
        seconds = settings.GRADING_HARD_SECONDS
        _give_up(submission, "TimeLimit", f"The manifests could not be graded within {seconds} seconds.")
        submission.refresh_from_db()
    return submission


def finish(submission: Submission, outcome: Outcome) -> None:
    """Keep the result, once; and with it the attempt."""
    report = storable_json(outcome.report)
    with transaction.atomic():
        changed = Submission.objects.filter(pk=submission.pk, state__in=(QUEUED, RUNNING)).update(
            state=outcome.state,
            score=report["score"],
            max_score=report["max_score"],
            passed=report["passed"],
            checks=report["checks"],
            error=storable_json(outcome.error),
            engine_version=ENGINE_VERSION,
            seed=outcome.seed,
            state_hash=outcome.state_hash,
            finished=timezone.now(),
        )
        if changed and outcome.counts:
            Attempt.objects.create(
                # Read again: the user may have been a guest when it began, and merged since.
                user_id=Submission.objects.values_list("user_id", flat=True).get(pk=submission.pk),
                lab_slug=submission.lab_slug,
                submission_id=submission.pk,
                score=report["score"],
                max_score=report["max_score"],
                passed=report["passed"],
                checks=report["checks"],
                state_hash=outcome.state_hash,
            )
    try:
        sync_redis().set(f"{DONE_PREFIX}{submission.pk}", "1", ex=DONE_SECONDS)
    except RedisError as error:
        logger.warning("nobody was told that a submission is done: %s", error)
