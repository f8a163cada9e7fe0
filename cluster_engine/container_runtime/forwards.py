"""Connections from outside into one Pod (port-forward): they begin within its network namespace, as containerd's do.

Each is a socket of the Pod's machine and one stream of a session; the network knows nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable

from cluster_engine.container_runtime.keeper import Keeper
from cluster_engine.container_runtime.sandbox_data import Data
from cluster_engine.linux.machine import Machine
from cluster_engine.network import FIRST_PORT, IN_FLIGHT, LAST_PORT, RESET

FORWARDS = 256
"""Connections that come from outside into one Pod."""


class Forwards:
    """One Pod's."""

    def __init__(
        self,
        keeper: Keeper,
        data: Data,
        *,
        touch: Callable[[], Machine],
        accept: Callable[[int, str, str, int], str | None],
    ) -> None:
        """``touch`` gives the machine, to be changed; ``accept`` whoever takes a connection, as `Sandbox.accept`."""
        self._keeper = keeper
        self._data = data
        self._touch = touch
        self._accept = accept

    def dial(self, session: str, stream: int, port: int) -> bool:
        """A connection to one of the Pod's own ports; whether somebody took it."""
        data = self._data
        if len(data.forwards) >= FORWARDS:
            return False
        from_port = FIRST_PORT + data.fresh() % (LAST_PORT - FIRST_PORT)
        sock = self._accept(port, "127.0.0.1", "127.0.0.1", from_port)
        if sock is None:
            return False
        data.forwards[sock] = [session, stream, 0]
        return True

    def pass_on(self, session: str, stream: int, text: str) -> None:
        """Byte text for such a connection; one whose process takes nothing is reset."""
        sock = self._of(session, stream)
        if sock is None or not text:
            return
        forward = self._data.forwards[sock]
        forward[2] += len(text)
        if forward[2] <= IN_FLIGHT:
            self._touch().received(sock, text)
        else:
            self.ended(sock)
            self._touch().failed(sock, RESET)

    def finish(self, session: str, stream: int) -> None:
        """No more comes on it."""
        sock = self._of(session, stream)
        if sock is not None:
            self._touch().closed(sock)

    def abandon(self, session: str) -> None:
        """Whoever had the session is gone, and its connections with it."""
        for sock in [sock for sock, forward in self._data.forwards.items() if forward[0] == session]:
            del self._data.forwards[sock]
            self._touch().failed(sock, RESET)

    def wrote(self, sock: str, text: str) -> None:
        """Its process has written."""
        session, stream, _ = self._data.forwards[sock]
        self._keeper.told.output(session, stream, text)

    def took(self, sock: str, count: int) -> None:
        """Its process has read so many bytes."""
        self._data.forwards[sock][2] -= count

    def ended(self, sock: str) -> None:
        """Its process has closed it, or it is given up."""
        session, stream, _ = self._data.forwards.pop(sock)
        self._keeper.told.connection_ended(session, stream)

    def stop(self) -> None:
        """All of them end."""
        for sock in list(self._data.forwards):
            self.ended(sock)

    def _of(self, session: str, stream: int) -> str | None:
        forwards = self._data.forwards.items()
        return next((sock for sock, each in forwards if each[:2] == [session, stream]), None)
