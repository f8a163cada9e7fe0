"""What the components of the cluster say in their logs, as klog writes it.

Models k8s.io/klog: a header with severity, date, time and process id, then the place in the source, then the text.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.sim.times import rfc3339_micro

LINES_KEPT = 500
"""Lines of one process; the oldest go first."""

Line = tuple[int, str]
"""(virtual µs, text)."""


class Logs:
    """Lines by process: "kube-controller-manager". Part of the cluster's state."""

    __slots__ = ("_lines",)

    def __init__(self) -> None:
        self._lines: dict[str, list[Line]] = {}

    def write(self, process: str, now: int, severity: str, text: str) -> None:
        """``severity`` is I, W or E; ``text`` begins with the place in upstream's source."""
        stamp = rfc3339_micro(now)
        head = f"{severity}{stamp[5:7]}{stamp[8:10]} {stamp[11:26]}       1 "
        self._lines[process] = [*self._lines.get(process, ()), (now, head + text)][-LINES_KEPT:]

    def of(self, process: str) -> list[Line]:
        """What the process has said, oldest first."""
        return self._lines.get(process, [])

    def share(self, other: Logs) -> None:
        """Lists are replaced, never changed."""
        self._lines = other._lines.copy()

    def state(self) -> dict[str, Any]:
        return {process: [list(line) for line in lines] for process, lines in self._lines.items()}

    def load(self, state: dict[str, Any]) -> None:
        self._lines = {process: [(at, text) for at, text in lines] for process, lines in state.items()}
