"""On a slow line that loses packets no keystroke is lost, and no command is done twice."""

from __future__ import annotations

from typing import Any

import pytest

from .lossy import lossy_line
from .pages import Workspace, until

pytestmark = [pytest.mark.browser, pytest.mark.stack]

SEED = 7
COMMANDS = 6  # twice as many fit on the screen


def test_no_keystroke_is_lost_and_no_command_is_done_twice(stack: Any, browser: Any) -> None:
    with lossy_line(stack.url, SEED) as line:
        context = browser.new_context()
        page = context.new_page()
        page.set_default_timeout(60_000)
        sockets: list[Any] = []
        page.on("websocket", lambda socket: sockets.append(socket))
        page.goto(f"{line.url}/labs/declare-a-deployment/")
        page.click("main form button[type=submit]")
        workspace = Workspace(page)
        workspace.wait_ready()
        for number in range(COMMANDS):
            workspace.type(f"echo the quick brown fox {number:02d} >> typed")
        workspace.type("clear; wc -l < typed; sort typed | uniq -d | wc -l; echo so far")
        workspace.expect("so far")
        before = len(sockets)
        line.cut()
        until(page, lambda: len(sockets) > before, "no other line was opened")
        page.wait_for_selector("dd-terminal[data-line=connected]")
        workspace.expect("so far")
        for number in range(COMMANDS, 2 * COMMANDS):
            workspace.type(f"echo the quick brown fox {number:02d} >> typed")
        workspace.type("clear; cat typed; echo all of it")
        workspace.expect("all of it")
        shown = [row for row in workspace.screen.splitlines() if row.startswith("the quick")]
        assert [row.rstrip() for row in shown] == [
            f"the quick brown fox {number:02d}" for number in range(2 * COMMANDS)
        ]
        context.close()
