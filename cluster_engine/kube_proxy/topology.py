"""Which of a Service's endpoints the packets at one node go to. Pure.

Models pkg/proxy/topology.go (CategorizeEndpoints) and pkg/proxy/endpointslicecache.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cluster_engine.apimachinery.cow import JSON


class Endpoint(NamedTuple):
    """One address behind a Service's port, with what its EndpointSlice says of it."""

    ip: str
    port: int
    node: str
    ready: bool
    leaving: bool
    """It is going and still serves."""
    zones: tuple[str, ...]
    """The zones that it is meant for (its hints)."""
    nodes: tuple[str, ...]


def endpoints_of(slices: Sequence[JSON], name: str) -> tuple[Endpoint, ...]:
    """The endpoints behind the Service's port of that name, in the order of the slices."""
    found = []
    for slice in slices:
        number = _number(slice, name)
        for entry in slice.get("endpoints") or () if number else ():
            conditions, hints = entry.get("conditions") or {}, entry.get("hints") or {}
            leaving = conditions.get("serving", True) is not False and bool(conditions.get("terminating"))
            found.append(
                Endpoint(
                    entry["addresses"][0],
                    number,
                    entry.get("nodeName") or "",
                    conditions.get("ready", True) is not False,
                    leaving,
                    tuple(hint["name"] for hint in hints.get("forZones") or ()),
                    tuple(hint["name"] for hint in hints.get("forNodes") or ()),
                )
            )
    return tuple(found)


def usable(endpoints: Sequence[Endpoint], node: str, zone: str, local: bool) -> list[Endpoint]:
    """Where packets at that node go: to ready endpoints, near ones if their hints say so; ``local``: to its own alone.

    Endpoints that are going get traffic when nothing else is left.
    """
    candidates = [endpoint for endpoint in endpoints if endpoint.node == node] if local else endpoints
    ready = [endpoint for endpoint in candidates if endpoint.ready]
    if ready:
        return ready if local else _near(ready, node, zone)
    return [endpoint for endpoint in candidates if endpoint.leaving]


def _near(ready: list[Endpoint], node: str, zone: str) -> list[Endpoint]:
    """Hints count when every ready endpoint has them and one is meant for here."""
    if all(endpoint.nodes for endpoint in ready):
        here = [endpoint for endpoint in ready if node in endpoint.nodes]
        if here:
            return here
    if all(endpoint.zones for endpoint in ready):
        return [endpoint for endpoint in ready if zone in endpoint.zones] or ready
    return ready


def _number(slice: JSON, name: str) -> int:
    """The port of that name behind the slice's endpoints; 0 without one."""
    for port in slice.get("ports") or ():
        if (port.get("name") or "") == name:
            return int(port.get("port") or 0)
    return 0
