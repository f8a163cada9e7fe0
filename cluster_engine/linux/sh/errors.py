"""The errors of the shell's language."""

from __future__ import annotations


class ShellError(Exception):
    """A command line cannot go on: a bad expansion, a redirection that fails, ``${x:?}``.

    The shell prints ``sh: <message>``; the command (or, for special builtins, the script) ends with ``status``.
    """

    def __init__(self, message: str, status: int = 2) -> None:
        super().__init__(message)
        self.status = status


class ParseError(ShellError):
    """The text is not a command line of this shell."""


class Incomplete(ParseError):
    """More input could still make the text a command line (an open quote, a `do` without `done`)."""

    delimiter: str | None = None
    """The last line of the here-document that is open, if it is one."""
