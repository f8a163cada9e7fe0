"""Causes: who did this and why, back to the journal entry. Always on, bounded, and the same at every replay.

Each write has its revision and each journal entry its number. What is scheduled or enqueued meanwhile carries
these as *roots* (a revision, or a journal entry's number made negative), so that the writes that follow point
back. A key that is enqueued several times before its turn has several roots.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

LINKS_KEPT = 4_096
"""Writes, and journal entries, whose cause is remembered; the oldest are forgotten first."""
ROOTS_KEPT = 8
"""Roots of one coalesced key; what comes later than these changes nothing of why it was enqueued."""
CHAIN_LIMIT = 256
"""Links that one answer gives at most."""

Roots = tuple[int, ...]


class Link(NamedTuple):
    """One thing that happened. ``causes`` are the revisions and (negative) journal entries it follows from."""

    at: int
    """Virtual µs."""
    component: str
    """Who did it: a component, or the user of a request."""
    about: str
    """What it was working on: the key that was reconciled, a clock event's first argument, a request's path."""
    verb: str
    """create, update or delete; of a journal entry the request's method, or the entry's kind."""
    resource: str
    """Of a journal entry: empty."""
    key: str
    revision: int
    """Of the write; of a journal entry its number, negative."""
    causes: Roots

    @property
    def entry(self) -> int | None:
        """The journal entry's number, if it is one."""
        return -self.revision if self.revision < 0 else None


class Causes:
    """The causes of one cluster. ``roots`` is why whatever happens now happens."""

    __slots__ = ("_about", "_component", "_links", "_order", "roots")

    def __init__(self) -> None:
        self.roots: Roots = ()
        self._component = ""
        self._about: Any = ""
        self._links: dict[
            int, tuple[Any, ...]
        ] = {}  # by number: the fields of a Link, on the hot path no Link
        self._order: deque[int] = deque()  # the links' numbers, oldest first

    def begin(self, component: str, about: Any, roots: Roots) -> None:
        """From now on ``component`` acts, on ``about``, because of ``roots``."""
        self.roots = roots
        self._component = component
        self._about = about

    def end(self) -> None:
        """Nobody acts any more."""
        self.roots = ()
        self._component = self._about = ""

    def entry(self, number: int, at: int, verb: str, path: str, user: str) -> None:
        """A journal entry is performed: what follows follows from it."""
        self._keep(-number, (at, user, path, verb, "", "", -number, ()))
        self.begin(user, path, (-number,))

    def wrote(self, at: int, verb: str, resource: str, key: str, revision: int) -> Roots:
        """Remembers a write; what its observers do follows from it. The roots to go back to after them."""
        before, about = self.roots, self._about
        if type(about) is tuple:
            about = str(about[0]) if about else ""
        component = self._component.partition("/")[0]
        self._keep(revision, (at, component, about, verb, resource, key, revision, before))
        self.roots = (revision,)
        return before

    def renewed(self, at: int, component: str, resource: str, key: str, revision: int) -> Roots:
        """As ``wrote``, for upkeep that follows from nothing."""
        before = self.roots
        self._keep(revision, (at, component, key, "update", resource, key, revision, ()))
        self.roots = (revision,)
        return before

    def _keep(self, number: int, link: tuple[Any, ...]) -> None:
        self._links[number] = link
        self._order.append(number)
        if len(self._order) > LINKS_KEPT:
            del self._links[self._order.popleft()]

    def of(self, resource: str, key: str, revision: int | None = None) -> Link | None:
        """The write that gave the object that revision, or its last one; None when it is not remembered."""
        if revision is not None:
            found = [self._links[revision]] if revision in self._links else []
        else:
            found = list(reversed(self._links.values()))
        links = (Link._make(fields) for fields in found)
        return next((link for link in links if (link.resource, link.key) == (resource, key)), None)

    @property
    def mark(self) -> int:
        """The number of what was remembered last; ``since`` takes it."""
        return self._order[-1] if self._order else 0

    def since(self, mark: int) -> list[Link]:
        """What was remembered after ``mark``, oldest first."""
        found: list[Link] = []
        for number in reversed(self._order):
            if number == mark:
                break
            found.append(Link._make(self._links[number]))
        return found[::-1]

    def get(self, number: int) -> Link | None:
        """The link of that number (a revision, or a negative journal entry), if it is remembered."""
        fields = self._links.get(number)
        return Link._make(fields) if fields is not None else None

    def chain(self, link: Link) -> list[Link]:
        """The link, what it follows from, what that follows from …: newest first, back to journal entries."""
        found: dict[int, Link] = {}
        waiting: Sequence[Link] = [link]
        while waiting and len(found) < CHAIN_LIMIT:
            found.update((each.revision, each) for each in waiting)
            numbers = dict.fromkeys(number for each in waiting for number in each.causes)
            waiting = [Link._make(self._links[n]) for n in numbers if n in self._links and n not in found]
        entries = sorted(
            (each for each in found.values() if each.revision < 0), key=lambda each: each.revision
        )
        writes = sorted(
            (each for each in found.values() if each.revision > 0), key=lambda each: -each.revision
        )
        return [*writes, *entries][:CHAIN_LIMIT]

    def followed(self, number: int) -> list[Link]:
        """The writes that follow from that revision or (negative) journal entry, oldest first, CHAIN_LIMIT at most."""
        known = {number}
        found: list[Link] = []
        for fields in self._links.values():
            link = Link._make(fields)
            if not known.isdisjoint(link.causes):
                known.add(link.revision)
                found.append(link)
                if len(found) == CHAIN_LIMIT:
                    break
        return found

    def share(self, other: Causes) -> None:
        """Takes over what ``other`` remembers."""
        self._links, self._order = other._links.copy(), other._order.copy()

    def state(self) -> list[Any]:
        return [list(link) for link in self._links.values()]

    def load(self, state: list[Any]) -> None:
        links = (Link._make(fields) for fields in state)
        self._links = {link.revision: (*link[:-1], tuple(link.causes)) for link in links}
        self._order = deque(self._links)


def merged(old: Roots, new: Roots) -> Roots:
    """The roots of a key that is enqueued once more before its turn."""
    if old is new or not new or len(old) >= ROOTS_KEPT:
        return old
    return (*old, *(root for root in new if root not in old))[:ROOTS_KEPT] if old else new
