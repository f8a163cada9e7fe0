"""What is on its way in one network, each at its time, and the one clock event that brings it.

A *token* is a handler's name and its arguments, as data. What is due at the same time arrives in the order in which it
was sent.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from typing import Any

from cluster_engine.network.limits import FOREGROUND
from cluster_engine.sim import Clock

_EVENT = "network/deliver"


class Deliveries:
    """One network's."""

    def __init__(self, clock: Clock, handlers: dict[str, Callable[..., None]]) -> None:
        self.afterwards: Callable[[], None] | None = None
        """Called after deliveries: whoever got something may go on in this instant."""
        self._clock = clock
        self._handlers = handlers
        self._soon: deque[tuple[Any, ...]] = deque()
        self._later: list[tuple[int, int, tuple[Any, ...]]] = []
        self._order = 0
        self._timer: int | None = None
        self._timer_due = 0
        self._held = False
        clock.register(_EVENT, self._event)

    def send(self, after: int, token: tuple[Any, ...]) -> None:
        """The token is due after so many µs."""
        if after <= 0:
            self._soon.append(token)
        else:
            self._order += 1
            heapq.heappush(self._later, (self._clock.now + after, self._order, token))
        if not self._held:
            self._plan()

    def hold(self) -> bool:
        """The caller will deliver by himself, and call ``release`` before this instant is over; whether somebody else
        does so already, who will."""
        held, self._held = self._held, True
        return held

    def release(self) -> None:
        """From now on the clock delivers again."""
        self._held = False
        self._plan()

    def deliver(self) -> None:
        """Delivers what is due now."""
        now, soon, later = self._clock.now, self._soon, self._later
        while True:
            while later and later[0][0] <= now:
                soon.append(heapq.heappop(later)[2])
            if not soon:
                break
            name, *rest = soon.popleft()
            self._handlers[name](*rest)

    def _event(self) -> None:
        self._timer = None
        self.hold()
        try:
            self.deliver()
        finally:
            self.release()
        if self.afterwards is not None:
            self.afterwards()

    def _plan(self) -> None:
        """One clock event, at the earliest delivery."""
        if self._soon:
            due = self._clock.now
        elif self._later:
            due = self._later[0][0]
        else:
            return
        if self._timer is not None:
            if self._timer_due <= due:
                return
            self._clock.cancel(self._timer)
        background = due - self._clock.now > FOREGROUND
        self._timer, self._timer_due = self._clock.call_at(due, _EVENT, background=background), due

    def state(self) -> dict[str, Any]:
        """JSON data."""
        return {
            "soon": [list(token) for token in self._soon],
            "later": [[due, order, list(token)] for due, order, token in sorted(self._later)],
            "order": self._order,
            "timer": [self._timer, self._timer_due],
        }

    def load(self, state: dict[str, Any]) -> None:
        """Takes over what ``state`` gave."""
        self._soon = deque(tuple(token) for token in state["soon"])
        self._later = [(due, order, tuple(token)) for due, order, token in state["later"]]
        self._order = state["order"]
        self._timer, self._timer_due = state["timer"]
