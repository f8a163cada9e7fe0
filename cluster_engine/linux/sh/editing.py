"""Editing a line at the prompt: history, search, completion. An interactive shell does it when ``set -E`` is on.

What is being edited is the field ``edit`` of the shell's process, JSON that is replaced and never changed:
``{"line": LineEditor.state, "bytes": of an unfinished character, "rest": of an unfinished sequence, "pasting": bool,
"recalled": place in the history or None, "draft": what was typed before looking there, "search": text or None,
"found": place, "asked": [call, text, cursor] of the host or None}``. While it is there the terminal is raw; the shell
makes it as programs expect it before it runs a command.
"""

from __future__ import annotations

import codecs
from collections import deque
from collections.abc import Callable
from typing import Any

from cluster_engine.linux import terminals
from cluster_engine.linux.keys import Key, again, keys
from cluster_engine.linux.lines import MAX_EDITED, LineEditor
from cluster_engine.linux.sh.builtins.naming import NAMES
from cluster_engine.linux.sh.completing import (
    MAX_SHOWN,
    Offer,
    Request,
    analyse,
    apply,
    hosts_offer,
    hosts_words,
    paths,
)
from cluster_engine.linux.sh.completing import offer as offered
from cluster_engine.linux.sh.shell import Shell
from cluster_engine.linux.text import characters, octets
from cluster_engine.linux.width import columns

MAX_HISTORY = 1_000
"""Lines that a shell remembers."""
MAX_REMEMBERED = 8 * 1024
"""Characters of one of them."""
KEYS_PER_TURN = 256
"""Keys handled before others have their turn; those that search or list count for more."""
_COSTS = {"tab": 32, "enter": 8, "search": 16}
_RAW = dict.fromkeys(terminals.MODES, False) | {"output": True}
_PLAIN = dict.fromkeys(terminals.MODES, True)
_PASTES, _NO_PASTES = "\x1b[?2004h", "\x1b[?2004l"
_ENTER = Key("enter", "\r")

INTERRUPTED = "\x03"
"""What ``line`` gives when the line was given up with Ctrl-C."""
BUSY = "\x1a"
"""What ``line`` gives when there are more keys than one turn handles."""


def wanted(sh: Shell) -> bool:
    """Does this shell edit its lines?"""
    process = sh.p
    return "E" in process["opts"] and "i" in process["opts"] and _tty(sh) is not None


def _tty(sh: Shell) -> str | None:
    desc: str = sh.p["fds"].get("0", "n")
    return desc[1:] if desc[0] == "t" and desc[1:] in sh.kernel.top["ttys"] else None


def begin(sh: Shell, prompt: str) -> None:
    """Show a prompt, and edit from now on."""
    name = _tty(sh)
    assert name is not None
    tty = sh.kernel.top["ttys"][name]
    kept = sh.p.get("edit")
    line = LineEditor.load(kept["line"], tty["cols"]) if kept else LineEditor(tty["cols"])
    lead = "" if tty.get("fresh", True) or kept else "\n"
    line.begin(characters(prompt))
    terminals.set_modes(sh.kernel, name, _RAW)
    _show(sh, lead + ("" if kept else _PASTES) + line.flush())
    _keep(sh, line, kept or {}, recalled=None, draft="", search=None, found=0, asked=None)


def leave(sh: Shell) -> None:
    """A command begins: the terminal is for its programs."""
    name = _tty(sh)
    if sh.p.get("edit") is None or name is None:
        return
    sh.p["edit"] = None
    terminals.set_modes(sh.kernel, name, _PLAIN)
    _show(sh, _NO_PASTES)
    sh.kernel.entry("ttys", name)["fresh"] = True


def remember(sh: Shell, text: str) -> None:
    """Append a command to the history (blank ones and immediate repeats are left out)."""
    text = text.removesuffix("\n")
    history: list[str] = sh.p.get("history", [])
    if text.strip() and len(text) <= MAX_REMEMBERED and history[-1:] != [text]:
        sh.p["history"] = [*history[-MAX_HISTORY + 1 :], text]


def line(sh: Shell) -> str | None:
    """The next line as byte text with its newline, INTERRUPTED, BUSY, "" at the end, None: nothing yet."""
    name = _tty(sh)
    if name is None:
        return ""
    return _Editor(sh, name).run()


def _show(sh: Shell, text: str) -> None:
    if text:
        sh.write(sh.p["fds"], 2, octets(text.replace("\r\n", "\n")))


def _keep(sh: Shell, line: LineEditor, before: dict[str, Any], **changed: Any) -> None:
    blank = {"bytes": "", "rest": "", "pasting": False}
    sh.p["edit"] = {**blank, **before, **changed, "line": line.state}


class _Editor:
    """One turn of editing."""

    def __init__(self, sh: Shell, name: str) -> None:
        self.sh = sh
        self.name = name
        tty = sh.kernel.top["ttys"][name]
        self.edit: dict[str, Any] = dict(sh.p["edit"])
        self.line = LineEditor.load(self.edit["line"], tty["cols"])
        self.history: list[str] = sh.p.get("history", [])
        self.answer: str | None = None
        self.queue: deque[Key] = deque()

    def run(self) -> str | None:
        """Handle what was typed, up to the end of the line."""
        sh = self.sh
        answered = sh.p.pop("answered", None)
        if answered is not None:
            self._answered(answered)
        while self.answer is None:
            data = terminals.read_keys(sh.kernel, self.name, sh.p)
            if data is None:
                break
            if data == "":
                return ""
            self._typed(data)
        if self.answer is None:
            _show(sh, self.line.flush())
        _keep(sh, self.line, self.edit)
        return self.answer

    def _typed(self, data: str) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        text = decoder.decode((self.edit["bytes"] + data).encode("latin-1"))
        self.edit["bytes"] = decoder.getstate()[0].decode("latin-1")
        found, rest, pasting = keys(self.edit["rest"] + text, self.edit["pasting"])
        self.queue.extend(found)
        budget = KEYS_PER_TURN
        while self.queue and self.answer is None and budget > 0:
            budget -= _COSTS.get(self.queue[0].name, 1)
            self._key(self.queue.popleft())
        self.sh.extra += KEYS_PER_TURN - budget
        if self.answer is None and not self.queue:
            self.edit["rest"], self.edit["pasting"] = rest, pasting
            return
        if self.answer is None:
            self.answer = BUSY
            _show(self.sh, self.line.flush())
        left = octets(again(list(self.queue), rest, pasting)) + self.edit["bytes"]
        terminals.unread_keys(self.sh.kernel, self.name, left)
        self.edit |= {"bytes": "", "rest": "", "pasting": False}

    def _key(self, key: Key) -> None:
        if key.name != "tab":
            self.edit["asked"] = None
        if self.edit["search"] is not None and self._searching(key):
            return
        action = _ACTIONS.get(key.name)
        if action is not None:
            action(self, key)

    # --- the line -------------------------------------------------------------------------------

    def insert(self, text: str) -> None:
        """Type text; what does not fit is said."""
        if not self.line.insert(text):
            line = self.line
            said = f"\x07(a line may have at most {MAX_EDITED:,} characters: the rest was dropped)"
            _show(self.sh, line.finish() + said + "\r\n")
            line.begin(line.prompt, line.text, line.cursor)

    def paste(self, key: Key) -> None:
        """Lines of a paste are entered one by one; the last stays to be edited."""
        text = key.text.replace("\r\n", "\n").replace("\r", "\n")
        first, newline, rest = text.partition("\n")
        self.insert("".join(char for char in first if char == "\t" or ord(char) >= 32))
        if newline:
            if rest:
                self.queue.appendleft(Key("paste", rest, rest))
            self.queue.appendleft(_ENTER)

    def enter(self, key: Key) -> None:
        """The line is done."""
        _show(self.sh, self.line.finish())
        self.answer = octets(self.line.text) + "\n"

    def interrupt(self, key: Key) -> None:
        """Give the line up."""
        self.line.move(len(self.line.text))
        _show(self.sh, self.line.flush() + "^C" + self.line.finish())
        self.answer = INTERRUPTED

    def eof(self, key: Key) -> None:
        """Ctrl-D: deletes, or ends the shell on an empty line."""
        line = self.line
        if line.text:
            line.remove(line.cursor, line.cursor + 1)
            return
        _show(self.sh, line.finish() if self.sh.p["input"] else line.flush() + "exit" + line.finish())
        self.answer = ""

    def clear(self, key: Key) -> None:
        """Ctrl-L."""
        _show(self.sh, self.line.clear())

    # --- history --------------------------------------------------------------------------------

    def look(self, step: int) -> None:
        """A line of the history, or back to the draft."""
        history = self.history
        at = len(history) if self.edit["recalled"] is None else self.edit["recalled"]
        goal = at + step
        if not 0 <= goal <= len(history):
            return
        if self.edit["recalled"] is None:
            self.edit["draft"] = self.line.text
        self.edit["recalled"] = None if goal == len(history) else goal
        self.line.set(self.edit["draft"] if goal == len(history) else characters(history[goal]))

    def search(self, key: Key) -> None:
        """Ctrl-R begins."""
        self.edit |= {
            "search": "", "found": len(self.history), "draft": self.line.text, "prompt": self.line.prompt
        }  # fmt: skip
        self._show_search()

    def _show_search(self) -> None:
        self.line.prompt = f"(reverse-i-search)`{self.edit['search']}': "

    def _find(self, start: int) -> None:
        for index in range(min(start, len(self.history) - 1), -1, -1):
            if self.edit["search"] and self.edit["search"] in characters(self.history[index]):
                self.edit["found"] = index
                self.line.set(characters(self.history[index]))
                break
        self.sh.extra += 16
        self._show_search()

    def _searching(self, key: Key) -> bool:
        """A key during Ctrl-R; false if it ends the search and is to be handled as usual."""
        if key.name == "text":
            self.edit["search"] += key.text
            self._find(len(self.history) - 1)
            return True
        if key.name == "backspace":
            self.edit["search"] = self.edit["search"][:-1]
            self._find(len(self.history) - 1)
            return True
        if key.name == "search":
            self._find(self.edit["found"] - 1)
            return True
        self.edit["search"] = None
        if key.name in ("cancel", "interrupt"):
            self.line.set(self.edit["draft"])
        self.line.prompt = self.edit["prompt"]
        return key.name in ("cancel", "interrupt", "escape")

    # --- completion -----------------------------------------------------------------------------

    def tab(self, key: Key) -> None:
        """Complete the word before the cursor, or ask the host what it may be."""
        line, sh = self.line, self.sh
        request = analyse(line.text, line.cursor)
        words = hosts_words(sh, request)
        if words is None:
            self._completed(request, offered(sh, request, NAMES))
            return
        if self.edit["asked"] is not None:
            return
        call = sh.kernel.fresh()
        sh.kernel.top["calls"][call] = {"process": sh.p["id"], "what": "call", "name": "complete"}
        args = {"words": [octets(word) for word in words], "cwd": sh.p["cwd"], "env": sh.environment()}
        sh.kernel.host.call(call, "complete", args)
        self.edit["asked"] = [call, line.text, line.cursor]

    def _answered(self, event: list[Any]) -> None:
        """``["answer", call, {"names", "final": " " or "", "files": bool}]``; too late if the line has changed."""
        asked = self.edit["asked"]
        if asked is None or asked[0] != str(event[1]):
            return
        self.edit["asked"] = None
        if asked[1:] != [self.line.text, self.line.cursor]:
            return
        request, data = analyse(asked[1], asked[2]), event[2]
        if data["files"] and not data["names"]:
            self._completed(request, paths(self.sh, request.prefix))
        else:
            self._completed(request, hosts_offer([characters(name) for name in data["names"]], data["final"]))

    def _completed(self, request: Request, found: Offer) -> None:
        line = self.line
        changed = apply(request, found)
        if changed is not None:
            line.set(*changed)
        elif not found.names:
            _show(self.sh, "\x07")
        else:
            labels = [found.labels.get(name, name) for name in found.names]
            more = f"… and {len(labels) - MAX_SHOWN} more\n" if len(labels) > MAX_SHOWN else ""
            _show(self.sh, line.finish() + columns(labels[:MAX_SHOWN], line.cols) + more)
            line.begin(line.prompt, line.text, line.cursor)


_Action = Callable[[_Editor, Key], object]


def _moves(where: Callable[[LineEditor], int]) -> _Action:
    return lambda editor, key: editor.line.move(where(editor.line))


def _kills(span: Callable[[LineEditor], tuple[int, int]], keep: bool = True) -> _Action:
    return lambda editor, key: editor.line.remove(*span(editor.line), keep=keep)


_ACTIONS: dict[str, _Action] = {
    "text": lambda editor, key: editor.insert(key.text),
    "paste": _Editor.paste,
    "enter": _Editor.enter,
    "tab": _Editor.tab,
    "interrupt": _Editor.interrupt,
    "eof": _Editor.eof,
    "search": _Editor.search,
    "clear": _Editor.clear,
    "up": lambda editor, key: editor.look(-1),
    "down": lambda editor, key: editor.look(1),
    "left": _moves(lambda line: line.cursor - 1),
    "right": _moves(lambda line: line.cursor + 1),
    "home": _moves(lambda line: 0),
    "end": _moves(lambda line: len(line.text)),
    "word-left": _moves(LineEditor.word_left),
    "word-right": _moves(LineEditor.word_right),
    "backspace": _kills(lambda line: (line.cursor - 1, line.cursor), keep=False),
    "delete": _kills(lambda line: (line.cursor, line.cursor + 1), keep=False),
    "kill-to-start": _kills(lambda line: (0, line.cursor)),
    "kill-to-end": _kills(lambda line: (line.cursor, len(line.text))),
    "kill-word-left": _kills(lambda line: (line.blank_left(), line.cursor)),
    "kill-word-right": _kills(lambda line: (line.cursor, line.word_right())),
    "yank": lambda editor, key: editor.line.insert(editor.line.killed),
    "transpose": lambda editor, key: editor.line.transpose(),
}
