"""The journal: every input from outside, with its virtual time.

Journal + seed + engine version = the whole cluster. Reads and dry runs change nothing and are not in it.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """One input. ``at`` is virtual µs; ``kind`` says how to perform it; ``payload`` is JSON data."""

    seq: int
    at: int
    kind: str
    payload: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {"seq": self.seq, "at": self.at, "kind": self.kind, "payload": self.payload}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Entry:
        return cls(int(data["seq"]), int(data["at"]), str(data["kind"]), dict(data["payload"]))


def pack_bytes(data: bytes) -> dict[str, str]:
    """Bytes as JSON: text where they are UTF-8, else base64."""
    try:
        return {"text": data.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode("ascii")}


def unpack_bytes(data: dict[str, str]) -> bytes:
    if "text" in data:
        return data["text"].encode("utf-8")
    return base64.b64decode(data["base64"])


class Journal:
    """The entries so far and what the cluster was made with (``header``: seed, nodes, start, engine version)."""

    def __init__(self, header: dict[str, Any], entries: list[Entry] | None = None) -> None:
        self.header = header
        self.entries: list[Entry] = entries if entries is not None else []

    def append(self, entry: Entry) -> None:
        """Raises ValueError when the entry does not follow the last one in number and time."""
        if entry.seq != self.next_seq or (self.entries and entry.at < self.entries[-1].at):
            raise ValueError(f"journal entry {entry.seq} at {entry.at} does not follow {self.next_seq - 1}")
        self.entries.append(entry)

    def let_go(self) -> None:
        """Keep the last entry alone: the others are written down elsewhere."""
        del self.entries[:-1]

    @property
    def next_seq(self) -> int:
        return self.entries[-1].seq + 1 if self.entries else 1

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def as_dict(self) -> dict[str, Any]:
        return {"header": self.header, "entries": [entry.as_dict() for entry in self.entries]}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Journal:
        return cls(dict(data["header"]), [Entry.from_dict(entry) for entry in data["entries"]])
