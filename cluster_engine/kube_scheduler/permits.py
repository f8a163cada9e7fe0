"""Pods that have a node but wait until Permit plugins let them go on.

Models pkg/scheduler/framework/runtime/waiting_pods_map.go.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cluster_engine.apimachinery.duration import go_duration


@dataclass(slots=True)
class Permit:
    """One Pod that waits."""

    key: str
    node: str
    pending: dict[str, int] = field(default_factory=dict)
    """Plugins that keep it waiting, and since when at the latest they may not (virtual µs)."""
    waits: dict[str, int] = field(default_factory=dict)
    """How long (µs) each of them may keep it."""
    refused_by: str = ""
    refusal: str = ""

    @property
    def decided(self) -> bool:
        """Whether there is nothing to wait for any more."""
        return bool(self.refused_by) or not self.pending

    def expire(self, now: int) -> None:
        """Whoever has kept the Pod for too long refuses it."""
        for plugin, due in self.pending.items():
            if due <= now and not self.refused_by:
                waited = go_duration(self.waits[plugin] * 1_000)
                self.refused_by = plugin
                self.refusal = f"rejected due to timeout after waiting {waited} at plugin {plugin}"

    def state(self) -> list[Any]:
        pending = [[name, due, self.waits[name]] for name, due in self.pending.items()]
        return [self.key, self.node, pending, self.refused_by, self.refusal]

    @classmethod
    def load(cls, state: list[Any]) -> Permit:
        key, node, pending, refused_by, refusal = state
        return cls(
            key,
            node,
            {name: due for name, due, _wait in pending},
            {name: wait for name, _due, wait in pending},
            refused_by,
            refusal,
        )
