"""`sed`: s, y, p, d, q, =, a, i, c, n with addresses; no branches, no hold space."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..context import Command, Context, decode, encode
from ..errors import Stopped, UsageError
from ..limits import MAX_TEXT_LINE
from ..options import options
from ..pattern import printable, regex

MAX_COMMANDS = 200


@dataclass(slots=True)
class _Address:
    line: int = 0
    last: bool = False
    compiled: Any = None
    plus: int = -1
    step: int = 0


@dataclass(slots=True)
class _Instruction:
    letter: str
    start: _Address | None = None
    end: _Address | None = None
    negated: bool = False
    compiled: Any = None
    replacement: str = ""
    every: bool = False
    nth: int = 1
    show: bool = False
    table: dict[str, str] = field(default_factory=dict)
    text: str = ""
    inside: bool = False
    until: int = 0


class _Script:
    def __init__(self, text: str, extended: bool) -> None:
        self.text = text
        self.at = 0
        self.extended = extended
        self.previous: Any = None

    def parse(self) -> list[_Instruction]:
        """All instructions of the script."""
        result: list[_Instruction] = []
        while True:
            while self.at < len(self.text) and self.text[self.at] in " \t\n;":
                self.at += 1
            if self.at >= len(self.text):
                return result
            if self.text[self.at] == "#":
                end = self.text.find("\n", self.at)
                self.at = end if end >= 0 else len(self.text)
                continue
            if len(result) >= MAX_COMMANDS:
                raise UsageError(f"a script may have at most {MAX_COMMANDS} commands", 1)
            result.append(self._instruction())

    def _instruction(self) -> _Instruction:
        start = self._address()
        end = None
        if start is not None and self.text.startswith(",", self.at):
            self.at += 1
            end = self._address()
            if end is None:
                raise UsageError("unexpected `,'", 1)
        self._blanks()
        negated = False
        while self.text.startswith("!", self.at):
            negated = True
            self.at += 1
        self._blanks()
        letter = self.text[self.at : self.at + 1]
        self.at += 1
        made = _Instruction(letter, start, end, negated)
        match letter:
            case "s":
                self._substitute(made)
            case "y":
                self._transliterate(made)
            case "a" | "i" | "c":
                self._text(made)
            case "p" | "d" | "q" | "=" | "n":
                pass
            case "":
                raise UsageError("missing command", 1)
            case _:
                raise UsageError(f"the command `{letter}' is not supported here (s y p d q = a i c n are)", 1)
        self._blanks()
        if self.at < len(self.text) and self.text[self.at] not in ";\n#}":
            raise UsageError("extra characters after command", 1)
        return made

    def _blanks(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in " \t":
            self.at += 1

    def _address(self) -> _Address | None:
        self._blanks()
        char = self.text[self.at : self.at + 1]
        if char == "$":
            self.at += 1
            return _Address(last=True)
        if char.isdigit():
            line = self._digits()
            if self.text.startswith("~", self.at):
                self.at += 1
                return _Address(line=line, step=max(self._digits(), 1))
            return _Address(line=line)
        if char == "+":
            self.at += 1
            return _Address(plus=self._digits())
        if char == "/" or (char == "\\" and self.at + 1 < len(self.text)):
            if char == "\\":
                self.at += 1
            body = self._delimited(self.text[self.at], keep=False)
            fold = self.text.startswith("I", self.at)
            self.at += fold
            return _Address(compiled=self._regex(body, fold))
        return None

    def _digits(self) -> int:
        start = self.at
        while self.at < len(self.text) and self.text[self.at] in "0123456789":
            self.at += 1
        return int(self.text[start : self.at][:9] or 0)

    def _regex(self, body: str, fold: bool) -> Any:
        if body == "":
            if self.previous is None:
                raise UsageError("no previous regular expression", 1)
            return self.previous
        self.previous = regex(body, extended=self.extended, ignore_case=fold)
        return self.previous

    def _delimited(self, mark: str, keep: bool) -> str:
        """Text between two marks; `at` stands on the first, then behind the second."""
        self.at += 1
        out: list[str] = []
        in_bracket = False
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == "\\" and not in_bracket and self.at + 1 < len(self.text):
                following = self.text[self.at + 1]
                out.append(following if following == mark and mark not in "&" else char + following)
                self.at += 2
                continue
            if not keep and char == "[" and not in_bracket:
                in_bracket = True
            elif char == "]" and in_bracket and out[-1] not in ("[", "^"):
                in_bracket = False
            if char == mark and not in_bracket:
                self.at += 1
                return "".join(out)
            if char == "\n" and not keep:
                break
            out.append(char)
            self.at += 1
        raise UsageError("unterminated address regex or `s' command", 1)

    def _substitute(self, made: _Instruction) -> None:
        mark = self.text[self.at : self.at + 1]
        if mark in ("", "\n", "\\"):
            raise UsageError("unterminated `s' command", 1)
        body = self._delimited(mark, keep=False)
        self.at -= 1
        made.replacement = self._delimited(mark, keep=True)
        fold = False
        while self.at < len(self.text) and (self.text[self.at] in "gpiI" or self.text[self.at].isdigit()):
            flag = self.text[self.at]
            if flag.isdigit():
                made.nth = max(self._digits(), 1)
                continue
            made.every = made.every or flag == "g"
            made.show = made.show or flag == "p"
            fold = fold or flag in "iI"
            self.at += 1
        if self.at < len(self.text) and self.text[self.at] in "ewm":
            raise UsageError(f"the flag `{self.text[self.at]}' of `s' is not supported here", 1)
        made.compiled = self._regex(body, fold)

    def _transliterate(self, made: _Instruction) -> None:
        mark = self.text[self.at : self.at + 1]
        if not mark:
            raise UsageError("unterminated `y' command", 1)
        source = self._delimited(mark, keep=True).replace("\\n", "\n").replace("\\\\", "\\")
        self.at -= 1
        target = self._delimited(mark, keep=True).replace("\\n", "\n").replace("\\\\", "\\")
        if len(source) != len(target):
            raise UsageError("strings for `y' command are different lengths", 1)
        made.table = dict(zip(source, target, strict=True))

    def _text(self, made: _Instruction) -> None:
        self._blanks()
        if self.text.startswith("\\", self.at):
            self.at += 1
            self._blanks()
            if self.text.startswith("\n", self.at):
                self.at += 1
        lines: list[str] = []
        while True:
            end = self.text.find("\n", self.at)
            line = self.text[self.at : end if end >= 0 else len(self.text)]
            self.at = end if end >= 0 else len(self.text)
            if line.endswith("\\") and end >= 0:
                lines.append(line[:-1])
                self.at += 1
                continue
            lines.append(line)
            break
        made.text = "\n".join(lines) + "\n"


def _matches(address: _Address, number: int, last: bool, text: str) -> bool:
    if address.last:
        return last
    if address.compiled is not None:
        return address.compiled.search(printable(text)) is not None
    if address.step:
        return number >= address.line and (number - address.line) % address.step == 0
    return number == address.line


def _selected(made: _Instruction, number: int, last: bool, text: str) -> bool:
    if made.start is None:
        return not made.negated
    if made.end is None:
        return _matches(made.start, number, last, text) != made.negated
    if made.inside:
        end = made.end
        if end.compiled is not None or end.last:
            made.inside = not _matches(end, number, last, text)
            hit = True
        else:
            made.inside = number < made.until
            hit = number <= made.until
    else:
        hit = _matches(made.start, number, last, text)
        if hit:
            end = made.end
            made.until = number + end.plus if end.plus >= 0 else end.line
            made.inside = end.compiled is not None or (end.last and not last) or made.until > number
    return hit != made.negated


async def _replace(ctx: Context, made: _Instruction, text: str) -> tuple[str, bool]:
    out: list[str] = []
    at, done, size, seen = 0, 0, 0, 0
    for match in made.compiled.finditer(printable(text)):
        start, end = match.span()
        seen += 1
        await ctx.tick(1 + (end - start) // 256)
        if seen < made.nth:
            continue
        piece = _expand(made.replacement, text, match)
        out += [text[at:start], piece]
        size += len(piece)
        at, done = end, done + 1
        if size > MAX_TEXT_LINE:
            raise Stopped("sed would make a line of more than 1 MiB")
        if not made.every:
            break
    out.append(text[at:])
    return "".join(out), done > 0


def _expand(replacement: str, text: str, match: Any) -> str:
    out: list[str] = []
    at = 0
    while at < len(replacement):
        char = replacement[at]
        at += 1
        if char == "&":
            out.append(text[match.start() : match.end()])
        elif char == "\\" and at < len(replacement):
            following = replacement[at]
            at += 1
            if following.isdigit():
                group = int(following)
                if group > match.re.groups:
                    raise UsageError(f"invalid reference \\{group} on `s' command's RHS", 1)
                start, end = match.span(group)
                out.append(text[start:end] if start >= 0 else "")
            else:
                out.append({"n": "\n", "t": "\t"}.get(following, following))
        else:
            out.append(char)
    return "".join(out)


class _Sed:
    def __init__(self, ctx: Context, program: list[_Instruction], quiet: bool) -> None:
        self.ctx = ctx
        self.program = program
        self.quiet = quiet
        self.out: list[bytes] = []

    async def edit(self, data: str) -> bool:
        """Edit one input; true if `q` ended it."""
        lines = data.split("\n")
        final_newline = lines[-1] == ""
        if final_newline:
            lines.pop()
        number = 0
        while number < len(lines):
            text = lines[number]
            number += 1
            await self.ctx.tick(1 + len(text) // 256)
            after: list[str] = []
            state = ""
            for made in self.program:
                await self.ctx.tick()
                last = number == len(lines)
                if not _selected(made, number, last, text):
                    continue
                if made.letter == "n":
                    if not self.quiet:
                        await self._print(text + "\n")
                    if last:
                        state = "deleted"
                        break
                    text = lines[number]
                    number += 1
                    continue
                text, state = await self._apply(made, text, number, after)
                if state:
                    break
            ending = "" if number == len(lines) and not final_newline else "\n"
            if not self.quiet and state != "deleted":
                await self._print(text + ending)
            for each in after:
                await self._print(each)
            if state == "quit":
                return True
        return False

    async def _apply(self, made: _Instruction, text: str, number: int, after: list[str]) -> tuple[str, str]:
        match made.letter:
            case "s":
                text, changed = await _replace(self.ctx, made, text)
                if changed and made.show:
                    await self._print(text + "\n")
            case "y":
                text = "".join(made.table.get(char, char) for char in text)
            case "p":
                await self._print(text + "\n")
            case "=":
                await self._print(f"{number}\n")
            case "d":
                return text, "deleted"
            case "c":
                if made.end is None or not made.inside:
                    await self._print(made.text)
                return text, "deleted"
            case "i":
                await self._print(made.text)
            case "a":
                after.append(made.text)
            case "q":
                return text, "quit"
        return text, ""

    async def _print(self, text: str) -> None:
        self.out.append(encode(text))
        if sum(map(len, self.out[-64:])) > 4096 or len(self.out) >= 64:
            await self.flush()

    async def flush(self) -> None:
        """Pass on what was printed (only without -i)."""
        if self.target is None:
            data, self.out = b"".join(self.out), []
            await self.ctx.stdout.write(data)

    target: str | None = None


async def run(ctx: Context, argv: list[str]) -> int:
    """Edit lines."""
    opts = options(
        argv, "nErisz", "ef", {"quiet": "n", "expression": "e", "in-place": "i", "regexp-extended": "E"}
    )
    operands = list(opts.operands)
    if opts.flag("f", "z"):
        raise UsageError("the options -f and -z are not supported here", 1)
    scripts = list(opts.given.get("e", []))
    if not scripts:
        if not operands:
            raise UsageError("usage: sed [-nEi] script [file …]", 1)
        scripts = [operands.pop(0)]
    text = "\n".join(scripts)
    extended = opts.flag("E", "r")
    if opts.flag("i"):
        if not operands:
            raise UsageError("no input files", 1)
        for name in operands:
            path = ctx.must_be_file(name)
            sed = _Sed(ctx, _Script(text, extended).parse(), opts.flag("n"))
            sed.target = path
            await sed.edit(decode(ctx.vfs.read(path)))
            ctx.vfs.write(path, b"".join(sed.out))
        return 0
    sed = _Sed(ctx, _Script(text, extended).parse(), opts.flag("n"))
    data, status = await ctx.input(operands)
    await sed.edit(data)
    await sed.flush()
    return 2 if status else 0


COMMAND = Command("sed", "edit lines", run, usage="sed [-nEi] script [file …]")
