"""Who lists and watches, and whether he may.

Models the client of upstream's informers: a component reads as its own identity, all controllers as the controller
manager.
"""

from __future__ import annotations

from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.kube_apiserver import Access, APIServer, UserInfo
from cluster_engine.sim import Clock

READ = ("list", "watch")


class Reader:
    """An identity that informers read as, and the process that it belongs to."""

    __slots__ = ("_clock", "_user", "authorizer", "name", "process")

    def __init__(self, server: APIServer, clock: Clock, user: UserInfo, process: str) -> None:
        self.authorizer = server.authorizer
        self._clock = clock
        self._user = user
        self.name = user.username
        self.process = process

    @property
    def halted(self) -> bool:
        """Whether its process stands still."""
        return self._clock.is_halted(self.process)

    def refusal(self, resource: str) -> str:
        """Why it may not list and watch the whole resource, in the API server's words; "" when it may."""
        plural, _, group = resource.partition(".")
        try:
            for verb in READ:
                self.authorizer.check(Access(self._user, verb, group, plural))
        except ApiError as error:
            return error.message
        return ""

    def log(self, resource: str, refusal: str) -> None:
        """Says in the process's log that a list was refused (reflector.go)."""
        quoted = refusal.replace('"', '\\"')
        text = f'"Failed to watch" err="failed to list {resource}: {quoted}" logger="UnhandledError"'
        self._clock.logs.write(self.process, self._clock.now, "E", f"reflector.go:205] {text}")
