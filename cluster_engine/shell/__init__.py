"""A safe `sh` on a virtual file system: no process, file or socket of the host is touched.

It knows nothing of Kubernetes. Text becomes typed syntax (`words`, `parse` → `syntax`), the
evaluator walks it (`evaluate`, `expand`, `redirect`) over coroutines that a small kernel runs
under budgets (`kernel`, `limits`). Commands are one file each (`commands/`). `tty.Terminal` is
the line discipline for a browser; `session.TerminalSession` binds all of it to asyncio, and
`confine` runs the one real program, confined.
"""

from __future__ import annotations

from .context import Command, Context, External, Host
from .errors import ShellError, Stopped, UsageError, VfsError
from .external import ExecCall, ExecRequest, ExecResult
from .kernel import Blocked, Done, HostCall, Kernel, Paused
from .limits import Limits
from .shell import Result, Shell, run_argv, run_line
from .tty import Terminal
from .vfs import Vfs, VfsLimits

__all__ = [
    "Blocked",
    "Command",
    "Context",
    "Done",
    "ExecCall",
    "ExecRequest",
    "ExecResult",
    "External",
    "Host",
    "HostCall",
    "Kernel",
    "Limits",
    "Paused",
    "Result",
    "Shell",
    "ShellError",
    "Stopped",
    "Terminal",
    "UsageError",
    "Vfs",
    "VfsError",
    "VfsLimits",
    "run_argv",
    "run_line",
]
