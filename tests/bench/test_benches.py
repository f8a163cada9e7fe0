"""Each benchmark still measures: at its smallest, for its figures' names and not for their values.

Nothing else runs them between two releases, and one that a change of the engine has broken is found on the day on which
its figure is wanted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SMALLEST = {
    "boot": (("engine", "boot"), "boot_cpu_seconds"),
    "scale": (("engine", "scale", "3", "2"), "revision"),
    "scheduler": (("engine", "scheduler", "3", "2"), "spread_per_second"),
    "network, a machine": (("engine", "wire", "5"), "requests_per_second"),
    "network, a Service": (("engine", "network", "2", "2", "service"), "requests_per_second"),
    "network, loops": (("engine", "looping", "1", "1"), "fork_milliseconds"),
    "life": (("engine", "life", "1", "1"), "fork_late_milliseconds"),
    "files": (("engine", "files", "1"), "replace_40x10_microseconds"),
    "cel": (("engine", "cel", "1"), "typical_compile_microseconds"),
    "fork": (("state", "fork", "3"), "fork_cpu_seconds"),
    "idle": (("state", "idle", "2"), "hour_cpu_seconds"),
    "apiserver, the stations of a put": (("stations", "3"), "told_us"),
}


@pytest.mark.parametrize(("command", "figure"), SMALLEST.values(), ids=SMALLEST)
def test_a_benchmark_measures(command: tuple[str, ...], figure: str) -> None:
    module, *arguments = command
    done = subprocess.run(
        [sys.executable, "-m", f"bench.{module}", *arguments],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": f"{ROOT / 'platform'}{os.pathsep}{ROOT}"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[figure] > 0
