"""Conversions between virtual time (whole microseconds since the Unix epoch) and RFC 3339 text."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache

SECOND = 1_000_000
"""Microseconds in a second; all of the engine's times are whole microseconds."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FORM = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")


@lru_cache(maxsize=4096)
def _seconds_text(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc3339(us: int) -> str:
    """The form of ``metav1.Time``: whole seconds, UTC."""
    return _seconds_text(us // SECOND)


def rfc3339_micro(us: int) -> str:
    """The form of ``metav1.MicroTime``."""
    return f"{_seconds_text(us // SECOND)[:-1]}.{us % SECOND:06d}Z"


@lru_cache(maxsize=8192)
def parse_rfc3339(text: str) -> int:
    """Microseconds since the epoch. Raises ValueError on anything but RFC 3339."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError(f"not an RFC 3339 time: {text!r}")
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    moment = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=UTC)
    us = int((moment - _EPOCH) / timedelta(seconds=1)) * SECOND
    if fraction:
        us += int(fraction[1:].ljust(6, "0")[:6])
    if zone != "Z":
        offset = (int(zone[1:3]) * 60 + int(zone[4:6])) * 60 * SECOND
        us += -offset if zone[0] == "+" else offset
    return us


def wall_clock() -> int:
    """The host's clock in microseconds: for the outside edge (a cluster's start), never for components."""
    return time.time_ns() // 1000


def steady_clock() -> int:
    """Microseconds that pass as on the wall and never jump: for the outside edge (pacing), never for components."""
    return time.monotonic_ns() // 1000
