"""The command line of kubectl: words, flags, and what stands behind ``--``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cluster_engine.container_runtime.kubectl.conversation import Failed, not_here

_SHORT = {
    "n": "namespace", "l": "selector", "o": "output", "f": "filename", "A": "all-namespaces", "c": "container",
    "p": "patch", "w": "watch", "i": "stdin", "t": "tty", "q": "quiet", "R": "recursive",
}  # fmt: skip
_SHORT_OF_LOGS = {"f": "follow", "p": "previous"}
_YES = frozenset((
    "all-namespaces", "all", "no-headers", "show-labels", "overwrite", "ignore-not-found", "wait", "now", "force",
    "server-side", "force-conflicts", "previous", "follow", "watch", "command", "stdin", "tty", "quiet", "recursive",
    "client", "list", "timestamps", "all-containers", "prefix",
))  # fmt: skip
"""Flags without a value of their own."""


@dataclass(slots=True)
class Arguments:
    """What was written."""

    words: list[str] = field(default_factory=list)
    flags: dict[str, list[str]] = field(default_factory=dict)
    rest: list[str] = field(default_factory=list)
    """What stands behind ``--``."""

    def value(self, name: str, default: str = "") -> str:
        """The last value of a flag."""
        return self.flags[name][-1] if name in self.flags else default

    def every(self, name: str) -> list[str]:
        """All its values."""
        return self.flags.get(name, [])

    def yes(self, name: str) -> bool:
        """Whether a flag without value was given, and not as ``=false``."""
        return self.value(name) == "true"


def parsed(argv: Sequence[str]) -> Arguments:
    """Raises Failed."""
    found = Arguments()
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        if word == "--":
            found.rest = rest
            break
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
        elif word.startswith("-") and len(word) > 1:
            short = _SHORT_OF_LOGS if found.words[:1] in (["logs"], ["log"]) else {}
            name = short.get(word[1]) or _SHORT.get(word[1], "")
            if not name:
                raise Failed(f"unknown shorthand flag: {word[1]!r} in {word}")
            value, equals = word[2:].removeprefix("="), word[2:]
            if name in _YES and equals and not word[2:].startswith("="):
                rest.insert(0, f"-{word[2:]}")
                value = equals = ""
        else:
            found.words.append(word)
            continue
        if name in _YES:
            found.flags.setdefault(name, []).append(value if equals else "true")
            continue
        if not equals:
            if not rest:
                raise Failed(f"flag needs an argument: --{name}")
            value = rest.pop(0)
        found.flags.setdefault(name, []).append(value)
    return found


def check(found: Arguments, taken: str) -> None:
    """Raises Failed for a flag that the command does not take here."""
    known = {"namespace", *taken.split()}
    for name in found.flags:
        if name not in known:
            not_here(f"kubectl's flag --{name} of this command")
