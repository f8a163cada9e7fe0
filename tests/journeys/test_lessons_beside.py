"""Reading a lesson and running it: blocks beside the text, a question that comes back, words, search."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from course.strings import JS_STRINGS
from django.utils.translation import override

from .looks import Look, wanted
from .pages import expect, violations_of

pytestmark = [pytest.mark.browser, pytest.mark.stack]

LIMIT = 120_000


def says(look: Look, key: str) -> str:
    with override("zh-hans" if look.language.startswith("zh") else "en"):
        return str(JS_STRINGS["app"][key])


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[[Look], Any]]:
    """A page in a look; the browser must not complain of it."""
    contexts, complaints = [], []

    def make(look: Look) -> Any:
        context = browser.new_context(**look.options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(LIMIT)
        complaints.append(violations_of(page))
        return page

    yield make
    for context in contexts:
        context.close()
    assert [each for each in complaints if each] == []


@pytest.mark.parametrize("look", [*wanted(0, widths=(390,)), *wanted(1, widths=(1440,))], ids=str)
def test_a_lesson_runs_beside_its_text(stack: Any, open_page: Callable[[Look], Any], look: Look) -> None:
    page = open_page(look)
    page.goto(f"{stack.url}/lessons/labels-and-selectors/")
    blocks = page.locator(".code[data-block]")
    third = blocks.nth(2)
    button = third.locator(".code-run")
    expect(button).to_have_text(says(look, "beside.run"))
    button.focus()
    page.keyboard.press("Enter")
    asked = page.locator("[data-predict='2']")
    expect(asked).to_contain_text(says(look, "predict.first"))  # the reader says what will happen
    asked.locator("input").first.check()
    button.focus()
    page.keyboard.press("Enter")
    output = third.locator(".beside > pre")
    expect(output).to_contain_text("bed-3", timeout=LIMIT)
    expect(asked).to_contain_text(says(look, "predict.other"), timeout=LIMIT)
    expect(asked.locator("[data-why]:visible")).to_have_count(2)  # what was said, and what happened
    expect(third.locator(".beside-before")).to_have_count(1)  # what it builds on has run, too
    expect(third.locator(".beside-map")).to_have_count(1)
    expect(button).to_be_focused()  # it stays there
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    # Once more, as the guest that its reader has become: nothing has to be run before it now.
    third.locator(".beside-foot button").first.click()
    button.click()
    third.locator(".beside:not(:has(.beside-before)) > pre").wait_for()
    third.locator(".beside-foot .button-plain").click()
    third.get_by_text(says(look, "beside.begun_again")).wait_for()
    # What is to be completed runs on a copy, says so, and is tried as often as one likes; Enter in the gap runs it.
    page.goto(f"{stack.url}/lessons/annotations/")
    alone = page.locator(".complete")
    expect(alone).to_contain_text(says(look, "beside.of_start"))
    alone.locator(".code-run").click()
    expect(alone).to_contain_text(says(look, "complete.first"))
    gap = alone.locator(".gap")
    expect(gap).to_be_focused()
    for fill, said, told in (("labels", "complete.other", 1), ("annotations", "complete.right", 3)):
        gap.fill(fill)
        gap.press("Enter")
        expect(alone).to_contain_text(says(look, said), timeout=LIMIT)
        expect(alone.locator("[data-why]:visible")).to_have_count(told)
    alone.locator(".beside-map-copy").wait_for()
    expect(alone.locator(".beside-before")).to_have_count(0)  # nothing had to be run before it
    expect(alone.locator(".beside-foot button")).to_have_count(0)  # the copy is gone
    page.goto(f"{stack.url}/lessons/labels-and-selectors/")
    # Its reader is a guest now: the answer that is opened first is remembered.
    page.reload()
    with page.expect_response(lambda answer: "/api/v1/review/" in answer.url) as noted:
        page.locator(".question details").first.locator("summary").click()
    assert noted.value.status == 200


@pytest.mark.parametrize("look", [*wanted(2, widths=(390,)), *wanted(3, widths=(1440,))], ids=str)
def test_words_and_search(stack: Any, open_page: Callable[[Look], Any], look: Look) -> None:
    page = open_page(look)
    page.goto(f"{stack.url}/lessons/nodes/")
    term = page.locator(".term").first
    meaning = term.locator("[role=tooltip]")
    expect(meaning).to_be_hidden()
    term.get_by_role("button").focus()
    meaning.wait_for(state="visible")
    page.keyboard.press("Escape")
    meaning.wait_for(state="hidden")
    page.keyboard.press("/")
    field = page.locator("input[name=q]:visible").first
    field.wait_for()
    word = "污点" if look.language.startswith("zh") else "taints"
    field.fill(word)
    field.press("Enter")
    page.locator(".hits mark").first.wait_for()
    page.locator(".hits a[href='/glossary/#taint']").click()
    page.locator("#taint").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
