"""Error pages for people: a sentence in the reader's language, and a way on.

They must render when much else is broken, so the page has its own small frame and asks neither the session
nor the database who the reader is: no context processor runs.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _


def _page(request: HttpRequest, status: int, title: str, message: str) -> HttpResponse:
    context = {
        "title": title,
        "message": message,
        "theme": request.COOKIES.get("dd_theme", ""),
        "request_id": getattr(request, "id", ""),
    }
    return HttpResponse(render_to_string("error.html", context), status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400."""
    return _page(
        request,
        400,
        _("That request made no sense"),
        _("Something in it was malformed. Go back and try again."),
    )


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403."""
    return _page(
        request,
        403,
        _("This berth is not yours"),
        _("This page belongs to somebody else, or needs an instructor account."),
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form whose token is missing or stale."""
    return _page(
        request,
        403,
        _("This form has gone stale"),
        _("The page was open too long, or cookies are switched off. Go back, reload it and send it again."),
    )


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404; also the answer for what belongs to somebody else."""
    return _page(
        request,
        404,
        _("Nothing is moored here"),
        _(
            "The page does not exist, or it is not yours to see. "
            "A lab run opens only for the person who started it."
        ),
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """500."""
    return _page(
        request,
        500,
        _("We sprang a leak"),
        _("Something went wrong on our side. Your lab and its history are stored; try again in a moment."),
    )
