"""What was graded: attempts (every graded state of a lab) and submissions (manifests sent over the API)."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, ClassVar

from accounts.models import User, visible
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models
from runs.models import Run

QUEUED, RUNNING, GRADED, FAILED = "queued", "running", "graded", "failed"
SUBMISSION_STATES = (QUEUED, RUNNING, GRADED, FAILED)
#: A submission in one of these will not change any more.
DONE = (GRADED, FAILED)


class SubmissionQuerySet(models.QuerySet["Submission"]):
    """Who may see which submission."""

    def for_user(self, user: User | AnonymousUser) -> SubmissionQuerySet:
        """Their own; an instructor sees those of their classes."""
        return visible(self, user)

    def due(self, now: datetime) -> SubmissionQuerySet:
        """Those that a worker should take: queued ones, and those whose worker gives no sign of life any more."""
        silent = models.Q(leased_until__lt=now) | models.Q(leased_until=None)
        return self.filter(models.Q(state=QUEUED) | models.Q(state=RUNNING) & silent)


class Submission(models.Model):
    """Manifests to be graded in a fresh cluster."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="submissions")
    lab_slug = models.SlugField(max_length=100)
    manifests = models.TextField()
    state = models.CharField(
        max_length=16, choices=[(state, state) for state in SUBMISSION_STATES], default=QUEUED
    )
    score = models.PositiveIntegerField(null=True)
    max_score = models.PositiveIntegerField(null=True)
    passed = models.BooleanField(null=True)
    #: CheckResults with texts in every language of the course.
    checks = models.JSONField(default=list)
    #: Why the state is `failed`: {"reason", "message", "status"}; `status` is Kubernetes' own answer.
    error = models.JSONField(null=True)
    engine_version = models.CharField(max_length=32, blank=True)
    #: The digest of the lab that graded it (`Lab.version`); texts and checks may have changed since.
    lab_version = models.CharField(max_length=32, blank=True)
    #: Of the lab's variant in which it is graded.
    seed = models.BigIntegerField(null=True)
    state_hash = models.CharField(max_length=80, blank=True)
    #: How often a worker began it, which also says whose result counts.
    tries = models.PositiveSmallIntegerField(default=0)
    created = models.DateTimeField(auto_now_add=True)
    started = models.DateTimeField(null=True, blank=True)
    finished = models.DateTimeField(null=True, blank=True)
    #: While it runs: until when its worker's last sign of life is believed.
    leased_until = models.DateTimeField(null=True, blank=True)

    objects = SubmissionQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created"]
        indexes: ClassVar = [
            models.Index(fields=["user", "lab_slug", "-created"], name="grading_sub_user_lab"),
            models.Index(fields=["state", "created"], name="grading_sub_due"),
        ]

    def __str__(self) -> str:
        return f"{self.lab_slug} {self.pk} ({self.state})"


class AttemptQuerySet(models.QuerySet["Attempt"]):
    """Attempts, and the best of them."""

    def for_user(self, user: User | AnonymousUser) -> AttemptQuerySet:
        """Their own; an instructor sees those of their classes."""
        return visible(self, user)

    def best(self) -> list[dict[str, Any]]:
        """One row for each user and lab: best score, whether ever passed, how often tried, when last."""
        rows = (
            self.values("user_id", "lab_slug")
            .annotate(
                score=models.Max("score"),
                max_score=models.Max("max_score"),
                passed=models.Max(models.Case(models.When(passed=True, then=1), default=0)),
                attempts=models.Count("id"),
                at=models.Max("created"),
            )
            .order_by("user_id", "lab_slug")
        )
        return [dict(row) for row in rows]


class Attempt(models.Model):
    """One grading of one user's work on one lab, live or submitted."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="attempts")
    lab_slug = models.SlugField(max_length=100)
    run = models.ForeignKey(Run, on_delete=models.SET_NULL, null=True, blank=True, related_name="attempts")
    submission = models.OneToOneField(
        Submission, on_delete=models.CASCADE, null=True, blank=True, related_name="attempt"
    )
    score = models.PositiveIntegerField()
    max_score = models.PositiveIntegerField()
    passed = models.BooleanField(default=False)
    #: As of `Submission`.
    lab_version = models.CharField(max_length=32, blank=True)
    checks = models.JSONField(default=list)
    state_hash = models.CharField(max_length=80, blank=True)
    created = models.DateTimeField(auto_now_add=True)

    objects = AttemptQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created"]
        indexes: ClassVar = [models.Index(fields=["user", "lab_slug"], name="grading_att_user_lab")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.lab_slug} {self.score}/{self.max_score}"


class Standing(models.Model):
    """How a run stands: the last result of its checks. See `grading.standing`."""

    run = models.OneToOneField(Run, on_delete=models.CASCADE, primary_key=True, related_name="standing")
    #: The run's `start` at that time: a reset begins another history, which this says nothing about.
    history = models.CharField(max_length=32)
    score = models.PositiveIntegerField()
    max_score = models.PositiveIntegerField()
    passed = models.BooleanField(default=False)
    #: Whether its learner has asked for a check in this history: what is missing is told aloud from then on.
    asked = models.BooleanField(default=False)
    #: CheckResults with texts in every language of the course.
    checks = models.JSONField(default=list)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.run_id} {self.score}/{self.max_score}"


class AppealQuerySet(models.QuerySet["Appeal"]):
    """Who may see which appeal."""

    def for_user(self, user: User | AnonymousUser) -> AppealQuerySet:
        """Their own; an instructor sees those of their classes."""
        return visible(self, user)

    def owned_by(self, user: User | AnonymousUser) -> AppealQuerySet:
        """The user's own; nobody has none."""
        return self.filter(user=user) if isinstance(user, User) else self.none()

    def answered(self) -> AppealQuerySet:
        """Those that were written back to, the latest first."""
        return self.exclude(reply="").select_related("run").order_by("-settled")

    def unsettled(self) -> AppealQuerySet:
        """Those that nobody has settled, the oldest first."""
        return self.filter(settled=None).select_related("user", "run").order_by("at")


class Appeal(models.Model):
    """A learner's word that a check is wrong about the run. See `grading.appeals`."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="appeals")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="appeals")
    check_id = models.CharField(max_length=100)
    note = models.TextField(blank=True)
    #: The CheckResult that it is about, with texts in every language of the course.
    result = models.JSONField(default=dict)
    #: The latest of the journal when it was sent, as `runs.reading.Step`: a reset begins another journal.
    steps = models.JSONField(default=list)
    #: As of `Submission`.
    lab_version = models.CharField(max_length=32, blank=True)
    at = models.DateTimeField()
    settled = models.DateTimeField(null=True, blank=True)
    #: What was written back by who settled it; "": nothing.
    reply = models.TextField(blank=True, default="")
    #: When its learner had read the reply.
    read = models.DateTimeField(null=True, blank=True)

    objects = AppealQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "check_id"], name="grading_one_appeal_a_check")
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.check_id}"


class HintRead(models.Model):
    """That a learner has read a hint of a check."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="hints")
    check_id = models.CharField(max_length=100)
    #: From 1: where to look, what to think of, how it is written.
    number = models.PositiveSmallIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "check_id", "number"], name="grading_hint_once")
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.check_id} {self.number}"
