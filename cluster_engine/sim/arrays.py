"""Lists of integers: the differences to the one before, in the narrowest array that takes them (see ``columns.py``)."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator, Sequence
from itertools import accumulate, repeat
from typing import Any

_INLINE = 8
"""Fewer numbers than that are no array."""

_NOTHING: Iterator[int] = iter(())

Told = Any  # what the header tells of a list of numbers


class Numbers:
    """Takes lists of integers into arrays."""

    def __init__(self) -> None:
        self.forms: list[str] = []
        """Of each array: its type and how many it holds."""
        self.blobs: list[bytes] = []

    def plain(self, values: Sequence[int]) -> Told:
        """What the header tells of them: the one number that all are, a few numbers, or an array's number."""
        if values and values.count(values[0]) == len(values):
            return values[0]
        return self._array(values)

    def near(self, values: Sequence[int]) -> Told:
        """As ``plain``, for numbers that lie near the one before."""
        return self._array([value - before for value, before in zip(values, (0, *values), strict=False)])

    def _array(self, values: Sequence[int]) -> Told:
        if len(values) < _INLINE and all(-(1 << 63) <= value < 1 << 63 for value in values):
            return list(values)
        for form in "bhiq":
            try:
                found = array(form, values)
            except OverflowError:
                continue
            if sys.byteorder == "big":
                found.byteswap()
            wide, size = found.tobytes(), found.itemsize
            # The high bytes of all together: they hardly differ.
            self.blobs.append(b"".join(wide[place::size] for place in range(size)))
            self.forms.append(f"{form}{len(values)}")
            return str(len(self.forms) - 1)
        return [str(value) for value in values]


class Arrays:
    """Gives back what ``Numbers`` took."""

    def __init__(self, packed: bytes, at: int, forms: Sequence[str]) -> None:
        self._packed = packed
        self._forms = forms
        sizes = (array(form[0]).itemsize * int(form[1:]) for form in forms)
        self._begins = list(accumulate(sizes, initial=at))

    def plain(self, told: Told) -> Iterator[int]:
        if isinstance(told, int):
            return repeat(told)
        if isinstance(told, list):
            return map(int, told) if told else _NOTHING
        number = int(told)
        found = array(self._forms[number][0])
        count, begin = int(self._forms[number][1:]), self._begins[number]
        wide = bytearray(count * found.itemsize)
        for place in range(found.itemsize):
            wide[place :: found.itemsize] = self._packed[begin + place * count : begin + (place + 1) * count]
        found.frombytes(wide)
        if sys.byteorder == "big":
            found.byteswap()
        return iter(found)

    def near(self, told: Told) -> Iterator[int]:
        return accumulate(self.plain(told)) if told else _NOTHING
