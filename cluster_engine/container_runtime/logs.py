"""What a container wrote: lines with their time, in pages, bounded, and shared by forks.

Bytes become lines as containerd's CRI logger makes them: a line ends with its newline, or when it is 16 KiB
long, or with the process. Models internal/cri/io and the kubelet's log rotation (pkg/kubelet/logs): when a
log is full, its oldest part goes.
"""

from __future__ import annotations

from typing import Any

LIMIT = 256 * 1024
"""Bytes that are kept of one container's log; the oldest pages go. (A kubelet keeps 5 files of 10 MiB.)"""
PAGE = 4 * 1024
"""Bytes of a page; a full page is never changed again."""
LINE = 16 * 1024
"""A longer line is cut."""

LogLine = tuple[int, str, str]
"""(virtual µs, "stdout" or "stderr", text without the line's end)."""


def _shown(text: str) -> str:
    """Byte text as characters; what is not UTF-8 is shown as such."""
    return text if text.isascii() else text.encode("latin-1").decode("utf-8", "replace")


class Log:
    """One container's."""

    __slots__ = ("_open", "_pages", "_rest", "_size", "_used")

    def __init__(self) -> None:
        self._pages: list[list[list[Any]]] = []
        self._open: list[list[Any]] = []
        self._used = 0
        self._size = 0
        self._rest: dict[str, str] = {}

    def write(self, now: int, stream: str, text: str) -> None:
        """Byte text of one stream."""
        rest = self._rest.get(stream, "")
        *whole, rest = (rest + text).split("\n")
        for line in whole:
            self._line(now, stream, line)
        while len(rest) > LINE:
            self._line(now, stream, rest[:LINE])
            rest = rest[LINE:]
        self._rest[stream] = rest

    def close(self, now: int) -> None:
        """The process has ended: what is no whole line is one all the same."""
        for stream, rest in self._rest.items():
            if rest:
                self._line(now, stream, rest)
        self._rest = {}

    def _line(self, now: int, stream: str, line: str) -> None:
        self._open.append([now, stream, line])
        size = len(line) + 1
        self._used += size
        self._size += size
        if self._used >= PAGE:
            self._pages.append(self._open)
            self._open, self._used = [], 0
            while self._size > LIMIT and self._pages:
                gone = self._pages.pop(0)
                self._size -= sum(len(entry[2]) + 1 for entry in gone)

    def lines(self) -> list[LogLine]:
        """All that is kept, oldest first."""
        found: list[LogLine] = []
        for page in (*self._pages, self._open):
            found += [(at, stream, _shown(text)) for at, stream, text in page]
        return found

    def lines_since(self, at: int) -> list[LogLine]:
        """Those written at that moment or later, of the last two pages."""
        pages = (*self._pages[-1:], self._open)
        return [(when, stream, text) for page in pages for when, stream, text in page if when >= at]

    def state(self) -> list[Any]:
        """JSON data; full pages by reference."""
        return [list(self._pages), list(self._open), self._used, self._size, list(self._rest.items())]

    @classmethod
    def load(cls, state: list[Any]) -> Log:
        """The log that ``state`` gave."""
        log = cls()
        log._pages, log._open = list(state[0]), list(state[1])
        log._used, log._size = state[2], state[3]
        log._rest = {stream: rest for stream, rest in state[4]}  # noqa: C416  (pairs are lists after JSON)
        return log
