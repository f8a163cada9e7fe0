"""Machine to machine: a shell loop of wget against a server, with nothing between but a queue.

The prototype was measured so (40,000 requests/s); run by ``engine.py``.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from bench.shell import EPOCH, PATH
from cluster_engine.container_runtime.http import Line, Reply, Request, Server, server
from cluster_engine.linux import programs
from cluster_engine.linux.files import tree
from cluster_engine.linux.limits import Limits
from cluster_engine.linux.machine import Machine
from cluster_engine.linux.program import State, Sys

PAGE = "<html>" + "x" * 600 + "</html>\n"


def _page(sys: Sys, state: State, request: Request) -> Reply:
    return Reply(200, PAGE, {"Content-Type": "text/html"})


def _log(sys: Sys, request: Request, reply: Reply) -> Line:
    return ("stdout", f"{request.peer} {reply.status}")


SERVER = server("server", Server(_page, access=_log))


class Wire:
    """Two machines, each other's host: what one sends the other gets, in order."""

    def __init__(self) -> None:
        self.queue: deque[tuple[Callable[..., None], str, Any]] = deque()

    def deliver(self) -> None:
        """Until nothing is on its way."""
        queue = self.queue
        while queue:
            what, sock, given = queue.popleft()
            what(sock, given)


class End:
    """The host of one of the machines."""

    def __init__(self, wire: Wire) -> None:
        self.queue = wire.queue
        self.peers: dict[str, str] = {}
        self.machine: Machine
        self.other: End
        self.over = False

    def log(self, tag: str, stream: str, text: str) -> None: ...

    def wake(self, due: int | None) -> None: ...

    def exited(self, process: int, status: int) -> None:
        if status:
            raise SystemExit(f"ended with {status}")
        self.over = True

    def connect(self, sock: str, ip: str, port: int) -> None:
        self.queue.append((self._connect, sock, (ip, port)))

    def send(self, sock: str, text: str) -> None:
        self.queue.append((self._send, sock, text))

    def shutdown(self, sock: str) -> None:
        self.queue.append((self._shutdown, sock, None))

    def close(self, sock: str) -> None:
        self.queue.append((self._shutdown, sock, None))

    def _connect(self, sock: str, target: tuple[str, int]) -> None:
        there = self.other.machine.accept(target[1], target[0], "10.0.0.1", 40_000)
        assert there is not None
        self.peers[sock], self.other.peers[there] = there, sock
        self.machine.connected(sock)

    def _send(self, sock: str, text: str) -> None:
        self.other.machine.received(self.peers[sock], text)

    def _shutdown(self, sock: str, _: None) -> None:
        self.other.machine.closed(self.peers[sock])


_PROGRAMS = {**programs.PROGRAMS, "server": SERVER}


def plain(count: int) -> float:
    """CPU seconds of so many requests, fork and end of each wget included."""
    wire = Wire()
    client, serving = End(wire), End(wire)
    client.other, serving.other = serving, client
    commands = (*programs.of("busybox"), "server")
    image = tree.build(
        {f"/bin/{name}": tree.program(name) for name in commands} | {"/dev/null": tree.device("null")}
    )
    loop = f"i=0; while [ $i -lt {count} ]; do wget -q -O /dev/null http://10.0.0.2/; i=$((i+1)); done"
    for end, ip, argv in ((client, "10.0.0.1", ["sh", "-c", loop]), (serving, "10.0.0.2", ["server"])):
        machine = end.machine = Machine("bench", end, _PROGRAMS.get, Limits(burst=10**9))
        machine.add_root("c", image)
        machine.set_addresses([ip])
        machine.spawn(argv, root="c", env=PATH)
    serving.machine.run(EPOCH)
    began = time.process_time()
    while not client.over:
        client.machine.run(EPOCH)
        serving.machine.run(EPOCH)
        wire.deliver()
    return time.process_time() - began
