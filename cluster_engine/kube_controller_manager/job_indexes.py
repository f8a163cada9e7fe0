"""Completion indexes of Indexed Jobs as sorted, disjoint intervals.

Models pkg/controller/job/indexed_job_utils.go (orderedIntervals).
"""

from __future__ import annotations

from collections.abc import Iterable

Intervals = list[tuple[int, int]]
"""First and last index of each; [(0, 0), (2, 4)] is written ``0,2-4``."""


def parse(text: str, completions: int) -> Intervals:
    """The indexes below ``completions`` that the text names; what cannot be read is left out."""
    found: Intervals = []
    for part in text.split(",") if text else ():
        first, _, last = part.partition("-")
        if not first.isdecimal() or (last and not last.isdecimal()):
            continue
        if int(first) >= completions:
            break
        found.append((int(first), min(int(last or first), completions - 1)))
    return merged(found, [])


def merged(a: Intervals, b: Intervals) -> Intervals:
    """The indexes of both."""
    out: Intervals = []
    for first, last in sorted([*a, *b]):
        if out and first <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(out[-1][1], last))
        else:
            out.append((first, last))
    return out


def with_indexes(intervals: Intervals, indexes: Iterable[int]) -> Intervals:
    """The intervals and these indexes."""
    return merged(intervals, [(index, index) for index in indexes])


def total(intervals: Intervals) -> int:
    """How many indexes there are."""
    return sum(last - first + 1 for first, last in intervals)


def has(intervals: Intervals, index: int) -> bool:
    """Whether the index is among them."""
    return any(first <= index <= last for first, last in intervals)


def text(intervals: Intervals) -> str:
    """As ``0,2-4``; two neighbours are written apart."""
    parts = []
    for first, last in intervals:
        parts.append(str(first))
        if last > first:
            parts[-1] += f"{',' if last == first + 1 else '-'}{last}"
    return ",".join(parts)


def common(a: Intervals, b: Intervals) -> int:
    """How many indexes are in both."""
    return sum(
        max(0, min(a_last, b_last) - max(a_first, b_first) + 1)
        for a_first, a_last in a
        for b_first, b_last in b
    )


def first_missing(taken: Intervals, count: int, completions: int) -> list[int]:
    """The lowest ``count`` indexes below ``completions`` that are not taken (firstPendingIndexes)."""
    found: list[int] = []
    candidate = 0
    for first, last in [*taken, (completions, completions)]:
        end = min(first, completions, candidate + count - len(found))
        found.extend(range(candidate, end))
        candidate = max(candidate, last + 1)
    return found
