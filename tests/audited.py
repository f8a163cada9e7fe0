"""An audit hook that hears of files, processes and sockets of the host, which an engine must not touch."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

HOST = frozenset({"open", "os", "subprocess", "socket", "shutil", "tempfile", "ctypes"})
"""What an event's name begins with."""
_heard: list[list[tuple[str, Any]]] = []


def _hear(event: str, arguments: Any) -> None:
    if _heard and event.split(".")[0] in HOST:
        _heard[-1].append((event, arguments))


@cache
def _begin() -> None:
    # Once: a hook stays for as long as the process.
    sys.addaudithook(_hear)


@contextmanager
def host_touched() -> Iterator[list[tuple[str, Any]]]:
    """What was touched inside, as (event, arguments)."""
    _begin()
    found: list[tuple[str, Any]] = []
    _heard.append(found)
    try:
        yield found
    finally:
        _heard.pop()
