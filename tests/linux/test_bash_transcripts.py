"""What bash has beside sh, against bash itself: what a line prints and its status are in ``bash.json``.

``pytest --update`` writes it anew with the bash of this host. Every line is made of builtins, so that no tool differs.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cluster_engine.linux import programs
from cluster_engine.linux.machine import Machine
from cluster_engine.linux.sh.conditions import GROUPS
from cluster_engine.linux.text import characters, octets
from tests.linux.bash_cases import CASES
from tests.linux.world import World

GOLDEN = Path(__file__).with_name("bash.json")
BASH = shutil.which("bash")


def real(line: str, directory: Path) -> list[Any]:
    """What bash says: [status, output]."""
    (directory / "f").write_text("one\ntwo\n")
    done = subprocess.run(
        [str(BASH), "-c", line], cwd=directory, env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "HOME": "/root"},
        input=b"", capture_output=True, timeout=20, check=False,
    )  # fmt: skip
    return [done.returncode, done.stdout.decode()]


def ours(line: str) -> list[Any]:
    world = World({"/w/f": "one\ntwo\n"}, table=programs.program, names=programs.of("debian"))
    found = world.sh(octets(line), shell="bash", cwd="/w", env={"LC_ALL": "C.UTF-8"})
    return [found.status, characters(found.out)]


def golden() -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    return found


@pytest.mark.parametrize("name", CASES)
def test_like_bash(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    if request.config.getoption("--update"):
        assert BASH, "--update needs bash"
        kept = {key: value for key, value in golden().items() if key in CASES}
        GOLDEN.write_text(
            json.dumps({**kept, name: real(CASES[name], tmp_path)}, indent=1, sort_keys=True) + "\n"
        )
    assert ours(CASES[name]) == golden()[name]


REFUSED = {
    "a test without its right side": ("[[ a == ]]", "unexpected word"),
    "a test of nothing": ("[[ -f ]]", "unexpected word"),
    "a test that does not end": ("[[ a == b; echo", "unexpected"),
    "too few parts": ("for ((i=0)); do :; done", "arithmetic expression required"),
    "an array that does not end": ("a=(x; echo", "unexpected"),
    "an array before a command": ("a=(x) echo", "an array before a command is not simulated"),
    "process substitution": ("cat <(ls)", "process substitution <( ... ) is not simulated"),
    "select": ("select x in a; do :; done", "select is not simulated (a real bash has it)"),
    "a regular expression": ("[[ a =~ ( ]]", "invalid regular expression"),
    "too many words": ("echo {1..999999999}", "at most 10,000 words"),
    "too many products": ("echo " + "{a,b}" * 30, "at most 10,000 words"),
    "words that are too long": ("echo " + "{a,b}" * 10 + "x" * 1_000, "at most 10,000 words"),
    "deep tests": ("[[ " + "( " * 200, "nested more than 40 deep"),
    "deep braces": ("echo " + "{a," * 5_000, "{a,"),
    "a large index": ("a[99999999999]=1", "bad array subscript"),
}


@pytest.mark.parametrize(("line", "told"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_or_too_much_is_said(line: str, told: str) -> None:
    world = World(table=programs.program, names=programs.of("debian"))
    found = world.sh(line, shell="bash")
    assert told in found.err + found.out
    assert world.sh("echo alive", shell="bash").out == "alive\n"


def test_the_groups_of_a_match_are_bounded() -> None:
    world = World(table=programs.program, names=programs.of("debian"))
    line = f"[[ a =~ {'(a)?' * 120} ]]; echo ${{#BASH_REMATCH[@]}}"
    assert world.sh(line, shell="bash").out == f"{GROUPS}\n"


def test_sh_is_not_bash() -> None:
    world = World(table=programs.program, names=programs.of("debian"))
    assert world.sh("echo {a,b}").out == "{a,b}\n"
    assert world.sh("[[ a == a ]]").err == "sh: syntax error: [[ ... ]] belongs to bash; use [ ... ]\n"
    assert world.sh("declare x=1").status == 127


def test_a_machine_that_is_saved_keeps_its_arrays() -> None:
    line = "a=(x y z); declare -A m=([k]=v); for ((i=0; i<3; i++)); do sleep 1; echo ${a[i]} ${m[k]}; done"
    world = World(table=programs.program, names=programs.of("debian"))
    world.start("bash", "-c", line)
    world.advance(1_500_000)
    saved = json.loads(json.dumps(world.machine.state()))
    world.machine = Machine("box", world.host, programs.program)
    world.machine.load(saved)
    world.advance(5_000_000)
    assert world.host.out(1) == "x v\ny v\nz v\n"
