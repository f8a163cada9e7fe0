"""The state of one shell process: variables, functions, options, directory.

A subshell (pipeline member, `( … )`, `$( … )`) is a copy: what it changes dies with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import ShellError, Stopped
from .limits import size
from .vfs import normal

if TYPE_CHECKING:
    from cluster_engine.linux.sh.syntax import Node

    from .evaluate import Evaluator
    from .shell import Shell
    from .streams import Stream


class Process:
    """Variables and everything else that a subshell copies."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self.variables: dict[str, str] = {}
        self.exported: dict[str, None] = {}
        self.readonly: dict[str, None] = {}
        self.functions: dict[str, Node] = {}
        self.sources: dict[str, str] = {}
        self.aliases: dict[str, str] = {}
        self.positional: list[str] = []
        self.name = "sh"
        self.options: dict[str, None] = {}
        self.cwd = "/"
        self.status = 0
        self.substituted = 0
        """Status of the last `$( … )`, the status of a command that is only assignments."""
        self.depth = 0
        self.conditions = 0
        """Above zero inside `if`, `while`, `!`, `&&`: `set -e` does not apply."""
        self.loops = 0
        self.calls = 0
        self.locals: list[dict[str, tuple[str | None, bool]]] = []
        self._bytes = 0
        self._evaluator: Evaluator | None = None

    @property
    def evaluator(self) -> Evaluator:
        """The evaluator that works on this process."""
        if self._evaluator is None:
            from .evaluate import Evaluator

            self._evaluator = Evaluator(self)
        return self._evaluator

    def fork(self) -> Process:
        """A subshell."""
        child = Process(self.shell)
        child.variables = dict(self.variables)
        child.exported = dict(self.exported)
        child.readonly = dict(self.readonly)
        child.functions = dict(self.functions)
        child.sources = dict(self.sources)
        child.aliases = dict(self.aliases)
        child.positional = list(self.positional)
        child.name = self.name
        child.options = dict(self.options)
        child.cwd = self.cwd
        child.status = self.status
        child.depth = self.depth
        child.conditions = self.conditions
        child.loops = 0
        child.calls = self.calls
        child.locals = [dict(saved) for saved in self.locals]
        child._bytes = self._bytes
        return child

    async def substitute(self, body: Node, io: dict[int, Stream]) -> str:
        """Run `$( … )` and return its output without the newlines at its end."""
        return await self.evaluator.substitute(body, io)

    # --- variables --------------------------------------------------------------------------

    def get(self, name: str) -> str | None:
        """The value of a variable, None if unset."""
        return self.variables.get(name)

    def assign(self, name: str, value: str) -> None:
        """Set a variable, within the limits."""
        if name in self.readonly:
            raise ShellError(f"{name}: is read only")
        limits = self.shell.kernel.limits
        if len(value) > limits.value:
            raise Stopped(f"more than {size(limits.value)} in the variable {name}")
        before = self.variables.get(name)
        self._bytes += len(value) - len(before) if before is not None else len(value) + len(name)
        if self._bytes > limits.variables:
            self._bytes -= len(value)
            raise Stopped(f"more than {size(limits.variables)} in variables")
        self.variables[name] = value
        if "a" in self.options:
            self.exported[name] = None

    def unset(self, name: str) -> None:
        """Forget a variable."""
        if name in self.readonly:
            raise ShellError(f"{name}: is read only")
        value = self.variables.pop(name, None)
        if value is not None:
            self._bytes -= len(value) + len(name)
        self.exported.pop(name, None)

    def environment(self) -> dict[str, str]:
        """The exported variables."""
        return {name: self.variables[name] for name in self.exported if name in self.variables}

    def parameter(self, name: str) -> str | None:
        """The value of `$name`, special and positional parameters included."""
        if name.isdigit():
            index = int(name) if len(name) < 10 else 10**9
            if index == 0:
                return self.name
            return self.positional[index - 1] if index <= len(self.positional) else None
        match name:
            case "?":
                return str(self.status)
            case "#":
                return str(len(self.positional))
            case "$":
                return "1"
            case "!":
                return None
            case "-":
                return "".join(option for option in self.options if len(option) == 1)
            case "@" | "*":
                return " ".join(self.positional) if self.positional else None
        return self.variables.get(name)

    def path(self, name: str) -> str:
        """`name` as an absolute path."""
        return normal(name, self.cwd)
