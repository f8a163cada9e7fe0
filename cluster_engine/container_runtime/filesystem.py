"""Files of a Pod's containers: each has its image's files, and volumes are directories that they share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cluster_engine.container_runtime.image import Image
from cluster_engine.shell.errors import VfsError
from cluster_engine.shell.vfs import Directory, File, Vfs, VfsLimits, normal, parent_of

LIMITS = VfsLimits(entries=2_000, total=8 * 1024 * 1024)
_BASE = (
    "/tmp",
    "/etc",
    "/var",
    "/var/log",
    "/var/run",
    "/run",
    "/usr",
    "/usr/local",
    "/root",
    "/home",
    "/opt",
)


def directory_of(node: Mapping[str, Any]) -> Directory | File:
    """A volume's tree as this file system has it: without links, what they point to in their place."""
    if node["t"] != "d":
        return File(bytearray("".join(node["p"]).encode("latin-1")), mode=node["m"])
    entries = node["e"]
    data = entries.get("..data")
    shown = entries[data["to"]]["e"] if data is not None else entries
    return Directory({name: directory_of(below) for name, below in shown.items()})


def build(
    image: Image,
    tag: str,
    mounts: list[list[Any]],
    volumes: Mapping[str, Directory | File],
    etc: Mapping[str, str],
    workdir: str,
    read_only: bool,
) -> Vfs:
    """A container's file system as it is when the container starts."""
    vfs = Vfs(limits=LIMITS)
    for path in _BASE:
        vfs.mkdir(path, parents=True)
    for path, text in {**etc, **image.files(image.variants[tag])}.items():
        vfs.mkdir(parent_of(path), parents=True)
        vfs.write(path, text.encode())
        if text.startswith("#!"):
            vfs.chmod(path, 0o755)
    vfs.mkdir(workdir, parents=True)
    refused = ["/"] if read_only else []
    writable = [path for path in etc if path.startswith("/dev/")]
    for volume, path, sub, frozen in mounts:
        found = volumes.get(volume)
        if found is None:
            continue
        _graft(vfs, normal(path), _part(found, sub))
        (refused if frozen else writable).append(normal(path))
    vfs.changes()
    vfs.read_only, vfs.writable = tuple(refused), tuple(writable)
    return vfs


def _part(volume: Directory | File, sub_path: str) -> Directory | File:
    """What a subPath names; a directory that is not there is made."""
    node: Directory | File = volume
    for part in [p for p in sub_path.split("/") if p not in ("", ".", "..")]:
        if not isinstance(node, Directory):
            break
        node = node.children.setdefault(part, Directory())
    return node


def _graft(vfs: Vfs, path: str, node: Directory | File) -> None:
    """Puts a shared node into a file system; its size does not count against the container's own."""
    try:
        vfs.mkdir(parent_of(path), parents=True)
    except VfsError:
        return  # below a file of the image: upstream's runtime would refuse the mount
    parent = vfs._get(parent_of(path))
    if isinstance(parent, Directory):
        parent.children[path.rpartition("/")[2]] = node


def refresh(volume: Directory | File, node: Mapping[str, Any]) -> None:
    """Brings a volume to new content in place, so that every container that mounts it sees it."""
    fresh = directory_of(node)
    if isinstance(volume, Directory) and isinstance(fresh, Directory):
        volume.children = fresh.children
    elif isinstance(volume, File) and isinstance(fresh, File):
        volume.data = fresh.data
