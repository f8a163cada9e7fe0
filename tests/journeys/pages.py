"""The workspace as a person uses it: one class that knows where things are on the page."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from course.strings import JS_STRINGS
from django.utils.translation import override
from playwright.sync_api import expect

from .pseudo import stretched

LIMIT = 30_000
"""Milliseconds that a page may take until it shows what is expected of it."""
expect.set_options(timeout=LIMIT)

MENDED = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 3
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
        - name: nginx
          image: nginx:1.27
          ports:
            - containerPort: 80
"""


def until(page: Any, holds: Callable[[], bool], what: str) -> None:
    """Waits for what no locator can tell: a page shows a moment later what was done to it."""
    deadline = time.monotonic() + LIMIT / 1000
    while not holds():
        assert time.monotonic() < deadline, what
        page.wait_for_timeout(50)


def violations_of(page: Any) -> list[str]:
    """Everything the browser complains of from now on: errors, CSP violations."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    page.on(
        "console",
        lambda message: (
            complaints.append(message.text)
            if message.type == "error" and "Content Security Policy" in message.text
            else None
        ),
    )
    return complaints


class Workspace:
    """The page of a run, as wide as it may be: where one pane is shown at a time, the one that is meant is shown."""

    def __init__(self, page: Any, language: str = "en", pseudo: bool = False) -> None:
        self.page = page
        self.language = language
        self.pseudo = pseudo

    def show(self, view: str) -> None:
        """Bring the guide, terminal, editor or map to the front, unless it is."""
        tab = self.page.locator(f".ws-tabs [data-view={view}]")
        if not tab.is_visible():
            tab = self.page.locator(f".switch [data-top={view}]")
        if tab.count() and tab.get_attribute("aria-pressed") == "false":
            tab.click()

    def says(self, key: str, **values: Any) -> str:
        """A string of the page's scripts in the reader's language."""
        with override(self.language):
            text = str(JS_STRINGS["workspace"][key])
        return (stretched(text) if self.pseudo else text).format(**values)

    def wait_ready(self) -> None:
        """Until the cluster is up and the terminal shows its prompt."""
        self.page.wait_for_url("**/runs/*/", timeout=60_000)
        self.show("terminal")
        self.page.wait_for_function(
            "() => document.querySelector('dd-terminal .xterm-rows')?.textContent.includes('$')",
            timeout=60_000,
        )

    @property
    def screen(self) -> str:
        return self.page.locator("dd-terminal .xterm-rows").inner_text().replace("\xa0", " ")

    def type_only(self, text: str) -> None:
        self.show("terminal")
        self.page.locator("dd-terminal .xterm-helper-textarea").focus()
        self.page.keyboard.type(text)

    def type(self, line: str) -> None:
        self.type_only(line)
        self.page.keyboard.press("Enter")

    def press(self, key: str) -> None:
        self.show("terminal")
        self.page.locator("dd-terminal .xterm-helper-textarea").focus()
        self.page.keyboard.press(key)

    def expect(self, text: str, timeout: int = 30_000) -> None:
        """Until the terminal shows ``text`` in a line that is not what was typed at a prompt."""
        self.show("terminal")
        try:
            self.page.wait_for_function(
                """text => [...document.querySelectorAll('dd-terminal .xterm-rows > div')]
                    .map(row => row.textContent.replaceAll('\\u00a0', ' '))
                    .some(row => row.includes(text) && (!/\\$ /.test(row) || row.includes('$ ' + text)))""",
                arg=text,
                timeout=timeout,
            )
        except Exception as error:
            raise AssertionError(f"{text!r} did not appear in the terminal:\n{self.screen}") from error

    def open_editor(self, path: str) -> None:
        self.show("editor")
        self.page.click(f"dd-editor .file[title='{path}']")
        self.page.wait_for_selector("dd-editor .cm-content")

    def write(self, text: str) -> None:
        """Replaces the open file's text."""
        self.show("editor")
        self.page.locator("dd-editor .cm-content").click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(text)

    def apply(self) -> str:
        """Presses Apply; what kubectl said."""
        self.show("editor")
        with self.page.expect_response(lambda response: response.url.endswith("/apply/")) as waiting:
            self.page.click("dd-editor [data-apply]")
        answer = waiting.value.json()
        return answer["stdout"] + answer["stderr"]

    def step(self, mouse: bool = False) -> str:
        """Takes the clock's next step, by keyboard or mouse; what was told of it."""
        button = self.page.locator("dd-clock button").nth(1)
        with self.page.expect_response(lambda response: response.url.endswith("/clock/")):
            button.click() if mouse else button.press("Enter")
        self.page.wait_for_selector("dd-clock:not([aria-busy])")
        told: str = self.page.locator(".clock-said").inner_text()
        return told

    def check(self) -> None:
        self.show("guide")
        with self.page.expect_response(lambda response: response.url.endswith("/check/")):
            self.page.click("[data-check-run]")
        self.page.wait_for_selector("dd-guide:not(.is-busy)")

    def expect_check(self, check: str, state: str, message: str = "") -> None:
        """Until that check is in that state, and says so."""
        row = self.page.locator(f"[data-check={check}]")
        expect(row).to_have_attribute("data-state", state)
        expect(row.locator(".check-body")).to_contain_text(message)
