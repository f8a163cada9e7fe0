"""The virtual file system: operations, ceilings, state."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cluster_engine.shell import Vfs, VfsError, VfsLimits

LIMITS = VfsLimits(entries=6, total=100, depth=4)


def tree(**options: object) -> Vfs:
    return Vfs({"/a/one": "1", "/a/two": "22"}, limits=LIMITS, **options)  # type: ignore[arg-type]


REFUSED: dict[str, tuple[Callable[[Vfs], object], str]] = {
    "read missing": (lambda v: v.read("/no"), "/no: No such file or directory"),
    "read directory": (lambda v: v.read("/a"), "/a: Is a directory"),
    "read below file": (lambda v: v.read("/a/one/x"), "/a/one/x: Not a directory"),
    "write to directory": (lambda v: v.write("/a", b""), "/a: Is a directory"),
    "write without parent": (lambda v: v.write("/no/x", b""), "/no/x: No such file or directory"),
    "write below file": (lambda v: v.write("/a/one/x", b""), "/a/one/x: Not a directory"),
    "write with slash": (lambda v: v.write("/a/new/", b""), "/a/new/: Is a directory"),
    "too many bytes": (lambda v: v.write("/big", b"x" * 98), "/big: No space left on device"),
    "append too many": (lambda v: v.write("/a/one", b"x" * 98, append=True), "/a/one: No space left on device"),
    "too many entries": (
        lambda v: [v.touch(f"/f{i}") for i in range(9)], "/f3: No space left on device (more than 6 files)"
    ),
    "too deep": (lambda v: v.mkdir("/a/b/c/d/e", parents=True), "/a/b/c/d/e: File name too long"),
    "long name": (lambda v: v.touch("/" + "n" * 256), "/" + "n" * 256 + ": File name too long"),
    "mkdir there": (lambda v: v.mkdir("/a"), "/a: File exists"),
    "mkdir over file": (lambda v: v.mkdir("/a/one", parents=True), "/a/one: File exists"),
    "list file": (lambda v: v.listdir("/a/one"), "/a/one: Not a directory"),
    "remove full": (lambda v: v.remove("/a"), "/a: Directory not empty"),
    "remove root": (lambda v: v.remove_tree("/") or v.remove("/"), "/: Device or resource busy"),
    "move into itself": (lambda v: v.rename("/a", "/a/b"), "/a/b: cannot move a directory into itself"),
    "move over directory": (lambda v: (v.mkdir("/b"), v.rename("/a/one", "/b")), "/b: Is a directory"),
    "read only": (lambda v: v.write("/ro/x", b""), "/ro/x: Read-only file system"),
}  # fmt: skip


@pytest.mark.parametrize(("action", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(action: Callable[[Vfs], object], message: str) -> None:
    vfs = tree(read_only=("/ro",))
    with pytest.raises(VfsError) as caught:
        action(vfs)
    assert str(caught.value) == message


def test_room_is_given_back() -> None:
    vfs = tree()
    for _ in range(20):
        vfs.write("/a/big", b"x" * 90)
        vfs.write("/a/big", b"x" * 10)
        vfs.rename("/a/big", "/a/one")
        vfs.mkdir("/d")
        vfs.write("/d/f", b"x" * 50)
        vfs.remove_tree("/d")
        vfs.write("/a/one", b"1")
    assert vfs.files() == {"/a/one": b"1", "/a/two": b"22"}


def test_changes_since_the_last_call() -> None:
    vfs = tree()
    assert vfs.changes() == []
    vfs.write("/a/one", b"new")
    vfs.rename("/a/two", "/moved")
    vfs.mkdir("/empty")
    assert vfs.changes() == [("/a/one", b"new"), ("/a/two", None), ("/moved", b"22")]
    vfs.rename("/a", "/z")
    assert vfs.changes() == [("/a/one", None), ("/z/one", b"new")]
    assert vfs.changes() == []


def test_snapshot_brings_everything_back() -> None:
    vfs = Vfs({"/a/b": b"\xff\x00", "/run.sh": "x"}, clock=lambda: 7)
    vfs.chmod("/run.sh", 0o755)
    vfs.mkdir("/empty/deeper", parents=True)
    other = Vfs(read_only=("/a",))
    other.load(vfs.snapshot())
    assert other.snapshot() == vfs.snapshot()
    assert other.read("/a/b") == b"\xff\x00"
    assert other.stat("/run.sh").mode == 0o755
    assert other.is_dir("/empty/deeper")
    assert other.changes() == []
