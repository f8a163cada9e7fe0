"""A run and its journal.

The journal is the run: whoever replays its entries in order has the cluster again, to the last byte.
Rows are reached through `Run.objects.for_user` (may see) and `.owned_by` (may act) alone.
"""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from accounts.models import User, visible
from config import languages
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext_lazy as _

from labs.kit.blocks import PREFIX
from runs import states

RUN_TOKEN_PREFIX = "ddr_"


class TransitionError(Exception):
    """The run is no longer in a state from which this is possible."""


class RunQuerySet(models.QuerySet["Run"]):
    """Who may see which run."""

    def for_user(self, user: User | AnonymousUser) -> RunQuerySet:
        """Runs this user may look at: their own; to an instructor those of their classes, too."""
        if not isinstance(user, User) or user.must_change_password:
            return self.none()
        return visible(self, user)

    def owned_by(self, user: User | AnonymousUser) -> RunQuerySet:
        """Runs this user may work in: their own only."""
        if not isinstance(user, User) or user.must_change_password:
            return self.none()
        return self.filter(user=user)

    def live(self) -> RunQuerySet:
        """Runs that can still be worked in."""
        return self.filter(state__in=states.LIVE)

    def over(self) -> RunQuerySet:
        """Runs that have ended."""
        return self.exclude(state__in=states.LIVE)

    def failed(self) -> RunQuerySet:
        """Runs whose cluster could not be built, the latest first."""
        return self.filter(state=states.FAILED).order_by("-finished")

    def of_lessons(self) -> RunQuerySet:
        """The clusters beside lessons, on which their blocks run."""
        return self.filter(lab_slug__startswith=PREFIX)

    def of_labs(self) -> RunQuerySet:
        """The others: each is of a lab."""
        return self.exclude(lab_slug__startswith=PREFIX)

    def kept_bytes(self) -> int:
        """What all these runs keep in the database."""
        return int(self.aggregate(total=models.Sum("kept_bytes"))["total"] or 0)


class Run(models.Model):
    """One learner's cluster for one lab."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="runs")
    lab_slug = models.SlugField(max_length=100)
    state = models.CharField(
        max_length=16, choices=[(state, state) for state in states.STATES], default=states.REQUESTED
    )
    message = models.CharField(max_length=500, blank=True)
    language = models.CharField(max_length=16, choices=languages.all_of_them, default=settings.LANGUAGE_CODE)
    seed = models.BigIntegerField()
    #: Virtual time at which the cluster starts; kept so that a replay begins at the same instant.
    start = models.CharField(max_length=32)
    engine_version = models.CharField(max_length=32, blank=True)
    #: Counts the renewals of its token; those of before open nothing.
    token_serial = models.PositiveIntegerField(default=0)
    #: The digest of the lab as it was when the run began (`Lab.version`).
    lab_version = models.CharField(max_length=32, blank=True)
    #: Which of its branches is present (`Branch.number`); 0: the first one.
    branch = models.PositiveIntegerField(default=0)
    #: Counts the hosts that have owned this run. Only the owner of the current epoch may write its journal.
    epoch = models.PositiveIntegerField(default=0)
    #: Builds of its cluster that were begun since one came to its end.
    builds = models.PositiveIntegerField(default=0)
    #: What an instructor can read about the last build that failed.
    report = models.TextField(blank=True)
    created = models.DateTimeField(auto_now_add=True)
    started = models.DateTimeField(null=True, blank=True)
    last_active = models.DateTimeField(default=timezone.now)
    #: Virtual microseconds that its clients have seen; a cluster that is rebuilt goes on at least to there.
    reached_us = models.BigIntegerField(default=0)
    #: Bytes of its journal and its keyframe.
    kept_bytes = models.BigIntegerField(default=0)
    #: Percent: how fast its virtual time goes. Below 100 its cluster has more to do than its share of the host allows.
    pace = models.PositiveSmallIntegerField(default=100)
    #: Virtual seconds a second, as its owner chose; 0: time stands still.
    speed = models.FloatField(default=1.0)
    finished = models.DateTimeField(null=True, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created"]
        indexes: ClassVar = [
            models.Index(fields=["user", "lab_slug", "state"], name="runs_user_lab_state"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(state__in=states.STATES), name="runs_state_known")
        ]

    def __str__(self) -> str:
        return f"{self.lab_slug} {self.pk} ({self.state})"

    @property
    def is_live(self) -> bool:
        """Whether its owner can still work in it."""
        return self.state in states.LIVE

    def move(self, new: str, message: str = "", **fields: Any) -> None:
        """Go to state `new`, or raise `TransitionError`. Decided in the database, so two movers cannot both win."""
        old = self.state
        if not states.allowed(old, new):
            raise TransitionError(f"{old} → {new}")
        if new not in states.LIVE:
            fields["finished"] = timezone.now()
        changed = Run.objects.filter(pk=self.pk, state=old).update(state=new, message=message[:500], **fields)
        if not changed:
            self.refresh_from_db()
            raise TransitionError(f"{old} → {new}: it is {self.state} by now")
        self.state, self.message = new, message[:500]
        for name, value in fields.items():
            setattr(self, name, value)

    @property
    def token(self) -> str:
        """The bearer token of the kubeconfig that the owner may download. Derived, so nothing is stored."""
        mac = salted_hmac("drydock.run-token", f"{self.pk}/{self.token_serial}", algorithm="sha256")
        return RUN_TOKEN_PREFIX + mac.hexdigest()

    def accepts(self, token: str) -> bool:
        """Whether this is the run's own token."""
        return constant_time_compare(token, self.token)


class Branch(models.Model):
    """One of the ways that a run went. A run that never branched off has none.

    A branch shares with the one that it left all entries up to `seq`; its own follow.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="branches")
    #: 0: the first way, which left none.
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=60)
    #: The number of the branch that it left; None: it is the first.
    parent = models.PositiveIntegerField(null=True)
    seq = models.PositiveIntegerField(default=0)
    #: Where it left: virtual microseconds.
    at_us = models.BigIntegerField(default=0)
    #: Deleted, but others that left it still share its entries.
    gone = models.BooleanField(default=False)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["run", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "number"], name="runs_branch_run_number"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.number} {self.name}"


class JournalEntry(models.Model):
    """One input to the run's cluster or file system, committed before it took effect.

    `seq` is unique within the branch whatever the epoch, so that two hosts can never write the same place in
    its history; the epoch says which host wrote it.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="journal")
    branch = models.PositiveIntegerField(default=0)
    epoch = models.PositiveIntegerField()
    seq = models.PositiveIntegerField()
    #: Virtual microseconds.
    at_us = models.BigIntegerField()
    kind = models.CharField(max_length=32)
    #: JSON as text: no database reads into it, and PostgreSQL's JSON type refuses what a learner may well send.
    payload = models.TextField()
    written = models.DateTimeField(_("written"), auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["run", "seq"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "branch", "seq"], name="runs_journal_run_branch_seq"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.epoch}/{self.seq} {self.kind}"


class Keyframe(models.Model):
    """The cluster's state after the entry `seq` of the run's journal: who rebuilds it replays only what came later.

    Of the older ones some are kept (`keyframes.keep`), so that no moment of the past is far from one. The
    journal stays whole: with a keyframe that cannot be read, all of it is replayed.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="keyframes")
    branch = models.PositiveIntegerField(default=0)
    seq = models.PositiveIntegerField()
    #: Its virtual time, microseconds; None of those that were kept before it was noted.
    at_us = models.BigIntegerField(null=True)
    #: Microseconds of processor time from the keyframe before to this one, about.
    cost_us = models.BigIntegerField(default=0)
    data = models.BinaryField()
    #: What the learner had changed of the files by then, packed (`journal.with_changes`).
    files = models.BinaryField(default=b"")
    #: The lab's steps that begin here: one goes back to them (`branches.to_step`).
    steps = models.JSONField(default=list)
    #: Bytes of both.
    size = models.PositiveIntegerField(default=0)
    written = models.DateTimeField(_("written"), auto_now=True)

    class Meta:
        ordering: ClassVar = ["run", "seq"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "branch", "seq"], name="runs_keyframe_run_branch_seq"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.seq}"
