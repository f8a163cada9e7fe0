"""What becomes of an answered request in the audit log of one cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import orjson

from .. import requests
from ..trail import Record
from ..types import Request, Response
from .events import events
from .policy import Policy

_LONG = ("watch", "proxy")


class Log:
    """The log by a policy. What it holds lies on the machine of the control plane (``sink``)."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.sink: Callable[[Sequence[str]], None] = lambda _lines: None
        """Where the lines go."""
        self.told = 0
        """Requests of which something was written: what the log has in common with no other."""

    def tells(self, request: Request) -> bool:
        """Whether a request writes to the log, and so is an entry of the journal even when it reads alone.

        One that goes on (a watch, a followed log) is answered from outside of the journal, and not told of.
        """
        info = requests.parse(request)
        if request.user is None or info.verb in _LONG or requests.flag(request, "follow"):
            return False
        told = self._policy.of(request.impersonator or request.user, info)
        return told.level != "None"

    def write(self, request: Request, record: Record, reply: Response | None) -> None:
        """An entry of the journal, or a request of a Pod, was answered; without a reply a stream was opened."""
        if not self.tells(request):
            return
        assert request.user is not None
        info = requests.parse(request)
        told = self._policy.of(request.impersonator or request.user, info)
        lines = [orjson.dumps(event).decode() + "\n" for event in events(told, request, info, record, reply)]
        if lines:
            self.told += 1
            self.sink(lines)
