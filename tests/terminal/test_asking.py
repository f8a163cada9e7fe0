"""Programs that ask the host one thing: what they print and how they end, by what the host answers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.terminal.desk import Desk

ANSWERS: list[tuple[str, list[Any], str]] = [
    ("why pod web", ["said", "because\n"], "because\r\nstatus=0"),
    ("why pod web", ["refused", "nothing is remembered"], "why: nothing is remembered\r\nstatus=1"),
    ("why pod web", ["lost"], "status=1"),
    ("hint", ["said", "look\n"], "look\r\nstatus=0"),
    ("hint burning", ["refused", "every check passes"], "hint: every check passes\r\nstatus=1"),
    ("fault power worker-1 off", ["done"], "status=0"),
    ("fault power worker-1 off", ["refused", "no such node"], "fault: no such node\r\nstatus=1"),
    ("fault power worker-1 off", ["lost"], "status=1"),
]


@pytest.mark.parametrize(
    ("line", "answer", "shown"), ANSWERS, ids=[f"{row[0]} {row[1][0]}" for row in ANSWERS]
)
def test_how_it_ends(line: str, answer: list[Any], shown: str) -> None:
    desk = Desk({})
    desk.type(f"{line}; echo status=$?\r")
    (call,) = desk.calls
    desk.answer(call, answer)
    desk.settle()
    assert shown in desk.raw.decode()


@pytest.mark.parametrize("line", ["why", "why pods", "hint -x", "hint a b", "fault", "fault power worker-1"])
def test_words_that_ask_nothing(line: str) -> None:
    desk = Desk({})
    assert "status=2" in desk.type(f"{line}; echo status=$?\r")
    assert desk.calls == {}
