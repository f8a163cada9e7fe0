"""`md5sum`, `sha1sum`, `sha256sum`, `sha512sum` and `cksum`."""

from __future__ import annotations

import hashlib
import zlib

from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Filter, Program, State, Sys
from cluster_engine.linux.programs._common import cannot_open, hold, is_busybox, options


def _hold(sys: Sys, state: State, chunk: str) -> int | None:
    hold(sys, state, chunk)
    return None


_SUM = "{name} [-c[sw]] [FILE]...\n\nPrint or check {kind} checksums"
_SUMS = {"md5sum": "md5", "sha1sum": "sha1", "sha256sum": "sha256", "sha512sum": "sha512"}


def _digest(name: str, data: str) -> str:
    return hashlib.new(_SUMS[name], data.encode("latin-1"), usedforsecurity=False).hexdigest()


def _sum_init(sys: Sys, argv: list[str]) -> tuple[State, list[str]]:
    opts = options(sys, argv, "csbtw", "", {"check": "c", "status": "s", "quiet": "s", "binary": "b"})
    state: State = {
        "check": opts.flag("c"),
        "silent": opts.flag("s"),
        "held": [],
        "name": "",
        "bad": 0,
        "good": 0,
    }
    return state, opts.operands or ["-"]


def _sum_opened(sys: Sys, state: State, name: str) -> None:
    if state["name"]:
        _sum_end(sys, state)
    state["name"], state["held"], state["size"] = name, [], 0


def _sum_end(sys: Sys, state: State) -> int:
    if not state["name"]:
        return 0
    data = "".join(state["held"])
    sys.tick(len(data) // 128)
    if not state["check"]:
        sys.out(f"{_digest(sys.name, data)}  {state['name']}\n")
        return 0
    bad = 0
    rows = [row for row in data.split("\n") if row]
    for row in rows:
        wanted, _, name = row.partition("  ")
        try:
            right = _digest(sys.name, sys.fs.read(name)) == wanted
        except FileError as error:
            sys.error(
                f"can't open '{name}': {error.reason}" if is_busybox(sys) else f"{name}: {error.reason}"
            )
            right = False
        bad += not right
        if not state["silent"]:
            sys.out(f"{name}: {'OK' if right else 'FAILED'}\n")
    if bad and not state["silent"]:
        plural = "s do" if bad > 1 else " does"
        said = f"WARNING: {bad} of {len(rows)} computed checksums did NOT match"
        sys.error(
            said
            if is_busybox(sys)
            else f"WARNING: {bad} computed checksum{plural[:1] if bad > 1 else ''} did NOT match"
        )
    return 1 if bad else 0


def _sum(name: str) -> Program:
    usage = _SUM.format(name=name, kind=_SUMS[name].upper())
    spec = Filter(_sum_init, _hold, _sum_end, opened=_sum_opened, unopened=cannot_open)
    return Program(name, f"print {_SUMS[name]} checksums", usage, filter=spec)


def _cksum_end(sys: Sys, state: State) -> int:
    """The CRC of POSIX, which is not zlib's: bits are not mirrored, and the length follows."""
    data = "".join(state["held"]).encode("latin-1")
    size, tail = len(data), b""
    while size:
        tail += bytes([size & 255])
        size >>= 8
    mirrored = bytes(int(f"{byte:08b}"[::-1], 2) for byte in data + tail)
    crc = zlib.crc32(mirrored, 0xFFFFFFFF) ^ 0xFFFFFFFF
    crc = int(f"{crc:032b}"[::-1], 2) ^ 0xFFFFFFFF
    sys.out(f"{crc} {len(data)}{' ' + state['name'] if state['name'] not in ('', '-') else ''}\n")
    return 0


CKSUM = Program(
    "cksum",
    "print a CRC",
    "cksum FILE...",
    filter=Filter(_sum_init, _hold, _cksum_end, opened=_sum_opened, unopened=cannot_open),
)
SUMS = tuple(_sum(name) for name in _SUMS)
