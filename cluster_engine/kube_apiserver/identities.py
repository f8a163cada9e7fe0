"""What the server gives by chance: uids, generated names, token ids. Each by its own key.

The key says what the thing is, and how many of that were before: one object more changes no other's. Models
k8s.io/apiserver/pkg/storage/names and the uids of k8s.io/apiserver/pkg/registry/rest/meta.go.
"""

from __future__ import annotations

from collections.abc import Callable

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.sim import Chance

COUNTERS_KEPT = 4_096
"""Keys whose count is remembered; the longest untouched are forgotten first."""
NAME_ATTEMPTS = 8
"""How often a generated name that is taken is drawn anew (maxNameGenerationCreateAttempts)."""
_MAX_NAME = 63
_RANDOM = 5


class Counters:
    """How many there were of each key. A number is never given twice, though few keys are remembered."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self.taken = 0
        """How many numbers this process has seen used up."""
        self._floor = 0  # what every forgotten key has used up at most

    def peek(self, key: str) -> int:
        """The number that the next of that key gets."""
        return self._counts.get(key, self._floor)

    def take(self, key: str) -> int:
        """The next number of that key, which is used up."""
        self.taken += 1
        counts = self._counts
        number = counts.pop(key, self._floor)
        counts[key] = number + 1
        if len(counts) > COUNTERS_KEPT:
            self._floor = max(self._floor, counts.pop(next(iter(counts))))
        return number

    def share(self, other: Counters) -> None:
        self._floor, self._counts = other._floor, other._counts.copy()

    def state(self) -> JSON:
        return {"floor": self._floor, "counts": [[key, count] for key, count in self._counts.items()]}

    def load(self, state: JSON) -> None:
        self._floor = state["floor"]
        self._counts = {key: count for key, count in state["counts"]}  # noqa: C416  (pairs are lists after JSON)


class Identities:
    """The identities of one cluster's objects."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._names = Counters()
        self._lives = Counters()
        self._tokens = Counters()

    def uid(self, resource: str, key: str) -> str:
        """The uid of the object that is to be made under that key: another one after each deletion."""
        return self._chance.uid("uid", resource, key, self._lives.peek(f"{resource}/{key}"))

    def deleted(self, resource: str, key: str) -> None:
        """The object of that key is gone; the next one of the same name is another."""
        self._lives.take(f"{resource}/{key}")

    def name(
        self, resource: str, namespace: str, generate: str, taken: Callable[[str], object], dry_run: bool
    ) -> str:
        """A name made from ``generateName`` that is not ``taken``. A dry run uses up none."""
        counter = f"{resource}/{namespace}/{generate}"
        base = generate[: _MAX_NAME - _RANDOM]
        first = self._names.peek(counter)
        name = ""
        for attempt in range(NAME_ATTEMPTS):
            number = first + attempt if dry_run else self._names.take(counter)
            name = base + self._chance.of("name", resource, namespace, generate, number).suffix(_RANDOM)
            if not taken(name):
                break
        return name

    @property
    def taken(self) -> int:
        """Moves with whatever is used up."""
        return self._names.taken + self._lives.taken + self._tokens.taken

    def token_id(self, account_uid: str, dry_run: bool) -> str:
        """The id of a token of that service account."""
        number = self._tokens.peek(account_uid) if dry_run else self._tokens.take(account_uid)
        return self._chance.uid("token", account_uid, number)

    def suffix(self, what: str, uid: str) -> str:
        """Five letters for a part of the object of that uid that is named by the server."""
        return self._chance.of(what, uid).suffix(_RANDOM)

    def review(self, *about: str) -> str:
        """The uid of a question about a write."""
        return self._chance.uid("review", *about)

    def share(self, other: Identities) -> None:
        """Takes over what ``other`` has given."""
        self._names.share(other._names)
        self._lives.share(other._lives)
        self._tokens.share(other._tokens)

    def state(self) -> JSON:
        return {
            "names": self._names.state(),
            "lives": self._lives.state(),
            "tokens": self._tokens.state(),
        }

    def load(self, state: JSON) -> None:
        self._names.load(state["names"])
        self._lives.load(state["lives"])
        self._tokens.load(state["tokens"])
