"""`manage.py purge`: forget what nobody will come back to."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from accounts.models import User
from django.core.management.base import BaseCommand
from django.db.models import Exists, OuterRef
from django.utils import timezone

from runs import states
from runs.models import JournalEntry, Run


class Command(BaseCommand):
    """Deletes old guests with all they own, and the journals of runs that ended long ago. Results are kept."""

    help = "Delete guests and the journals of ended runs that are older than --days."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--days`."""
        parser.add_argument("--days", type=int, default=30)

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints what was deleted."""
        before = timezone.now() - timedelta(days=max(1, options["days"]))
        recent = Run.objects.filter(user=OuterRef("pk"), last_active__gte=before)
        guests = User.objects.filter(is_guest=True, date_joined__lt=before).exclude(Exists(recent))
        guest_count = guests.count()
        guests.delete()
        ended = Run.objects.exclude(state__in=states.LIVE).filter(finished__lt=before)
        entries, _ = JournalEntry.objects.filter(run__in=ended).delete()
        self.stdout.write(f"deleted {guest_count} guests and {entries} journal entries")
