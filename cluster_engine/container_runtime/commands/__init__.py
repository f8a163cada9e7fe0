"""Commands that exist inside containers only, and which of the shell's are in which image.

``TOOLS`` maps the kind of an image (``Image.tools``) to its command table. Models nothing upstream.
"""

from __future__ import annotations

from cluster_engine.container_runtime.commands import curl, nc, nslookup, sleep, system, tail, trap, wget
from cluster_engine.shell.commands import COMMANDS
from cluster_engine.shell.context import Command

_OWN: tuple[Command, ...] = (
    sleep.COMMAND,
    tail.COMMAND,
    trap.COMMAND,
    wget.COMMAND,
    curl.COMMAND,
    nslookup.COMMAND,
    nc.COMMAND,
    *system.COMMANDS,
)
_TERMINAL_ONLY = ("edit", "help", "history", "nano", "vim")
_NOT_IN_BUSYBOX = ("curl", "bash")
_NOT_IN_DEBIAN = ("less", "more", "nc", "nslookup", "ping", "ps", "vi", "watch", "wget")

_ALL: dict[str, Command] = {
    **{name: command for name, command in COMMANDS.items() if name not in _TERMINAL_ONLY},
    **{command.name: command for command in _OWN},
}
_ALL["bash"] = _ALL["ash"] = _ALL["sh"]

BUILTINS = (
    ":", ".", "alias", "break", "cd", "command", "continue", "eval", "exit", "export", "local", "read",
    "readonly", "return", "set", "shift", "source", "trap", "type", "unalias", "unset",
)  # fmt: skip
"""Names that the shell knows but that are no programs: they cannot be a container's command."""

TOOLS: dict[str, dict[str, Command]] = {
    "none": {},
    "busybox": {name: c for name, c in _ALL.items() if name not in _NOT_IN_BUSYBOX},
    "debian": {name: c for name, c in _ALL.items() if name not in _NOT_IN_DEBIAN and name != "ash"},
    "curl": {name: c for name, c in _ALL.items() if name != "bash"},
}
