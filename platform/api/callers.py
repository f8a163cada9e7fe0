"""What several views ask of a request: who calls, in which language, for which lab."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from labs.kit import catalog


def language() -> str:
    """The language that Accept-Language (or the site's cookie) chose."""
    return get_language() or "en"


def lab_or_404(slug: str) -> Any:
    """A lab of the course."""
    try:
        return catalog.load().lab(slug)
    except KeyError:
        raise NotFound(_("There is no lab “%(slug)s”.") % {"slug": slug}) from None


def user_of(request: Request) -> User:
    """The caller; the views below are only for those who are known."""
    assert isinstance(request.user, User)
    return request.user
