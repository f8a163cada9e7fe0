"""A node as a client: HTTP requests and plain connections whose outcome is told by a clock event.

The kubelet's probes and hooks are such clients. What is under way is data. What a node serves by itself
(``Network.served``, kube-proxy's health checks) is answered here too, and is none.
"""

from __future__ import annotations

import re
from typing import Any

from cluster_engine.network.connections import REFUSED, RESET, TIMEOUT, UNREACHABLE, Network
from cluster_engine.network.limits import TLS_HELLO
from cluster_engine.sim import Clock

HEAD_LIMIT = 64 * 1024
"""Bytes of a reply that are looked at for its status."""
REPLY_LIMIT = 4 * 1024 * 1024
"""Bytes of an answer that is wanted as a whole."""
_LENGTH = re.compile(r"\r\ncontent-length: *([0-9]{1,9}) *\r\n", re.IGNORECASE)
_TIMEOUT = "network/client-timeout"
_SERVED = "served/"
"""How the socket of somebody who asks a node is called; its port and the client follow."""
_REASONS = {
    REFUSED: "connection refused",
    TIMEOUT: "connection timed out",
    UNREACHABLE: "no route to host",
    RESET: "connection reset by peer",
}

Then = list[Any]
"""[name of a clock handler, its first arguments …]: it is called with the answer as the last argument."""


class Clients:
    """The clients of all nodes. They are the ``Hosts`` of the kind ``node``."""

    def __init__(self, clock: Clock, network: Network) -> None:
        self._clock = clock
        self._network = network
        self._next = 0
        self._asked: dict[str, dict[str, Any]] = {}
        """Socket -> {key, request ("" for a plain connection), tls, text, then, background, timer}; never changed."""
        clock.register(_TIMEOUT, self._timed_out)
        network.kinds["node"] = self

    def add(self, node: str, ip: str) -> None:
        """Makes a node a client, at its own address."""
        self._network.attach(_key(node), ip, node, "node")

    def remove(self, node: str) -> None:
        """The node's machine is off: nobody reaches it, and what it asked for is never answered."""
        for sock, asked in list(self._asked.items()):
            if asked["key"] == _key(node):
                self._clock.cancel(asked["timer"])
                del self._asked[sock]
        self._network.detach(_key(node))

    # ---- what is asked for -----------------------------------------------------------------------------

    def http(
        self,
        node: str,
        ip: str,
        port: int,
        request: str,
        *,
        tls: bool,
        timeout: int,
        then: Then,
        background: bool,
    ) -> None:
        """Sends the byte text of an HTTP request from a node. The answer is one of

        ``["reply", status]`` · ``["timeout"]`` after ``timeout`` µs · ``["failed", why]`` (``connection refused`` …) ·
        ``["protocol", why]`` when what answers is not HTTP of that scheme.
        """
        self._ask(node, ip, port, (TLS_HELLO if tls else "") + request, tls, timeout, then, background)

    def exchange(
        self,
        node: str,
        ip: str,
        port: int,
        request: str,
        *,
        tls: bool,
        timeout: int,
        then: Then,
        background: bool = False,
    ) -> None:
        """Sends the byte text of an HTTP request. The answer is ``["said", all that came back]``, ``["timeout"]`` or
        ``["failed", why]``, of which ``too much`` is one.
        """
        self._ask(
            node, ip, port, (TLS_HELLO if tls else "") + request, tls, timeout, then, background, whole=True
        )

    def connect_tcp(
        self, node: str, ip: str, port: int, *, timeout: int, then: Then, background: bool
    ) -> None:
        """Opens a connection and closes it: ``["connected"]``, ``["timeout"]`` or ``["failed", why]``."""
        self._ask(node, ip, port, "", False, timeout, then, background)

    def _ask(
        self,
        node: str,
        ip: str,
        port: int,
        request: str,
        tls: bool,
        timeout: int,
        then: Then,
        background: bool,
        whole: bool = False,
    ) -> None:
        self._next += 1
        sock = str(self._next)
        self._asked[sock] = {
            "key": _key(node),
            "request": request,
            "tls": tls,
            "text": "",
            "whole": whole,
            "then": then,
            "background": background,
            "timer": self._clock.call_at(self._clock.now + timeout, _TIMEOUT, sock, background=background),
        }
        self._network.connect(_key(node), sock, ip, port)

    def _timed_out(self, sock: str) -> None:
        """Clock event: the answer did not come in time."""
        if sock in self._asked:
            self._done(sock, ["timeout"])

    def _done(self, sock: str, answer: list[Any]) -> None:
        asked = self._asked.pop(sock)
        self._clock.cancel(asked["timer"])
        self._clock.call_at(self._clock.now, *asked["then"], answer, background=asked["background"])
        self._network.close(asked["key"], sock)

    # ---- what arrives (network.Hosts) ------------------------------------------------------------------

    def accept(self, key: str, port: int, ip: str, peer_ip: str, peer_port: int) -> str | None:
        """Beside what runs in its Pods nothing listens on a node but what it serves itself."""
        served = self._network.served(key.removeprefix(_key("")), port)
        return f"{_SERVED}{port}/{peer_ip}:{peer_port}" if served else None

    def connected(self, key: str, sock: str) -> None:
        """The request goes out; a plain connection has done its work."""
        asked = self._asked.get(sock)
        if asked is None:
            return
        if asked["request"]:
            self._network.send(key, sock, asked["request"])
        else:
            self._done(sock, ["connected"])

    def failed(self, key: str, sock: str, reason: str) -> None:
        """No connection, or no more."""
        if sock in self._asked:
            self._done(sock, ["failed", _REASONS[reason]])

    def received(self, key: str, sock: str, data: str) -> None:
        """The status line is all that is wanted."""
        if sock.startswith(_SERVED):
            port = int(sock.removeprefix(_SERVED).partition("/")[0])
            self._network.send(key, sock, self._network.served(key.removeprefix(_key("")), port))
            self._network.close(key, sock)
            return
        asked = self._asked.get(sock)
        if asked is None:
            return
        text = asked["text"] + data
        if asked["tls"] and not asked["text"] and text.startswith(TLS_HELLO):
            text = text.partition("\n")[2]  # the server's certificate: a node does not look at it
        if asked["whole"]:
            self._more(key, sock, asked, text, len(data))
            return
        if "\r\n" not in text and len(text) < HEAD_LIMIT:
            self._asked[sock] = {**asked, "text": text}
            return
        words = text.split("\r\n", 1)[0].split(" ", 2)
        status = words[1] if len(words) > 1 and words[0].startswith("HTTP/1.") else ""
        if not (status.isascii() and status.isdecimal() and len(status) == 3):
            self._done(sock, ["protocol", f'malformed HTTP response "{text[:64]}"'])
        elif asked["tls"] and status == "400":
            # Only a server that speaks no TLS answers its greeting so.
            self._done(sock, ["protocol", "http: server gave HTTP response to HTTPS client"])
        else:
            self._done(sock, ["reply", int(status)])

    def _more(self, key: str, sock: str, asked: dict[str, Any], text: str, count: int) -> None:
        """More of an answer that is wanted as a whole."""
        if len(text) > REPLY_LIMIT:
            self._done(sock, ["failed", "too much"])
        elif complete(text, asked["request"].startswith(("HEAD ", TLS_HELLO + "HEAD "))):
            self._done(sock, ["said", text])
        else:
            self._asked[sock] = {**asked, "text": text}
            self._network.took(key, sock, count)

    def closed(self, key: str, sock: str) -> None:
        """The peer closed before it answered, or when all was said; who asks a node is done."""
        if sock.startswith(_SERVED):
            self._network.close(key, sock)
            return
        if sock in self._asked:
            asked = self._asked[sock]
            said = asked["whole"] and asked["text"]
            self._done(sock, ["said", asked["text"]] if said else ["failed", "EOF"])

    def acked(self, key: str, sock: str, count: int) -> None:
        """A request is small: nothing is held back."""

    def datagram_in(self, key: str, port: int, peer_ip: str, peer_port: int, data: str) -> bool:
        """No port is bound."""
        return False

    # ---- saving ----------------------------------------------------------------------------------------

    def state(self) -> list[Any]:
        return [self._next, list(self._asked.items())]

    def load(self, state: list[Any]) -> None:
        self._next = state[0]
        self._asked = {sock: asked for sock, asked in state[1]}  # noqa: C416  (pairs are lists after JSON)


def complete(text: str, head: bool) -> bool:
    """Whether an answer says by itself that it is complete."""
    top, mark, body = text.partition("\r\n\r\n")
    if not mark:
        return False
    found = _LENGTH.search(f"{top}\r\n")
    return head or (found is not None and len(body) >= int(found[1]))


def _key(node: str) -> str:
    return f"node/{node}"
