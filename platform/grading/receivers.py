"""A guest's results follow the guest."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from accounts.signals import guest_merged
from django.dispatch import receiver

from grading.models import Appeal, Attempt, Submission


@receiver(guest_merged)
def take_over_results(sender: Any, guest: User, account: User, **_: Any) -> None:
    """Attempts, submissions and what was said against checks change hands."""
    Attempt.objects.filter(user=guest).update(user=account)
    Submission.objects.filter(user=guest).update(user=account)
    Appeal.objects.filter(user=guest).update(user=account)
