"""What a pager shows: lines folded to rows of the screen, places among them, and what stands out in a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cluster_engine.linux.regex import printable, spans
from cluster_engine.linux.text import characters
from cluster_engine.linux.width import char_width

TAB = 8
_MARK, _PLAIN = "\x1b[7m", "\x1b[27m"
Place = tuple[int, int]
"""A line, and a row of it."""


def visible(line: str) -> str:
    """A line of characters as it is shown: tabs as spaces, what was struck over once, control characters as ``^X``."""
    if line.isprintable():
        return line
    shown: list[str] = []
    for char in line.rstrip("\r"):
        if char == "\b":
            del shown[-1:]
        elif char == "\t":
            shown.append(" " * (TAB - sum(map(len, shown)) % TAB))
        elif char < " " or char == "\x7f":
            shown.append(f"^{chr(ord(char) ^ 64)}")
        else:
            shown.append(char)
    return printable("".join(shown))


def folded(line: str, cols: int, *, chop: bool = False) -> list[str]:
    """The rows that a line of characters takes; one when it is chopped."""
    text = visible(line)
    if text.isascii():
        rows = [text[at : at + cols] for at in range(0, len(text), cols)] or [""]
        return rows[:1] if chop else rows
    rows, width = [""], 0
    for char in text:
        size = char_width(char)
        if width + size > cols:
            if chop:
                break
            rows.append("")
            width = 0
        rows[-1] += char
        width += size
    return rows


def marked(row: str, pattern: Any) -> str:
    """A row with what a pattern finds in it in reverse."""
    if pattern is None or not row:
        return row
    out, at = [], 0
    for match in spans(pattern, row):
        begin, end = match.span()
        if end > begin:
            out += [row[at:begin], _MARK, row[begin:end], _PLAIN]
            at = end
    return "".join([*out, row[at:]])


@dataclass(frozen=True, slots=True)
class View:
    """Lines (byte text) as a screen of ``cols`` by ``page`` rows shows them."""

    lines: Sequence[str]
    cols: int
    page: int
    chop: bool = False
    numbers: bool = False

    def rows_of(self, line: int) -> list[str]:
        """The rows of one line."""
        if not self.numbers:
            return folded(characters(self.lines[line]), self.cols, chop=self.chop)
        first, *more = folded(characters(self.lines[line]), max(1, self.cols - TAB), chop=self.chop)
        return [f"{line + 1:7} {first}", *(" " * TAB + row for row in more)]

    def rows(self, line: int, row: int) -> list[str]:
        """What stands on the screen when it begins there."""
        found: list[str] = []
        while line < len(self.lines) and len(found) < self.page:
            found += self.rows_of(line)[row:]
            line, row = line + 1, 0
        return found[: self.page]

    def below(self, line: int, row: int, count: int) -> Place | None:
        """The place of the ``count``-th row from there (1 is the place itself); None when the text is shorter."""
        row += count - 1
        while line < len(self.lines):
            here = len(self.rows_of(line))
            if row < here:
                return line, row
            line, row = line + 1, row - here
        return None

    def last(self) -> Place:
        """Where the screen begins that shows the end."""
        return self._above(len(self.lines), 0, self.page)

    def _above(self, line: int, row: int, count: int) -> Place:
        while count > row:
            if line == 0:
                return 0, 0
            count -= row
            line -= 1
            row = len(self.rows_of(line))
        return line, row - count

    def moved(self, line: int, row: int, steps: int) -> Place:
        """So many rows down, or up; no further than the screen that shows the end."""
        if steps < 0:
            return self._above(line, row, -steps)
        place = self.below(line, row, steps + 1)
        last = self.last()
        return min(place or last, max(last, (line, row)))
