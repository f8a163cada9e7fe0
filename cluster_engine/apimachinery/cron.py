"""Cron schedules: ``*/5 * * * 1-5``, ``@hourly``, ``@every 90s``, in a time zone.

Models github.com/robfig/cron/v3 (ParseStandard, SpecSchedule.Next), which CronJobs use, messages included.
Time zones come from the package tzdata, never from the host: the same schedule means the same everywhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from .duration import parse_go_duration

YEARS = 5
"""How far ahead a moment is looked for."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHS = {
    "jan": 1,
    "feb": 2,
    "mar": 3,
    "apr": 4,
    "may": 5,
    "jun": 6,
    "jul": 7,
    "aug": 8,
    "sep": 9,
    "oct": 10,
    "nov": 11,
    "dec": 12,
}
_DAYS = {"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6}
_FIELDS: tuple[tuple[int, int, dict[str, int]], ...] = (
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, _MONTHS),
    (0, 6, _DAYS),
)
_DESCRIPTORS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_ZONE_PART = re.compile(r"[A-Za-z._0-9+][A-Za-z.\-_0-9+]{0,13}")


@dataclass(frozen=True, slots=True)
class Schedule:
    """The moments at which something is due. Times are seconds since 1970."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool
    """Both day fields are restricted: then one of them is enough."""
    every: int = 0
    """Seconds of an ``@every``, 0 for a schedule by fields."""

    def next(self, after: int, zone: str = "UTC") -> int | None:
        """The first moment later than ``after``; None when there is none within five years.

        As upstream, a time that a change to summer time leaves out is not made up for.
        """
        if self.every:
            return after + self.every
        where = time_zone(zone)
        moment = datetime.fromtimestamp(after - after % 60 + 60, UTC)
        limit = moment.astimezone(where).year + YEARS
        while True:
            local = moment.astimezone(where)
            if local.year > limit:
                return None
            if local.month not in self.months:
                moment = _midnight(local.year + local.month // 12, local.month % 12 + 1, 1, where)
            elif not self._day_matches(local):
                tomorrow = local.replace(tzinfo=None) + timedelta(days=1)
                moment = _midnight(tomorrow.year, tomorrow.month, tomorrow.day, where)
            elif local.hour not in self.hours:
                moment += timedelta(minutes=60 - local.minute)
            elif local.minute not in self.minutes:
                moment += timedelta(minutes=1)
            else:
                return int((moment - _EPOCH).total_seconds())

    def _day_matches(self, local: datetime) -> bool:
        in_month, in_week = local.day in self.days, local.isoweekday() % 7 in self.weekdays
        return in_month or in_week if self.either_day else in_month and in_week


def _midnight(year: int, month: int, day: int, zone: ZoneInfo) -> datetime:
    return datetime(year, month, day, tzinfo=zone).astimezone(UTC)


@lru_cache(maxsize=1024)
def time_zone(name: str) -> ZoneInfo:
    """The zone of that name. Raises ValueError, with Go's sentence, for one that there is not."""
    parts = name.split("/")
    if all(_ZONE_PART.fullmatch(part) and part not in (".", "..") for part in parts):
        found = files("tzdata").joinpath("zoneinfo", *parts)
        if found.is_file() and not parts[-1].endswith((".py", ".tab", ".zi", ".list")):
            with found.open("rb") as data:
                return ZoneInfo.from_file(data, key=name)
    raise ValueError(f"unknown time zone {name}")


@lru_cache(maxsize=1024)
def parse(text: str) -> Schedule:
    """The schedule that the text says. Raises ValueError with upstream's sentence."""
    if not text:
        raise ValueError("empty spec string")
    if text.startswith(("TZ=", "CRON_TZ=")):
        zone, _, text = text.partition("=")[2].partition(" ")
        try:
            time_zone(zone)
        except ValueError as error:
            raise ValueError(f"provided bad location {zone}: {error}") from None
        text = text.strip()
    if text.startswith("@"):
        if text.startswith("@every "):
            return _every(text)
        if text not in _DESCRIPTORS:
            raise ValueError(f"unrecognized descriptor: {text}")
        text = _DESCRIPTORS[text]
    fields = text.split()
    if len(fields) != 5:
        raise ValueError(f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]")
    values, stars = [], []
    for field, (low, high, names) in zip(fields, _FIELDS, strict=True):
        found: set[int] = set()
        star = False
        for part in field.split(","):
            if not part:
                continue
            numbers, is_star = _range(part, low, high, names)
            found |= numbers
            star = star or is_star
        values.append(frozenset(found))
        stars.append(star)
    minutes, hours, days, months, weekdays = values
    return Schedule(minutes, hours, days, months, weekdays, either_day=not (stars[2] or stars[4]))


def _every(text: str) -> Schedule:
    try:
        nanoseconds = parse_go_duration(text.removeprefix("@every "))
    except ValueError as error:
        raise ValueError(f"failed to parse duration {text}: {error}") from None
    nothing: frozenset[int] = frozenset()
    seconds = max(1, nanoseconds // 10**9)
    return Schedule(nothing, nothing, nothing, nothing, nothing, False, every=seconds)


def _range(text: str, low: int, high: int, names: dict[str, int]) -> tuple[set[int], bool]:
    """(the numbers of ``*/2``, ``1-5`` or ``3``; whether it leaves the field open)."""
    span, *steps = text.split("/")
    first, *rest = span.split("-")
    star = first in ("*", "?")
    if star:
        start, end = low, high
    else:
        start = _number(first, names)
        if len(rest) > 1:
            raise ValueError(f"too many hyphens: {text}")
        end = _number(rest[0], names) if rest else start
    if len(steps) > 1:
        raise ValueError(f"too many slashes: {text}")
    step = 1
    if steps:
        step = _number(steps[0], {})
        end = end if rest or star else high
        star = star and step == 1
    if start < low:
        raise ValueError(f"beginning of range ({start}) below minimum ({low}): {text}")
    if end > high:
        raise ValueError(f"end of range ({end}) above maximum ({high}): {text}")
    if start > end:
        raise ValueError(f"beginning of range ({start}) beyond end of range ({end}): {text}")
    if not step:
        raise ValueError(f"step of range should be a positive number: {text}")
    return set(range(start, end + 1, step)), star


def _number(text: str, names: dict[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 18:
        why = f'strconv.Atoi: parsing "{text}": invalid syntax'
        raise ValueError(f"failed to parse int from {text}: {why}")
    if int(text) < 0:
        raise ValueError(f"negative number ({int(text)}) not allowed: {text}")
    return int(text)
