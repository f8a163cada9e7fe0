"""Why a process of a container cannot be started, in runc's words."""

from __future__ import annotations

from cluster_engine.linux.errors import NO_ENTRY, FileError


class StartError(Exception):
    """A process cannot be started; str() is why, in runc's words."""


def _why(word: str, error: FileError) -> str:
    if error.reason == NO_ENTRY:
        if "/" in word:
            return f'exec: "{word}": stat {word}: no such file or directory'
        return f'exec: "{word}": executable file not found in $PATH'
    return f'exec: "{word}": {error.reason.lower()}'


def start_error(word: str, error: FileError) -> str:
    """runc's words for a main process that cannot be started."""
    return (
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create "
        f"failed: unable to start container process: error during container init: {_why(word, error)}: unknown"
    )


def exec_error(word: str, error: FileError) -> str:
    """runc's words for a command that cannot be started."""
    return f"OCI runtime exec failed: exec failed: unable to start container process: {_why(word, error)}: unknown"
