"""The volumes of one machine, and its open files.

A *volume* is one tree with its accounts: ``{"tree": node, "entries": n, "bytes": n, "limit": bytes or 0,
"inodes": {id: file node with "k" names}, "next": id}``. ``inodes`` holds the files that have several names, and those
that have none any more but are still open. A *root* is what one container sees as ``/``: ``{"volume": name,
"ro": bool, "mounts": {path: {"volume", "sub": [names], "ro"}}}``.

An *open file* is ``{"volume", "path": [names], "inode": id or "", "dev", "at": offset, "flags", "refs"}``; it is
found by its path, which a rename brings up to date. ``dev`` is a device's name, or "directory". Records are replaced,
never changed, so ``state`` gives out references.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from cluster_engine.linux.errors import (
    BAD_DESCRIPTOR,
    IS_DIRECTORY,
    LOOPS,
    NAME_TOO_LONG,
    NO_ENTRY,
    NO_SPACE,
    READ_ONLY,
    TOO_LARGE,
    FileError,
)
from cluster_engine.linux.files import tree
from cluster_engine.linux.files.tree import Node

MAX_ENTRIES = 10_000
"""Files, directories and links of one volume."""
MAX_DEPTH = 50
"""Directories in one another of one volume, which are kept as JSON. (Linux has no end but that of a path.)"""
MAX_BYTES = 32 * 1024 * 1024
"""Bytes of all files of one machine."""
MAX_FILE = 16 * 1024 * 1024
"""Bytes of one file."""
MAX_LINKS = 40
"""Symbolic links that one path may lead through."""
MAX_OPEN = 4_096
"""Open files of one machine."""

Names = Sequence[str]

PREPARED_LIMIT = 256
"""Trees that are remembered with their mount points made; a full memory starts anew."""
_PREPARED: dict[tuple[int, int, tuple[tuple[str, bool], ...]], tuple[Node, Node, tuple[str, ...]]] = {}
"""(tree, limit, where something is mounted) → the tree, the volume made of it, the canonical places.

A thousand containers of one image begin with one tree. Content alone decides, so remembering changes no result; the
tree is kept alive with the entry, so that no other one can come to have its id.
"""


def volume_of(root: Node, limit: int = 0) -> Node:
    """A tree with its accounts."""
    entries, size = tree.measure(root)
    return {"tree": root, "entries": entries, "bytes": size, "limit": limit, "inodes": {}, "next": 1}


class Storage:
    """Volumes, roots and open files. All randomness of its /dev/urandom comes from ``seed``."""

    def __init__(self, seed: str = "") -> None:
        self.volumes: dict[str, Node] = {}
        self.roots: dict[str, dict[str, Any]] = {}
        self.opens: dict[str, dict[str, Any]] = {}
        self._next = 1
        self._seed = seed
        self._drawn = 0
        self._numbers = 0

    # ---- volumes and roots -------------------------------------------------------------------

    def set_volume(self, name: str, root: Node, limit: int = 0) -> None:
        """Makes a volume, or gives it a new tree; files that are open keep what they have."""
        before = self.volumes.get(name)
        if before is None:
            self.volumes[name] = volume_of(root, limit)
            return
        for held in list(self.opens.values()):
            if held["volume"] == name and not held["inode"] and not held["dev"]:
                node = tree.find(before["tree"], held["path"])
                if node is not None and node["t"] == "f" and tree.find(root, held["path"]) != node:
                    self._orphan(name, held["path"], node)
        kept = self.volumes[name]
        inodes = {key: {**node, "k": 0} for key, node in kept["inodes"].items() if self._is_open(name, key)}
        entries, size = tree.measure(root)
        size += sum(node["n"] for node in inodes.values())
        fresh = {"tree": root, "entries": entries, "bytes": size, "limit": limit, "inodes": inodes}
        self.volumes[name] = {**kept, **fresh}

    def show(self, name: str, root: Node) -> None:
        """What the host shows in a volume is another now; whoever has a file open reads on in what has its name."""
        record = self.volumes[name]
        entries, size = tree.measure(root)
        size += sum(node["n"] for node in record["inodes"].values())
        self.volumes[name] = {**record, "tree": root, "entries": entries, "bytes": size}

    def _orphan(self, volume: str, names: Names, node: Node) -> bool:
        """Whether a file that loses its name is open; it lives on as an inode then."""
        path = list(names)
        keys = [
            key
            for key, held in self.opens.items()
            if held["volume"] == volume and not held["inode"] and held["path"] == path
        ]
        if not keys:
            return False
        record = self.volumes[volume]
        inode = str(record["next"])
        inodes = {**record["inodes"], inode: {**node, "k": 0}}
        self.volumes[volume] = {**record, "inodes": inodes, "next": record["next"] + 1}
        for key in keys:
            self.opens[key] = {**self.opens[key], "inode": inode}
        return True

    def remove_volume(self, name: str) -> None:
        """Forgets a volume that nothing mounts any more."""
        self.volumes.pop(name, None)

    def add_root(
        self,
        name: str,
        root: Node,
        mounts: Sequence[dict[str, Any]] = (),
        *,
        read_only: bool = False,
        limit: int = 0,
    ) -> None:
        """A container's file system: its own tree (the volume ``root/NAME``) and what is mounted on it.

        A mount is ``{"at": path, "volume": name, "sub": path, "ro": bool}``, outer ones first. Mount points that are
        missing are made, as a container runtime does. Raises FileError when that cannot be done.
        """
        own = f"root/{name}"
        found = [self._mounted(mount) for mount in mounts]
        places = tuple(
            (mount["at"], node["t"] == "d") for mount, (_, node) in zip(mounts, found, strict=True)
        )
        prepared = _PREPARED.get((id(root), limit, places))
        if prepared is not None:
            _, self.volumes[own], paths = prepared
            table = dict(zip(paths, (entry for entry, _ in found), strict=True))
            self.roots[name] = {"volume": own, "ro": read_only, "mounts": table}
            return
        self.volumes[own] = volume_of(root, limit)
        table = {}
        self.roots[name] = {"volume": own, "ro": read_only, "mounts": table}
        made: list[str] = []
        for (at, wants_directory), (entry, _) in zip(places, found, strict=True):
            made.append(self._mount_point(name, at, wants_directory))
            table[made[-1]] = entry
        if len(table) == len(made) and not any(at.startswith(f"{outer}/") for at in made for outer in made):
            if len(_PREPARED) >= PREPARED_LIMIT:
                _PREPARED.clear()
            _PREPARED[id(root), limit, places] = (root, self.volumes[own], tuple(made))

    def _mounted(self, mount: dict[str, Any]) -> tuple[dict[str, Any], Node]:
        """An entry of the table of mounts, and the node that it shows."""
        sub = [part for part in mount.get("sub", "").split("/") if part not in ("", ".")]
        node = tree.find(self.volumes[mount["volume"]]["tree"], sub)
        if node is None:
            raise FileError(NO_ENTRY, mount["at"])
        return {"volume": mount["volume"], "sub": sub, "ro": bool(mount.get("ro"))}, node

    def _mount_point(self, root: str, at: str, wants_directory: bool, links: int = 0) -> str:
        """The canonical path of a mount point, made if it is missing."""
        if links > MAX_LINKS:
            raise FileError(LOOPS, at)
        volume, names, ro = self.roots[root]["volume"], [], False
        path = ""
        parts = [part for part in at.split("/") if part not in ("", ".")]
        for index, part in enumerate(parts):
            path = f"{path}/{part}"
            mount = self.roots[root]["mounts"].get(path)
            if mount is not None:
                volume, names, ro = mount["volume"], list(mount["sub"]), mount["ro"]
                continue
            names = [*names, part]
            node = self.node(volume, names)
            if node is None:
                if ro:
                    raise FileError(READ_ONLY, at)
                last = index == len(parts) - 1
                node = tree.directory() if wants_directory or not last else tree.file()
                self.add(volume, names, node, 0)
            elif node["t"] == "l":
                target = (
                    node["to"] if node["to"].startswith("/") else f"{path.rpartition('/')[0]}/{node['to']}"
                )
                rest = "/".join([target, *parts[index + 1 :]])
                return self._mount_point(root, rest, wants_directory, links + 1)
        return path or "/"

    def remove_root(self, name: str) -> None:
        """Forgets a container's root and its own files."""
        root = self.roots.pop(name, None)
        if root is not None:
            self.volumes.pop(root["volume"], None)

    def number(self) -> str:
        """A number that no file has had yet."""
        self._numbers += 1
        return str(self._numbers)

    # ---- nodes -------------------------------------------------------------------------------

    def node(self, volume: str, names: Names) -> Node | None:
        """What lies in a volume at these names; of a file with several names the file."""
        record = self.volumes.get(volume)
        if record is None:
            return None
        found = tree.find(record["tree"], names)
        return self.resolved(record, found) if found is not None else None

    @staticmethod
    def resolved(record: Node, node: Node) -> Node:
        """The file itself, where the node is one of several names."""
        if node["t"] == "h":
            found: Node = record["inodes"][node["i"]]
            return found
        return node

    def room(self, volume: str, entries: int, size: int) -> None:
        """Raises FileError when that much more does not fit."""
        record = self.volumes[volume]
        if entries > 0 and record["entries"] + entries > MAX_ENTRIES:
            raise FileError(NO_SPACE)
        if size > 0:
            if record["limit"] and record["bytes"] + size > record["limit"]:
                raise FileError(NO_SPACE)
            if size + sum(each["bytes"] for each in self.volumes.values()) > MAX_BYTES:
                raise FileError(NO_SPACE)

    def add(self, volume: str, names: Names, node: Node, now: int) -> None:
        """A new entry; what is in it counts. Raises FileError when it is too deep, or there is no room."""
        _check_depth(names, node)
        entries, size = tree.measure(node) if node["t"] == "d" and node["e"] else (0, node.get("n", 0))
        self.room(volume, entries + 1, size)
        record = self.volumes[volume]
        self.volumes[volume] = {
            **record,
            "tree": tree.put(record["tree"], names, node, now),
            "entries": record["entries"] + entries + 1,
            "bytes": record["bytes"] + size,
        }

    def replace(self, volume: str, names: Names, node: Node) -> None:
        """The same entry with other content or attributes."""
        record = self.volumes[volume]
        found = tree.find(record["tree"], names)
        assert found is not None
        if found["t"] == "h":
            self._replace_inode(volume, found["i"], node)
            return
        growth = node.get("n", 0) - found.get("n", 0)
        if growth:
            self.room(volume, 0, growth)
        self.volumes[volume] = {
            **record,
            "tree": tree.put(record["tree"], names, node),
            "bytes": record["bytes"] + growth,
        }

    def _replace_inode(self, volume: str, inode: str, node: Node) -> None:
        record = self.volumes[volume]
        growth = node["n"] - record["inodes"][inode]["n"]
        if growth:
            self.room(volume, 0, growth)
        inodes = {**record["inodes"], inode: {**node, "k": record["inodes"][inode]["k"]}}
        self.volumes[volume] = {**record, "inodes": inodes, "bytes": record["bytes"] + growth}

    def take(self, volume: str, names: Names, now: int) -> None:
        """Removes an entry (of directories: with all that is in it). Open files live on without a name."""
        node = tree.find(self.volumes[volume]["tree"], names)
        assert node is not None
        entries, size = tree.measure(node)
        if node["t"] == "f" and self._orphan(volume, names, node):
            size = 0
        record = self.volumes[volume]
        self.volumes[volume] = {
            **record,
            "tree": tree.taken(record["tree"], names, now),
            "entries": record["entries"] - entries - 1,
            "bytes": record["bytes"] - size,
        }
        if node["t"] == "h":
            self._count_name(volume, node["i"], -1)

    def _count_name(self, volume: str, inode: str, change: int) -> None:
        record = self.volumes[volume]
        node = record["inodes"][inode]
        inodes = {**record["inodes"], inode: {**node, "k": node["k"] + change}}
        size = 0
        if node["k"] + change == 0 and not self._is_open(volume, inode):
            del inodes[inode]
            size = node["n"]
        self.volumes[volume] = {**record, "inodes": inodes, "bytes": record["bytes"] - size}

    def _is_open(self, volume: str, inode: str) -> bool:
        return any(held["volume"] == volume and held["inode"] == inode for held in self.opens.values())

    def name_again(self, volume: str, names: Names, fresh: Names, now: int) -> None:
        """One more name of a file (a hard link)."""
        record = self.volumes[volume]
        node = tree.find(record["tree"], names)
        assert node is not None
        self.room(volume, 1, 0)
        if node["t"] != "h":
            inode = str(record["next"])
            name = {"t": "h", "i": inode}
            record = {
                **record,
                "tree": tree.put(record["tree"], names, name),
                "inodes": {**record["inodes"], inode: {"i": self.number(), **node, "k": 1}},
                "next": record["next"] + 1,
            }
            for key, held in list(self.opens.items()):
                if held["volume"] == volume and not held["inode"] and held["path"] == list(names):
                    self.opens[key] = {**held, "inode": inode}
            node = name
        self.volumes[volume] = {
            **record,
            "tree": tree.put(record["tree"], fresh, node, now),
            "entries": record["entries"] + 1,
        }
        self._count_name(volume, node["i"], 1)

    def move(self, volume: str, names: Names, goal: Names, now: int) -> None:
        """Gives an entry another name within its volume; nothing may be at the goal. Raises FileError as ``add``."""
        record = self.volumes[volume]
        node = tree.find(record["tree"], names)
        assert node is not None
        _check_depth(goal, node)
        rest = tree.taken(record["tree"], names, now)
        self.volumes[volume] = {**record, "tree": tree.put(rest, goal, node, now)}
        old, length = list(names), len(names)
        for key, held in list(self.opens.items()):
            if held["volume"] == volume and not held["inode"] and held["path"][:length] == old:
                self.opens[key] = {**held, "path": [*goal, *held["path"][length:]]}

    # ---- open files --------------------------------------------------------------------------

    def open(self, volume: str, names: Names, flags: str) -> str:
        """Opens a file or device that is there. ``flags``: of ``r``, ``w``, ``a`` (append). The new id."""
        if len(self.opens) >= MAX_OPEN:
            raise FileError("Too many open files in system")
        record = self.volumes[volume]
        entry = tree.find(record["tree"], names)
        assert entry is not None
        key = str(self._next)
        self._next += 1
        self.opens[key] = {
            "volume": volume,
            "path": list(names),
            "inode": entry["i"] if entry["t"] == "h" else "",
            "dev": "directory" if entry["t"] == "d" else entry.get("dev", ""),
            "at": 0,
            "flags": flags,
            "refs": 1,
        }
        return key

    def retain(self, key: str) -> None:
        """One more descriptor shares this open file and its offset."""
        held = self.opens[key]
        self.opens[key] = {**held, "refs": held["refs"] + 1}

    def release(self, key: str) -> None:
        """A descriptor is closed; with the last one a file without names is gone."""
        held = self.opens[key]
        if held["refs"] > 1:
            self.opens[key] = {**held, "refs": held["refs"] - 1}
            return
        del self.opens[key]
        volume, inode = held["volume"], held["inode"]
        record = self.volumes.get(volume)
        if not inode or record is None:
            return
        node = record["inodes"].get(inode)
        if node is not None and node["k"] == 0 and not self._is_open(volume, inode):
            inodes = {key: each for key, each in record["inodes"].items() if key != inode}
            self.volumes[volume] = {**record, "inodes": inodes, "bytes": record["bytes"] - node["n"]}

    def opened(self, key: str) -> Node | None:
        """The node behind an open file; None when its volume is gone."""
        held = self.opens[key]
        record = self.volumes.get(held["volume"])
        if record is None:
            return None
        if held["inode"]:
            node: Node | None = record["inodes"].get(held["inode"])
            return node
        found = tree.find(record["tree"], held["path"])
        return self.resolved(record, found) if found is not None else None

    def device(self, key: str) -> str:
        """The name of the device that is open, "" for a file."""
        name: str = self.opens[key]["dev"]
        return name

    def read(self, key: str, count: int) -> str:
        """At most ``count`` bytes at the offset, which moves; "" at the end."""
        held = self.opens[key]
        if "r" not in held["flags"]:
            raise FileError(BAD_DESCRIPTOR)
        match held["dev"]:
            case "":
                node = self.opened(key)
                if node is None:
                    return ""
                text = tree.read_at(node, held["at"], count)
                if text:
                    self.opens[key] = {**held, "at": held["at"] + len(text)}
                return text
            case "directory":
                raise FileError(IS_DIRECTORY)
            case "zero" | "full":
                return "\0" * count
            case "urandom":
                return self.chance(count)
        return ""

    def chance(self, count: int) -> str:
        """Random bytes, other ones at each call."""
        self._drawn += 1
        return hashlib.shake_256(f"{self._seed}/{self._drawn}".encode()).digest(count).decode("latin-1")

    def write(self, key: str, text: str, now: int = 0) -> None:
        """Writes at the offset (with ``a``: at the end), which moves."""
        held = self.opens[key]
        if "w" not in held["flags"] and "a" not in held["flags"]:
            raise FileError(BAD_DESCRIPTOR)
        if held["dev"]:
            if held["dev"] == "full" and text:
                raise FileError(NO_SPACE)
            return
        node = self.opened(key)
        if node is None or not text:
            return
        at = node["n"] if "a" in held["flags"] else held["at"]
        if at + len(text) > MAX_FILE:
            raise FileError(TOO_LARGE)
        self._change(key, tree.written(node, at, text, now))
        self.opens[key] = {**held, "at": at + len(text)}

    def truncate(self, key: str, size: int, now: int = 0) -> None:
        """Cuts or fills the open file to ``size`` bytes."""
        node = self.opened(key)
        if size > MAX_FILE:
            raise FileError(TOO_LARGE)
        if node is not None and node["t"] == "f":
            self._change(key, tree.truncated(node, size, now))

    def _change(self, key: str, node: Node) -> None:
        held = self.opens[key]
        if held["inode"]:
            self._replace_inode(held["volume"], held["inode"], node)
        else:
            self.replace(held["volume"], held["path"], node)

    def seek(self, key: str, at: int) -> None:
        """The offset of the next read or write."""
        self.opens[key] = {**self.opens[key], "at": at}

    def offset(self, key: str) -> int:
        """Where the next write goes."""
        held = self.opens[key]
        return self.size(key) if "a" in held["flags"] else int(held["at"])

    def size(self, key: str) -> int:
        """Bytes of the open file."""
        node = self.opened(key)
        return node.get("n", 0) if node is not None else 0

    # ---- state -------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Everything as JSON data, by reference: records that are given out are never changed."""
        return {
            "volumes": dict(self.volumes),
            "roots": dict(self.roots),
            "opens": dict(self.opens),
            "next": self._next,
            "seed": self._seed,
            "drawn": self._drawn,
            "numbers": self._numbers,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Takes a state over."""
        self.volumes = dict(state["volumes"])
        self.roots = dict(state["roots"])
        self.opens = dict(state["opens"])
        self._next = state["next"]
        self._seed = state["seed"]
        self._drawn = state["drawn"]
        self._numbers = state["numbers"]


def _check_depth(names: Names, node: Node) -> None:
    if len(names) + (tree.depth(node) if node.get("e") else 0) > MAX_DEPTH:
        raise FileError(NAME_TOO_LONG, "/".join(names))
