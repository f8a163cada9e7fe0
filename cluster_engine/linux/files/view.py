"""The files that one process sees: its root, its credentials, its directory. The calls are the kernel's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cluster_engine.linux.errors import (
    BUSY,
    CROSS_DEVICE,
    DENIED,
    EXISTS,
    INVALID,
    IS_DIRECTORY,
    NO_ENTRY,
    NOT_DIRECTORY,
    NOT_EMPTY,
    NOT_PERMITTED,
    READ_ONLY,
    TOO_LARGE,
    FileError,
)
from cluster_engine.linux.files import tree
from cluster_engine.linux.files.paths import READ, SEARCH, WRITE, Credentials, Place, resolve
from cluster_engine.linux.files.storage import MAX_BYTES, MAX_ENTRIES, MAX_FILE, Storage
from cluster_engine.linux.files.tree import Node

BLOCK = 4096
"""Bytes that a directory is said to have, and the unit in which space is given out."""


@dataclass(frozen=True, slots=True)
class Stat:
    """What ``stat`` tells. ``kind`` is one of "file", "directory", "link", "device"."""

    kind: str
    mode: int
    uid: int
    gid: int
    size: int
    mtime: int
    links: int
    target: str = ""
    """Of a symbolic link."""
    device: str = ""
    identity: str = ""
    """Equal for two names of one file; another one when a new file took the name."""

    @property
    def blocks(self) -> int:
        """KiB on disk."""
        return -(-self.size // BLOCK) * (BLOCK // 1024) if self.kind in ("file", "directory") else 0


_KINDS = {"f": "file", "d": "directory", "l": "link", "c": "device"}


class Files:
    """One process's view. Every call may raise FileError with the reason in the C library's words."""

    __slots__ = ("cwd", "now", "root", "storage", "umask", "who")

    def __init__(
        self,
        storage: Storage,
        root: str,
        who: Credentials | None = None,
        *,
        cwd: str = "/",
        umask: int = 0o022,
        now: int = 0,
    ) -> None:
        self.storage = storage
        self.root = root
        self.who = who or Credentials()
        self.cwd = cwd
        self.umask = umask
        self.now = now

    # ---- looking -----------------------------------------------------------------------------

    def place(self, path: str, *, follow: bool = True) -> Place:
        """Where a path leads, whether or not something is there."""
        return resolve(self.storage, self.root, self.who, self.cwd, path, follow=follow)

    def _there(self, path: str, *, follow: bool = True) -> tuple[Place, Node]:
        place = self.place(path, follow=follow)
        if place.node is None:
            raise FileError(NO_ENTRY, path)
        return place, place.node

    def stat(self, path: str) -> Stat:
        """Of what the path leads to in the end."""
        return self._stat(*self._there(path))

    def lstat(self, path: str) -> Stat:
        """Of the link itself, if it is one."""
        return self._stat(*self._there(path, follow=False))

    def _stat(self, place: Place, node: Node) -> Stat:
        kind = node["t"]
        links = node.get("k", 1)
        if kind == "d":
            links = 2 + sum(1 for child in node["e"].values() if child["t"] == "d")
        size = BLOCK if kind == "d" else len(node["to"]) if kind == "l" else node.get("n", 0)
        identity = f"{place.volume}#{node['i']}" if "i" in node else f"{place.volume}:{'/'.join(place.names)}"
        return Stat(
            _KINDS[kind],
            node["m"],
            node["u"],
            node["g"],
            size,
            node["mt"],
            links,
            node.get("to", ""),
            node.get("dev", ""),
            identity,
        )

    def exists(self, path: str) -> bool:
        """Whether the path leads to something that this process can reach."""
        return self._found(path) is not None

    def is_dir(self, path: str) -> bool:
        return (node := self._found(path)) is not None and node["t"] == "d"

    def is_file(self, path: str) -> bool:
        return (node := self._found(path)) is not None and node["t"] == "f"

    def is_link(self, path: str) -> bool:
        return (node := self._found(path, follow=False)) is not None and node["t"] == "l"

    def _found(self, path: str, *, follow: bool = True) -> Node | None:
        try:
            return self.place(path, follow=follow).node
        except FileError:
            return None

    def access(self, path: str, want: int) -> bool:
        """What ``test -r``, ``-w`` and ``-x`` ask (4, 2, 1)."""
        try:
            place = self.place(path)
        except FileError:
            return False
        if place.node is None or (want & WRITE and place.ro and place.node["t"] != "c"):
            return False
        return self.who.may(place.node, want)

    def listdir(self, path: str) -> list[str]:
        """The names in a directory, sorted by their bytes, without ``.`` and ``..``."""
        _, node = self._there(path)
        if node["t"] != "d":
            raise FileError(NOT_DIRECTORY, path)
        if not self.who.may(node, READ):
            raise FileError(DENIED, path)
        return sorted(node["e"])

    def readlink(self, path: str) -> str:
        _, node = self._there(path, follow=False)
        if node["t"] != "l":
            raise FileError(INVALID, path)
        target: str = node["to"]
        return target

    def realpath(self, path: str) -> str:
        """The canonical path; its last name need not exist."""
        return self.place(path).path

    def read(self, path: str) -> str:
        """The whole byte text of a file."""
        _, node = self._there(path)
        if not self.who.may(node, READ):
            raise FileError(DENIED, path)
        if node["t"] == "d":
            raise FileError(IS_DIRECTORY, path)
        return tree.content(node) if node["t"] == "f" else ""

    def executable(self, path: str) -> Node:
        """The file that ``execve`` would run. Raises FileError: ENOENT, EACCES, …"""
        _, node = self._there(path)
        if node["t"] != "f" or not self.who.may(node, SEARCH):
            raise FileError(DENIED, path)
        return node

    # ---- open files --------------------------------------------------------------------------

    def open(self, path: str, flags: str = "r") -> str:
        """The id of an open file in the storage. ``flags`` as the C library's ``fopen``:
        ``r``, ``r+``, ``w``, ``w+``, ``a``, ``a+``; ``x`` behind them: it must not exist yet."""
        kind, both = flags[0], "+" in flags
        writes = kind != "r" or both
        place = self.place(path) if kind == "r" else self._to_write(path)
        node = place.node
        if node is None:
            if kind == "r":
                raise FileError(NO_ENTRY, path)
            place = self._create(place, path, tree.file(mode=0o666 & ~self.umask))
        else:
            if "x" in flags:
                raise FileError(EXISTS, path)
            if node["t"] == "d" and writes:
                raise FileError(IS_DIRECTORY, path)
            if writes and place.ro and node["t"] != "c":
                raise FileError(READ_ONLY, path)
            if not self.who.may(node, (WRITE if writes else 0) | (READ if kind == "r" or both else 0)):
                raise FileError(DENIED, path)
        mode = {"r": "rw" if both else "r", "w": "rw" if both else "w", "a": "ra" if both else "a"}[kind]
        if kind == "w" and node is not None and node["t"] == "f" and node["n"]:
            self._sized(place, tree.truncated(node, 0, self.now), path)
        return self.storage.open(place.volume, place.names, mode)

    def _to_write(self, path: str) -> Place:
        """The place of a file that is made if it is missing."""
        if not path.endswith("/"):
            return self.place(path)
        self._named(path)
        raise FileError(IS_DIRECTORY, path)

    def write(self, path: str, data: str, *, append: bool = False) -> None:
        """Makes or overwrites a file, or appends to it."""
        if len(data) > MAX_FILE:
            raise FileError(TOO_LARGE, path)
        place = self._to_write(path)
        node = place.node
        if node is None:
            self._create(place, path, tree.file(data, mode=0o666 & ~self.umask))
            return
        if node["t"] == "d":
            raise FileError(IS_DIRECTORY, path)
        if place.ro and node["t"] != "c":
            raise FileError(READ_ONLY, path)
        if not self.who.may(node, WRITE):
            raise FileError(DENIED, path)
        if node["t"] != "f":
            return
        if append:
            fresh = tree.written(node, node["n"], data, self.now)
        else:
            pages = [data[at : at + tree.PAGE] for at in range(0, len(data), tree.PAGE)]
            fresh = {**node, "mt": self.now, "n": len(data), "p": pages}
        self._sized(place, fresh, path)

    def _sized(self, place: Place, node: Node, path: str) -> None:
        if node["n"] > MAX_FILE:
            raise FileError(TOO_LARGE, path)
        try:
            self.storage.replace(place.volume, place.names, node)
        except FileError as error:
            raise FileError(error.reason, path) from None

    # ---- changing names ----------------------------------------------------------------------

    def _create(self, place: Place, path: str, node: Node) -> Place:
        """Puts a new node where nothing is; its owner is this process."""
        if place.ro:
            raise FileError(READ_ONLY, path)
        self._may_change(place.parent, path)
        gid = self.who.gid
        if place.parent["m"] & 0o2000:
            gid = place.parent["g"]
            if node["t"] == "d":
                node = {**node, "m": node["m"] | 0o2000}
        node = {**node, "u": self.who.uid, "g": gid, "mt": self.now}
        if node["t"] == "f":
            node["i"] = self.storage.number()
        try:
            self.storage.add(place.volume, place.names, node, self.now)
        except FileError as error:
            raise FileError(error.reason, path) from None
        return place

    def _may_change(self, directory: Node, path: str) -> None:
        if not self.who.may(directory, WRITE | SEARCH):
            raise FileError(DENIED, path)

    def _may_take(self, place: Place, node: Node, path: str, *, directory: bool) -> None:
        """Whether an entry, which is to be a directory or not, may be removed or renamed."""
        self._may_change(place.parent, path)
        uid = self.who.uid
        if place.parent["m"] & 0o1000 and uid not in (0, place.parent["u"], node["u"]):
            raise FileError(NOT_PERMITTED, path)
        if directory != (node["t"] == "d"):
            raise FileError(NOT_DIRECTORY if directory else IS_DIRECTORY, path)
        if place.mount or self._holds_mount(place.path):
            raise FileError(BUSY, path)

    def _holds_mount(self, path: str) -> bool:
        prefix = path + "/"
        return any(at.startswith(prefix) for at in self.storage.roots[self.root]["mounts"])

    def _named(self, path: str) -> tuple[Place | None, str]:
        """The place of an entry itself, and its name; None for ``/``, ``.`` and ``..``: no call makes them."""
        stripped = path.rstrip("/")
        name = stripped.rpartition("/")[2]
        if name in ("", ".", ".."):
            self.place(stripped or path, follow=False)
            return None, name
        return self.place(stripped, follow=False), name

    def _free(self, path: str, *, directory: bool = False) -> Place:
        """The place of an entry that is to be made."""
        place, _ = self._named(path)
        if place is None or place.node is not None:
            raise FileError(EXISTS, path)
        if path.endswith("/") and not directory:
            raise FileError(NO_ENTRY, path)
        if place.ro:
            raise FileError(READ_ONLY, path)
        return place

    def mkdir(self, path: str, mode: int = 0o777) -> None:
        place = self._free(path, directory=True)
        self._create(place, path, tree.directory(mode=mode & ~self.umask))

    def makedirs(self, path: str, mode: int = 0o777) -> None:
        """With all missing parents; no error when it is there."""
        walked = "/" if path.startswith("/") else ""
        for part in [part for part in path.split("/") if part]:
            walked += part
            place = self.place(walked)
            if place.node is None:
                self._create(place, path, tree.directory(mode=mode & ~self.umask))
            elif place.node["t"] != "d":
                raise FileError(NOT_DIRECTORY if len(walked) < len(path.rstrip("/")) else EXISTS, path)
            walked += "/"

    def rmdir(self, path: str) -> None:
        """Removes an empty directory."""
        place, name = self._named(path)
        if place is None:
            raise FileError({".": INVALID, "..": NOT_EMPTY}.get(name, BUSY), path)
        if place.ro:
            raise FileError(READ_ONLY, path)
        node = place.node
        if node is None:
            raise FileError(NO_ENTRY, path)
        self._may_take(place, node, path, directory=True)
        if node["e"]:
            raise FileError(NOT_EMPTY, path)
        self.storage.take(place.volume, place.names, self.now)

    def unlink(self, path: str) -> None:
        """Removes a name of a file, a link or a device. An open file lives on."""
        place, _ = self._named(path)
        if place is None:
            raise FileError(IS_DIRECTORY, path)
        if place.ro:
            raise FileError(READ_ONLY, path)
        node = place.node
        if node is None:
            raise FileError(NO_ENTRY, path)
        if path.endswith("/"):
            raise FileError(IS_DIRECTORY if node["t"] == "d" else NOT_DIRECTORY, path)
        self._may_take(place, node, path, directory=False)
        self.storage.take(place.volume, place.names, self.now)

    def symlink(self, target: str, path: str) -> None:
        """Makes ``path`` a symbolic link to ``target``, which need not exist."""
        if not target:
            raise FileError(NO_ENTRY, path)
        self._create(self._free(path), path, tree.link(target))

    def link(self, old: str, new: str) -> None:
        """Makes ``new`` another name of the file ``old``."""
        source, node = self._there(old, follow=False)
        place = self._free(new)
        if place.volume != source.volume:
            raise FileError(CROSS_DEVICE, new)
        if self.who.uid not in (0, node["u"]) and not self._harmless(node):
            raise FileError(NOT_PERMITTED, old)
        self._may_change(place.parent, new)
        if node["t"] == "l":
            self._create(place, new, node)  # nobody can tell two names of a link from two links
            return
        if node["t"] != "f":
            raise FileError(NOT_PERMITTED, old)
        try:
            self.storage.name_again(place.volume, source.names, place.names, self.now)
        except FileError as error:
            raise FileError(error.reason, new) from None

    def _harmless(self, node: Node) -> bool:
        """What the kernel lets anyone make a hard link to (``fs.protected_hardlinks``)."""
        return (
            node["t"] == "f"
            and not node["m"] & 0o4000
            and node["m"] & 0o2010 != 0o2010
            and self.who.may(node, READ | WRITE)
        )

    def rename(self, old: str, new: str) -> None:
        """As ``rename(2)``: replaces a file or an empty directory at ``new``; never across volumes."""
        source, _ = self._named(old)
        goal, _ = self._named(new)
        if source is None or source.mount:
            raise FileError(BUSY, old)
        if goal is None or goal.mount:
            raise FileError(BUSY, new)
        if source.volume != goal.volume:
            raise FileError(CROSS_DEVICE, new)
        if source.ro:
            raise FileError(READ_ONLY, old)
        node, there = source.node, goal.node
        if node is None:
            raise FileError(NO_ENTRY, old)
        if node["t"] != "d" and (old.endswith("/") or new.endswith("/")):
            raise FileError(NOT_DIRECTORY, old if old.endswith("/") else new)
        if goal.names[: len(source.names)] == source.names and len(goal.names) > len(source.names):
            raise FileError(INVALID, new)
        if source.names[: len(goal.names)] == goal.names and len(source.names) > len(goal.names):
            raise FileError(NOT_EMPTY, new)
        if source.names == goal.names or (there is node and "k" in node):
            return  # one file: nothing happens
        self._may_take(source, node, old, directory=node["t"] == "d")
        if there is None:
            self._may_change(goal.parent, new)
        else:
            self._may_take(goal, there, new, directory=node["t"] == "d")
            if there.get("e"):
                raise FileError(NOT_EMPTY, new)
        if node["t"] == "d" and source.parent is not goal.parent and not self.who.may(node, WRITE):
            raise FileError(DENIED, old)
        if there is not None:
            self.storage.take(goal.volume, goal.names, self.now)
        self.storage.move(source.volume, source.names, goal.names, self.now)

    # ---- attributes --------------------------------------------------------------------------

    def _own(self, path: str, *, follow: bool = True) -> tuple[Place, Node]:
        place, node = self._there(path, follow=follow)
        if place.ro:
            raise FileError(READ_ONLY, path)
        if self.who.uid not in (0, node["u"]):
            raise FileError(NOT_PERMITTED, path)
        return place, node

    def chmod(self, path: str, mode: int) -> None:
        place, node = self._own(path)
        self.storage.replace(place.volume, place.names, {**node, "m": mode & 0o7777})

    def chown(self, path: str, uid: int | None, gid: int | None, *, follow: bool = True) -> None:
        """Only root gives files away; an owner may choose among its own groups."""
        place, node = self._own(path, follow=follow)
        who = self.who
        fresh = {**node, "u": node["u"] if uid is None else uid, "g": node["g"] if gid is None else gid}
        if who.uid != 0 and (
            fresh["u"] != node["u"] or (gid is not None and gid not in (node["g"], who.gid, *who.groups))
        ):
            raise FileError(NOT_PERMITTED, path)
        if node["t"] == "f" and node["m"] & 0o111:
            fresh["m"] = node["m"] & ~0o6000
        self.storage.replace(place.volume, place.names, fresh)

    def utime(self, path: str, mtime: int | None = None) -> None:
        """Sets the time of the last change: now, or for its owner any."""
        place, node = self._there(path)
        if place.ro:
            raise FileError(READ_ONLY, path)
        if self.who.uid not in (0, node["u"]):
            if mtime is not None:
                raise FileError(NOT_PERMITTED, path)
            if not self.who.may(node, WRITE):
                raise FileError(DENIED, path)
        stamp = self.now if mtime is None else mtime
        self.storage.replace(place.volume, place.names, {**node, "mt": stamp})

    # ---- the whole ---------------------------------------------------------------------------

    def mounts(self) -> list[dict[str, Any]]:
        """What is mounted, the root first: ``{"at", "volume", "ro", "size", "used", "entries", "free"}``, bytes."""
        view = self.storage.roots[self.root]
        rows = [("/", view["volume"], view["ro"])]
        rows += [(at, mount["volume"], mount["ro"]) for at, mount in sorted(view["mounts"].items())]
        result = []
        for at, volume, ro in rows:
            record = self.storage.volumes[volume]
            size = record["limit"] or MAX_BYTES
            result.append(
                {
                    "at": at,
                    "volume": volume,
                    "ro": ro,
                    "size": size,
                    "used": record["bytes"],
                    "entries": record["entries"],
                    "free": MAX_ENTRIES - record["entries"],
                }
            )
        return result
