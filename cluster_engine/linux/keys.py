"""From the characters that a terminal sends to keys: names, text, pastes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cluster_engine.linux.terminals import PASTE, PASTED

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


@dataclass(frozen=True, slots=True)
class Key:
    """`name` of a key with what was sent for it; `text` for what is typed, `paste` for pasted text."""

    name: str
    raw: str
    text: str = ""


def keys(text: str, pasting: bool) -> tuple[list[Key], str, bool]:
    """The keys of ``text``, what is left of an unfinished sequence, and whether a paste goes on behind it."""
    found: list[Key] = []
    at = 0
    while at < len(text):
        if pasting:
            end = text.find(PASTED, at)
            if end < 0:
                # Hand on what cannot be the start of the end mark.
                keep = len(text) - len(PASTED) + 1
                cut = max(at, keep) if "\x1b" in text[max(at, keep) :] else len(text)
                if cut > at:
                    found.append(Key("paste", text[at:cut], text[at:cut]))
                return found, text[cut:], True
            if end > at:
                found.append(Key("paste", text[at:end], text[at:end]))
            pasting = False
            at = end + len(PASTED)
            continue
        char = text[at]
        if char == "\x1b":
            used, key = _escape(text, at)
            if used == 0:
                return found, text[at:], False
            at += used
            pasting = key is None
            if key is not None:
                found.append(key)
        elif char in _CONTROL:
            if not (char == "\n" and at > 0 and text[at - 1] == "\r"):
                found.append(Key(_CONTROL[char], char))
            at += 1
        elif ord(char) < 32:
            found.append(Key("", char))
            at += 1
        else:
            end = at
            while end < len(text) and ord(text[end]) >= 32 and text[end] != "\x7f":
                end += 1
            found.append(Key("text", text[at:end], text[at:end]))
            at = end
    return found, "", pasting


def _escape(text: str, at: int) -> tuple[int, Key | None]:
    """An escape sequence: its length (0: the rest is still to come) and its key, None for the start of a paste."""
    rest = text[at + 1 : at + 1 + _MAX_SEQUENCE]
    if not rest:
        return 0, None
    if rest[0] == "[":
        match = _CSI.match(rest)
        if match is None:
            return (0, None) if len(rest) < _MAX_SEQUENCE else (2, Key("", text[at : at + 2]))
        sequence = match.group()
    elif rest[0] == "O":
        if len(rest) < 2:
            return 0, None
        sequence = rest[:2]
    else:
        sequence = rest[0]
    if sequence == "[200~":
        return 1 + len(sequence), None
    if sequence == "\x1b":
        return 1, Key("escape", "\x1b")
    return 1 + len(sequence), Key(_SEQUENCES.get(sequence, ""), "\x1b" + sequence)


def again(found: list[Key], rest: str, pasting: bool) -> str:
    """The characters that give these keys, the rest and the state once more."""
    parts = [f"{PASTE}{key.raw}{PASTED}" if key.name == "paste" else key.raw for key in found]
    if pasting:
        if found and found[-1].name == "paste":
            parts[-1] = parts[-1].removesuffix(PASTED)
        else:
            parts.append(PASTE)
    return "".join(parts) + rest
