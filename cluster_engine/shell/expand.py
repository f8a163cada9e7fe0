"""From words to arguments: parameters, substitutions, field splitting, globbing.

The order is POSIX's. Expanded text travels as segments (text, quoted), so that a quoted star
never becomes a pattern and quoted blanks never split.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cluster_engine.linux.sh.syntax import (
    Arithmetic,
    DoubleQuoted,
    Literal,
    Parameter,
    Part,
    Quoted,
    Substitution,
    Tilde,
    Word,
)

from . import arithmetic, pattern
from .errors import ShellError, Stopped
from .limits import size

if TYPE_CHECKING:
    from .process import Process
    from .streams import Stream

_DEFAULT_IFS = " \t\n"
_RUNS = re.compile(r"[ \t\n]+|[^ \t\n]+")


class _Fields:
    """Collects the fields of a word list."""

    def __init__(self, max_fields: int, max_bytes: int) -> None:
        self.done: list[list[tuple[str, bool]]] = []
        self.current: list[tuple[str, bool]] | None = None
        self._max_fields = max_fields
        self._max_bytes = max_bytes
        self.bytes = 0

    def add(self, text: str, quoted: bool) -> None:
        """Text that belongs to the current field."""
        if self.current is None:
            self.current = []
        self.bytes += len(text)
        if self.bytes > self._max_bytes:
            raise Stopped(f"more than {size(self._max_bytes)} in the words of one command")
        self.current.append((text, quoted))

    def end(self) -> None:
        """The current field, if any, is complete."""
        if self.current is not None:
            if len(self.done) >= self._max_fields:
                raise Stopped(f"more than {self._max_fields:,} arguments of one command")
            self.done.append(self.current)
            self.current = None

    def split(self, text: str, ifs: str) -> None:
        """The unquoted result of an expansion: blanks of IFS separate fields."""
        if ifs == _DEFAULT_IFS:
            for run in _RUNS.finditer(text):
                if run.group()[0] in _DEFAULT_IFS:
                    self.end()
                else:
                    self.add(run.group(), False)
            return
        if not ifs:
            if text:
                self.add(text, False)
            return
        white = [char for char in _DEFAULT_IFS if char in ifs]
        at, end = 0, len(text)
        while at < end:
            stop = at
            while stop < end and text[stop] not in ifs:
                stop += 1
            if stop > at:
                self.add(text[at:stop], False)
            if stop >= end:
                return
            at = stop
            while at < end and text[at] in white:
                at += 1
            if at < end and text[at] in ifs and (text[at] not in white):
                at += 1
                while at < end and text[at] in white:
                    at += 1
                if self.current is None:
                    self.add("", True)
            self.end()


class Expander:
    """Expands words in the state of one process."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._kernel = process.shell.kernel
        self._limits = process.shell.kernel.limits

    # --- the three ways to expand -----------------------------------------------------------

    async def fields(self, words: tuple[Word, ...], io: dict[int, Stream]) -> list[str]:
        """Arguments: everything applies."""
        out = _Fields(self._limits.fields, self._limits.value)
        for word in words:
            if len(word.parts) == 1 and isinstance(word.parts[0], Literal):
                out.add(word.parts[0].text, False)
            else:
                await self._parts(word.parts, out, io)
            out.end()
        await self._pay(out)
        result: list[str] = []
        glob = "f" not in self._process.options
        for field in out.done:
            if glob and pattern.is_pattern(field):
                found, work = pattern.glob(self._process.shell.vfs, self._process.cwd, field)
                await self._kernel.tick(5 + work)
                if len(found) + len(result) > self._limits.fields:
                    raise Stopped(f"more than {self._limits.fields:,} arguments of one command")
                result.extend(found or [pattern.plain(field)])
            else:
                result.append(pattern.plain(field))
        return result

    async def segments(self, word: Word, io: dict[int, Stream]) -> list[tuple[str, bool]]:
        """One pattern (`case`, `${x%…}`): no splitting, no globbing."""
        out = _Fields(self._limits.fields, self._limits.value)
        await self._parts(word.parts, out, io, split=False)
        out.end()
        await self._pay(out)
        joined: list[tuple[str, bool]] = []
        for index, field in enumerate(out.done):
            if index:
                joined.append((" ", True))
            joined.extend(field)
        return joined

    async def text(self, word: Word, io: dict[int, Stream]) -> str:
        """One string (assignments, redirections, here-documents)."""
        return pattern.plain(await self.segments(word, io))

    async def _pay(self, out: _Fields) -> None:
        """Long texts cost steps too, or copying them would be free."""
        if out.bytes > 512:
            await self._kernel.tick(out.bytes // 512)

    # --- parts ------------------------------------------------------------------------------

    async def _parts(
        self,
        parts: tuple[Part, ...],
        out: _Fields,
        io: dict[int, Stream],
        *,
        quoted: bool = False,
        split: bool = True,
        loose: bool = False,
    ) -> None:
        """Append `parts` to `out`. `loose`: unquoted literal text splits too (`${x:-a b}`)."""
        for part in parts:
            if isinstance(part, Literal):
                if loose and split:
                    out.split(part.text, self._ifs())
                else:
                    out.add(part.text, quoted)
            elif isinstance(part, Quoted):
                out.add(part.text, True)
            elif isinstance(part, Tilde):
                out.add(self._process.get("HOME") or "~", True)
            elif isinstance(part, DoubleQuoted):
                await self._double(part, out, io, split)
            elif isinstance(part, Parameter):
                await self._parameter(part, out, io, quoted, split)
            elif isinstance(part, Substitution):
                self._result(await self._process.substitute(part.body, io), out, quoted, split)
            else:
                self._result(await self._arithmetic(part, io), out, quoted, split)

    async def _double(self, part: DoubleQuoted, out: _Fields, io: dict[int, Stream], split: bool) -> None:
        before, started = len(out.done), out.current is not None
        await self._parts(part.parts, out, io, quoted=True, split=split)
        nothing = len(out.done) == before and out.current is None and not started
        if nothing and not any(isinstance(p, Parameter) and p.name == "@" for p in part.parts):
            out.add("", True)

    def _result(self, text: str, out: _Fields, quoted: bool, split: bool) -> None:
        if quoted or not split:
            if text or quoted:
                out.add(text, quoted)
        else:
            out.split(text, self._ifs())

    def _ifs(self) -> str:
        value = self._process.get("IFS")
        return _DEFAULT_IFS if value is None else value

    async def _arithmetic(self, part: Arithmetic, io: dict[int, Stream]) -> str:
        expression = await self.text(part.expression, io)
        await self._kernel.tick(1 + len(expression) // 64)
        process = self._process

        def get(name: str) -> str:
            value = process.get(name)
            if value is None and "u" in process.options:
                raise ShellError(f"{name}: parameter not set")
            return value or ""

        return str(arithmetic.evaluate(expression, get, process.assign))

    # --- parameters -------------------------------------------------------------------------

    async def _parameter(
        self, part: Parameter, out: _Fields, io: dict[int, Stream], quoted: bool, split: bool
    ) -> None:
        process, operator = self._process, part.operator
        if part.name in ("@", "*") and not operator:
            self._positional(part.name, out, quoted, split)
            return
        value = process.parameter(part.name)
        if operator == "length":
            self._result(str(len(value or "")), out, quoted, split)
            return
        if operator[:1] in ("%", "#"):
            if value is None:
                self._unset(part.name)
                value = ""
            assert part.word is not None
            await self._kernel.tick(1 + len(value) // 256)
            segments = await self.segments(part.word, io)
            self._result(pattern.trim(segments, value, operator), out, quoted, split)
            return
        missing = value is None or (operator.startswith(":") and value == "")
        if not operator:
            if value is None:
                self._unset(part.name)
            self._result(value or "", out, quoted, split)
            return
        assert part.word is not None
        kind = operator[-1]
        if kind == "+":
            if not missing:
                await self._alternative(part.word, out, io, quoted, split)
        elif not missing:
            self._result(value or "", out, quoted, split)
        elif kind == "-":
            await self._alternative(part.word, out, io, quoted, split)
        elif kind == "=":
            if not (part.name[0].isalpha() or part.name[0] == "_"):
                raise ShellError(f"{part.name}: cannot be assigned in this way")
            chosen = await self.text(part.word, io)
            process.assign(part.name, chosen)
            self._result(chosen, out, quoted, split)
        else:
            message = await self.text(part.word, io)
            default = "parameter not set or null" if operator == ":?" else "parameter not set"
            raise ShellError(f"{part.name}: {message or default}")

    async def _alternative(
        self, word: Word, out: _Fields, io: dict[int, Stream], quoted: bool, split: bool
    ) -> None:
        if quoted:
            inner = word.parts[0] if word.parts else None
            parts = inner.parts if isinstance(inner, DoubleQuoted) else word.parts
            await self._parts(parts, out, io, quoted=True, split=split)
        else:
            await self._parts(word.parts, out, io, split=split, loose=True)

    def _unset(self, name: str) -> None:
        if "u" in self._process.options and name not in ("@", "*"):
            raise ShellError(f"{name}: parameter not set")

    def _positional(self, name: str, out: _Fields, quoted: bool, split: bool) -> None:
        values = self._process.positional
        if name == "*" and quoted:
            out.add(self._ifs()[:1].join(values), True)
            return
        for index, value in enumerate(values):
            if index:
                out.end()
            if quoted:
                out.add(value, True)
            elif split:
                out.split(value, self._ifs())
            elif value:
                out.add(value, False)
