"""`make test`: the linters, the sweep over every lab, every test. Exits non-zero when any part fails.

The journeys wait half of their time, for a clock or for a page: the other parts use what they leave of the machine.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import BinaryIO

from install import PYTHON, ROOT, fail, say, settings_file
from up import die_with_parent

ALONE = "stack or browser"
"""The marks of the journeys, which run one after the other."""
PROCESSES = str(min(6, (os.cpu_count() or 1) + 1))
"""One more than there are cores: many tests wait for a real kubectl."""
SIDE_BY_SIDE = ("--numprocesses", PROCESSES, "--dist", "loadfile", "--no-loadscope-reorder")
"""In the order of tests/conftest.py: xdist's own leaves a file of one long test to the end."""
TRY_AGAIN = ("--try-again", "--rerun-show-tracebacks", "--max-suite-reruns", "6")
"""What fails beside real programs is tried once more, six times in all: more is no bad luck."""
JOURNEYS = [str(PYTHON), "-m", "pytest", *TRY_AGAIN, "-m", ALONE, "tests/journeys"]
YIELDS = 10
"""How nice the other parts are to the journeys: beside them they have a tenth of what they want."""
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


def parts(chosen: list[str]) -> list[tuple[str, list[str]]]:
    """What runs one after the other, and all tests but the journeys; or those that somebody chose, journeys too."""
    pytest = [str(PYTHON), "-m", "pytest"]
    side_by_side = [*pytest, *SIDE_BY_SIDE, *TRY_AGAIN, "-m", f"not ({ALONE})"]
    return [
        ("lint", [str(PYTHON), "deploy/lint.py"]),
        ("labs", [str(PYTHON), "manage.py", "lab", "test", "--all"]),
        ("tests", [*pytest, *chosen] if chosen else side_by_side),
    ]


def step_back() -> None:
    """In the child, before exec: the journeys go before it, and it ends with us.

    What starts a whole Drydock or a browser has the machine to itself: its time limits are those of a person who waits.
    Where the kernel weighs sessions against each other, being nice counts within one alone: then the session is.
    """
    die_with_parent()
    os.nice(YIELDS)
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(YIELDS))


def main() -> int:
    ensure_packages()
    env = settings_file()
    # Some hundred Pythons are started, and none of them should compile the engine anew.
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryFile() as told:
        return run(parts(sys.argv[1:]), [] if sys.argv[1:] else JOURNEYS, env, told)


def run(
    commands: list[tuple[str, list[str]]], journeys: list[str], env: dict[str, str], told: BinaryIO
) -> int:
    """How it ends: 1 when any part failed, 130 at a Ctrl-C. `told`: what the journeys write into meanwhile."""
    failed, beside = [], None
    if journeys:
        beside = subprocess.Popen(journeys, cwd=ROOT, env=env, stdout=told, stderr=subprocess.STDOUT)
        say("the journeys run beside all this, and are told at the end …")
    try:
        for name, command in commands:
            # The linters print their own headings; the tests come last so that their closing lines do, too.
            if subprocess.run(
                command, cwd=ROOT, env=env, check=False, preexec_fn=step_back, start_new_session=True
            ).returncode:
                failed.append(name)
        if beside is not None:
            if beside.wait():
                failed.append("journeys")
            told.seek(0)
            print(f"== journeys\n{told.read().decode(errors='replace')}", end="", flush=True)
    except KeyboardInterrupt:
        if beside is not None:
            beside.wait()  # it had the signal too, and stops what it started
        return 130
    if failed:
        print(f"make test: failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
