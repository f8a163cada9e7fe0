"""The simulated cloud: machines that are there, addresses that load balancers get. Pure.

Its load balancers need no machines of their own: who calls an address reaches the Service's endpoints
(`network/datapath.py`), as with a balancer whose address the nodes' kube-proxy knows.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

PROVIDER = "drydock"
REGION, ZONES = "region-1", ("a", "b", "c")
_TYPES = {True: "control-4", False: "worker-4"}
_PREFIX, _FIRST, _LAST = "172.18.255.", 200, 250
"""The addresses that load balancers get, first to last."""


class Instance(NamedTuple):
    """What the cloud knows of a machine."""

    provider_id: str
    type: str
    zone: str


def instance(node: str, index: int, control_plane: bool) -> Instance:
    """The machine of a node, by its number among them."""
    zone = f"{REGION}{ZONES[index % len(ZONES)]}"
    return Instance(f"{PROVIDER}://{zone}/{node}", _TYPES[control_plane], zone)


class NoAddress(Exception):
    """Why a load balancer gets none."""


def address(wanted: str, taken: Collection[str], quota: int = _LAST - _FIRST + 1) -> str:
    """A free address, the wanted one if any is named. ``quota``: of load balancers. Raises NoAddress."""
    if len(taken) >= quota:
        raise NoAddress(f"the quota of {quota} load balancers is used up")
    free = [f"{_PREFIX}{n}" for n in range(_FIRST, _LAST + 1) if f"{_PREFIX}{n}" not in taken]
    if wanted and wanted not in free:
        raise NoAddress(f"the address {wanted} is not free, or not this cloud's")
    if not free:
        raise NoAddress("this cloud has no address left")
    return wanted or free[0]
