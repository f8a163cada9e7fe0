"""Guests at the door of sign-up and log-in, and the language someone chose."""

from __future__ import annotations

from typing import Any

from config import languages
from config.errors import wants_json
from config.middleware import EitherWay
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.locale import LocaleMiddleware
from django.shortcuts import redirect
from django.utils.translation import activate, get_language, get_supported_language_variant
from django.utils.translation import gettext as _
from django.utils.translation.trans_real import parse_accept_lang_header

#: In which all of the site is.
OWN = frozenset(dict(languages.SITE))
#: Pages that turn away whoever is logged in; a guest must pass.
DOORS = frozenset({"/accounts/signup/", "/accounts/login/"})
#: Pages about an account's own password and addresses: a guest has neither, and signs up for them.
ACCOUNT_ONLY = frozenset(
    {"/accounts/email/", "/accounts/password/change/", "/accounts/password/set/", "/accounts/reauthenticate/"}
)
#: What an account with a password from somebody else may open.
OPEN_BEFORE_CHANGE = frozenset(
    {"/accounts/password/change/", "/accounts/logout/", "/i18n/setlang/", "/healthz", "/readyz"}
)


class GuestMiddleware(EitherWay):
    """Sets `request.guest`, and lets a guest see the sign-up and log-in pages as a stranger would."""

    def _call(self, request: HttpRequest) -> HttpResponse:
        request.guest = None  # type: ignore[attr-defined]
        if request.path in DOORS | ACCOUNT_ONLY and getattr(request.user, "is_guest", False):
            if request.path in ACCOUNT_ONLY:
                return redirect("account_signup")
            self._open(request, request.user)
        response: HttpResponse = self.get_response(request)
        return response

    async def _acall(self, request: HttpRequest) -> HttpResponse:
        request.guest = None  # type: ignore[attr-defined]
        if request.path in DOORS | ACCOUNT_ONLY:
            user = await request.auser()
            if getattr(user, "is_guest", False):
                if request.path in ACCOUNT_ONLY:
                    return redirect("account_signup")
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


class PasswordMiddleware(EitherWay):
    """Whoever got a password from somebody else changes it before anything else of the site opens."""

    def _call(self, request: HttpRequest) -> HttpResponse:
        response: HttpResponse = self._held_up(request, request.user) or self.get_response(request)
        return response

    async def _acall(self, request: HttpRequest) -> HttpResponse:
        response: HttpResponse = self._held_up(request, await request.auser()) or await self.get_response(
            request
        )
        return response

    @staticmethod
    def _held_up(request: HttpRequest, user: Any) -> HttpResponse | None:
        if not getattr(user, "must_change_password", False) or request.path in OPEN_BEFORE_CHANGE:
            return None
        if wants_json(request):
            sentence = _("Change your password first, on this site's page for it.")
            return JsonResponse({"error": sentence, "code": 403, "request_id": request.id}, status=403)  # type: ignore[attr-defined]
        messages.info(request, _("This password was given to you. Choose one that only you know."))
        return redirect("account_change_password")


class LanguageMiddleware(LocaleMiddleware):
    """Django's own, under our name so that the order in settings can be explained.

    The choice is the cookie that `set_language` writes, else the browser's Accept-Language. Addresses carry
    no language, so a link may be shared between languages. A language that only some lab has is there for who
    chooses it: a browser that asks for it finds the site in one of its own.
    """

    def process_request(self, request: HttpRequest) -> None:
        """Activates the language."""
        super().process_request(request)
        if settings.LANGUAGE_COOKIE_NAME in request.COOKIES or get_language() in OWN:
            return
        wanted = parse_accept_lang_header(request.headers.get("accept-language", ""))
        known = (variant for code, _quality in wanted if (variant := _own_variant(code)))
        activate(next(known, settings.LANGUAGE_CODE))
        request.LANGUAGE_CODE = get_language()


def _own_variant(code: str) -> str | None:
    """The site's own language that an entry of Accept-Language is understood as, if any."""
    try:
        found = get_supported_language_variant(code)
    except LookupError:
        return None
    return found if found in OWN else None
