"""One connection as data: its two ends, and the segments on their way in each direction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

CLIENT, SERVER = 0, 1


@dataclass(slots=True)
class Flow:
    """One direction of a connection."""

    queue: list[list[Any]] = field(default_factory=list)
    """[due, data] of what is on its way; data None is the end."""
    unacked: int = 0
    """Bytes sent and not yet taken by the peer's process."""
    tries: int = 0
    """How often the first of the queue was lost."""
    sent: int = 0
    """Packets that have met a wire."""
    ended: bool = False
    gone: bool = False
    """The sender of this flow has closed its end: it reads nothing any more."""


@dataclass(slots=True)
class Connection:
    keys: list[str]
    """The client's host and the server's ("" before somebody accepted)."""
    socks: list[str]
    nodes: list[str]
    source: list[Any]
    """[ip, port] of the client."""
    target: list[Any]
    """[ip, port] that the client named."""
    began: int
    tries: int = 0
    open: bool = False
    flows: list[Flow] = field(default_factory=lambda: [Flow(), Flow()])
    steps: list[list[str]] = field(default_factory=list)

    def side(self, key: str, sock: str) -> int:
        """Which end a host's socket is; a host may talk to itself."""
        return CLIENT if self.keys[CLIENT] == key and self.socks[CLIENT] == sock else SERVER

    def as_list(self) -> list[Any]:
        """JSON data."""
        flows = [
            [[list(s) for s in f.queue], f.unacked, f.tries, f.sent, f.ended, f.gone] for f in self.flows
        ]
        ends = [list(self.keys), list(self.socks), list(self.nodes), self.source, self.target]
        return [*ends, self.began, self.tries, self.open, flows, self.steps]

    @classmethod
    def from_list(cls, saved: list[Any]) -> Connection:
        """Of what ``as_list`` gave."""
        keys, socks, nodes, source, target, began, tries, is_open, flows, steps = saved
        made = [Flow([list(segment) for segment in queue], *rest) for queue, *rest in flows]
        return cls(list(keys), list(socks), list(nodes), source, target, began, tries, is_open, made, steps)
