"""Reactions to logging in and signing up."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import password_changed, password_reset, password_set
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.models import User
from accounts.services import merge_guest


@receiver(user_logged_in)
def bring_guest_work(sender: Any, request: HttpRequest, user: User, **_: Any) -> None:
    """A guest who logs in keeps what was done before."""
    guest = getattr(request, "guest", None)
    if guest is not None and guest.pk != user.pk:
        merge_guest(guest, user)
        request.guest = None  # type: ignore[attr-defined]


@receiver([password_changed, password_reset, password_set])
def password_is_their_own(sender: Any, request: HttpRequest, user: User, **_: Any) -> None:
    """From here on the account opens the whole site."""
    if user.must_change_password:
        user.must_change_password = False
        user.save(update_fields=["must_change_password"])
