"""What one evaluation holds, and what compiled code is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cluster_engine.cel.errors import too_expensive

MAX_COMPARED = 250_000
"""Values within lists and maps that one evaluation compares; some half a second."""


class Frame:
    """One evaluation: the variables, the loop variables by slot, what it cost so far and what it may cost."""

    __slots__ = ("compared", "cost", "limit", "slots", "values")

    def __init__(self, values: Mapping[str, Any], slots: int, cost: int, limit: int) -> None:
        self.values = values
        self.slots: list[Any] = [None] * slots
        self.cost = cost
        self.limit = limit
        self.compared = 0

    def charge(self, cost: int) -> None:
        """Counts a cost. Raises CelCostError above the limit."""
        self.cost += cost
        if self.cost > self.limit:
            raise too_expensive()

    def count(self, values: int) -> None:
        """Counts values compared within lists and maps, which upstream's tracker does not. Raises CelCostError."""
        self.compared += values
        if self.compared > MAX_COMPARED:
            raise too_expensive()


Run = Callable[[Frame], Any]


class Code(NamedTuple):
    """A compiled node.

    ``cost`` is what each run of it costs at least; whoever runs it counts that, ``run`` counts what comes on top.
    """

    run: Run
    cost: int
    constant: bool = False
