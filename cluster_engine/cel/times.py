"""Timestamps and durations: whole nanoseconds, no host time, no host's time zones.

Models common/types/timestamp.go and duration.go of cel-go, and Go's time.ParseDuration.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cluster_engine.apimachinery.cron import time_zone
from cluster_engine.cel.errors import CelError
from cluster_engine.cel.values import INT_MAX, INT_MIN, Opaque, plain_float

SECOND = 10**9
"""Nanoseconds in a second."""

_FIRST, _LAST = -62_135_596_800 * SECOND, 253_402_300_800 * SECOND
_UNITS = {
    "ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND,
}  # fmt: skip
_PART = re.compile(r"([0-9]{0,30})(?:\.([0-9]{0,30}))?(ns|us|µs|μs|ms|s|m|h)")
_MOMENT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:[.,]([0-9]{1,30}))?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)
_OFFSET = re.compile(r"([+-]?)([0-9]{1,2}):([0-9]{2})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Timestamp(Opaque):
    """A moment: whole nanoseconds since 1970 in UTC. Raises CelError outside the years 1 to 9999."""

    type_name = "google.protobuf.Timestamp"
    __slots__ = ("ns",)

    def __init__(self, ns: int) -> None:
        if not _FIRST <= ns < _LAST:
            raise CelError("timestamp overflow")
        self.ns = ns

    def __eq__(self, other: object) -> bool:
        return type(other) is Timestamp and other.ns == self.ns

    def __hash__(self) -> int:
        return hash(self.ns)

    def __str__(self) -> str:
        seconds, ns = divmod(self.ns, SECOND)
        fraction = f".{ns:09d}".rstrip("0") if ns else ""
        moment = _EPOCH + timedelta(seconds=seconds)
        return f"{moment.year:04d}-{moment:%m-%dT%H:%M:%S}{fraction}Z"


class Duration(Opaque):
    """A length of time in whole nanoseconds. Raises CelError beyond 63 bits."""

    type_name = "google.protobuf.Duration"
    __slots__ = ("ns",)

    def __init__(self, ns: int) -> None:
        if not INT_MIN <= ns <= INT_MAX:
            raise CelError("duration overflow")
        self.ns = ns

    def __eq__(self, other: object) -> bool:
        return type(other) is Duration and other.ns == self.ns

    def __hash__(self) -> int:
        return hash(self.ns)

    def __str__(self) -> str:
        text = plain_float(abs(self.ns) / SECOND)
        return f"{'-' * (self.ns < 0)}{text}s"


def read_duration(text: str) -> Duration | None:
    """A duration as Go writes it (``1h30m``, ``-1.5s``); None when it is none."""
    sign, rest = (-1 if text[:1] == "-" else 1), text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return Duration(0)
    at, total = 0, 0
    while at < len(rest):
        match = _PART.match(rest, at)
        if match is None or not (match[1] or match[2]):
            return None
        unit = _UNITS[match[3]]
        digits = match[2] or ""
        total += int(match[1] or "0") * unit + int(digits or "0") * unit // 10 ** len(digits)
        at = match.end()
    if not rest or total > INT_MAX:
        return None
    return Duration(sign * total)


def read_timestamp(text: str) -> Timestamp | None:
    """A moment in RFC 3339; None when it is none."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(match[n]) for n in range(1, 7))
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    gap = moment - _EPOCH
    ns = (gap.days * 86400 + gap.seconds) * SECOND + int((match[7] or "0").ljust(9, "0")[:9])
    if match[8]:
        hours, minutes = int(match[9]), int(match[10])
        if hours > 24 or minutes > 60:
            return None
        ns -= (hours * 3600 + minutes * 60) * SECOND * (-1 if match[8] == "-" else 1)
    return Timestamp(ns) if _FIRST <= ns < _LAST else None


def local(moment: Timestamp, zone: str | None) -> datetime:
    """The calendar and the clock of a zone: an offset (``+02:00``, ``-8:00``), a name (``Europe/Berlin``), or UTC.

    Names are those of the package tzdata, never of the host. Raises CelError for one that there is not.
    """
    offset, named = 0, None
    if zone not in (None, "", "UTC"):
        assert zone is not None
        match = _OFFSET.fullmatch(zone)
        if match is not None:
            offset = (int(match[2]) * 60 + int(match[3])) * 60 * (-1 if match[1] == "-" else 1)
        else:
            named = _named(zone)
    try:
        found = _EPOCH + timedelta(seconds=moment.ns // SECOND + offset)
        return found if named is None else found.astimezone(named)
    except OverflowError:
        raise CelError("timestamp overflow") from None


def _named(zone: str) -> ZoneInfo:
    try:
        return time_zone(zone)
    except ValueError as error:
        raise CelError(str(error)) from None
