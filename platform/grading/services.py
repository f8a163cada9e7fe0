"""Submissions: taken in by the web tier, graded by a worker in a cluster made for it.

Every outcome is a result. What the learner did wrong is told in Kubernetes' own words; what we did wrong is
told as such and never counts against the learner.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from accounts.models import User
from billiard.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.utils import timezone
from redis.exceptions import RedisError
from runs.models import Run
from runs.registry import sync_redis
from runs.texts import is_storable, storable_json

from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.cluster import Cluster
from cluster_engine.sim import BudgetExceeded
from cluster_engine.version import ENGINE_VERSION
from grading import queue
from grading.models import FAILED, GRADED, RUNNING, Attempt, Submission
from labs.kit import catalog, runner

logger = logging.getLogger(__name__)

MAX_MANIFESTS = 1024 * 1024
#: The share of a time limit that a grading must have computed itself before its manifests are blamed for it.
BUSY_SHARE = 0.5
#: Virtual seconds that a submission is given to come to rest.
SETTLE_SECONDS = 600.0
#: Virtual seconds after which the probes of system Pods need no more running.
STEADY_SECONDS = 300.0
DONE_PREFIX = "drydock:done:"
DONE_SECONDS = 300

NOT_CHECKED = {
    "en": "The manifests were not accepted, so this was not checked.",
    "zh-hans": "清单未被接受，因此没有检查这一项。",
}


class ManifestsError(ValueError):
    """What was sent cannot be a submission."""


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


def seed_of(user: User | AnonymousUser, lab: Any, wanted: int | None = None) -> int:
    """The seed of the user's variant of the lab: the one they name, else that of their latest run of it."""
    if wanted is None and isinstance(user, User):
        runs = Run.objects.owned_by(user).filter(lab_slug=lab.slug).order_by("-created")
        wanted = runs.values_list("seed", flat=True).first()
    return int(lab.seed_for(wanted))


def submit(user: User, lab: Any, manifests: str, seed: int | None = None) -> Submission:
    """Queue manifests for grading, in the named or the user's variant. Raises `ManifestsError` and keeps nothing."""
    submission = Submission.objects.create(
        user=user,
        lab_slug=lab.slug,
        manifests=check_manifests(manifests),
        max_score=lab.max_score,
        seed=seed_of(user, lab, seed),
    )
    transaction.on_commit(queue.ask)
    return submission


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a grading ended."""

    state: str
    report: dict[str, Any]
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
        "lab_version": lab.version,
        "checks": [
            {
                "id": check.id,
                "title": dict(check.title),
                "state": "failed",
                "score": 0,
                "max_score": check.points,
                "message": NOT_CHECKED,
                "hint": {},
                "step": check.step,
                "look": "",
            }
            for check in lab.checks
        ],
    }


@lru_cache(maxsize=64)
def _booted(slug: str, seed: int) -> Cluster:
    """The cluster of that variant before anybody touched it, some minutes old. A fork of it costs a tenth of a boot.

    What waits in it has been probed until nobody asks any more, so that virtual time in the forks costs little.
    """
    cluster = runner.boot(catalog.load().lab(slug), seed)
    cluster.advance(STEADY_SECONDS)
    return cluster


def evaluate(lab: Any, manifests: str, seed: int) -> Outcome:
    """Boot, apply, fast-forward, check. `lab` is the variant of that seed."""
    cluster = _booted(lab.slug, seed).fork()
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
        return Outcome(FAILED, unchecked(lab), cluster.state_hash(), told)
    except BudgetExceeded as error:
        told = {
            "reason": "BudgetExceeded",
            "message": f"The manifests keep the cluster busy for too long: {error}",
        }
        return Outcome(FAILED, unchecked(lab), "", told)
    state_hash = cluster.state_hash()
    return Outcome(GRADED, runner.grade(lab, cluster, spent=True).as_data(), state_hash)


def grade(submission: Submission) -> None:
    """Grade a submission that this worker has claimed, and keep the result."""
    if submission.tries > queue.MAX_TRIES:
        message = f"The grader was lost {queue.MAX_TRIES} times while it graded this; it does not count as an attempt."
        _give_up(submission, "GraderLost", message)
        return
    try:
        lab = catalog.load().lab(submission.lab_slug)
        # One that was queued by an earlier version names no seed.
        seed = submission.seed if submission.seed is not None else lab.seed_for(None)
        lab = lab.variant(seed)
    except KeyError:
        _give_up(submission, "LabGone", f"the lab {submission.lab_slug!r} is not in the course any more")
        return
    began = time.process_time()
    try:
        with queue.lease(submission):
            outcome = evaluate(lab, submission.manifests, seed)
    except SoftTimeLimitExceeded:
        if time.process_time() - began < settings.GRADING_SOFT_SECONDS * BUSY_SHARE:
            # It was the machine that stood still, not the manifests that took long.
            queue.give_back(submission)
            return
        seconds = settings.GRADING_SOFT_SECONDS
        message = f"The manifests could not be graded within {seconds} seconds."
        outcome = Outcome(FAILED, unchecked(lab), error={"reason": "TimeLimit", "message": message})
    except (MemoryError, RecursionError) as error:
        message = f"The manifests need more than a grading may use ({type(error).__name__})."
        outcome = Outcome(FAILED, unchecked(lab), error={"reason": "BudgetExceeded", "message": message})
    except Exception:
        # The outermost boundary of a task: an engine's bug must end as a result, not as a lost submission.
        logger.exception("grading failed", extra={"task": str(submission.pk)})
        told = {
            "reason": "InternalError",
            "message": "The grader itself failed; this does not count as an attempt.",
        }
        outcome = Outcome(FAILED, unchecked(lab), error=told, counts=False)
    finish(submission, outcome)


def _give_up(submission: Submission, reason: str, message: str) -> None:
    report = {"score": 0, "max_score": submission.max_score or 0, "passed": False, "checks": []}
    finish(submission, Outcome(FAILED, report, error={"reason": reason, "message": message}, counts=False))


def finish(submission: Submission, outcome: Outcome) -> None:
    """Keep the result, once; and with it the attempt. A worker whose lease went to another one changes nothing."""
    report = storable_json(outcome.report)
    with transaction.atomic():
        changed = Submission.objects.filter(pk=submission.pk, state=RUNNING, tries=submission.tries).update(
            state=outcome.state,
            score=report["score"],
            max_score=report["max_score"],
            passed=report["passed"],
            checks=report["checks"],
            error=storable_json(outcome.error),
            engine_version=ENGINE_VERSION,
            lab_version=report.get("lab_version", ""),
            state_hash=outcome.state_hash,
            finished=timezone.now(),
            leased_until=None,
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
                lab_version=report.get("lab_version", ""),
                checks=report["checks"],
                state_hash=outcome.state_hash,
            )
    try:
        sync_redis().set(f"{DONE_PREFIX}{submission.pk}", "1", ex=DONE_SECONDS)
    except RedisError as error:
        logger.warning("nobody was told that a submission is done: %s", error)
