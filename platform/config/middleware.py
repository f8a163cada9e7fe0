"""What every Django request passes through: its id, and the files that need nothing else of Django."""

from __future__ import annotations

import re
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

from config.logs import request_id

SAFE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def new_request_id(offered: str = "") -> str:
    """The caller's id where it is harmless, else a fresh one."""
    return offered if SAFE_ID.fullmatch(offered) else uuid.uuid4().hex[:16]


class EitherWay:
    """A middleware that stands in both chains, of plain views and of coroutines, with a body for each.

    `django.utils.deprecation.MiddlewareMixin` has one body, and runs it in a thread where the chain is of coroutines.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        return self._acall(request) if self.is_async else self._call(request)

    def _call(self, request: HttpRequest) -> HttpResponse:
        raise NotImplementedError

    async def _acall(self, request: HttpRequest) -> HttpResponse:
        raise NotImplementedError


class RequestIdMiddleware(EitherWay):
    """Gives each request an id, for logs and for the `X-Request-ID` response header."""

    def _call(self, request: HttpRequest) -> HttpResponse:
        token = self._enter(request)
        try:
            return self._leave(request, self.get_response(request))
        finally:
            request_id.reset(token)

    async def _acall(self, request: HttpRequest) -> HttpResponse:
        token = self._enter(request)
        try:
            return self._leave(request, await self.get_response(request))
        finally:
            request_id.reset(token)

    @staticmethod
    def _enter(request: HttpRequest) -> Any:
        ident = new_request_id(request.headers.get("X-Request-ID", ""))
        request.id = ident  # type: ignore[attr-defined]
        return request_id.set(ident)

    @staticmethod
    def _leave(request: HttpRequest, response: HttpResponse) -> HttpResponse:
        response["X-Request-ID"] = request.id  # type: ignore[attr-defined]
        return response


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]  # without types
    """Answers for the files of the site with all their bytes at once.

    WhiteNoise's own answer is an iterator over the file. Under ASGI Django reads that to its end before the first byte
    goes out, in another hop to a thread, and warns at each file.
    """

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        found = static_file.get_response(request.method, request.META)
        content = b""
        if found.file is not None:
            with found.file:
                content = found.file.read()
        response = HttpResponse(content, status=int(found.status))
        del response["Content-Type"]  # the file's own is among its headers
        for name, value in found.headers:
            response[name] = value
        return response
