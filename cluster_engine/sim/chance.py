"""Seeded chance by key: what is drawn for one thing depends on its key and the seed, never on what else was drawn.

There is no stream that two things share, so one Pod more in a fork changes no other Pod's name, address or
jitter; and there is no state to save.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

INSTALLATION_SEED = 1
"""The chance of all that happens before a cluster is handed over: clusters of one configuration begin as copies."""

_MASK = (1 << 64) - 1
_SAFE = "bcdfghjklmnpqrstvwxz2456789"  # k8s.io/apimachinery/pkg/util/rand: no vowels, no look-alikes
_VARIANTS = {digit: "89ab"[int(digit, 16) >> 2] for digit in "0123456789abcdef"}


class Draw:
    """The numbers of one key: SplitMix64 from the key's hash, as many as are asked for."""

    __slots__ = ("_state",)

    def __init__(self, state: int) -> None:
        self._state = state

    def next(self) -> int:
        """A uniform 64-bit integer."""
        self._state = z = (self._state + 0x9E3779B97F4A7C15) & _MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return z ^ (z >> 31)

    def random(self) -> float:
        """Uniform in [0, 1)."""
        return (self.next() >> 11) / (1 << 53)

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * self.random()

    def randrange(self, stop: int) -> int:
        """Uniform in 0 … stop-1. Raises ValueError for an empty range."""
        if stop <= 0:
            raise ValueError(f"empty range: randrange({stop})")
        return self.next() % stop

    def choice(self, options: Sequence[T]) -> T:
        return options[self.randrange(len(options))]

    def hex(self, digits: int) -> str:
        """``digits`` lower-case hexadecimal digits (container ids, resource hashes)."""
        text = ""
        while len(text) < digits:
            text += f"{self.next():016x}"
        return text[:digits]

    def suffix(self, length: int = 5) -> str:
        """Letters and digits as Kubernetes appends to ``generateName``."""
        number = self.next()
        text = []
        for _ in range(length):
            number, index = divmod(number, len(_SAFE))
            text.append(_SAFE[index])
        return "".join(text)


class Chance:
    """All of a cluster's chance, from one seed."""

    __slots__ = ("_keyed", "seed")

    def __init__(self, seed: int) -> None:
        self.reseed(seed)

    def reseed(self, seed: int) -> None:
        """From now on everything is drawn from this seed."""
        self.seed = seed
        key = hashlib.blake2b(str(seed).encode(), digest_size=32).digest()
        self._keyed = hashlib.blake2b(key=key, digest_size=16)

    def of(self, *key: str | int) -> Draw:
        """The draw of that key, always the same: ``of("pull", uid, container, attempt).uniform(0.8, 1.3)``."""
        keyed = self._keyed.copy()
        keyed.update(repr(key).encode())
        return Draw(int.from_bytes(keyed.digest()[:8], "big"))

    def uid(self, *key: str | int) -> str:
        """A version-4 UUID for that key, as ``metadata.uid`` holds."""
        keyed = self._keyed.copy()
        keyed.update(repr(key).encode())
        text = keyed.hexdigest()
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{_VARIANTS[text[16]]}{text[17:20]}-{text[20:]}"
