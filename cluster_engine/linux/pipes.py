"""What lies behind descriptors in the machine's own memory: pipes, collected output, here-documents.

Records of the table ``io``:

- ``{"k": "pipe", "n": bytes, "q": [chunks], "readers", "writers": counts, "rw", "ww": [waiting processes]}``
- ``{"k": "cap", "refs", "n", "q", "owner"}``: what a command substitution prints
- ``{"k": "data", "refs", "text", "at"}``: a here-document
"""

from __future__ import annotations

from cluster_engine.linux.errors import FileError
from cluster_engine.linux.kernel import Kernel
from cluster_engine.linux.limits import PIPE_CAPACITY


class Broken(Exception):
    """A write ends the process: nobody reads what is written there (PIPE), or the file would get too long (XFSZ)."""

    def __init__(self, signal: str = "PIPE") -> None:
        super().__init__(signal)
        self.signal = signal


def make(kernel: Kernel) -> str:
    """A new pipe; both ends are still to be counted."""
    return kernel.add_stream({"k": "pipe", "n": 0, "q": [], "readers": 0, "writers": 0, "rw": [], "ww": []})


def collector(kernel: Kernel, owner: str) -> str:
    return kernel.add_stream({"k": "cap", "refs": 0, "n": 0, "q": [], "owner": owner})


def document(kernel: Kernel, text: str) -> str:
    return kernel.add_stream({"k": "data", "refs": 0, "text": text, "at": 0})


def taken(queue: list[str], count: int) -> str:
    """The first ``count`` bytes of a queue of chunks, which is changed."""
    first = queue[0]
    if len(queue) == 1 and len(first) <= count:
        queue.clear()
        return first
    if len(first) > count:
        queue[0] = first[count:]
        return first[:count]
    if len(first) == count:
        del queue[0]
        return first
    parts: list[str] = []
    left, used = count, 0
    for chunk in queue:
        if len(chunk) > left:
            break
        parts.append(chunk)
        left -= len(chunk)
        used += 1
    del queue[:used]
    if left and queue:
        parts.append(queue[0][:left])
        queue[0] = queue[0][left:]
    return "".join(parts)


def read(kernel: Kernel, key: str, count: int, reader: str) -> str | None:
    """At most ``count`` bytes, "" at the end, None: nothing yet (``reader`` is woken later)."""
    pipe = kernel.stream(key)
    if pipe["n"]:
        text = taken(pipe["q"], count)
        pipe["n"] -= len(text)
        if pipe["ww"]:
            waiting, pipe["ww"] = pipe["ww"], []
            kernel.wake_all(waiting)
        return text
    if not pipe["writers"]:
        return ""
    if reader not in pipe["rw"]:
        pipe["rw"].append(reader)
    return None


def give_back(kernel: Kernel, key: str, text: str) -> None:
    """Put back what was read too far (a shell reads byte by byte, so that others get the rest)."""
    pipe = kernel.stream(key)
    pipe["q"].insert(0, text)
    pipe["n"] += len(text)


def write(kernel: Kernel, key: str, text: str, writer: str) -> int:
    """How many bytes it took; with less than all ``writer`` is woken later. Raises Broken."""
    pipe = kernel.stream(key)
    if not pipe["readers"]:
        raise Broken
    room = PIPE_CAPACITY - pipe["n"]
    if room <= 0 or (room < len(text) <= 4096):
        if writer not in pipe["ww"]:
            pipe["ww"].append(writer)
        return 0
    if len(text) > room:
        text = text[:room]
        if writer not in pipe["ww"]:
            pipe["ww"].append(writer)
    queue = pipe["q"]
    if queue and len(queue[-1]) < 4096 and len(text) < 4096:
        queue[-1] += text
    else:
        queue.append(text)
    pipe["n"] += len(text)
    if pipe["rw"]:
        waiting, pipe["rw"] = pipe["rw"], []
        kernel.wake_all(waiting)
    return len(text)


def collect(kernel: Kernel, key: str, text: str) -> None:
    """More output of a command substitution. Raises FileError beyond the limit of a value."""
    record = kernel.stream(key)
    if record["n"] + len(text) > kernel.limits.value:
        raise FileError("Cannot allocate memory")
    queue = record["q"]
    if queue and len(queue[-1]) < 4096:
        queue[-1] += text
    else:
        queue.append(text)
    record["n"] += len(text)


def read_document(kernel: Kernel, key: str, count: int) -> str:
    record = kernel.stream(key)
    text: str = record["text"][record["at"] : record["at"] + count]
    record["at"] += len(text)
    return text


def retain(kernel: Kernel, key: str, counter: str) -> None:
    kernel.stream(key)[counter] += 1


def release(kernel: Kernel, key: str, counter: str) -> None:
    """One descriptor less; with the last ones the record goes, and whoever waits looks again."""
    record = kernel.stream(key)
    record[counter] -= 1
    if record["k"] == "pipe":
        if not record["readers"] and not record["writers"]:
            kernel.drop_stream(key)
            return
        if not record[counter]:
            waiting = "ww" if counter == "readers" else "rw"
            keys, record[waiting] = record[waiting], []
            kernel.wake_all(keys)
    elif not record["refs"]:
        if record["k"] == "cap":
            kernel.wake(record["owner"])
        else:
            kernel.drop_stream(key)
