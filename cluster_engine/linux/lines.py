"""One line being edited: text, cursor, and the bytes that redraw it.

Positions are counted in terminal columns, so wide characters and lines longer than the screen
stay right. The text may hold newlines (a recalled multi-line command).
"""

from __future__ import annotations

import re
from typing import Any

from cluster_engine.linux.width import char_width

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_TAB = "    "
MAX_EDITED = 8 * 1024
"""Characters of one line being edited (a pasted text is many lines)."""


class LineEditor:
    """Edits `text`; `flush` tells what to write so that the screen shows it.

    Edits only change state, so a burst of keys costs one redraw.
    """

    def __init__(self, cols: int) -> None:
        self.cols = cols
        self.prompt = ""
        self.text = ""
        self.cursor = 0
        self.killed = ""
        self._drawn: tuple[str, str, int] | None = None
        """Prompt, text and cursor as the screen shows them."""
        self._row = 0

    @classmethod
    def load(cls, state: list[Any], cols: int) -> LineEditor:
        """As it was when it gave this ``state``, on a screen of so many columns."""
        line = cls(state[6])
        line.prompt, line.text, line.cursor, line.killed, drawn, line._row = state[:6]
        line._drawn = tuple(drawn) if drawn is not None else None
        if cols != line.cols:
            line.resize(cols)
        return line

    @property
    def state(self) -> list[Any]:
        """All of it as JSON."""
        drawn = list(self._drawn) if self._drawn is not None else None
        return [self.prompt, self.text, self.cursor, self.killed, drawn, self._row, self.cols]

    def begin(self, prompt: str, text: str = "", cursor: int | None = None) -> None:
        """Start a new line where the terminal's cursor is."""
        self.prompt, self._row, self._drawn = prompt, 0, None
        self.set(text, cursor)

    def set(self, text: str, cursor: int | None = None) -> None:
        """Replace the text."""
        self.text = text[:MAX_EDITED]
        self.cursor = len(self.text) if cursor is None else max(0, min(cursor, len(self.text)))

    def insert(self, text: str) -> bool:
        """Type text at the cursor; false if it did not fit whole."""
        whole = len(text) + len(self.text) <= MAX_EDITED
        text = text[: MAX_EDITED - len(self.text)]
        self.text = self.text[: self.cursor] + text + self.text[self.cursor :]
        self.cursor += len(text)
        return whole

    # --- moving -----------------------------------------------------------------------------

    def move(self, cursor: int) -> None:
        """Put the cursor elsewhere."""
        self.cursor = max(0, min(cursor, len(self.text)))

    def word_left(self) -> int:
        """The start of the word to the left."""
        at = self.cursor
        while at > 0 and not self.text[at - 1].isalnum():
            at -= 1
        while at > 0 and self.text[at - 1].isalnum():
            at -= 1
        return at

    def word_right(self) -> int:
        """The end of the word to the right."""
        at = self.cursor
        while at < len(self.text) and not self.text[at].isalnum():
            at += 1
        while at < len(self.text) and self.text[at].isalnum():
            at += 1
        return at

    # --- removing ---------------------------------------------------------------------------

    def remove(self, start: int, end: int, *, keep: bool = False) -> None:
        """Remove a range; `keep` makes it available to `yank`."""
        start, end = max(0, start), min(end, len(self.text))
        if start < end:
            if keep:
                self.killed = self.text[start:end]
            self.set(self.text[:start] + self.text[end:], start)

    def blank_left(self) -> int:
        """The start of the blank-separated word to the left (Ctrl-W)."""
        at = self.cursor
        while at > 0 and self.text[at - 1].isspace():
            at -= 1
        while at > 0 and not self.text[at - 1].isspace():
            at -= 1
        return at

    def transpose(self) -> None:
        """Swap the two characters before the cursor (Ctrl-T)."""
        if len(self.text) > 1 and self.cursor > 0:
            at = min(self.cursor, len(self.text) - 1)
            self.set(self.text[: at - 1] + self.text[at] + self.text[at - 1] + self.text[at + 1 :], at + 1)

    # --- drawing ----------------------------------------------------------------------------

    def flush(self) -> str:
        """What brings the screen up to date."""
        drawn, now = self._drawn, (self.prompt, self.text, self.cursor)
        if drawn == now:
            return ""
        self._drawn = now
        at_end = self.cursor == len(self.text)
        if drawn is not None and drawn[0] == self.prompt:
            before = self._place(drawn[1][: drawn[2]])
            here = self._place(self.text[: self.cursor])
            if drawn[1] == self.text:
                self._row = here[0]
                return _go(before, here)
            if at_end and drawn[2] == len(drawn[1]) and before[0] == here[0] and here[1]:
                if self.text.startswith(drawn[1]):
                    return self.text[len(drawn[1]) :].replace("\t", _TAB)
                if drawn[1].startswith(self.text):
                    return _go(before, here) + "\x1b[J"
        return self._redraw()

    def _redraw(self) -> str:
        """Draw prompt and text anew, from the row the prompt began on."""
        up = f"\x1b[{self._row}A" if self._row else ""
        shown = self.text.replace("\t", _TAB).replace("\n", "\r\n")
        end = self._place(self.text)
        # At the right margin the cursor hangs; a blank brings it to the next row.
        settle = " \r" if end[1] == 0 and end[0] and not self.text.endswith("\n") else ""
        here = self._place(self.text[: self.cursor])
        self._row = here[0]
        return f"{up}\r\x1b[J{self.prompt}{shown}{settle}{_go(end, here)}"

    def finish(self) -> str:
        """Leave the line: the cursor goes below it."""
        out = self.flush()
        end = self._place(self.text)
        here = self._place(self.text[: self.cursor])
        self._row, self._drawn = 0, None
        return out + _go(here, end) + ("\r\n" if end[1] or not end[0] or self.text.endswith("\n") else "")

    def clear(self) -> str:
        """An empty screen to draw the line on (Ctrl-L)."""
        self._row, self._drawn = 0, None
        return "\x1b[H\x1b[2J"

    def resize(self, cols: int) -> None:
        """The terminal has another width; the browser has reflowed the rows already."""
        self.cols = max(cols, 4)
        self._row = self._place(self.text[: self.cursor])[0]

    def _place(self, text: str) -> tuple[int, int]:
        """(row, column) behind prompt + `text`, counted from the prompt's start."""
        row = column = 0
        for char in _ANSI.sub("", self.prompt) + text.replace("\t", _TAB):
            if char == "\n":
                row, column = row + 1, 0
                continue
            width = char_width(char)
            if column + width > self.cols:
                row, column = row + 1, 0
            column += width
        if column >= self.cols:
            row, column = row + 1, 0
        return row, column


def _go(before: tuple[int, int], after: tuple[int, int]) -> str:
    out = ""
    if before[0] > after[0]:
        out += f"\x1b[{before[0] - after[0]}A"
    elif after[0] > before[0]:
        out += f"\x1b[{after[0] - before[0]}B"
    if before[1] != after[1]:
        out += "\r" + (f"\x1b[{after[1]}C" if after[1] else "")
    return out
