"""Requests that come over the cluster's own network: from Pods, by the Service ``kubernetes``, to the API server.

What arrives there is plain data (``Sys.call("http", …)`` of its program) and is answered in the same instant, as part
of what the cluster does by itself: it is no entry of the journal. A watch and a followed log are answered with what
there is by now, and with what is to be asked then, which is answered once there is more
(``container_runtime/http_streams.py``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from cluster_engine.etcd import Store
from cluster_engine.sim import SECOND, Chance, Clock

from . import requests
from .instance import APIServer
from .subresources.log import LogStream
from .trail import AUDIT_ID
from .types import Request, Stream

MAX_FIELDS = 100
"""Parameters of a query."""
ANSWER_LIMIT = 4 * 1024 * 1024
"""Bytes of an answer."""
WATCHED = 1_800
"""Seconds after which a watch ends that does not say how long it wants to go on."""
FOLLOWED = 14_400
"""Seconds after which a followed log ends (the kubelet's streamingConnectionIdleTimeout)."""
MINUTE = 60 * SECOND
"""Every such time a watch that wants bookmarks gets one."""
_TOO_LONG = "answers of more than 4 MiB to clients in Pods"


class Inside:
    """The API server as its Pod's program asks it."""

    def __init__(self, clock: Clock, chance: Chance, server: APIServer, store: Store) -> None:
        self._clock = clock
        self._chance = chance
        self._server = server
        self._store = store

    def follow(self, args: list[Any]) -> None:
        """[resource as the store names it, whom to tell the revision of each change of it]."""
        resource, tell = args
        self._store.subscribe(resource, lambda event: tell(event.revision))

    def watch(self, args: list[Any]) -> list[Any] | dict[str, Any]:
        """As ``answer`` of a watch that goes on until a time (µs), once there is something new. Until then {"later":
        what to ask instead when it comes or the time is over, "topic": of which resource it comes, "due": the time}.

        Who asks again says as one argument more since which revision something has changed; None: nothing has.
        """
        method, target, headers, body, until, *since = args
        path, _, query = target.partition("?")
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=MAX_FIELDS)
        topic = requests.parse(Request("GET", path)).group_resource
        # Nobody tells of what a container writes, nor of renewals: they are looked for.
        looks = "#" in target or self._store.has_renewed(topic)
        if since and not looks:
            # What is kept of the changes before it may be gone with an earlier life of this cluster.
            target = (
                f"{path}?{urlencode(_from(pairs, self._server.revision if since[0] is None else since[0]))}"
            )
        now = self._clock.now
        # Only who has waited for it gets one: whoever asks right after it waits for the next.
        marks = since == [None] and now % MINUTE == 0
        found = self._answer([method, target, headers, body], marks)
        status, _, said, *going = found
        if status != 200 or said or not going or now >= until:
            return found
        due = until
        if looks:
            due, topic, target = now + SECOND, "", going[0]
        elif ("allowWatchBookmarks", "true") in pairs or ("allowWatchBookmarks", "1") in pairs:
            due = (now // MINUTE + 1) * MINUTE
        asks = [method, target, headers, body, until]
        return {"later": asks, "topic": topic, "due": min(due, until)}

    def answer(self, args: list[Any]) -> list[Any]:
        """[method, path with its query, headers with lower-case names, body] -> [status, headers, body]; of a watch
        or a followed log also the path with its query to be asked next, and until when (µs). Who asks so in the first
        second of a minute gets a bookmark, where it wants any: clusters of an earlier engine ask each second.

        Bodies are byte text. What is asked next of a log has behind ``#`` how far its reader has come.
        """
        now = self._clock.now
        return self._answer(args, now // MINUTE != (now - SECOND) // MINUTE)

    def _answer(self, args: list[Any], marks: bool) -> list[Any]:
        """``marks``: with a bookmark for a watch that wants any."""
        method, target, headers, body = args
        target, _, mark = target.partition("#")
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
            stream = reply.stream
            reply, over = replace(reply, stream=None, body=self._ready(stream, mark, marks)), stream.closed
            if not over and isinstance(stream, LogStream):
                going = [f"{path}?{query}#{stream.mark}", self._clock.now + FOLLOWED * SECOND]
            elif not over:
                until = self._clock.now + round((stream.timeout or WATCHED) * SECOND)
                going = [f"{path}?{urlencode(_from(pairs, self._server.revision))}", until]
            stream.cancel()
        if len(reply.body) > ANSWER_LIMIT:
            reply, going = self._server.not_simulated(request, _TOO_LONG), []
        shown = {_title(name): value for name, value in reply.headers.items()}
        if reply.warnings:
            shown["Warning"] = ", ".join(f'299 - "{text}"' for text in reply.warnings)
        return [reply.status, shown, reply.body.decode("latin-1"), *going]

    @staticmethod
    def _ready(stream: Stream, mark: str, marks: bool) -> bytes:
        """All that a stream has to say by now."""
        if mark and isinstance(stream, LogStream):
            stream.resume(mark)
        said = b""
        while (more := stream.take()) and len(said) <= ANSWER_LIMIT:
            said += more
        return said + stream.tick() if marks else said


def _from(pairs: list[tuple[str, str]], revision: int) -> list[tuple[str, str]]:
    """The same watch from that revision on."""
    own = ("resourceVersion", "resourceVersionMatch", "sendInitialEvents", "timeoutSeconds")
    return [*(pair for pair in pairs if pair[0] not in own), ("resourceVersion", str(revision))]


def _title(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))
