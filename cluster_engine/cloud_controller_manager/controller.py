"""What the cloud's controllers have in common: who they are, and that a cloud takes its time."""

from __future__ import annotations

from typing import Any

from cluster_engine.component import Context, Controller
from cluster_engine.sim import SECOND

ACCOUNT = "cloud-controller-manager"
_SECONDS = 5
"""Within which the cloud does what it was asked for."""


class CloudController(Controller):
    """A control loop whose work the cloud does after some seconds."""

    process = ACCOUNT
    account = ACCOUNT
    reads_as = f"system:serviceaccount:kube-system:{ACCOUNT}"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.client = ctx.client(self.reads_as, manager=ACCOUNT)
        self._due: dict[str, int] = {}
        """Key -> when the cloud has done what it was asked for (virtual µs)."""

    def done(self, key: str) -> bool:
        """Whether the cloud has done what was asked for; asked for the first time, it begins."""
        due = self._due.get(key)
        if due is None:
            seconds = 1 + self.ctx.chance.of(self.name, key, self.clock.now).randrange(_SECONDS)
            self._due[key] = due = self.clock.now + seconds * SECOND
        if due > self.clock.now:
            self.queue.add_after(key, (due - self.clock.now) / SECOND)
            return False
        del self._due[key]
        return True

    def asked(self, key: str) -> bool:
        """Whether the cloud is at it."""
        return key in self._due

    def state(self) -> dict[str, Any]:
        return dict(self._due)

    def load(self, state: dict[str, Any]) -> None:
        self._due = dict(state)
