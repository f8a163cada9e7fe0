"""`Authorization: Bearer dd_…` (or `Token dd_…`) for the REST API."""

from __future__ import annotations

from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import ApiToken, User

KEYWORDS = ("bearer", "token")


class ApiTokenAuthentication(BaseAuthentication):
    """Users by their API token."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """The user, or None when the request brings no such header."""
        words = get_authorization_header(request).decode("latin-1").split()
        if not words or words[0].lower() not in KEYWORDS:
            return None
        token = ApiToken.objects.find(words[1]) if len(words) == 2 else None
        if token is None:
            raise AuthenticationFailed(_("The token is not valid."))
        token.touch()
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return "Bearer"


class ApiTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The scheme's entry in the OpenAPI document."""

    target_class = "accounts.authentication.ApiTokenAuthentication"
    name = "apiToken"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """A bearer token."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "dd_…"}
