"""What lies in persistent volumes: trees that outlive Pods, and who has which mounted.

A volume that several Pods have mounted shows each of them what the others have written by the end of their turn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from cluster_engine.linux.files.tree import Node

MAX_DISKS = 1_000
"""Volumes of a cluster in which something lies."""


class Disks:
    """All of a cluster, by key: ``csi/<handle>``, or ``<node>:<path>`` for what lies on a node."""

    def __init__(self) -> None:
        self._trees: dict[str, Node] = {}
        self._mounts: dict[str, dict[str, str]] = {}

    def tree(self, key: str) -> Node | None:
        """What lies there; None: nothing yet."""
        return self._trees.get(key)

    @property
    def full(self) -> bool:
        """Whether no other volume may be written to."""
        return len(self._trees) >= MAX_DISKS

    def mount(self, uid: str, volume: str, key: str, root: Node) -> None:
        """A Pod's volume is that disk from now on."""
        self._trees.setdefault(key, root)
        self._mounts[uid] = {**self._mounts.get(uid, {}), volume: key}

    def wrote(self, uid: str, look: Callable[[str], Node | None]) -> list[tuple[str, str, Node]]:
        """Keeps what a Pod's volumes hold now. Gives (uid, volume, tree) of everybody else who must see it."""
        told: list[tuple[str, str, Node]] = []
        for volume, key in self._mounts.get(uid, {}).items():
            root = look(volume)
            if root is None or root == self._trees.get(key):
                continue
            self._trees[key] = root
            for other, mounts in self._mounts.items():
                told += [(other, name, root) for name, used in mounts.items() if used == key and other != uid]
        return told

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
