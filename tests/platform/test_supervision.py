"""`make up` starts again what ends or hangs, and does not do so without end."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "deploy"))
import up
from config import alive

LIVES = "import time; time.sleep(60)"


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[str], Any]]:
    monkeypatch.setattr(up, "VAR", tmp_path)
    for folder in ("log", "alive"):
        (tmp_path / folder).mkdir()
    started: list[Any] = []

    def begin(script: str) -> Any:
        process = up.Process("one", [sys.executable, "-c", script], {})
        process.start()
        started.append(process)
        return process

    yield begin
    for process in started:
        process.signal_group(signal.SIGKILL)
        process.popen.wait()


def test_what_lives_is_left_alone(start: Callable[[str], Any]) -> None:
    process = start(LIVES)
    pid = process.popen.pid
    up.keep_up_one(process, time.monotonic())
    assert process.popen.pid == pid


def test_what_ends_is_started_again_but_not_without_end(start: Callable[[str], Any]) -> None:
    process = start("pass")
    for _ in range(2 * up.RESTARTS_PER_MINUTE):
        process.popen.wait()
        up.keep_up_one(process, process.starts[-1])
    assert len(process.starts) == up.RESTARTS_PER_MINUTE + 1
    process.popen.wait()
    pid = process.popen.pid
    up.keep_up_one(process, process.starts[-1] + 61.0)
    assert process.popen.pid != pid, "a minute later it is tried again"


HANGS = [
    ("none was ever given", None, False),
    ("one of a moment ago", -1.0, False),
    ("the last one is long ago", -31.0, True),
    ("of the process before", -1_000.0, False),
    ("half written", "", False),
]


@pytest.mark.parametrize(("sign", "killed"), [row[1:] for row in HANGS], ids=[row[0] for row in HANGS])
def test_what_gives_no_sign_of_life_is_killed(
    start: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch, sign: float | str | None, killed: bool
) -> None:
    process = start(LIVES)
    pid, now = process.popen.pid, process.starts[-1] + 100.0
    monkeypatch.setenv("DRYDOCK_ALIVE", str(process.alive))
    if sign is not None:
        alive.beat()
        assert float(process.alive.read_text()) >= process.starts[-1]
        process.alive.write_text(str(now + sign) if isinstance(sign, float) else sign)
    up.keep_up_one(process, now)
    assert (process.popen.pid != pid) == killed


def test_a_process_is_told_where_to_write(start: Callable[[str], Any], tmp_path: Path) -> None:
    process = start("import os, pathlib; pathlib.Path(os.environ['DRYDOCK_ALIVE']).write_text('1e300')")
    process.popen.wait()
    assert (tmp_path / "alive" / "one").read_text() == "1e300"


def test_how_many_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    for wanted, number in (("3", 3), (str(up.HOSTS_MOST), up.HOSTS_MOST)):
        monkeypatch.setenv("DRYDOCK_HOSTS", wanted)
        assert up.hosts() == number
    for wrong in ("0", "x", str(up.HOSTS_MOST + 1)):
        monkeypatch.setenv("DRYDOCK_HOSTS", wrong)
        with pytest.raises(SystemExit):
            up.hosts()
