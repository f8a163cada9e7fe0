"""What a `sed` script does with lines: the pattern space, the hold space, one cycle after the other."""

from __future__ import annotations

import contextlib
from typing import Any

from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Sys
from cluster_engine.linux.programs._common import MAX_LINE, fail
from cluster_engine.linux.programs.sed.script import Address, Command
from cluster_engine.linux.regex import found, spans
from cluster_engine.linux.text import characters, octets

MAX_ROUNDS = 100_000
"""Commands that one line may take (loops with `b` and `t`)."""


class Editor:
    """One run over a list of lines, which are characters."""

    def __init__(self, sys: Sys, program: list[Command], quiet: bool) -> None:
        self.sys = sys
        self.program = program
        self.quiet = quiet
        self.out: list[str] = []
        self.hold = ""
        self.number = 0
        self.labels = {made.text: at for at, made in enumerate(program) if made.letter == ":"}

    def edit(self, data: str) -> int | None:
        """Edits one input; the status if `q` ended it."""
        rows = characters(data).split("\n")
        newline = rows[-1] == ""
        if newline:
            rows.pop()
        return self.lines(rows, newline)

    def lines(self, rows: list[str], newline: bool = True) -> int | None:
        """Edits some lines, the last of which has a newline or not; the status if `q` ended it."""
        self.rows, self.row, self.newline = rows, 0, newline
        again: str | None = None
        while again is not None or self.row < len(rows):
            if again is None:
                text = self._line()
            else:
                text, again = again, None
            self.after: list[str] = []
            text, state, status = self._cycle(text)
            if state == "again":
                again = text
            elif state not in ("deleted", "silent") and not self.quiet:
                self._put(text)
            self.out += self.after
            if state in ("quit", "silent"):
                return status
        return None

    def _line(self) -> str:
        text = self.rows[self.row]
        self.row += 1
        self.number += 1
        self.sys.tick(1 + len(text) // 256)
        return text

    def _put(self, text: str) -> None:
        last = self.row == len(self.rows) and not self.newline
        self.out.append(text if last else text + "\n")

    def _cycle(self, text: str) -> tuple[str, str, int]:
        """One line through the script: (the pattern space, how it ended, exit status)."""
        at, rounds, replaced = 0, 0, False
        while at < len(self.program):
            made = self.program[at]
            at += 1
            rounds += 1
            if rounds > MAX_ROUNDS:
                fail(
                    self.sys,
                    f"a script that takes more than {MAX_ROUNDS} commands for a line is not run here",
                    4,
                )
            if not self._selected(made, text):
                if made.letter == "{":
                    at = made.partner + 1
                continue
            match made.letter:
                case "s":
                    text, changed = self._replace(made, text)
                    replaced = replaced or changed
                    if changed and made.show:
                        self.out.append(text + "\n")
                    if changed and made.text:
                        self._write(made, text)
                case "y":
                    text = "".join(made.table.get(char, char) for char in text)
                case "p":
                    self.out.append(text + "\n")
                case "P":
                    self.out.append(text.partition("\n")[0] + "\n")
                case "l":
                    self.out.append(
                        text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n") + "$\n"
                    )
                case "=":
                    self.out.append(f"{self.number}\n")
                case "d":
                    return text, "deleted", 0
                case "D":
                    _, more, rest = text.partition("\n")
                    return (rest, "again", 0) if more else (text, "deleted", 0)
                case "c":
                    if made.end is None or not made.inside or made.negated:
                        self.out.append(made.text)
                    return text, "deleted", 0
                case "i":
                    self.out.append(made.text)
                case "a":
                    self.after.append(made.text)
                case "r":
                    with contextlib.suppress(FileError):
                        self.after.append(characters(self.sys.fs.read(octets(made.text))))
                case "w":
                    self._write(made, text)
                case "q":
                    return text, "quit", made.nth
                case "Q":
                    return text, "silent", made.nth
                case "n" | "N":
                    if self.row == len(self.rows):
                        return text, ("quit" if made.letter == "N" or not self.quiet else "silent"), 0
                    if made.letter == "N":
                        text = f"{text}\n{self._line()}"
                    else:
                        if not self.quiet:
                            self._put(text)
                        self.out += self.after
                        self.after = []
                        text = self._line()
                case "h":
                    self.hold = text
                case "H":
                    self.hold = f"{self.hold}\n{text}"
                case "g":
                    text = self.hold
                case "G":
                    text = f"{text}\n{self.hold}"
                case "x":
                    text, self.hold = self.hold, text
                case "b":
                    at = self.labels[made.text] if made.text else len(self.program)
                case "t" | "T":
                    if replaced == (made.letter == "t"):
                        at = self.labels[made.text] if made.text else len(self.program)
                    replaced = False
            if len(text) > MAX_LINE or len(self.hold) > MAX_LINE:
                fail(self.sys, "a line of more than 1 MiB is not made here", 4)
        return text, "", 0

    def _write(self, made: Command, text: str) -> None:
        name = octets(made.text)
        if name in ("/dev/stdout", "/dev/stderr"):
            self.out.append(text + "\n")
            return
        try:
            self.sys.fs.write(name, octets(text + "\n"), append=made.begun)
        except FileError as error:
            fail(self.sys, f"couldn't open file {name}: {error.reason}", 4)
        made.begun = True

    def _selected(self, made: Command, text: str) -> bool:
        if made.start is None:
            return not made.negated
        if made.end is None:
            return self._matches(made.start, text) != made.negated
        number, end = self.number, made.end
        if made.inside:
            if end.compiled is not None or end.last:
                made.inside = not self._matches(end, text)
                hit = True
            else:
                made.inside = number < made.until
                hit = number <= made.until
        elif made.start.line == 0 and number == 1 and end.compiled is not None:
            hit = True
            made.inside = not self._matches(end, text)
        else:
            hit = self._matches(made.start, text)
            if hit:
                made.until = number + end.plus if end.plus >= 0 else end.line
                made.inside = (
                    end.compiled is not None or (end.last and not self._last()) or made.until > number
                )
        return hit != made.negated

    def _last(self) -> bool:
        return self.row == len(self.rows)

    def _matches(self, address: Address, text: str) -> bool:
        if address.compiled is not None:
            return found(address.compiled, text)
        if address.last:
            return self._last()
        if address.step:
            return self.number >= address.line and (self.number - address.line) % address.step == 0
        return self.number == address.line

    def _replace(self, made: Command, text: str) -> tuple[str, bool]:
        out: list[str] = []
        at, done, size, seen = 0, 0, 0, 0
        for match in spans(made.compiled, text):
            start, end = match.span()
            if start == end and start == at and done:
                continue  # nothing right behind a match is no match
            seen += 1
            if seen < made.nth:
                continue
            piece = _expand(made.replacement, text, match)
            out += [text[at:start], piece]
            size += len(piece)
            at, done = end, done + 1
            if size > MAX_LINE:
                fail(self.sys, "a line of more than 1 MiB is not made here", 4)
            if not made.every:
                break
        self.sys.tick(seen)
        out.append(text[at:])
        return "".join(out), done > 0


_CASES = {"U": str.upper, "L": str.lower}


def _expand(replacement: str, text: str, match: Any) -> str:
    out: list[str] = []
    case = once = ""
    at = 0
    while at < len(replacement):
        char = replacement[at]
        at += 1
        if char == "&":
            piece = text[match.start() : match.end()]
        elif char == "\\" and at < len(replacement):
            following = replacement[at]
            at += 1
            if following in "ULE":
                case = "" if following == "E" else following
                continue
            if following in "ul":
                once = following.upper()
                continue
            if following.isdigit():
                start, end = match.span(int(following))
                piece = text[start:end] if start >= 0 else ""
            else:
                piece = {"n": "\n", "t": "\t"}.get(following, following)
        else:
            piece = char
        if case:
            piece = _CASES[case](piece)
        if once and piece:
            piece, once = _CASES[once](piece[0]) + piece[1:], ""
        out.append(piece)
    return "".join(out)
