"""``read``: byte by byte, so that whoever reads next gets the rest. It waits for input and for its time-out."""

from __future__ import annotations

from cluster_engine.linux import descriptors
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.sh import ends
from cluster_engine.linux.sh.base import Back, Usage
from cluster_engine.linux.sh.parse import is_name
from cluster_engine.linux.sh.shell import WAIT, Shell

MAX_READ_TEXT = 1 << 20
"""Bytes of one line that ``read`` takes."""


def _read(sh: Shell, argv: list[str], back: Back) -> int:
    """``read [-r] [-p prompt] [-n count] [-t seconds] [-u fd] [-s] [-d char] [name …]``."""
    words, raw, fd, count, delimiter, timeout, prompt = argv[1:], False, 0, 0, "\n", -1, ""
    while words and words[0][:1] == "-" and len(words[0]) > 1:
        option = words.pop(0)
        if option == "--":
            break
        while len(option) > 1:
            letter, rest = option[1], option[2:]
            if letter in "rs":
                raw = raw or letter == "r"
                option = "-" + rest
                continue
            if letter not in "pntud":
                raise Usage(f"illegal option -{letter}")
            if not rest and not words:
                raise Usage(f"no arg for -{letter} option")
            value = rest or words.pop(0)
            option = ""
            if letter == "p":
                prompt = value
            elif letter == "d":
                delimiter = value[:1] or "\0"
            elif letter == "t":
                timeout = _microseconds(value)
            elif not value.isdecimal():
                raise Usage(f"invalid {'count' if letter == 'n' else 'file descriptor'}")
            elif letter == "n":
                count = int(value[:9])
            else:
                fd = int(value[:9])
    for name in words:
        if not is_name(name):
            raise Usage(f"read: '{name}': bad variable name", 1, line=False)
    desc = sh.p["fds"].get(str(fd))
    if desc is None:
        return ends.finish(sh, 1, back)
    if prompt and desc[0] == "t":
        sh.write(sh.p["fds"], 2, prompt)
    timer = sh.kernel.timer(sh.p["id"], timeout, "read") if timeout >= 0 else 0
    sh.p["call"] = ["read", words or ["REPLY"], raw, fd, count, delimiter, timer, "", bool(words)]
    return _resume(sh, back)


def _microseconds(text: str) -> int:
    whole, _, fraction = text.partition(".")
    if not (whole + fraction).isdecimal() or len(text) > 12:
        raise Usage("invalid timeout")
    return int(whole or "0") * 1_000_000 + int((fraction + "000000")[:6])


def _resume(sh: Shell, back: Back) -> int:
    process = sh.p
    _, names, raw, fd, count, delimiter, timer, text, named = process["call"]
    if timer and timer in process["fired"]:
        process["fired"].remove(timer)
        return _done(sh, names, text, raw, named, back, 129)
    desc = process["fds"][str(fd)]
    while True:
        try:
            chunk = descriptors.read(sh.kernel, process, desc)
        except FileError as error:
            sh.write_error(process["fds"], "read", f"read error: {error.reason}", True)
            chunk = ""
        if chunk is None:
            process["call"] = ["read", names, raw, fd, count, delimiter, timer, text, named]
            if process["state"] == "R":
                sh.kernel.sleep(process)
            sh.next = back[0]
            return WAIT
        if chunk == "":
            return _done(sh, names, text, raw, named, back, 1)
        end = _end(text, chunk, raw, delimiter, count)
        taken = chunk if end < 0 else chunk[:end]
        sh.extra += 1 + len(taken) // 8
        text += taken
        if end >= 0:
            if end < len(chunk):
                descriptors.unread(sh.kernel, desc, chunk[end:])
            if not count or text.endswith(delimiter):
                text = text.removesuffix(delimiter)
            return _done(sh, names, text, raw, named, back, 0)
        if len(text) > MAX_READ_TEXT:
            return _done(sh, names, text, raw, named, back, 1)


def _end(text: str, chunk: str, raw: bool, delimiter: str, count: int) -> int:
    """How much of the chunk belongs to the line, -1: all of it and more."""
    limit = max(0, count - len(text)) if count else -1
    at = 0
    while True:
        found = chunk.find(delimiter, at)
        if limit >= 0 and (found < 0 or found >= limit):
            return limit if len(chunk) >= limit else -1
        if found < 0:
            return -1
        before = text + chunk[:found] if not found or chunk[:found].strip("\\") == "" else chunk[:found]
        slashes = len(before) - len(before.rstrip("\\"))
        if raw or slashes % 2 == 0:
            return found + 1
        at = found + 1


def _done(sh: Shell, names: list[str], text: str, raw: bool, named: bool, back: Back, status: int) -> int:
    text = text.replace("\0", "")
    values = split(text, sh.ifs() if named else "", len(names), raw)
    for name, value in zip(names, values, strict=True):
        sh.assign(name, value)
    return ends.finish(sh, status, back)


def split(text: str, ifs: str, count: int, raw: bool) -> list[str]:
    """``count`` fields; the last takes what is left. Escaped characters never separate, escaped newlines vanish."""
    chars: list[tuple[str, bool]] = []
    at = 0
    while at < len(text):
        if text[at] == "\\" and not raw:
            if at + 1 < len(text) and text[at + 1] != "\n":
                chars.append((text[at + 1], False))
            at += 2
        else:
            chars.append((text[at], text[at] in ifs))
            at += 1

    def white(index: int) -> bool:
        return index < len(chars) and chars[index][1] and chars[index][0] in " \t\n"

    fields: list[str] = []
    at = 0
    while white(at):
        at += 1
    while len(fields) < count - 1 and at < len(chars):
        start = at
        while at < len(chars) and not chars[at][1]:
            at += 1
        fields.append("".join(char for char, _ in chars[start:at]))
        while white(at):
            at += 1
        if at < len(chars) and chars[at][1]:
            at += 1
            while white(at):
                at += 1
    end = len(chars)
    while end > at and white(end - 1):
        end -= 1
    if end > at and chars[end - 1][1] and not any(separator for _, separator in chars[at : end - 1]):
        end -= 1
    fields.append("".join(char for char, _ in chars[at:end]))
    return fields + [""] * (count - len(fields))


CONTROLS = {"read": _read}
RESUMES = {"read": _resume}
