"""How allauth makes and names users here."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from config.caller import network
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.models import GUEST_PREFIX, User
from accounts.services import convert_guest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Signing up as a guest keeps the guest's row, and with it the guest's runs and grades."""

    def new_user(self, request: HttpRequest) -> User:
        """The row that the sign-up form is going to fill."""
        guest = getattr(request, "guest", None)
        if guest is not None:
            return convert_guest(guest)
        return User(language=get_language() or "en")

    def get_client_ip(self, request: HttpRequest) -> str:
        """By what attempts to log in or sign up are counted."""
        return network(request)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """On to the course, not back to the form."""
        return "/"

    def clean_username(self, username: str, shallow: bool = False) -> str:
        """No account may look like a guest."""
        if username.lower().startswith(GUEST_PREFIX):
            raise ValidationError(_("This name is kept for guests."))
        name: str = super().clean_username(username, shallow)
        return name

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        """Save the account; from here on the request has no guest any more."""
        saved: User = super().save_user(request, user, form, commit)
        if commit:
            request.guest = None  # type: ignore[attr-defined]
        return saved
