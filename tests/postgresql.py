"""A PostgreSQL of the tests' own: made in a folder, on a free port of the loopback, by a user without privileges."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest

NOBODY = 65534
START_SECONDS = 30.0
DEBIAN = "/usr/lib/postgresql"


def programs() -> Path:
    """The folder with `initdb` and `postgres`; Debian keeps them off the PATH."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = sorted(Path(DEBIAN).glob("*/bin/initdb"))
    if not versions:
        pytest.fail("no PostgreSQL was found; on Debian: apt-get install postgresql")
    return versions[-1].parent


class Server:
    """One server; `start` and `stop` as often as wanted, on the same port with the same data."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        """`environment`: of its processes, beside that of the tests."""
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self._open_folders()
        # PostgreSQL refuses to run as root.
        self._as: dict[str, Any] = {"cwd": folder, "env": {**os.environ, **(environment or {})}}
        if os.getuid() == 0:
            self._as |= {"user": NOBODY, "group": NOBODY, "extra_groups": []}
            os.chown(folder, NOBODY, NOBODY)
        command = [programs() / "initdb", "-D", folder / "data", "-U", "drydock", "-A", "trust", "--no-sync"]
        done = subprocess.run(
            [*command, "-E", "UTF8"], capture_output=True, text=True, check=False, **self._as
        )
        assert done.returncode == 0, done.stderr

    @property
    def url(self) -> str:
        """For DRYDOCK_DATABASE_URL."""
        return f"postgresql://drydock@127.0.0.1:{self.port}/postgres"

    def _open_folders(self) -> None:
        """pytest keeps its folders to their owner, at the start of any other pytest anew."""
        for parent in (self.folder, *self.folder.parents):
            if parent.stat().st_uid == os.getuid() and parent.name.startswith(("pytest-", "popen-")):
                parent.chmod(0o755)

    def start(self) -> None:
        """Returns when it takes connections."""
        self._open_folders()
        command = [
            str(programs() / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port),
            "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self.folder}",
            # Nothing but processes dies here: what was given to the kernel is there afterwards.
            "-c", "max_connections=200", "-c", "fsync=off",
            "-c", "max_wal_size=128MB",
        ]  # fmt: skip
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, **self._as)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self.url, connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, (self.folder / "log").read_text()
                time.sleep(0.05)

    def stop(self, number: int = 3) -> None:
        """By default as `pg_ctl stop -m immediate` does: nothing is written down in peace."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(30)
            self.process = None
