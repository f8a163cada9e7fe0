"""The shell of one process while its turn lasts: variables, descriptors, frames, messages.

All that lasts lies in the process's record; what it adds there:

- ``vars exported readonly funcs aliases args arg0 opts``; ``code pc stack``: where it is
- ``status sub res``: ``$?``, that of the last substitution, results of substitutions
- ``call``: a command that waits, else None; ``jobs last main``; ``noexit``: ``set -e`` is off inside a condition
- ``input``: text not yet run; ``line hash getopts``

The stack holds frames (lists, never changed) and, above those of loops, numbers:

- ``["L", break, continue], status`` and ``["F", break, continue, values], index, status``: loops
- ``["R", {fd: desc or None}, auto]``: redirections
- ``["C", code, pc, args, noexit, saved, name, checked]``: a function
- ``["E", code, pc, noexit, kind, checked]``: a text (eval, dot, read, rest)
- ``["T", code, pc, status, call, res, sub, noexit]``: a trap; ``["X", status]`` below the last one
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cluster_engine.linux import descriptors
from cluster_engine.linux.errors import TOO_MANY, FileError
from cluster_engine.linux.files import Files
from cluster_engine.linux.kernel import Kernel, Record
from cluster_engine.linux.limits import BYTES_PER_STEP
from cluster_engine.linux.sh import arithmetic
from cluster_engine.linux.sh.compile import compiled
from cluster_engine.linux.sh.errors import ShellError

WAIT, CHARGED, SWITCH, GONE = -1, -2, -3, -4
"""What an instruction gives instead of the next pc: it waits (and is called again) · go on at ``next`` after paying
``extra`` · the same in other code · the process has ended or runs something else."""

SMALL = 256
"""Characters of a value that need no counting."""
MAX_DEPTH_TEXT = "maximum function recursion depth exceeded"

DEFAULT_IFS = " \t\n"
ARGUMENT = "__argument_"
"""Begins the name that a positional parameter has inside a compiled expression."""

Text = Callable[["Shell"], str]
"""A word that has been bound: what it expands to."""
Redirect = tuple[int, str, Text]


class Shell:
    """One process's shell."""

    __slots__ = ("extra", "guarded", "kernel", "next", "p", "stack", "status", "vars")

    def __init__(self, kernel: Kernel, process: Record) -> None:
        self.kernel = kernel
        self.p = process
        self.vars: dict[str, str] = process["vars"]
        self.stack: list[Any] = process["stack"]
        self.status: int = process["status"]
        self.guarded: bool = bool(process["readonly"]) or "a" in process["opts"]
        self.extra = 0
        self.next = 0

    # --- variables ------------------------------------------------------------------------------

    def assign(self, name: str, value: str) -> None:
        """Set a variable, within the limits. Raises ShellError (read-only, too much)."""
        process = self.p
        if self.guarded:
            if name in process["readonly"]:
                raise ShellError(f"{name}: is read only")
            if "a" in process["opts"]:
                process["exported"][name] = 1
        if len(value) >= SMALL or len(self.vars) > 1000:
            self._count(name, value)
        self.vars[name] = value
        if name == "OPTIND":
            process["getopts"] = 0
        elif name == "PATH":
            process["hash"] = {}

    def _count(self, name: str, value: str) -> None:
        limits = self.kernel.limits
        total = sum(map(len, self.vars.values())) + len(self.vars) * 16
        self.extra += 1 + len(self.vars) // 32 + len(value) // 512
        total += len(value) - len(self.vars.get(name, ""))
        if len(value) > limits.value or total > limits.variables:
            raise ShellError("out of memory")
        if "v" in self.p["limits"] and self.p["base"] + total > self.p["limits"]["v"] * 1024:
            raise ShellError("out of memory")

    def unset_variable(self, name: str) -> None:
        """Forget a variable. Raises ShellError (read-only)."""
        if name in self.p["readonly"]:
            raise ShellError(f"{name}: is read only")
        self.vars.pop(name, None)
        self.p["exported"].pop(name, None)
        if self.bash:
            begin = f"{name}["
            for each in [each for each in self.vars if each.startswith(begin)]:
                del self.vars[each]

    @property
    def bash(self) -> bool:
        """Whether it speaks bash's language."""
        return "bash" in self.p

    def is_terminal(self, fd: int) -> bool:
        """Whether a descriptor leads to one."""
        return bool(self.p["fds"].get(str(fd), "n")[0] == "t")

    def unset(self, name: str) -> str:
        """What a parameter that is no variable expands to. Raises ShellError under ``set -u``."""
        if name == "LINENO":
            return str(self.p["line"] - (not self.p["script"]))
        if name == "RANDOM":
            self.kernel.acts += 1
            return str(self.kernel.chance() & 0x7FFF)
        if "u" in self.p["opts"] and name not in ("@", "*"):
            raise ShellError(f"{name}: parameter not set")
        return ""

    def parameter(self, name: str) -> str | None:
        """The value of ``$name``, special and positional parameters included."""
        value = self.vars.get(name)
        if value is not None:
            return value
        process = self.p
        if name.isdecimal():
            index = int(name) if len(name) < 10 else 10**9
            if index == 0:
                return str(process["arg0"])
            args = process["args"]
            return args[index - 1] if index <= len(args) else None
        match name:
            case "?":
                return str(self.status)
            case "#":
                return str(len(process["args"]))
            case "$":
                return str(process["main"])
            case "!":
                return str(process["last"]) if process["last"] else None
            case "-":
                return "".join(option for option in process["opts"] if len(option) == 1)
            case "@" | "*":
                return " ".join(process["args"]) if process["args"] else None
            case "LINENO" | "RANDOM":
                return self.unset(name)
        return None

    def number(self, name: str) -> int:
        """A variable as arithmetic sees it: a number, or an expression again."""
        value = self.vars.get(name)
        if value is None and name.startswith(ARGUMENT):
            value = self.parameter(name[len(ARGUMENT) :])
        if value is None:
            return 0
        if value.isdecimal() and (value[0] != "0" or len(value) == 1) and len(value) < 19:
            return int(value)
        try:
            return arithmetic.number(value)
        except ShellError:
            self.extra += 64
            self.p["nested"] = self.p.get("nested", 0) + 1
            if self.p["nested"] > arithmetic.MAX_DEPTH:
                self.p["nested"] = 0
                raise ShellError("expression recursion loop detected") from None
            result = arithmetic.compiled(value)(self)
            self.p["nested"] = 0
            return result

    def ifs(self) -> str:
        """The characters that separate fields."""
        return self.vars.get("IFS", DEFAULT_IFS)

    def environment(self) -> dict[str, str]:
        """The exported variables."""
        variables = self.vars
        return {name: variables[name] for name in self.p["exported"] if name in variables}

    def cwd(self) -> str:
        """The working directory as the shell calls it (links are not resolved)."""
        return self.vars.get("PWD") or str(self.p["cwd"])

    def files(self) -> Files:
        """The files as the process may reach them."""
        self.kernel.acts += 1
        return self.kernel.files(self.p)

    # --- output ---------------------------------------------------------------------------------

    def write(self, fds: dict[str, str], fd: int, text: str) -> None:
        """Write to a descriptor of ``fds``. Raises FileError."""
        if not text:
            return
        desc = fds.get(str(fd))
        if desc is None:
            raise FileError("Bad file descriptor")
        self.extra += 1 + len(text) // BYTES_PER_STEP
        descriptors.put(self.kernel, self.p, desc, text)

    def say(self, message: str, fds: dict[str, str] | None = None) -> None:
        """``sh: message`` on standard error."""
        fds = self.p["fds"] if fds is None else fds
        if "2" in fds:
            try:
                self.write(fds, 2, f"{self.prefix()}{message}\n")
            except FileError:
                self.status = 1

    def prefix(self, command: str = "") -> str:
        """How messages begin, as busybox writes it: a script tells its line, a builtin of ``-c`` line 0."""
        process = self.p
        name = process["arg0"]
        if not command:
            return f"{name}: line {process['line']}: " if process["script"] else f"{name}: "
        if "i" in process["opts"]:
            return f"{name}: {command}: "
        return f"{name}: {command}: line {process['line'] - (not process['script'])}: "

    # --- descriptors ----------------------------------------------------------------------------

    def redirect(self, redirects: list[Redirect]) -> dict[str, str | None]:
        """Carry out redirections: new descs (each counted once), None for closed. Raises ShellError."""
        slots: dict[str, str | None] = {}
        try:
            for fd, operator, text in redirects:
                key = str(fd)
                desc = self._redirected(operator, text(self), slots)
                before = slots.get(key)
                if before is not None:
                    descriptors.release(self.kernel, before)
                slots[key] = desc
        except (ShellError, FileError):
            self.drop(slots)
            raise
        return slots

    def _redirected(self, operator: str, target: str, slots: dict[str, str | None]) -> str | None:
        kernel, process = self.kernel, self.p
        if operator in (">&", "<&"):
            if target == "-":
                return None
            desc = slots[target] if target in slots else process["fds"].get(target)
            if desc is None:
                raise ShellError(
                    f"{target}: Bad file descriptor" if target.isdecimal() else f"bad fd number: {target}"
                )
            descriptors.retain(kernel, desc)
            return desc
        if operator in ("<<", "<<<"):
            text = target if operator == "<<" else target + "\n"
            key = kernel.add_stream({"k": "data", "refs": 1, "text": text, "at": 0})
            self.extra += len(text) // BYTES_PER_STEP
            return "d" + key
        self.extra += 2
        if "n" in process["limits"]:
            number = descriptors.lowest({**process["fds"], **dict.fromkeys(slots, "")})
            if number >= process["limits"]["n"]:
                verb = "open" if operator == "<" else "create"
                raise ShellError(f"can't {verb} {target}: {TOO_MANY}", 1)
        if target == "/dev/null":
            kernel.acts += 1
            return "n"
        if operator == "<":
            return self._open(target, "r", "open", slots)
        if operator == ">" and "C" in process["opts"] and self.files().is_file(target):
            raise ShellError(f"can't create {target}: File exists", 1)
        flags = {">>": "a", "<>": "r+"}.get(operator, "w")
        if operator == "<>" and not self.files().exists(target):
            flags = "w+"
        return self._open(target, flags, "create", slots)

    def _open(self, target: str, flags: str, verb: str, slots: dict[str, str | None]) -> str:
        shown = (
            {**self.p, "fds": {**self.p["fds"], **{k: v for k, v in slots.items() if v}}} if slots else self.p
        )
        try:
            return descriptors.open_path(self.kernel, shown, target, flags)
        except FileError as error:
            reason = error.reason
            if reason == "No such file or directory":
                reason = "no such file" if verb == "open" else "nonexistent directory"
            raise ShellError(f"can't {verb} {target}: {reason}", 1) from None

    def merged(self, slots: dict[str, str | None]) -> dict[str, str]:
        """The process's descriptors with the redirected ones in their places."""
        fds: dict[str, str] = dict(self.p["fds"])
        for key, desc in slots.items():
            if desc is None:
                fds.pop(key, None)
            else:
                fds[key] = desc
        return fds

    def drop(self, slots: dict[str, str | None]) -> None:
        """The redirections of one command end."""
        for desc in slots.values():
            if desc is not None and desc[0] in descriptors.COUNTED:
                descriptors.release(self.kernel, desc)

    def keep(self, slots: dict[str, str | None]) -> None:
        """They stay (``exec``)."""
        fds = self.p["fds"]
        for key, desc in slots.items():
            before = fds.pop(key, None)
            if desc is not None:
                fds[key] = desc
            if before is not None:
                descriptors.release(self.kernel, before)

    def push_redirects(self, slots: dict[str, str | None], auto: bool) -> None:
        """They last until the frame is popped. ``auto``: by what ends on top of it."""
        fds = self.p["fds"]
        saved: dict[str, str | None] = {}
        for key, desc in slots.items():
            saved[key] = fds.pop(key, None)
            if desc is not None:
                fds[key] = desc
        self.stack.append(["R", saved, auto])

    def restore(self, frame: list[Any]) -> None:
        """End the redirections of a frame that has been popped."""
        fds = self.p["fds"]
        for key, desc in frame[1].items():
            now = fds.pop(key, None)
            if desc is not None:
                fds[key] = desc
            if now is not None:
                descriptors.release(self.kernel, now)

    def pop_redirects(self) -> None:
        """End the redirections on top of the stack."""
        self.restore(self.stack.pop())

    def pop_auto(self) -> None:
        """End those that belonged to a builtin which has just ended."""
        while (
            self.stack and isinstance(self.stack[-1], list) and self.stack[-1][0] == "R" and self.stack[-1][2]
        ):
            self.restore(self.stack.pop())

    # --- frames ---------------------------------------------------------------------------------

    def deeper(self) -> None:
        """Raises ShellError when too much is inside one another."""
        if len(self.stack) > self.kernel.limits.depth * 3:
            raise ShellError(MAX_DEPTH_TEXT)

    def go(self, code: str, pc: int) -> int:
        """Go on in other code; what an instruction returns for it."""
        self.p["code"] = code
        self.next = pc
        return SWITCH

    def call(self, name: str, args: list[str], saved: dict[str, Any], checked: bool, back: int) -> int:
        """Call a function; its return goes on at ``back``."""
        self.deeper()
        process = self.p
        self.stack.append(
            ["C", process["code"], back, process["args"], process["noexit"], saved, name, checked]
        )
        process["args"] = args
        process["noexit"] = process["noexit"] or not checked
        code, pc, _ = process["funcs"][name]
        return self.go(code, pc)

    def run_text(self, text: str, kind: str, checked: bool, back: int) -> int:
        """Run a text in this shell (eval, dot, a typed line). Raises ParseError."""
        self.deeper()
        process = self.p
        digest, code = compiled(text, tuple(process["aliases"].items()), bash=self.bash)
        self.extra += 1 + len(text) // 16
        self.kernel.keep_code(digest, code)
        self.stack.append(["E", process["code"], back, process["noexit"], kind, checked])
        process["noexit"] = process["noexit"] or not checked
        return self.go(digest, 0)

    def trap(self, text: str, back: int) -> None:
        """Run a trap before going on at ``back``; afterwards all is as it was."""
        process = self.p
        digest, code = compiled(text, tuple(process["aliases"].items()), bash=self.bash)
        self.kernel.keep_code(digest, code)
        self.stack.append(
            [
                "T", process["code"], back, self.status, process["call"], dict(process["res"]), process["sub"],
                process["noexit"],
            ]
        )  # fmt: skip
        process["call"] = None
        process["code"] = digest
        self.next = 0

    def restore_locals(self, saved: dict[str, Any]) -> None:
        """Variables that were local to a function get their old values."""
        exported = self.p["exported"]
        for name, (value, was_exported) in saved.items():
            if value is None:
                self.vars.pop(name, None)
            else:
                self.vars[name] = value
            if was_exported:
                exported[name] = 1
            else:
                exported.pop(name, None)
            if name == "PATH":
                self.p["hash"] = {}

    def pop_code(self, frame: list[Any]) -> int:
        """Leave a frame (already off the stack) that has code to go back to."""
        process = self.p
        kind = frame[0]
        if kind == "C":
            process["args"], process["noexit"] = frame[3], frame[4]
            self.restore_locals(frame[5])
        elif kind == "E":
            process["noexit"] = frame[3]
        else:
            self.status = frame[3]
            process["call"], process["res"], process["sub"], process["noexit"] = frame[4:8]
        self.pop_auto()
        return self.go(frame[1], frame[2])

    def unwind_all(self) -> None:
        """Leave every frame: the shell ends, or an interactive one drops what it was doing."""
        while self.stack:
            frame = self.stack.pop()
            if isinstance(frame, list):
                if frame[0] == "R":
                    self.restore(frame)
                elif frame[0] in "CET":
                    status = self.status
                    self.pop_code(frame)
                    self.status = status

    def write_error(self, fds: dict[str, str], command: str, message: str, line: bool) -> None:
        """What a builtin complains of."""
        if "2" in fds:
            try:
                self.write(fds, 2, f"{self.prefix(command) if line else 'sh: '}{message}\n")
            except FileError:
                self.status = 1
