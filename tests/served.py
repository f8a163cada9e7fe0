"""`python -m cluster_engine serve` on a free port, for real clients."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STOP_SECONDS = 60
USUAL = ("--nodes", "3", "--seed", "1", "--speed")
"""What most of them are, before the speed."""


@contextmanager
def serving(home: Path, *options: str) -> Iterator[Path]:
    """A cluster with these options; gives its kubeconfig, which lies in `home`."""
    kubeconfig = home / "kubeconfig"
    command = [
        sys.executable,
        "-m",
        "cluster_engine",
        "serve",
        "--port",
        "0",
        "--kubeconfig",
        str(kubeconfig),
    ]
    server = subprocess.Popen([*command, *options], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        ready = server.stdout.readline()
        assert ready.startswith("Drydock cluster at https://127.0.0.1:"), ready
        yield kubeconfig
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=STOP_SECONDS) == 0
