"""Semantic versions: ``semver('1.2.3').isLessThan(semver('2.0.0'))``.

Models k8s.io/apiserver/pkg/cel/library/semverlib.go and github.com/blang/semver.
"""

from __future__ import annotations

import re

from cluster_engine.cel.errors import CelError
from cluster_engine.cel.library.function import Function, Overload, of_first
from cluster_engine.cel.values import UINT_MAX, Opaque

MAX_LENGTH = 4096
"""Characters of a version."""

_ALPHANUMERIC = re.compile(r"[0-9A-Za-z-]+")


class Semver(Opaque):
    """A version; what stands behind ``+`` does not count when versions are compared."""

    type_name = "kubernetes.Semver"
    __slots__ = ("key", "numbers", "text")

    def __init__(self, numbers: tuple[int, int, int], pre: tuple[str, ...], text: str) -> None:
        self.numbers = numbers
        self.text = text
        order = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in pre)
        self.key = (numbers, not pre, order)

    def __eq__(self, other: object) -> bool:
        return type(other) is Semver and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __str__(self) -> str:
        return self.text


def _number(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise CelError(f'Invalid character(s) found in {name} number "{text}"')
    if len(text) > 1 and text[0] == "0":
        raise CelError(f'{name.capitalize()} number must not contain leading zeroes "{text}"')
    value = int(text) if len(text) < 25 else UINT_MAX + 1
    if value > UINT_MAX:
        raise CelError(f'strconv.ParseUint: parsing "{text}": value out of range')
    return value


def _identifiers(text: str, what: str) -> tuple[str, ...]:
    parts = tuple(text.split("."))
    for part in parts:
        if not part:
            raise CelError("Prerelease is empty" if what == "prerelease" else "Build meta data is empty")
        if not _ALPHANUMERIC.fullmatch(part):
            raise CelError(f'Invalid character(s) found in {what} "{part}"')
        if what == "prerelease" and part.isdigit() and len(part) > 1 and part[0] == "0":
            raise CelError(f'Numeric PreRelease version must not contain leading zeroes "{part}"')
    return parts


def parse(text: str, normalize: bool = False) -> Semver:
    """A version from its text. Raises CelError with upstream's words."""
    if normalize:
        text = _normalized(text)
    if not text:
        raise CelError("Version string empty")
    if len(text) > MAX_LENGTH:
        raise CelError(f"Version string is longer than {MAX_LENGTH} characters")
    parts = text.split(".", 2)
    if len(parts) != 3:
        raise CelError("No Major.Minor.Patch elements found")
    major, minor = _number(parts[0], "major"), _number(parts[1], "minor")
    rest, plus, build = parts[2].partition("+")
    patch, dash, pre = rest.partition("-")
    found = _identifiers(pre, "prerelease") if dash else ()
    if plus:
        _identifiers(build, "build meta data")
    return Semver((major, minor, _number(patch, "patch")), found, text)


def _normalized(text: str) -> str:
    parts = text.removeprefix("v").split(".", 2)
    for at, part in enumerate(parts):
        if len(part) > 1:
            rest = part.lstrip("0")
            parts[at] = rest if rest and rest[0] in "0123456789" else "0" + rest
    if len(parts) < 3:
        if any(sign in parts[-1] for sign in "+-"):
            raise CelError("short version cannot contain PreRelease/Build meta data")
        parts += ["0"] * (3 - len(parts))
    return ".".join(parts)


def _is_semver(text: str, normalize: bool = False) -> bool:
    try:
        parse(text, normalize)
    except CelError:
        return False
    return True


def _compare(left: Semver, right: Semver) -> int:
    return (left.key > right.key) - (left.key < right.key)


def _greater(left: Semver, right: Semver) -> bool:
    return left.key > right.key


def _less(left: Semver, right: Semver) -> bool:
    return left.key < right.key


_S = "kubernetes.Semver"

FUNCTIONS = (
    Function(
        "semver",
        Overload("string_to_semver", f"(string) -> {_S}", parse, of_first),
        Overload("string_bool_to_semver", f"(string, bool) -> {_S}", parse, of_first),
    ),
    Function(
        "isSemver",
        Overload("is_semver_string", "(string) -> bool", _is_semver, of_first),
        Overload("is_semver_string_bool", "(string, bool) -> bool", _is_semver, of_first),
    ),
    Function("isGreaterThan", Overload("semver_is_greater_than", f"{_S}.({_S}) -> bool", _greater)),
    Function("isLessThan", Overload("semver_is_less_than", f"{_S}.({_S}) -> bool", _less)),
    Function("compareTo", Overload("semver_compare_to", f"{_S}.({_S}) -> int", _compare)),
    Function("major", Overload("semver_major", f"{_S}.() -> int", lambda version: version.numbers[0])),
    Function("minor", Overload("semver_minor", f"{_S}.() -> int", lambda version: version.numbers[1])),
    Function("patch", Overload("semver_patch", f"{_S}.() -> int", lambda version: version.numbers[2])),
)
"""One entry for each function."""
