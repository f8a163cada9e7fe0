"""Users and their API tokens.

A guest is a user row like any other, so that all a guest does is owned from the start; signing up turns
the same row into an account.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Any, ClassVar, TypeVar

from config import languages
from django.conf import settings
from django.contrib.auth.models import AbstractUser, AnonymousUser, UserManager
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

TOKEN_PREFIX = "dd_"
GUEST_PREFIX = "guest-"


Rows = TypeVar("Rows", bound="models.QuerySet[Any, Any]")
#: Of a class's code: no letters or digits that look like others.
CODE_ALPHABET, CODE_LENGTH = "ABCDEFGHJKMNPQRSTUVWXYZ23456789", 10


def new_code() -> str:
    """What lets a learner into a class; some 49 random bits."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))


class DrydockUserManager(UserManager["User"]):
    """Also makes guests, and knows whose work somebody may look at."""

    def taught_by(self, teacher: User) -> models.QuerySet[User]:
        """The members of this teacher's classes; of who leads the installation, everybody."""
        if not teacher.is_instructor or teacher.must_change_password:
            return self.none()
        return self.all() if teacher.leads else self.filter(classrooms__teachers=teacher).distinct()

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
        _("language"), max_length=16, choices=languages.all_of_them, default=settings.LANGUAGE_CODE
    )

    objects: ClassVar[DrydockUserManager] = DrydockUserManager()

    class Meta(AbstractUser.Meta):
        indexes: ClassVar = [models.Index(fields=["is_guest", "date_joined"], name="accounts_guest_joined")]

    @property
    def leads(self) -> bool:
        """Whether the installation is theirs: such an instructor sees everybody, and guests."""
        return self.is_instructor and self.is_staff

    @property
    def display_name(self) -> str:
        """What a page or the gradebook calls this user."""
        if self.is_guest:
            return str(_("Guest"))
        return self.get_full_name() or self.username


def visible(rows: Rows, user: User | AnonymousUser) -> Rows:
    """Of rows that belong to a `user`: their own, and to an instructor those of who is in a class of theirs."""
    if not isinstance(user, User):
        return rows.none()
    if not user.is_instructor:
        return rows.filter(user=user)
    taught = User.objects.taught_by(user).values("pk").order_by()
    return (
        rows
        if user.leads and not user.must_change_password
        else rows.filter(Q(user=user) | Q(user__in=taught))
    )


class ClassroomQuerySet(models.QuerySet["Classroom"]):
    """The only ways to a class."""

    def taught_by(self, user: User | AnonymousUser) -> ClassroomQuerySet:
        """Those of an instructor; who leads the installation sees all."""
        if not isinstance(user, User) or not user.is_instructor:
            return self.none()
        return self if user.leads else self.filter(teachers=user)

    def attended_by(self, user: User) -> ClassroomQuerySet:
        """Those that the user is in."""
        return self.filter(members=user)


class Classroom(models.Model):
    """A class: learners whose work its teachers see. They come by its code or an invitation, and go as they like."""

    name = models.CharField(_("name"), max_length=80)
    code = models.CharField(_("code"), max_length=16, unique=True, default=new_code)
    teachers = models.ManyToManyField(
        settings.AUTH_USER_MODEL, related_name="classrooms_taught", limit_choices_to={"is_instructor": True}
    )
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="classrooms", blank=True)
    created = models.DateTimeField(auto_now_add=True)

    objects = ClassroomQuerySet.as_manager()

    class Meta:
        verbose_name = _("class")
        verbose_name_plural = _("classes")
        ordering: ClassVar = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Whom an invitation is for."""

    def for_user(self, user: User) -> InvitationQuerySet:
        """Those to the user's own address."""
        return self.filter(email=user.email.lower()) if user.email and not user.is_guest else self.none()


class Invitation(models.Model):
    """To a class, of who has an address or will have. It shows nobody's work before it is accepted."""

    classroom = models.ForeignKey(Classroom, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    created = models.DateTimeField(auto_now_add=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["email"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["classroom", "email"], name="accounts_invited_once")
        ]

    def __str__(self) -> str:
        return f"{self.email} → {self.classroom_id}"


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
