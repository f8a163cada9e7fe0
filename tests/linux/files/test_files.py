# ruff: noqa: E501 (one case a line)
"""Mounts, limits, devices and open files, by tables; the kernel's answers are compared in test_against_the_kernel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cluster_engine.linux.errors import FileError
from cluster_engine.linux.files import Credentials, Files, Storage, tree
from cluster_engine.linux.files.storage import MAX_BYTES, MAX_ENTRIES, MAX_FILE
from cluster_engine.linux.text import octets


def conf(version: str, text: str) -> tree.Node:
    """As a kubelet lays out a ConfigMap."""
    data = {f"/..{version}/a.txt": tree.file(text, mode=0o400), "/..data": tree.link(f"..{version}")}
    return tree.build({**data, "/a.txt": tree.link("..data/a.txt")})


def fill(files: Files, directory: str, count: int, size: int = 0) -> None:
    for number in range(count):
        files.write(f"{directory}/{number}", "x" * size)


def machine() -> Storage:
    storage = Storage("seed")
    storage.set_volume("conf", conf("2026", "one\n"))
    storage.set_volume("shared", tree.directory(mode=0o777))
    storage.set_volume("small", tree.directory(mode=0o777), limit=10_000)
    storage.set_volume("hosts", tree.file("127.0.0.1 localhost\n"))
    image = tree.build(
        {
            "/bin/ls": tree.program("ls"),
            "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
            "/tmp": tree.directory(mode=0o1777),
            "/dev/null": tree.device("null"),
            "/dev/full": tree.device("full"),
            "/dev/zero": tree.device("zero"),
            "/dev/urandom": tree.device("urandom"),
            "/var/run": tree.link("/run"),
            "/run": tree.directory(),
        }
    )
    mounts = [
        {"at": "/conf", "volume": "conf", "ro": True},
        {"at": "/data", "volume": "shared"},
        {"at": "/data/small", "volume": "small"},
        {"at": "/etc/hosts", "volume": "hosts"},
        {"at": "/var/run/secret", "volume": "conf", "sub": "..2026", "ro": True},
    ]
    storage.add_root("app", image, mounts)
    storage.add_root("other", image, [{"at": "/x", "volume": "shared"}])
    storage.add_root("frozen", image, [{"at": "/data", "volume": "shared"}], read_only=True)
    return storage


def app(uid: int = 0, root: str = "app", **more: Any) -> Files:
    return Files(machine(), root, Credentials(uid, uid), **more)


ERRORS: dict[str, tuple[str, int, Callable[[Files], Any], str]] = {
    "read-only mount": ("app", 0, lambda f: f.write("/conf/new", "x"), "Read-only file system"),
    "read-only mount, existing": ("app", 0, lambda f: f.write("/conf/a.txt", "x"), "Read-only file system"),
    "read-only mount, unlink": ("app", 0, lambda f: f.unlink("/conf/a.txt"), "Read-only file system"),
    "read-only mount, mkdir": ("app", 0, lambda f: f.mkdir("/conf/d"), "Read-only file system"),
    "read-only mount, chmod": ("app", 0, lambda f: f.chmod("/conf/a.txt", 0), "Read-only file system"),
    "read-only mount, touch": ("app", 0, lambda f: f.utime("/conf/a.txt"), "Read-only file system"),
    "read-only mount, open": ("app", 0, lambda f: f.open("/conf/a.txt", "a"), "Read-only file system"),
    "read-only mount, link": ("app", 0, lambda f: f.symlink("x", "/conf/l"), "Read-only file system"),
    "read-only root": ("frozen", 0, lambda f: f.write("/x", "x"), "Read-only file system"),
    "read-only root, rename": ("frozen", 0, lambda f: f.rename("/etc/passwd", "/etc/p"), "Read-only file system"),
    "another's file": ("app", 1000, lambda f: f.write("/etc/passwd", "x"), "Permission denied"),
    "another's directory": ("app", 1000, lambda f: f.write("/etc/new", "x"), "Permission denied"),
    "unreadable": ("app", 1000, lambda f: f.read("/conf/a.txt"), "Permission denied"),
    "chmod of another's": ("app", 1000, lambda f: f.chmod("/etc/passwd", 0o777), "Operation not permitted"),
    "chown": ("app", 1000, lambda f: f.chown("/etc/passwd", 1000, None), "Operation not permitted"),
    "execute a file without x": ("app", 0, lambda f: f.executable("/etc/passwd"), "Permission denied"),
    "execute a directory": ("app", 0, lambda f: f.executable("/etc"), "Permission denied"),
    "rename across volumes": ("app", 0, lambda f: f.rename("/etc/passwd", "/data/p"), "Invalid cross-device link"),
    "link across volumes": ("app", 0, lambda f: f.link("/etc/passwd", "/data/p"), "Invalid cross-device link"),
    "remove a mount point": ("app", 0, lambda f: f.rmdir("/data/small"), "Device or resource busy"),
    "remove above a mount point": ("app", 0, lambda f: f.rename("/data", "/d"), "Device or resource busy"),
    "remove a mounted file": ("app", 0, lambda f: f.unlink("/etc/hosts"), "Device or resource busy"),
    "volume is full": ("app", 0, lambda f: f.write("/data/small/x", "x" * 10_001), "No space left on device"),
    "appends fill it": ("app", 0, lambda f: [f.write("/data/small/x", "x" * 999, append=True) for _ in range(11)], "No space left on device"),
    "too large": ("app", 0, lambda f: f.write("/tmp/x", "x" * (MAX_FILE + 1)), "File too large"),
    "long name": ("app", 0, lambda f: f.write("/tmp/" + "n" * 256, ""), "File name too long"),
    "long name of wide characters": ("app", 0, lambda f: f.write("/tmp/" + octets("字" * 86), ""), "File name too long"),
    "long path": ("app", 0, lambda f: f.read("/tmp/" * 1000), "File name too long"),
    "empty path": ("app", 0, lambda f: f.read(""), "No such file or directory"),
    "no root": ("nowhere", 0, lambda f: f.read("/etc"), "No such file or directory"),
    "read a link's target as a link": ("app", 0, lambda f: f.readlink("/etc/passwd"), "Invalid argument"),
}  # fmt: skip


@pytest.mark.parametrize("case", ERRORS)
def test_errors(case: str) -> None:
    root, uid, call, reason = ERRORS[case]
    with pytest.raises(FileError) as caught:
        call(app(uid, root))
    assert caught.value.reason == reason


def test_a_volume_is_one_for_all_who_mount_it() -> None:
    storage = machine()
    first, second = Files(storage, "app"), Files(storage, "other")
    first.write("/data/f", "hi")
    assert second.read("/x/f") == "hi"
    assert first.listdir("/") == ["bin", "conf", "data", "dev", "etc", "run", "tmp", "var"]
    assert first.listdir("/data") == ["f", "small"]
    assert second.listdir("/x") == ["f", "small"], "the mount point is made in the volume, as runc does"
    assert first.read("/etc/hosts") == "127.0.0.1 localhost\n"
    assert first.read("/run/secret/a.txt") == "one\n", "a mount point behind a link"
    assert first.read("/conf/a.txt") == "one\n"
    assert first.realpath("/conf/a.txt") == "/conf/..2026/a.txt"


def test_a_volume_gets_a_new_tree() -> None:
    storage = machine()
    files = Files(storage, "app")
    opened = files.open("/conf/a.txt")
    storage.set_volume("conf", conf("2027", "two\n"))
    assert files.read("/conf/a.txt") == "two\n"
    assert storage.read(opened, 100) == "one\n", "who has it open reads on"
    storage.release(opened)
    assert storage.volumes["conf"]["inodes"] == {}
    assert storage.volumes["conf"]["bytes"] == 4


def test_devices() -> None:
    files = app()
    storage = files.storage
    null, full, zero, chance = (
        files.open(f"/dev/{name}", "r+") for name in ("null", "full", "zero", "urandom")
    )
    storage.write(null, "x")
    assert [storage.read(each, 3) for each in (null, full, zero, chance)] == [
        "",
        "\0\0\0",
        "\0\0\0",
        Storage("seed").chance(3),
    ]
    again = Storage()
    again.load(storage.state())
    assert again.chance(8) == storage.chance(8) != storage.chance(8)
    with pytest.raises(FileError, match="No space left on device"):
        storage.write(full, "x")
    assert [storage.device(each) for each in (null, full)] == ["null", "full"]
    assert files.stat("/dev/null").kind == "device"


def test_descriptors_share_their_offset() -> None:
    files = app()
    storage = files.storage
    files.write("/tmp/f", "abcdef")
    key = files.open("/tmp/f")
    storage.retain(key)
    assert storage.read(key, 2) == "ab"
    storage.release(key)
    assert storage.read(key, 2) == "cd"
    files.rename("/tmp/f", "/tmp/g")
    files.write("/tmp/f", "other")
    assert storage.read(key, 9) == "ef"
    files.unlink("/tmp/g")
    storage.seek(key, 0)
    assert storage.read(key, 9) == "abcdef"
    storage.release(key)
    assert storage.opens == {}
    assert storage.volumes["root/app"]["inodes"] == {}


@pytest.mark.parametrize(
    ("uid", "mode", "umask"), [(0, 0o644, 0o022), (1000, 0o600, 0o077), (1000, 0o666, 0)]
)
def test_new_files(uid: int, mode: int, umask: int) -> None:
    files = app(uid, umask=umask, now=5)
    files.write("/tmp/f", "x")
    stat = files.stat("/tmp/f")
    assert (stat.uid, stat.gid, stat.mode, stat.mtime) == (uid, uid, mode, 5)


def test_set_group_directories() -> None:
    """A volume with fsGroup: new files belong to the group."""
    files = app()
    files.mkdir("/data/d")
    files.chown("/data/d", 0, 2000)
    files.chmod("/data/d", 0o2777)
    files.who = Credentials(1000, 1000, (2000,))
    files.write("/data/d/f", "")
    files.mkdir("/data/d/e")
    assert files.stat("/data/d/f").gid == 2000
    assert files.stat("/data/d/e").mode == 0o2755


def test_copies_of_programs_run() -> None:
    files = app()
    files.write("/tmp/l", files.read("/bin/ls"))
    files.chmod("/tmp/l", 0o755)
    assert tree.program_of(files.executable("/tmp/l")) == "ls"
    files.write("/tmp/s", "#!/bin/sh\n")
    files.chmod("/tmp/s", 0o755)
    assert tree.program_of(files.executable("/tmp/s")) is None


def test_entries_and_bytes_are_bounded() -> None:
    files = app()
    with pytest.raises(FileError, match="No space left on device"):
        fill(files, "/data", MAX_ENTRIES + 1)
    assert files.storage.volumes["shared"]["entries"] == MAX_ENTRIES
    files.unlink("/data/7")
    files.write("/data/again", "")
    with pytest.raises(FileError, match="No space left on device"):
        fill(files, "/tmp", 10, MAX_FILE // 2)
    assert sum(each["bytes"] for each in files.storage.volumes.values()) <= MAX_BYTES


def test_a_root_goes() -> None:
    storage = machine()
    files = Files(storage, "app")
    key = files.open("/etc/passwd", "r+")
    storage.remove_root("app")
    assert storage.read(key, 5) == ""
    storage.write(key, "x")
    storage.release(key)
    assert "root/app" not in storage.volumes
