"""What is never saved, because it follows from a few words: a file with ``d``, a directory named in ``shows``.

``d`` is [what to ask the host, its arguments …]. Such files lie only where an atomic writer put them (below
``..data``'s directory). ``shows``, at the root of a volume, is a list of [names of a directory, what to ask …]: what is
in that directory is the host's, and another one whenever it is asked (``shown``). A tree is *filled* while a machine
has it, and *emptied* wherever it is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from cluster_engine.linux.files import tree
from cluster_engine.linux.files.tree import Node

_WRITTEN, _SHOWS = "..data", "shows"
Ask = Callable[[str, list[Any]], Any]
"""(whom of the host, arguments) -> byte text of a file, or a directory; None when there is none."""


def derived(asks: list[Any], *, mode: int, uid: int, mtime: int) -> Node:
    """Such a file, empty."""
    return {**tree.file(mode=mode, uid=uid, mtime=mtime), "d": asks}


def showing(root: Node, places: Iterable[tuple[list[str], list[Any]]]) -> Node:
    """The volume, of which the host fills the directories at these names: [whom to ask, arguments …] of each."""
    return {**root, _SHOWS: [[names, asks] for names, asks in places]}


def shows(root: Node) -> bool:
    """Whether the host fills directories of the volume."""
    return _SHOWS in root


def shown(root: Node, ask: Ask) -> Node:
    """The volume as the host fills it now; the very same where nothing is another."""
    for names, (name, *args) in root.get(_SHOWS, ()):
        there, fresh = tree.find(root, names), ask(name, args)
        if fresh is None or there is None or "e" not in there or there["e"] is fresh["e"]:
            continue
        root = tree.put(root, names, {**there, "e": fresh["e"], "mt": fresh["mt"]})
    return root


def filled(root: Node, ask: Ask) -> Node:
    """The volume with what its derived files say: byte text of ``ask(name, [second of its writing, …])``."""
    if _SHOWS in root:
        root = shown(root, ask)

    def content(node: Node) -> Node:
        name, *args = node["d"]
        text = ask(name, [node["mt"] // 1_000_000, *args]) or ""
        return {**node, "n": len(text), "p": tree.file(text)["p"]}

    return _changed(root, content) if _WRITTEN in root.get("e", ()) else root


def emptied(root: Node) -> Node:
    """The volume without it."""
    for names, _ in root.get(_SHOWS, ()):
        there = tree.find(root, names)
        if there is not None and there.get("e"):
            root = tree.put(root, names, {**there, "e": {}, "mt": 0})
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
