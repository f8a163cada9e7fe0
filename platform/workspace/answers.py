"""What the workspace's endpoints have in common: finding the run, reading JSON, answering errors."""

from __future__ import annotations

import functools
import json
import logging
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from runs import hosting
from runs.access import run_for, visible_run
from runs.models import Run, TransitionError

logger = logging.getLogger(__name__)

MAX_JSON = 1024 * 1024
Handler = Callable[[HttpRequest, Run], Awaitable[HttpResponse]]


class BadRequestError(Exception):
    """The request's body is not what this endpoint takes; the message is for the caller."""


def problem(status: int, sentence: str) -> JsonResponse:
    """An error as every endpoint gives it."""
    return JsonResponse({"error": sentence}, status=status)


def json_body(request: HttpRequest) -> dict[str, Any]:
    """The request's JSON object. Raises `BadRequestError`."""
    if int(request.headers.get("Content-Length") or 0) > MAX_JSON:
        raise BadRequestError(_("The request is larger than 1 MiB."))
    try:
        data = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        raise BadRequestError(_("The request is not valid JSON.")) from None
    if not isinstance(data, dict):
        raise BadRequestError(_("The request must be a JSON object."))
    return data


def field(data: dict[str, Any], name: str) -> str:
    """A text field. Raises `BadRequestError`."""
    value = data.get(name)
    if not isinstance(value, str):
        raise BadRequestError(_("The field “%(name)s” is missing or not text.") % {"name": name})
    return value


def endpoint(*methods: str, reading: tuple[str, ...] = ("GET", "HEAD")) -> Callable[[Handler], Any]:
    """Make an async handler of `(request, run)` a view of `(request, run_id)`.

    Reading is open to whoever may see the run, all else to its owner; to everyone else the run is not there.
    """

    def wrap(handler: Handler) -> Any:
        @never_cache
        @functools.wraps(handler)
        async def view(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
            if request.method not in methods:
                response = problem(
                    405, _("This address takes %(methods)s.") % {"methods": ", ".join(methods)}
                )
                response["Allow"] = ", ".join(methods)
                return response
            find = visible_run if request.method in reading else run_for
            try:
                run = await sync_to_async(find)(request, run_id)
            except Http404:
                return problem(404, _("There is no such lab run, or it is not yours."))
            try:
                return await handler(request, run)
            except BadRequestError as error:
                return problem(400, str(error))
            except TransitionError:
                return problem(409, _("The lab is in another state by now. Reload the page."))
            except hosting.OverError:
                return problem(409, _("This lab run is over. Start the lab again to go on."))
            except hosting.UnavailableError as error:
                logger.info("host unavailable: %s", error, extra={"run": run_id})
                response = problem(
                    503, _("The cluster cannot be reached at the moment. Try again in a few seconds.")
                )
                response["Retry-After"] = "2"
                return response

        return view

    return wrap
