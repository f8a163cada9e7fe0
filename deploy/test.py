"""`make test`: the linters, the sweep over every lab, then every test. Exits non-zero when any part fails."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from install import PYTHON, ROOT, fail, say, settings_file

ALONE = "stack or browser"
"""The marks of the tests that run one after the other."""
SIDE_BY_SIDE = ("--numprocesses", str(min(6, (os.cpu_count() or 1) + 1)), "--dist", "loadfile")
"""One process more than there are cores: many tests wait for a real kubectl."""
TRY_AGAIN = ("--try-again", "--rerun-show-tracebacks", "--max-suite-reruns", "6")
"""What fails beside real programs is tried once more, six times in all: more is no bad luck."""
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def ensure_packages() -> None:
    """What the tests need of Debian's packages: a browser, PostgreSQL, and the shell that ours is compared with."""
    if not any(shutil.which(name) for name in CHROMIUM):
        install_packages("a Chromium is needed for the browser tests", "chromium", "fonts-noto-cjk")
    if not shutil.which("initdb") and not any(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        install_packages("PostgreSQL is needed for the tests that run on both databases", "postgresql")
    if not shutil.which("busybox"):
        install_packages("busybox is needed to compare its shell and tools with ours", "busybox")


def install_packages(why: str, *names: str) -> None:
    """By apt-get where we may; else a sentence."""
    advice = f"{why}; on Debian: apt-get install {' '.join(names)}."
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        fail(advice)
    say(f"{names[0]} (apt) …")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-q"],
        ["apt-get", "install", "-y", "-q", "--no-install-recommends", *names],
    ):
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            print(done.stderr[-2000:], file=sys.stderr)
            fail(advice)


def tests(chosen: list[str]) -> list[tuple[str, list[str]]]:
    """All tests in two parts, or those that somebody chose in one.

    What starts a whole Drydock or a browser has the machine to itself: its time limits are those of a person who waits.
    """
    pytest = [str(PYTHON), "-m", "pytest"]
    if chosen:
        return [("tests", [*pytest, *chosen])]
    return [
        ("tests", [*pytest, *SIDE_BY_SIDE, *TRY_AGAIN, "-m", f"not ({ALONE})"]),
        ("journeys", [*pytest, *TRY_AGAIN, "-m", ALONE, "tests/journeys"]),
    ]


def main() -> int:
    ensure_packages()
    failed = []
    parts = (
        ("lint", [str(PYTHON), "deploy/lint.py"]),
        ("labs", [str(PYTHON), "manage.py", "lab", "test", "--all"]),
        *tests(sys.argv[1:]),
    )
    for name, command in parts:
        # The linters print their own headings; the tests come last so that their closing lines do, too.
        if subprocess.run(command, cwd=ROOT, env=settings_file(), check=False).returncode:
            failed.append(name)
    if failed:
        print(f"make test: failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
