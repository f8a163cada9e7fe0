"""`grep`, over a linear-time engine."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Any

from ..context import Command, Context, decode, encode
from ..errors import UsageError, VfsError
from ..options import Options, options
from ..pattern import printable, regex

_LONG = {
    "ignore-case": "i", "invert-match": "v", "line-number": "n", "count": "c", "extended-regexp": "E",
    "fixed-strings": "F", "quiet": "q", "silent": "q", "only-matching": "o", "recursive": "r",
    "files-with-matches": "l", "files-without-match": "L", "word-regexp": "w", "line-regexp": "x",
    "regexp": "e", "after-context": "A", "before-context": "B", "context": "C", "no-filename": "h",
    "with-filename": "H", "max-count": "m", "no-messages": "s",
}  # fmt: skip


MAX_PATTERNS = 100


class _Matcher:
    def __init__(self, patterns: list[str], opts: Options) -> None:
        if len(patterns) > MAX_PATTERNS:
            raise UsageError(f"more than {MAX_PATTERNS} patterns")
        self.work = len(patterns) // 4
        self._compiled = [
            regex(
                pattern,
                extended=opts.last("EFG") == "E",
                fixed=opts.last("EFG") == "F",
                ignore_case=opts.flag("i", "y"),
            )
            for pattern in patterns
        ]
        self._word = opts.flag("w")
        self._whole = opts.flag("x")

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where the line matches, left to right, without overlaps."""
        shown = printable(text)
        streams = [self._found(compiled, shown) for compiled in self._compiled]
        last = 0
        for start, end in heapq.merge(*streams, key=lambda span: (span[0], -span[1])):
            if start >= last:
                last = end
                yield start, end

    def hit(self, text: str) -> bool:
        """Does the line match?"""
        shown = printable(text)
        return any(next(self._found(compiled, shown), None) is not None for compiled in self._compiled)

    def _found(self, compiled: Any, text: str) -> Iterator[tuple[int, int]]:
        if self._whole:
            if compiled.fullmatch(text) is not None:
                yield (0, len(text))
            return
        # `finditer` encodes the line once; searching from each position would do so each time.
        for match in compiled.finditer(text):
            start, end = match.span()
            if self._word and (start == end or _is_word(text, start - 1) or _is_word(text, end)):
                continue
            yield (start, end)


def _is_word(text: str, at: int) -> bool:
    return 0 <= at < len(text) and (text[at].isalnum() or text[at] == "_")


async def run(ctx: Context, argv: list[str]) -> int:
    """Print the lines that match."""
    opts = options(argv, "ivncEFGqorRlLwxhHsya", "eABCmf", _LONG)
    operands = list(opts.operands)
    patterns = list(opts.given.get("e", []))
    if opts.flag("f"):
        raise UsageError("-f is not supported here; use -e for each pattern")
    if not patterns:
        if not operands:
            raise UsageError("usage: grep [-EFivnclqorwx] pattern [file …]")
        patterns = [operands.pop(0)]
    matcher = _Matcher([each for pattern in patterns for each in pattern.split("\n")], opts)
    search = _Search(ctx, opts, matcher)
    names = operands or (["."] if opts.flag("r", "R") else ["-"])
    if opts.flag("r", "R"):
        names = search.expand(names)
    search.titles = opts.flag("H") or (
        not opts.flag("h") and (len(names) > 1 or (opts.flag("r", "R") and operands != ["-"]))
    )
    for name in names:
        try:
            if await search.file(name) and opts.flag("q"):
                return 0
        except VfsError as error:
            search.failed = True
            if not opts.flag("s"):
                await ctx.error(str(error))
    return 2 if search.failed else (0 if search.any else 1)


class _Search:
    def __init__(self, ctx: Context, opts: Options, matcher: _Matcher) -> None:
        self.ctx = ctx
        self.opts = opts
        self.matcher = matcher
        self.titles = False
        self.any = False
        self.failed = False
        both = opts.number("C", 0)
        self.before = opts.number("B", both)
        self.after = opts.number("A", both)

    def expand(self, names: list[str]) -> list[str]:
        """`-r`: the files below each directory."""
        found: list[str] = []
        for name in names:
            path = self.ctx.path(name)
            if self.ctx.vfs.is_dir(path):
                base = path.rstrip("/")
                prefix = "" if name == "." and "." not in self.opts.operands else name.rstrip("/") + "/"
                found += [
                    prefix + below[len(base) + 1 :] for below, is_dir in self.ctx.vfs.walk(path) if not is_dir
                ]
            else:
                found.append(name)
        return found

    async def file(self, name: str) -> bool:
        """Search one file; true if anything matched."""
        opts, ctx = self.opts, self.ctx
        stream = await ctx.open(name)
        title = "(standard input)" if name == "-" else name
        limit = opts.number("m", 10**12)
        hits, number, wait = 0, 0, 0
        last_shown = 0
        held: list[tuple[int, bytes]] = []
        show = not opts.flag("q", "c", "l", "L")
        while hits < limit or wait:
            line = await stream.readline()
            if not line:
                break
            number += 1
            text = decode(line.removesuffix(b"\n"))
            await ctx.tick(len(text) // 128 + self.matcher.work)
            selected = hits < limit and self.matcher.hit(text) != opts.flag("v")
            if selected:
                hits += 1
                self.any = self.any or not opts.flag("L")
                if opts.flag("q") or opts.flag("l", "L"):
                    break
                if show:
                    gap = number - len(held) > last_shown + 1 and last_shown
                    if gap and opts.flag("A", "B", "C"):
                        await ctx.out("--\n")
                    for earlier, content in held:
                        await self._print(title, earlier, content, "-")
                    await self._matched(title, number, line, text)
                    last_shown = number
                held, wait = [], self.after
            elif wait:
                wait -= 1
                if show and not opts.flag("o"):
                    await self._print(title, number, line, "-")
                    last_shown = number
            elif self.before:
                held = [*held, (number, line)][-self.before :]
        if opts.flag("l", "L"):
            if (hits > 0) == opts.flag("l"):
                self.any = True
                await ctx.out(title + "\n")
        elif opts.flag("c") and not opts.flag("q"):
            await ctx.out((f"{title}:" if self.titles else "") + f"{hits}\n")
        return hits > 0

    async def _matched(self, title: str, number: int, line: bytes, text: str) -> None:
        if not self.opts.flag("o"):
            await self._print(title, number, line, ":")
            return
        if self.opts.flag("v"):
            return
        for start, end in self.matcher.spans(text):
            await self.ctx.tick()
            if end > start:
                await self._print(title, number, encode(text[start:end]), ":")

    async def _print(self, title: str, number: int, line: bytes, mark: str) -> None:
        prefix = f"{title}{mark}" if self.titles else ""
        if self.opts.flag("n"):
            prefix += f"{number}{mark}"
        await self.ctx.stdout.write(encode(prefix) + line.removesuffix(b"\n") + b"\n")


COMMAND = Command("grep", "print matching lines", run, usage="grep [-EFivnclqorwx] pattern [file …]")
