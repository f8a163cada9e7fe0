"""A file tree as plain JSON that is never changed in place: an edit gives a new root and shares the rest.

A node is one of

- ``{"t": "d", "m": mode, "u": uid, "g": gid, "mt": µs, "e": {name: node}}``, a directory,
- ``{"t": "f", "m", "u", "g", "mt", "n": size, "p": [pages]}``, a file: pages of 4,096 bytes as byte text; one that was
  made by a process has a number ``"i"`` as well, one that is never saved has ``"d"`` (``derived.py``),
- ``{"t": "l", "u", "g", "mt", "to": path}``, a symbolic link,
- ``{"t": "c", "m", "u", "g", "mt", "dev": "null" | "zero" | …}``, a character device,
- ``{"t": "h", "i": id}``, one of several names of a file, which lies in the volume's table of inodes.

Directories are plain dicts whatever their size: copying one of 2,000 names takes 8 µs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cluster_engine.linux.errors import NO_ENTRY, NOT_DIRECTORY, FileError

Node = dict[str, Any]

PAGE = 4096
"""Bytes of one page of a file."""

PROGRAM_MARK = "\x7fELF\x02\x01\x01\x00\x00program "
"""How an executable of an image begins; its program's name and a newline follow."""


def directory(
    entries: Mapping[str, Node] | None = None,
    *,
    mode: int = 0o755,
    uid: int = 0,
    gid: int = 0,
    mtime: int = 0,
) -> Node:
    return {"t": "d", "m": mode, "u": uid, "g": gid, "mt": mtime, "e": dict(entries or {})}


def file(content: str = "", *, mode: int = 0o644, uid: int = 0, gid: int = 0, mtime: int = 0) -> Node:
    """A file of this byte text."""
    return {
        "t": "f",
        "m": mode,
        "u": uid,
        "g": gid,
        "mt": mtime,
        "n": len(content),
        "p": [content[at : at + PAGE] for at in range(0, len(content), PAGE)],
    }


def link(target: str, *, uid: int = 0, gid: int = 0, mtime: int = 0) -> Node:
    """A symbolic link."""
    return {"t": "l", "m": 0o777, "u": uid, "g": gid, "mt": mtime, "to": target}


def device(name: str, *, mode: int = 0o666, mtime: int = 0) -> Node:
    return {"t": "c", "m": mode, "u": 0, "g": 0, "mt": mtime, "dev": name}


def program(name: str, *, mode: int = 0o755, mtime: int = 0) -> Node:
    """An executable of an image. What it runs stands in its content, so that copies of it run too."""
    return file(f"{PROGRAM_MARK}{name}\n", mode=mode, mtime=mtime)


def program_of(node: Node) -> str | None:
    """The program that a file is, None for a script or any other file."""
    pages = node.get("p")
    if not pages or not pages[0].startswith(PROGRAM_MARK):
        return None
    return str(pages[0][len(PROGRAM_MARK) :].partition("\n")[0])


def resolved(node: Node, inodes: Mapping[str, Node]) -> Node:
    """The tree with a file of its own in the place of each name of a file that has several."""
    if node["t"] == "h":
        return {name: value for name, value in inodes[node["i"]].items() if name != "k"}
    if node["t"] != "d" or not inodes:
        return node
    entries = {name: resolved(child, inodes) for name, child in node["e"].items()}
    return {**node, "e": entries}


def content(node: Node) -> str:
    """The whole byte text of a file."""
    return "".join(node["p"])


def read_at(node: Node, offset: int, count: int) -> str:
    """At most ``count`` bytes from ``offset`` on."""
    if offset >= node["n"]:
        return ""
    first, within = divmod(offset, PAGE)
    last = (offset + count + PAGE - 1) // PAGE
    return "".join(node["p"][first:last])[within : within + count]


def written(node: Node, offset: int, text: str, mtime: int) -> Node:
    """The file with ``text`` at ``offset``; a gap before it is filled with zeros."""
    size = node["n"]
    pages = node["p"]
    if offset > size:
        text = "\0" * (offset - size) + text
        offset = size
    first, within = divmod(offset, PAGE)
    head = pages[first][:within] if within else ""
    end = offset + len(text)
    tail = read_at(node, end, (-end) % PAGE) if end < size else ""
    middle = head + text + tail
    fresh = [middle[at : at + PAGE] for at in range(0, len(middle), PAGE)]
    kept = pages[first + len(fresh) :]
    return {**node, "mt": mtime, "n": max(size, end), "p": [*pages[:first], *fresh, *kept]}


def truncated(node: Node, size: int, mtime: int) -> Node:
    """The file cut to ``size`` bytes, or filled up to it with zeros."""
    if size > node["n"]:
        return written(node, node["n"], "\0" * (size - node["n"]), mtime)
    whole, rest = divmod(size, PAGE)
    pages = node["p"][:whole]
    if rest:
        pages = [*pages, node["p"][whole][:rest]]
    return {**node, "mt": mtime, "n": size, "p": pages}


def find(root: Node, names: Sequence[str]) -> Node | None:
    """What lies there, None for nothing. Links are not followed."""
    node = root
    for name in names:
        entries = node.get("e")
        if entries is None or name not in entries:
            return None
        node = entries[name]
    return node


def put(root: Node, names: Sequence[str], node: Node, mtime: int | None = None) -> Node:
    """The tree with ``node`` at that place. ``mtime``: the directory's new time, when its names changed."""
    if not names:
        return node
    if len(names) == 1:
        fresh = {**root, "e": {**root["e"], names[0]: node}}
        if mtime is not None:
            fresh["mt"] = mtime
        return fresh
    parents = [root]
    for name in names[:-1]:
        parents.append(parents[-1]["e"][name])
    for index in range(len(names) - 1, -1, -1):
        parent = parents[index]
        copy = parent.copy()
        entries = copy["e"] = parent["e"].copy()
        entries[names[index]] = node
        if mtime is not None:
            copy["mt"] = mtime
            mtime = None
        node = copy
    return node


def taken(root: Node, names: Sequence[str], mtime: int) -> Node:
    """The tree without what lies there."""
    parent = find(root, names[:-1])
    assert parent is not None
    entries = parent["e"].copy()
    del entries[names[-1]]
    return put(root, names[:-1], {**parent, "e": entries, "mt": mtime})


def walk(node: Node, names: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Node]]:
    """Every node below ``node`` and itself, parents first, names in order."""
    yield names, node
    for name, child in sorted(node.get("e", {}).items()):
        yield from walk(child, (*names, name))


def measure(node: Node) -> tuple[int, int]:
    """(nodes below ``node``, bytes of all files). Links count as nodes without bytes."""
    nodes, size, stack = 0, 0, [node]
    while stack:
        top = stack.pop()
        nodes += 1
        size += top.get("n", 0)
        stack.extend(top.get("e", {}).values())
    return nodes - 1, size


def depth(node: Node) -> int:
    """Directories in one another below ``node``."""
    most, stack = 0, [(0, node)]
    while stack:
        below, top = stack.pop()
        most = max(most, below)
        stack.extend((below + 1, each) for each in top.get("e", {}).values())
    return most


def build(contents: Mapping[str, str | Node], *, uid: int = 0, gid: int = 0, mtime: int = 0) -> Node:
    """A tree of absolute paths with byte text or nodes; missing directories are made.

    Raises FileError when one path needs another, which is a file, to be a directory.
    """
    root = directory(uid=uid, gid=gid, mtime=mtime)
    for path, given in contents.items():
        names = [name for name in path.split("/") if name]
        node = root
        for name in names[:-1]:
            child = node["e"].get(name)
            if child is None:
                child = directory(uid=uid, gid=gid, mtime=mtime)
            if child["t"] != "d":
                raise FileError(NOT_DIRECTORY, path)
            node["e"][name] = node = {**child, "e": dict(child["e"])}  # never the caller's own nodes
        if not names:
            raise FileError(NO_ENTRY, path)
        fresh = file(given, uid=uid, gid=gid, mtime=mtime) if isinstance(given, str) else given
        before = node["e"].get(names[-1])
        if before is not None and before["t"] == "d" and fresh["t"] == "d":
            fresh = {**fresh, "e": {**fresh["e"], **before["e"]}}
        node["e"][names[-1]] = fresh
    return root
