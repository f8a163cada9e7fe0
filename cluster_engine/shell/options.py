"""Options of commands: short ones, combined ones, a few long ones; operands may come first."""

from __future__ import annotations

from collections.abc import Mapping

from .errors import UsageError


class Options:
    """Parsed arguments: `opts.flag("v")`, `opts.value("n")`, `opts.operands`."""

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

    def number(self, name: str, default: int) -> int:
        """The value of an option as a count."""
        text = self.value(name)
        if text is None:
            return default
        return count(text)

    def _add(self, name: str, value: str) -> None:
        values = self.given.pop(name, [])
        self.given[name] = [*values, value]


def count(text: str) -> int:
    """A count written by the user, with bounds."""
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 12):
        raise UsageError(f"invalid number: {text[:40]!r}".replace('"', "'"), 1)
    return -int(digits) if text.startswith("-") else int(digits)


def options(
    argv: list[str],
    flags: str = "",
    values: str = "",
    long: Mapping[str, str] | None = None,
    *,
    permute: bool = True,
) -> Options:
    """Parse `argv[1:]`. `long` maps `--name` to its short letter."""
    result = Options()
    at = 1
    names = long or {}
    while at < len(argv):
        word = argv[at]
        at += 1
        if word == "--":
            result.operands.extend(argv[at:])
            break
        if word.startswith("--") and len(word) > 2:
            name, equals, value = word[2:].partition("=")
            if name not in names:
                raise UsageError(f"unrecognized option '{word[:60]}'")
            letter = names[name]
            if letter in values and not equals:
                if at >= len(argv):
                    raise UsageError(f"option '{word}' requires an argument")
                value = argv[at]
                at += 1
            result._add(letter, value)
        elif word.startswith("-") and len(word) > 1:
            letters = word[1:]
            for index, letter in enumerate(letters):
                if letter in values:
                    rest = letters[index + 1 :]
                    if not rest:
                        if at >= len(argv):
                            raise UsageError(f"option requires an argument -- '{letter}'")
                        rest = argv[at]
                        at += 1
                    result._add(letter, rest)
                    break
                if letter not in flags:
                    raise UsageError(f"invalid option -- '{letter}'")
                result._add(letter, "")
        else:
            result.operands.append(word)
            if not permute:
                result.operands.extend(argv[at:])
                break
    return result
