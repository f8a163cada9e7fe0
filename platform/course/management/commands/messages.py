"""`manage.py messages`: bring the Chinese catalogue up to date, and list what is still to be translated."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from course.messages import update


class Command(BaseCommand):
    requires_system_checks: list[str] = []
    help = "Update locale/zh_Hans/LC_MESSAGES/django.po from the sources; list what lacks a translation."

    def handle(self, *args: Any, **options: Any) -> None:
        missing = update(settings.ROOT)
        for ident in missing:
            self.stdout.write(ident)
        self.stderr.write(f"{len(missing)} to translate")
