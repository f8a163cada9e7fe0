"""Every kind of page in every look: axe-core finds nothing, nothing scrolls sideways, and pictures of all of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .looks import Look, looks, picture
from .pages import MENDED, Workspace

pytestmark = [pytest.mark.browser, pytest.mark.stack]

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
PAGES = {
    "home": "/",
    "lesson": "/lessons/pods/",
    "predictions": "/lessons/topology-spread/",
    "lab": "/labs/two-containers-one-pod/",
    "glossary": "/glossary/",
    "style": "/style/",
    "exams": "/exams/",
    "search": "/search/?q=Pod",
    "review": "/review/",
    "log in": "/accounts/login/",
    "sign up": "/accounts/signup/",
    "api": "/api/docs/",
    "not there": "/nowhere/",
}
FIND = "dd-terminal .bar-help ~ .bar-button"
MAP, EDITOR = (f":is(.ws-tabs [data-view={name}], .switch [data-top={name}])" for name in ("map", "editor"))
TERMINAL = ":is(.ws-tabs [data-view=terminal], dd-terminal)"
GUIDE = ":is(.ws-tabs [data-view=guide], [data-text])"
CLOSE = ".preview .bar-button"
SHUT = ".why[open] .bar-button"
#: States of the workspace, one after the other, and what is pressed to get there.
WORKSPACE = [
    ("nodes", (MAP,)),
    ("workloads", (".map-bar button >> nth=1",)),
    ("details", ("dd-map .thing, dd-map .pod",)),
    ("why it is so", (".detail-acts .button >> nth=1",)),
    ("what if", (SHUT, ".detail-acts .button >> nth=2")),
    ("page of a service", (SHUT, ".detail-acts .button >> nth=3")),
    ("table", (CLOSE, ".map-bar button >> nth=2")),
    ("editor", (EDITOR, "dd-editor .file-menu summary")),
    ("failing checks", (GUIDE, "[data-check-run]")),
    ("my answer is right", (".check-hint summary", ".check-appeal summary")),
]


#: What is laid out below one another takes the width that there is, up to that of a text (46 rem).
NARROW = """() => [...document.querySelectorAll('main .gap')]
    .filter(each => getComputedStyle(each).display === 'grid')
    .filter(each => each.offsetWidth < 0.8 * Math.min(each.parentElement.clientWidth, 736))
    .map(each => `is ${each.offsetWidth} px wide: ${each.outerHTML.slice(0, 80)}`)"""


class Camera:
    """One look's browser: pages are looked at for what breaks a rule, and pictured."""

    def __init__(self, browser: Any, look: Look, folder: Path | None) -> None:
        self.context = browser.new_context(**look.options, reduced_motion="reduce")
        self.page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.look, self.folder = look, folder
        self.found: dict[str, list[str]] = {}

    def look_at(self, name: str, *, whole: bool = True) -> None:
        """The page as it is."""
        picture(self.page, self.folder, self.look, name)
        problems = axe(self.context, self.page)
        script = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        if whole and (wide := self.page.evaluate(script)) > 0:
            problems.append(f"scrolls sideways by {wide} px")
        problems += self.page.evaluate(NARROW)
        if problems:
            self.found[name] = problems

    def press(self, selector: str) -> None:
        """The first of it that can be seen."""
        self.page.locator(selector).locator("visible=true").first.click()

    def enter(self, url: str, lab: str) -> Workspace:
        """A guest's lab, with its terminal in front."""
        self.page.goto(f"{url}/labs/{lab}/")
        self.page.click("main form button[type=submit]")
        self.page.wait_for_url("**/runs/*/")
        self.press(TERMINAL)
        workspace = Workspace(self.page)
        workspace.wait_ready()
        return workspace


@pytest.fixture
def camera(browser: Any, look: Look, request: pytest.FixtureRequest) -> Iterator[Camera]:
    folder = request.config.getoption("--pictures")
    camera = Camera(browser, look, Path(folder) if folder else None)
    yield camera
    camera.context.close()


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


@looks()
def test_pages(stack: Any, camera: Camera) -> None:
    page = camera.page
    for name, path in PAGES.items():
        page.goto(stack.url + path)
        camera.look_at(name)
    page.goto(f"{stack.url}/accounts/signup/")
    page.evaluate("for (const form of document.forms) form.noValidate = true")
    page.fill("input[name=username]", "x")
    page.fill("input[name=password1]", "12345678")
    page.fill("input[name=password2]", "1234567")
    page.click("main button[type=submit]")
    page.wait_for_selector("main .errors")
    camera.look_at("sign-up errors")
    assert camera.found == {}


@looks()
def test_a_lab_and_who_looks_into_it(stack: Any, browser: Any, camera: Camera) -> None:
    page, look = camera.page, camera.look
    workspace = camera.enter(stack.url, "declare-a-deployment")
    workspace.type(
        "kubectl create deployment site --image=nginx:1.27; kubectl expose deployment site --port=80"
    )
    workspace.type("kubectl rollout status deployment/site; kubectl get pods -o wide")
    workspace.expect("READINESS GATES")
    camera.look_at("terminal")
    camera.press(FIND)
    camera.look_at("finding")
    camera.press(FIND)
    for name, selectors in WORKSPACE:
        for selector in selectors:
            camera.press(selector)
        if name == "why it is so":
            page.locator(".why[open] .why-chain li").first.wait_for()
        if name == "page of a service":
            page.frame_locator(".preview iframe").locator("text=Welcome to nginx!").first.wait_for()
        if name == "failing checks":
            page.wait_for_selector("dd-guide.is-asked:not(.is-busy)", timeout=120_000)
        camera.look_at(name)
    camera.press(TERMINAL)
    workspace.type(f"cat > mended.yaml <<'EOF'\n{MENDED}EOF")
    workspace.type("clear; kubectl apply -f mended.yaml; kubectl get deployment web -o yaml | less")
    page.wait_for_function(
        "() => document.querySelector('dd-terminal .xterm-rows > div').textContent.includes('apiVersion')"
    )
    camera.look_at("paging")
    page.keyboard.type("q")
    workspace.expect("deployment.apps/web created")
    workspace.type("clear; kubectl rollout status deployment/web")
    workspace.expect("successfully rolled out")
    camera.press(GUIDE)
    camera.press("[data-check-run]")
    page.wait_for_selector("[data-step=after] h2", state="attached")
    page.click("[data-to=after]")
    camera.look_at("passed")
    camera.press("[data-written] > summary")
    page.locator("[data-written] .code-yaml pre").filter(has_text="kind: Deployment").wait_for()
    camera.look_at("beside the model")
    camera.press("[data-cause]")
    page.locator(".why[open] .why-chain li").first.wait_for()
    camera.look_at("how it came about")
    camera.press(SHUT)
    run = page.url.rstrip("/").rpartition("/")[2]
    page.goto(stack.url)
    camera.look_at("who comes back")
    assert camera.found == {}
    teacher = Camera(browser, look, camera.folder)
    page = teacher.page
    page.goto(f"{stack.url}/accounts/login/")
    page.fill("input[name=login]", stack.instructor)
    page.fill("input[name=password]", stack.password)
    page.click("main button[type=submit]")
    page.wait_for_url(f"{stack.url}/")
    page.goto(f"{stack.url}/grades/runs/{run}/")
    page.click("[data-watch]")
    page.locator(".map-body .box").first.wait_for()
    teacher.look_at("a run")
    attempts = page.locator(".crumbs a").nth(1).get_attribute("href")
    for name, path in {
        "attempts": attempts,
        "grades": "/grades/",
        "classes": "/classes/",
        "tokens": "/accounts/tokens/",
    }.items():
        page.goto(stack.url + path)
        teacher.look_at(name)
    teacher.context.close()
    assert teacher.found == {}
