"""A guest's runs follow the guest."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from accounts.signals import guest_merged
from django.dispatch import receiver

from runs.models import Run


@receiver(guest_merged)
def take_over_runs(sender: Any, guest: User, account: User, **_: Any) -> None:
    """Runs, live ones too: their engines do not care whose they are."""
    Run.objects.filter(user=guest).update(user=account)
