"""How many browsers look at a terminal, and what waits for each: every limit crossed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from runs.host import screens
from runs.host.screens import Screen, View


def written(view: View) -> list[dict[str, Any]]:
    """What a browser gets that takes all, once its view is to end."""
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    view.end()
    asyncio.run(view.write(send))  # type: ignore[arg-type]
    return sent


def test_one_browser_too_many_sends_the_first_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screens, "MAX_VIEWS", 2)
    screen = Screen()
    screen.show(b"before")
    first, second = screen.join(), screen.join()
    assert (first.ended, second.ended) == (False, False)
    third = screen.join()
    assert (first.ended, second.ended, third.ended) == (True, False, False)
    assert written(third) == [{"type": "websocket.send", "bytes": b"before"}]


def test_a_browser_that_takes_nothing_loses_the_middle_of_what_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(screens, "BACKLOG", 8)
    monkeypatch.setattr(screens, "SCROLLBACK", 4)
    view = View()
    for part in (b"abcd", b"efgh", b"i"):
        view.show(part)
    assert written(view) == [{"type": "websocket.send", "bytes": b"fghi"}]


def test_a_browser_that_takes_no_messages_has_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screens, "MESSAGES", 2)
    view = View()
    for message in ("a", "b"):
        view.tell(message)
    assert not view.ended
    view.tell("c")
    assert view.ended
    assert [message["text"] for message in written(view)] == ["a", "b"]
