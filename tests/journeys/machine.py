"""A machine's own faults, made for the processes of one stack alone: its disk is full, its clock jumps."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SOURCE = Path(__file__).with_name("wallclock.c")
DISK = "1500m"


class WallClock:
    """The wall's clock of all processes that are started with `environment`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._library, self._offset, self._seconds = folder / "wallclock.so", folder / "offset", 0
        command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(self._library), str(SOURCE), "-ldl"]
        subprocess.run(command, check=True)
        self._offset.write_bytes(struct.pack("=q", 0))

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to have this clock."""
        return {"LD_PRELOAD": str(self._library), "WALLCLOCK": str(self._offset)}

    def jump(self, seconds: int) -> None:
        """At once, for all."""
        self._seconds += seconds
        with self._offset.open("r+b") as file:  # in place: it is mapped
            file.write(struct.pack("=q", self._seconds))


class SmallDisk:
    """A file system of its own, which can be filled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Not a byte is left."""
        piece = bytes(1 << 20)
        with self._filler.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(piece)

    def free(self) -> None:
        """As it was."""
        self._filler.unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk | None]:
    """Mounted there; None where that is not allowed."""
    folder.mkdir()
    done = None
    if os.getuid() == 0 and shutil.which("mount"):
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=755", "tmpfs", str(folder)]
        done = subprocess.run(mount, capture_output=True, check=False)
    if done is None or done.returncode:
        yield None
        return
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
