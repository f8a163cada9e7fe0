"""Files of a Pod's containers: each has its image's files, and volumes are directories that they share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Mount:
    """A volume, or a part of one, at a place in a container."""

    volume: str
    path: str
    sub_path: str = ""
    read_only: bool = False


def directory_of(files: Mapping[str, str] | None) -> Directory:
    """A volume's directory; None is an empty one that may be written to."""
    root = Directory()
    for path, text in (files or {}).items():
        node = root
        *parents, name = [part for part in path.split("/") if part]
        for part in parents:
            child = node.children.setdefault(part, Directory())
            assert isinstance(child, Directory)
            node = child
        node.children[name] = File(bytearray(text.encode("utf-8", "surrogateescape")))
    return root


def build(
    image: Image,
    tag: str,
    mounts: list[Mount],
    volumes: Mapping[str, Directory],
    etc: Mapping[str, str],
    workdir: str,
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
    read_only: list[str] = []
    for mount in sorted(mounts, key=lambda m: m.path.count("/")):
        volume = volumes.get(mount.volume)
        if volume is None:
            continue
        _graft(vfs, normal(mount.path), _part(volume, mount.sub_path))
        if mount.read_only:
            read_only.append(normal(mount.path))
    vfs.changes()
    vfs.read_only = tuple(read_only)
    return vfs


def _part(volume: Directory, sub_path: str) -> Directory | File:
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


def refresh(volume: Directory, files: Mapping[str, str]) -> None:
    """Brings a volume to new content in place, so that every container that mounts it sees it."""
    volume.children = directory_of(files).children
