"""What happens to people: guests come, become accounts, or bring their work into one."""

from __future__ import annotations

from config.caller import network
from django.conf import settings
from django.contrib.auth import login
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.signals import guest_merged

BACKEND = "django.contrib.auth.backends.ModelBackend"
TOKENS_PER_USER = 10


class TooManyGuestsError(Exception):
    """One address (of IPv6: one network) made too many guests within the hour."""


def ensure_user(request: HttpRequest, language: str) -> User:
    """The user of this request; a visitor without a session becomes a guest with one."""
    if isinstance(request.user, User):
        return request.user
    key = f"guests:{network(request)}"
    cache.add(key, 0, timeout=3600)
    if cache.incr(key) > settings.GUESTS_PER_HOUR:
        raise TooManyGuestsError(_("Too many guests came from your network. Sign up, or try again later."))
    guest = User.objects.create_guest(language)
    login(request, guest, backend=BACKEND)
    return guest


def convert_guest(guest: User) -> User:
    """Make the guest's own row an account; the caller sets name, address and password and saves."""
    guest.is_guest = False
    guest.username = ""
    return guest


@transaction.atomic
def merge_guest(guest: User, account: User) -> None:
    """Hand all the guest owns to the account, then forget the guest.

    Each app moves its own rows by receiving `guest_merged`.
    """
    locked = User.objects.select_for_update().filter(pk=guest.pk, is_guest=True).first()
    if locked is None or locked.pk == account.pk:
        return
    guest_merged.send(sender=User, guest=locked, account=account)
    locked.delete()
