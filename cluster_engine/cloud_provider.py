"""The cloud under a cluster, as data: which of its machines run, its routes, what of its API fails.

The faults of a cluster change it (`kubelet/cloud_faults.py`), the cloud-controller-manager asks it.
Models k8s.io/cloud-provider (cloud.go): Instances, Routes, LoadBalancer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

RUNNING, STOPPED, DELETED = "running", "stopped", "deleted"
MACHINE_STATES = (RUNNING, STOPPED, DELETED)
"""What a machine is."""
INSTANCES, ROUTES, LOAD_BALANCERS = "instances", "routes", "loadbalancers"
SERVICES = (INSTANCES, ROUTES, LOAD_BALANCERS)
"""What is asked of it."""
SPARE_MACHINES = 2
"""Machines that a node group can grow by."""
MAX_LOAD_BALANCERS = 51
"""The quota of load balancers that a cloud begins with: as many as it has addresses."""
MAX_SLOW = 600
"""Seconds that an answer may take longer than it does."""


class CloudError(Exception):
    """Why the cloud did not do what it was asked for."""


class Cloud:
    """One cloud. ``spare`` machines are there to be asked for."""

    def __init__(self, spare: list[str]) -> None:
        self._spare = spare
        self.not_running: dict[str, str] = {}
        """Machine -> STOPPED or DELETED."""
        self.routes: dict[str, str] = {}
        """Range of addresses -> the machine that it lies behind."""
        self.errors: dict[str, str] = {}
        """Service of its API -> what it answers to everything."""
        self.slow: dict[str, int] = {}
        """Service -> the seconds that it takes longer."""
        self.balancers = MAX_LOAD_BALANCERS
        self.changed: list[Callable[[], None]] = []
        """Told of every change from outside."""
        self.load({})

    def machine(self, name: str) -> str:
        """RUNNING, STOPPED or DELETED. Raises CloudError."""
        self.ask(INSTANCES)
        return self.not_running.get(name, RUNNING)

    def ask(self, service: str) -> None:
        """Raises CloudError when that part of the API fails."""
        if service in self.errors:
            raise CloudError(self.errors[service])

    def set_machine(self, name: str, state: str) -> None:
        self.not_running.pop(name, None)
        if state != RUNNING:
            self.not_running[name] = state
        self.tell()

    def set_api(self, service: str, error: str, slow: int) -> None:
        """From now on; "" and 0: it is well."""
        self.errors.pop(service, None)
        self.slow.pop(service, None)
        if error:
            self.errors[service] = error
        if slow:
            self.slow[service] = slow
        self.tell()

    def set_quota(self, balancers: int) -> None:
        """As many load balancers may there be from now on; those that are there stay."""
        self.balancers = balancers
        self.tell()

    def tell(self) -> None:
        for told in self.changed:
            told()

    def state(self) -> dict[str, Any]:
        """What is not as it began."""
        found: dict[str, Any] = {"routes": self.routes, "errors": self.errors, "slow": self.slow}
        kept: dict[str, Any] = {name: dict(value) for name, value in found.items() if value}
        if self.not_running != dict.fromkeys(self._spare, DELETED):
            kept["machines"] = dict(self.not_running)
        if self.balancers != MAX_LOAD_BALANCERS:
            kept["balancers"] = self.balancers
        return kept

    def load(self, state: dict[str, Any]) -> None:
        begun = dict.fromkeys(self._spare, DELETED)
        self.not_running = dict(state.get("machines", begun))
        self.routes = dict(state.get("routes", {}))
        self.errors = dict(state.get("errors", {}))
        self.slow = dict(state.get("slow", {}))
        self.balancers = state.get("balancers", MAX_LOAD_BALANCERS)
