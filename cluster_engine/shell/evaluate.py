"""Walks the syntax: one method per node, one step counted per command and loop round.

`io` maps descriptors to streams and is passed down; a redirection passes on a changed copy.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from cluster_engine.linux.sh.parse import parse
from cluster_engine.linux.sh.syntax import (
    AndOr,
    Assignment,
    Case,
    For,
    Function,
    If,
    Loop,
    Node,
    Not,
    Pipeline,
    Redirected,
    Sequence,
    Simple,
    Subshell,
)

from . import pattern
from .context import Command, Context, encode
from .errors import (
    ExitControl,
    Interrupted,
    LoopControl,
    ParseError,
    ReturnControl,
    ShellError,
    Stopped,
    UsageError,
    VfsError,
)
from .external import ExecCall, ExecRequest
from .process import Process
from .redirect import device, redirect
from .streams import Collector, Pipe, Stream

IO = dict[int, Stream]

SYSTEM_DIRECTORIES = ("/bin", "/usr/bin", "/usr/local/bin", "/sbin", "/usr/sbin")


class Evaluator:
    """Evaluates nodes in the state of one process."""

    def __init__(self, process: Process) -> None:
        from .expand import Expander

        self.process = process
        self.shell = process.shell
        self.kernel = process.shell.kernel
        self.expander = Expander(process)

    # --- processes --------------------------------------------------------------------------

    async def run_text(self, text: str, io: IO) -> int:
        """Parse and execute a text in this process (`eval`, `.`, the line itself)."""
        await self.kernel.tick(1 + len(text) // 64)
        return await self.execute(parse(text, final=True), io)

    async def contained(self, body: Node | str, io: IO) -> int:
        """Run to the end of this process: `exit` and fatal errors stay inside."""
        try:
            if isinstance(body, str):
                return await self.run_text(body, io)
            return await self.execute(body, io)
        except ExitControl as control:
            return control.status
        except ReturnControl as control:
            return control.status
        except LoopControl:
            return 0
        except ShellError as error:
            await self.complain(str(error), io)
            return error.status

    async def complain(self, message: str, io: IO) -> None:
        """`sh: <message>` on standard error."""
        if 2 in io:
            await io[2].write(encode(f"{self.process.name}: {message}\n"))

    async def substitute(self, body: Node, io: IO) -> str:
        """`$( … )`."""
        collector = Collector(self.kernel, self.kernel.limits.value)
        child = self.process.fork()
        child.depth += 2
        self.process.substituted = await child.evaluator.contained(body, {**io, 1: collector})
        data = bytes(collector.data).replace(b"\0", b"")
        return data.decode("utf-8", "surrogateescape").rstrip("\n")

    async def capture(self, text: str, io: IO) -> bytes:
        """Run a text in this process and return what it printed on 1 and 2 (`watch`)."""
        collector = Collector(self.kernel, self.kernel.limits.value)
        await self.contained(text, {**io, 1: collector, 2: collector})
        return bytes(collector.data)

    def device(self, name: str, io: IO) -> Stream | None:
        """The stream of a path below /dev."""
        return device(self.shell, name, io)

    # --- nodes ------------------------------------------------------------------------------

    async def execute(self, node: Node, io: IO) -> int:
        """Evaluate a node; its status is also `$?`."""
        process = self.process
        process.depth += 1
        if process.depth > self.kernel.limits.depth:
            process.depth -= 1
            raise Stopped(f"commands nested more than {self.kernel.limits.depth} deep")
        try:
            status = await _HANDLERS[type(node)](self, node, io)
        finally:
            process.depth -= 1
        process.status = status
        return status

    def _check_errexit(self, status: int) -> int:
        if status and "e" in self.process.options and not self.process.conditions:
            raise ExitControl(status)
        return status

    async def _condition(self, node: Node, io: IO) -> int:
        self.process.conditions += 1
        try:
            return await self.execute(node, io)
        finally:
            self.process.conditions -= 1

    async def _sequence(self, node: Sequence, io: IO) -> int:
        status = 0
        for item in node.items:
            status = await self.execute(item, io)
        return status

    async def _and_or(self, node: AndOr, io: IO) -> int:
        nodes = [("", node.first), *node.rest]
        status = 0
        for index, (operator, item) in enumerate(nodes):
            if index and (status == 0) != (operator == "&&"):
                continue
            if index < len(nodes) - 1:
                status = await self._condition(item, io)
            else:
                status = await self.execute(item, io)
        return status

    async def _not(self, node: Not, io: IO) -> int:
        return 0 if await self._condition(node.body, io) else 1

    async def _pipeline(self, node: Pipeline, io: IO) -> int:
        reader: Stream | None = None
        tasks = []
        for index, member in enumerate(node.members):
            member_io, owned = dict(io), []
            if reader is not None:
                member_io[0] = reader
                owned.append(reader)
            if index < len(node.members) - 1:
                pipe = Pipe(self.kernel)
                member_io[1] = pipe.writer
                owned.append(pipe.writer)
                reader = pipe.reader
            child = self.process.fork()
            tasks.append(self.kernel.spawn(child.evaluator._member(member, member_io, owned)))
        statuses = [await self.kernel.join(task) for task in tasks]
        status = statuses[-1]
        if "pipefail" in self.process.options:
            status = next((each for each in reversed(statuses) if each), 0)
        return self._check_errexit(status)

    async def _member(self, node: Node, io: IO, owned: list[Stream]) -> int:
        try:
            return await self.contained(node, io)
        finally:
            for stream in owned:
                stream.close()

    async def _subshell(self, node: Subshell, io: IO) -> int:
        child = self.process.fork()
        return self._check_errexit(await child.evaluator.contained(node.body, io))

    async def _redirected(self, node: Redirected, io: IO) -> int:
        try:
            inner = await redirect(self, node.redirects, io)
        except ShellError as error:
            await self.complain(str(error), io)
            return self._check_errexit(error.status)
        return await self.execute(node.body, inner)

    async def _if(self, node: If, io: IO) -> int:
        for condition, body in node.arms:
            if await self._condition(condition, io) == 0:
                return await self.execute(body, io)
        return await self.execute(node.otherwise, io) if node.otherwise is not None else 0

    async def _loop(self, node: Loop, io: IO) -> int:
        status = 0
        self.process.loops += 1
        try:
            while True:
                await self.kernel.tick()
                try:
                    if (await self._condition(node.condition, io) == 0) == node.until:
                        return status
                    status = await self.execute(node.body, io)
                except LoopControl as control:
                    if self._leaves(control):
                        return 0
        finally:
            self.process.loops -= 1

    def _leaves(self, control: LoopControl) -> bool:
        """Does `break`/`continue` end this loop? Raises it on while it is meant for an outer one."""
        if control.levels > 1 and self.process.loops > 1:
            control.levels -= 1
            raise control
        return control.kind == "break"

    async def _for(self, node: For, io: IO) -> int:
        if node.words is None:
            values = list(self.process.positional)
        else:
            values = await self.expander.fields(node.words, io)
        status = 0
        self.process.loops += 1
        try:
            for value in values:
                await self.kernel.tick()
                self.process.assign(node.name, value)
                try:
                    status = await self.execute(node.body, io)
                except LoopControl as control:
                    if self._leaves(control):
                        return 0
            return status
        finally:
            self.process.loops -= 1

    async def _case(self, node: Case, io: IO) -> int:
        await self.kernel.tick()
        subject = await self.expander.text(node.subject, io)
        for patterns, body in node.items:
            for word in patterns:
                await self.kernel.tick(1 + len(subject) // 256)
                if pattern.matches(await self.expander.segments(word, io), subject):
                    return await self.execute(body, io)
        return 0

    async def _function(self, node: Function, io: IO) -> int:
        await self.kernel.tick()
        existing = self.shell.commands.get(node.name)
        if existing is not None and existing.special:
            raise ShellError(f"{node.name}: a special builtin cannot be redefined")
        functions = self.process.functions
        if len(functions) >= self.kernel.limits.functions:
            raise Stopped(f"more than {self.kernel.limits.functions} functions")
        functions[node.name] = node.body
        self.process.sources[node.name] = node.source
        return 0

    # --- simple commands --------------------------------------------------------------------

    async def _simple(self, node: Simple, io: IO) -> int:
        await self.kernel.tick()
        process = self.process
        process.substituted = 0
        words, assignments, redirects = node.words, node.assignments, node.redirects
        if words and process.aliases:
            words, assignments, redirects = self._alias(words, assignments, redirects)
        argv = await self.expander.fields(words, io) if words else []
        try:
            inner = await redirect(self, redirects, io) if redirects else io
        except ShellError as error:
            await self.complain(str(error), io)
            return self._check_errexit(error.status)
        values = await self._values(assignments, io, keep=not argv) if assignments else []
        if "x" in process.options and 2 in io:
            shown = [f"{name}={value}" for name, value in values] + argv
            await io[2].write(encode("+ " + " ".join(shown) + "\n"))
        if not argv:
            return self._check_errexit(process.substituted)
        return self._check_errexit(await self.invoke(argv, values, inner))

    async def _values(
        self, assignments: tuple[Assignment, ...], io: IO, *, keep: bool
    ) -> list[tuple[str, str]]:
        """Expand assignments in order, each seeing those before it (`a=1 b=$a`)."""
        process = self.process
        values: list[tuple[str, str]] = []
        before: list[tuple[str, str | None]] = []
        try:
            for assignment in assignments:
                value = await self.expander.text(assignment.value, io)
                values.append((assignment.name, value))
                before.append((assignment.name, process.get(assignment.name)))
                process.assign(assignment.name, value)
        finally:
            if not keep:
                for name, old in reversed(before):
                    if old is None:
                        process.unset(name)
                    else:
                        process.assign(name, old)
        return values

    def _alias(self, words: Any, assignments: Any, redirects: Any) -> Any:
        process = self.process
        seen: list[str] = []
        while words and (name := words[0].plain()) in process.aliases and name not in seen:
            assert name is not None
            seen.append(name)
            expansion = parse(process.aliases[name], final=True)
            if not isinstance(expansion, Simple):
                raise ShellError(f"alias {name}: only a simple command can be an alias")
            words = (*expansion.words, *words[1:])
            assignments = (*assignments, *expansion.assignments)
            redirects = (*expansion.redirects, *redirects)
        return words, assignments, redirects

    async def invoke(self, argv: list[str], values: list[tuple[str, str]], io: IO) -> int:
        """Run a function, command or external program with prefix assignments in place."""
        process = self.process
        command = self.shell.commands.get(argv[0])
        if not values:
            return await self._dispatch(argv, command, io)
        if command is not None and command.special:
            for name, value in values:
                process.assign(name, value)
            return await self._dispatch(argv, command, io)
        saved = [(name, process.get(name), name in process.exported) for name, _ in values]
        try:
            for name, value in values:
                process.assign(name, value)
                process.exported[name] = None
            return await self._dispatch(argv, command, io)
        finally:
            for name, before, exported in reversed(saved):
                if before is None:
                    process.unset(name)
                else:
                    process.assign(name, before)
                    if not exported:
                        process.exported.pop(name, None)

    async def _dispatch(self, argv: list[str], command: Command | None, io: IO) -> int:
        name = argv[0]
        if command is not None and command.special:
            return await self._builtin(command, argv, io)
        if name in self.process.functions:
            return await self._call(name, argv, io)
        return await self.dispatch_program(argv, command, io)

    async def dispatch_program(self, argv: list[str], command: Command | None, io: IO) -> int:
        """A builtin, external program or script; functions are not looked at (`command`)."""
        name = argv[0]
        if command is not None:
            return await self._builtin(command, argv, io)
        if name in self.shell.externals:
            return await self._external(argv, io)
        if "/" in name:
            return await self._by_path(argv, io)
        reason = self.shell.unsupported.get(name)
        await self.complain(f"{name}: {reason}" if reason else f"{name}: not found", io)
        return 127

    async def _by_path(self, argv: list[str], io: IO) -> int:
        name, path = argv[0], self.process.path(argv[0])
        directory, _, base = path.rpartition("/")
        if directory in SYSTEM_DIRECTORIES and not self.shell.vfs.exists(path):
            known = self.shell.commands.get(base)
            if known is not None or base in self.shell.externals:
                return await self.dispatch_program([base, *argv[1:]], known, io)
        if not self.shell.vfs.exists(path):
            await self.complain(f"{name}: not found", io)
            return 127
        if self.shell.vfs.is_dir(path) or not self.shell.vfs.stat(path).mode & 0o111:
            await self.complain(f"{name}: Permission denied", io)
            return 126
        return await self.script(name, path, argv[1:], io)

    async def script(self, name: str, path: str, arguments: list[str], io: IO) -> int:
        """Run a file as a script in a new shell."""
        child = self.process.fork()
        child.variables = self.process.environment()
        child.functions, child.aliases, child.options = {}, {}, {}
        child.positional, child.name = list(arguments), name
        data = self.shell.vfs.read(path)
        if b"\0" in data:
            await self.complain(f"{name}: not a shell script (other programs cannot run here)", io)
            return 126
        return await child.evaluator.contained(data.decode("utf-8", "surrogateescape"), io)

    async def _builtin(self, command: Command, argv: list[str], io: IO) -> int:
        context = Context(self.process, argv[0], io)
        try:
            return await command.run(context, argv)
        except VfsError as error:
            await context.error(str(error))
            return 1
        except UsageError as error:
            await context.error(str(error))
            return error.status
        except ShellError as error:
            if command.special or isinstance(error, ParseError):
                raise
            await context.error(str(error))
            return error.status
        finally:
            context.release()

    async def _call(self, name: str, argv: list[str], io: IO) -> int:
        process = self.process
        positional, loops = process.positional, process.loops
        process.positional, process.loops = argv[1:], 0
        process.calls += 1
        process.locals.append({})
        try:
            return await self.execute(process.functions[name], io)
        except ReturnControl as control:
            return control.status
        finally:
            process.positional, process.loops = positional, loops
            process.calls -= 1
            for variable, (value, exported) in process.locals.pop().items():
                if value is None:
                    process.unset(variable)
                else:
                    process.assign(variable, value)
                if exported and value is not None:
                    process.exported[variable] = None

    async def _external(self, argv: list[str], io: IO) -> int:
        refusal = self.shell.externals[argv[0]].refuse(argv)
        if refusal is not None:
            await self.complain(f"{argv[0]}: {refusal}", io)
            return 1
        self.kernel.count_external()
        await self.kernel.tick(5)
        tty = all(descriptor in io and io[descriptor].is_tty for descriptor in (0, 1, 2))
        request = ExecRequest(tuple(argv), self.process.environment(), self.process.cwd, tty)
        result = await ExecCall(self.kernel, request).run(io)
        if result.interrupted:
            raise Interrupted
        return result.status


_Handler = Callable[[Evaluator, Any, IO], Awaitable[int]]
_HANDLERS: dict[type, _Handler] = {
    Simple: Evaluator._simple,
    Redirected: Evaluator._redirected,
    Pipeline: Evaluator._pipeline,
    Not: Evaluator._not,
    AndOr: Evaluator._and_or,
    Sequence: Evaluator._sequence,
    If: Evaluator._if,
    Loop: Evaluator._loop,
    For: Evaluator._for,
    Case: Evaluator._case,
    Function: Evaluator._function,
    Subshell: Evaluator._subshell,
}
