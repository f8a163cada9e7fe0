"""An in-memory file system: directories and files, no links, no devices, small ceilings.

Paths are absolute and normalised (`normal`). It is plain state: `snapshot()` is JSON data,
`load()` brings it back, `changes()` tells what to persist. It never touches the host's disk.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .errors import VfsError
from .limits import KIB, MIB

NO_ENTRY = "No such file or directory"
IS_DIRECTORY = "Is a directory"
NOT_DIRECTORY = "Not a directory"
EXISTS = "File exists"
NOT_EMPTY = "Directory not empty"
READ_ONLY = "Read-only file system"


@dataclass(frozen=True, slots=True)
class VfsLimits:
    """Ceilings of one file system."""

    entries: int = 2_000
    total: int = 8 * MIB
    depth: int = 32
    name: int = 255
    path: int = 4 * KIB


@dataclass(slots=True)
class File:
    """A regular file."""

    data: bytearray
    mode: int = 0o644
    mtime: int = 0


@dataclass(slots=True)
class Directory:
    """A directory; children are kept by name."""

    children: dict[str, File | Directory] = field(default_factory=dict)
    mode: int = 0o755
    mtime: int = 0


@dataclass(frozen=True, slots=True)
class Stat:
    """What `ls -l` and `test` want to know."""

    is_dir: bool
    size: int
    mode: int
    mtime: int


def normal(path: str, cwd: str = "/") -> str:
    """The absolute path without `.`, `..` and doubled slashes."""
    if not path.startswith("/"):
        path = f"{cwd}/{path}"
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            if parts:
                parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)


class Vfs:
    """The file system. `clock` gives µs since the epoch for modification times."""

    def __init__(
        self,
        files: dict[str, bytes | str] | None = None,
        *,
        limits: VfsLimits | None = None,
        clock: Callable[[], int] = lambda: 0,
        read_only: tuple[str, ...] = (),
    ) -> None:
        self.limits = limits or VfsLimits()
        self.read_only = read_only
        self.writable: tuple[str, ...] = ()
        """Places inside a read-only one that may be written to."""
        self._clock = clock
        self._root = Directory()
        self._entries = 0
        self._total = 0
        self._changed: dict[str, None] = {}
        for path, content in (files or {}).items():
            self.mkdir(parent_of(normal(path)), parents=True)
            self.write(path, content.encode() if isinstance(content, str) else content)
        self._changed.clear()

    # --- looking ----------------------------------------------------------------------------

    def exists(self, path: str) -> bool:
        """Is there anything at `path`?"""
        return self._find(path) is not None

    def is_dir(self, path: str) -> bool:
        """Is `path` a directory?"""
        return isinstance(self._find(path), Directory)

    def is_file(self, path: str) -> bool:
        """Is `path` a regular file?"""
        return isinstance(self._find(path), File)

    def stat(self, path: str) -> Stat:
        """Kind, size, mode and time of `path`."""
        node = self._get(path)
        if isinstance(node, Directory):
            return Stat(True, 4096, node.mode, node.mtime)
        return Stat(False, len(node.data), node.mode, node.mtime)

    def listdir(self, path: str) -> list[str]:
        """The names in a directory, sorted."""
        node = self._get(path)
        if not isinstance(node, Directory):
            raise VfsError(path, NOT_DIRECTORY)
        return sorted(node.children)

    def read(self, path: str) -> bytes:
        """The whole content of a file."""
        node = self._get(path)
        if isinstance(node, Directory):
            raise VfsError(path, IS_DIRECTORY)
        return bytes(node.data)

    def walk(self, path: str = "/") -> Iterator[tuple[str, bool]]:
        """Every path below (and without) `path` as (path, is_dir), parents before children."""
        stack = [normal(path)]
        while stack:
            top = stack.pop()
            node = self._get(top)
            if not isinstance(node, Directory):
                continue
            prefix = "" if top == "/" else top
            for name in sorted(node.children):
                yield f"{prefix}/{name}", isinstance(node.children[name], Directory)
            stack.extend(
                f"{prefix}/{name}"
                for name in sorted(node.children, reverse=True)
                if isinstance(node.children[name], Directory)
            )

    def files(self, under: str = "/") -> dict[str, bytes]:
        """Every file below `under` with its content."""
        return {path: self.read(path) for path, is_dir in self.walk(under) if not is_dir}

    # --- changing ---------------------------------------------------------------------------

    def write(self, path: str, data: bytes, *, append: bool = False) -> None:
        """Write (or append to) a file; its directory must exist."""
        node = self._find(path)
        if isinstance(node, Directory):
            raise VfsError(path, IS_DIRECTORY)
        if path.endswith("/"):
            raise VfsError(path, IS_DIRECTORY if node is None else NOT_DIRECTORY)
        self._writable(path)
        before = len(node.data) if node is not None else 0
        growth = len(data) if append else len(data) - before
        if self._total + growth > self.limits.total:
            raise VfsError(path, "No space left on device")
        if node is None:
            node = File(bytearray())
            self._link(path, node)
        if append:
            node.data += data
        else:
            node.data = bytearray(data)
        self._total += growth
        node.mtime = self._clock()
        self._changed[normal(path)] = None

    def touch(self, path: str) -> None:
        """Create an empty file or renew the time of what is there."""
        node = self._find(path)
        if node is None:
            self.write(path, b"")
        else:
            self._writable(path)
            node.mtime = self._clock()

    def chmod(self, path: str, mode: int) -> None:
        """Set the permission bits (they are kept and shown; only one user exists)."""
        self._writable(path)
        self._get(path).mode = mode & 0o7777

    def mkdir(self, path: str, *, parents: bool = False) -> None:
        """Create a directory, with `parents` its missing parents too."""
        target = normal(path)
        if parents:
            walked = ""
            for part in target.strip("/").split("/"):
                walked = f"{walked}/{part}"
                node = self._find(walked)
                if node is None and part:
                    self._link(walked, Directory(mtime=self._clock()))
                elif isinstance(node, File):
                    raise VfsError(path, EXISTS if walked == target else NOT_DIRECTORY)
            return
        if self._find(path) is not None:
            raise VfsError(path, EXISTS)
        self._link(path.rstrip("/") or "/", Directory(mtime=self._clock()))

    def remove(self, path: str) -> None:
        """Remove a file or an empty directory."""
        node = self._get(path)
        if isinstance(node, Directory) and node.children:
            raise VfsError(path, NOT_EMPTY)
        self._writable(path)
        target = normal(path)
        if target == "/":
            raise VfsError(path, "Device or resource busy")
        parent = self._get(parent_of(target))
        assert isinstance(parent, Directory)
        del parent.children[target.rpartition("/")[2]]
        self._entries -= 1
        if isinstance(node, File):
            self._total -= len(node.data)
            self._changed[target] = None

    def remove_tree(self, path: str) -> None:
        """Remove a path and everything below it (the root keeps itself)."""
        if self.is_dir(path):
            for child in self.listdir(path):
                self.remove_tree(f"{normal(path).rstrip('/')}/{child}")
        if normal(path) != "/":
            self.remove(path)

    def rename(self, old: str, new: str) -> None:
        """Move a file or directory; a file at `new` is replaced."""
        source, target = normal(old), normal(new)
        node = self._get(old)
        if source == target:
            return
        if source == "/":
            raise VfsError(old, "Device or resource busy")
        if target.startswith(source + "/"):
            raise VfsError(new, "cannot move a directory into itself")
        self._writable(old)
        self._writable(new)
        there = self._find(target)
        if isinstance(there, Directory) and (isinstance(node, File) or there.children):
            raise VfsError(new, IS_DIRECTORY if isinstance(node, File) else NOT_EMPTY)
        if isinstance(there, File) and isinstance(node, Directory):
            raise VfsError(new, NOT_DIRECTORY)
        self._link(target, node, check_only=True, replaces=there is not None)
        moved = [path for path, is_dir in self.walk(source) if not is_dir]
        if isinstance(node, File):
            moved.append(source)
        if there is not None:
            self.remove(target)
        parent = self._get(parent_of(source))
        assert isinstance(parent, Directory)
        del parent.children[source.rpartition("/")[2]]
        self._entries -= 1
        self._link(target, node)
        for path in moved:
            self._changed[path] = None
            self._changed[target + path[len(source) :]] = None

    # --- state ------------------------------------------------------------------------------

    def changes(self) -> list[tuple[str, bytes | None]]:
        """Files written or removed since the last call: (path, content or None)."""
        changed, self._changed = sorted(self._changed), {}
        return [(path, self.read(path) if self.is_file(path) else None) for path in changed]

    def snapshot(self) -> dict[str, Any]:
        """Everything as JSON data."""
        state: dict[str, Any] = {}
        for path, is_dir in self.walk("/"):
            node = self._get(path)
            entry: dict[str, Any] = {"mode": node.mode, "mtime": node.mtime}
            if not is_dir:
                entry["data"] = base64.b64encode(self.read(path)).decode()
            state[path] = entry
        return state

    def load(self, state: dict[str, Any]) -> None:
        """Replace everything by a snapshot (limits apply)."""
        read_only, self.read_only = self.read_only, ()
        self._root, self._entries, self._total = Directory(), 0, 0
        for path in sorted(state):
            entry = state[path]
            if "data" in entry:
                self.mkdir(parent_of(path), parents=True)
                self.write(path, base64.b64decode(entry["data"]))
            else:
                self.mkdir(path, parents=True)
        for path, entry in state.items():
            node = self._get(path)
            node.mode, node.mtime = entry["mode"], entry["mtime"]
        self.read_only = read_only
        self._changed.clear()

    # --- the tree ---------------------------------------------------------------------------

    def _find(self, path: str) -> File | Directory | None:
        node: File | Directory = self._root
        for part in normal(path).split("/"):
            if not part:
                continue
            if not isinstance(node, Directory) or part not in node.children:
                return None
            node = node.children[part]
        return node

    def _get(self, path: str) -> File | Directory:
        node = self._find(path)
        if node is not None:
            return node
        for ancestor in _ancestors(normal(path)):
            if self.is_file(ancestor):
                raise VfsError(path, NOT_DIRECTORY)
        raise VfsError(path, NO_ENTRY)

    def _writable(self, path: str) -> None:
        target = normal(path)
        deepest, refused = "", False
        for prefixes, answer in ((self.read_only, True), (self.writable, False)):
            for prefix in prefixes:
                inside = target == prefix or target.startswith(prefix.rstrip("/") + "/")
                if inside and len(prefix) > len(deepest):
                    deepest, refused = prefix, answer
        if refused:
            raise VfsError(path, READ_ONLY)

    def _link(
        self, path: str, node: File | Directory, *, check_only: bool = False, replaces: bool = False
    ) -> None:
        target = normal(path)
        self._writable(path)
        if len(target) > self.limits.path or target.count("/") > self.limits.depth:
            raise VfsError(path, "File name too long")
        parent_path, _, name = target.rpartition("/")
        if len(name.encode("utf-8", "surrogateescape")) > self.limits.name:
            raise VfsError(path, "File name too long")
        parent = self._find(parent_path or "/")
        if parent is None:
            raise VfsError(path, NO_ENTRY)
        if not isinstance(parent, Directory):
            raise VfsError(path, NOT_DIRECTORY)
        if check_only:
            return
        if self._entries >= self.limits.entries and not replaces:
            raise VfsError(path, f"No space left on device (more than {self.limits.entries} files)")
        parent.children[name] = node
        self._entries += 1


def parent_of(path: str) -> str:
    """The directory of a normalised path."""
    return path.rpartition("/")[0] or "/"


def _ancestors(path: str) -> Iterator[str]:
    while path != "/":
        path = parent_of(path)
        yield path
