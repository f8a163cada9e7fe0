"""Requests that come over the cluster's own network: from Pods, by the Service ``kubernetes``, to the API server.

What arrives there is plain data (``Sys.call("http", …)`` of its program) and is answered in the same instant, as part
of what the cluster does by itself: it is no entry of the journal.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from cluster_engine.sim import Chance, Clock

from .instance import APIServer
from .trail import AUDIT_ID
from .types import Request

MAX_FIELDS = 100
"""Parameters of a query."""
ANSWER_LIMIT = 4 * 1024 * 1024
"""Bytes of an answer."""
_TOO_LONG = "answers of more than 4 MiB to clients in Pods"


class Inside:
    """The API server as its Pod's program asks it."""

    def __init__(self, clock: Clock, chance: Chance, server: APIServer) -> None:
        self._clock = clock
        self._chance = chance
        self._server = server

    def answer(self, args: list[Any]) -> list[Any]:
        """[method, path with its query, headers with lower-case names, body] -> [status, headers, body].

        Bodies are byte text.
        """
        method, target, headers, body = args
        path, _, query = target.partition("?")
        try:
            pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=MAX_FIELDS)
        except ValueError:
            pairs = []
        # By its own place in the cluster's life: how often it was asked from outside is in no journal.
        key = (method, target, headers.get("authorization", ""), self._clock.now)
        headers = {**headers, AUDIT_ID: self._chance.uid("audit-inside", *key)}
        request = Request(method, path, pairs, headers, body.encode("latin-1"), inside=True)
        reply = self._server.serve(request)
        if len(reply.body) > ANSWER_LIMIT:
            reply = self._server.not_simulated(request, _TOO_LONG)
        shown = {_title(name): value for name, value in reply.headers.items()}
        if reply.warnings:
            shown["Warning"] = ", ".join(f'299 - "{text}"' for text in reply.warnings)
        return [reply.status, shown, reply.body.decode("latin-1")]


def _title(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))
