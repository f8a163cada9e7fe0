"""What a cluster's answers warn of beside what they say; kubectl prints it."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from config.doors import Scope, Send
from django.utils.translation import gettext_lazy

STANDS = gettext_lazy("Time stands still: what you wait for comes when it goes on (time resume, time step).")
WAITING = frozenset({("watch", "true"), ("watch", "1"), ("follow", "true"), ("follow", "1")})
"""Parameters of requests that wait for what comes: those of kubectl wait, get -w, rollout status, logs -f."""


def waits(scope: Scope) -> bool:
    """Whether a request waits for what comes."""
    return scope["type"] == "http" and not WAITING.isdisjoint(
        parse_qsl(scope["query_string"].decode("latin-1"))
    )


def under(said: str, send: Send) -> Send:
    """Sends the same, under a warning."""
    header = (b"warning", f'299 - "{said}"'.encode())

    async def warned(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], header]}
        await send(message)

    return warned
