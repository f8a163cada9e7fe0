"""What lies between two nodes: latency, loss and partitions. Nothing does unless somebody says so."""

from __future__ import annotations

from typing import Any, NamedTuple

WIRES = 1_000
"""Wires that may be set in one cluster."""
MAX_LATENCY = 60_000_000
"""µs; a longer one is a partition."""


class Wire(NamedTuple):
    """One direction between two nodes."""

    latency: int = 0
    """µs that a packet takes."""
    loss: int = 0
    """Packets lost out of a thousand."""
    partition: bool = False
    """Nothing passes."""


NONE = Wire()


class Wires:
    """All wires of a cluster that are not perfect, by (from, to)."""

    __slots__ = ("_wires", "any")

    def __init__(self) -> None:
        self._wires: dict[tuple[str, str], Wire] = {}
        self.any = False
        """Whether any is not perfect."""

    def check(self, source: str, destination: str, wire: Wire) -> None:
        """Raises ValueError for a wire that cannot be."""
        if source == destination:
            raise ValueError("a wire lies between two nodes")
        if not 0 <= wire.latency <= MAX_LATENCY:
            raise ValueError(f"latency must be 0 to {MAX_LATENCY} µs, found {wire.latency}")
        if not 0 <= wire.loss <= 1_000:
            raise ValueError(f"loss must be 0 to 1000 of a thousand, found {wire.loss}")
        if len(self._wires) >= WIRES and (source, destination) not in self._wires and wire != NONE:
            raise ValueError(f"a cluster may have {WIRES} wires")

    def set(self, source: str, destination: str, wire: Wire) -> None:
        """Makes the wire so in that direction; ``Wire()`` makes it perfect again. Raises ValueError."""
        self.check(source, destination, wire)
        if wire == NONE:
            self._wires.pop((source, destination), None)
            self.any = bool(self._wires)
            return
        self._wires[source, destination] = wire
        self.any = True

    def between(self, source: str | None, destination: str | None) -> Wire:
        """What lies between two nodes (None: outside the cluster)."""
        return self._wires.get((source or "", destination or ""), NONE)

    def state(self) -> list[Any]:
        return [[source, to, *wire] for (source, to), wire in self._wires.items()]

    def load(self, state: list[Any]) -> None:
        self._wires = {(source, to): Wire(*rest) for source, to, *rest in state}
        self.any = bool(self._wires)
