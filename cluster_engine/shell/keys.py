"""From the characters a browser's terminal sends to keys: names, text, pastes."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_PASTE = 256 * 1024
_MAX_SEQUENCE = 32

_CONTROL = {
    "\r": "enter",
    "\n": "enter",
    "\t": "tab",
    "\x7f": "backspace",
    "\x08": "backspace",
    "\x01": "home",
    "\x05": "end",
    "\x02": "left",
    "\x06": "right",
    "\x10": "up",
    "\x0e": "down",
    "\x15": "kill-to-start",
    "\x0b": "kill-to-end",
    "\x17": "kill-word-left",
    "\x19": "yank",
    "\x14": "transpose",
    "\x0c": "clear",
    "\x03": "interrupt",
    "\x04": "eof",
    "\x12": "search",
    "\x07": "cancel",
}
_SEQUENCES = {
    "[A": "up", "[B": "down", "[C": "right", "[D": "left",
    "OA": "up", "OB": "down", "OC": "right", "OD": "left",
    "[H": "home", "[F": "end", "OH": "home", "OF": "end",
    "[1~": "home", "[4~": "end", "[7~": "home", "[8~": "end",
    "[3~": "delete", "[1;5C": "word-right", "[1;5D": "word-left", "[1;3C": "word-right", "[1;3D": "word-left",
    "f": "word-right", "b": "word-left", "d": "kill-word-right", "\x7f": "kill-word-left",
    "[5~": "", "[6~": "", "[Z": "tab",
}  # fmt: skip
_CSI = re.compile(r"\[[0-?]*[ -/]*[@-~]")
_PASTE_END = "\x1b[201~"


@dataclass(frozen=True, slots=True)
class Key:
    """`name` of a key with what was sent for it; `text` for what is typed, `paste` for pasted text."""

    name: str
    raw: str
    text: str = ""


class KeyReader:
    """Cuts a stream of characters into keys; unfinished sequences wait for the next `feed`."""

    def __init__(self) -> None:
        self._pending = ""
        self._pasting = False

    def take_pending(self) -> str:
        """The characters of an unfinished sequence, given up."""
        pending, self._pending = self._pending, ""
        return pending

    def feed(self, data: str) -> list[Key]:
        """The keys that `data` completes."""
        text = self._pending + data
        self._pending = ""
        keys: list[Key] = []
        at = 0
        while at < len(text):
            if self._pasting:
                end = text.find(_PASTE_END, at)
                if end < 0:
                    # Hand on what cannot be the start of the end mark.
                    keep = len(text) - len(_PASTE_END) + 1
                    cut = max(at, keep) if "\x1b" in text[max(at, keep) :] else len(text)
                    if cut > at:
                        keys.append(Key("paste", text[at:cut], text[at:cut]))
                    self._pending = text[cut:]
                    break
                if end > at:
                    keys.append(Key("paste", text[at:end], text[at:end]))
                self._pasting = False
                at = end + len(_PASTE_END)
                continue
            char = text[at]
            if char == "\x1b":
                used = self._escape(text, at, keys)
                if used == 0:
                    self._pending = text[at:]
                    break
                at += used
            elif char in _CONTROL:
                if char == "\n" and at > 0 and text[at - 1] == "\r":
                    at += 1
                    continue
                keys.append(Key(_CONTROL[char], char))
                at += 1
            elif ord(char) < 32:
                keys.append(Key("", char))
                at += 1
            else:
                end = at
                while end < len(text) and ord(text[end]) >= 32 and text[end] != "\x7f":
                    end += 1
                keys.append(Key("text", text[at:end], text[at:end]))
                at = end
        return keys

    def _escape(self, text: str, at: int, keys: list[Key]) -> int:
        """Read an escape sequence; its length, or 0 if the rest is still to come."""
        rest = text[at + 1 : at + 1 + _MAX_SEQUENCE]
        if not rest:
            return 0
        if rest[0] == "[":
            match = _CSI.match(rest)
            if match is None:
                return 0 if len(rest) < _MAX_SEQUENCE else 2
            sequence = match.group()
        elif rest[0] == "O":
            if len(rest) < 2:
                return 0
            sequence = rest[:2]
        else:
            sequence = rest[0]
        if sequence == "[200~":
            self._pasting = True
        elif sequence == "\x1b":
            keys.append(Key("escape", "\x1b"))
            return 1
        else:
            keys.append(Key(_SEQUENCES.get(sequence, ""), "\x1b" + sequence))
        return 1 + len(sequence)
