"""log: what a container wrote, once or for as long as it runs.

Models pkg/registry/core/pod/rest/log.go and the kubelet's reading of log files
(pkg/kubelet/kuberuntime/logs).
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.sim import SECOND, Clock, parse_rfc3339, rfc3339_micro

from ..node_api import LogLine, NodeAPI, NodeProxy
from ..requests import first, flag
from ..types import Request
from .container import choose, kubelet_of


@dataclass(frozen=True, slots=True)
class LogOptions:
    """The query of a log request."""

    container: str = ""
    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    tail: int | None = None
    since: int | None = None  # virtual µs
    limit: int | None = None
    stream: str = "All"

    @classmethod
    def parse(cls, request: Request, now: int) -> LogOptions:
        """Raises ApiError 400, 422."""
        problems = []
        tail = _integer(request, "tailLines")
        limit = _integer(request, "limitBytes")
        seconds = _integer(request, "sinceSeconds")
        since_time = first(request, "sinceTime")
        if tail is not None and tail < 0:
            problems.append(errors.invalid_value("tailLines", tail, "must be greater than or equal to 0"))
        if limit is not None and limit < 1:
            problems.append(errors.invalid_value("limitBytes", limit, "must be greater than 0"))
        since = None
        if seconds is not None and since_time:
            problems.append(
                errors.forbidden_field("", "at most one of `sinceTime` or `sinceSeconds` may be specified")
            )
        elif seconds is not None:
            if seconds < 1:
                problems.append(errors.invalid_value("sinceSeconds", seconds, "must be greater than 0"))
            since = now - seconds * SECOND
        elif since_time:
            try:
                since = parse_rfc3339(since_time)
            except ValueError as problem:
                raise errors.bad_request(
                    f'parsing time "{since_time}" as "2006-01-02T15:04:05Z07:00": cannot parse'
                ) from problem
        stream = first(request, "stream") or "All"
        if stream not in ("All", "Stdout", "Stderr"):
            problems.append(errors.not_supported("stream", stream, ("All", "Stdout", "Stderr")))
        elif stream != "All" and tail is not None:
            problems.append(
                errors.forbidden_field("", "`tailLines` and specific `stream` are mutually exclusive for now")
            )
        if problems:
            raise errors.invalid("", "PodLogOptions", "", problems)
        return cls(
            first(request, "container") or "",
            flag(request, "follow"),
            flag(request, "previous"),
            flag(request, "timestamps"),
            tail,
            since,
            limit,
            stream,
        )


def _integer(request: Request, name: str) -> int | None:
    text = first(request, name)
    if text is None or text == "":
        return None
    digits = text[1:] if text[:1] in "+-" else text
    if not digits.isdecimal() or not digits.isascii() or len(digits) > 18:
        raise errors.bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(text)


def select(lines: list[LogLine], options: LogOptions) -> list[LogLine]:
    """The lines that the options let through."""
    if options.since is not None:
        since = options.since
        lines = [line for line in lines if line[0] >= since]
    if options.stream != "All":
        wanted = options.stream.lower()
        lines = [line for line in lines if line[1] == wanted]
    if options.tail is not None:
        lines = lines[-options.tail :] if options.tail else []
    return lines


def render(lines: list[LogLine], timestamps: bool, begins: bool = True) -> bytes:
    """The lines as bytes. With `timestamps` each line begins with its time; `begins`: the first is no line's rest."""
    if not timestamps:
        return "".join(text for _us, _stream, text in lines).encode()
    parts = []
    for us, _stream, text in lines:
        parts.append(f"{rfc3339_micro(us)[:-1]}000Z {text}" if begins else text)
        begins = text.endswith("\n")
    return "".join(parts).encode()


def open_log(nodes: NodeProxy, pod: JSON, options: LogOptions) -> tuple[NodeAPI | None, str]:
    """(kubelet or None when the Pod has no node, container). Raises ApiError 400."""
    container = choose(pod, options.container)
    if not pod["spec"].get("nodeName"):
        return None, container
    meta = pod["metadata"]
    path = f"containerLogs/{meta['namespace']}/{meta['name']}/{container}"
    return kubelet_of(nodes, pod, path), container


_MARK = re.compile(r"(\d{1,20})\.(\d{1,9})\.(\d{0,20})\.([01])")


def _time(line: LogLine) -> int:
    return line[0]


def _place(lines: list[LogLine]) -> tuple[int, int]:
    """(time of the last line, how many lines are of that time): the log's beginning may go meanwhile."""
    if not lines:
        return 0, 0
    last = lines[-1][0]
    return last, len(lines) - bisect_left(lines, last, key=_time)


class LogStream:
    """A followed log. The edge looks again whenever virtual time has moved."""

    content_type = "text/plain"
    timeout: float | None = None
    polled = True

    def __init__(
        self,
        clock: Clock,
        read: Callable[[], list[LogLine]],
        running: Callable[[], bool],
        options: LogOptions,
    ) -> None:
        """`read` gives all lines so far; `running` whether more may come."""
        self.closed = False
        self._read = read
        self._running = running
        self._options = options
        self._clock = clock
        first_lines = read()
        self._seen = len(first_lines)
        self._left = options.limit
        self._begins = True
        self._first = self._rendered(select(first_lines, options))
        self._last = _place(first_lines)

    def _rendered(self, lines: list[LogLine]) -> bytes:
        data = render(lines, self._options.timestamps, self._begins)
        if lines:
            self._begins = lines[-1][2].endswith("\n")
        return data

    @property
    def mark(self) -> str:
        """How far the reader has come, for a stream that goes on there (``resume``)."""
        left = "" if self._left is None else str(self._left)
        return f"{self._last[0]}.{self._last[1]}.{left}.{int(self._begins)}"

    def resume(self, mark: str) -> None:
        """Goes on behind what a stream of the same log had given. What is no mark changes nothing."""
        found = _MARK.fullmatch(mark)
        if found is None:
            return
        lines = self._read()
        at, count = int(found[1]), int(found[2])
        start = bisect_left(lines, at, key=_time)
        self._seen = min(start + count, bisect_right(lines, at, key=_time))
        self._left = int(found[3]) if found[3] else None
        self._begins, self._first = found[4] == "1", b""

    def subscribe(self, notify: Callable[[], None]) -> None:
        """Nothing tells of new lines; the edge polls."""

    def tick(self) -> bytes:
        """No bookmarks in logs."""
        return b""

    def cancel(self) -> None:
        """Stop following."""
        self.closed = True

    def take(self) -> bytes:
        """The bytes since the last call."""
        if self.closed:
            return b""
        data, self._first = self._first, b""
        # Asked first: a container that ends between the two has written its last line before.
        running = self._running()
        lines = self._read()
        if len(lines) < self._seen:
            self._seen = 0  # rotated, or the container began anew
        fresh = lines[self._seen :]
        self._seen, self._last = len(lines), _place(lines)
        if self._options.stream != "All":
            fresh = [line for line in fresh if line[1] == self._options.stream.lower()]
        data += self._rendered(fresh)
        if self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
        if not running or self._left == 0:
            self.closed = True
        return data
