"""What a session of terminals and its host tell each other."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from cluster_engine.terminal.beside import Logins
from cluster_engine.terminal.disk import FileChange
from cluster_engine.terminal.forwarding import Forward
from cluster_engine.terminal.outward import Dialer

NO_PAGE = "error: port-forward opens a port on this machine, where nothing can reach it"


class BusyError(Exception):
    """Something runs in the terminal; the message is its command line."""


@dataclass(slots=True)
class SessionHooks:
    """What the session tells its host. Paths are absolute."""

    on_output: Callable[[str, bytes], None] = lambda terminal, data: None
    on_files_changed: Callable[[list[FileChange]], None] = lambda changes: None
    on_edit: Callable[[str], str] = lambda path: f"{path} is open in the editor."
    """Opens a file for the user; what to print."""
    on_preview: Callable[[Forward, str], tuple[str, int]] = lambda wanted, kubeconfig: (NO_PAGE, 1)
    """Shows the page of a Pod or Service beside the terminal; what to print, and the status."""
    on_exit: Callable[[str, int], None] = lambda terminal, status: None
    on_time: Callable[[list[str]], Awaitable[str]] | None = None
    """What `time pause` and the like do: takes their words, returns what to print. Raises ValueError."""
    on_fault: Callable[[dict[str, Any]], Awaitable[None]] | None = None
    """What `fault` does: takes the fault with its kind. Raises ValueError."""
    on_why: Callable[[dict[str, Any]], Awaitable[str]] | None = None
    """What `why` does: takes the object's resource, namespace and name, returns what to print. Raises ValueError."""
    on_hint: Callable[[dict[str, Any]], Awaitable[str]] | None = None
    """What `hint` does: takes the check, returns what to print. Raises ValueError."""
    logins: Logins | None = None
    """Where one can log in; None: nowhere."""
    now: Callable[[], int] = lambda: time.time_ns() // 1000
    """The clock, in µs."""
    leap: Callable[[int], bool] = lambda due: False
    """Moves the clock to a moment at once, when the machine waits for nothing else; False: time goes its own way."""
    dialer: Dialer | None = None
    """Where connections lead that leave the machine; None: nowhere."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a finished program gave."""

    status: int
    out: bytes
    err: bytes
