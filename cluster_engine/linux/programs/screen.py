"""`clear`, `reset` and `vi`."""

from __future__ import annotations

from cluster_engine.linux.program import Program, Sys


def _clear(sys: Sys, argv: list[str]) -> int:
    sys.out("\x1b[H\x1b[J")
    return 0


def _reset(sys: Sys, argv: list[str]) -> int:
    if sys.isatty(0):
        sys.terminal_mode(0, {"canonical": True, "echo": True, "signals": True, "output": True})
        sys.out("\x1bc\x1b(B\x1b[0m\x1b[J\x1b[?25h")
    return 0


def _vi(sys: Sys, argv: list[str]) -> int:
    sys.error(
        "no full-screen editor is simulated in a container; a real one has vi (use sed -i, or kubectl cp)"
    )
    return 1


CLEAR = Program("clear", "clear the screen", "clear", run=_clear)
RESET = Program("reset", "put the terminal in order", "reset", run=_reset)
VI = Program("vi", "edit a file (not simulated)", "vi [FILE]...", run=_vi)
