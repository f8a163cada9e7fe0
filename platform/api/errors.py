"""One shape for every error: `{"error": "sentence", "code": 4xx, "fields": {…}}`."""

from __future__ import annotations

from typing import Any

from accounts.services import TooManyGuestsError
from config.logs import request_id
from django.http import Http404
from django.utils.translation import gettext as _
from grading.services import ManifestsError
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_handler
from runs.hosting import OverError, UnavailableError
from runs.models import TransitionError
from runs.services import LimitError


def _translate(error: Exception) -> Exception:
    if isinstance(error, Http404):
        return exceptions.NotFound(_("There is nothing at this address."))
    if isinstance(error, ManifestsError):
        return exceptions.ValidationError({"manifests": [str(error)]})
    return error


def _sentence(detail: Any) -> str:
    """The first message in DRF's nested detail."""
    if isinstance(detail, dict):
        name, value = next(iter(detail.items()), ("", ""))
        text = _sentence(value)
        return (
            text
            if name in ("detail", "non_field_errors") or text.startswith(f"{name}:")
            else f"{name}: {text}"
        )
    if isinstance(detail, (list, tuple)):
        return _sentence(detail[0]) if detail else ""
    return str(detail)


def _answer(status: int, sentence: str) -> Response:
    return Response({"error": sentence, "code": status, "request_id": request_id.get()}, status=status)


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's handler, in our shape.

    No credentials is 403 and a wrong credential is 401, as on the clusters' own API.
    """
    if isinstance(error, (LimitError, TransitionError)):
        return _answer(409, str(error))
    if isinstance(error, OverError):
        return _answer(409, _("This lab run is over. Start the lab again to go on."))
    if isinstance(error, UnavailableError):
        return _answer(503, _("The cluster cannot be reached at the moment. Try again in a few seconds."))
    if isinstance(error, TooManyGuestsError):
        return _answer(429, str(error))
    error = _translate(error)
    response = drf_handler(error, context)
    if response is None:
        return None
    if isinstance(error, exceptions.NotAuthenticated):
        response.status_code = 403
        response.headers.pop("WWW-Authenticate", None)
    data: dict[str, Any] = {
        "error": _sentence(response.data),
        "code": response.status_code,
        "request_id": request_id.get(),
    }
    if isinstance(error, exceptions.ValidationError) and isinstance(response.data, dict):
        data["fields"] = response.data
    response.data = data
    return response
