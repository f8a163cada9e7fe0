"""Every check that reads the code instead of running it; all run, two at a time, then the failures are told."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from install import BIN, ROOT, node

CHECKS: tuple[tuple[str, list[str]], ...] = (
    ("mypy", [str(BIN / "mypy")]),
    ("ruff", [str(BIN / "ruff"), "check", "."]),
    ("ruff format", [str(BIN / "ruff"), "format", "--check", "--quiet", "."]),
    ("import-linter", [str(BIN / "lint-imports")]),
    ("djlint", [str(BIN / "djlint"), "templates", "--lint", "--quiet"]),
)
TOGETHER = 2
"""Checks that run at a time: mypy beside all the others."""


def main() -> int:
    npm, env = node()
    # mypy's Django plugin imports the settings, and with them the applications.
    env = {**env, "DRYDOCK_EMBEDDED": "1", "PYTHONPATH": str(ROOT / "platform")}
    checks = (*CHECKS, ("front-end types", [*npm, "run", "--silent", "typecheck"]))

    def run(check: tuple[str, list[str]]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            check[1],
            cwd=ROOT,
            env=env,
            check=False,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    failed = []
    with ThreadPoolExecutor(TOGETHER) as pool:
        for (name, _), done in zip(checks, pool.map(run, checks), strict=True):
            print(f"== {name}\n{done.stdout}", end="", flush=True)
            if done.returncode:
                failed.append(name)
    print(f"lint: {'failed: ' + ', '.join(failed) if failed else 'all clean'}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
