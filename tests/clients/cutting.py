"""A way to a port of this machine that can be cut: all its connections break at once, new ones go through."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType


class Cutting:
    """Listens on `port` while it is entered."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self.cuts = 0
        """Connections that were broken."""

    def __enter__(self) -> Cutting:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Breaks what is open."""
        with self._lock:
            broken, self._open = self._open, []
        self.cuts += len(broken) // 2
        for each in broken:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            with self._lock:
                self._open += [near, far]
            for source, goal in ((near, far), (far, near)):
                threading.Thread(target=_pump, args=(source, goal), daemon=True).start()


def _pump(source: socket.socket, goal: socket.socket) -> None:
    """Bytes one way until either end is gone; then both are."""
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            goal.sendall(data)
    for each in (source, goal):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
