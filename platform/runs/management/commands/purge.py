"""`manage.py purge`: forget what nobody will come back to. Engine hosts do so by themselves, once an hour."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from runs import services


class Command(BaseCommand):
    """Deletes old guests with all they own, and the histories of runs that ended long ago. Results are kept."""

    help = "Delete guests and the journals of ended runs that are older than --days."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--days`."""
        parser.add_argument("--days", type=int, default=settings.RETENTION_DAYS)

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints what was deleted."""
        guests = entries = 0
        while True:
            purged = services.purge(max(1, options["days"]))
            guests, entries = guests + purged.guests, entries + purged.entries
            if purged == services.Purged(0, 0):
                break
        self.stdout.write(f"deleted {guests} guests and {entries} journal entries")
