"""Steady probes: what a probe finds again and again while nothing else happens is worked out, not run.

A probe is *calm* when it left the sandbox as it found it and was told of in the same words, but for the time. When
all probes of a Pod are calm and its images answer the same to the same request at any time
(``Image.steady``), no more of them are run until anybody touches the sandbox. Then those that were due are made
good: they succeeded, and their lines stand in the log.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

from cluster_engine.container_runtime.logs import LogLine
from cluster_engine.sim import SECOND, rfc3339

LINES_KEPT = 1_000
"""Lines of one probe that are worked out for one look at a log; older ones would have left it."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(slots=True)
class Probe:
    """What the kubelet knows of one probe of one container. JSON data. Times are virtual µs."""

    timer: int | None = None
    """Of its next run; None when there is none."""
    successes: int = 0
    failures: int = 0
    result: bool | None = None
    """None: not known yet."""
    period: int = 0
    due: int = 0
    """When it is run next."""
    began: int = 0
    """When it was run last."""
    touches: int = 0
    """How often the sandbox had been touched when the last run ended, and how often from run to run."""
    stride: int = 0
    print: str = ""
    """Digest of what its last run left."""
    calm: bool = False
    lines: list[list[Any]] = field(default_factory=list)
    """What its run writes into the container's log, [µs after its beginning, stream, text without times]."""
    steady: bool = False
    """Whether it is worked out."""

    def as_list(self) -> list[Any]:
        return [getattr(self, name) for name in _FIELDS]

    def missed(self, now: int) -> int:
        """How many runs were due before ``now`` while it was steady."""
        return (now - 1 - self.due) // self.period + 1 if self.steady and now > self.due else 0

    def ran(self, digest: str, lines: list[list[Any]], touches: int) -> None:
        """A run has ended: whether it was like the one before."""
        text = hashlib.blake2b(f"{digest}{lines}".encode(), digest_size=8).hexdigest()
        stride = touches - self.touches
        self.calm = text == self.print and stride == self.stride
        self.print, self.lines, self.touches, self.stride = text, lines, touches, stride


_FIELDS = tuple(f.name for f in fields(Probe))


def may_rest(probes: Iterable[Probe], now: int) -> bool:
    """Whether these probes, all that a Pod has, can be worked out from now on."""
    running = [probe for probe in probes if probe.timer is not None]
    return all(probe.calm and probe.result is True and probe.due > now for probe in running)


def without_times(lines: Iterable[LogLine], began: int) -> list[list[Any]]:
    """Lines as each run of a probe writes them, without their ends."""
    found = []
    for at, stream, line in lines:
        text = line.removesuffix("\n")
        for place, form in enumerate(_renderings(at)):
            text = text.replace(form, f"\0{place}\0")
        found.append([at - began, stream, text])
    return found


def missed_lines(probes: Iterable[Probe], now: int) -> list[LogLine]:
    """What the runs that were due before ``now`` have written, in order of time."""
    found: list[LogLine] = []
    for probe in probes:
        missed = probe.missed(now) if probe.lines else 0
        for number in range(max(0, missed - LINES_KEPT), missed):
            began = probe.due + number * probe.period
            for offset, stream, text in probe.lines:
                for place, form in enumerate(_renderings(began + offset)):
                    text = text.replace(f"\0{place}\0", form)
                found.append((began + offset, stream, f"{text}\n"))
    return sorted(found, key=lambda line: line[0])


def _renderings(at: int) -> tuple[str, ...]:
    """The moment as servers write it into their logs: CLF, Go's log package, RFC 3339, with a blank."""
    stamp = rfc3339(at // SECOND * SECOND)[:19]
    date, clock = stamp.split("T")
    year, month, day = date.split("-")
    return (
        f"{day}/{_MONTHS[int(month) - 1]}/{year}:{clock}",
        f"{year}/{month}/{day} {clock}",
        stamp,
        f"{date} {clock}",
    )
