"""What containers and probes see of the network. The kubelets provide it; names are wired in from outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class HttpReply:
    """An HTTP reply; ``delay`` is in virtual seconds."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0


class ConnectionFailed(OSError):
    """No connection: ``reason`` is "connection refused", "no route to host" or "i/o timeout"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request on its way to a container."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    source: str = ""
    host: str = ""
    scheme: str = "http"


class Network(Protocol):
    """Connections from inside a Pod. Hosts are names or addresses, Services included."""

    def http(self, host: str, port: int, request: HttpRequest, namespace: str) -> HttpReply:
        """Raises ConnectionFailed; LookupError when the name does not resolve."""
        ...

    def connect(self, host: str, port: int, namespace: str) -> None:
        """Raises ConnectionFailed or LookupError when there is nothing to talk to."""
        ...

    def lookup(self, name: str, namespace: str) -> list[str] | None:
        """Addresses of a name; [] when it does not exist, None when no DNS server answers."""
        ...
