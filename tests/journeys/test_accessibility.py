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
    "/api/docs/",
    "/nowhere/",
)
FIND = "dd-terminal .bar-help ~ .bar-button"
MAP, EDITOR = (f":is(.ws-tabs [data-view={name}], .switch [data-top={name}])" for name in ("map", "editor"))
GUIDE = ":is(.ws-tabs [data-view=guide], [data-text])"
#: States of the workspace, one after the other, and what is pressed to get there (where it can be seen).
WORKSPACE = [
    ("terminal", ()),
    ("find", (FIND,)),
    ("workloads", (MAP, ".map-bar button >> nth=1")),
    ("details", ("dd-map .thing, dd-map .pod",)),
    ("table", (".map-bar button >> nth=2",)),
    ("editor", (EDITOR, "dd-editor .file-menu summary")),
    ("checked", (GUIDE, "[data-check-run]")),
]
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
    workspace = Workspace(page)
    workspace.type(
        "kubectl create deployment web --image=nginx:1.27; kubectl expose deployment web --port=80"
    )
    for name, views in WORKSPACE:
        for selector in views:
            page.locator(selector).locator("visible=true").first.click()
        page.wait_for_timeout(300)
        if problems := axe(context, page):
            found[f"workspace, {name}"] = problems
    run = page.url.rstrip("/").rpartition("/")[2]
    page.goto(stack.url)
    if problems := axe(context, page):
        found["who comes back"] = problems
    context.close()
    assert found == {}
    context = browser.new_context(
        locale=locale, color_scheme=scheme, reduced_motion="reduce", viewport={"width": width, "height": 900}
    )
    page = context.new_page()
    page.goto(f"{stack.url}/accounts/login/")
    page.fill("input[name=login]", stack.instructor)
    page.fill("input[name=password]", stack.password)
    page.click("main button[type=submit]")
    page.wait_for_url(f"{stack.url}/")
    page.goto(f"{stack.url}/grades/runs/{run}/")
    page.click("[data-watch]")
    page.locator(".map-body .box").first.wait_for()
    addresses = {"a run": page.url, "attempts": page.locator(".crumbs a").nth(1).get_attribute("href")}
    for name, path in {**addresses, "grades": "/grades/", "tokens": "/accounts/tokens/"}.items():
        if name != "a run":
            page.goto(stack.url + path)
        if problems := axe(context, page):
            found[name] = problems
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            found.setdefault(name, []).append(f"scrolls sideways by {wide} px")
    context.close()
    assert found == {}
