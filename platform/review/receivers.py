"""A guest's questions follow the guest."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from accounts.signals import guest_merged
from django.dispatch import receiver

from review.models import Card


@receiver(guest_merged)
def take_over_cards(sender: Any, guest: User, account: User, **_: Any) -> None:
    """Cards change hands; of a question that both had the account's own stays."""
    own = Card.objects.owned_by(account).values("question")
    Card.objects.owned_by(guest).exclude(question__in=list(own.values_list("question", flat=True))).update(
        user=account
    )
