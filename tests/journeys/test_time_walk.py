"""The walk of docs/time.md: by keyboard alone and by mouse, in Chinese on a narrow page and in English on a wide one.

At every state that it comes to, axe-core finds nothing, and in the language that nobody speaks (`pseudo.py`) nothing is
left out or cut. With `DRYDOCK_SOAK=1` each goes in every way; with `--pictures FOLDER` too (`make pictures`) in every
look.
`pytest tests/journeys/test_time_walk.py --pictures docs/pictures` (`make walk`) keeps the pictures of docs/time.md.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from . import pseudo
from .looks import ALL, DRAWN, EVERY, NARROW, WIDE, Look, picture
from .pages import Workspace, expect
from .test_looks import axe
from .test_workspace import visit  # noqa: F401

pytestmark = [pytest.mark.browser, pytest.mark.stack]

PICTURED = Look(WIDE, "en-GB", "light")
STEPS = 40
"""Steps that a rolling update of one Pod may take."""
CROWD = 200
"""Pods of a map that is full."""


class Way(NamedTuple):
    """A look, and with what one goes."""

    look: Look
    mouse: bool

    def __str__(self) -> str:
        return f"{self.look}-{'mouse' if self.mouse else 'keyboard'}"


WAYS = tuple(
    Way(look._replace(pseudo=strange), mouse)
    for mouse in (False, True)
    for strange in (False, True)
    for look in (Look(NARROW, "zh-CN", "light"), PICTURED)
)
IN_TURN = (WAYS[0], WAYS[7], WAYS[6], WAYS[1])
"""Both pages by either hand, two of them in the strange language."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    tests = [name for name in vars(metafunc.module) if name.startswith("test_")]
    ways = [IN_TURN[tests.index(metafunc.function.__name__) % len(IN_TURN)]]
    if metafunc.config.getoption("--pictures"):
        ways = [Way(look, mouse=False) for look in (EVERY if ALL else [PICTURED])]
    elif ALL:
        ways = list(WAYS)
    metafunc.parametrize("way", ways, ids=str)


class Walk:
    """Somebody who goes, whose pictures are kept when they are wanted."""

    def __init__(self, workspace: Workspace, way: Way, folder: Path | None) -> None:
        self.workspace, self.page, self.folder = workspace, workspace.page, folder
        self.look, self.mouse = way
        self.found: dict[str, list[str]] = {}

    def act(self, button: Any) -> None:
        """Press it."""
        button.click() if self.mouse else button.press("Enter")

    def press(self, place: str, key: str = "") -> None:
        """The first button in that place (that is called so)."""
        named = f":has-text('{self.workspace.says(key)}')" if key else ""
        self.act(self.page.locator(f"{place} button{named}").first)

    def choose(self, pod: str) -> None:
        """A Pod of the map."""
        self.workspace.show("map")
        self.act(self.page.locator(f"dd-map .pod:has-text('{pod}')").first)
        self.page.wait_for_selector("dd-map .map-detail h2")

    def close(self) -> None:
        """The dialog that is open."""
        if self.mouse:
            self.page.locator("dialog[open] .why-head .bar-button").last.click()
        else:
            self.page.keyboard.press("Escape")
        self.page.wait_for_selector("dialog[open]", state="detached")

    def predict(self) -> str:
        """Say what comes next, step, and see; what was told of it."""
        page = self.page
        self.press("dd-clock", "predict.open")
        expect(page.locator(".clock-guess input").first).to_be_focused()
        self.look_at("what comes next")
        if self.mouse:
            page.locator(".clock-guess label").nth(1).click()
            page.locator(".clock-guess button").click()
        else:
            page.keyboard.press("ArrowDown")
            page.keyboard.press("Enter")
        page.wait_for_selector(".clock-guess [data-mark=came]")
        expect(page.locator(".clock-guess button")).to_be_focused()
        told: str = page.locator(".clock-said").inner_text()
        right = page.locator(".clock-guess [data-mark=yours]").count() == 0
        assert told.startswith(self.workspace.says("predict.right" if right else "predict.wrong")), told
        self.look_at("what was predicted, and what came")
        self.press("dd-clock", "predict.open")
        page.wait_for_selector(".clock-guess", state="hidden")
        return told

    def look_back(self) -> None:
        self.press("dd-clock", "past.open")
        self.page.wait_for_selector("dd-map.is-past .map-past:not([hidden])")

    def scrub(self, share: float) -> None:
        """The slider to that share of its way; by keyboard to a while before the last thing that was done."""
        slider = self.page.locator("#past-slider")
        if self.mouse:
            box = slider.bounding_box()
            assert box is not None
            self.page.mouse.click(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)
        else:
            self.scrub_to_the_end()
            self.press("dd-past", "past.earlier")
            for _ in range(20):
                slider.press("ArrowLeft")
        self.page.wait_for_selector("dd-past:not([aria-busy])")

    def scrub_to_the_end(self) -> None:
        slider = self.page.locator("#past-slider")
        if self.mouse:
            box = slider.bounding_box()
            assert box is not None
            self.page.mouse.click(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2)
        else:
            slider.press("End")

    def look_at(self, name: str) -> None:
        """The state that was come to."""
        self.page.evaluate(DRAWN)
        found = axe(self.page.context, self.page)
        if self.look.pseudo:
            found += [f"not translated: {text}" for text in pseudo.left_out(self.page)] + pseudo.cut(
                self.page
            )
        if found:
            self.found[name] = found
        if ALL:
            picture(self.page, self.folder, self.look, name)

    def picture(self, name: str, place: str = "body") -> None:
        """Of that place, for docs/time.md."""
        if self.folder is not None and not ALL:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.page.evaluate(DRAWN)
            shown = self.page.locator(place).first
            shown.screenshot(path=self.folder / f"time-{name}.png")


@pytest.fixture
def look(way: Way) -> Look:
    return way.look


@pytest.fixture
def walk(visit: Any, way: Way, request: pytest.FixtureRequest) -> Any:  # noqa: F811
    folder = request.config.getoption("--pictures")
    walk = Walk(visit(), way, Path(folder) if folder else None)
    yield walk
    assert walk.found == {}


def test_a_rolling_update_event_by_event(walk: Walk) -> None:
    """Pause, change the image, and step until the old Pod's ReplicaSet is empty; then leap to the end."""
    workspace, page = walk.workspace, walk.page
    workspace.type("kubectl create deployment web --image=nginx:1.27; kubectl rollout status deployment/web")
    workspace.expect("successfully rolled out")
    workspace.show("map")
    walk.press("dd-clock")
    page.wait_for_selector("dd-clock.stands")
    workspace.type("kubectl set image deployment/web nginx=nginx:1.28")
    workspace.expect("image updated")
    workspace.show("map")
    seen = [walk.predict()]
    seen.append(workspace.step(walk.mouse))
    walk.look_at("a step is told")
    while not any("web-" in each and "spec.replicas: 1 → 0" in each for each in seen):
        assert len(seen) < STEPS, seen
        seen.append(workspace.step(walk.mouse))
    created = next(place for place, each in enumerate(seen) if "ReplicaSet web-" in each)
    assert any("Pod web-" in each for each in seen[created:]), "the Pod comes of its ReplicaSet"
    walk.press("dd-clock", "leap.open")
    page.wait_for_selector(".leap[open]")
    until = page.locator("#leap-until")
    until.fill("deploy/nobody Available")
    until.press("Enter")
    page.wait_for_selector(".leap[open] [role=status]:not(:empty)")
    walk.look_at("go on to a moment")
    until.fill("deploy/web self.status.replicas == 1")
    if walk.mouse:
        page.locator(".leap[open] form:has(#leap-until) button").click()
    else:
        until.press("Enter")
    page.wait_for_selector("dialog[open]", state="detached")
    page.wait_for_selector("dd-clock:not([aria-busy]) .clock-said:has-text('Deployment web')")


def test_why_a_pod_waits_and_what_helps(walk: Walk) -> None:
    """The table says what would change it; that is done, and the Pod is placed. Then its request is followed."""
    workspace, page = walk.workspace, walk.page
    asks = json.dumps({"spec": {"nodeSelector": {"disk": "ssd"}}})
    workspace.type(f"kubectl run picky --image=nginx:1.27 --overrides='{asks}'")
    workspace.expect("pod/picky created")
    workspace.type("until why pod picky | grep -q NodeAffinity; do sleep 1; done; echo told-$((40+2))")
    workspace.expect("told-42")
    walk.choose("picky")
    walk.press("dd-map .map-detail", "why.ask")
    page.wait_for_selector(".why[open] tr:has-text('worker-1') .badge.look-failed")
    expect(page.locator(".why[open] .why-remedies").last).to_contain_text("NodeAffinity")
    page.wait_for_selector(".why[open] #why-unready + ul li")
    walk.look_at("why a Pod waits")
    walk.picture("why", ".why[open]")
    walk.close()
    workspace.type("kubectl label node worker-2 disk=ssd; kubectl wait --for=condition=Ready pod/picky")
    workspace.expect("condition met")
    workspace.show("map")
    walk.press("dd-map .map-detail", "why.ask")
    page.wait_for_selector(".why[open] tr:has-text('worker-2') .badge.look-running")
    expect(page.locator("#why-unready")).to_have_count(0)
    walk.look_at("why a Pod is where it is")
    walk.press(".why[open]", "trail.open")
    for station in ("authentication", "authorization", "store"):
        page.wait_for_selector(f".why[open] li[data-station={station}]")
    told, dialog = (
        page.locator(place).first.bounding_box() for place in (".why[open] li[data-station] p", ".why[open]")
    )
    assert told is not None
    assert dialog is not None
    assert told["width"] > dialog["width"] / 2, "a station is as wide as the dialog"
    walk.look_at("the way of a request")
    walk.close()


def test_what_if_a_node_were_drained_and_then_it_is_so(walk: Walk) -> None:
    workspace, page = walk.workspace, walk.page
    workspace.type("kubectl create deployment web --image=nginx:1.27; kubectl rollout status deployment/web")
    workspace.expect("successfully rolled out")
    walk.choose("web-")
    name = page.locator("dd-map .map-detail h2").inner_text()
    walk.press("dd-map .map-detail", "whatif.open")
    act = page.locator("#whatif-act")
    expect(act).to_be_focused()
    options = page.locator("#whatif-act option").all_inner_texts()
    drains = [workspace.says("whatif.drain", node=f"worker-{number}") for number in (1, 2)]
    place = next(place for place, each in enumerate(options) if each in drains)
    if walk.mouse:
        act.select_option(index=place)  # its list is the browser's own
    else:
        for _ in range(place):
            page.keyboard.press("ArrowDown")
    walk.press(".why[open]", "whatif.ask")
    page.wait_for_selector(".why[open] li[data-what=deleted]:has-text('web-')")
    page.wait_for_selector(".why[open] li[data-what=created]:has-text('web-')")
    walk.look_at("what if a node were drained")
    walk.picture("whatif", ".why[open]")
    walk.press(".why[open]", "whatif.keep")
    page.wait_for_selector(".why:not([open])", state="attached")
    workspace.show("map")
    page.locator(f"dd-map .pod:has-text('{name}')").first.wait_for(state="detached")
    page.locator("dd-map .pod:has-text('web-')").first.wait_for()
    page.wait_for_selector(f"dd-map :text('{workspace.says('map.cordoned')}')")
    walk.look_back()
    page.wait_for_selector("dd-branches details:not([hidden])")
    walk.act(page.locator("dd-branches summary"))
    page.wait_for_selector("dd-branches li[aria-current=true]")
    expect(page.locator("dd-branches li")).to_have_count(2)  # the way it went is kept
    walk.look_at("branches")
    walk.picture("branches", "body")


def test_back_to_before_a_deletion_on_from_there_and_home(walk: Walk) -> None:
    """Scrub, compare, look at the timeline, go on from there, return; undo is a branch, too."""
    workspace, page = walk.workspace, walk.page
    ghost = page.locator("dd-map .pod:has-text('ghost')").first

    def present() -> None:
        page.wait_for_selector("dd-past[hidden]", state="attached")
        workspace.show("map")

    workspace.type("kubectl run ghost --image=nginx:1.27 && kubectl wait --for=condition=Ready pod/ghost")
    workspace.expect("condition met")
    # Of a quarter of an hour it lives for the first ten minutes: a third of the way on it is there.
    workspace.type(
        "time advance 600; kubectl delete pod ghost --now && time advance 300 && echo gone-$((40+2))"
    )
    workspace.expect("gone-42")
    workspace.show("map")
    ghost.wait_for(state="detached")
    walk.look_back()
    walk.look_at("looking back")
    walk.scrub(0.35)
    ghost.wait_for()
    # What has been is only looked at: its buttons to break things would break the present.
    walk.choose("ghost")
    expect(page.locator("dd-map .detail-break")).to_be_attached()
    expect(page.locator("dd-map .detail-break")).to_be_hidden()
    walk.act(page.locator("dd-map .map-detail .detail-head button"))
    walk.press("dd-past", "past.compare")
    page.wait_for_selector("dd-past button[aria-pressed=true]")
    walk.scrub_to_the_end()
    ghost.wait_for(state="detached")
    walk.act(page.locator("dd-past > .past-details > summary"))
    page.wait_for_selector("dd-past .past-since li[data-what=deleted]:has-text('Pod default/ghost')")
    walk.look_at("compare")
    walk.act(page.locator("dd-timeline summary"))
    page.locator("dd-timeline .lane:has(.lane-name:text-is('ghost')) .track-stage").first.wait_for(
        state="attached"
    )
    walk.look_at("timeline")
    walk.scrub(0.35)
    ghost.wait_for()
    walk.press("dd-past", "branches.from")
    present()
    ghost.wait_for()
    walk.look_back()
    walk.act(page.locator("dd-branches summary"))
    page.wait_for_selector("dd-branches li[aria-current=true]:has-text('kB')")
    walk.press("dd-branches", "branches.go")
    present()
    ghost.wait_for(state="detached")
    walk.look_back()
    walk.press("dd-branches", "branches.delete")
    page.wait_for_selector("#confirm[open]")
    walk.look_at("a branch is to go")
    walk.act(page.locator("#confirm-yes"))
    page.wait_for_function("() => document.querySelectorAll('dd-branches li').length === 1")
    walk.press("dd-past", "branches.undo")
    present()
    ghost.wait_for()


def test_a_map_that_is_full(walk: Walk) -> None:
    """Hundreds of Pods, in all three ways to look at them: for its pictures."""
    if walk.folder is None:
        pytest.skip("what is full takes its time: for pictures alone")
    workspace, page = walk.workspace, walk.page
    workspace.type(f"kubectl create deployment crowd --image=nginx:1.27 --replicas={CROWD}; time advance 120")
    workspace.type("echo all-$((40+2))")
    workspace.expect("all-42")
    workspace.show("map")
    page.wait_for_function(
        f"() => document.querySelectorAll('dd-map .pod[data-look=running]').length >= {CROWD}"
    )
    for number, name in enumerate(("nodes", "workloads", "table")):
        walk.act(page.locator(".map-bar .switch button").nth(number))
        page.evaluate(DRAWN)
        walk.look_at(f"full map, {name}")
