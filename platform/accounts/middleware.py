"""Guests at the door of sign-up and log-in, and the language someone chose."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.middleware.locale import LocaleMiddleware

#: Pages that turn away whoever is logged in; a guest must pass.
DOORS = frozenset({"/accounts/signup/", "/accounts/login/"})


class GuestMiddleware:
    """Sets `request.guest`, and lets a guest see the sign-up and log-in pages as a stranger would."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        if self.is_async:
            return self._acall(request)
        request.guest = None  # type: ignore[attr-defined]
        if request.path in DOORS and getattr(request.user, "is_guest", False):
            self._open(request, request.user)
        response: HttpResponse = self.get_response(request)
        return response

    async def _acall(self, request: HttpRequest) -> HttpResponse:
        request.guest = None  # type: ignore[attr-defined]
        if request.path in DOORS:
            user = await request.auser()
            if getattr(user, "is_guest", False):
                self._open(request, user)
        response: HttpResponse = await self.get_response(request)
        return response

    @staticmethod
    def _open(request: HttpRequest, guest: Any) -> None:
        request.guest = guest  # type: ignore[attr-defined]
        request.user = AnonymousUser()

        async def auser() -> AnonymousUser:
            return AnonymousUser()

        request.auser = auser


class LanguageMiddleware(LocaleMiddleware):
    """Django's own, under our name so that the order in settings can be explained.

    The choice is the cookie that `set_language` writes, else the browser's Accept-Language. Addresses carry
    no language, so a link may be shared between languages.
    """
