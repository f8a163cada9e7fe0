"""Template context about the person at hand."""

from __future__ import annotations

from django.http import HttpRequest


def guest(request: HttpRequest) -> dict[str, bool]:
    """`is_guest` and `is_instructor`, also where nobody is logged in."""
    user = getattr(request, "user", None)
    return {
        "is_guest": bool(getattr(user, "is_guest", False)),
        "is_instructor": bool(getattr(user, "is_instructor", False)),
    }
