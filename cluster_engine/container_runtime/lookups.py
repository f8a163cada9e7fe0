"""The names that a Pod's programs ask for: the C library's part, which asks name servers and waits for them.

What is asked, and in which order, ``resolver.py`` says; questions and answers are datagrams (``dns.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from cluster_engine.container_runtime.keeper import Keeper
from cluster_engine.linux import dns, resolver

RESOLVER_PORT = 61_000
"""From where questions to name servers are sent; outside the range that programs get."""

Found = Sequence[str] | str
"""Addresses, or why there are none."""


@dataclass(slots=True)
class _Lookup:
    """A name that is being asked for."""

    names: list[str]
    servers: list[str]
    timeout: int
    tries: int
    number: int = 0
    """Of the question that is out."""
    done: int = 0
    """Times that the present name was asked."""
    timer: int | None = None


class Lookups:
    """One Pod's."""

    def __init__(
        self,
        key: str,
        keeper: Keeper,
        *,
        serial: Callable[[], int],
        waited: Callable[[int], bool],
        settled: Callable[[str, Found], None],
    ) -> None:
        """``serial`` gives a number that was not there yet, ``waited`` whether ``settle`` waits for what happens then;
        ``settled`` gets the answer to a call."""
        self._key = key
        self._keeper = keeper
        self._serial = serial
        self._waited = waited
        self._settled = settled
        self._out: dict[str, _Lookup] = {}

    def begin(self, call: str, name: str, hosts: str, conf: str) -> None:
        """A program asks for a name; ``hosts`` and ``conf`` are its /etc/hosts and /etc/resolv.conf."""
        if dns.is_address(name):
            self._settled(call, [name])
            return
        known = resolver.hosts(hosts).get(name.lower().rstrip("."))
        if known:
            self._settled(call, known)
            return
        given = resolver.config(conf)
        names = resolver.questions(name, given)
        if not names or not given.servers:
            self._settled(call, resolver.NOT_FOUND)
            return
        tries = given.attempts * len(given.servers)
        self._out[call] = _Lookup(names, list(given.servers), given.timeout, tries)
        self._ask(call)

    def _ask(self, call: str) -> None:
        lookup, keeper = self._out[call], self._keeper
        # Pods on the host's network share an address: a number tells whose question it is.
        lookup.number = (crc32(self._key.encode()) << 16) + self._serial() % (1 << 16)
        server = lookup.servers[lookup.done % len(lookup.servers)]
        lookup.done += 1
        due = keeper.now + lookup.timeout
        lookup.timer = keeper.unanswered_at(self._key, call, due, background=not self._waited(due))
        text = dns.question(lookup.number, lookup.names[0])
        keeper.network.datagram(self._key, RESOLVER_PORT, server, dns.PORT, text)

    def answered(self, data: str) -> bool:
        """A server's answer; whether it was this Pod's question."""
        answer = dns.read_answer(data)
        if answer is None:
            return False
        call = next((call for call, each in self._out.items() if each.number == answer.number), None)
        if call is None:
            return False
        lookup = self._out[call]
        self._keeper.cancel(lookup.timer)
        if answer.addresses:
            del self._out[call]
            self._settled(call, answer.addresses)
            return True
        del lookup.names[0]
        lookup.done = 0
        if (
            lookup.names and answer.code == dns.NO_SUCH_NAME
        ):  # a name without an address ends the search (musl)
            self._ask(call)
        else:
            del self._out[call]
            self._settled(call, resolver.NOT_FOUND)
        return True

    def unanswered(self, call: str) -> None:
        """Clock event: a name server did not answer in time."""
        lookup = self._out.get(call)
        if lookup is None:
            return
        if lookup.done < lookup.tries:
            self._ask(call)
            return
        del self._out[call]
        self._settled(call, resolver.TIMED_OUT)

    def stop(self) -> None:
        """Nobody waits for answers any more."""
        for lookup in self._out.values():
            self._keeper.cancel(lookup.timer)
        self._out.clear()

    def state(self) -> dict[str, Any]:
        """JSON data."""
        return {
            call: [list(x.names), list(x.servers), x.timeout, x.tries, x.number, x.done, x.timer]
            for call, x in self._out.items()
        }

    def load(self, state: dict[str, Any]) -> None:
        """Takes over what ``state`` gave."""
        self._out = {call: _Lookup(list(row[0]), list(row[1]), *row[2:]) for call, row in state.items()}
