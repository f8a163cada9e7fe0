"""The workspace's promises, each as a person meets it in a browser."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .pages import MENDED, Workspace, violations_of

pytestmark = [pytest.mark.browser, pytest.mark.stack]

LAB = "declare-a-deployment"


@pytest.fixture
def visit(stack, browser) -> Iterator[Callable[..., Workspace]]:
    """Opens a lab as a guest: `visit(width=…, language=…)`; `lines` gets the tab's sockets.

    Nothing may break the page's policy.
    """
    contexts: list[Any] = []
    complaints: list[str] = []

    def begin(
        lab: str = LAB,
        width: int = 1440,
        language: str = "en-GB",
        scheme: str = "light",
        lines: list[Any] | None = None,
    ) -> Workspace:
        context = browser.new_context(
            locale=language, viewport={"width": width, "height": 900}, color_scheme=scheme
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        if lines is not None:
            page.route_web_socket(
                re.compile("/socket/$"), lambda line: (line.connect_to_server(), lines.append(line))
            )
        complaints.extend(violations_of(page))
        page.goto(f"{stack.url}/labs/{lab}/")
        page.click("main form button[type=submit]")
        workspace = Workspace(page)
        if width < 832:
            page.wait_for_url("**/runs/*/")
            page.click("[data-view=terminal]")
        workspace.wait_ready()
        return workspace

    yield begin
    for context in contexts:
        context.close()
    assert complaints == []


def second_tab(workspace: Workspace) -> Workspace:
    page = workspace.page.context.new_page()
    page.set_default_timeout(30_000)
    page.goto(workspace.page.url)
    other = Workspace(page)
    other.wait_ready()
    return other


# ---- 1: one socket a tab -----------------------------------------------------------------------------------


@pytest.mark.soak
def test_two_tabs_of_one_run_do_not_freeze_the_site(stack, visit):
    """For a moment, or for ten minutes (DRYDOCK_SOAK=1)."""
    seconds = 600 if os.environ.get("DRYDOCK_SOAK") == "1" else 8
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
                "fetch(location.href, {signal: AbortSignal.timeout(5000)}).then(r => r.status)"
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
    page.wait_for_selector("dd-map .box-node")
    workspace.type("kubectl create deployment web --image=nginx:1.27")
    workspace.expect("deployment.apps/web created")
    lines[-1].close(code=1013)
    page.wait_for_selector("dd-terminal[data-line=reconnecting]")
    page.wait_for_selector("dd-terminal[data-line=connected]")
    assert len(lines) == 2
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


def place(page: Any) -> str:
    return page.locator("[data-place]").inner_text()


def test_checks_tick_by_themselves_and_survive_a_reload_and_a_change_of_language(visit):
    workspace = visit()
    page = workspace.page
    assert place(page).startswith("Step 1 of ")
    # Nobody asked: what is missing is not called wrong, and nothing pushes the text away.
    page.wait_for_selector("[data-check=accepted][data-state=failed]", state="attached")
    assert page.locator("dd-guide.is-asked").count() == 0
    assert page.locator("[data-check] details[open]").count() == 0
    workspace.open_editor("web.yaml")
    workspace.write(MENDED)
    assert "deployment.apps/web created" in workspace.apply()
    page.wait_for_selector("[data-check=accepted][data-state=passed]", state="attached")
    # All pass by themselves in the end, and the way on is there.
    page.wait_for_selector("[data-step=after] h2:has-text('Afloat')")
    assert page.locator("dd-status").inner_text() == "Passed"
    at = page.locator("[data-at]").inner_text()
    page.reload()
    page.wait_for_selector("[data-check=heals][data-state=passed]", state="attached")
    assert page.locator("[data-at]").inner_text() == at
    page.wait_for_selector("[data-step=after] h2:has-text('Afloat')")
    page.click("button[name=language][value='zh-hans']")
    page.wait_for_selector("html[lang=zh-hans]")
    page.wait_for_selector("[data-check=heals][data-state=passed]", state="attached")
    page.wait_for_selector("[data-step=after] h2")
    page.click("[data-to=after]")
    page.click("[data-step=after] details:has(pre) > summary")
    assert "kubectl" in page.locator("[data-step=after] pre").inner_text()


SLOW_TO_READY = MENDED.replace(
    "          ports:",
    "          readinessProbe: {initialDelaySeconds: 25, httpGet: {port: 80}}\n          ports:",
)


def test_a_check_during_a_rollout_says_so(visit):
    workspace = visit()
    page = workspace.page
    workspace.open_editor("web.yaml")
    workspace.write(SLOW_TO_READY)
    assert "deployment.apps/web created" in workspace.apply()
    workspace.check()
    page.wait_for_selector("[data-check=three-ready][data-state=pending]", state="attached")
    assert "still rolling out" in workspace.check_message("three-ready")


def test_who_asks_sees_the_first_failure_and_the_text_stays(visit):
    workspace = visit()
    page = workspace.page
    page.wait_for_selector("[data-check=accepted][data-state=failed]", state="attached")
    workspace.check()
    assert page.locator("dd-guide.is-asked").count() == 1
    opened = page.locator("[data-check] .check-body[open]")
    assert opened.count() == 1
    row = page.locator("[data-check=accepted]")
    assert row.is_visible()
    assert "Deployment" in row.inner_text()
    # The step's text is in the same column, one scroll away, and a step without that check shows none of it.
    step = row.locator("xpath=ancestor::section[1]")
    assert step.locator(".prose").inner_text()
    page.reload()
    page.wait_for_selector("dd-guide.is-asked")
    assert page.locator("[data-check] .check-body[open]").count() == 1


def test_steps_by_keyboard(visit):
    workspace = visit()
    page = workspace.page
    total = page.locator("[data-to]").count() - 1
    page.locator("[data-to]").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert place(page) == f"Step 2 of {total}"
    assert page.evaluate("document.activeElement.matches('[data-text]')"), (
        "reading goes on at the step's text"
    )
    page.reload()
    page.wait_for_selector("[aria-current=step]")
    assert place(page) == f"Step 2 of {total}"


# ---- 4: the editor ---------------------------------------------------------------------------------------------


def new_file(page: Any, name: str) -> None:
    page.click("dd-editor .file-new")
    page.fill("dd-editor .file-name", name)
    page.keyboard.press("Enter")


def names(page: Any) -> list[str]:
    return page.locator("dd-editor .files .file:visible").all_inner_texts()


def choose(page: Any, text: str) -> None:
    page.click("dd-editor .file-menu summary")
    page.click(f"dd-editor .file-menu button:has-text('{text}')")


def test_a_new_file_is_nobody_else_s_change(visit):
    workspace = visit()
    page = workspace.page
    page.click("[data-top=editor]")
    new_file(page, "fresh.yaml")
    page.keyboard.type("kind: Pod")
    with page.expect_response(lambda response: response.url.endswith("/files/")):
        page.keyboard.press("Control+s")
        page.keyboard.type(" # and more at once")
    workspace.type("ls")
    workspace.expect("fresh.yaml")
    page.wait_for_timeout(1500)
    assert page.locator("dd-editor .output").is_hidden(), page.locator("dd-editor .output").inner_text()
    # What really was changed elsewhere is told.
    workspace.type("echo 'kind: Node' > fresh.yaml")
    page.wait_for_selector("dd-editor .output:has-text('also changed in the terminal')")


def test_a_result_stays_with_its_file(visit):
    workspace = visit()
    page = workspace.page
    workspace.open_editor("web.yaml")
    assert "selector" in workspace.apply()
    page.wait_for_selector("dd-editor .output:has-text('web.yaml')")
    new_file(page, "other.yaml")
    page.wait_for_selector("dd-editor .file[title='other.yaml'][aria-pressed=true]")
    assert page.locator("dd-editor .output").is_hidden()
    page.click("dd-editor .file[title='web.yaml']")
    assert "selector" in page.locator("dd-editor .output").inner_text()


def test_files_are_renamed_closed_and_deleted(visit):
    workspace = visit()
    page = workspace.page
    page.click("[data-top=editor]")
    new_file(page, "a.yaml")
    page.keyboard.type("kind: Pod")
    page.keyboard.press("Control+s")
    page.wait_for_selector("dd-editor .file[title='a.yaml']:not(.is-dirty)")
    choose(page, "Rename")
    page.fill("dd-editor .file-name", "boat.yaml")
    page.keyboard.press("Enter")
    page.wait_for_selector("dd-editor .file[title='boat.yaml'][aria-pressed=true]")
    assert names(page) == ["web.yaml", "boat.yaml"]
    assert "kind: Pod" in page.locator("dd-editor .cm-content").inner_text()
    workspace.type("ls")
    workspace.expect("boat.yaml")
    choose(page, "Close")
    assert names(page) == ["web.yaml"]
    choose(page, "Open boat.yaml")
    assert names(page) == ["web.yaml", "boat.yaml"]
    choose(page, "Delete")
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


def test_wide_output_does_not_wrap_on_an_ordinary_screen(visit):
    workspace = visit(width=1440)
    workspace.type("kubectl create deployment web --image=nginx:1.27 --replicas=3")
    workspace.expect("deployment.apps/web created")
    workspace.type("kubectl rollout status deployment/web; clear; kubectl get pods -o wide; echo e''nd")
    workspace.expect("end")
    table = rows(workspace.page)
    table = table[: table.index("end")]
    assert len(table) == 4, table
    assert table[0].endswith("READINESS GATES")
    assert all(row.endswith("<none>") for row in table[1:]), table


def test_text_size_copy_paste_and_find(stack, visit):
    workspace = visit()
    page = workspace.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=stack.url)
    before = page.locator("dd-terminal .xterm-rows").evaluate("e => getComputedStyle(e).fontSize")
    page.click("dd-terminal button:has-text('A+')")
    page.click("dd-terminal button:has-text('A+')")
    larger = page.locator("dd-terminal .xterm-rows").evaluate("e => getComputedStyle(e).fontSize")
    assert float(larger[:-2]) == float(before[:-2]) + 2
    workspace.type("clear; for n in $(seq 80); do echo line-$n-of-many; done")
    workspace.expect("line-80-of-many")
    page.keyboard.press("Control+Shift+f")
    page.keyboard.type("LINE-7-OF")
    page.keyboard.press("Enter")
    page.click("dd-terminal button:has-text('Copy')")
    assert page.evaluate("navigator.clipboard.readText()") == "line-7-of"
    assert "line-7-of-many" in rows(page), "what was found is shown"
    page.keyboard.press("Control+Shift+f")
    page.keyboard.press("Escape")
    page.evaluate("navigator.clipboard.writeText('echo pasted-$((40+2))')")
    page.click("dd-terminal button:has-text('Paste')")
    workspace.expect("echo pasted")
    page.keyboard.press("Enter")
    workspace.expect("pasted-42")
    # The size is the reader's, not the page's.
    page.reload()
    workspace.wait_ready()
    assert page.locator("dd-terminal .xterm-rows").evaluate("e => getComputedStyle(e).fontSize") == larger


def test_the_map_makes_room_for_the_terminal(visit):
    workspace = visit()
    page = workspace.page
    before = len(rows(page))
    fold = page.locator("[data-fold]")
    fold.focus()
    page.keyboard.press("Enter")
    assert fold.get_attribute("aria-expanded") == "false"
    assert page.locator("dd-map").is_hidden()
    page.wait_for_function(
        f"() => document.querySelectorAll('dd-terminal .xterm-rows > div').length > {before + 5}"
    )
    page.reload()
    workspace.wait_ready()
    assert page.locator("dd-map").is_hidden()
    page.click(".switch [data-top=map]")
    assert page.locator("dd-map").is_visible()


# ---- 8: the map says what is there -----------------------------------------------------------------------------


def boxes(page: Any) -> list[str]:
    return page.locator("dd-map .box h2").all_inner_texts()


def test_the_map_names_who_looks_after_which_pods(visit):
    workspace = visit()
    page = workspace.page
    workspace.type("kubectl create job count --image=busybox -- sh -c 'sleep 2'")
    workspace.expect("job.batch/count created")
    workspace.type("kubectl run lonely --image=nginx:1.27; kubectl create deployment web --image=nginx:1.27")
    workspace.expect("deployment.apps/web created")
    page.click(".map-bar button:has-text('Workloads')")
    page.wait_for_selector("dd-map .box:has-text('Pods without a controller') .pod:has-text('lonely')")
    shown = boxes(page)
    assert "DaemonSet kube-proxy" in shown
    assert "Static Pods of control-plane" in shown
    assert "Deployment web" in shown
    daemon = page.locator("dd-map .box", has=page.locator("h2", has_text="DaemonSet kube-proxy"))
    assert daemon.locator(".pod").count() == 3
    assert "3/3 ready" in daemon.inner_text()
    page.wait_for_selector(
        "dd-map .box:has(h2:text-is('Job count')):has-text('1/1 completed') .pod[data-look=done]"
    )


def test_what_the_learner_made_appears(visit):
    workspace = visit()
    page = workspace.page
    workspace.type(
        "kubectl create namespace survey; kubectl create deployment web --image=nginx:1.27 --replicas=2 -n survey"
    )
    workspace.expect("deployment.apps/web created")
    page.wait_for_selector("dd-map select option[value=survey]", state="attached")
    workspace.type(
        "kubectl expose deployment web --port=80 -n survey; kubectl create cm settings --from-literal=a=1 -n survey"
    )
    workspace.expect("configmap/settings created")
    service = page.locator("dd-map .thing:has-text('Service web → 2 Pods')")
    service.wait_for()
    page.wait_for_selector("dd-map .thing:has-text('ConfigMap settings')")
    assert page.locator("dd-map .thing").count() == 2, "what every cluster has is not the learner's"
    service.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("dd-map .map-detail:has-text('app=web')")
    page.select_option("dd-map select", "survey")
    page.wait_for_function("() => document.querySelectorAll('dd-map .pod').length === 2")
    workspace.type("kubectl delete namespace survey")
    page.wait_for_selector("dd-map select option[value=survey]", state="detached", timeout=60_000)
    assert page.locator("dd-map .thing").count() == 0


def test_a_pod_whose_node_is_gone_is_drawn(visit):
    workspace = visit()
    page = workspace.page
    workspace.type('kubectl run stray --image=nginx:1.27 --overrides=\'{"spec":{"nodeName":"worker-2"}}\'')
    page.wait_for_selector("dd-map .box:has-text('worker-2') .pod:has-text('stray')")
    workspace.type("kubectl delete node worker-2")
    workspace.expect('node "worker-2" deleted')
    page.wait_for_selector("dd-map .box.is-gone:has-text('the node is gone') .pod:has-text('stray')")


# ---- 3: "Run in terminal" --------------------------------------------------------------------------------------


def test_run_in_terminal_takes_the_place_of_what_is_half_typed(visit):
    workspace = visit(lab="explore-the-components")
    page = workspace.page
    workspace.type_only("echo half")
    workspace.expect("echo half")
    block = page.locator(".step:visible .code-run").first
    command = page.locator(".step:visible .code[data-run]").first.get_attribute("data-run")
    block.click()
    workspace.expect(command.splitlines()[0])
    assert not any("echo half" in row for row in rows(page)), rows(page)


def test_run_in_terminal_offers_to_stop_what_runs(visit):
    workspace = visit(lab="explore-the-components")
    page = workspace.page
    workspace.type("kubectl get pods -n kube-system -w")
    workspace.expect("kube-scheduler")
    page.locator(".step:visible .code-run").first.click()
    busy = page.locator(".terminal-busy")
    busy.wait_for()
    assert "kubectl get pods -n kube-system -w" in busy.inner_text()
    busy.get_by_text("Leave it").click()
    assert busy.is_hidden()
    page.locator(".step:visible .code-run").first.click()
    busy.get_by_text("Stop it").click()
    command = page.locator(".step:visible .code[data-run]").first.get_attribute("data-run")
    workspace.expect(command.splitlines()[0])
    assert busy.is_hidden()


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
    page.click("dd-terminal button[title='Another terminal']")
    expect_in_front(page, "$")
    page.keyboard.type("cat note; export SECOND=yes")
    page.keyboard.press("Enter")
    expect_in_front(page, "of-the-first")
    page.reload()
    page.wait_for_selector(".terminal-tabs .bar-button >> nth=1")
    page.click(".terminal-tabs .bar-button:has-text('2')")
    expect_in_front(page, "of-the-first")
    page.keyboard.type("echo $SECOND-$((40+2))")
    page.keyboard.press("Enter")
    expect_in_front(page, "yes-42")
    page.click("dd-terminal button[title='Close terminal 2']")
    assert page.locator(".terminal-tabs .bar-button").count() == 0


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


def test_f6_goes_round_the_panes(visit):
    workspace = visit()
    page = workspace.page
    workspace.press("F6")
    seen = []
    for _ in range(3):
        seen.append(
            page.evaluate(
                "document.activeElement.closest('dd-guide, dd-map, dd-editor, dd-terminal').localName"
            )
        )
        page.keyboard.press("F6")
    assert seen == ["dd-guide", "dd-map", "dd-terminal"]
    page.locator("[data-fold]").press("Enter")
    workspace.press("F6")
    page.keyboard.press("F6")
    assert page.evaluate("document.activeElement.closest('dd-terminal') !== null"), (
        "what is folded away is left out"
    )


# ---- the clock ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "language", "scheme"), [(1440, "en-GB", "light"), (390, "zh-CN", "dark")])
def test_time_stands_steps_and_goes_on(visit, width, language, scheme):
    workspace = visit(width=width, language=language, scheme=scheme)
    page = workspace.page
    clock = page.locator("dd-clock")
    pause, step = clock.locator("button").first, clock.locator("button").nth(1)
    pause.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("dd-clock.stands")
    workspace.type("kubectl create deployment web --image=nginx:1.27")
    workspace.expect("deployment.apps/web created")
    said = clock.get_by_role("status")
    changed = "old => document.querySelector('.clock-said').textContent !== old"
    seen: list[str] = []
    for _ in range(8):
        before = said.text_content()
        step.focus()
        page.keyboard.press("Enter")
        page.wait_for_function(changed, arg=before)
        seen.append(said.inner_text())
    assert "kubernetes-admin" in seen[0]
    assert any("Successfully assigned default/web-" in sentence for sentence in seen)
    page.reload()
    page.wait_for_selector("dd-clock.stands")
    if width < 832:
        page.click("[data-view=terminal]")
    workspace.wait_ready()
    workspace.type("kubectl rollout status deployment web && echo all-$((40+2))")
    page.wait_for_timeout(3_000)
    assert "all-42" not in workspace.screen
    clock.locator("select").select_option("10")
    page.wait_for_selector("dd-clock:not(.stands)")
    workspace.expect("all-42")
