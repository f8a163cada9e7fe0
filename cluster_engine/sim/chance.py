"""Seeded chance: independent, named streams, so that one component's draws never shift another's."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, TypeVar

T = TypeVar("T")

_MASK = (1 << 64) - 1
_SAFE = "bcdfghjklmnpqrstvwxz2456789"  # k8s.io/apimachinery/pkg/util/rand: no vowels, no look-alikes
_HEX = "0123456789abcdef"


class Stream:
    """SplitMix64: 64 bits of state, so a snapshot of chance is one number a stream."""

    __slots__ = ("state",)

    def __init__(self, state: int) -> None:
        self.state = state

    def next(self) -> int:
        """A uniform 64-bit integer."""
        self.state = z = (self.state + 0x9E3779B97F4A7C15) & _MASK
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

    def uid(self) -> str:
        """A version-4 UUID, as ``metadata.uid`` holds."""
        high, low = self.next(), self.next()
        text = f"{high:016x}{low:016x}"
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{'89ab'[low >> 62]}{text[17:20]}-{text[20:]}"

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

    __slots__ = ("_streams", "seed")

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._streams: dict[str, Stream] = {}

    def stream(self, name: str) -> Stream:
        """The stream of that name: the same draws for the same seed and name, whatever else is drawn."""
        stream = self._streams.get(name)
        if stream is None:
            digest = hashlib.blake2b(f"{self.seed}/{name}".encode(), digest_size=8).digest()
            stream = self._streams[name] = Stream(int.from_bytes(digest, "big"))
        return stream

    def state(self) -> dict[str, Any]:
        # As text: JSON numbers past 2^53 are not safe everywhere.
        return {name: f"{self._streams[name].state:x}" for name in sorted(self._streams)}

    def load(self, state: dict[str, Any]) -> None:
        # In place: components hold on to their streams.
        for name, value in state.items():
            self.stream(name).state = int(value, 16)
