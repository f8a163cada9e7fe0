"""The shell against busybox's: what a line prints and its status are in ``transcripts.json``.

``pytest --update`` writes it anew with the busybox of this host; where there is one, it is compared as well.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cluster_engine.linux import programs
from cluster_engine.linux.text import characters, octets
from tests.linux.cases import FILES, SHELL, TOOLS
from tests.linux.world import World

GOLDEN = Path(__file__).with_name("transcripts.json")
BUSYBOX = shutil.which("busybox")
CASES = {**SHELL, **{f"tool {name}": line for name, line in TOOLS.items()}}
ENVIRONMENT = {"LC_ALL": "C.UTF-8", "HOME": "/root"}


def real(line: str, directory: Path) -> list[Any]:
    """What busybox says: [status, output, errors]."""
    links, work = directory / "bin", directory / "w"
    links.mkdir()
    work.mkdir()
    listed = subprocess.run([str(BUSYBOX), "--list"], capture_output=True, text=True, check=True).stdout
    for name in listed.split():
        (links / name).symlink_to(str(BUSYBOX))
    for name, content in FILES.items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(content)
    done = subprocess.run(
        ["sh", "-c", line],
        executable=links / "sh",
        cwd=work,
        env={**ENVIRONMENT, "PATH": str(links)},
        input=b"",
        capture_output=True,
        # A test run in the background has SIGINT ignored, and a shell cannot trap what it was born ignoring.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        timeout=60,
        check=False,
    )
    return [done.returncode, done.stdout.decode(), done.stderr.decode()]


def box() -> World:
    files = {f"/w/{name}": octets(content) for name, content in FILES.items()}
    return World(files, table=programs.program, names=programs.of("busybox"))


def ours(line: str) -> list[Any]:
    world = box()
    result = world.sh(octets(line), cwd="/w", env={"LC_ALL": "C.UTF-8"})
    return [result.status, characters(result.out), characters(result.err)]


def golden() -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    return found


CHUNKS = 20
"""Tests that the cases are spread over: one each costs more in fixtures than in shells."""


def differences(name: str, expected: list[Any]) -> list[Any]:
    """What we print where it is not what busybox prints; of tools only whether they complain."""
    found = ours(CASES[name])
    if name in SHELL:
        return [] if found == expected else [found, expected]
    same = found[:2] == expected[:2] and bool(found[2]) == bool(expected[2])
    return [] if same else [found, expected]


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_like_busybox(chunk: int, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    names = list(CASES)[chunk::CHUNKS]
    if request.config.getoption("--update"):
        assert BUSYBOX, "--update needs busybox"
        fresh = {}
        for name in names:
            (tmp_path / name.replace(" ", "-")).mkdir()
            fresh[name] = real(CASES[name], tmp_path / name.replace(" ", "-"))
        GOLDEN.write_text(json.dumps({**golden(), **fresh}, indent=1, sort_keys=True) + "\n")
    expected = golden()
    assert {name: found for name in names if (found := differences(name, expected[name]))} == {}


@pytest.mark.skipif(BUSYBOX is None, reason="no busybox to compare with")
@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_the_goldens_are_busyboxs(name: str, tmp_path: Path) -> None:
    version = subprocess.run([str(BUSYBOX)], capture_output=True, text=True, check=False).stdout
    if "v1.35" not in version:
        pytest.skip("the goldens are of busybox 1.35")
    assert real(CASES[name], tmp_path)[:2] == golden()[name][:2]


def test_there_are_enough() -> None:
    assert len(CASES) >= 300
    assert sorted(golden()) == sorted(CASES)


def test_a_container_and_the_terminal_are_the_same_shell() -> None:
    """What ``sh -c`` prints, a shell that reads the same line prints."""
    for name in ("wait order", "local", "trap usr", "here strip", "getopts", "for nested break"):
        line = CASES[name]
        world = box()
        world.start("sh", cwd="/w")
        world.machine.input("s", octets(line) + "\n")
        world.machine.end_input("s")
        world.advance(10_000_000)
        assert world.host.out(1) == octets(ours(line)[1])
