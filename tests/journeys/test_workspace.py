"""The workspace's promises, each as a person meets it in a browser, in one look or (DRYDOCK_SOAK=1) in all."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from . import pseudo
from .looks import DRAWN, MIDDLE, WIDE, Look, picture, wanted
from .pages import MENDED, Workspace, expect, until, violations_of

pytestmark = [pytest.mark.browser, pytest.mark.stack]

LAB = "declare-a-deployment"


#: Journeys about a lay-out that narrow pages do not have.
ROOMY = pytest.mark.widths(MIDDLE, WIDE)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "look" in metafunc.fixturenames:
        tests = [name for name in vars(metafunc.module) if name.startswith("test_")]
        mark = metafunc.definition.get_closest_marker("widths")
        number = tests.index(metafunc.function.__name__)
        found = wanted(number, widths=mark.args) if mark else wanted(number)
        metafunc.parametrize("look", found, ids=str)


@pytest.fixture
def visit(
    stack: Any, browser: Any, look: Look, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Workspace]]:
    """Opens a lab as a guest; `lines` gets the tab's sockets. Nothing may break the page's policy."""
    contexts: list[Any] = []
    complaints: list[str] = []

    def begin(lab: str = LAB, lines: list[Any] | None = None) -> Workspace:
        context = browser.new_context(**look.options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        if lines is not None:
            page.route_web_socket(
                re.compile("/socket/$"), lambda line: (line.connect_to_server(), lines.append(line))
            )
        if look.pseudo:
            pseudo.speak(page)
        complaints.extend(violations_of(page))
        page.goto(f"{stack.url}/labs/{lab}/")
        page.click("main form button[type=submit]")
        workspace = Workspace(page, "zh-hans" if look.language == "zh-CN" else "en", look.pseudo)
        workspace.wait_ready()
        return workspace

    yield begin
    folder = request.config.getoption("--pictures")
    for context in contexts:
        picture(context.pages[0], Path(folder) if folder else None, look, request.function.__name__)
        context.close()
    assert complaints == []


def second_tab(workspace: Workspace) -> Workspace:
    page = workspace.page.context.new_page()
    page.set_default_timeout(30_000)
    page.goto(workspace.page.url)
    other = Workspace(page, workspace.language)
    other.wait_ready()
    return other


# ---- 1: one socket a tab -----------------------------------------------------------------------------------


@pytest.mark.soak
@ROOMY
def test_two_tabs_of_one_run_do_not_freeze_the_site(stack, visit):
    """For a moment, or for ten minutes (DRYDOCK_SOAK=1)."""
    seconds = 600 if os.environ.get("DRYDOCK_SOAK") == "1" else 3
    first = visit()
    streams: list[str] = []
    first.page.context.on(
        "request", lambda request: streams.append(request.url) if "watch=" in request.url else None
    )
    second = second_tab(first)
    until = time.monotonic() + seconds
    turn = 0
    while time.monotonic() < until:
        turn += 1
        for tab in (first, second):
            tab.page.bring_to_front()
            # A request of the page itself: with the browser's six connections taken it would wait for ever.
            status = tab.page.evaluate(
                "fetch(location.href, {signal: AbortSignal.timeout(30000)}).then(r => r.status)"
            )
            assert status == 200
        first.type(f"kubectl create configmap turn-{turn}")
        second.expect(f"configmap/turn-{turn} created")
        time.sleep(min(10.0, seconds / 4))
    assert streams == []


def test_a_lost_line_comes_back_with_what_was_missed(visit):
    lines: list[Any] = []
    workspace = visit(lines=lines)
    page = workspace.page
    workspace.show("map")
    page.wait_for_selector("dd-map .box-node")
    workspace.type("kubectl create deployment web --image=nginx:1.27")
    workspace.expect("deployment.apps/web created")
    lines[-1].close(code=1013)
    until(page, lambda: len(lines) > 1, "no other line was opened")
    page.wait_for_selector("dd-terminal[data-line=connected]")
    workspace.show("map")
    page.wait_for_selector("dd-map .pod[aria-label*='web-']")
    workspace.type("echo back-$((40+2))")
    workspace.expect("back-42")


HIDE = """hidden => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event('visibilitychange'));
}"""


def test_a_hidden_tab_pauses_and_goes_on_when_it_is_seen(visit):
    workspace = visit()
    page = workspace.page
    page.clock.install()
    page.evaluate(HIDE, True)
    page.clock.fast_forward(31_000)
    page.wait_for_selector("dd-terminal[data-line=asleep]")
    page.evaluate(HIDE, False)
    page.clock.resume()
    page.wait_for_selector("dd-terminal[data-line=connected]")
    workspace.type("echo awake-$((40+2))")
    workspace.expect("awake-42")


# ---- 2 and 7: checks are state of the run, a step at a time ----------------------------------------------------


def test_checks_tick_by_themselves_and_survive_a_reload_and_a_change_of_language(visit):
    workspace = visit()
    page = workspace.page
    workspace.show("guide")
    first = workspace.says("guide.step", number=1, total=page.locator("[data-to]").count() - 1)
    expect(page.locator("[data-place]")).to_have_text(first)
    # Nobody asked: what is missing is not called wrong, and nothing pushes the text away.
    page.wait_for_selector("[data-check=accepted][data-state=failed]", state="attached")
    expect(page.locator("dd-guide.is-asked")).to_have_count(0)
    expect(page.locator("[data-check] details[open]")).to_have_count(0)
    workspace.open_editor("web.yaml")
    workspace.write(MENDED)
    assert "deployment.apps/web created" in workspace.apply()
    page.wait_for_selector("[data-check=accepted][data-state=passed]", state="attached")
    # All pass by themselves in the end, and the way on is there.
    page.wait_for_selector("[data-step=after] h2", state="attached")
    expect(page.locator("dd-status")).to_have_text(workspace.says("state.passed"))
    expect(page.locator("[data-at]")).not_to_be_empty()
    page.reload()
    page.wait_for_selector("[data-check=heals][data-state=passed]", state="attached")
    expect(page.locator("[data-at]")).not_to_be_empty()
    page.wait_for_selector("[data-step=after] h2", state="attached")
    other = "en" if workspace.language == "zh-hans" else "zh-hans"
    page.click(f"button[name=language][value='{other}']")
    page.wait_for_selector(f"html[lang={other}]")
    page.wait_for_selector("[data-check=heals][data-state=passed]", state="attached")
    page.wait_for_selector("[data-step=after] h2", state="attached")
    page.click("[data-to=after]")
    page.click("[data-step=after] details:has(pre) > summary")
    expect(page.locator("[data-step=after] .code-sh pre")).to_contain_text("kubectl")
    own = page.locator("[data-step=after] .code-yaml pre")
    expect(own).to_contain_text("kind: Deployment")
    expect(own).not_to_contain_text("status:")
    with page.expect_download() as taken:
        page.click("[data-step=after] a[download]")
    assert taken.value.suggested_filename == "declare-a-deployment.zip"


SLOW_TO_READY = MENDED.replace(
    "          ports:",
    "          readinessProbe: {initialDelaySeconds: 25, httpGet: {port: 80}}\n          ports:",
)


def test_a_check_during_a_rollout_says_so(visit):
    workspace = visit()
    workspace.open_editor("web.yaml")
    workspace.write(SLOW_TO_READY)
    assert "deployment.apps/web created" in workspace.apply()
    workspace.check()
    workspace.expect_check("three-ready", "pending", workspace.says("checks.pending"))


def test_who_asks_sees_the_first_failure_and_the_text_stays(visit):
    workspace = visit()
    page = workspace.page
    page.wait_for_selector("[data-check=accepted][data-state=failed]", state="attached")
    workspace.check()
    expect(page.locator("dd-guide.is-asked")).to_have_count(1)
    opened = page.locator("[data-check] .check-body[open]")
    expect(opened).to_have_count(1)
    row = page.locator("[data-check=accepted]")
    expect(row).to_be_visible()
    expect(row).to_contain_text("Deployment")
    # The step's text is in the same column, one scroll away, and a step without that check shows none of it.
    step = row.locator("xpath=ancestor::section[1]")
    expect(step.locator(".prose")).not_to_be_empty()
    page.reload()
    page.wait_for_selector("dd-guide.is-asked")
    expect(opened).to_have_count(1)


def test_steps_by_keyboard(visit):
    workspace = visit()
    page = workspace.page
    workspace.show("guide")
    second = workspace.says("guide.step", number=2, total=page.locator("[data-to]").count() - 1)
    page.locator("[data-to]").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("[data-place]")).to_have_text(second)
    expect(page.locator("[data-text]")).to_be_focused()  # reading goes on at the step's text
    page.reload()
    page.wait_for_selector("[aria-current=step]")
    expect(page.locator("[data-place]")).to_have_text(second)


# ---- 4: the editor ---------------------------------------------------------------------------------------------


def new_file(page: Any, name: str) -> None:
    page.click("dd-editor .file-new")
    page.fill("dd-editor .file-name", name)
    page.keyboard.press("Enter")
    expect(page.locator("dd-editor .cm-content")).to_be_focused()


def expect_files(page: Any, *names: str) -> None:
    expect(page.locator("dd-editor .files .file:visible")).to_have_text(list(names))


def choose(workspace: Workspace, act: str, path: str) -> None:
    workspace.show("editor")
    workspace.page.click("dd-editor .file-menu summary")
    workspace.page.click(f"dd-editor .file-menu button:has-text('{workspace.says(act, path=path)}')")


def test_a_new_file_is_nobody_else_s_change(visit):
    workspace = visit()
    page = workspace.page
    workspace.show("editor")
    new_file(page, "fresh.yaml")
    page.keyboard.type("kind: Pod")
    with page.expect_response(lambda response: response.url.endswith("/files/")):
        page.keyboard.press("Control+s")
        page.keyboard.type(" # and more at once")
    workspace.type("ls")
    workspace.expect("fresh.yaml")
    workspace.show("editor")
    page.wait_for_timeout(1500)
    expect(page.locator("dd-editor .output")).to_be_hidden()
    # What really was changed elsewhere is told.
    workspace.type("echo 'kind: Node' > fresh.yaml")
    workspace.show("editor")
    told = workspace.says("editor.conflict", path="fresh.yaml")
    page.wait_for_selector(f"dd-editor .output:has-text('{told}')")


def test_a_result_stays_with_its_file(visit):
    workspace = visit()
    page = workspace.page
    workspace.open_editor("web.yaml")
    assert "selector" in workspace.apply()
    page.wait_for_selector("dd-editor .output:has-text('web.yaml')")
    new_file(page, "other.yaml")
    page.wait_for_selector("dd-editor .file[title='other.yaml'][aria-pressed=true]")
    expect(page.locator("dd-editor .output")).to_be_hidden()
    page.click("dd-editor .file[title='web.yaml']")
    expect(page.locator("dd-editor .output")).to_contain_text("selector")


def test_files_are_renamed_closed_and_deleted(visit):
    workspace = visit()
    page = workspace.page
    workspace.show("editor")
    new_file(page, "a.yaml")
    page.keyboard.type("kind: Pod")
    page.keyboard.press("Control+s")
    page.wait_for_selector("dd-editor .file[title='a.yaml']:not(.is-dirty)")
    choose(workspace, "editor.rename", "a.yaml")
    page.fill("dd-editor .file-name", "boat.yaml")
    page.keyboard.press("Enter")
    page.wait_for_selector("dd-editor .file[title='boat.yaml'][aria-pressed=true]")
    expect_files(page, "web.yaml", "boat.yaml")
    expect(page.locator("dd-editor .cm-content")).to_contain_text("kind: Pod")
    workspace.type("ls")
    workspace.expect("boat.yaml")
    choose(workspace, "editor.close", "boat.yaml")
    expect_files(page, "web.yaml")
    choose(workspace, "editor.reopen", "boat.yaml")
    expect_files(page, "web.yaml", "boat.yaml")
    choose(workspace, "editor.delete", "boat.yaml")
    page.click("#confirm-yes")
    page.wait_for_selector("dd-editor .file[title='boat.yaml']", state="detached")
    workspace.type("clear; ls; echo lis''ted")
    workspace.expect("listed")
    assert "boat.yaml" not in workspace.screen


# ---- 6: the terminal -------------------------------------------------------------------------------------------


def rows(page: Any) -> list[str]:
    """What stands on the screen, row by row."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('dd-terminal .terminal-screen:not([hidden]) .xterm-rows > div')]
            .map(row => row.textContent.replaceAll('\\u00a0', ' ').trimEnd())"""
    )
    return found


@pytest.mark.widths(WIDE)
def test_wide_output_does_not_wrap_on_an_ordinary_screen(visit):
    workspace = visit()
    workspace.type("kubectl create deployment web --image=nginx:1.27 --replicas=3")
    workspace.expect("deployment.apps/web created")
    workspace.type("kubectl rollout status deployment/web; clear; kubectl get pods -o wide; echo e''nd")
    until(workspace.page, lambda: "end" in rows(workspace.page), "the table did not come to its end")
    table = rows(workspace.page)
    table = table[: table.index("end")]
    assert len(table) == 4, table
    assert table[0].endswith("READINESS GATES")
    assert all(row.endswith("<none>") for row in table[1:]), table


def test_text_size_copy_paste_and_find(stack, visit):
    workspace = visit()
    page = workspace.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=stack.url)
    shown = page.locator("dd-terminal .xterm-rows")
    before = shown.evaluate("e => getComputedStyle(e).fontSize")
    page.click("dd-terminal button:has-text('A+')")
    page.click("dd-terminal button:has-text('A+')")
    larger = f"{float(before[:-2]) + 2:g}px"
    expect(shown).to_have_css("font-size", larger)
    workspace.type("clear; for n in $(seq 80); do echo line-$n-of-many; done")
    workspace.expect("line-80-of-many")
    page.keyboard.press("Control+Shift+f")
    expect(page.locator("dd-terminal .terminal-find input")).to_be_focused()
    page.keyboard.type("LINE-7-OF")
    page.keyboard.press("Enter")

    def expect_copied(text: str) -> None:
        page.click(f"dd-terminal button[title='{workspace.says('terminal.copy')}']")
        page.wait_for_function("async text => await navigator.clipboard.readText() === text", arg=text)

    expect_copied("line-7-of")
    until(page, lambda: "line-7-of-many" in rows(page), "what was found is not shown")
    workspace.type("clear; echo 世界世界-her''e-世界")
    workspace.expect("-here-")
    page.fill("dd-terminal .terminal-find input", "-here-")
    page.keyboard.press("Enter")
    expect_copied("-here-")  # wide characters take two cells
    page.keyboard.press("Control+Shift+f")
    page.keyboard.press("Escape")
    page.evaluate("navigator.clipboard.writeText('echo pasted-$((40+2))')")
    page.click(f"dd-terminal button[title='{workspace.says('terminal.paste')}']")
    workspace.expect("echo pasted")
    page.keyboard.press("Enter")
    workspace.expect("pasted-42")
    # The size is the reader's, not the page's.
    page.reload()
    workspace.wait_ready()
    expect(shown).to_have_css("font-size", larger)


@ROOMY
def test_the_map_makes_room_for_the_terminal(visit):
    workspace = visit()
    page = workspace.page
    before = len(rows(page))
    fold = page.locator("[data-fold]")
    fold.focus()
    page.keyboard.press("Enter")
    expect(fold).to_have_attribute("aria-expanded", "false")
    expect(page.locator("dd-map")).to_be_hidden()
    page.wait_for_function(
        f"() => document.querySelectorAll('dd-terminal .xterm-rows > div').length > {before + 5}"
    )
    page.reload()
    workspace.wait_ready()
    expect(page.locator("dd-map")).to_be_hidden()
    page.click(".switch [data-top=map]")
    expect(page.locator("dd-map")).to_be_visible()


# ---- 8: the map says what is there -----------------------------------------------------------------------------


def test_the_map_names_who_looks_after_which_pods(visit):
    workspace = visit()
    page = workspace.page
    workspace.type("kubectl create job count --image=busybox -- sh -c 'sleep 2'")
    workspace.expect("job.batch/count created")
    workspace.type("kubectl run lonely --image=nginx:1.27; kubectl create deployment web --image=nginx:1.27")
    workspace.expect("deployment.apps/web created")
    workspace.show("map")
    page.click(".map-bar button >> nth=1")
    page.get_by_role("button", name=workspace.says("map.system"), exact=True).click()
    lonely = workspace.says("map.lonely")
    page.wait_for_selector(f"dd-map .box:has-text('{lonely}') .pod:has-text('lonely')")
    for title in (workspace.says("map.static", node="control-plane"), "Deployment web"):
        page.locator("dd-map .box h2", has_text=title).wait_for()
    daemon = page.locator("dd-map .box", has=page.locator("h2", has_text="DaemonSet kube-proxy"))
    expect(daemon.locator(".pod")).to_have_count(3)
    expect(daemon).to_contain_text(workspace.says("map.ready_n", ready=3, total=3))
    done = workspace.says("map.completed_n", done=1, total=1)
    page.wait_for_selector(
        f"dd-map .box:has(.box-title:text-is('Job count')):has-text('{done}') .pod[data-look=done]"
    )


def test_what_the_learner_made_appears(visit):
    workspace = visit()
    page = workspace.page
    workspace.type(
        "kubectl create namespace survey; kubectl create deployment web --image=nginx:1.27 --replicas=2 -n survey"
    )
    workspace.expect("deployment.apps/web created")
    workspace.show("map")
    page.wait_for_selector("dd-map select option[value=survey]", state="attached")
    workspace.type(
        "kubectl expose deployment web --port=80 -n survey; kubectl create cm settings --from-literal=a=1 -n survey"
    )
    workspace.expect("configmap/settings created")
    workspace.show("map")
    service = page.locator(f"dd-map .thing:has-text('Service web → {workspace.says('map.pods_n', n=2)}')")
    service.wait_for()
    page.wait_for_selector("dd-map .thing:has-text('ConfigMap settings')")
    expect(page.locator("dd-map .thing")).to_have_count(2)  # what every cluster has is not the learner's
    service.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("dd-map .map-detail:has-text('app=web')")
    page.select_option("dd-map select", "survey")
    page.wait_for_function("() => document.querySelectorAll('dd-map .pod').length === 2")
    workspace.type("kubectl delete namespace survey --wait=false; time advance 60")
    workspace.show("map")
    page.wait_for_selector("dd-map select option[value=survey]", state="detached", timeout=60_000)
    expect(page.locator("dd-map .thing")).to_have_count(0)


def test_a_pod_whose_node_is_gone_is_drawn(visit):
    workspace = visit()
    page = workspace.page
    workspace.type('kubectl run stray --image=nginx:1.27 --overrides=\'{"spec":{"nodeName":"worker-2"}}\'')
    workspace.show("map")
    page.wait_for_selector("dd-map .box:has-text('worker-2') .pod:has-text('stray')")
    workspace.type("kubectl delete node worker-2")
    workspace.expect('node "worker-2" deleted')
    workspace.show("map")
    gone = workspace.says("map.gone")
    page.wait_for_selector(f"dd-map .box.is-gone:has-text('{gone}') .pod:has-text('stray')")


# ---- 3: "Run in terminal" --------------------------------------------------------------------------------------


def test_run_in_terminal_takes_the_place_of_what_is_half_typed(visit):
    workspace = visit(lab="explore-the-components")
    page = workspace.page
    workspace.type_only("echo half")
    workspace.expect("echo half")
    workspace.show("guide")
    block = page.locator(".step:visible .code-run").first
    command = page.locator(".step:visible .code[data-run]").first.get_attribute("data-run")
    block.click()
    workspace.expect(command.splitlines()[0])
    until(page, lambda: "echo half" not in workspace.screen, "what was half typed is still there")


def test_run_in_terminal_offers_to_stop_what_runs(visit):
    workspace = visit(lab="explore-the-components")
    page = workspace.page
    workspace.show("guide")
    command = page.locator(".step:visible .code[data-run]").first.get_attribute("data-run")
    workspace.type("kubectl get pods -n kube-system -w")
    workspace.expect("kube-scheduler")
    workspace.show("guide")
    page.locator(".step:visible .code-run").first.click()
    busy = page.locator(".terminal-busy")
    busy.wait_for()
    expect(busy).to_contain_text("kubectl get pods -n kube-system -w")
    busy.get_by_text(workspace.says("terminal.leave_it")).click()
    expect(busy).to_be_hidden()
    workspace.show("guide")
    page.locator(".step:visible .code-run").first.click()
    busy.get_by_text(workspace.says("terminal.stop_and_run")).click()
    workspace.expect(command.splitlines()[0])
    expect(busy).to_be_hidden()


# ---- 6: several terminals --------------------------------------------------------------------------------------


def expect_in_front(page: Any, text: str) -> None:
    """Until the terminal in front shows it."""
    page.wait_for_function(
        """text => document.querySelector('dd-terminal .terminal-screen:not([hidden]) .xterm-rows')
            .textContent.includes(text)""",
        arg=text,
    )


def test_several_terminals_share_files_and_outlast_a_reload(visit):
    workspace = visit()
    page = workspace.page
    workspace.type("echo of-the-first > note")
    page.click(f"dd-terminal button[title='{workspace.says('terminal.more')}']")
    page.wait_for_selector(".terminal-tabs .bar-button[aria-pressed=true]:has-text('2')")
    expect_in_front(page, "$")
    page.keyboard.type("cat note; export SECOND=yes")
    page.keyboard.press("Enter")
    expect_in_front(page, "of-the-first")
    page.reload()
    workspace.wait_ready()
    page.wait_for_selector(".terminal-tabs .bar-button >> nth=1")
    page.click(".terminal-tabs .bar-button:has-text('2')")
    expect_in_front(page, "of-the-first")
    page.keyboard.type("echo $SECOND-$((40+2))")
    page.keyboard.press("Enter")
    expect_in_front(page, "yes-42")
    page.click(f"dd-terminal button[title='{workspace.says('terminal.end', n=2)}']")
    expect(page.locator(".terminal-tabs .bar-button")).to_have_count(0)


# ---- 5: kubectl edit -------------------------------------------------------------------------------------------


def test_kubectl_edit_opens_the_editor_and_applies_what_is_saved(visit):
    workspace = visit()
    page = workspace.page
    workspace.type("kubectl create deployment web --image=nginx:1.27")
    workspace.expect("deployment.apps/web created")
    workspace.type("kubectl edit deployment web")
    page.wait_for_selector("dd-editor .cm-content:has-text('progressDeadlineSeconds: 600')")
    page.locator("dd-editor .cm-content").click()
    page.keyboard.press("Control+f")
    page.keyboard.type("progressDeadlineSeconds: 600")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.keyboard.type("progressDeadlineSeconds: 601")
    page.keyboard.press("Control+s")
    workspace.expect("deployment.apps/web edited")
    workspace.type("kubectl get deployment web -o jsonpath='{.spec.progressDeadlineSeconds} wanted'")
    workspace.expect("601 wanted")


# ---- by keyboard alone -----------------------------------------------------------------------------------------


@ROOMY
def test_f6_goes_round_the_panes(visit):
    workspace = visit()
    page = workspace.page

    def expect_in(pane: str) -> None:
        page.wait_for_function("pane => document.activeElement.closest(pane) !== null", arg=pane)

    workspace.press("F6")
    for pane in ("dd-guide", "dd-map", "dd-terminal"):
        expect_in(pane)
        page.keyboard.press("F6")
    page.locator("[data-fold]").press("Enter")
    expect(page.locator("dd-map")).to_be_hidden()
    workspace.press("F6")
    expect_in("dd-guide")
    page.keyboard.press("F6")
    expect_in("dd-terminal")  # what is folded away is left out


def test_the_page_of_a_service(visit):
    """What port-forward and proxy are for, without a port: in a frame that can reach nothing of this site."""
    workspace = visit()
    page = workspace.page
    workspace.type(
        "kubectl create deployment site --image=nginx:1.27; kubectl expose deployment site --port 8080 --target-port 80"
    )
    workspace.type("kubectl rollout status deployment/site")
    workspace.expect("successfully rolled out")
    workspace.show("map")
    page.click(".thing:has-text('Service site')")
    page.click(f"dd-map .detail-acts button:has-text('{workspace.says('preview.page')}')")
    frame = page.frame_locator(".preview iframe")
    frame.locator("text=Welcome to nginx!").first.wait_for()
    for look in ("parent.document.title", "document.cookie"):
        assert (
            frame.locator("body").evaluate(f"() => {{ try {{ return {look} }} catch {{ return null }} }}")
            is None
        )
    assert frame.locator("body").evaluate("() => self.origin") == "null"
    page.fill("#preview-port", "81")
    page.keyboard.press("Enter")
    frame.locator("p:has-text('81')").wait_for()
    page.keyboard.press("Escape")
    workspace.type("kubectl port-forward svc/site 9000:8080")
    frame.locator("text=Welcome to nginx!").first.wait_for()
    expect(page.locator("#preview-title")).to_have_text("Service site")
    page.keyboard.press("Escape")
    workspace.expect("No browser reaches")


def test_reading_a_long_answer_and_looking_from_outside(visit):
    workspace = visit()
    page = workspace.page
    workspace.type("kubectl get pods -A -o yaml | less")
    page.wait_for_function(
        "() => document.querySelector('dd-terminal .xterm-rows').textContent.includes('apiVersion: v1')"
    )
    page.keyboard.type("/containerStatuses")
    page.keyboard.press("Enter")
    page.wait_for_function(
        "() => /^\\s*containerStatuses/.test(document.querySelector('dd-terminal .xterm-rows > div').textContent)"
    )
    page.keyboard.type("q")
    workspace.type(
        "kubectl create deployment site --image=nginx:1.27; kubectl expose deployment site --port 80 --type NodePort"
    )
    workspace.type("kubectl rollout status deployment/site; clear; echo all-$((40+2))")
    workspace.expect("all-42")
    workspace.type("port=$(kubectl get service site -o 'jsonpath={.spec.ports[0].nodePort}')")
    # That the rollout is done the Service's nodes hear a moment later.
    workspace.type("until curl -s worker-1:$port > page; do sleep 1; done; grep title page")
    workspace.expect("<title>Welcome to nginx!</title>")
    workspace.type("clear; curl -m 5 http://10.96.0.1/")
    workspace.expect("This terminal stands outside the cluster")


# ---- the clock ---------------------------------------------------------------------------------------------


def test_time_stands_steps_and_goes_on(visit):
    workspace = visit()
    page = workspace.page
    clock = page.locator("dd-clock")
    clock.locator("button").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("dd-clock.stands")
    workspace.type("kubectl create deployment web --image=nginx:1.27")
    workspace.expect("deployment.apps/web created")
    seen = [workspace.step() for _ in range(8)]
    assert "kubernetes-admin" in seen[0]
    assert any("Successfully assigned default/web-" in sentence for sentence in seen)
    page.reload()
    page.wait_for_selector("dd-clock.stands")
    workspace.wait_ready()
    workspace.type("kubectl rollout status deployment web && echo all-$((40+2))")
    workspace.expect("Warning: ")  # who waits is told that time stands
    assert "all-42" not in workspace.screen
    clock.locator("select").select_option("10")
    page.wait_for_selector("dd-clock:not(.stands)")
    workspace.expect("all-42")


# ---- why ---------------------------------------------------------------------------------------------------


def test_why_a_pod_waits_and_why_another_is_where_it_is(visit):
    workspace = visit()
    page = workspace.page
    asks = '{"spec":{"containers":[{"name":"c","image":"nginx:1.27","resources":{"requests":{"cpu":"64"}}}]}}'
    workspace.type(f"kubectl run huge --image=nginx:1.27 --overrides='{asks}'")
    workspace.expect("pod/huge created")
    workspace.type("until why pod huge | grep Insufficient; do sleep 1; done")
    workspace.expect("worker-2: NodeResourcesFit")
    workspace.show("map")
    page.locator("dd-map .pod:has-text('huge')").first.click()
    ask = page.locator(f"dd-map .map-detail button:has-text('{workspace.says('why.ask')}')")
    ask.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(f".why[open] h3:has-text('{workspace.says('why.nowhere')}')")
    page.wait_for_selector(".why tr:has-text('worker-1') :text('Insufficient cpu')")
    page.wait_for_selector(".why .why-remedies li:has-text('resources.requests')")
    page.locator(".why .why-chain li").nth(1).wait_for()
    page.keyboard.press("Escape")
    page.wait_for_selector(".why:not([open])", state="attached")
    page.click("dd-map .map-detail .detail-head button")
    workspace.type("kubectl run small --image=nginx:1.27 && kubectl wait --for=condition=Ready pod/small")
    workspace.expect("condition met")
    workspace.show("map")
    page.locator("dd-map .pod:has-text('small')").first.click()
    page.wait_for_selector("dd-map .map-detail h2:text-is('small')")
    ask.click()
    page.wait_for_selector(".why .why-table .badge.look-running")
    page.wait_for_selector(".why .why-chain li:has-text('status.phase: Pending → Running')")
    page.locator(f".why[open] button:has-text('{workspace.says('trail.open')}')").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".why[open] li[data-station=authorization]")
    page.wait_for_selector(".why[open] li[data-station=store] a[href*='/lessons/cluster-components/']")
    page.wait_for_selector(".why[open] li:has-text('small')")


# ---- looking back ------------------------------------------------------------------------------------------


def test_looking_back_and_coming_home(visit):
    workspace = visit()
    page = workspace.page
    workspace.type("kubectl run ghost --image=nginx:1.27 && kubectl wait --for=condition=Ready pod/ghost")
    workspace.expect("condition met")
    workspace.type("kubectl delete pod ghost --now && echo gone-$((40+2))")
    workspace.expect("gone-42")
    workspace.show("map")
    page.locator("dd-map .pod:has-text('ghost')").first.wait_for(state="detached")
    back = page.locator("dd-clock > button").last
    back.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("dd-past:not([hidden])")
    page.wait_for_selector("dd-map.is-past .map-past:not([hidden])")
    earlier = page.locator(f"dd-past button:has-text('{workspace.says('past.earlier')}')")

    def settle():
        page.wait_for_selector("dd-past:not([aria-busy])")
        page.evaluate(DRAWN)

    settle()
    for _ in range(6):
        if page.locator("dd-map .pod:has-text('ghost')").count():
            break
        earlier.focus()
        page.keyboard.press("Enter")
        settle()
    page.wait_for_selector("dd-map .pod:has-text('ghost')")
    page.locator("dd-past > .past-details > summary").click()
    page.wait_for_selector("dd-past .past-since li:has-text('Pod default/ghost')")
    time = page.locator("dd-past > time").inner_text()
    page.locator(f"dd-past button:has-text('{workspace.says('past.compare')}')").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(f"dd-past > .past-details > summary:has-text('{time}')")
    page.locator("#past-slider").focus()
    page.keyboard.press("End")
    page.wait_for_selector("dd-past .past-since li[data-what=deleted]:has-text('Pod default/ghost')")
    page.keyboard.press("Escape")
    page.wait_for_selector("dd-past[hidden]", state="attached")
    page.locator("dd-map .pod:has-text('ghost')").first.wait_for(state="detached")
    page.wait_for_selector("dd-map:not(.is-past) .map-past[hidden]", state="attached")
    expect(back).to_be_focused()  # it comes back to where it was


def test_beginning_a_step_again(visit):
    """By keyboard alone; what there was is kept."""
    workspace = visit()
    page = workspace.page
    again = page.locator("dd-guide .step:not([hidden]) [data-restart]")
    again.wait_for(state="attached")
    page.wait_for_function("() => !document.querySelector('.step:not([hidden]) [data-restart]').hidden")
    workspace.type("kubectl run ghost --image=nginx:1.27 && kubectl wait --for=condition=Ready pod/ghost")
    workspace.expect("condition met")
    workspace.show("map")
    page.wait_for_selector("dd-map .pod:has-text('ghost')")
    workspace.show("guide")
    again.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('[data-check-live]').textContent.includes('“')")
    workspace.show("map")
    page.locator("dd-map .pod:has-text('ghost')").first.wait_for(state="detached")


# ---- a slow line -------------------------------------------------------------------------------------------


def test_what_is_typed_before_the_shell_is_open_waits_for_it(visit):
    """Up to a limit; what is too much is told, and nothing of what comes after it is taken."""
    workspace = visit()
    page = workspace.page
    held: list[tuple[Any, Any]] = []
    slow = True

    def hold(line: Any) -> None:
        def told(message: str | bytes) -> None:
            of_terminal = (
                json.loads(message)["ch"] == "terminal"
                if isinstance(message, str)
                else message[1:9] == b"terminal"
            )
            held.append((line, message)) if slow and of_terminal else line.send(message)

        line.connect_to_server().on_message(told)

    page.route_web_socket(re.compile("/socket/$"), hold)
    page.reload()
    workspace.show("terminal")
    page.wait_for_selector("dd-terminal[data-line=connected]")
    until(page, lambda: bool(held), "nothing of the terminal came")
    page.evaluate(
        """texts => {
            const there = document.querySelector('dd-terminal .xterm-helper-textarea');
            for (const text of texts) {
                const clipboardData = new DataTransfer();
                clipboardData.setData('text/plain', text);
                there.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }));
            }
        }""",
        ["echo wai", "ted-$((40+2))\n", "x" * 4096, "echo lost-$((40+2))\n"],
    )
    expect(page.locator("dd-terminal .line-state")).to_have_text(workspace.says("terminal.full"))
    slow = False
    for line, message in held:
        line.send(message)
    workspace.expect("waited-42")
    workspace.type("echo after-$((40+2))")
    workspace.expect("after-42")
    assert "lost" not in workspace.screen


# ---- what if -----------------------------------------------------------------------------------------------


def test_what_if_a_pod_were_deleted_and_then_it_is(visit):
    workspace = visit()
    page = workspace.page
    workspace.type(
        "kubectl create deployment web --image=nginx:1.27 && kubectl rollout status deployment/web"
    )
    workspace.expect("successfully rolled out")
    workspace.show("map")
    pod = page.locator("dd-map .pod:has-text('web-')").first
    name = re.sub(" .*", "", pod.get_attribute("title") or "")
    pod.click()
    ask = page.locator(f"dd-map .map-detail button:has-text('{workspace.says('whatif.open')}')")
    ask.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#whatif-act")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(f".why[open] li[data-what=deleted]:has-text('{name}')")
    page.wait_for_selector(".why[open] li[data-what=created]:has-text('web-')")
    page.wait_for_selector(".why[open] .why-chain li:has-text('replicaset-controller')")
    expect(page.locator(f"dd-map .pod:has-text('{name}')")).to_have_count(1)  # the cluster is as it was
    page.get_by_role("button", name=workspace.says("whatif.do")).click()
    workspace.show("terminal")
    workspace.expect(f'pod "{name}" deleted')


# ---- help with a manifest ----------------------------------------------------------------------------------


def test_a_manifest_is_completed_explained_corrected_and_compared(visit):
    """By keyboard alone."""
    workspace = visit()
    page = workspace.page
    workspace.show("editor")
    page.locator("dd-editor .file-new").focus()
    page.keyboard.press("Enter")
    page.keyboard.type("mine.yaml")
    page.keyboard.press("Enter")
    options = page.locator(".cm-tooltip-autocomplete")

    def choose(typed: str, option: str) -> None:
        page.keyboard.type(typed)
        options.locator(f"li[aria-selected]:has-text('{option}')").wait_for()
        page.wait_for_timeout(200)  # Enter right after the list has come is not meant for it
        page.keyboard.press("Enter")

    for typed, option in (("apiVersion: apps/", "apps/v1"), ("kind: Depl", "Deployment")):
        choose(typed, option)
        options.wait_for(state="hidden")
        page.keyboard.press("Enter")
    choose("spec", "spec")
    options.locator("li:has-text('replicas')").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(
        MENDED.replace("replicas: 3", "replica: 3").replace("name: web", "name: mine", 1)
    )
    page.wait_for_selector("dd-editor .cm-lint-marker-error")
    page.keyboard.press("F8")
    page.wait_for_selector(".cm-tooltip-lint:has-text('unknown field \"spec.replica\"')")
    expect(page.locator("dd-editor .cm-activeLine")).to_contain_text("replica: 3")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(MENDED.replace("name: web", "name: mine", 1))
    page.wait_for_selector("dd-editor .cm-lint-marker-error", state="detached")
    page.keyboard.press("Control+Home")
    for _line in range(5):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("F1")
    page.wait_for_selector("dd-editor .output:has-text('spec.replicas <integer>')")
    page.wait_for_selector("dd-editor .output:has-text('Number of desired pods')")
    compare = page.get_by_role("button", name=workspace.says("editor.diff"))
    compare.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("dd-editor .output .diff-more:has-text('name: mine')")


# ---- the map -----------------------------------------------------------------------------------------------


def test_a_node_is_broken_from_the_map_and_mended(visit):
    """By keyboard alone: what the map tells of a node, what can be broken of it, and what comes back."""
    workspace = visit()
    page = workspace.page
    workspace.type(
        "kubectl create deployment web --image=nginx:1.27 --replicas=2 && kubectl rollout status deployment/web"
    )
    workspace.expect("successfully rolled out")
    workspace.show("map")
    node = page.locator("dd-map .box-node:has(.box-title:text-is('worker-1'))")
    expect(node.locator("meter[aria-label*='Pods']")).to_have_attribute("max", "110")
    node.locator(".box-title").focus()
    page.keyboard.press("Enter")
    page.locator("dd-map .detail-break summary").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name=workspace.says("break.disk"), exact=True).focus()
    page.keyboard.press("Enter")
    workspace.show("terminal")
    workspace.expect("fault fill worker-1 disk 95")
    workspace.type("clear; time advance 30")
    workspace.show("map")
    page.wait_for_selector("dd-map .box-node:has-text('disk-pressure'):has(.box-title:text-is('worker-1'))")
    page.get_by_role("button", name=workspace.says("break.disk_undo"), exact=True).focus()
    page.keyboard.press("Enter")
    workspace.expect("fault fill worker-1 disk 0")
    workspace.show("map")
    page.get_by_role("button", name=workspace.says("break.power"), exact=True).focus()
    page.keyboard.press("Enter")
    workspace.show("terminal")
    workspace.expect("fault power worker-1 off")
    workspace.type("clear; time advance 60")
    workspace.show("map")
    page.wait_for_selector("dd-map .box-node.is-bad:has(.box-title:text-is('worker-1'))")
    page.get_by_role("button", name=workspace.says("break.power_undo")).focus()
    page.keyboard.press("Enter")
    workspace.type("clear; time advance 60")
    workspace.show("map")
    page.wait_for_selector("dd-map .box-node:not(.is-bad):has(.box-title:text-is('worker-1'))")


def test_the_map_shows_what_is_asked_for(visit):
    """The filter, the system's Pods, what uses a ConfigMap, and the table that tells the same."""
    workspace = visit()
    page = workspace.page
    workspace.type("kubectl create configmap settings --from-literal=COLOUR=blue")
    shelf = {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "hostPath": {"path": "/shelf"}}
    shelf = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "shelf"}, "spec": shelf}
    workspace.type(f"echo '{json.dumps(shelf)}' | kubectl apply -f -")
    workspace.type("kubectl create cronjob night --image=busybox --schedule='0 3 * * *' -- date")
    workspace.type("kubectl create deployment web --image=nginx:1.27 --replicas=2")
    workspace.type("kubectl create deployment api --image=nginx:1.27")
    workspace.type("kubectl set env deployment/web --from=configmap/settings")
    workspace.type("kubectl rollout status deployment/web; kubectl rollout status deployment/api")
    workspace.expect('deployment "api" successfully rolled out')
    workspace.show("map")
    pods = page.locator("dd-map .box > .pods .pod")
    page.wait_for_selector("dd-map .box-folded .pod[aria-label*='kube-proxy-']")
    expect(page.locator("dd-map .box > .pods .pod[aria-label*='kube-proxy-']")).to_have_count(0)
    used = page.locator(f"dd-map .thing:has-text('ConfigMap settings ← {workspace.says('map.pods_n', n=2)}')")
    page.locator("dd-map .thing:has-text('PersistentVolume shelf (Available)')").wait_for()
    used.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("dd-map .pod.is-related[aria-label*='web-']")
    expect(page.locator("dd-map .pod.is-related")).to_have_count(2)
    page.keyboard.press("Enter")
    page.locator("dd-map .map-filter").focus()
    page.keyboard.type("app=api, status.phase=Running")
    expect(pods).to_have_count(1)
    expect(pods).to_have_attribute("title", re.compile("^api-"))
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    page.locator(f"dd-map .map-bar button:text-is('{workspace.says('map.table')}')").focus()
    page.keyboard.press("Enter")
    for name in ("worker-1", "web", "api", "settings", "night"):
        page.locator(f"dd-map .map-table th[scope=row]:text-is('{name}')").first.wait_for()
    page.locator(f"dd-map .map-bar button:text-is('{workspace.says('map.system')}')").focus()
    page.keyboard.press("Enter")
    page.locator("dd-map .map-table th[scope=row]:text-is('kube-proxy')").wait_for()


# ---- the timeline ------------------------------------------------------------------------------------------


def test_the_timeline_shows_a_life_and_goes_to_its_moment(visit):
    workspace = visit()
    page = workspace.page
    workspace.type(
        "kubectl run short --image=nginx:1.27 && kubectl wait pod/short --for=condition=Ready; sleep 4"
    )
    workspace.expect("pod/short condition met")
    workspace.type("kubectl delete pod short; echo it is gone")
    workspace.expect("it is gone")
    page.get_by_role("button", name=workspace.says("past.open")).focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("dd-map.is-past")
    page.locator("dd-timeline summary").focus()
    page.keyboard.press("Enter")
    life = page.locator("dd-timeline .lane:has(.lane-name:text-is('short')) .track")
    for look in ("pending", "running"):
        life.locator(f".track-stage[data-look={look}]").wait_for(state="attached")
    expect(life).to_have_attribute("aria-label", re.compile(re.escape(workspace.says("map.look_running"))))
    page.get_by_role("button", name=workspace.says("timeline.closer"), exact=True).focus()
    page.keyboard.press("Enter")
    checks = page.locator(f"dd-timeline .lane:has(.lane-name:text-is('{workspace.says('timeline.checks')}'))")
    checks.locator(".track-point[data-look=failed]").first.wait_for(state="attached")
    lanes, slider = page.locator("dd-timeline .lanes"), page.locator("#past-slider")
    shown, before = page.locator("dd-timeline .timeline-bar .num"), slider.input_value()
    lanes.focus()
    page.keyboard.press("ArrowLeft")
    until(page, lambda: int(slider.input_value()) < int(before), "the moment does not go with the arrow keys")
    page.keyboard.press("ArrowRight")
    wide = shown.inner_text()
    page.keyboard.press("-")
    expect(shown).not_to_have_text(wide)
    page.keyboard.press("+")
    expect(shown).to_have_text(wide)
    stage = life.locator(".track-stage[data-look=running]")
    stage.wait_for(state="attached")
    box = stage.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    workspace.show("map")
    page.wait_for_selector("dd-map.is-past .pod[aria-label*='short']")
