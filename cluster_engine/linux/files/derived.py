"""Files that are never saved, because what they say follows from a few words: a node with ``d``.

``d`` is [what to ask the host, its arguments …]. Such files lie only where an atomic writer put them (below
``..data``'s directory). A tree is *filled* while a machine has it, and *emptied* wherever it is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cluster_engine.linux.files import tree
from cluster_engine.linux.files.tree import Node

_WRITTEN = "..data"


def derived(asks: list[Any], *, mode: int, uid: int, mtime: int) -> Node:
    """Such a file, empty."""
    return {**tree.file(mode=mode, uid=uid, mtime=mtime), "d": asks}


def filled(root: Node, ask: Callable[[str, list[Any]], Any]) -> Node:
    """The volume with what its derived files say: byte text of ``ask(name, [second of its writing, …])``."""

    def content(node: Node) -> Node:
        name, *args = node["d"]
        text = ask(name, [node["mt"] // 1_000_000, *args]) or ""
        return {**node, "n": len(text), "p": tree.file(text)["p"]}

    return _changed(root, content) if _WRITTEN in root.get("e", ()) else root


def emptied(root: Node) -> Node:
    """The volume without it."""
    return _changed(root, _empty) if _WRITTEN in root.get("e", ()) else root


def _empty(node: Node) -> Node:
    return {**node, "n": 0, "p": []} if node["p"] else node


def _changed(node: Node, change: Callable[[Node], Node]) -> Node:
    """The tree with its derived files changed; the very same where there are none."""
    if node["t"] == "f":
        return change(node) if "d" in node else node
    if node["t"] != "d":
        return node
    entries = {name: _changed(below, change) for name, below in node["e"].items()}
    same = all(entries[name] is below for name, below in node["e"].items())
    return node if same else {**node, "e": entries}
