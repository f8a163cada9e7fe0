"""Volumes whose files change all at once: a directory with a time in its name, and ``..data`` that points to it.

Models pkg/volume/util/atomic_writer.go and pkg/volume/volume_linux.go (SetVolumeOwnership). Pure: trees as
``linux.files`` knows them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from cluster_engine.linux.files import derived, tree
from cluster_engine.sim import rfc3339

DATA = "..data"
_SETGID, _STICKY = 0o2000, 0o1000

Node = dict[str, Any]


class Projection(NamedTuple):
    """One file: byte text, mode and owner; or, without text, what it follows from (``linux/files/derived.py``)."""

    data: str
    mode: int
    uid: int = 0
    asks: list[str] | None = None

    def node(self, now: int) -> Node:
        """The file."""
        if self.asks is not None:
            return derived(self.asks, mode=self.mode, uid=self.uid, mtime=now)
        return tree.file(self.data, mode=self.mode, uid=self.uid, mtime=now)


Payload = dict[str, Projection]
"""Files by their path in the volume."""


def written(payload: Payload, now: int, suffix: int, *, memory: bool, group: int | None) -> Node:
    """The volume's directory. ``memory``: it is a tmpfs; ``group``: the Pod's fsGroup."""
    name = f"..{_stamp(rfc3339(now))}.{suffix}"
    paths = sorted(payload)
    if any("/" in path for path in paths):
        directory = tree.directory(mode=0o755, mtime=now)
        for path in paths:
            directory = _put(directory, path.split("/"), payload[path].node(now), now)
    else:
        files = {path: payload[path].node(now) for path in paths}
        directory = tree.directory(files, mode=0o755, mtime=now)
    links = {path.split("/", 1)[0] for path in paths}
    entries: dict[str, Node] = {name: directory, DATA: tree.link(name, mtime=now)}
    for link in sorted(links):
        entries[link] = tree.link(f"{DATA}/{link}", mtime=now)
    root = tree.directory(entries, mode=0o777 | (_STICKY if memory else 0), mtime=now)
    return owned(root, group, read_only=True) if group is not None else root


@lru_cache(maxsize=64)
def _stamp(time: str) -> str:
    """The time in the name of a directory: ``2026_01_31_12_00_00``."""
    return time[:19].replace("-", "_").replace("T", "_").replace(":", "_")


def _put(directory: Node, path: list[str], node: Node, now: int) -> Node:
    name, rest = path[0], path[1:]
    if rest:
        below = directory["e"].get(name)
        if below is None or below["t"] != "d":
            below = tree.directory(mode=0o755, mtime=now)
        node = _put(below, rest, node, now)
    return {**directory, "e": {**directory["e"], name: node}}


def payload_of(root: Node) -> Payload | None:
    """What was written into a volume; None for one that was not written so."""
    data = root.get("e", {}).get(DATA)
    if data is None:
        return None
    current = root["e"][data["to"]]
    return {
        "/".join(names): Projection(tree.content(node), node["m"], node["u"], node.get("d"))
        for names, node in tree.walk(current)
        if node["t"] == "f"
    }


def owned(node: Node, group: int, *, read_only: bool) -> Node:
    """A volume given to the Pod's fsGroup. Links keep what they have."""
    if node["t"] == "l":
        return node
    mask = 0o440 if read_only else 0o660
    if node["t"] != "d":
        return {**node, "g": group, "m": node["m"] | mask}
    entries = {name: owned(below, group, read_only=read_only) for name, below in node["e"].items()}
    return {**node, "g": group, "m": node["m"] | mask | 0o110 | _SETGID, "e": entries}


def at(root: Node, path: str) -> Node | None:
    """What lies at a path of the volume, links of the volume itself followed; None for nothing."""
    names = [name for name in path.split("/") if name not in ("", ".")]
    for _ in range(8):
        node = root
        for index, name in enumerate(names):
            node = node.get("e", {}).get(name)
            if node is None:
                return None
            if node["t"] == "l":
                names = [*names[:index], *node["to"].split("/"), *names[index + 1 :]]
                break
        else:
            return node
    return None
