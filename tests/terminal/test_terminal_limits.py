"""The limits of the line editor and of a patient terminal, each crossed (`test_every_limit.py` lists them)."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine.linux.limits import TERMINAL_AHEAD
from cluster_engine.linux.sh import completing, editing, prompt
from tests.terminal.desk import Desk


def shell(desk: Desk) -> dict[str, Any]:
    """The record of the terminal's shell."""
    procs = desk.console.machine.state()["machine"]["procs"].values()
    found: dict[str, Any] = next(each for each in procs if each["tty"])
    return found


def test_only_the_last_lines_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(editing, "MAX_HISTORY", 3)
    desk = Desk()
    for number in range(5):
        desk.line(f"echo {number}")
    assert shell(desk)["history"] == ["echo 2", "echo 3", "echo 4"]


def test_a_very_long_line_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(editing, "MAX_REMEMBERED", 10)
    desk = Desk()
    desk.line("echo short")
    desk.line("echo longer")
    assert shell(desk)["history"] == ["echo short"]


def test_not_everything_is_offered() -> None:
    names = [f"/h/f{number:03}" for number in range(completing.MAX_SHOWN + 20)]
    desk = Desk(dict.fromkeys(names, ""))
    shown = desk.type("cat f\t\t")
    assert "f099" in shown
    assert "f100" not in shown
    assert "and 20 more" in shown


def test_a_command_has_only_so_many_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompt, "MAX_CONTINUED", 3)
    desk = Desk()
    shown = "".join(desk.type(f"{line}\r") for line in ("if true; then", "echo 1", "echo 2", "echo 3"))
    assert "syntax error" in shown


def test_a_sequence_that_does_not_end() -> None:
    desk = Desk()
    desk.type("\x1b[" + "1;" * 40)
    desk.type("!")
    assert desk.screen.text().replace("\n", "").endswith("1;1;1;!")


def test_what_is_typed_ahead_is_bounded() -> None:
    desk = Desk()
    desk.type("sleep 100\r")
    for _ in range(TERMINAL_AHEAD // 32_768 + 2):
        desk.type("x" * 32_768)
    assert len(desk.console.machine.state()["machine"]["ttys"]["1"]["ahead"]) == TERMINAL_AHEAD
