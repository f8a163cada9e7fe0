"""`ps`, `top`, `pidof`, `pgrep`, `pkill` and `killall`: the processes of a pid namespace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.linux.programs._common import duration, fail, is_busybox, misused, options, user
from cluster_engine.linux.programs.running import signal_name
from cluster_engine.linux.regex import PatternError, regex

_STATES = {"running": "R", "ready": "R", "sleeping": "S", "stopped": "T", "zombie": "Z"}


_RIGHT = ("pid", "ppid", "uid", "time", "etime", "vsz", "rss")
_WIDTHS = {
    "pid": 5,
    "ppid": 5,
    "uid": 5,
    "time": 6,
    "etime": 7,
    "vsz": 4,
    "rss": 4,
    "stat": 4,
    "tty": 6,
    "comm": 16,
}
"""busybox's columns."""


def _command(process: dict[str, Any]) -> str:
    argv = process["argv"]
    name = " ".join(argv)
    return f"[{argv[0].rpartition('/')[2]}]" if process["state"] == "zombie" and argv else name


def _letter(process: dict[str, Any]) -> str:
    return _STATES.get(process["state"], "S")


def _base(process: dict[str, Any]) -> str:
    return str(process["argv"][0]).rpartition("/")[2] if process["argv"] else ""


def _ps(sys: Sys, argv: list[str]) -> int:
    rows = sys.processes()
    if is_busybox(sys):
        wanted = _columns(argv)
        if wanted:
            return _custom(sys, rows, wanted)
        sys.out("PID   USER     TIME  COMMAND\n")
        for each in rows:
            seconds = each["cpu"] // 1_000_000
            name = user(sys, each["uid"])
            sys.out(
                f"{each['pid']:5d} {name:<8.8} {seconds // 60:2d}:{seconds % 60:02d}  "
                f"{_clip(sys, _command(each), 22)}\n"
            )
        return 0
    wanted = _columns(argv)
    letters = "".join(word.lstrip("-") for word in argv[1:2] if "=" not in word)
    if wanted:
        return _custom(sys, rows, wanted)
    every = any(letter in letters for letter in "eAax")
    if not every:
        mine = sys.isatty(0)
        rows = [each for each in rows if each["uid"] == sys.uid] if mine else rows
    if "u" in letters:
        sys.out("USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n")
        for each in rows:
            name = user(sys, each["uid"])
            sys.out(
                f"{name:<8.8} {each['pid']:7d}  0.0  0.0   4364  3100 ?        "
                f"{_letter(each):<4} {_clock(each['started'])}   {_time(each, False):>4} {_command(each)}\n"
            )
    elif "f" in letters:
        sys.out("UID          PID    PPID  C STIME TTY          TIME CMD\n")
        for each in rows:
            name = user(sys, each["uid"])
            sys.out(
                f"{name:<8.8} {each['pid']:7d} {each['ppid']:7d}  0 {_clock(each['started'])} ?        "
                f"{_time(each, True)} {_command(each)}\n"
            )
    elif "a" in letters or "x" in letters:
        sys.out("    PID TTY      STAT   TIME COMMAND\n")
        for each in rows:
            sys.out(
                f"{each['pid']:7d} ?        {_letter(each):<4} {_time(each, False):>6} {_command(each)}\n"
            )
    else:
        sys.out("    PID TTY          TIME CMD\n")
        for each in rows:
            sys.out(f"{each['pid']:7d} ?        {_time(each, True)} {_base(each)}\n")
    return 0


def _clip(sys: Sys, text: str, used: int) -> str:
    window = sys.window(1)
    return text[: max(window[0] - used, 8)] if window else text


def _time(process: dict[str, Any], long: bool) -> str:
    seconds = process["cpu"] // 1_000_000
    if long:
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{seconds // 60}:{seconds % 60:02d}"


def _elapsed(micros: int) -> str:
    seconds = micros // 1_000_000
    return f"{seconds // 60:02d}:{seconds % 60:02d}"


def _clock(started: int) -> str:
    seconds = started // 1_000_000 % 86_400
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}"


def _columns(argv: list[str]) -> list[str]:
    for at, word in enumerate(argv[1:], 1):
        if word in ("-o", "-eo", "o", "-Ao") and at + 1 < len(argv):
            return argv[at + 1].split(",")
        if word.startswith("-o") and len(word) > 2:
            return word[2:].split(",")
    return []


def _custom(sys: Sys, rows: list[dict[str, Any]], wanted: list[str]) -> int:
    values: dict[str, Callable[[dict[str, Any]], str]] = {
        "pid": lambda p: str(p["pid"]), "ppid": lambda p: str(p["ppid"]), "user": lambda p: user(sys, p["uid"]),
        "uid": lambda p: str(p["uid"]), "comm": _base, "args": _command, "cmd": _command, "command": _command,
        "stat": _letter, "state": _letter, "s": _letter, "time": lambda p: _time(p, not is_busybox(sys)),
        "tty": lambda p: "?", "etime": lambda p: _elapsed(sys.now - p["started"]),
        "vsz": lambda p: "4364", "rss": lambda p: "3100",
    }  # fmt: skip
    titles = {"comm": "COMMAND", "args": "COMMAND", "cmd": "CMD", "etime": "ELAPSED"}
    table: list[list[str]] = []
    names = [each.partition("=") for each in wanted]
    for name, _, _ in names:
        if name not in values:
            fail(
                sys,
                f"bad -o argument '{name}', supported arguments: user,group,comm,args,pid,ppid"
                if is_busybox(sys)
                else f'error: unknown user-defined format specifier "{name}"',
            )
    if any(not mark or title for _, mark, title in names):
        table.append([title if mark else titles.get(name, name.upper()) for name, mark, title in names])
    table += [[values[name](each) for name, _, _ in names] for each in rows]
    if is_busybox(sys):
        widths = [_WIDTHS.get(name, 8) for name, _, _ in names]
    else:
        widths = [
            max(5 if names[at][0] in ("pid", "ppid") else 0, *(len(row[at]) for row in table))
            for at in range(len(names))
        ]
    titled = len(table) > len(rows)
    for number, row in enumerate(table):
        cells = []
        for at, (cell, width) in enumerate(zip(row, widths, strict=True)):
            right = names[at][0] in _RIGHT and not (is_busybox(sys) and titled and number == 0)
            cells.append(cell.rjust(width) if right else cell.ljust(width))
        sys.out(" ".join(cells).rstrip(" ") + "\n")
    return 0


def _top_page(sys: Sys) -> str:
    rows = sorted(sys.processes(), key=lambda each: (-each["cpu"], each["pid"]))
    total = 8 * 1024 * 1024
    lines = [
        f"Mem: {total // 2}K used, {total // 2}K free, 0K shrd, 0K buff, {total // 4}K cached",
        "CPU:   0% usr   0% sys   0% nic 100% idle   0% io   0% irq   0% sirq",
        f"Load average: 0.00 0.00 0.00 1/{len(rows)} {rows[-1]['pid'] if rows else 1}",
        "  PID  PPID USER     STAT   VSZ %VSZ CPU %CPU COMMAND",
    ]
    for each in rows:
        name = user(sys, each["uid"])
        lines.append(
            f"{each['pid']:5d} {each['ppid']:5d} {name:<8.8} {_letter(each):<4}  4364   0%   0   0% {_command(each)}"
        )
    return "\n".join(lines) + "\n"


def _top(sys: Sys, state: State, event: Event) -> State:
    match event:
        case ["start", argv]:
            opts = options(sys, argv, "bHmc", "ndp", usage="top [-bmH] [-n COUNT] [-d SECONDS]")
            gap = duration(opts.value("d") or ("5" if is_busybox(sys) else "3"))
            count = opts.value("n") or "0"
            if gap is None or not (count.isdigit() and len(count) < 7):
                fail(sys, "invalid number")
            state = {"left": int(count), "gap": max(gap, 200_000), "batch": opts.flag("b"), "keys": False}
            if not state["batch"] and sys.isatty(0):
                state["keys"] = True
                sys.terminal_mode(0, {"canonical": False, "echo": False})
                for signal in ("INT", "TERM"):
                    sys.trap(signal, "catch")
                sys.read(0)
            return _top_round(sys, state)
        case ["timer", _]:
            return _top_round(sys, state)
        case ["data", 0, chunk]:
            if "q" in chunk:
                _top_ends(sys, state, 0)
            sys.read(0)
        case ["signal", name]:
            _top_ends(sys, state, 143 if name == "TERM" else 130)
    return state


def _top_ends(sys: Sys, state: State, status: int) -> NoReturn:
    if state["keys"]:
        sys.terminal_mode(0, {"canonical": True, "echo": True})
    sys.exit(status)


def _top_round(sys: Sys, state: State) -> State:
    sys.write(1, ("" if state["batch"] else "\x1b[H\x1b[J") + _top_page(sys))
    if state["left"] == 1:
        _top_ends(sys, state, 0)
    state["left"] = max(state["left"] - 1, 0)
    sys.sleep(state["gap"])
    return state


def _found(sys: Sys, pattern: str, *, exact: bool, full: bool) -> list[dict[str, Any]]:
    try:
        compiled = regex(pattern, extended=True)
    except PatternError as error:
        fail(sys, f"bad regex '{pattern}': {error}", 2)
    rows = [each for each in sys.processes() if each["pid"] != sys.pid]
    texts = [(each, _command(each) if full else _base(each)) for each in rows]
    return [
        each
        for each, text in texts
        if (compiled.fullmatch(text) if exact else compiled.search(text)) is not None
    ]


def _pgrep(sys: Sys, argv: list[str]) -> int:
    words, signal = list(argv[1:]), "TERM"
    if (
        sys.name == "pkill"
        and words
        and words[0].startswith("-")
        and words[0][1:].lstrip("SIG").isalnum()
        and (words[0][1:].isdigit() or words[0][1:].isupper())
    ):
        signal = signal_name(words.pop(0)[1:])
    opts = options(sys, [argv[0], *words], "fxlaovn", "sPu", usage=f"{sys.name} [-flnovx] PATTERN")
    if len(opts.operands) != 1:
        misused(
            sys,
            "" if is_busybox(sys) else "no matching criteria specified",
            f"{sys.name} [-flnovx] PATTERN",
            2,
        )
    rows = _found(sys, opts.operands[0], exact=opts.flag("x"), full=opts.flag("f"))
    rows = rows[-1:] if opts.flag("n") else rows[:1] if opts.flag("o") else rows
    for each in rows:
        if sys.name == "pkill":
            _kill(sys, each["pid"], signal)
        else:
            text = _command(each) if opts.flag("a") else _base(each) if opts.flag("l") else ""
            sys.out(f"{each['pid']}{' ' + text if text else ''}\n")
    return 0 if rows else 1


def _kill(sys: Sys, pid: int, signal: str) -> None:
    try:
        sys.kill(pid, signal)
    except FileError as error:
        sys.error(
            f"can't kill pid {pid}: {error.reason}"
            if is_busybox(sys)
            else f"killing pid {pid} failed: {error.reason}"
        )


def _pidof(sys: Sys, argv: list[str]) -> int:
    names = [word for word in argv[1:] if not word.startswith("-")]
    rows = [each for each in sys.processes() if _base(each) in names and each["pid"] != sys.pid]
    if not rows:
        return 1
    sys.out(" ".join(str(each["pid"]) for each in reversed(rows)) + "\n")
    return 0


def _killall(sys: Sys, argv: list[str]) -> int:
    words, signal, status = list(argv[1:]), "TERM", 0
    while words and words[0].startswith("-"):
        option = words.pop(0)
        if option == "-s" and words:
            signal = signal_name(words.pop(0))
        elif option != "-q":
            signal = signal_name(option[1:])
    for name in words:
        rows = [each for each in sys.processes() if _base(each) == name and each["pid"] != sys.pid]
        if not rows:
            sys.error(f"{name}: no process killed" if is_busybox(sys) else f"{name}: no process found")
            status = 1
        for each in rows:
            _kill(sys, each["pid"], signal)
    return status


PS = Program("ps", "list processes", "ps [-o COL1,COL2=HEADER]", run=_ps)
TOP = Program("top", "show processes again and again", "top [-bmH] [-n COUNT] [-d SECONDS]", on=_top)
PIDOF = Program("pidof", "find processes by name", "pidof NAME", run=_pidof)
PGREP = Program("pgrep", "find processes by pattern", "pgrep [-flnovx] PATTERN", run=_pgrep)
PKILL = Program("pkill", "signal processes by pattern", "pkill [-l|-SIGNAL] [-fnovx] PATTERN", run=_pgrep)
KILLALL = Program(
    "killall", "signal processes by name", "killall [-l] [-q] [-SIG] PROCESS_NAME...", run=_killall
)
