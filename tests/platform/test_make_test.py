"""`make test`: what runs beside the journeys steps back, and whatever fails is told."""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def suite() -> Any:
    """deploy/test.py, under a name that Python's own tests do not have."""
    sys.path.insert(0, str(ROOT / "deploy"))
    spec = importlib.util.spec_from_file_location("make_test", ROOT / "deploy" / "test.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def python(code: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", code]


def status(suite: Any, commands: list[tuple[str, list[str]]], journeys: list[str]) -> int:
    with tempfile.TemporaryFile() as told:
        return int(suite.run(commands, journeys, dict(os.environ), told))


@pytest.mark.parametrize(
    ("part", "journeys", "code", "said"),
    [
        (0, 0, 0, ""),
        (3, 0, 1, "failed: lint\n"),
        (0, 3, 1, "failed: journeys\n"),
        (3, 3, 1, "failed: lint, journeys\n"),
    ],
    ids=["all is well", "a part", "the journeys", "both"],
)
def test_whatever_fails_is_told_and_the_journeys_last(
    suite: Any, capfd: pytest.CaptureFixture[str], part: int, journeys: int, code: int, said: str
) -> None:
    commands = [
        ("lint", python(f"print('read'); raise SystemExit({part})")),
        ("tests", python("print('tested')")),
    ]
    assert status(suite, commands, python(f"print('gone'); raise SystemExit({journeys})")) == code
    told = capfd.readouterr()
    assert told.out.splitlines()[1:] == ["read", "tested", "== journeys", "gone"]
    assert told.err.endswith(said)
    assert bool(told.err) == bool(code)


def test_what_runs_beside_the_journeys_steps_back(suite: Any, tmp_path: Path) -> None:
    """In a session of its own, since the kernel may weigh sessions before it looks at who is nice."""
    code = (
        "import os, sys; from pathlib import Path; group = Path('/proc/self/autogroup');"
        "Path(sys.argv[1]).write_text(f'{os.nice(0)} {os.getsid(0) == os.getpid()} '"
        " + (group.read_text().split()[-1] if group.is_file() else '10'))"
    )
    assert status(suite, [("tests", [*python(code), str(tmp_path / "told")])], []) == 0
    nice, own, group = (tmp_path / "told").read_text().split()
    assert (int(nice), own, group) == (min(19, os.nice(0) + suite.YIELDS), "True", "10")


def test_who_chooses_tests_has_those_alone(suite: Any) -> None:
    assert dict(suite.parts(["tests/sim"]))["tests"][-1] == "tests/sim"
    assert dict(suite.parts([]))["tests"][-1] == f"not ({suite.ALONE})"
    assert suite.ALONE in suite.JOURNEYS
