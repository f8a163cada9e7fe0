"""`less` and `more`: a text a screen at a time. Where its output is no terminal it is handed on as `cat` does.

Keys come from the terminal, wherever the text comes from. Text is read as far as it is shown: who writes waits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from cluster_engine.linux.errors import FileError
from cluster_engine.linux.keys import keys
from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.linux.programs._common import MAX_HELD, Options, options
from cluster_engine.linux.programs.paging import View, folded, marked
from cluster_engine.linux.regex import PatternError, found, regex
from cluster_engine.linux.text import characters, octets

_RAW = {"canonical": False, "echo": False}
_OPEN, _SHUT = "\x1b[?1049h", "\x1b[?1049l"
"""The terminal's other screen, so that what stood there before is there afterwards."""
_FLAGS = "SNRrXFiIeEMmnsqQwWgGcdfKLuU"
MAX_AHEAD = 1_024
"""Keys that are typed ahead."""
MAX_NUMBER = 1_000_000
"""The largest count before a command."""
HELP = """\
  space  f         one screen on           b                one screen back
  d                half a screen on        u                half a screen back
  Enter  j  down   one line on             k  y  up         one line back
  g  Home          first line              G  End           last line
  50g              line 50                 =                where am I
  /text            search on               ?text            search back
  n                search again            N                search the other way
  :n  :p           next file, file before  -S  -N  -i       long lines, numbers, case
  q                quit

  This is help; q goes back to the text.""".splitlines()


def _start(sys: Sys, argv: list[str]) -> State:
    opts = options(sys, argv, _FLAGS, "xpPbjyzt", usage=f"{sys.name} [-SNiRF] [+LINE] [+/PATTERN] [FILE]...")
    names = [word for word in opts.operands if not word.startswith("+")]
    first = next((word[1:] for word in opts.operands if word.startswith("+")), "")
    if not sys.isatty(1):
        sys.exec(["cat", *names])
    if not names and sys.isatty(0):
        sys.err('Missing filename ("less --help" for help)\n')
        sys.exit(1)
    there = [name for name in names if name == "-" or _readable(sys, name)]
    if names and not there:
        sys.exit(1)
    state = _fresh(opts, there or ["-"])
    state["more"] = sys.name == "more"
    state["keys"] = sys.open("/dev/tty")
    state["modes"] = sys.terminal_mode(state["keys"]) or {}
    for signal in ("INT", "WINCH", "TSTP", "CONT"):
        sys.trap(signal, "catch")
    sys.terminal_mode(state["keys"], _RAW)
    _open(sys, state, 0)
    if first.startswith("/"):
        state["pattern"], state["goal"] = first[1:], "first"
    elif first == "G":
        state["goal"] = "end"
    elif first.isdigit():
        state["goal"], state["steps"] = "line", min(max(1, int(first[:7])), MAX_NUMBER) - 1
    sys.read(state["keys"])
    return _go_on(sys, state)


def _fresh(opts: Options, names: list[str]) -> State:
    return {
        "names": names, "file": 0, "fd": -1, "asked": False, "ended": False, "lines": [], "rest": "", "size": 0,
        "keys": -1, "modes": {}, "pending": "", "count": "", "typing": "", "typed": "", "pattern": "",
        "back": False, "top": 0, "row": 0, "goal": "", "message": "", "shown": False, "help": [], "owed": -1,
        "steps": 0, "more": False, "chop": opts.flag("S"), "numbers": opts.flag("N"), "case": opts.flag("i", "I"),
        "brief": opts.flag("F", "E", "e"), "other": not opts.flag("X"), "memory": 512 * 1024,
    }  # fmt: skip


def _readable(sys: Sys, name: str) -> bool:
    try:
        if sys.fs.is_dir(name):
            sys.err(f"{name} is a directory\n")
            return False
        sys.fs.stat(name)
        sys.close(sys.open(name))
    except FileError as error:
        sys.err(f"{name}: {error.reason}\n")
        return False
    return True


def _open(sys: Sys, state: State, number: int) -> None:
    """Begin with another file."""
    if state["fd"] > 0:
        sys.close(state["fd"])
    name = state["names"][number]
    state["fd"] = 0 if name == "-" else sys.open(name)
    state.update(file=number, asked=False, ended=False, lines=[], rest="", size=0, top=0, row=0)


# --- what is read ---------------------------------------------------------------------------------


def _view(sys: Sys, state: State) -> View:
    cols, rows = sys.window(state["keys"]) or (80, 24)
    lines = HELP if state["help"] else state["lines"]
    return View(
        lines,
        max(4, cols),
        max(1, rows - 1),
        chop=state["chop"],
        numbers=state["numbers"] and not state["help"],
    )


def _reached(sys: Sys, state: State, view: View) -> bool:
    """Go where the goal is, if enough of the text is here; what is not found in all of it is said."""
    match state["goal"]:
        case "end" if state["ended"]:
            state["top"], state["row"] = view.last()
        case "move" if state["ended"] or view.below(state["top"], state["row"], state["steps"] + view.page):
            state["top"], state["row"] = view.moved(state["top"], state["row"], state["steps"])
        case "line" if state["ended"] or state["steps"] < len(state["lines"]):
            last = view.last() if state["ended"] else (state["steps"], 0)
            state["top"], state["row"] = min((state["steps"], 0), last)
        case "first" | "search" | "other":
            if not _search(sys, state):
                if not state["ended"]:
                    return False
                state["message"] = "Pattern not found"
        case _:
            return False
    state["goal"] = ""
    return True


def _go_on(sys: Sys, state: State) -> State:
    """Do what keys ask for, read what that needs, and show it."""
    if state["more"]:
        return _print(sys, state)
    while True:
        view = _view(sys, state)
        if state["goal"] and not _reached(sys, state, view):
            if state["pending"][:1] not in ("q", "Q"):
                return _ask(sys, state)
            state["goal"] = ""
        key = _next_key(state)
        if key == "":
            break
        if state["typing"]:
            _edit(sys, state, key)
        else:
            _press(sys, state, key)
    full = state["help"] or view.below(state["top"], state["row"], view.page + 1) is not None
    if not full and not state["ended"]:
        _ask(sys, state)
        if state["brief"] and not state["shown"]:
            return state
    if state["brief"] and not state["shown"] and not full:
        sys.out("".join(line + "\n" for line in state["lines"]))
        _leave(sys, state)
    _draw(sys, state, view)
    return state


def _ask(sys: Sys, state: State) -> State:
    """More of the text."""
    if not state["asked"] and not state["ended"]:
        state["asked"] = True
        sys.read(state["fd"])
    return state


def _take(sys: Sys, state: State, chunk: str) -> None:
    parts = (state["rest"] + chunk).split("\n")
    state["rest"] = parts.pop()
    state["lines"].extend(parts)
    state["size"] += len(chunk)
    state["memory"] = 512 * 1024 + state["size"]
    if state["size"] > MAX_HELD:
        _end_of_input(state)
        state["message"] = f"only the first {MAX_HELD >> 20} MiB are shown here"


def _end_of_input(state: State) -> None:
    if state["rest"]:
        state["lines"].append(state["rest"])
    state["rest"], state["ended"] = "", True


# --- what is shown --------------------------------------------------------------------------------


def _draw(sys: Sys, state: State, view: View) -> None:
    if not state["shown"] and state["other"]:
        sys.out(_OPEN)
    pattern = None if state["help"] else _pattern(state)
    out = ["\x1b[?25l\x1b[H"]
    rows = view.rows(state["top"], state["row"])
    for text in rows:
        out.append("\x1b[K" + marked(text, pattern) + "\n")
    out.append("\x1b[K~\n" * (view.page - len(rows)))
    out.append("\x1b[K" + _prompt(state, view) + "\x1b[?25h")
    state["shown"] = True
    sys.out(octets("".join(out)))


def _prompt(state: State, view: View) -> str:
    """The last line."""
    text, reverse = _said(state, view)
    row = folded(text, view.cols - 1, chop=True)[0]
    return f"\x1b[7m{row}\x1b[m" if reverse and row else row


def _said(state: State, view: View) -> tuple[str, bool]:
    """What the last line says, and whether in reverse."""
    if state["typing"]:
        return f"{state['typing']}{characters(state['typed'])}", False
    if state["message"]:
        return f"{state['message']}  (press RETURN)", True
    if state["help"]:
        return "HELP -- press q to go back to the text", True
    if state["count"]:
        return f":{state['count']}", False
    name = characters(state["names"][state["file"]])
    several = len(state["names"])
    where = f" (file {state['file'] + 1} of {several})" if several > 1 else ""
    parts = [name + where] if name != "-" and (state["top"], state["row"]) == (0, 0) else []
    if state["ended"] and view.below(state["top"], state["row"], view.page + 1) is None:
        parts.append("(END)")
    return " ".join(parts) or ":", bool(parts)


def _print(sys: Sys, state: State) -> State:
    """`more`: on it goes, row by row; at the end it is over."""
    view = _view(sys, state)
    if state["owed"] < 0:
        state["owed"] = view.page
    while True:
        while state["owed"] > 0 and state["top"] < len(state["lines"]):
            rows = view.rows_of(state["top"])
            sys.out(octets("".join(row + "\n" for row in rows)))
            state["top"] += 1
            state["owed"] = max(0, state["owed"] - len(rows))
        if state["top"] == len(state["lines"]):
            if not state["ended"]:
                return _ask(sys, state)
            if state["file"] + 1 == len(state["names"]):
                _leave(sys, state)
            _open(sys, state, state["file"] + 1)
            return _ask(sys, state)
        if not state["shown"]:
            sys.out("\x1b[7m--More--\x1b[m")
            state["shown"] = True
        key = _next_key(state)
        if key == "":
            return state
        if key in ("q", "Q", "\x03", " ", "\r", "\n", "f", "z", "j"):
            sys.out("\r\x1b[K")
            state["shown"] = False
            if key in ("q", "Q", "\x03"):
                _leave(sys, state)
            state["owed"] = 1 if key in "\r\nj" else view.page


def _leave(sys: Sys, state: State) -> NoReturn:
    _put_back(sys, state)
    if state["pending"]:
        # What was typed behind the last key came in the same read; it is whose turn is next.
        sys.unread(state["keys"], state["pending"])
    sys.exit(0)


def _put_back(sys: Sys, state: State) -> None:
    """The screen and the terminal as they were."""
    if state["shown"]:
        sys.out("\r\x1b[K" + (_SHUT if state["other"] and not state["more"] else ""))
    sys.terminal_mode(state["keys"], state["modes"])


# --- keys -----------------------------------------------------------------------------------------


def _next_key(state: State) -> str:
    """The next key that was typed; "" when there is none."""
    known, _, _ = keys(state["pending"], False)
    if not known:
        return ""
    key: str = known[0].text[0] if known[0].name == "text" else known[0].raw
    state["pending"] = state["pending"][len(key) :]
    return key


def _edit(sys: Sys, state: State, key: str) -> None:
    """A key of what is typed on the last line: a pattern, or what follows ``:`` and ``-``."""
    kind, typed = state["typing"], state["typed"]
    if key in ("\x7f", "\x08"):
        whole = characters(typed)
        state["typed"] = octets(whole[:-1])
        state["typing"] = kind if whole else ""
    elif key in ("\x03", "\x1b", "\x07"):
        state["typing"], state["typed"] = "", ""
    elif kind in (":", "-"):
        state["typing"] = ""
        _press(sys, state, kind + key)
    elif key in ("\r", "\n"):
        state["typing"], state["typed"] = "", ""
        state["back"] = kind == "?"
        state["pattern"] = typed or state["pattern"]
        _seek(state)
    elif key >= " ":
        state["typed"] = typed + key


def _press(sys: Sys, state: State, key: str) -> None:
    if key.isdigit() and key.isascii():
        state["count"] = (state["count"] + key)[:7]
        return
    count, state["count"], state["message"] = state["count"], "", ""
    number = min(int(count), MAX_NUMBER) if count else 0
    if key in ("/", "?", ":", "-"):
        state["typing"], state["typed"] = key, ""
        return
    action = _ACTIONS.get(key)
    if action is not None:
        action(sys, state, number)
    elif key != "\x1b":
        sys.out("\x07")


def _quit(sys: Sys, state: State, number: int) -> None:
    if not state["help"]:
        _leave(sys, state)
    state["top"], state["row"] = state["help"]
    state["help"] = []


def _help(sys: Sys, state: State, number: int) -> None:
    if not state["help"]:
        state["help"] = [state["top"], state["row"]]
        state["top"], state["row"] = 0, 0


def _by(screens: int, halves: int = 0, rows: int = 0) -> Callable[[Sys, State, int], None]:
    """Moves by so much (or by the count that was typed)."""

    def act(sys: Sys, state: State, number: int) -> None:
        view = _view(sys, state)
        way = 1 if screens + halves + rows > 0 else -1
        steps = way * number or screens * view.page + halves * max(1, view.page // 2) + rows
        if steps < 0 or state["help"]:
            state["top"], state["row"] = view.moved(state["top"], state["row"], steps)
        else:
            state["goal"], state["steps"] = "move", steps

    return act


def _first(sys: Sys, state: State, number: int) -> None:
    if number > 1 and not state["help"]:
        state["goal"], state["steps"] = "line", number - 1
    else:
        state["top"], state["row"] = 0, 0


def _last(sys: Sys, state: State, number: int) -> None:
    if number:
        _first(sys, state, number)
    elif state["help"]:
        state["top"], state["row"] = _view(sys, state).last()
    else:
        state["goal"] = "end"


def _again(other: bool) -> Callable[[Sys, State, int], None]:
    """`n`, and `N`: the other way this once."""

    def act(sys: Sys, state: State, number: int) -> None:
        _seek(state)
        if state["goal"] and other:
            state["goal"] = "other"

    return act


def _seek(state: State) -> None:
    if not state["pattern"]:
        state["message"] = "No previous regular expression"
        return
    try:
        regex(characters(state["pattern"]), extended=True, ignore_case=state["case"])
    except PatternError as error:
        state["message"] = str(error)
        return
    state["goal"] = "search"


def _pattern(state: State) -> Any:
    if not state["pattern"]:
        return None
    try:
        return regex(characters(state["pattern"]), extended=True, ignore_case=state["case"])
    except PatternError:
        return None


def _search(sys: Sys, state: State) -> bool:
    """To the next line that matches, if one is there."""
    pattern = _pattern(state)
    if pattern is None:
        return False
    top = state["top"]
    if state["back"] != (state["goal"] == "other"):
        places = range(top - 1, -1, -1)
    else:
        places = range(top if state["goal"] == "first" else top + 1, len(state["lines"]))
    for at in places:
        line = state["lines"][at]
        sys.tick(1 + len(line) // 64)
        if found(pattern, characters(line)):
            state["top"], state["row"] = at, 0
            return True
    return False


def _where(sys: Sys, state: State, number: int) -> None:
    view = _view(sys, state)
    last = min(len(view.lines), state["top"] + len(view.rows(state["top"], state["row"])))
    total = str(len(state["lines"])) if state["ended"] else "?"
    name = characters(state["names"][state["file"]])
    state["message"] = f"{'' if name == '-' else name + ' '}lines {state['top'] + 1}-{last}/{total}"


def _file(step: int) -> Callable[[Sys, State, int], None]:
    def act(sys: Sys, state: State, number: int) -> None:
        wanted = state["file"] + step
        if not 0 <= wanted < len(state["names"]) or "-" in (
            state["names"][wanted],
            state["names"][state["file"]],
        ):
            state["message"] = "No next file" if step > 0 else "No previous file"
            return
        _open(sys, state, wanted)

    return act


def _toggle(name: str, on: str, off: str) -> Callable[[Sys, State, int], None]:
    def act(sys: Sys, state: State, number: int) -> None:
        state[name] = not state[name]
        state["row"] = 0
        state["message"] = on if state[name] else off

    return act


def _nothing(sys: Sys, state: State, number: int) -> None:
    """The screen is drawn anew after every key."""


_KEYS: tuple[tuple[tuple[str, ...], Callable[[Sys, State, int], None]], ...] = (
    (("q", "Q", "Z", ":q", ":Q"), _quit),
    (("h", "H"), _help),
    ((" ", "f", "z", "\x06", "\x16", "\x1b[6~"), _by(1)),
    (("b", "w", "\x02", "\x1b[5~"), _by(-1)),
    (("d", "\x04"), _by(0, halves=1)),
    (("u", "\x15"), _by(0, halves=-1)),
    (("j", "e", "\r", "\n", "\x05", "\x0e", "\x1b[B", "\x1bOB"), _by(0, rows=1)),
    (("k", "y", "\x10", "\x19", "\x0b", "\x1b[A", "\x1bOA"), _by(0, rows=-1)),
    (("g", "<", "\x1b[H", "\x1bOH", "\x1b[1~"), _first),
    (("G", ">", "\x1b[F", "\x1bOF", "\x1b[4~"), _last),
    (("n",), _again(False)),
    (("N",), _again(True)),
    (("=", "\x07"), _where),
    ((":n",), _file(1)),
    ((":p",), _file(-1)),
    (("-S",), _toggle("chop", "Chop long lines", "Fold long lines")),
    (("-N",), _toggle("numbers", "Constantly display line numbers", "Don't use line numbers")),
    (("-i", "-I"), _toggle("case", "Ignore case in searches", "Case is significant in searches")),
    (("r", "R", "\x0c", "\x03"), _nothing),
)
_ACTIONS = {key: action for several, action in _KEYS for key in several}


def _on(sys: Sys, state: State, event: Event) -> State:
    match event:
        case ["start", argv]:
            return _start(sys, argv)
        case ["data", fd, chunk] if fd == state["keys"]:
            sys.read(fd)
            state["pending"] = (state["pending"] + chunk)[:MAX_AHEAD]
        case ["end", fd] if fd == state["keys"]:
            sys.exit(0)
        case ["data", fd, chunk] if fd == state["fd"] and not state["ended"]:
            state["asked"] = False
            _take(sys, state, chunk)
        case ["end", fd] if fd == state["fd"]:
            _end_of_input(state)
        case ["signal", "INT"] if state["more"]:
            _leave(sys, state)
        case ["signal", "INT"]:
            state["goal"], state["typing"], state["count"] = "", "", ""
            if not state["shown"]:
                state["brief"] = False
        case ["signal", "TSTP"]:
            _put_back(sys, state)
            sys.kill(sys.pid, "STOP")
            return state
        case ["signal", "CONT"]:
            sys.terminal_mode(state["keys"], _RAW)
            state["shown"] = False
        case ["signal", "WINCH"]:
            state["row"] = 0
        case _:
            return state
    return _go_on(sys, state)


LESS = Program("less", "show a text a screen at a time", "less [-SNiRF] [FILE]...", on=_on, version=2)
MORE = Program("more", "show a text a screen at a time", "more [FILE]...", on=_on, version=2)
