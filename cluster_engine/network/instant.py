"""A node as a client that waits for nobody: HTTP requests that are answered in the instant in which they are sent.

The API server asks webhooks so, in the middle of a write. What is sent takes the same way as any other connection
(rules of Services, policies, wires). Who takes his time to answer (a server that sleeps) is foreseen: what he will say
within the client's patience, if nobody else disturbs him, is his answer now. Nothing of it is under way between two
instants, so nothing of it is state.

A request may also only be *foreseen*: a copy of whoever would get it answers, and nobody remembers anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cluster_engine.network.client import REPLY_LIMIT, complete
from cluster_engine.network.connections import REFUSED, RESET, Network
from cluster_engine.network.datapath import Verdict
from cluster_engine.network.limits import FIRST_PORT, TLS_HELLO

DEPTH = 4
"""Requests that are made while others wait: of a webhook whose own writes ask webhooks."""
Run = Callable[[Callable[[], bool]], None]
"""Lets whoever gets something go on in this instant, until the function that it is given says that it is enough."""
Foresee = Callable[[str, str, int, Callable[[str], bool]], str]
"""What a host will write to one of its sockets within so many µs, until the function says that it is enough."""
Rehearse = Callable[
    [str, str, int, tuple[str, int], str, int, Callable[[str], bool]], tuple[str, bool] | None
]
"""What a host would answer to a text at its address and port from another, within so many µs, and whether it would hang
up; None: nobody listens there."""
SAID, SILENT = "said", "silent"
"""How a request ends, beside the reasons of `connections`: with an answer, or with none in time."""


@dataclass(slots=True)
class _Asking:
    request: str
    text: str = ""
    ended: str = ""

    def over(self) -> bool:
        return bool(self.ended)


class Instant:
    """Requests from nodes. They are the ``Hosts`` of the kind ``instant``."""

    def __init__(self, network: Network, run: Run, foresee: Foresee, rehearse: Rehearse) -> None:
        self._network = network
        self._rehearse = rehearse
        self._run = run
        self._foresee = foresee
        self._asking: dict[str, _Asking] = {}
        network.kinds["instant"] = self

    def https(self, node: str, own_ip: str, ip: str, port: int, request: str, within: int) -> tuple[str, str]:
        """Sends the byte text of a request over TLS: (SAID, all that came back, the greeting too), (SILENT, "") when
        that is not all within so many µs, or (one of `connections`' reasons, "")."""
        if len(self._asking) >= DEPTH:
            return SILENT, ""
        key = f"instant/{len(self._asking)}"
        asking = self._asking[key] = _Asking(TLS_HELLO + request)
        network = self._network
        sock = str(network.asked + 1)
        network.attach(key, own_ip, node, "instant")
        try:
            network.connect(key, sock, ip, port)
            self._run(asking.over)
            peer = network.peer(key, sock)
            if not asking.ended and peer is not None:
                asking.text += self._foresee(*peer, within, lambda more: complete(asking.text + more, False))
        finally:
            network.close(key, sock)
            network.detach(key)
            del self._asking[key]
        ended = asking.ended or (SAID if asking.text else SILENT)
        if ended == SAID and not complete(asking.text, False):
            ended = SILENT
        return (SAID, asking.text) if ended == SAID else (ended, "")

    def foreseen(
        self, node: str, own_ip: str, ip: str, port: int, request: str, within: int
    ) -> tuple[str, str]:
        """What ``https`` would give now, of several endpoints for the first; nothing is changed by it."""
        network = self._network
        way = network.way(own_ip, ip, port)
        if way.verdict == Verdict.REJECT:
            return REFUSED, ""
        if way.verdict != Verdict.DELIVER or not network.instantly(node, way.ip):
            return SILENT, ""
        source = (way.masked or own_ip, FIRST_PORT)
        for key in network.hosts_at(way.ip):
            found = self._rehearse(
                key, way.ip, way.port, source, TLS_HELLO + request, within, lambda more: complete(more, False)
            )
            if found is not None:
                text, over = found
                return (SAID, text) if complete(text, False) else (RESET if over else SILENT, "")
        return REFUSED, ""

    # ---- what arrives (network.Hosts) ------------------------------------------------------------------

    def accept(self, key: str, port: int, ip: str, peer_ip: str, peer_port: int) -> str | None:
        """Nothing listens here."""
        return None

    def connected(self, key: str, sock: str) -> None:
        """The request goes out."""
        self._network.send(key, sock, self._asking[key].request)

    def failed(self, key: str, sock: str, reason: str) -> None:
        """No connection, or no more."""
        asking = self._asking[key]
        asking.ended = asking.ended or reason

    def received(self, key: str, sock: str, data: str) -> None:
        """More of the answer."""
        asking = self._asking[key]
        asking.text += data
        if len(asking.text) > REPLY_LIMIT:
            asking.ended = RESET
        elif complete(asking.text, False):
            asking.ended = SAID
        else:
            self._network.took(key, sock, len(data))

    def closed(self, key: str, sock: str) -> None:
        """The peer closed: all was said, or nothing is."""
        asking = self._asking[key]
        asking.ended = asking.ended or (SAID if complete(asking.text, False) else RESET)

    def acked(self, key: str, sock: str, count: int) -> None:
        """A request is small: nothing is held back."""

    def datagram_in(self, key: str, port: int, peer_ip: str, peer_port: int, data: str) -> bool:
        """No port is bound."""
        return False
