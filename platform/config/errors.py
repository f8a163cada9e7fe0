"""Error answers: the course's HTML pages for people, `{"error": "sentence"}` for programs."""

from __future__ import annotations

from course import errors as pages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

JSON_PREFIXES = ("/api/", "/clusters/", "/healthz", "/readyz")


def wants_json(request: HttpRequest) -> bool:
    """True for the API, and for whoever prefers JSON to HTML."""
    if request.path.startswith(JSON_PREFIXES):
        return True
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def _json(request: HttpRequest, status: int, sentence: str) -> HttpResponse:
    body = {"error": sentence, "code": status, "request_id": getattr(request, "id", "")}
    return JsonResponse(body, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400."""
    if wants_json(request):
        return _json(request, 400, _("The request could not be understood."))
    return pages.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403."""
    if wants_json(request):
        return _json(request, 403, _("You may not do this."))
    return pages.permission_denied(request, exception)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form whose token is missing or stale."""
    if wants_json(request):
        return _json(request, 403, _("This page is too old. Reload it and try again."))
    return pages.csrf_failure(request, reason)


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404."""
    if wants_json(request):
        return _json(request, 404, _("There is nothing at this address."))
    return pages.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """500."""
    if wants_json(request):
        return _json(request, 500, "Something went wrong on our side.")
    return pages.server_error(request)
