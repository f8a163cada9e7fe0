"""What builtins share. A builtin is ``(sh, argv, fds) -> status``; ``fds`` are its descriptors.

A *control* is ``(sh, argv, back) -> pc``: it may run other code, wait or end the shell. ``back`` is (where it stands,
where it goes on, whether ``set -e`` applies).
"""

from __future__ import annotations

Back = tuple[int, int, bool]


class Usage(Exception):
    """A builtin was called wrongly. ``line``: busybox tells the line as well."""

    def __init__(self, message: str, status: int = 2, *, line: bool = True) -> None:
        super().__init__(message)
        self.status = status
        self.line = line


def flags(argv: list[str], known: str) -> tuple[str, list[str]]:
    """The single-letter options in front (``-p``, ``--`` ends them) and the rest. Raises Usage."""
    at, given = 1, ""
    while at < len(argv) and argv[at][:1] == "-" and len(argv[at]) > 1:
        word = argv[at]
        at += 1
        if word == "--":
            break
        for letter in word[1:]:
            if letter not in known:
                raise Usage(f"illegal option -{letter}")
            given += letter
    return given, argv[at:]


def quote(text: str) -> str:
    """Text as the shell would read it back."""
    return "'" + text.replace("'", "'\"'\"'") + "'"
