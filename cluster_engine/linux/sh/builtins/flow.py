"""``break continue return exit eval . : true false``."""

from __future__ import annotations

from cluster_engine.linux.errors import FileError
from cluster_engine.linux.sh import ends
from cluster_engine.linux.sh.base import Back, Usage
from cluster_engine.linux.sh.errors import ParseError
from cluster_engine.linux.sh.shell import Shell


def count(text: str) -> int:
    """A non-negative number. Raises Usage."""
    if not text.isdecimal() or len(text) > 9:
        raise Usage(f"Illegal number: {text}")
    return int(text)


def _loop(sh: Shell, argv: list[str], back: Back) -> int:
    """``break`` and ``continue``."""
    levels = count(argv[1]) if len(argv) > 1 else 1
    if levels < 1:
        raise Usage(f"Illegal number: {argv[1]}")
    frames = []
    for frame in reversed(sh.stack):
        if isinstance(frame, list):
            if frame[0] in "TX":
                break
            if frame[0] in "LF":
                frames.append(frame)
    if not frames:
        return ends.finish(sh, 0, back)
    goal = frames[min(levels, len(frames)) - 1]
    sh.status = 0
    index = 0
    while sh.stack[-1] is not goal:
        frame = sh.stack.pop()
        if not isinstance(frame, list):
            index = frame
        elif frame[0] == "R":
            sh.restore(frame)
        elif frame[0] in "CE":
            sh.pop_code(frame)
    sh.status = 0
    if argv[0] == "break":
        sh.stack.pop()
        return sh.go(sh.p["code"], goal[1])
    sh.stack.extend([index, 0] if goal[0] == "F" else [0])
    return sh.go(sh.p["code"], goal[2])


def _return(sh: Shell, argv: list[str], back: Back) -> int:
    status = count(argv[1]) if len(argv) > 1 else sh.status
    if not any(isinstance(f, list) and (f[0] in "CT" or (f[0] == "E" and f[4] == "dot")) for f in sh.stack):
        return ends.leave(sh, status)
    sh.status = status & 255
    while True:
        frame = sh.stack.pop()
        if not isinstance(frame, list):
            continue
        if frame[0] == "R":
            sh.restore(frame)
        elif frame[0] in "CT" or (frame[0] == "E" and frame[4] == "dot"):
            return ends.back_from(sh, frame)
        elif frame[0] == "E":
            sh.pop_code(frame)


def _exit(sh: Shell, argv: list[str], back: Back) -> int:
    status = count(argv[1]) if len(argv) > 1 else sh.status
    if ends.warned(sh):
        return ends.finish(sh, 0, back)
    return ends.leave(sh, status & 255)


def _eval(sh: Shell, argv: list[str], back: Back) -> int:
    text = " ".join(argv[1:])
    if not text.strip():
        return ends.finish(sh, 0, back)
    return sh.run_text(text, "eval", back[2], back[1])


def _dot(sh: Shell, argv: list[str], back: Back) -> int:
    if len(argv) < 2:
        raise Usage("filename argument required")
    name = argv[1]
    files = sh.files()
    path = name
    if "/" not in name:
        for directory in sh.vars.get("PATH", "").split(":"):
            if files.is_file(f"{directory or '.'}/{name}"):
                path = f"{directory or '.'}/{name}"
                break
    try:
        text = files.read(path)
    except FileError as error:
        raise Usage(f"can't open '{name}': {error.reason}") from None
    try:
        sh.status = 0
        return sh.run_text(text, "dot", back[2], back[1])
    except ParseError as error:
        sh.say(f"{name}: {error}")
        return ends.finish(sh, 2, back) if "i" in sh.p["opts"] else ends.leave(sh, 2)


def _nothing(sh: Shell, argv: list[str], fds: dict[str, str]) -> int:
    return 0


def _false(sh: Shell, argv: list[str], fds: dict[str, str]) -> int:
    return 1


CONTROLS = {
    "break": _loop, "continue": _loop, "return": _return, "exit": _exit, "eval": _eval, ".": _dot, "source": _dot,
}  # fmt: skip
BUILTINS = {":": _nothing, "true": _nothing, "false": _false}
