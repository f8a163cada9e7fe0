"""One resource of the store: its objects, their keys in order, its recent history, and who listens."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from cluster_engine.apimachinery.cow import JSON


class WatchEvent(NamedTuple):
    """A change: ``type`` is ADDED, MODIFIED or DELETED; ``previous`` the object before it, if any."""

    type: str
    object: JSON
    previous: JSON | None
    revision: int


Sink = Callable[[WatchEvent], None]


_NO_OBJECTS: dict[str, JSON] = {}
_NO_KEYS: list[str] = []
_NO_HISTORY: deque[WatchEvent] = deque()
_FEW = 16
"""So many times more keys in order than new ones: each is put in its place. Of more new ones all are sorted anew."""


class Table:
    """The part of a store that one resource has. Most tables are of forks, which share what they hold."""

    __slots__ = (
        "_keys",
        "_new",
        "compacted",
        "history",
        "objects",
        "renewed",
        "shared",
        "subscribers",
        "watchers",
    )

    def __init__(self) -> None:
        # Most tables are of forks, which share what they hold anyway: until the first write there is one nothing.
        self.objects: dict[str, JSON] = _NO_OBJECTS
        self._keys: list[str] = _NO_KEYS  # in order
        self._new: list[str] = []  # beside them; only a table that shares nothing has any
        self.history: deque[WatchEvent] = _NO_HISTORY
        self.compacted = 0  # changes up to this revision may be missing from the history
        self.renewed = False  # whether any key was ever renewed by itself
        self.shared = True  # whether another table holds the very same objects, keys and history
        self.subscribers: list[Sink] = []
        self.watchers: list[Sink] = []

    @property
    def keys(self) -> list[str]:
        """In order. Keys that are new wait until somebody asks: nobody lists Events while they come by the thousand."""
        if self._new:
            keys, new = self._keys, self._new
            self._new = []
            if len(new) * _FEW < len(keys):
                for key in new:
                    insort(keys, key)
            else:
                keys += new
                keys.sort()
        return self._keys

    def hold(self, objects: dict[str, JSON], keys: list[str]) -> None:
        """Holds these objects from now on, whose keys are in order; who else does is the caller's to say."""
        self.objects, self._keys, self._new = objects, keys, []

    def added(self, key: str) -> None:
        """A key that was not there has its object now."""
        self._new.append(key)

    def removed(self, key: str) -> None:
        """A key has its object no more."""
        keys = self.keys
        del keys[bisect_left(keys, key)]

    def own(self) -> None:
        """Before a write: what a fork holds too is copied (references only)."""
        if self.shared:
            self.hold(dict(self.objects), self._keys[:])
            self.history, self.shared = self.history.copy(), False

    def share(self, other: Table) -> None:
        """Takes over what ``other`` holds; neither copies it before it writes."""
        self.objects, self._keys, self._new = other.objects, other.keys if other._new else other._keys, []
        self.history = other.history
        self.compacted, self.renewed = other.compacted, other.renewed
        self.shared = other.shared = True

    def since(self, revision: int) -> list[WatchEvent]:
        """The changes after that revision, newest first."""
        found = []
        for event in reversed(self.history):
            if event.revision <= revision:
                break
            found.append(event)
        return found
