"""axe-core on every kind of page, in both languages and both colour schemes."""

from __future__ import annotations

from pathlib import Path

import pytest

from .pages import Workspace

pytestmark = [pytest.mark.browser, pytest.mark.stack]

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
PAGES = (
    "/",
    "/lessons/pods/",
    "/labs/two-containers-one-pod/",
    "/accounts/login/",
    "/accounts/signup/",
    "/nowhere/",
)
LOOKS = [
    pytest.param("en-GB", "light", 1440, id="en light wide"),
    pytest.param("zh-CN", "dark", 1440, id="zh dark wide"),
    pytest.param("zh-CN", "light", 390, id="zh light narrow"),
]


def axe(context, page) -> list[str]:
    """The rules that the page breaks, with the first element of each."""
    # Run in an isolated world: the page's own policy forbids foreign scripts, as it should.
    session = context.new_cdp_session(page)
    frame = session.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
    world = session.send("Page.createIsolatedWorld", {"frameId": frame})["executionContextId"]
    session.send("Runtime.evaluate", {"expression": AXE.read_text(), "contextId": world})
    answer = session.send(
        "Runtime.evaluate",
        {
            "expression": "axe.run().then(r => r.violations.map(v => v.id + ': ' + v.nodes[0].html))",
            "contextId": world,
            "awaitPromise": True,
            "returnByValue": True,
        },
    )
    session.detach()
    assert "exceptionDetails" not in answer, answer
    return answer["result"]["value"]


@pytest.mark.parametrize(("locale", "scheme", "width"), LOOKS)
def test_pages_break_no_rule(stack, browser, locale, scheme, width):
    context = browser.new_context(
        locale=locale, color_scheme=scheme, reduced_motion="reduce", viewport={"width": width, "height": 900}
    )
    page = context.new_page()
    found = {}
    for path in PAGES:
        page.goto(stack.url + path)
        if problems := axe(context, page):
            found[path] = problems
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            found.setdefault(path, []).append(f"scrolls sideways by {wide} px")
    page.goto(f"{stack.url}/labs/two-containers-one-pod/")
    page.click("main form button[type=submit]")
    page.wait_for_url("**/runs/*/")
    if width < 600:
        page.click("[data-view=terminal]")
    Workspace(page).wait_ready()
    if problems := axe(context, page):
        found["workspace"] = problems
    context.close()
    assert found == {}
