"""How often strangers may ask; whoever has an account is counted by it."""

from __future__ import annotations

from config.caller import network
from rest_framework.request import Request
from rest_framework.throttling import AnonRateThrottle


class StrangersThrottle(AnonRateThrottle):
    """By IPv4 address or IPv6 network; nothing that a caller says of itself counts."""

    def get_ident(self, request: Request) -> str:
        """Who is counted."""
        return network(request._request)
