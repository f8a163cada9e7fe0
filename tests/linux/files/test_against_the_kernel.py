"""Random calls on a tree and on the real file system below a temporary directory: the same answers, the same tree."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cluster_engine.linux.errors import FileError
from cluster_engine.linux.files import Credentials, Files, Storage, pack, tree, unpack

NAMES = ("a", "b", "c", "d")
STEPS = 400


def _path(chance: random.Random) -> str:
    parts = [chance.choice((*NAMES, "a", "b", "..", ".")) for _ in range(chance.randint(1, 3))]
    return "/".join(parts) + ("/" if chance.random() < 0.08 else "")


class _Real:
    """The calls on the real disk, below ``base``; links with absolute targets stay below it too."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.open: dict[str, int] = {}

    def at(self, path: str) -> str:
        # `..` above the base would leave it: the root's parent is the root.
        return f"{self.base}/{path}"

    def do(self, call: str, *args: Any) -> Any:
        path = self.at(args[0]) if args and isinstance(args[0], str) else ""
        match call:
            case "mkdir":
                os.mkdir(path)
            case "rmdir":
                os.rmdir(path)
            case "unlink":
                os.unlink(path)
            case "write" | "append":
                # As open(2) answers; what Python's own open() does differs in nothing that counts here.
                flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if call == "write" else os.O_APPEND)
                handle = os.open(path, flags, 0o666)
                os.write(handle, args[1].encode("latin-1"))
                os.close(handle)
            case "read":
                handle = os.open(path, os.O_RDONLY)
                try:
                    return os.read(handle, 1 << 20).decode("latin-1")
                finally:
                    os.close(handle)
            case "listdir":
                return sorted(os.listdir(path))
            case "symlink":
                os.symlink(args[1], path)
            case "readlink":
                return os.readlink(path)
            case "link":
                os.link(path, self.at(args[1]), follow_symlinks=False)
            case "rename":
                os.rename(path, self.at(args[1]))
            case "chmod":
                os.chmod(path, args[1])
            case "open":
                mode = {"r": os.O_RDONLY, "w": os.O_WRONLY | os.O_CREAT | os.O_TRUNC}
                mode["a"] = os.O_WRONLY | os.O_CREAT | os.O_APPEND
                mode["r+"] = os.O_RDWR
                self.open[args[2]] = os.open(path, mode[args[1]], 0o666)
            case "fread":
                return os.read(self.open[args[1]], 5).decode("latin-1")
            case "fwrite":
                os.write(self.open[args[1]], args[2].encode("latin-1"))
            case "fseek":
                os.lseek(self.open[args[1]], args[2], os.SEEK_SET)
            case "ftruncate":
                os.ftruncate(self.open[args[1]], args[2])
            case "close":
                os.close(self.open.pop(args[1]))
        return None

    def tree(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for top, folders, names in os.walk(self.base):
            for name in folders + names:
                path = Path(top, name)
                stat = path.lstat()
                content: Any = None
                if path.is_symlink():
                    content = os.readlink(path)
                elif path.is_file():
                    content = (path.read_bytes().decode("latin-1"), stat.st_nlink, stat.st_mode & 0o7777)
                found[str(path.relative_to(self.base))] = content
        return found


class _Ours:
    def __init__(self) -> None:
        self.storage = Storage()
        self.storage.add_root("c", tree.directory())
        self.files = Files(self.storage, "c")
        self.open: dict[str, str] = {}

    def do(self, call: str, *args: Any) -> Any:
        files, storage = self.files, self.storage
        match call:
            case "append":
                files.write(args[0], args[1], append=True)
            case "open":
                self.open[args[2]] = files.open(args[0], args[1])
            case "fread":
                return storage.read(self.open[args[1]], 5)
            case "fwrite":
                storage.write(self.open[args[1]], args[2])
            case "fseek":
                storage.seek(self.open[args[1]], args[2])
            case "ftruncate":
                if "w" not in (flags := storage.opens[self.open[args[1]]]["flags"]) and "a" not in flags:
                    raise FileError("Invalid argument")
                storage.truncate(self.open[args[1]], args[2])
            case "close":
                storage.release(self.open.pop(args[1]))
            case "symlink":
                files.symlink(args[1], args[0])
            case _:
                return getattr(files, call)(*args)
        return None

    def tree(self, path: str = "") -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in self.files.listdir("/" + path):
            below = f"{path}/{name}" if path else name
            stat = self.files.lstat("/" + below)
            content: Any = None
            if stat.kind == "link":
                content = stat.target
            elif stat.kind == "file":
                node = self.storage.node("root/c", below.split("/"))
                assert node is not None
                content = (tree.content(node), stat.links, stat.mode)
            found[below] = content
            if stat.kind == "directory":
                found |= self.tree(below)
        return found


def _step(chance: random.Random, opened: list[str], number: int) -> tuple[Any, ...]:
    path = _path(chance)
    text = chance.choice(("x", "hello\n", "y" * 5000))
    if opened and chance.random() < 0.3:
        key = chance.choice(opened)
        return chance.choice(
            (
                ("fread", None, key),
                ("fwrite", None, key, text),
                ("fseek", None, key, chance.choice((0, 3, 6000))),
                ("ftruncate", None, key, chance.choice((0, 2, 5000))),
                ("close", None, key),
            )
        )
    return chance.choice(
        (
            ("mkdir", path),
            ("mkdir", path),
            ("rmdir", path),
            ("unlink", path),
            ("write", path, text),
            ("write", path, text),
            ("append", path, text),
            ("read", path),
            ("listdir", path),
            ("symlink", path, chance.choice((_path(chance).rstrip("/"), chance.choice(NAMES)))),
            ("readlink", path),
            ("link", path, _path(chance)),
            ("rename", path, _path(chance)),
            ("rename", path, _path(chance)),
            ("chmod", path, chance.choice((0o600, 0o755, 0o4711))),
            ("open", path, chance.choice(("r", "w", "a", "r+")), f"h{number}"),
        )
    )


def _tried(do: Callable[..., Any], step: tuple[Any, ...]) -> tuple[str, Any]:
    try:
        return ("", do(*step))
    except FileError as error:
        return (error.reason, None)
    except OSError as error:
        return (str(error.strerror), None)


def _escapes(base: Path, step: tuple[Any, ...]) -> bool:
    """Whether the real call would leave the base (a `..` or a link to it): ours cannot, so it is left out."""
    inside = os.path.realpath(base)
    for argument in step[1:]:
        if (isinstance(argument, str) and "/" in argument) or argument == "..":
            walked = inside
            for part in str(argument).split("/"):
                walked = os.path.realpath(f"{walked}/{part}") if part != ".." else os.path.dirname(walked)
                if not (walked + "/").startswith(inside + "/"):
                    return True
    return False


@pytest.mark.parametrize("seed", range(24))
def test_calls(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    base = tmp_path / "root"
    base.mkdir()
    before = os.umask(0o022)
    real, ours = _Real(base), _Ours()
    done: list[tuple[Any, ...]] = []
    try:
        for number in range(STEPS):
            step = _step(chance, sorted(ours.open), number)
            if _escapes(base, step) or (step[0] == "symlink" and ".." in step[2]):
                continue
            if step[0] == "link" and ours.files.is_link(step[1]):
                continue  # two names of a symbolic link are two links here
            done.append(step)
            assert _tried(ours.do, step) == _tried(real.do, step), (seed, done[-1], done[-12:])
            if number % 20 == 0:
                assert ours.tree() == real.tree(), (seed, done[-25:])
        assert ours.tree() == real.tree(), (seed, done[-25:])
        _accounts(ours.storage)
        for key in sorted(ours.open):
            ours.storage.release(ours.open[key])
        _accounts(ours.storage)
        record = ours.storage.volumes["root/c"]
        assert all(node["k"] > 0 for node in record["inodes"].values())
    finally:
        os.umask(before)
        for handle in real.open.values():
            os.close(handle)
        shutil.rmtree(base)


def _accounts(storage: Storage) -> None:
    """The kept sums are what counting anew gives."""
    record = storage.volumes["root/c"]
    entries, size = tree.measure(record["tree"])
    size += sum(node["n"] for node in record["inodes"].values())
    assert (record["entries"], record["bytes"]) == (entries, size)


@pytest.mark.parametrize("seed", range(12))
def test_snapshots_and_packing(seed: int) -> None:
    """A state that was given out never changes, goes through JSON unchanged, and packs against any base."""
    chance = random.Random(1000 + seed)
    ours = _Ours()
    base = tree.build({"/a/b": "one\n", "/a/c": "z" * 9000, "/d": "", "/e/f/g": "deep"})
    ours.storage.add_root("c", base)
    kept: list[tuple[Any, str]] = []
    for number in range(STEPS):
        _tried(ours.do, _step(chance, sorted(ours.open), number))
        if number % 40 == 0:
            state = ours.storage.state()
            kept.append((state, json.dumps(state)))
            top = state["volumes"]["root/c"]["tree"]
            packed = json.loads(json.dumps(pack(top, base)))
            assert unpack(packed, base) == top
            assert json.dumps(pack(unpack(packed, base), base)) == json.dumps(packed)
            again = Storage()
            again.load(json.loads(json.dumps(state)))
            assert again.state() == state
    for state, text in kept:
        assert json.dumps(state) == text
    assert tree.find(base, ("a", "b")) == tree.file("one\n")


def test_packing_holds_only_the_difference() -> None:
    base = tree.build({f"/usr/lib/{n}": "x" * 5000 for n in range(50)})
    changed = tree.put(
        base, ("usr", "lib", "7"), tree.written(base["e"]["usr"]["e"]["lib"]["e"]["7"], 0, "y", 1)
    )
    packed = pack(changed, base)
    assert packed is not None
    assert list(packed["e"]["usr"]["e"]["lib"]["e"]) == ["7"]
    assert packed["e"]["usr"]["e"]["lib"]["e"]["7"]["p"][1] == 0
    assert pack(base, base) is None
    assert unpack(packed, base) == changed
    assert unpack(packed, base)["e"]["usr"]["e"]["lib"]["e"]["8"] is base["e"]["usr"]["e"]["lib"]["e"]["8"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("seed", range(8))
def test_permissions(seed: int, tmp_path: Path) -> None:
    """The same with uids, groups, modes and a sticky directory: the kernel's answers."""
    chance = random.Random(5000 + seed)
    base = tmp_path / "root"
    base.mkdir()
    for parent in (tmp_path, *tmp_path.parents):
        parent.chmod(parent.stat().st_mode | 0o055)
    base.chmod(0o1777)
    real, ours = _Real(base), _Ours()
    ours.files.chmod("/", 0o1777)
    before = os.umask(0o022)
    people = ((0, 0, ()), (1000, 1000, ()), (1001, 1001, (1000,)), (1002, 1002, ()))
    modes = (0o000, 0o444, 0o640, 0o660, 0o700, 0o711, 0o755, 0o770, 0o1777, 0o2775)
    done: list[Any] = []
    try:
        for number in range(STEPS):
            uid, gid, groups = chance.choice(people)
            step = _step(chance, [], number)
            if step[0] == "open" or _escapes(base, step) or (step[0] == "symlink" and ".." in step[2]):
                continue
            if step[0] == "chmod":
                step = ("chmod", step[1], chance.choice(modes))
            done.append((uid, step))
            ours.files.who = Credentials(uid, gid, groups)
            os.setgroups(list(groups))
            os.setegid(gid)
            os.seteuid(uid)
            theirs = _tried(real.do, step)
            os.seteuid(0)
            os.setegid(0)
            assert _tried(ours.do, step) == theirs, (seed, done[-1], done[-8:])
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups([0])
        os.umask(before)
        shutil.rmtree(base)
