"""The questions that somebody has met, and when each comes back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from accounts.models import User
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.utils import timezone

DAYS = (1, 3, 7, 21)
"""After how many days a question comes back: first, and after each right answer. After the last it is known."""


class CardQuerySet(models.QuerySet["Card"]):
    """Everybody's cards are their own: nobody else's are ever reached."""

    def owned_by(self, user: User | AnonymousUser) -> CardQuerySet:
        """The user's own; nobody has none."""
        return self.filter(user=user) if isinstance(user, User) else self.none()

    def waiting(self, now: datetime) -> CardQuerySet:
        """Those that are to be asked, what has waited longest first."""
        return self.filter(due__lte=now).order_by("due", "pk")


class Card(models.Model):
    """One question of a lesson that one user has answered, or a small repair that they have mended."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="cards")
    #: `labs.kit.questions.Question.id`, or of a repair `review.repairs.PREFIX` and the lab's slug; one that is in the
    #: course no more is passed over.
    question = models.CharField(max_length=110)
    #: Its place in DAYS: after how many days it comes, or came, back.
    stage = models.PositiveSmallIntegerField(default=0)
    #: None: it is known.
    due = models.DateTimeField(null=True)
    right = models.PositiveIntegerField(default=0)
    wrong = models.PositiveIntegerField(default=0)

    objects = CardQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "question"], name="review_card_once"),
            models.CheckConstraint(condition=models.Q(stage__lt=len(DAYS)), name="review_card_stage"),
        ]
        indexes: ClassVar = [models.Index(fields=["user", "due"], name="review_card_due")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.question} {self.due}"

    def answered(self, right: bool) -> None:
        """It was answered now: a right answer goes a stage on, a wrong one back to the first day.

        Before its time neither proves anything, and it stays where it is.
        """
        now = timezone.now()
        if self.due is None or self.due > now:
            return
        if right:
            self.right += 1
            self.stage += 1
        else:
            self.wrong += 1
            self.stage = 0
        if self.stage == len(DAYS):
            self.stage, self.due = self.stage - 1, None
        else:
            self.due = now + timedelta(days=DAYS[self.stage])
