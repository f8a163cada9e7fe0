"""The transcripts of `tests/linux/cases.py`, typed at a terminal: the same as in a container, and as busybox's."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine.linux.text import characters
from tests.linux.cases import FILES, SHELL
from tests.linux.test_sh_transcripts import CASES, golden
from tests.terminal.desk import SECOND, Desk

RUN = 'cd /h/w; HOME=/root LC_ALL=C.UTF-8 sh -c "$line" </dev/null >/tmp/out 2>/tmp/err; echo $? >/tmp/status; cd /h'
TYPED = ("job", "background", "wait", "kill", "trap", "pid", "fg", "bg", "exec", "umask", "getopts")
"""What is tried in every run of the tests; the rest takes longer."""


def typed(line: str) -> list[Any]:
    """Status, output, errors of a line of shell that a typed line runs."""
    files = {f"/h/w/{name}": content for name, content in FILES.items()}
    desk = Desk({**files, "/h/line": line})
    desk.line("line=$(cat line; echo .); line=${line%.}")
    desk.type(RUN + "\r")
    end = desk.now + 60 * SECOND
    while desk.console.foreground("1") is not None and desk.now < end:
        due = desk.console.run(desk.now)
        if due is None:
            break
        desk.now = max(desk.now, due)
    read = desk.console.machine.read_file
    status, out, err = (read("terminal", f"/tmp/{name}") for name in ("status", "out", "err"))
    return [int(status or -1), characters(out or ""), characters(err or "")]


def differences(names: list[str]) -> dict[str, Any]:
    """What is typed against what a container (and busybox) prints; of tools only whether they complain."""
    expected, wrong = golden(), {}
    for name in names:
        found = typed(CASES[name])
        same = found[:2] == expected[name][:2] and bool(found[2]) == bool(expected[name][2])
        if not same or (name in SHELL and found != expected[name]):
            wrong[name] = [found, expected[name]]
    return wrong


OFTEN = [name for name in SHELL if name.startswith(TYPED)]


def test_jobs_and_traps_at_a_terminal() -> None:
    assert len(OFTEN) > 50
    assert differences(OFTEN) == {}


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(8))
def test_all_at_a_terminal(chunk: int) -> None:
    assert differences([name for name in CASES if name not in OFTEN][chunk::8]) == {}
