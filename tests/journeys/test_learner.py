"""From a lesson to a grade, in a real browser, on the whole stack."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
import uuid

import pytest

from .pages import MENDED, Workspace, expect, violations_of

pytestmark = [pytest.mark.browser, pytest.mark.stack]


def call(stack, method, path, token=None, body=None):
    """(status, JSON or text) of a request to the site."""
    request = urllib.request.Request(f"{stack.url}{path}", method=method)
    if token:
        request.add_header("Authorization", f"Token {token}")
    data = None
    if body is not None:
        data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, data, timeout=90) as answer:
            status, text = answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read().decode()
    try:
        return status, json.loads(text)
    except ValueError:
        return status, text


@pytest.fixture
def page(browser):
    context = browser.new_context(locale="zh-CN", viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(30_000)
    complaints = violations_of(page)
    yield page
    context.close()
    assert complaints == []


def sign_in(page, stack, username, password):
    page.goto(f"{stack.url}/accounts/login/")
    page.fill("input[name=login]", username)
    page.fill("input[name=password]", password)
    page.click("main button[type=submit]")
    page.wait_for_url(f"{stack.url}/")


def make_token(page, stack, name):
    page.goto(f"{stack.url}/accounts/tokens/")
    page.fill("input[name=name]", name)
    page.click("button[name=action][value=create], form:has(input[name=name]) button[type=submit]")
    text = page.locator("main").inner_text()
    return re.search(r"dd_[A-Za-z0-9_\-.]+|[A-Za-z0-9_\-]{32,}", text).group(0)


def test_a_guest_goes_from_the_lesson_to_a_grade_that_the_instructor_reads(stack, page, browser):
    # The lesson, in Chinese as the browser asks for it, then in English.
    page.goto(f"{stack.url}/lessons/objects-spec-and-status/")
    assert page.locator("html").get_attribute("lang") == "zh-hans"
    expect(page.locator("article")).to_contain_text("预期状态")
    page.click("button[name=language][value=en]")
    page.wait_for_selector("html[lang=en]")
    expect(page.locator("article")).to_contain_text("desired state")

    # The lab, without an account.
    page.click("a[href='/labs/declare-a-deployment/']")
    page.click("main form button[type=submit]")
    workspace = Workspace(page)
    workspace.wait_ready()

    # The real kubectl, in the terminal.
    workspace.type("kubectl version")
    workspace.expect("Server Version: v1.37")
    workspace.type("kubectl get nodes")
    workspace.expect("control-plane")

    # A wrong manifest, from the editor: Kubernetes' own words.
    workspace.open_editor("web.yaml")
    said = workspace.apply()
    assert "`selector` does not match template `labels`" in said

    # Check: it says what was expected, what was found, where to look.
    workspace.check()
    workspace.expect_check("accepted", "failed", "Deployment")

    # Mend it, pass.
    workspace.write(MENDED)
    assert "deployment.apps/web created" in workspace.apply()
    workspace.type("kubectl rollout status deployment/web")
    workspace.expect("successfully rolled out")
    workspace.check()
    for check in ("accepted", "image", "three-ready", "declared", "heals"):
        workspace.expect_check(check, "passed")

    # The course page knows.
    page.goto(f"{stack.url}/")
    page.locator(".badge-done, .badge-passed, [data-state=done]").first.wait_for()

    # Signing up keeps the work.
    name = f"learner{uuid.uuid4().hex[:8]}"
    page.goto(f"{stack.url}/accounts/signup/")
    page.fill("input[name=username]", name)
    page.fill("input[name=password1]", "quay-side-lantern-42")
    page.fill("input[name=password2]", "quay-side-lantern-42")
    page.click("main button[type=submit]")
    page.wait_for_url(f"{stack.url}/")
    token = make_token(page, stack, "journey")
    status, grades = call(stack, "GET", "/api/v1/grades/", token)
    assert status == 200
    (own,) = [row for row in grades if row["lab"] == "declare-a-deployment"]
    assert own["passed"] is True
    assert own["score"] == own["max_score"] == 7

    # The instructor reads the same grade, in the browser and with a token.
    teacher = browser.new_context(locale="en-GB").new_page()
    sign_in(teacher, stack, stack.instructor, stack.password)
    teacher.goto(f"{stack.url}/grades/")
    row = teacher.locator("tr", has_text=name)
    expect(row).to_contain_text("7")
    status, all_grades = call(
        stack, "GET", f"/api/v1/grades/?user={name}", make_token(teacher, stack, "journey")
    )
    assert status == 200
    assert [(row["lab"], row["score"]) for row in all_grades] == [("declare-a-deployment", 7)]

    # What was graded opens, and the cluster behind it: its journal, its map, and nothing to change it by.
    teacher.goto(f"{stack.url}/grades/")
    teacher.locator("tr", has_text=name).get_by_role("link").click()
    expect(teacher.locator("details[open]").first).to_contain_text("7/7")
    teacher.get_by_role("link", name="Look into it").first.click()
    expect(teacher.locator(".journal")).to_contain_text("/apis/apps/v1/namespaces/")
    teacher.get_by_role("button", name="Show the map").click()
    teacher.locator(".map-body .box").first.wait_for()
    expect(teacher.locator("dd-terminal, [data-check-run]")).to_have_count(0)
    teacher.context.close()


def test_what_is_typed_survives_a_reload(stack, page):
    page.goto(f"{stack.url}/labs/explore-the-components/")
    page.click("main form button[type=submit]")
    workspace = Workspace(page)
    workspace.wait_ready()
    workspace.type("kubectl create namespace survey && echo note > note.txt")
    workspace.expect("namespace/survey created")
    page.reload()
    workspace.wait_ready()
    workspace.type("cat note.txt; kubectl get ns survey -o name")
    workspace.expect("namespace/survey")


@pytest.mark.parametrize(
    "line",
    [
        # `test_hostile` has more lines; these two keep the page itself busy.
        pytest.param("while true; do :; done", id="busy loop"),
        pytest.param("yes | cat", id="endless output"),
    ],
)
def test_a_runaway_line_ends_with_ctrl_c_and_the_neighbour_does_not_notice(stack, page, browser, line):
    page.goto(f"{stack.url}/labs/explore-the-components/")
    page.click("main form button[type=submit], main a.button-main")
    workspace = Workspace(page)
    workspace.wait_ready()
    workspace.type("clear; echo begin")
    workspace.expect("begin")
    workspace.type(line)

    # The next learner on the same worker: a lab of their own, while the line runs.
    other = browser.new_context(locale="en-GB").new_page()
    other.set_default_timeout(30_000)
    other.goto(f"{stack.url}/labs/explore-the-components/")
    other.click("main form button[type=submit]")
    neighbour = Workspace(other)
    neighbour.wait_ready()
    neighbour.type("kubectl get nodes -o name | wc -l")
    neighbour.expect("3")
    other.context.close()

    workspace.press("Control+c")
    workspace.type("echo alive-$((40+2))")
    workspace.expect("alive-42")


def test_ctrl_c_ends_a_watch(stack, page):
    page.goto(f"{stack.url}/labs/explore-the-components/")
    page.click("main form button[type=submit]")
    workspace = Workspace(page)
    workspace.wait_ready()
    workspace.type("kubectl get pods -n kube-system -w")
    workspace.expect("kube-scheduler")
    workspace.press("Control+c")
    workspace.type("echo still-$((1+1))")
    workspace.expect("still-2")
    workspace.type("kubectl apply -f - <<EOF")
    for text in ("apiVersion: v1", "kind: ConfigMap", "metadata: {name: here}", "EOF"):
        workspace.type(text)
    workspace.expect("configmap/here created")
    workspace.type("k get cm here -o name")
    workspace.expect("configmap/here")
    workspace.type_only("kubectl get configm")
    workspace.press("Tab")
    workspace.expect("kubectl get configmaps")
