"""Users and their API tokens.

A guest is a user row like any other, so that all a guest does is owned from the start; signing up turns
the same row into an account.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

TOKEN_PREFIX = "dd_"
GUEST_PREFIX = "guest-"


class DrydockUserManager(UserManager["User"]):
    """Also makes guests."""

    def create_guest(self, language: str = "en") -> User:
        """A new guest, with no password to log in by."""
        guest = self.model(username=GUEST_PREFIX + secrets.token_hex(6), is_guest=True, language=language)
        guest.set_unusable_password()
        guest.save(using=self._db)
        return guest


class User(AbstractUser):
    """Someone who learns, teaches, or is only trying it out."""

    is_guest = models.BooleanField(_("guest"), default=False)
    is_instructor = models.BooleanField(_("instructor"), default=False)
    must_change_password = models.BooleanField(
        _("must change the password"),
        default=False,
        help_text=_("Until then nothing else of the site opens for this account."),
    )
    language = models.CharField(
        _("language"), max_length=16, choices=settings.LANGUAGES, default=settings.LANGUAGE_CODE
    )

    objects: ClassVar[DrydockUserManager] = DrydockUserManager()

    class Meta(AbstractUser.Meta):
        indexes: ClassVar = [models.Index(fields=["is_guest", "date_joined"], name="accounts_guest_joined")]

    @property
    def display_name(self) -> str:
        """What a page or the gradebook calls this user."""
        if self.is_guest:
            return str(_("Guest"))
        return self.get_full_name() or self.username


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    """The only ways to a token."""

    def for_user(self, user: User) -> ApiTokenQuerySet:
        """The user's own tokens."""
        return self.filter(user=user)

    def find(self, secret: str) -> ApiToken | None:
        """The token whose secret this is, if its user may still come in."""
        if not secret.startswith(TOKEN_PREFIX) or len(secret) > 100:
            return None
        return (
            self.select_related("user")
            .filter(digest=ApiToken.digest_of(secret), user__is_active=True, user__must_change_password=False)
            .first()
        )


class ApiToken(models.Model):
    """A key for programs. Only its hash is kept; its first letters are shown to tell tokens apart."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=16)
    digest = models.CharField(max_length=64, unique=True)
    created = models.DateTimeField(auto_now_add=True)
    last_used = models.DateTimeField(null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created"]

    def __str__(self) -> str:
        return f"{self.prefix}… ({self.name})"

    @staticmethod
    def digest_of(secret: str) -> str:
        """A token has 256 random bits, so a plain fast hash is enough."""
        return hashlib.sha256(secret.encode()).hexdigest()

    @classmethod
    def issue(cls, user: User, name: str) -> tuple[ApiToken, str]:
        """A new token and its secret, which cannot be read again."""
        secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
        token = cls.objects.create(
            user=user, name=name.strip()[:80] or "token", prefix=secret[:10], digest=cls.digest_of(secret)
        )
        return token, secret

    def touch(self) -> None:
        """Note the use, at most once a minute."""
        now = timezone.now()
        if self.last_used is None or (now - self.last_used).total_seconds() > 60:
            ApiToken.objects.filter(pk=self.pk).update(last_used=now)
