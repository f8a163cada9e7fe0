"""Whoever stands behind an address: what the network tells it."""

from __future__ import annotations

from typing import Protocol


class Hosts(Protocol):
    """Whoever stands behind addresses, each host by its key.

    They are told what arrived, and may ask the network for more at once: it only queues.
    """

    def accept(self, key: str, port: int, ip: str, peer_ip: str, peer_port: int) -> str | None:
        """A connection request: the new socket, or None when nobody listens there."""
        ...

    def connected(self, key: str, sock: str) -> None:
        """The connection that was asked for stands."""
        ...

    def failed(self, key: str, sock: str, reason: str) -> None:
        """It does not, or no more: ``refused``, ``timeout``, ``unreachable`` or ``reset``."""
        ...

    def received(self, key: str, sock: str, data: str) -> None:
        """Byte text of the peer."""
        ...

    def closed(self, key: str, sock: str) -> None:
        """The peer will send nothing more."""
        ...

    def acked(self, key: str, sock: str, count: int) -> None:
        """The peer's process has taken that many bytes."""
        ...

    def datagram_in(self, key: str, port: int, peer_ip: str, peer_port: int, data: str) -> bool:
        """A datagram; False when nobody is bound to the port."""
        ...
