"""Cases from the field: `<name>/input.yaml` and `commands.sh` on a fresh cluster, with the real kubectl, and in
`expected.json` the patterns that the output must and must not match.

What a case stands for is its kind of fault (`kind`, `why`); `source` says where upstream says so. A case that waits
for work stands in OPEN with the letter of its issue: it is skipped, and `DRYDOCK_SOAK=1` runs it to see whether it
still belongs there.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SPEED = 10
"""Virtual seconds a second."""
TIMEOUT = 120

OPEN = {
    # All but one text: of a missing dnsConfig upstream says "must provide `dnsConfig`" (validatePodDNSConfig), as here.
    "dns-names-and-resolver": "G",
}

SLEEP = """#!/bin/sh
now() {
    date +%s -d "$(kubectl create namespace now --dry-run=server -o jsonpath={.metadata.creationTimestamp})"
}
until=$(($(now) + $1 + 1))
while [ "$(now)" -lt $until ]; do :; done
"""
"""The scripts' `sleep`: by the cluster's clock, so that a busy machine changes nothing."""

CASES = sorted(found.parent.name for found in HERE.glob("*/expected.json"))


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A served cluster of three nodes, and what a script needs to reach it."""
    kubeconfig, tools = tmp_path / "kubeconfig", tmp_path / "bin"
    tools.mkdir()
    (tools / "kubectl").symlink_to(Path(sys.executable).parent / "kubectl")
    (tools / "sleep").write_text(SLEEP)
    (tools / "sleep").chmod(0o755)
    command = [sys.executable, "-m", "cluster_engine", "serve", "--port", "0", "--nodes", "3", "--seed", "1"]
    command += ["--kubeconfig", str(kubeconfig), "--speed", str(SPEED)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        assert server.stdout.readline().startswith("Drydock cluster at https://127.0.0.1:")
        path = f"{tools}{os.pathsep}{os.environ['PATH']}"
        yield {"HOME": str(tmp_path), "KUBECONFIG": str(kubeconfig), "PATH": path, "LC_ALL": "C"}
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=20) == 0


def _param(name: str) -> ParameterSet:
    waits = name in OPEN and not os.environ.get("DRYDOCK_SOAK")
    return pytest.param(
        name, marks=[pytest.mark.skip(f"waits for issue {OPEN[name]}")] if waits else [], id=name
    )


def verdict(expected: dict[str, list[str]], output: str) -> list[str]:
    """What is wrong with *output*, a line each."""
    missing = [f"must match: {pattern}" for pattern in expected["must"] if not re.search(pattern, output)]
    return missing + [f"must not match: {p}" for p in expected["must_not"] if re.search(p, output)]


@pytest.mark.kubectl
@pytest.mark.slow
@pytest.mark.parametrize("name", [_param(name) for name in CASES])
def test_case(name: str, environment: dict[str, str]) -> None:
    script = HERE / name / "commands.sh"
    done = subprocess.run(
        ["bash", str(script)], env=environment, capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
    wrong = verdict(json.loads((HERE / name / "expected.json").read_text()), done.stdout)
    if name in OPEN:
        assert wrong, f"{name} holds now: take it out of OPEN"
        return
    assert not wrong, "\n".join([*wrong, "--- the output:", done.stdout])


def test_open_cases_exist() -> None:
    assert set(OPEN) <= set(CASES)
