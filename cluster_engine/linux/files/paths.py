"""From a path to a place: through mounts, symbolic links and the permissions of directories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from cluster_engine.linux.errors import DENIED, LOOPS, NAME_TOO_LONG, NO_ENTRY, NOT_DIRECTORY, FileError
from cluster_engine.linux.files.storage import MAX_LINKS, Storage
from cluster_engine.linux.files.tree import Node

MAX_NAME = 255
"""Bytes of one name."""
MAX_PATH = 4_096
"""Bytes of one path."""

READ, WRITE, SEARCH = 4, 2, 1
_DOUBTFUL = ("", ".", "..")


class Credentials(NamedTuple):
    """Who asks."""

    uid: int = 0
    gid: int = 0
    groups: tuple[int, ...] = ()

    def may(self, node: Node, want: int) -> bool:
        """Whether the permission bits allow it. Root may all, but executes only what somebody may execute."""
        if self.uid == 0:
            return not want & SEARCH or node["t"] == "d" or bool(node["m"] & 0o111)
        if node["u"] == self.uid:
            shift = 6
        elif node["g"] == self.gid or node["g"] in self.groups:
            shift = 3
        else:
            shift = 0
        return bool((node["m"] >> shift) & want == want)


class Place(NamedTuple):
    """Where a path leads. ``node`` is None when there is nothing; ``parent`` is the directory then."""

    path: str
    """The canonical path in the root."""
    volume: str
    names: tuple[str, ...]
    node: Node | None
    parent: Node
    ro: bool
    mount: bool
    """Something is mounted here."""
    slash: bool
    """The path was written with a slash at its end."""


_Step = tuple[str, str, tuple[str, ...], Node, bool]
"""(canonical path, volume, names in it, node, read-only)."""


def resolve(
    storage: Storage, root: str, who: Credentials, cwd: str, path: str, *, follow: bool = True
) -> Place:
    """The place of a path; ``cwd`` is canonical. Raises FileError: ENOENT, ENOTDIR, EACCES, ELOOP, ENAMETOOLONG."""
    if not path:
        raise FileError(NO_ENTRY, path)
    if len(path) > MAX_PATH:
        raise FileError(NAME_TOO_LONG, path)
    view = storage.roots.get(root)
    if view is None:
        raise FileError(NO_ENTRY, path)
    mounts: dict[str, Any] = view["mounts"]
    if path.startswith("/") and (found := _plain(storage, view, who, path)) is not None:
        return found
    origin: _Step = ("", view["volume"], (), storage.volumes[view["volume"]]["tree"], view["ro"])
    stack: list[_Step] = [origin]
    todo = [part for part in reversed(path.split("/")) if part]
    below = 0
    if not path.startswith("/") and cwd != "/":
        parts = cwd.split("/")[1:]
        below = len(parts)  # directories that the process is in already: nobody asks for their permission
        todo.extend(reversed(parts))
    slash = path.endswith("/")
    follow = follow or slash
    links = 0
    while todo:
        name = todo.pop()
        here, volume, names, node, ro = stack[-1]
        if node["t"] != "d":
            raise FileError(NOT_DIRECTORY, path)
        if below > 0:
            below -= 1
        elif not who.may(node, SEARCH):
            raise FileError(DENIED, path)
        if name == ".":
            continue
        if name == "..":
            if len(stack) > 1:
                stack.pop()
            continue
        child_path = f"{here}/{name}"
        if mounts and child_path in mounts:
            stack.append(_mounted(storage, child_path, mounts[child_path], path))
            continue
        child = node["e"].get(name)
        if child is None:
            if len(name) > MAX_NAME:
                raise FileError(NAME_TOO_LONG, path)
            if todo:
                raise FileError(NO_ENTRY, path)
            return Place(child_path, volume, (*names, name), None, node, ro, False, slash)
        kind = child["t"]
        if kind == "l" and (follow or todo):
            links += 1
            if links > MAX_LINKS:
                raise FileError(LOOPS, path)
            target = child["to"]
            todo.extend(part for part in reversed(target.split("/")) if part)
            if target.startswith("/"):
                stack = [origin]
            continue
        if kind == "h":
            child = storage.volumes[volume]["inodes"][child["i"]]
        stack.append((child_path, volume, (*names, name), child, ro))
    here, volume, names, node, ro = stack[-1]
    if slash and node["t"] != "d":
        raise FileError(NOT_DIRECTORY, path)
    parent = stack[-2][3] if len(stack) > 1 else node
    return Place(here or "/", volume, names, node, parent, ro, here in mounts or not here, slash)


def _plain(storage: Storage, view: dict[str, Any], who: Credentials, path: str) -> Place | None:
    """The commonest case: a canonical path without links or doubts, a mount at most at its end. None: it is another."""
    mounts = view["mounts"]
    for at in mounts:
        if path.startswith(at) and path != at:
            return None
    names = tuple(path.split("/")[1:])
    volume = view["volume"]
    node: Node = storage.volumes[volume]["tree"]
    parent = node
    last = len(names) - 1
    for index, name in enumerate(names):
        if node["t"] != "d" or name in _DOUBTFUL or not (who.uid == 0 or who.may(node, SEARCH)):
            return None
        if index == last and path in mounts:
            _, volume, names, mounted, ro = _mounted(storage, path, mounts[path], path)
            return Place(path, volume, names, mounted, node, ro, True, False)
        child = node["e"].get(name)
        if child is None:
            if index < last or len(name) > MAX_NAME:
                return None
            return Place(path, volume, names, None, node, view["ro"], False, False)
        if child["t"] in "lh":
            return None
        parent, node = node, child
    return Place(path, volume, names, node, parent, view["ro"], False, False)


def _mounted(storage: Storage, at: str, mount: dict[str, Any], path: str) -> _Step:
    names: Sequence[str] = mount["sub"]
    node = storage.node(mount["volume"], names)
    if node is None:
        raise FileError(NO_ENTRY, path)
    return (at, mount["volume"], tuple(names), node, mount["ro"])
