"""File trees: what one change costs, alone and through a system call; µs each."""

from __future__ import annotations

import time
from collections.abc import Callable

from cluster_engine.linux.files import Files, Storage, pack, tree, unpack

ROUNDS = 2_000


def _micros(do: Callable[[], object], runs: int) -> float:
    best = float("inf")
    for _ in range(max(runs, 3)):
        began = time.process_time()
        for _ in range(ROUNDS):
            do()
        best = min(best, time.process_time() - began)
    return best / ROUNDS * 1e6


def files(runs: int) -> dict[str, float]:
    """One file replaced in 40 directories of 10 files and in one directory of 2,000; calls; packing one change."""
    many = tree.build({f"/d{folder}/f{name}": "x" for folder in range(40) for name in range(10)})
    wide = tree.build({f"/d/f{name}": "x" for name in range(2_000)})
    fresh = tree.file("y")
    storage = Storage()
    storage.set_volume(
        "v", tree.build({"/..1/a": "text", "/..data": tree.link("..1"), "/a": tree.link("..data/a")})
    )
    storage.add_root("many", many, [{"at": "/conf", "volume": "v", "ro": True}])
    storage.add_root("wide", wide)
    calls, beside = Files(storage, "many"), Files(storage, "wide")
    changed = tree.put(many, ("d7", "f3"), fresh)
    packed = pack(changed, many)

    def appended() -> None:
        key = calls.open("/d7/f5", "a")
        storage.write(key, "x")
        storage.release(key)

    measured: dict[str, Callable[[], object]] = {
        "replace_40x10": lambda: tree.put(many, ("d7", "f3"), fresh),
        "replace_2000": lambda: tree.put(wide, ("d", "f3"), fresh),
        "write_40x10": lambda: calls.write("/d7/f3", "hello"),
        "write_2000": lambda: beside.write("/d/f3", "hello"),
        "open_append_close": appended,
        "read": lambda: calls.read("/d7/f3"),
        "read_through_mount_and_links": lambda: calls.read("/conf/a"),
        "stat": lambda: calls.stat("/d7/f3"),
        "pack_one_change": lambda: pack(changed, many),
        "unpack_one_change": lambda: unpack(packed, many),
    }
    return {f"{name}_microseconds": _micros(do, runs) for name, do in measured.items()}
