"""Durations as Kubernetes prints them: the AGE column, and Go's ``1m30s``.

Models k8s.io/apimachinery/pkg/util/duration and Go's time.Duration.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

_UNITS = {"ns": 1, "us": 1_000, "µs": 1_000, "ms": 1_000_000, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_PART = re.compile(r"([0-9]{1,18}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})(ns|us|µs|ms|s|m|h)(?=[0-9.]|$)")
_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)([^0-9.]*)")


def human_duration(seconds: float) -> str:
    """Two units where the first is small: ``119s``, ``5m30s``, ``3d4h``."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    if whole < 0:
        return "0s"
    if whole < 120:
        return f"{whole}s"
    minutes = whole // 60
    if minutes < 10:
        rest = whole % 60
        return f"{minutes}m{rest}s" if rest else f"{minutes}m"
    if minutes < 180:
        return f"{minutes}m"
    hours = whole // 3600
    if hours < 8:
        rest = minutes % 60
        return f"{hours}h{rest}m" if rest else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    days = hours // 24
    if hours < 192:
        rest = hours % 24
        return f"{days}d{rest}h" if rest else f"{days}d"
    if hours < 24 * 365 * 2:
        return f"{days}d"
    years = hours // (24 * 365)
    if hours < 24 * 365 * 8:
        rest = days % 365
        return f"{years}y{rest}d" if rest else f"{years}y"
    return f"{years}y"


@lru_cache(maxsize=8192)
def _micros(timestamp: str) -> int | None:
    try:
        moment = datetime.fromisoformat(timestamp)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    gap = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (gap.days * 86400 + gap.seconds) * 1_000_000 + gap.microseconds


def age(timestamp: str | None, now_us: int) -> str:
    """What AGE columns print for a creation time; ``<unknown>`` when there is none."""
    micros = _micros(timestamp) if timestamp else None
    return "<unknown>" if micros is None else human_duration((now_us - micros) / 1_000_000)


def go_duration(nanoseconds: int) -> str:
    """time.Duration.String(): ``0s``, ``1.5s``, ``2m0s``, ``250ms``."""
    if nanoseconds == 0:
        return "0s"
    sign, rest = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    if rest < 10**9:
        for unit, size in (("ms", 10**6), ("µs", 10**3), ("ns", 1)):
            if rest >= size:
                return f"{sign}{_decimal(rest, size)}{unit}"
    hours, rest = divmod(rest, _UNITS["h"])
    minutes, rest = divmod(rest, _UNITS["m"])
    text = f"{_decimal(rest, 10**9)}s"
    if hours:
        return f"{sign}{hours}h{minutes}m{text}"
    return f"{sign}{minutes}m{text}" if minutes else f"{sign}{text}"


def parse_go_duration(text: str) -> int:
    """The nanoseconds of ``1h30m`` or ``-1.5s`` (time.ParseDuration). Raises ValueError with Go's sentence."""
    rest = text[1:] if text[:1] in ("+", "-") else text
    if rest == "0":
        return 0
    total = 0
    while rest or not text:
        part = _PART.match(rest)
        if part is None:
            raise ValueError(_no_part(rest, text))
        whole, _, fraction = part[1].partition(".")
        unit = _UNITS[part[2]]
        total += int(whole or 0) * unit + int(fraction or 0) * unit // 10 ** len(fraction)
        rest = rest[part.end() :]
    if total >= 2**63 or rest != "":
        raise ValueError(f"time: invalid duration {_quoted(text)}")
    return -total if text.startswith("-") else total


def _no_part(rest: str, text: str) -> str:
    """What Go says of a duration that goes on so."""
    number = _NUMBER.match(rest)
    if number is None or number[1] in _UNITS:
        return f"time: invalid duration {_quoted(text)}"
    if number[1]:
        return f"time: unknown unit {_quoted(number[1])} in duration {_quoted(text)}"
    return f"time: missing unit in duration {_quoted(text)}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _decimal(value: int, size: int) -> str:
    whole, rest = divmod(value, size)
    if not rest:
        return str(whole)
    return f"{whole}.{rest:0{len(str(size)) - 1}d}".rstrip("0")
