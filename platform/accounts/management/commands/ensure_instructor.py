"""`manage.py ensure_instructor`: the first instructor of a new installation."""

from __future__ import annotations

import secrets
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from accounts.models import User


class Command(BaseCommand):
    """Creates the account once and prints its password once; later runs change nothing.

    The password opens one page only: the one on which it is changed.
    """

    help = "Create the instructor account if there is none, and print its one-time password."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--username`, `--reset`."""
        parser.add_argument("--username", default="instructor")
        parser.add_argument("--reset", action="store_true", help="make a new password for the account")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints `username password` on one line when a password was made, else nothing."""
        username = options["username"]
        with transaction.atomic():
            if User.objects.filter(is_instructor=True).exclude(username=username).exists():
                return
            user = User.objects.filter(username=username).first()
            if user is not None and not options["reset"]:
                return
            if user is None:
                user = User(username=username)
            password = secrets.token_urlsafe(12)
            user.is_instructor = True
            user.is_staff = user.is_superuser = True  # /admin/ is theirs, whose installation it is
            user.set_password(password)
            user.must_change_password = True
            user.save()
        self.stdout.write(f"{username} {password}")
