"""The hosts' scratch folders on disk: each has its own, and a host that was killed leaves its to the next.

A folder is named `<machine>.<process id>.<random>`, so that a start can tell whose owner is gone.
"""

from __future__ import annotations

import logging
import os
import shutil
import socket
from pathlib import Path

logger = logging.getLogger(__name__)


def claim(root: Path, name: str) -> Path:
    """Make this host's folder, after removing those of dead processes of this machine. Raises OSError."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in root.iterdir():
        if _is_orphan(folder.name):
            logger.info("removing what a host that died left: %s", folder.name)
            release(folder)
    folder = root / name
    folder.mkdir(mode=0o700)
    return folder


def release(folder: Path) -> None:
    """Remove a host's folder with all that is in it."""
    shutil.rmtree(folder, ignore_errors=True)


def _is_orphan(name: str) -> bool:
    machine, _, rest = name.rpartition(".")[0].rpartition(".")
    if machine != socket.gethostname() or not rest.isdecimal():
        return False
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
