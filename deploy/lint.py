"""Every check that reads the code instead of running it; all run, then the failures are told."""

from __future__ import annotations

import subprocess
import sys

from install import BIN, ROOT, node

CHECKS: tuple[tuple[str, list[str]], ...] = (
    ("ruff", [str(BIN / "ruff"), "check", "."]),
    ("ruff format", [str(BIN / "ruff"), "format", "--check", "--quiet", "."]),
    ("mypy", [str(BIN / "mypy")]),
    ("import-linter", [str(BIN / "lint-imports")]),
    ("djlint", [str(BIN / "djlint"), "templates", "--lint", "--quiet"]),
)


def main() -> int:
    npm, env = node()
    # mypy's Django plugin imports the settings, and with them the applications.
    env = {**env, "DRYDOCK_EMBEDDED": "1", "PYTHONPATH": str(ROOT / "platform")}
    failed = []
    for name, command in (*CHECKS, ("front-end types", [*npm, "run", "--silent", "typecheck"])):
        print(f"== {name}", flush=True)
        if subprocess.run(command, cwd=ROOT, env=env, check=False).returncode:
            failed.append(name)
    print(f"lint: {'failed: ' + ', '.join(failed) if failed else 'all clean'}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
