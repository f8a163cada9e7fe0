"""`base64`."""

from __future__ import annotations

import base64
import binascii
import contextlib

from cluster_engine.linux.program import Filter, Program, State, Sys
from cluster_engine.linux.programs._common import cannot_open, fail, hold, is_busybox, number, options

_BASE64 = "base64 [-d] [-w COL] [FILE]\n\nBase64 encode or decode FILE to standard output"


def _base64_init(sys: Sys, argv: list[str]) -> tuple[State, list[str]]:
    long = {"decode": "d", "wrap": "w", "ignore-garbage": "i"}
    opts = options(sys, argv, "diD", "w", long, usage=_BASE64)
    width = number(opts.value("w") or "76")
    if width is None or width < 0:
        fail(sys, f"invalid wrap size: '{opts.value('w')}'")
    state = {"decode": opts.flag("d", "D"), "loose": opts.flag("i"), "width": width, "held": []}
    return state, opts.operands[:1] or ["-"]


def _hold(sys: Sys, state: State, chunk: str) -> int | None:
    hold(sys, state, chunk)
    return None


def _base64_end(sys: Sys, state: State) -> int:
    data = "".join(state["held"]).encode("latin-1")
    sys.tick(len(data) // 256)
    if state["decode"]:
        compact = b"".join(data.split(b"\n"))
        try:
            text = base64.b64decode(compact, validate=not state["loose"])
        except binascii.Error:
            good = compact[: len(compact) - len(compact) % 4]
            with contextlib.suppress(binascii.Error):
                sys.write(1, base64.b64decode(good, validate=True).decode("latin-1"))
            sys.error("truncated input" if is_busybox(sys) else "invalid input")
            return 1
        sys.write(1, text.decode("latin-1"))
        return 0
    encoded, width = base64.b64encode(data).decode(), state["width"]
    if width:
        encoded = "".join(encoded[at : at + width] + "\n" for at in range(0, len(encoded), width))
    sys.write(1, encoded)
    return 0


PROGRAM = Program(
    "base64",
    "encode or decode base64",
    _BASE64,
    filter=Filter(_base64_init, _hold, _base64_end, unopened=cannot_open),
)
