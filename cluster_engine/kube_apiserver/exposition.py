"""Prometheus' text form of measured values.

Models github.com/prometheus/common/expfmt (text_create.go) and what k8s.io/component-base/metrics makes of a help text.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
Values = tuple[str, ...]
"""The values of a family's labels, in the order of their names."""
_PLAIN_DIGITS = 6
"""Digits before the point from which on Go writes an exponent."""


class Histogram:
    """How often what was observed is at most each bound."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float], counts: Sequence[int] = (), sum: float = 0.0) -> None:
        self.bounds = bounds
        self.counts = list(counts) or [0] * (len(bounds) + 1)
        self.sum = sum

    def observe(self, value: float, times: int = 1) -> None:
        """It was measured so often."""
        self.counts[bisect_left(self.bounds, value)] += times
        self.sum += value * times


@dataclass(frozen=True, slots=True)
class Family:
    """Values of one name. ``labels`` are sorted; ``stability`` is upstream's level, "" for what is not upstream's."""

    name: str
    kind: str
    """counter, gauge or histogram."""
    about: str
    labels: tuple[str, ...] = ()
    stability: str = ""
    samples: Mapping[Values, float | Histogram] = field(default_factory=dict)


def page(families: Iterable[Family]) -> bytes:
    """All of them that have values, by name and by their labels' values."""
    lines = [line for family in sorted(families, key=lambda one: one.name) for line in _lines(family)]
    return "".join(f"{line}\n" for line in lines).encode()


def _lines(family: Family) -> list[str]:
    if not family.samples:
        return []
    about = f"[{family.stability}] {family.about}" if family.stability else family.about
    lines = [f"# HELP {family.name} {about}", f"# TYPE {family.name} {family.kind}"]
    for values in sorted(family.samples):
        sample = family.samples[values]
        pairs = list(zip(family.labels, values, strict=True))
        if isinstance(sample, Histogram):
            lines += _histogram(family.name, pairs, sample)
        else:
            lines.append(f"{family.name}{_written(pairs)} {number(sample)}")
    return lines


def _histogram(name: str, pairs: list[tuple[str, str]], found: Histogram) -> list[str]:
    lines, so_far = [], 0
    bounds = [*(number(bound) for bound in found.bounds), "+Inf"]
    for bound, count in zip(bounds, found.counts, strict=True):
        so_far += count
        lines.append(f"{name}_bucket{_written([*pairs, ('le', bound)])} {number(so_far)}")
    labels = _written(pairs)
    return [*lines, f"{name}_sum{labels} {number(found.sum)}", f"{name}_count{labels} {number(so_far)}"]


def _written(pairs: Iterable[tuple[str, str]]) -> str:
    found = ",".join(f'{name}="{_escaped(value)}"' for name, value in pairs)
    return f"{{{found}}}" if found else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def number(value: float) -> str:
    """A value as Go's strconv writes it in the shortest form ('g', -1)."""
    found = Decimal(repr(float(value))).normalize()
    power = found.adjusted()
    if not found or -4 <= power < _PLAIN_DIGITS:
        return f"{found:f}"
    first, *rest = map(str, found.as_tuple().digits)
    mantissa = f"{first}.{''.join(rest)}" if rest else first
    return f"{'-' if value < 0 else ''}{mantissa}e{'-' if power < 0 else '+'}{abs(power):02d}"
