"""The machine's files as its host sees them: what is laid out for kubectl, kept in the journal, shown in the editor."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator

from cluster_engine.linux.errors import FileError
from cluster_engine.linux.files import Credentials, Files, Storage
from cluster_engine.linux.files.tree import Node, content, find, program_of
from cluster_engine.linux.text import characters, octets
from cluster_engine.terminal.tree import UID

FileChange = tuple[str, bytes | None]
"""(absolute path, content); None: the file is gone."""


class Disk:
    """One root of a storage. Paths are characters and absolute."""

    def __init__(self, storage: Callable[[], Storage], root: str, home: str, now: Callable[[], int]) -> None:
        self.home = home
        self._storage = storage
        self._root = root
        self._now = now
        self._reported = self._volume()

    def _volume(self) -> Node:
        storage = self._storage()
        return storage.volumes[storage.roots[self._root]["volume"]]

    def _files(self, uid: int = UID) -> Files:
        who = Credentials(uid, uid, ())
        return Files(self._storage(), self._root, who, cwd=octets(self.home), umask=0o022, now=self._now())

    # --- looking ----------------------------------------------------------------------------------

    def exists(self, path: str) -> bool:
        """Is anything there?"""
        return self._files(0).exists(octets(path))

    def is_dir(self, path: str) -> bool:
        """Is it a directory?"""
        return self._files(0).is_dir(octets(path))

    def walk(self) -> Iterator[tuple[str, Node]]:
        """Directories and regular files that are no programs, parents first."""
        volume = self._volume()
        return _walk(volume["tree"], volume, "")

    def files(self, below: str = "/") -> dict[str, bytes]:
        """Contents of the regular files below a directory."""
        prefix = below.rstrip("/") + "/"
        return {
            path: data_of(node)
            for path, node in self.walk()
            if node["t"] == "f" and path.startswith(prefix) and path != prefix
        }

    # --- changing ---------------------------------------------------------------------------------

    def write(self, path: str, data: bytes) -> Node:
        """Write a file as the learner, its directories made; its node. Raises FileError."""
        files = self._files()
        parent = octets(path).rpartition("/")[0] or "/"
        if not files.is_dir(parent):
            files.makedirs(parent)
        files.write(octets(path), data.decode("latin-1"))
        volume = self._volume()
        node = find(volume["tree"], [name for name in octets(path).split("/") if name])
        if node is not None and node["t"] == "h":
            node = volume["inodes"][node["i"]]
        return node if node is not None else {}

    def mkdir(self, path: str) -> None:
        """Make a directory as the learner. Raises FileError."""
        self._files().makedirs(octets(path))

    def remove(self, path: str) -> None:
        """Remove a file, if it is there."""
        try:
            self._files().unlink(octets(path))
        except FileError:
            return

    def changes(self) -> list[FileChange]:
        """Files that changed since the last call, in order of their paths."""
        before, after = self._reported, self._volume()
        if before is after:
            return []
        self._reported = after
        return list(_changes(before, after))


def normal(path: str, cwd: str = "/") -> str:
    """An absolute path without `.`, `..` and doubled slashes."""
    return "/" + posixpath.normpath(path if path.startswith("/") else f"{cwd}/{path}").lstrip("/")


def data_of(node: Node) -> bytes:
    """The content of a file."""
    return content(node).encode("latin-1")


def _walk(node: Node, volume: Node, path: str) -> Iterator[tuple[str, Node]]:
    if node["t"] == "h":
        node = volume["inodes"][node["i"]]
    if node["t"] == "f":
        if program_of(node) is None:
            yield path, node
    elif node["t"] == "d":
        yield path or "/", node
        for name, child in sorted(node["e"].items()):
            yield from _walk(child, volume, f"{path}/{characters(name)}")


def _changes(before: Node, after: Node) -> Iterator[FileChange]:
    # A file of several names changes in the table of inodes alone.
    skip = before["inodes"] is after["inodes"] or before["inodes"] == after["inodes"]
    yield from _differences(before["tree"], after["tree"], before, after, "", skip)


def _differences(
    old: Node | None, new: Node | None, before: Node, after: Node, path: str, skip: bool
) -> Iterator[FileChange]:
    if old is new and skip:
        return
    old = before["inodes"][old["i"]] if old is not None and old["t"] == "h" else old
    new = after["inodes"][new["i"]] if new is not None and new["t"] == "h" else new
    was = _kept(old)
    now = _kept(new)
    if now is not None and (was is None or (now is not was and now["p"] != was["p"])):
        yield path, data_of(now)
    elif was is not None and now is None:
        yield path, None
    first = old["e"] if old is not None and old["t"] == "d" else {}
    second = new["e"] if new is not None and new["t"] == "d" else {}
    for name in sorted({**first, **second}):
        step = f"{path}/{characters(name)}"
        yield from _differences(first.get(name), second.get(name), before, after, step, skip)


def _kept(node: Node | None) -> Node | None:
    return node if node is not None and node["t"] == "f" and program_of(node) is None else None
