"""What happens to a cluster's machines in their cloud, and to the cloud itself: faults like any other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cluster_engine.cloud_provider import (
    DELETED,
    MACHINE_STATES,
    MAX_LOAD_BALANCERS,
    MAX_SLOW,
    RUNNING,
    SERVICES,
    Cloud,
)
from cluster_engine.kubelet.core import Core, Node

MAX_ERROR = 500
"""Characters of what the cloud's API says when it fails."""


class CloudFaults:
    """Carries them out. ``power`` switches a node's machine."""

    def __init__(self, core: Core, power: Callable[[Node, bool], None]) -> None:
        self.core = core
        self._power = power

    @property
    def cloud(self) -> Cloud:
        return self.core.ctx.cloud

    def check(self) -> None:
        """Raises ValueError without a cloud."""
        if not self.core.ctx.options.cloud:
            raise ValueError("expected a cluster on the simulated cloud, found none")

    # ---- machines --------------------------------------------------------------------------------------

    def check_machine(self, payload: Mapping[str, Any]) -> None:
        """Raises ValueError for a state that no machine has."""
        self.check()
        if payload["state"] not in MACHINE_STATES:
            raise ValueError(f"a machine is {', '.join(MACHINE_STATES)}, found {payload['state']!r}")

    def set_machine(self, payload: Mapping[str, Any]) -> None:
        """Its cloud stops it, deletes it with its disk, or has it run (again)."""
        self._set(self.core.nodes[payload["node"]], payload["state"])

    def _set(self, node: Node, state: str) -> None:
        self._power(node, state == RUNNING)
        if state == DELETED:
            node.images.clear()
            node.kept.clear()
        self.cloud.set_machine(node.name, state)

    # ---- a group of nodes ------------------------------------------------------------------------------

    def _workers(self) -> list[Node]:
        return [node for node in self.core.nodes.values() if not node.control_plane]

    def check_group(self, payload: Mapping[str, Any]) -> None:
        """Raises ValueError for a size that the group cannot have."""
        self.check()
        if not 0 <= payload["size"] <= len(self._workers()):
            raise ValueError(f"the group has 0 to {len(self._workers())} nodes, found {payload['size']}")

    def resize(self, payload: Mapping[str, Any]) -> None:
        """It grows by machines that are to spare, or shrinks by those that came last."""
        there = [node for node in self._workers() if self.cloud.not_running.get(node.name) != DELETED]
        spare = [node for node in self._workers() if node not in there]
        for node in spare[: max(payload["size"] - len(there), 0)]:
            self._set(node, RUNNING)
        for node in there[payload["size"] :]:
            self._set(node, DELETED)

    # ---- its API ---------------------------------------------------------------------------------------

    def check_api(self, payload: Mapping[str, Any]) -> None:
        """Raises ValueError for what the cloud does not have."""
        self.check()
        if payload["service"] not in SERVICES:
            raise ValueError(f"a cloud's API has {', '.join(SERVICES)}, found {payload['service']!r}")
        if not 0 <= payload["slow"] <= MAX_SLOW or len(payload["error"]) > MAX_ERROR:
            raise ValueError(f"expected 0 to {MAX_SLOW} seconds, and {MAX_ERROR} characters at most")

    def set_api(self, payload: Mapping[str, Any]) -> None:
        """It answers with that error, or is that much slower; or it is well again."""
        self.cloud.set_api(payload["service"], payload["error"], payload["slow"])

    def check_quota(self, payload: Mapping[str, Any]) -> None:
        """Raises ValueError."""
        self.check()
        if not 0 <= payload["loadbalancers"] <= MAX_LOAD_BALANCERS:
            raise ValueError(f"a quota is 0 to {MAX_LOAD_BALANCERS} load balancers")

    def set_quota(self, payload: Mapping[str, Any]) -> None:
        """So many load balancers and no more."""
        self.cloud.set_quota(payload["loadbalancers"])
