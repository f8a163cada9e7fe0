"""What a container wrote: lines with their time, in pages, bounded, and shared by forks.

Bytes become lines as containerd's CRI logger makes them: a line ends with its newline, or when it is 16 KiB
long, or with the process; one without a newline is *partial* and stays without its end. Models internal/cri/io and the
kubelet's log rotation (pkg/kubelet/logs): when a log is full, its oldest part goes.
"""

from __future__ import annotations

from typing import Any

LIMIT = 256 * 1024
"""Bytes that are kept of one container's log; the oldest pages go. (A kubelet keeps 5 files of 10 MiB.)"""
PAGE = 4 * 1024
"""Bytes of a page; a full page is never changed again."""
LINE = 16 * 1024
"""A longer line comes in parts."""
FILE_PAGES = 16
"""Pages of one file of a log on its node; then it is rotated. (A kubelet rotates at 10 MiB.)"""
PARTIAL = "P"
"""The mark of what is not the end of its line."""
MAX_FILES = 5
"""Files that are kept of one log, the current one included."""

LogLine = tuple[int, str, str]
"""(virtual µs, "stdout" or "stderr", text with the line's end, a part without)."""


def _shown(text: str) -> str:
    """Byte text as characters; what is not UTF-8 is shown as such."""
    return text if text.isascii() else text.encode("latin-1").decode("utf-8", "replace")


def _line_of(entry: list[Any]) -> LogLine:
    return entry[0], entry[1], _shown(entry[2]) + ("" if len(entry) > 3 else "\n")


class Log:
    """One container's."""

    __slots__ = ("_gone", "_open", "_pages", "_rest", "_size", "_used")

    def __init__(self) -> None:
        self._pages: list[list[list[Any]]] = []
        self._open: list[list[Any]] = []
        self._used = 0
        self._size = 0
        self._rest: dict[str, str] = {}
        self._gone = 0
        """Pages that are kept no more."""

    @property
    def size(self) -> int:
        """Bytes of the lines that are kept."""
        return self._size

    def write(self, now: int, stream: str, text: str) -> None:
        """Byte text of one stream."""
        rest = self._rest.get(stream, "")
        *whole, rest = (rest + text).split("\n")
        for line in whole:
            self._line(now, stream, self._cut(now, stream, line))
        self._rest[stream] = self._cut(now, stream, rest)

    def _cut(self, now: int, stream: str, line: str) -> str:
        """What is left of a long line when its parts are written."""
        while len(line) > LINE:
            at = LINE
            while at > LINE - 3 and "\x80" <= line[at] < "\xc0":  # never within a character
                at -= 1
            self._line(now, stream, line[:at], PARTIAL)
            line = line[at:]
        return line

    def close(self, now: int) -> None:
        """The process has ended: what is no whole line is part of one."""
        for stream, rest in self._rest.items():
            if rest:
                self._line(now, stream, rest, PARTIAL)
        self._rest = {}

    def _line(self, now: int, stream: str, line: str, *partial: str) -> None:
        self._open.append([now, stream, line, *partial])
        size = len(line) + 1
        self._used += size
        self._size += size
        if self._used >= PAGE:
            self._pages.append(self._open)
            self._open, self._used = [], 0
            while self._size > LIMIT and self._pages:
                gone = self._pages.pop(0)
                self._gone += 1
                self._size -= sum(len(entry[2]) + 1 for entry in gone)

    def lines(self) -> list[LogLine]:
        """All that is kept, oldest first."""
        return [_line_of(entry) for page in (*self._pages, self._open) for entry in page]

    def lines_since(self, at: int) -> list[LogLine]:
        """Those written at that moment or later, of the last two pages."""
        pages = (*self._pages[-1:], self._open)
        return [_line_of(entry) for page in pages for entry in page if entry[0] >= at]

    def stamp(self) -> tuple[int, ...]:
        """It is another one after something was written."""
        last = self._open[-1][0] if self._open else 0
        return (self._gone, len(self._pages), len(self._open), self._size, last)

    def files(self) -> list[list[LogLine]]:
        """The lines of each of its files, the current one last, as they lie on the node."""
        pages = [*self._pages, self._open]
        found: dict[int, list[LogLine]] = {}
        for number, page in enumerate(pages, self._gone):
            found.setdefault(number // FILE_PAGES, []).extend(_line_of(entry) for entry in page)
        return list(found.values())[-MAX_FILES:]

    def state(self) -> list[Any]:
        """JSON data; full pages by reference."""
        state = [list(self._pages), list(self._open), self._used, self._size, list(self._rest.items())]
        return [*state, self._gone] if self._gone else state

    @classmethod
    def load(cls, state: list[Any]) -> Log:
        """The log that ``state`` gave."""
        log = cls()
        log._pages, log._open = list(state[0]), list(state[1])
        log._used, log._size = state[2], state[3]
        log._rest = {stream: rest for stream, rest in state[4]}  # noqa: C416  (pairs are lists after JSON)
        log._gone = state[5] if len(state) > 5 else 0
        return log
