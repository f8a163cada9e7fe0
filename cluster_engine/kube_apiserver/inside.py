"""Requests that come over the cluster's own network: from Pods, by the Service ``kubernetes``, to the API server.

What arrives there is plain data (``Sys.call("http", …)`` of its program) and is answered in the same instant, as part
of what the cluster does by itself: it is no entry of the journal. A watch is answered with what there is by now, and
with what is to be asked a moment later (``container_runtime/http_streams.py``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from cluster_engine.sim import SECOND, Chance, Clock

from .instance import APIServer
from .trail import AUDIT_ID
from .types import Request

MAX_FIELDS = 100
"""Parameters of a query."""
ANSWER_LIMIT = 4 * 1024 * 1024
"""Bytes of an answer."""
WATCHED = 1_800
"""Seconds after which a watch ends that does not say how long it wants to go on."""
_TOO_LONG = "answers of more than 4 MiB to clients in Pods"


class Inside:
    """The API server as its Pod's program asks it."""

    def __init__(self, clock: Clock, chance: Chance, server: APIServer) -> None:
        self._clock = clock
        self._chance = chance
        self._server = server

    def answer(self, args: list[Any]) -> list[Any]:
        """[method, path with its query, headers with lower-case names, body] -> [status, headers, body]; of a watch
        also the path with its query to be asked next, and until when (µs).

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
        going: list[Any] = []
        if reply.stream is not None:
            stream, said = reply.stream, b""
            while (more := stream.take()) and len(said) <= ANSWER_LIMIT:
                said += more
            stream.cancel()
            reply = replace(reply, stream=None, body=said)
            until = self._clock.now + round((stream.timeout or WATCHED) * SECOND)
            going = [f"{path}?{urlencode(_from(pairs, self._server.revision))}", until]
        if len(reply.body) > ANSWER_LIMIT:
            reply, going = self._server.not_simulated(request, _TOO_LONG), []
        shown = {_title(name): value for name, value in reply.headers.items()}
        if reply.warnings:
            shown["Warning"] = ", ".join(f'299 - "{text}"' for text in reply.warnings)
        return [reply.status, shown, reply.body.decode("latin-1"), *going]


def _from(pairs: list[tuple[str, str]], revision: int) -> list[tuple[str, str]]:
    """The same watch from that revision on."""
    own = ("resourceVersion", "resourceVersionMatch", "sendInitialEvents", "timeoutSeconds")
    return [*(pair for pair in pairs if pair[0] not in own), ("resourceVersion", str(revision))]


def _title(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))
