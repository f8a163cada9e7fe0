"""The files of the terminal's machine before anybody wrote to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cluster_engine.linux.files import tree
from cluster_engine.linux.files.tree import Node
from cluster_engine.linux.text import octets

UID = 1000
"""The learner's user and group."""
_DIRECTORIES = ("/etc", "/home", "/opt", "/proc", "/root", "/run", "/usr/bin", "/usr/local/bin", "/var/log")
_DEVICES = {
    "full": "full", "null": "null", "random": "urandom", "stderr": "stderr", "stdin": "stdin", "stdout": "stdout",
    "tty": "tty", "urandom": "urandom", "zero": "zero",
}  # fmt: skip


def root(
    programs: Iterable[str],
    files: Mapping[str, bytes],
    *,
    home: str,
    user: str,
    hostname: str,
    shrc: str,
    mtime: int,
) -> Node:
    """The root: programs in /bin, the learner's files (by absolute path) with their owner."""
    contents: dict[str, str | Node] = {path: tree.directory(mtime=mtime) for path in _DIRECTORIES}
    contents["/tmp"] = tree.directory(mode=0o1777, mtime=mtime)
    for name, device in _DEVICES.items():
        contents[f"/dev/{name}"] = tree.device(device, mtime=mtime)
    contents |= {f"/bin/{name}": tree.program(name, mtime=mtime) for name in programs}
    contents["/etc/passwd"] = (
        f"root:x:0:0:root:/root:/bin/sh\n{user}:x:{UID}:{UID}:{user}:{home}:/bin/sh\n"
        "nobody:x:65534:65534:nobody:/:/bin/false\n"
    )
    contents["/etc/group"] = f"root:x:0:\n{user}:x:{UID}:\nnogroup:x:65534:\n"
    contents["/etc/hostname"] = f"{hostname}\n"
    contents["/etc/resolv.conf"] = "nameserver 192.168.0.1\n"
    contents["/etc/hosts"] = f"127.0.0.1\tlocalhost\n127.0.1.1\t{hostname}\n"
    contents["/etc/shrc"] = shrc
    contents[home] = tree.directory(mtime=mtime)
    for path, data in files.items():
        mode = 0o755 if data.startswith(b"#!") else 0o644
        contents[octets(path)] = tree.file(data.decode("latin-1"), mode=mode, mtime=mtime)
    made = tree.build(contents, mtime=mtime)
    names = [name for name in home.split("/") if name]
    own = tree.find(made, names)
    assert own is not None
    return tree.put(made, names, _owned(own))


def _owned(node: Node) -> Node:
    if node["t"] != "d":
        return {**node, "u": UID, "g": UID}
    return {**node, "u": UID, "g": UID, "e": {name: _owned(child) for name, child in node["e"].items()}}
