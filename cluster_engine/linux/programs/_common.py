"""What programs share: options, messages in the flavour's words, lines of a stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from cluster_engine.linux.errors import IS_DIRECTORY, FileError
from cluster_engine.linux.program import Exit, State, Sys

BUSYBOX_BANNER = "BusyBox v1.36.1 (2024-06-10 07:11:47 UTC) multi-call binary."
MAX_LINE = 1 << 20
"""Bytes of one line of text that a line-wise program reads."""
MAX_HELD = 8 << 20
"""Bytes that a program such as ``sort`` may hold."""


def fail(sys: Sys, message: str, status: int = 1) -> NoReturn:
    """``NAME: message``, and the program ends."""
    sys.error(message)
    raise Exit(status)


def misused(sys: Sys, message: str, usage: str = "", status: int = 1) -> NoReturn:
    """A wrong call: the message, then the hint (coreutils) or the usage (busybox)."""
    if message:
        sys.error(message)
    if is_busybox(sys):
        sys.err(f"{BUSYBOX_BANNER}\n\nUsage: {usage or sys.name}\n")
    else:
        sys.err(f"Try '{sys.name} --help' for more information.\n")
    raise Exit(status)


def is_busybox(sys: Sys) -> bool:
    return sys.flavour == "busybox"


class Options:
    """Parsed arguments: ``flag("v")``, ``value("n")``, ``operands``."""

    def __init__(self) -> None:
        self.given: dict[str, list[str]] = {}
        self.operands: list[str] = []

    def flag(self, *names: str) -> bool:
        """Was any of these options given?"""
        return any(name in self.given for name in names)

    def value(self, name: str) -> str | None:
        """The last value of an option, None if it was not given."""
        return self.given[name][-1] if name in self.given else None

    def last(self, names: str) -> str | None:
        """Which of these exclusive options came last."""
        found = [name for name in self.given if name in names]
        return found[-1] if found else None

    def add(self, name: str, value: str) -> None:
        values = self.given.pop(name, [])
        self.given[name] = [*values, value]


def options(
    sys: Sys,
    argv: list[str],
    flags: str = "",
    values: str = "",
    long: Mapping[str, str] | None = None,
    *,
    permute: bool = True,
    status: int = 1,
    usage: str = "",
    optional: str = "",
) -> Options:
    """Parses ``argv[1:]`` as getopt does. ``long`` maps ``--name`` to its letter; a letter in ``optional`` may have
    a value that is joined to it. A wrong option ends the program with ``status``."""
    result = Options()
    names = long or {}
    at = 1
    while at < len(argv):
        word = argv[at]
        at += 1
        if word == "--":
            result.operands.extend(argv[at:])
            break
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            letter = names.get(name) or next(
                (names[each] for each in sorted(names) if name and each.startswith(name)), None
            )
            if letter is None:
                misused(sys, f"unrecognized option '{word}'", usage, status)
            if letter in values and not equals:
                if at >= len(argv):
                    misused(sys, f"option '{word}' requires an argument", usage, status)
                value = argv[at]
                at += 1
            result.add(letter, value)
        elif word.startswith("-") and len(word) > 1:
            for index, letter in enumerate(word[1:], 1):
                if letter in values:
                    value = word[index + 1 :]
                    if not value:
                        if at >= len(argv):
                            misused(sys, f"option requires an argument -- '{letter}'", usage, status)
                        value = argv[at]
                        at += 1
                    result.add(letter, value)
                    break
                if letter in optional:
                    result.add(letter, word[index + 1 :])
                    break
                if letter not in flags:
                    misused(sys, f"invalid option -- '{letter}'", usage, status)
                result.add(letter, "")
        else:
            result.operands.append(word)
            if not permute:
                result.operands.extend(argv[at:])
                break
    return result


_SUFFIXES = {"": 1, "b": 512, "k": 1024, "K": 1024, "m": 1 << 20, "M": 1 << 20, "g": 1 << 30, "G": 1 << 30}


def number(text: str) -> int | None:
    """A count such as 12, +3, -4, 2k; None when it is none."""
    sign = -1 if text.startswith("-") else 1
    digits = text[1:] if text[:1] in ("+", "-") else text
    suffix = digits[-1:] if digits[-1:] in _SUFFIXES and not digits[-1:].isdigit() else ""
    digits = digits[: len(digits) - len(suffix)]
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 15):
        return None
    return sign * int(digits) * _SUFFIXES[suffix]


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
FOREVER = 100 * 365 * 86_400 * 1_000_000
"""Microseconds of `sleep infinity`."""


def duration(text: str) -> int | None:
    """Microseconds of a time such as 5, 0.5, 2m, infinity; None when it is none."""
    if text.isdecimal() and len(text) < 9:
        return int(text) * 1_000_000
    if text in ("inf", "infinity"):
        return FOREVER
    unit = _UNITS.get(text[-1:], 0)
    digits = text[:-1] if unit else text
    whole, point, fraction = digits.partition(".")
    if not (
        digits.isascii() and (whole + fraction).isdigit() and len(whole) < 12 and (point == "" or fraction)
    ):
        return None
    micro = int((fraction + "000000")[:6])
    return min((int(whole or 0) * 1_000_000 + micro) * (unit or 1), FOREVER)


def lines(sys: Sys, state: State, chunk: str) -> list[str]:
    """The lines that a chunk completes, without newlines; what is left over waits in ``state["rest"]``."""
    if state["rest"]:
        chunk = state["rest"] + chunk
    parts: list[str] = chunk.split("\n")
    state["rest"] = parts.pop()
    if len(state["rest"]) > MAX_LINE:
        fail(sys, f"a line of more than {MAX_LINE >> 20} MiB is not read here", 2)
    return parts


def hold(sys: Sys, state: State, chunk: str) -> None:
    """Keeps a chunk in ``state["held"]``, within a bound."""
    state["size"] = state.get("size", 0) + len(chunk)
    if state["size"] > MAX_HELD:
        fail(sys, f"more than {MAX_HELD >> 20} MiB are not held in memory here", 2)
    state["held"].append(chunk)


def cannot_open(sys: Sys, state: State, name: str, reason: str) -> None:
    """busybox's words of an input that cannot be opened where it uses ``open_or_warn``."""
    if is_busybox(sys):
        sys.error(
            "read error: Is a directory" if reason == IS_DIRECTORY else f"can't open '{name}': {reason}"
        )
    else:
        sys.error(f"{name}: {reason}")


def each(
    sys: Sys, names: list[str], do: Callable[[str], Any], describe: Callable[[str, FileError], str]
) -> int:
    """Does something with every name; a failure is told and makes the status 1."""
    status = 0
    for name in names:
        sys.tick()
        try:
            do(name)
        except FileError as error:
            sys.error(describe(name, error))
            status = 1
    return status


def base(path: str) -> str:
    """The last name of a path."""
    return path.rstrip("/").rpartition("/")[2] or path[:1]


def joined(directory: str, name: str) -> str:
    return f"{directory.rstrip('/')}/{name}" if directory != "" else name


def user(sys: Sys, uid: int) -> str:
    """The name that /etc/passwd gives a user, else its number."""
    return _name(sys, "/etc/passwd", uid)


def group(sys: Sys, gid: int) -> str:
    return _name(sys, "/etc/group", gid)


def account(sys: Sys, file: str, name: str) -> int | None:
    """The number of a user or group by name or number."""
    if name.isascii() and name.isdigit() and len(name) < 11:
        return int(name)
    for row in _rows(sys, file):
        if row[0] == name:
            return int(row[2])
    return 0 if name == "root" else None


def _rows(sys: Sys, file: str) -> list[list[str]]:
    try:
        text = sys.fs.read(file)
    except FileError:
        return []
    rows = [line.split(":") for line in text.split("\n")]
    return [row for row in rows if len(row) > 2 and row[2].isdigit()]


def _name(sys: Sys, file: str, number: int) -> str:
    for row in _rows(sys, file):
        if int(row[2]) == number:
            return str(row[0])
    return "root" if number == 0 else str(number)
