"""The peers: webernetes, bundled for Node on first use; Debian's etcd; kmock, installed beside this on first use."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent / "peer"
BUNDLE = FOLDER / "node_modules" / "webernetes.out.mjs"
LIMIT = 600.0
KMOCK = "kmock==0.8"


class PeerMissing(RuntimeError):
    """The peer cannot run here; the message says why."""


def _bundle() -> str:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise PeerMissing("node and npm are needed to run webernetes")
    if not BUNDLE.exists():
        for command in (
            [npm, "ci", "--no-audit", "--no-fund", "--silent"],
            [
                str(FOLDER / "node_modules" / ".bin" / "esbuild"), "webernetes.mjs", "--bundle", "--platform=node",
                "--format=esm", "--log-level=error", f"--outfile={BUNDLE}",
            ],
        ):  # fmt: skip
            done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
            if done.returncode:
                raise PeerMissing(f"{command[0]} failed: {done.stderr.strip()[-300:]}")
    return node


def webernetes(*arguments: str, core: int = 0) -> dict[str, Any]:
    """One measurement by the peer: wall and CPU seconds. Raises PeerMissing."""
    node = _bundle()
    done = subprocess.run(
        [node, str(BUNDLE), *arguments], capture_output=True, text=True, timeout=LIMIT, check=False,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )  # fmt: skip
    if done.returncode:
        raise PeerMissing(f"webernetes failed: {done.stderr.strip()[-300:]}")
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def etcd_binary() -> str:
    """Raises PeerMissing."""
    found = shutil.which("etcd")
    if found is None:
        raise PeerMissing("etcd is not installed; on Debian: apt-get install etcd-server")
    return found


def kmock_folder() -> Path:
    """A folder that kmock can be imported from: not from the environment, where it would be a plugin of every test run.

    Raises PeerMissing.
    """
    folder = FOLDER / "python"
    if not (folder / "kmock").is_dir():
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-input",
            "--disable-pip-version-check",
        ]
        command += ["--no-deps", "--target", str(folder), KMOCK]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise PeerMissing(f"{KMOCK} could not be installed: {done.stderr.strip()[-300:]}")
    return folder
