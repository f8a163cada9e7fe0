"""Programs that run another one: `timeout watch nohup time nice setsid`."""

from __future__ import annotations

from cluster_engine.linux.errors import NO_ENTRY, FileError
from cluster_engine.linux.program import Event, Exit, Program, State, Sys
from cluster_engine.linux.programs._common import duration, fail, is_busybox, misused
from cluster_engine.linux.programs.date import formatted

_TIMEOUT = "timeout [-s SIG] [-k KILL_SECS] SECS PROG ARGS"
_WATCH = "watch [-n SEC] [-t] PROG ARGS"
_SIGNALS = {"1": "HUP", "2": "INT", "3": "QUIT", "9": "KILL", "10": "USR1", "12": "USR2", "15": "TERM"}
_NUMBERS = {name: int(number) for number, name in _SIGNALS.items()}


def signal_name(text: str) -> str:
    """`9`, `KILL` or `SIGKILL` as `KILL`."""
    name = text.upper().removeprefix("SIG")
    return _SIGNALS.get(name, name)


def _missing(sys: Sys, word: str, error: FileError) -> int:
    if is_busybox(sys):
        sys.error(f"can't execute '{word}': {error.reason}")
    else:
        sys.error(f"failed to run command '{word}': {error.reason}")
    return 127 if error.reason == NO_ENTRY else 126


def _timeout_start(sys: Sys, argv: list[str]) -> State:
    words = argv[1:]
    signal, kill = "TERM", ""
    while words and words[0].startswith("-"):
        option = words.pop(0)
        name, equals, value = option.partition("=")
        if option in ("-s", "--signal", "-k", "--kill-after") and words:
            value = words.pop(0)
        elif option[:2] in ("-s", "-k") and len(option) > 2 and not option.startswith("--"):
            name, value = option[:2], option[2:]
        elif option in ("--preserve-status", "--foreground", "-v", "--verbose"):
            continue
        elif not equals:
            misused(sys, f"unrecognized option '{option}'", _TIMEOUT, 1 if is_busybox(sys) else 125)
        if name in ("-s", "--signal"):
            signal = signal_name(value)
        else:
            kill = value
    if len(words) < 2:
        misused(
            sys,
            "" if is_busybox(sys) or words else "missing operand",
            _TIMEOUT,
            1 if is_busybox(sys) else 125,
        )
    limit, after = duration(words[0]), duration(kill) if kill else 0
    if limit is None or after is None:
        if is_busybox(sys):
            fail(sys, f"invalid number '{words[0]}'")
        misused(sys, f"invalid time interval '{words[0]}'", _TIMEOUT, 125)
    state: State = {"signal": signal, "kill": after, "late": False, "preserve": "--preserve-status" in argv}
    try:
        state["child"] = sys.spawn(words[1:])
    except FileError as error:
        sys.exit(_missing(sys, words[1], error))
    for name in ("TERM", "INT", "HUP"):
        sys.trap(name, "catch")
    if limit:
        sys.sleep(limit)
    return state


def _timeout(sys: Sys, state: State, event: Event) -> State:
    match event:
        case ["start", argv]:
            return _timeout_start(sys, argv)
        case ["timer", _]:
            _signal(sys, state["child"], "KILL" if state["late"] else state["signal"])
            if state["kill"] and not state["late"]:
                sys.sleep(state["kill"])
            state["late"] = True
        case ["signal", name]:
            _signal(sys, state["child"], name)
        case ["exited", _, status]:
            # busybox's program is the child itself, so its status is the child's; coreutils says 124.
            late = state["late"] and not is_busybox(sys) and not state["preserve"]
            sys.exit(124 if late and status != 137 else status)
    return state


def _signal(sys: Sys, pid: int, name: str) -> None:
    try:
        sys.kill(pid, name)
    except FileError:
        return  # it has just ended; its status is on the way


def _watch_start(sys: Sys, argv: list[str]) -> State:
    words = argv[1:]
    interval, title = 2_000_000, True
    while words and words[0].startswith("-"):
        option = words.pop(0)
        text = ""
        if option in ("-n", "--interval") and words:
            text = words.pop(0)
        elif option.startswith(("-n", "--interval=")) and len(option) > 2:
            text = option.removeprefix("--interval=").removeprefix("-n")
        elif option in ("-t", "--no-title"):
            title = False
        elif option not in ("-d", "--differences", "-c", "--color", "-x", "-e"):
            misused(sys, f"invalid option -- '{option.lstrip('-')[:1]}'", _WATCH)
        if text:
            wanted = duration(text)
            if wanted is None:
                fail(
                    sys,
                    f"failed to parse argument: '{text}'"
                    if not is_busybox(sys)
                    else f"invalid number '{text}'",
                )
            interval = max(wanted, 100_000)
    if not words:
        misused(sys, "", _WATCH)
    return {"interval": interval, "title": title, "text": " ".join(words), "child": 0}


def _watch_round(sys: Sys, state: State) -> State:
    seconds = f"{state['interval'] // 1_000_000}.{state['interval'] // 100_000 % 10}"
    text = f"Every {seconds}s: {state['text']}"
    head = ""
    if state["title"]:
        window = sys.window(1)
        right = formatted(
            sys.now, "%Y-%m-%d %H:%M:%S" if is_busybox(sys) else f"{sys.hostname}: %a %b %e %H:%M:%S %Y"
        )
        width = window[0] if window else 80
        head = text + (" " * max(1, width - len(text) - len(right)) + right) + "\n\n"
    sys.write(1, "\x1b[H\x1b[J" + head)
    state["child"] = sys.spawn(["sh", "-c", state["text"]])
    return state


def _watch(sys: Sys, state: State, event: Event) -> State:
    match event:
        case ["start", argv]:
            return _watch_round(sys, _watch_start(sys, argv))
        case ["exited", pid, _] if pid == state["child"]:
            sys.sleep(state["interval"])
        case ["timer", _]:
            return _watch_round(sys, state)
    return state


def _nohup(sys: Sys, argv: list[str]) -> int:
    words = argv[1:]
    if not words:
        misused(
            sys,
            "" if is_busybox(sys) else "missing operand",
            "nohup PROG ARGS",
            1 if is_busybox(sys) else 125,
        )
    sys.trap("HUP", "ignore")
    if sys.isatty(1):
        try:
            fd = sys.open("nohup.out", "a")
        except FileError as error:
            fail(sys, f"can't open 'nohup.out': {error.reason}", 127)
        sys.error(
            "appending output to nohup.out"
            if is_busybox(sys)
            else "ignoring input and appending output to 'nohup.out'"
        )
        sys.dup(fd, 1)
        sys.close(fd)
    if sys.isatty(2):
        sys.dup(1, 2)
    try:
        sys.exec(words)
    except FileError as error:
        raise Exit(_missing(sys, words[0], error)) from None


def _time(sys: Sys, state: State, event: Event) -> State:
    match event:
        case ["start", argv]:
            words = [word for word in argv[1:] if word not in ("-p", "-v")]
            if not words:
                misused(sys, "", "time [-vpa] [-o FILE] PROG ARGS")
            try:
                child = sys.spawn(words)
            except FileError as error:
                sys.exit(_missing(sys, words[0], error))
            return {"child": child, "since": sys.now, "plain": "-p" in argv[1:2]}
        case ["exited", _, status]:
            micros = sys.now - state["since"]
            seconds, part = micros // 1_000_000, micros // 10_000 % 100
            if state["plain"]:
                sys.err(f"real {seconds}.{part:02d}\nuser 0.00\nsys 0.00\n")
            else:
                sys.err(f"real\t{seconds // 60}m {seconds % 60}.{part:02d}s\nuser\t0m 0.00s\nsys\t0m 0.00s\n")
            sys.exit(status)
    return state


def _plain(sys: Sys, argv: list[str]) -> int:
    """`nice`, `setsid`, `stdbuf`, `ionice`: what they set makes no difference here."""
    words = argv[1:]
    while words and words[0].startswith("-"):
        option = words.pop(0)
        if option in ("-n", "-i", "-o", "-e", "-c") and words:
            words.pop(0)
    if not words:
        if sys.name == "nice":
            sys.out("0\n")
            return 0
        misused(sys, "", f"{sys.name} PROG ARGS")
    try:
        sys.exec(words)
    except FileError as error:
        raise Exit(_missing(sys, words[0], error)) from None


TIMEOUT = Program("timeout", "run a command for a limited time", _TIMEOUT, on=_timeout)
WATCH = Program("watch", "run a command every 2 seconds", _WATCH, on=_watch)
NOHUP = Program("nohup", "run a command that no hang-up ends", "nohup PROG ARGS", run=_nohup)
TIME = Program("time", "time a command", "time PROG ARGS", on=_time)
NICE = Program("nice", "run a command with another priority", "nice [-n ADJUST] [PROG ARGS]", run=_plain)
SETSID = Program("setsid", "run a command in a new session", "setsid PROG ARGS", run=_plain)
