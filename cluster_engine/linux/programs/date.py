"""`date`: the machine's clock, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Program, Sys
from cluster_engine.linux.programs._common import fail, is_busybox, misused, options

_USAGE = "date [OPTIONS] [+FMT] [TIME]"
_LETTERS = "aAbBcCdDeFgGHIjklmMnpPrRsStTuUVwWxXyYzZ%"
MAX_FORMAT = 1_024
"""Bytes of a format."""
_FORMS = (
    "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y%m%d%H%M",
    "%Y%m%d%H%M.%S", "%H:%M:%S", "%H:%M", "%a %b %d %H:%M:%S UTC %Y", "%d %b %Y", "%Y%m%d",
    "%Y-%m-%dT%H:%M:%S+00:00", "%a, %d %b %Y %H:%M:%S +0000", "%Y.%m.%d-%H:%M:%S", "%b %d %Y",
)  # fmt: skip
_UNITS = {"second": 1, "sec": 1, "minute": 60, "min": 60, "hour": 3600, "day": 86_400, "week": 604_800}
_LAST = 253_402_300_799


def parse_date(text: str, now: int) -> int | None:
    """Microseconds of a date as people write it; None when it is not understood."""
    words = text.strip().removesuffix(" UTC").strip()
    if words in ("", "now", "today"):
        return now
    if words in ("yesterday", "tomorrow"):
        return now + (86_400_000_000 if words == "tomorrow" else -86_400_000_000)
    if words.startswith("@") and words[1:].lstrip("-").isdigit() and len(words) < 14:
        seconds = int(words[1:])
        return seconds * 1_000_000 if 0 <= seconds <= _LAST else None
    relative = _relative(words, now)
    if relative is not None:
        return relative
    for form in _FORMS:
        try:
            moment = datetime.strptime(words, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        if "%Y" not in form:
            today = datetime.fromtimestamp(now // 1_000_000, UTC)
            moment = moment.replace(year=today.year, month=today.month, day=today.day)
        return int((moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1))
    return None


def _relative(words: str, now: int) -> int | None:
    """`2 days ago`, `+3 hours`."""
    parts = words.split()
    sign = -1 if parts[-1:] == ["ago"] else 1
    parts = parts[:-1] if sign < 0 else parts
    if not parts or len(parts) % 2:
        return None
    total = 0
    for count, unit in zip(parts[::2], parts[1::2], strict=True):
        digits = count.lstrip("+-")
        size = _UNITS.get(unit.rstrip("s") if unit.rstrip("s") in _UNITS else unit)
        if size is None or not digits.isdigit() or len(digits) > 6:
            return None
        total += int(digits) * size * (-1 if count.startswith("-") else 1)
    moment = now + sign * total * 1_000_000
    return moment if 0 <= moment <= _LAST * 1_000_000 else None


@lru_cache(64)
def _day(day: int) -> tuple[str, int]:
    """How a plain date begins, and its year."""
    moment = datetime.fromtimestamp(day * 86_400, UTC)
    return moment.strftime("%a %b %e"), moment.year


def _plain(now: int) -> str:
    day, second = divmod(now // 1_000_000, 86_400)
    begin, year = _day(day)
    return f"{begin} {second // 3600:02}:{second // 60 % 60:02}:{second % 60:02} UTC {year}\n"


def formatted(now: int, text: str) -> str:
    """``strftime`` with GNU's ``%N`` and ``%s``."""
    moment = datetime.fromtimestamp(now // 1_000_000, UTC)
    out: list[str] = []
    at = 0
    while at < len(text):
        char = text[at]
        letter = text[at + 1 : at + 2]
        if char != "%" or not letter:
            out.append(char)
            at += 1
            continue
        pad = ""
        if letter in "-_0" and at + 2 < len(text):
            pad, letter = letter, text[at + 2]
            at += 1
        digits = ""
        while letter.isdigit() and at + 2 < len(text):
            digits += letter
            at += 1
            letter = text[at + 1]
        out.append(_field(moment, now, letter, pad, digits))
        at += 2
    return "".join(out)


def _field(moment: datetime, now: int, letter: str, pad: str, digits: str) -> str:
    if letter == "N":
        return f"{now % 1_000_000 * 1000:09d}"[: int(digits) if digits else 9]
    if letter == "s":
        return str(now // 1_000_000)
    if letter == "Z":
        return "UTC"
    if letter == "z":
        return "+0000"
    if letter not in _LETTERS:
        return "%" + letter
    text = moment.strftime("%" + letter)
    if pad == "-":
        return text.lstrip("0 ") or "0"
    return text.replace("0", " ", 1) if pad == "_" and text.startswith("0") else text


def _run(sys: Sys, argv: list[str]) -> int:
    if len(argv) == 1:
        sys.out(_plain(sys.now))
        return 0
    long = {
        "utc": "u",
        "universal": "u",
        "rfc-email": "R",
        "rfc-2822": "R",
        "date": "d",
        "reference": "r",
        "iso-8601": "I",
    }
    opts = options(sys, argv, "uR", "drsD", long, usage=_USAGE, optional="I")
    now: int | None = sys.now
    text = opts.value("d")
    if text is not None:
        now = parse_date(text, sys.now)
        if now is None:
            fail(sys, f"invalid date '{text}'")
    reference = opts.value("r")
    if reference is not None:
        try:
            now = sys.fs.stat(reference).mtime
        except FileError as error:
            fail(sys, f"{reference}: {error.reason}")
    assert now is not None
    form = "%a %b %e %H:%M:%S UTC %Y"
    if opts.flag("I"):
        precision = (opts.value("I") or "date")[:1]
        form = {"d": "%Y-%m-%d", "h": "%Y-%m-%dT%H+00:00", "m": "%Y-%m-%dT%H:%M+00:00"}.get(
            precision, "%Y-%m-%dT%H:%M:%S+00:00"
        )
    elif opts.flag("R"):
        form = "%a, %d %b %Y %H:%M:%S +0000"
    if opts.flag("s"):
        sys.error(
            "can't set date: Operation not permitted"
            if is_busybox(sys)
            else "cannot set date: Operation not permitted"
        )
        return 1
    for word in opts.operands:
        if not word.startswith("+"):
            if parse_date(word, sys.now) is None:
                fail(sys, f"invalid date '{word}'")
            sys.error(
                "can't set date: Operation not permitted"
                if is_busybox(sys)
                else "cannot set date: Operation not permitted"
            )
            return 1
        form = word[1:]
    if len(opts.operands) > 1:
        misused(sys, f"extra operand '{opts.operands[1]}'", _USAGE)
    if len(form) > MAX_FORMAT:
        fail(sys, f"a format may have at most {MAX_FORMAT} bytes here")
    sys.out(formatted(now, form) + "\n")
    return 0


PROGRAM = Program("date", "print the date", _USAGE, run=_run)
