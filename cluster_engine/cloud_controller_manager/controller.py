"""What the cloud's controllers have in common: who they are, and that a cloud takes its time."""

from __future__ import annotations

from typing import Any

from cluster_engine.component import Context, Controller
from cluster_engine.sim import SECOND

ACCOUNT = "cloud-controller-manager"
_SECONDS = 5
"""Within which the cloud does what it was asked for."""
MIN_RETRY, MAX_RETRY = 5.0, 300.0
"""Seconds until it is asked again after a failure, at first and at last (service/controller.go)."""
_FAILED = "#failed"
"""Among the keys of a controller's state: no object is called so."""


class CloudController(Controller):
    """A control loop whose work the cloud does after some seconds."""

    process = ACCOUNT
    account = ACCOUNT
    reads_as = f"system:serviceaccount:kube-system:{ACCOUNT}"

    service = ""
    """The part of the cloud's API that it asks."""

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.cloud = ctx.cloud
        self.client = ctx.client(self.reads_as, manager=ACCOUNT)
        self._due: dict[str, int] = {}
        """Key -> when the cloud has done what it was asked for (virtual µs)."""
        self._failed: dict[str, int] = {}
        """Key -> how often in a row the cloud has failed."""

    def done(self, key: str) -> bool:
        """Whether the cloud has done what was asked for; asked for the first time, it begins."""
        due = self._due.get(key)
        if due is None:
            seconds = 1 + self.ctx.chance.of(self.name, key, self.clock.now).randrange(_SECONDS)
            seconds += self.cloud.slow.get(self.service, 0)
            self._due[key] = due = self.clock.now + seconds * SECOND
        if due > self.clock.now:
            self.queue.add_after(key, (due - self.clock.now) / SECOND)
            return False
        del self._due[key]
        return True

    def asked(self, key: str) -> bool:
        """Whether the cloud is at it."""
        return key in self._due

    def try_again(self, key: str, error: str) -> None:
        """The cloud has failed: it is asked again, each time after twice as long."""
        self._failed[key] = self._failed.get(key, 0) + 1
        seconds = min(MIN_RETRY * 2 ** (self._failed[key] - 1), MAX_RETRY)
        self.queue.add_after(key, seconds, background=True)
        text = f"error processing {key} (retrying with exponential backoff): {error}"
        self.clock.logs.write(self.process, self.clock.now, "E", f"controller.go:302] {text}")

    def succeeded(self, key: str) -> None:
        """The next failure is the first one again."""
        self._failed.pop(key, None)

    def state(self) -> dict[str, Any]:
        return {**self._due, **({_FAILED: dict(self._failed)} if self._failed else {})}

    def load(self, state: dict[str, Any]) -> None:
        self._due = {key: due for key, due in state.items() if key != _FAILED}
        self._failed = dict(state.get(_FAILED, {}))
