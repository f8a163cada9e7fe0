"""What lies in persistent volumes and at paths of nodes: trees that outlive Pods, and who has which mounted.

A volume that several Pods have mounted shows each of them what the others have written by the end of their turn. Of the
paths of a node one may lie within another: what is written in one of them is seen in the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self

from cluster_engine.linux.files import tree
from cluster_engine.linux.files.tree import Node

MAX_DISKS = 1_000
"""Volumes of a cluster in which something lies."""
MAX_PATHS = 64
"""Of them, paths of one node."""
_SHOWS = "shows"
"""What the host fills (``linux/files/derived.py``) is said at a volume's root."""


def names_of(path: str) -> list[str]:
    """The names in a path."""
    return [name for name in path.split("/") if name not in ("", ".")]


def on_node(host: str, path: str) -> str:
    """The key of what lies at a path of a node."""
    return f"{host}:/{'/'.join(names_of(path))}"


def _place(key: str) -> tuple[str, list[str]] | None:
    host, mark, path = key.partition(":")
    return (host, names_of(path)) if mark and not key.startswith("csi/") else None


def within(root: Node, names: Sequence[str], node: Node) -> Node:
    """The tree with that at a place; missing directories are made. A file that stands in the way stays."""
    if not names:
        return {**node, **({_SHOWS: root[_SHOWS]} if _SHOWS in root else {})}
    at, made = root, {name: value for name, value in node.items() if name != _SHOWS}
    for depth, name in enumerate(names[:-1], 1):
        below = at["e"].get(name)
        if below is None:
            below = tree.directory(mtime=node["mt"])
            root = tree.put(root, names[:depth], below, node["mt"])
        if "e" not in below:
            return root
        at = below
    return tree.put(root, names, made)


class Disks:
    """All of a cluster, by key: ``csi/<handle>``, or ``<node>:<path>`` for what lies on a node."""

    def __init__(self) -> None:
        self._trees: dict[str, Node] = {}
        self._mounts: dict[str, dict[str, str]] = {}

    def tree(self, key: str) -> Node | None:
        """What lies there; None: nothing yet."""
        return self._trees.get(key)

    def found(self, key: str) -> Node | None:
        """What lies there, maybe as a part of what lies above it; None: nothing."""
        known = self._trees.get(key)
        if known is not None:
            return known
        above = [(len(names), other, names) for other, names, is_above in self._relatives(key) if is_above]
        for _, other, names in sorted(above):
            part = tree.find(self._trees[other], names)
            if part is not None:
                return part
        return None

    def composed(self, key: str, root: Node) -> Node:
        """A tree with what lies at places below."""
        for other, names, is_above in self._relatives(key):
            if not is_above and "e" in root:
                root = within(root, names, self._trees[other])
        return root

    def of_node(self, host: str) -> list[tuple[list[str], str]]:
        """(names of the path, key) of what lies on a node, outer ones first."""
        places = ((_place(key), key) for key in self._trees)
        return sorted((place[1], key) for place, key in places if place is not None and place[0] == host)

    def _relatives(self, key: str) -> Iterator[tuple[str, list[str], bool]]:
        """(key, the names between the two, whether it lies above) of places of the same node on one line with this."""
        place = _place(key)
        if place is None:
            return
        host, own = place
        for names, other in self.of_node(host):
            if other != key and names == own[: len(names)]:
                yield other, own[len(names) :], True
            elif other != key and own == names[: len(own)]:
                yield other, names[len(own) :], False

    @property
    def full(self) -> bool:
        """Whether no other volume may be written to."""
        return len(self._trees) >= MAX_DISKS

    def mount(self, uid: str, volume: str, key: str, root: Node) -> None:
        """A Pod's volume is that disk from now on."""
        self._trees.setdefault(key, root)
        self._mounts[uid] = {**self._mounts.get(uid, {}), volume: key}

    def wrote(
        self, uid: str, look: Callable[[str], Node | None]
    ) -> tuple[list[tuple[str, str, Node]], list[str]]:
        """Keeps what a Pod's volumes hold now. Gives (uid, volume, tree) of everybody else who must see it, and the
        keys of what is another tree now.
        """
        told: list[tuple[str, str, Node]] = []
        changed: list[str] = []
        for volume, key in self._mounts.get(uid, {}).items():
            root = look(volume)
            if root is not None and root != self._trees.get(key):
                told += self.lies(key, root, uid, volume)
                changed.append(key)
        return told, changed

    def lies(self, key: str, root: Node, uid: str = "", volume: str = "") -> list[tuple[str, str, Node]]:
        """Another tree lies there, as whoever has written it sees already; as part of others, too. Who must see it."""
        self._trees[key] = root
        told = [each for each in self._seen_by(key, root) if each[:2] != (uid, volume)]
        for other, names, is_above in list(self._relatives(key)):
            known = self._trees[other]
            part = within(known, names, root) if is_above else tree.find(root, names)
            if part is None:
                continue
            fresh = {**part, _SHOWS: known[_SHOWS]} if _SHOWS in known else part
            if fresh != known:
                self._trees[other] = fresh
                told += self._seen_by(other, fresh)
        return told

    def _seen_by(self, key: str, root: Node) -> list[tuple[str, str, Node]]:
        return [
            (uid, name, root)
            for uid, mounts in self._mounts.items()
            for name, used in mounts.items()
            if used == key
        ]

    def put(self, key: str, root: Node) -> None:
        """Another tree lies there."""
        self._trees[key] = root

    def unmount(self, uid: str) -> None:
        """The Pod has nothing mounted any more."""
        self._mounts.pop(uid, None)

    def drop(self, key: str) -> None:
        """The volume was deleted, and what lay in it."""
        self._trees.pop(key, None)

    def mounted(self) -> list[str]:
        """The uids of Pods that have something mounted."""
        return list(self._mounts)

    def state(self) -> dict[str, Any]:
        return {"trees": dict(self._trees), "mounts": {uid: dict(m) for uid, m in self._mounts.items()}}

    def load(self, state: dict[str, Any]) -> None:
        """Takes over what ``state`` gave."""
        self._trees = dict(state["trees"])
        self._mounts = {uid: dict(mounts) for uid, mounts in state["mounts"].items()}

    def share(self, other: Self) -> None:
        """Takes over the disks of another cluster."""
        self.load(other.state())

    def __bool__(self) -> bool:
        return bool(self._trees or self._mounts)
