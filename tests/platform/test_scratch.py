"""Scratch folders: a dead host's is removed, a living one's is not."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from runs.host import scratch


def test_claim(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    machine = socket.gethostname()
    kept = [f"{machine}.{os.getpid()}.aa", f"elsewhere.{dead.pid}.aa", "something-else"]
    for name in (*kept, f"{machine}.{dead.pid}.aa"):
        (tmp_path / name / "files").mkdir(parents=True)
    mine = scratch.claim(tmp_path, f"{machine}.{os.getpid()}.bb")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*kept, mine.name])
    assert mine.stat().st_mode & 0o777 == 0o700
    scratch.release(mine)
    assert not mine.exists()
