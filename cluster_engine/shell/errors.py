"""The errors of the shell, each with the one place that is meant to catch it."""

from __future__ import annotations

from cluster_engine.linux.sh.errors import Incomplete, ParseError, ShellError

__all__ = [
    "BrokenPipe", "ExitControl", "Incomplete", "Interrupted", "LoopControl", "ParseError", "ReturnControl",
    "ShellError", "Stopped", "UsageError", "VfsError",
]  # fmt: skip


class UsageError(Exception):
    """A command was called wrongly; the evaluator prints `<command>: <message>`."""

    def __init__(self, message: str, status: int = 2) -> None:
        super().__init__(message)
        self.status = status


class VfsError(Exception):
    """A file operation failed; `str()` is `<path>: <reason>` as the usual tools print it."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class Stopped(Exception):
    """A budget ran out: the whole command line ends. Nothing but the kernel catches it."""


class Interrupted(Exception):
    """A foreground program died of Ctrl-C: the whole command line ends with status 130."""


class BrokenPipe(Exception):
    """The reader of a pipe is gone: the writing process ends silently with status 141."""


class LoopControl(Exception):
    """`break` or `continue` on its way to its loop."""

    def __init__(self, kind: str, levels: int) -> None:
        super().__init__(kind)
        self.kind = kind
        self.levels = levels


class ReturnControl(Exception):
    """`return` on its way to its function or sourced file."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class ExitControl(Exception):
    """`exit` (or a fatal error in a script) on its way to its shell."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status
