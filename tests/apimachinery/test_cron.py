"""Cron schedules: what they mean, in which zone, and what is said of wrong ones."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cluster_engine.apimachinery import cron


def moments(text: str, after: str, zone: str = "UTC", count: int = 3) -> list[str]:
    schedule, now, found = cron.parse(text), int(datetime.fromisoformat(after).timestamp()), []
    for _ in range(count):
        at = schedule.next(now, zone)
        if at is None:
            break
        found.append(datetime.fromtimestamp(at, UTC).strftime("%m-%dT%H:%M"))
        now = at
    return found


@pytest.mark.parametrize(
    ("text", "after", "zone", "expected"),
    [
        ("*/15 * * * *", "2026-01-01T00:01:00Z", "UTC", ["01-01T00:15", "01-01T00:30", "01-01T00:45"]),
        ("5/20 * * * *", "2026-01-01T00:05:00Z", "UTC", ["01-01T00:25", "01-01T00:45", "01-01T01:05"]),
        (
            "0 9-17/4 * * mon-fri",
            "2026-01-02T14:00:00Z",
            "UTC",
            ["01-02T17:00", "01-05T09:00", "01-05T13:00"],
        ),
        ("0 0 13 * 5", "2026-02-01T00:00:00Z", "UTC", ["02-06T00:00", "02-13T00:00", "02-20T00:00"]),
        ("0 0 29 2 *", "2026-01-01T00:00:00Z", "UTC", ["02-29T00:00"] * 3),
        ("0 0 31 2 *", "2026-01-01T00:00:00Z", "UTC", []),
        ("@hourly", "2026-01-01T00:00:00Z", "UTC", ["01-01T01:00", "01-01T02:00", "01-01T03:00"]),
        ("@every 90s", "2026-01-01T00:00:00Z", "UTC", ["01-01T00:01", "01-01T00:03", "01-01T00:04"]),
        ("30 2 * * *", "2026-03-28T00:00:00Z", "Europe/Paris", ["03-28T01:30", "03-30T00:30", "03-31T00:30"]),
        (
            "30 1 * * *",
            "2026-11-01T00:00:00Z",
            "America/New_York",
            ["11-01T05:30", "11-01T06:30", "11-02T06:30"],
        ),
        ("0 8 * * *", "2026-06-01T00:00:00Z", "Asia/Shanghai", ["06-02T00:00", "06-03T00:00", "06-04T00:00"]),
    ],
    ids=[
        "steps",
        "from-a-number",
        "names-and-steps",
        "either-day",
        "leap-year",
        "never",
        "descriptor",
        "every",
        "summer-begins",
        "summer-ends",
        "shanghai",
    ],
)
def test_moments(text: str, after: str, zone: str, expected: list[str]) -> None:
    assert moments(text, after, zone) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("61 * * * *", "end of range (61) above maximum (59): 61"),
        ("0 0 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("0 9-5 * * *", "beginning of range (9) beyond end of range (5): 9-5"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
        ("1/2/3 * * * *", "too many slashes: 1/2/3"),
        ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
        ("a * * * *", 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'),
        ("@never", "unrecognized descriptor: @never"),
        ("@every x", 'failed to parse duration @every x: time: invalid duration "x"'),
        ("", "empty spec string"),
        ("TZ=Mars/Olympus 0 * * * *", "provided bad location Mars/Olympus: unknown time zone Mars/Olympus"),
    ],
)
def test_wrong_schedules(text: str, message: str) -> None:
    with pytest.raises(ValueError) as wrong:
        cron.parse(text)
    assert str(wrong.value) == message


@pytest.mark.parametrize("name", ["../etc/passwd", "", "Mars/Olympus", "zone.tab", "Europe//Paris", "a/../b"])
def test_wrong_zones(name: str) -> None:
    with pytest.raises(ValueError, match="unknown time zone"):
        cron.time_zone(name)
