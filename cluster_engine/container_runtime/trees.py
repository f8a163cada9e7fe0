"""The files of an image as one tree, made once and shared by every container of it."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from cluster_engine.container_runtime.registry import Registry
from cluster_engine.linux import programs
from cluster_engine.linux.files import tree
from cluster_engine.linux.files.tree import Node
from cluster_engine.linux.program import Program
from cluster_engine.linux.text import octets

IMAGES_KEPT = 256
"""Trees of images that are kept; one takes some tens of KiB."""
_BUILT = 1_761_955_200_000_000
"""When every image was built: 2025-11-01."""
_OWN = "image:"
_SHOWS = "image"
"""The field of a tree that says of which image and path it is."""
_DIRECTORIES = (
    "/dev/shm", "/etc", "/home", "/opt", "/proc", "/root", "/run", "/srv", "/sys", "/usr/local/bin",
    "/usr/local/sbin", "/usr/share", "/var/cache", "/var/lib", "/var/log", "/var/spool",
)  # fmt: skip
_RUNTIME = ("dev", "proc", "sys")
_FILES = ("/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/dev/termination-log")
"""Places at which the runtime mounts what is the Pod's own."""
_DEVICES = {
    "console": "tty", "full": "full", "null": "null", "random": "urandom", "stderr": "stderr", "stdin": "stdin",
    "stdout": "stdout", "tty": "tty", "urandom": "urandom", "zero": "zero",
}  # fmt: skip
_PASSWD = """root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
bin:x:2:2:bin:/bin:/bin/false
sys:x:3:3:sys:/dev:/bin/false
mail:x:8:8:mail:/var/spool/mail:/bin/false
www-data:x:33:33:www-data:/var/www:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
"""
_GROUP = """root:x:0:
daemon:x:1:
bin:x:2:
sys:x:3:
tty:x:5:
mail:x:8:
www-data:x:33:
nogroup:x:65534:
"""


def image_tree(registry: Registry, reference: str) -> Node:
    """The root of a container of that image, before anything was written to it."""
    return _image_tree(registry.home(reference), reference)


@lru_cache(maxsize=IMAGES_KEPT)
def _image_tree(registry: Registry, reference: str) -> Node:
    image, tag = registry.find(reference)
    variant, tools = image.variants[tag], image.tools_of(tag)
    contents: dict[str, str | Node] = {path: tree.directory(mtime=_BUILT) for path in _DIRECTORIES}
    contents["/tmp"] = tree.directory(mode=0o1777, mtime=_BUILT)
    contents["/var/tmp"] = tree.directory(mode=0o1777, mtime=_BUILT)
    contents["/var/run"] = tree.link("/run", mtime=_BUILT)
    contents["/etc/passwd"], contents["/etc/group"] = _PASSWD, _GROUP
    for path in _FILES:
        contents[path] = tree.file(mtime=_BUILT)
    for name, device in _DEVICES.items():
        contents[f"/dev/{name}"] = tree.device(device, mtime=_BUILT)
    contents.update(_tools(tools, image.also))
    for path in image.programs(variant):
        contents[path] = tree.program(f"{_OWN}{reference} {path}", mtime=_BUILT)
    for path, text in image.files(variant).items():
        mode = 0o755 if text.startswith("#!") else 0o644
        contents[path] = tree.file(octets(text), mode=mode, mtime=_BUILT)
    if image.workdir != "/":
        contents.setdefault(image.workdir, tree.directory(mtime=_BUILT))
    return tree.build(contents, mtime=_BUILT)


def volume_tree(registry: Registry, reference: str) -> Node:
    """What a volume of that image shows: its layers, without what a runtime puts into a container."""
    return _volume_tree(registry.home(reference), reference)


@lru_cache(maxsize=IMAGES_KEPT)
def _volume_tree(registry: Registry, reference: str) -> Node:
    image, tag = registry.find(reference)
    variant = image.variants[tag]
    if image.tools_of(tag) == "none" and not image.programs(variant):
        contents: dict[str, str | Node] = {
            path: tree.file(octets(text), mtime=_BUILT) for path, text in image.files(variant).items()
        }
        return tree.build(contents, mtime=_BUILT)
    root = _image_tree(registry, reference)
    return {**root, "e": {name: node for name, node in root["e"].items() if name not in _RUNTIME}}


def volume_part(registry: Registry, reference: str, path: str) -> Node | None:
    """What lies at a path of that image's volume, "" for all of it; None for nothing. Links are not followed.

    It says itself what it is, so that a keyframe need not hold it: nobody writes to it.
    """
    return _volume_part(registry.home(reference), reference, path)


@lru_cache(maxsize=IMAGES_KEPT)
def _volume_part(registry: Registry, reference: str, path: str) -> Node | None:
    found = tree.find(
        _volume_tree(registry, reference), [name for name in path.split("/") if name not in ("", ".")]
    )
    return None if found is None else {**found, _SHOWS: [reference, path]}


def saved(node: Node) -> Node:
    """A volume's tree as a keyframe holds it: an image's files by their name."""
    return {"t": _SHOWS, "of": node[_SHOWS]} if _SHOWS in node else node


def restored(registry: Registry, node: Node) -> Node:
    """The tree that ``saved`` gave this for; an empty directory where the image has no such files any more."""
    if node["t"] != _SHOWS:
        return node
    return volume_part(registry, *node["of"]) or tree.directory()


def _tools(kind: str, also: tuple[str, ...]) -> dict[str, str | Node]:
    """The small programs, where such an image has them."""
    names = (*programs.of(kind), *also)
    if kind == "debian":
        found: dict[str, str | Node] = {"/bin": tree.link("usr/bin"), "/sbin": tree.link("usr/sbin")}
        found["/usr/sbin"] = tree.directory(mtime=_BUILT)
        found.update({f"/usr/bin/{name}": tree.program(name, mtime=_BUILT) for name in names})
        return found
    return {f"/bin/{name}": tree.program(name, mtime=_BUILT) for name in names}


def program(registry: Registry, name: str) -> Program | None:
    """What an executable runs: a tool, or an image's own program (``image:REFERENCE PATH``)."""
    if not name.startswith(_OWN):
        return programs.program(name)
    reference, _, path = name.removeprefix(_OWN).partition(" ")
    return _program(registry.home(reference), name, reference, path)


@lru_cache(maxsize=4 * IMAGES_KEPT)
def _program(registry: Registry, name: str, reference: str, path: str) -> Program | None:
    image, tag = registry.find(reference)
    found = image.programs(image.variants[tag]).get(path)
    return replace(found, name=name, memory=image.memory) if found is not None else None
