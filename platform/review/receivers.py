"""A guest's questions follow the guest; a lab that is passed may come back."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from accounts.signals import guest_merged
from django.db.models.signals import post_save
from django.dispatch import receiver
from grading.models import Attempt

from review import repairs
from review.models import Card


@receiver(post_save, sender=Attempt)
def note_a_pass(sender: Any, instance: Attempt, created: bool, **_: Any) -> None:
    """What was passed goes into the queue, or a stage on in it."""
    if created and instance.passed:
        repairs.passed(instance)


@receiver(guest_merged)
def take_over_cards(sender: Any, guest: User, account: User, **_: Any) -> None:
    """Cards change hands; of a question that both had the account's own stays."""
    own = Card.objects.owned_by(account).values("question")
    Card.objects.owned_by(guest).exclude(question__in=list(own.values_list("question", flat=True))).update(
        user=account
    )
