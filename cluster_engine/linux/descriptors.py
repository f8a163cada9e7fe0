"""Descriptors: from a number in a process to what lies behind it.

A process's ``fds`` maps ``"0"`` … to a short text, whose first letter says what it is:

``n`` null · ``lo``/``le`` the log (out, err) · ``s0ID`` ``s1ID`` ``s2ID`` a session's streams · ``tID`` a terminal ·
``rID``/``wID`` ends of a pipe · ``cID`` a collector · ``dID`` a here-document · ``kID`` a socket · ``fID`` a file.

Those from ``r`` on are counted: every descriptor holds one reference.
"""

from __future__ import annotations

from cluster_engine.linux import pipes, sockets, terminals
from cluster_engine.linux.errors import BAD_DESCRIPTOR, TOO_LARGE, TOO_MANY, FileError
from cluster_engine.linux.kernel import Kernel, Record
from cluster_engine.linux.limits import CHUNK

COUNTED = "rwcdkf"
BLOCK = 512
"""Bytes of one block of ``ulimit -f``."""
_COUNTERS = {"r": "readers", "w": "writers", "c": "refs", "d": "refs", "k": "refs"}


def retain(kernel: Kernel, desc: str) -> None:
    """One more descriptor for the same thing."""
    letter = desc[0]
    if letter == "f":
        kernel.storage.retain(desc[1:])
    elif letter in COUNTED:
        pipes.retain(kernel, desc[1:], _COUNTERS[letter])


def release(kernel: Kernel, desc: str) -> None:
    """One descriptor less."""
    letter = desc[0]
    if letter not in COUNTED:
        return
    key = desc[1:]
    if letter == "f":
        kernel.storage.release(key)
    elif letter == "k":
        sockets.release(kernel, key)
    else:
        pipes.release(kernel, key, _COUNTERS[letter])


def lowest(fds: dict[str, str], start: int = 0) -> int:
    """The lowest free number."""
    if start == 0 and "0" in fds and "1" in fds and "2" in fds:
        start = 3
    while str(start) in fds:
        start += 1
    return start


def full(kernel: Kernel, process: Record) -> bool:
    """May the process open nothing more?"""
    count, limits = len(process["fds"]), process["limits"]
    return count >= kernel.limits.descriptors or (bool(limits) and count >= limits.get("n", count + 1))


def place(kernel: Kernel, process: Record, desc: str) -> int:
    """Give the process a new descriptor (its reference is counted already). Raises FileError."""
    if full(kernel, process):
        release(kernel, desc)
        raise FileError(TOO_MANY)
    number = lowest(process["fds"])
    process["fds"][str(number)] = desc
    return number


def open_path(kernel: Kernel, process: Record, path: str, flags: str) -> str:
    """Open a file: its desc, counted once. Raises FileError."""
    kernel.acts += 1
    if path.startswith("/dev/"):
        special = _special(process, path)
        if special is not None:
            retain(kernel, special)
            return special
    key = kernel.files(process).open(path, flags)
    device = kernel.storage.device(key)
    if device == "null" or device in ("tty", "stdin", "stdout", "stderr"):
        kernel.storage.release(key)
        special = "n" if device == "null" else _special(process, f"/dev/{device}")
        if special is None:
            raise FileError("No such device or address", path)
        retain(kernel, special)
        return special
    return "f" + key


def _special(process: Record, path: str) -> str | None:
    """Paths that name what the process itself has open."""
    if path == "/dev/null":
        return "n"
    if path == "/dev/tty":
        if not process["tty"]:
            raise FileError("No such device or address", path)
        return "t" + str(process["tty"])
    number = _NUMBERS.get(path)
    if number is None and path.startswith("/dev/fd/"):
        number = path[8:]
    if number is None:
        return None
    desc: str | None = process["fds"].get(number)
    if desc is None:
        raise FileError("No such file or directory", path)
    return desc


_NUMBERS = {"/dev/stdin": "0", "/dev/stdout": "1", "/dev/stderr": "2"}


def read(kernel: Kernel, process: Record, desc: str, count: int = CHUNK) -> str | None:
    """At most ``count`` bytes, "" at the end, None: nothing yet; the process is woken. Raises FileError."""
    letter = desc[0]
    kernel.acts += 1
    if letter == "r":
        return pipes.read(kernel, desc[1:], count, process["id"])
    if letter == "f":
        return kernel.storage.read(desc[1:], count)
    if letter == "d":
        return pipes.read_document(kernel, desc[1:], count)
    if letter == "n":
        return ""
    if letter == "t":
        return terminals.read(kernel, desc[1:], count, process)
    if letter == "s":
        return _session(kernel, desc[2:], count, process["id"])
    if letter == "k":
        return sockets.read(kernel, desc[1:], count)
    raise FileError(BAD_DESCRIPTOR)


def _session(kernel: Kernel, name: str, count: int, reader: str) -> str | None:
    if name not in kernel.top["sessions"]:
        return ""
    session = kernel.entry("sessions", name)
    if session["in"]:
        return pipes.taken(session["in"], count)
    if session["eof"]:
        return ""
    if reader not in session["waiting"]:
        session["waiting"].append(reader)
    return None


def unread(kernel: Kernel, desc: str, text: str) -> None:
    """Put back what was read too far."""
    letter = desc[0]
    if letter == "r":
        pipes.give_back(kernel, desc[1:], text)
    elif letter == "f":
        held = kernel.storage.opens[desc[1:]]
        if not held["dev"]:
            kernel.storage.seek(desc[1:], held["at"] - len(text))
    elif letter == "d":
        kernel.stream(desc[1:])["at"] -= len(text)
    elif letter == "t":
        tty = kernel.entry("ttys", desc[1:])
        tty["input"].insert(0, text)
        tty["n"] += len(text)
    elif letter == "s":
        kernel.entry("sessions", desc[2:])["in"].insert(0, text)
    elif letter == "k":
        record = kernel.stream(desc[1:])
        record["in"].insert(0, text)
        record["n"] += len(text)


def write(kernel: Kernel, process: Record, desc: str, text: str) -> int:
    """How many bytes were taken; with less than all the process is woken later.

    Raises FileError, and pipes.Broken when nobody reads there any more.
    """
    letter = desc[0]
    kernel.acts += 1
    if letter == "n":
        return len(text)
    if letter == "k":
        sockets.write(kernel, desc[1:], text)
        return len(text)
    if letter == "l":
        _log(kernel, process, desc, text)
        return len(text)
    if letter == "w":
        try:
            return pipes.write(kernel, desc[1:], text, process["id"])
        except pipes.Broken:
            if process["traps"].get("PIPE") == "":
                raise FileError("Broken pipe") from None
            raise
    if letter == "c":
        pipes.collect(kernel, desc[1:], text)
        return len(text)
    if letter == "f":
        return _to_file(kernel, process, desc[1:], text)
    if letter == "t":
        kernel.top["totals"]["output"] += len(text)
        terminals.write(kernel, desc[1:], text)
        return len(text)
    if letter == "s" and desc[1] != "0":
        kernel.top["totals"]["output"] += len(text)
        kernel.host.output(desc[2:], int(desc[1]), text)
        return len(text)
    raise FileError(BAD_DESCRIPTOR)


def _to_file(kernel: Kernel, process: Record, key: str, text: str) -> int:
    blocks = process["limits"].get("f")
    if blocks is not None:
        room = max(0, blocks * BLOCK - kernel.storage.offset(key))
        if room < len(text):
            kernel.storage.write(key, text[:room], kernel.now)
            if process["traps"].get("XFSZ") == "":
                raise FileError(TOO_LARGE)
            raise pipes.Broken("XFSZ")
    kernel.storage.write(key, text, kernel.now)
    return len(text)


def put(kernel: Kernel, process: Record, desc: str, text: str) -> None:
    """Write all of it: what is not taken now is kept in the process's ``out`` and goes first later.

    Raises FileError and pipes.Broken.
    """
    if process["out"]:
        retain(kernel, desc)
        process["out"].append([desc, text])
        return
    if desc[0] == "l":
        kernel.acts += 1
        _log(kernel, process, desc, text)
        return
    count = write(kernel, process, desc, text)
    if count < len(text):
        retain(kernel, desc)
        process["out"].append([desc, text[count:]])


def _log(kernel: Kernel, process: Record, desc: str, text: str) -> None:
    kernel.top["totals"]["output"] += len(text)
    kernel.host.log(process["who"]["tag"], "stdout" if desc == "lo" else "stderr", text)


def flush(kernel: Kernel, process: Record) -> bool:
    """Write what is kept; whether all of it went out. Raises pipes.Broken."""
    while process["out"]:
        desc, text = process["out"][0]
        try:
            count = write(kernel, process, desc, text)
        except FileError:
            count = len(text)
        if count < len(text):
            process["out"][0] = [desc, text[count:]]
            return False
        del process["out"][0]
        release(kernel, desc)
    return True
