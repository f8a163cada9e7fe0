"""Terminals: a line discipline between keys and programs.

A record of the table ``ttys``: ``{"session", "cols", "rows", "line": being typed, "input": [chunks for readers; "" is
^D], "n": bytes of them, "fg": foreground process group, "leader": session leader, "modes": {canonical, echo, signals,
output}, "waiting": [processes], "gone": bool, "patient": bool, "ahead": keys, "fresh": bool}``. Programs' output goes
to the host at once.

A *patient* terminal keeps what is typed while nobody reads as it came (``ahead``), and shows it when somebody does: so
lines that are pasted stand each at its own prompt. ``fresh``: the cursor stands at the beginning of a line.
"""

from __future__ import annotations

from collections.abc import Mapping

from cluster_engine.linux import signals
from cluster_engine.linux.kernel import Kernel, Record
from cluster_engine.linux.limits import TERMINAL_AHEAD, TERMINAL_INPUT, TERMINAL_LINE

KEY_STEPS = 10_000
"""Steps that the shell of a patient terminal may do at least when its user types."""
SIZE = (80, 24)
"""Columns and rows, as programs take them where a terminal does not say its own (0)."""
MODES = ("canonical", "echo", "signals", "output")
_SIGNALS = {"\x03": "INT", "\x1a": "TSTP", "\x1c": "QUIT"}
PASTE, PASTED = "\x1b[200~", "\x1b[201~"
"""What a terminal sends before and after what is pasted, when a line editor asked for it."""


def open_terminal(kernel: Kernel, name: str, cols: int, rows: int, *, patient: bool = False) -> None:
    kernel.top["ttys"][name] = {
        "cols": cols or SIZE[0], "rows": rows or SIZE[1], "line": "", "input": [], "n": 0, "fg": "", "leader": "",
        "modes": dict.fromkeys(MODES, True), "waiting": [], "gone": False, "patient": patient, "ahead": "",
        "fresh": True,
    }  # fmt: skip


def keys(kernel: Kernel, name: str, text: str) -> None:
    """Typed bytes."""
    tty = kernel.entry("ttys", name)
    if tty.get("patient"):
        _keep(kernel, name, tty, text)
    else:
        _act(kernel, name, tty, text)


def _keep(kernel: Kernel, name: str, tty: Record, text: str) -> None:
    """Keys of a patient terminal: signals act at once, the rest waits for a reader. Its shell gets time to see them."""
    kernel.grant(tty["leader"], KEY_STEPS)
    if tty["modes"]["signals"]:
        for key in _SIGNALS:
            if key in text:
                text = text[text.rindex(key) + 1 :]
                tty["ahead"] = ""
                _act(kernel, name, tty, key)
    tty["ahead"] = (tty["ahead"] + text)[:TERMINAL_AHEAD]
    waiting, tty["waiting"] = tty["waiting"], []
    kernel.wake_all(waiting, outside=True)


def _digest(kernel: Kernel, name: str, tty: Record) -> None:
    """Somebody reads: what was typed meanwhile comes through, up to the next line."""
    while tty["ahead"] and not tty["input"]:
        ahead: str = tty["ahead"]
        if not tty["modes"]["canonical"]:
            tty["ahead"] = ""
            _ready(kernel, tty, ahead.replace(PASTE, "").replace(PASTED, ""))
            continue
        size = len(PASTE) if ahead.startswith((PASTE, PASTED)) else 1
        tty["ahead"] = ahead[size:]
        if size == 1:
            _act(kernel, name, tty, ahead[0])


def read_keys(kernel: Kernel, name: str, reader: Record) -> str | None:
    """For a line editor: all that was typed as it came, marks of pastes included; "" when the terminal is gone."""
    tty = kernel.entry("ttys", name)
    text: str = "".join(tty["input"]) + tty["ahead"]
    if text:
        tty["input"], tty["n"], tty["ahead"] = [], 0, ""
        return text
    if tty["gone"]:
        return ""
    if reader["id"] not in tty["waiting"]:
        tty["waiting"].append(reader["id"])
    return None


def unread_keys(kernel: Kernel, name: str, text: str) -> None:
    """Keys that their reader leaves to whoever reads next."""
    tty = kernel.entry("ttys", name)
    if not tty.get("patient"):
        _act(kernel, name, tty, text)
        return
    tty["ahead"] = (text + tty["ahead"])[:TERMINAL_AHEAD]


def _act(kernel: Kernel, name: str, tty: Record, text: str) -> None:
    modes = tty["modes"]
    if not modes["canonical"] and not modes["signals"]:
        _ready(kernel, tty, text)
        return
    raw: list[str] = []
    for key in text:
        key = "\n" if key == "\r" else key
        if modes["signals"] and key in _SIGNALS:
            if modes["echo"]:
                _echo(kernel, name, tty, f"^{chr(ord(key) + 64)}")
            tty["line"], tty["input"], tty["n"] = "", [], 0
            if tty["fg"]:
                signals.send_group(kernel, tty["fg"], _SIGNALS[key])
        elif not modes["canonical"]:
            raw.append(key)
        else:
            _canonical(kernel, name, tty, key)
    if raw:
        _ready(kernel, tty, "".join(raw))


def _canonical(kernel: Kernel, name: str, tty: Record, key: str) -> None:
    line: str = tty["line"]
    if key in ("\x7f", "\x08"):
        _erase(kernel, name, tty, _last_character(line))
    elif key == "\x15":
        _erase(kernel, name, tty, len(line))
    elif key == "\x17":
        kept = line.rstrip(" \t")
        while kept and kept[-1] not in " \t":
            kept = kept[:-1]
        _erase(kernel, name, tty, len(line) - len(kept))
    elif key == "\x04":
        tty["line"] = ""
        _ready(kernel, tty, line)
    elif key == "\n":
        _echo(kernel, name, tty, "\n")
        tty["line"] = ""
        _ready(kernel, tty, line + "\n")
    elif len(line) < TERMINAL_LINE:
        tty["line"] = line + key
        _echo(kernel, name, tty, f"^{chr(ord(key) + 64)}" if key < " " and key != "\t" else key)


def _last_character(line: str) -> int:
    """Bytes of the last character of the line."""
    count = 0
    while count < len(line):
        count += 1
        if not "\x80" <= line[-count] < "\xc0":
            break
    return count


def _erase(kernel: Kernel, name: str, tty: Record, count: int) -> None:
    if not count:
        return
    gone = tty["line"][len(tty["line"]) - count :]
    tty["line"] = tty["line"][: len(tty["line"]) - count]
    shown = sum(2 if each < " " and each != "\t" else 1 for each in gone if not "\x80" <= each < "\xc0")
    _echo(kernel, name, tty, "\b \b" * shown)


def _ready(kernel: Kernel, tty: Record, text: str) -> None:
    if tty["n"] + len(text) > TERMINAL_INPUT:
        return
    tty["input"].append(text)
    tty["n"] += len(text)
    waiting, tty["waiting"] = tty["waiting"], []
    kernel.wake_all(waiting, outside=True)


def _echo(kernel: Kernel, name: str, tty: Record, text: str) -> None:
    if tty["modes"]["echo"] and not tty["gone"]:
        _put(kernel, name, tty, text)


def _put(kernel: Kernel, name: str, tty: Record, text: str) -> None:
    if text and tty.get("patient") and tty["fresh"] != text.endswith("\n"):
        kernel.entry("ttys", name)["fresh"] = text.endswith("\n")
    kernel.host.output(name, 1, text.replace("\n", "\r\n") if tty["modes"]["output"] else text)


def write(kernel: Kernel, name: str, text: str) -> None:
    """A program's output."""
    tty = kernel.top["ttys"].get(name)
    if tty is not None and not tty["gone"]:
        _put(kernel, name, tty, text)


def read(kernel: Kernel, name: str, count: int, reader: Record) -> str | None:
    """A line (or what is there in raw mode); "" at ^D or when the terminal is gone; None: nothing yet.

    A process of the background is stopped by TTIN instead.
    """
    tty = kernel.top["ttys"].get(name)
    if tty is None:
        return ""
    tty = kernel.entry("ttys", name)
    if reader["tty"] == name and tty["fg"] and reader["group"] != tty["fg"]:
        if reader["traps"].get("TTIN", "-") != "":
            signals.send_group(kernel, reader["group"], "TTIN")
            return None
        return ""
    if tty.get("ahead") and not tty["input"]:
        _digest(kernel, name, tty)
    if tty["input"]:
        text: str = tty["input"][0]
        if len(text) > count:
            tty["input"][0] = text[count:]
            text = text[:count]
        else:
            del tty["input"][0]
        tty["n"] -= len(text)
        return text
    if tty["gone"]:
        return ""
    if reader["id"] not in tty["waiting"]:
        tty["waiting"].append(reader["id"])
    return None


def set_modes(kernel: Kernel, name: str, modes: Mapping[str, bool]) -> None:
    tty = kernel.entry("ttys", name)
    before = tty["modes"]
    tty["modes"] = {**before, **{key: bool(value) for key, value in modes.items() if key in MODES}}
    if tty.get("ahead") and tty["modes"]["signals"] and not before["signals"]:
        ahead, tty["ahead"] = tty["ahead"], ""
        _keep(kernel, name, tty, ahead)


def set_foreground(kernel: Kernel, name: str, group: str) -> None:
    if name in kernel.top["ttys"]:
        kernel.entry("ttys", name)["fg"] = group


def resize(kernel: Kernel, name: str, cols: int, rows: int) -> None:
    """A new size: the foreground learns of it (WINCH)."""
    tty = kernel.entry("ttys", name)
    size = (cols or SIZE[0], rows or SIZE[1])
    if (tty["cols"], tty["rows"]) == size:
        return
    tty["cols"], tty["rows"] = size
    if tty["fg"]:
        signals.send_group(kernel, tty["fg"], "WINCH")


def hang_up(kernel: Kernel, name: str) -> None:
    """The user is gone: the session's leader and the foreground get HUP, readers see the end."""
    tty = kernel.entry("ttys", name)
    tty["gone"] = True
    waiting, tty["waiting"] = tty["waiting"], []
    kernel.wake_all(waiting)
    if tty["leader"] in kernel.procs:
        signals.send(kernel, tty["leader"], "HUP")
        signals.send(kernel, tty["leader"], "CONT")
    if tty["fg"] and tty["fg"] != tty["leader"]:
        signals.send_group(kernel, tty["fg"], "HUP")
        signals.send_group(kernel, tty["fg"], "CONT")
