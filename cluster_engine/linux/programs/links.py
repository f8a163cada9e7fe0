"""What one network namespace has: interfaces, routes, who listens. Shared by the programs that show it.

That of a Pod follows from its address. That of a node its host tells, whom a program asks for ``interfaces``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.linux.programs._common import fail

NOT_HERE = "is not simulated here; a real node has it"
LOOP_MAC = "00:00:00:00:00:00"
PEERS = 2
"""What the number of a Pod's interface on its node is above the last part of its address: beside lo, eth0 and cni0."""


class Link(NamedTuple):
    """An interface."""

    number: int
    name: str
    mac: str
    inet: str = ""
    """``address/bits``; "": it has none."""
    peer: int = 0
    """The number of the other end, in another network namespace; 0: it is no pair."""
    master: str = ""
    """The bridge that it is a port of."""

    @property
    def loop(self) -> bool:
        return self.name == "lo"


class Route(NamedTuple):
    """A way: where to, over which neighbour ("": nobody), by which interface, from which address ("": any)."""

    to: str
    via: str
    dev: str
    src: str = ""


class View(NamedTuple):
    """What one network namespace has. As JSON, lists of lists: ``{"links", "routes", "listeners"}``."""

    links: tuple[Link, ...]
    routes: tuple[Route, ...]
    listeners: list[dict[str, Any]]
    """As ``Sys.listeners`` has them, beside what it says itself."""


def _view(answer: Any) -> View:
    links = tuple(Link(*each) for each in answer["links"])
    return View(links, tuple(Route(*each) for each in answer["routes"]), answer["listeners"])


def hardware(address: str) -> str:
    """The hardware's address that follows from an IP, as the bridge plugin makes it."""
    return ":".join(f"{part:02x}" for part in (0x0A, 0x58, *map(int, address.split("."))))


def of_pod(address: str) -> View:
    """What a Pod with that address has."""
    net, _, last = address.rpartition(".")
    links = (
        Link(1, "lo", LOOP_MAC, "127.0.0.1/8"),
        Link(2, "eth0", hardware(address), f"{address}/24", peer=int(last) + PEERS),
    )
    return View(links, (Route("default", f"{net}.1", "eth0"), Route(f"{net}.0/24", "", "eth0", address)), [])


def looking(
    name: str, summary: str, usage: str, tell: Callable[[Sys, View], int], *, check: Callable[[Sys], object]
) -> Program:
    """A program that tells something of its network. ``check`` refuses a wrong call before the host is asked."""

    def on(sys: Sys, state: State, event: Event) -> State:
        match event:
            case ["start", _]:
                check(sys)
                own = sys.addresses()
                if own:
                    sys.exit(tell(sys, of_pod(own[0])))
                sys.call("interfaces", sys.hostname)
            case ["answer", _, None]:
                fail(sys, f"what is on a node's own network {NOT_HERE}")
            case ["answer", _, found]:
                sys.exit(tell(sys, _view(found)))
        return state

    return Program(name, summary, usage, on=on)


def broadcast(inet: str) -> str:
    """The broadcast address of ``address/bits``, of 16 or 24 bits."""
    address, _, bits = inet.partition("/")
    kept = int(bits) // 8
    return ".".join([*address.split(".")[:kept], *(["255"] * (4 - kept))])


def listening(sys: Sys, view: View) -> list[dict[str, Any]]:
    """Who listens in the namespace: on this machine, and beside it."""
    own = sys.listeners()
    known = {(each["protocol"], each["ip"], each["port"]) for each in own}
    beside = [each for each in view.listeners if (each["protocol"], each["ip"], each["port"]) not in known]
    return sorted([*own, *beside], key=lambda row: (row["protocol"], row["port"], row["ip"]))
