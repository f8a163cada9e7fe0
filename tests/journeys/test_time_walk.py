"""The walk of docs/time.md, by keyboard alone: in Chinese on a narrow page, and in English on a wide one.

`pytest tests/journeys/test_time_walk.py --pictures docs/pictures` (`make walk`) keeps its pictures.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .looks import ALL, DRAWN, NARROW, WIDE, Look
from .pages import Workspace, expect
from .test_workspace import visit  # noqa: F401

pytestmark = [pytest.mark.browser, pytest.mark.stack]

PICTURED = Look(WIDE, "en-GB", "light")
LOOKS = (Look(NARROW, "zh-CN", "light"), PICTURED)
STEPS = 40
"""Steps that a rolling update of one Pod may take."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    wanted = PICTURED if metafunc.config.getoption("--pictures") else LOOKS[0]
    metafunc.parametrize("look", LOOKS if ALL else [wanted], ids=str)


class Walk:
    """Somebody with a keyboard, whose pictures are kept when they are wanted."""

    def __init__(self, workspace: Workspace, folder: Path | None) -> None:
        self.workspace, self.page, self.folder = workspace, workspace.page, folder

    def press(self, place: str, key: str = "") -> None:
        """The first button in that place (that is called so)."""
        named = f":has-text('{self.workspace.says(key)}')" if key else ""
        self.page.locator(f"{place} button{named}").first.focus()
        self.page.keyboard.press("Enter")

    def choose(self, pod: str) -> None:
        """A Pod of the map."""
        self.workspace.show("map")
        self.page.locator(f"dd-map .pod:has-text('{pod}')").first.focus()
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector("dd-map .map-detail h2")

    def picture(self, name: str, place: str = "body") -> None:
        """Of that place, for docs/time.md."""
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.page.evaluate(DRAWN)
            shown = self.page.locator(place).first
            shown.screenshot(path=self.folder / f"time-{name}.png")


@pytest.fixture
def walk(visit: Any, look: Look, request: pytest.FixtureRequest) -> Walk:  # noqa: F811
    folder = request.config.getoption("--pictures")
    return Walk(visit(), Path(folder) if folder and look == PICTURED else None)


def test_a_rolling_update_event_by_event(walk: Walk) -> None:
    """Pause, change the image, and step until the old Pod's ReplicaSet is empty; then undo it."""
    workspace, page = walk.workspace, walk.page
    workspace.type("kubectl create deployment web --image=nginx:1.27; kubectl rollout status deployment/web")
    workspace.expect("successfully rolled out")
    workspace.show("map")
    walk.press("dd-clock")
    page.wait_for_selector("dd-clock.stands")
    workspace.type("kubectl set image deployment/web nginx=nginx:1.28")
    workspace.expect("image updated")
    seen: list[str] = []
    while not any("web-" in each and "spec.replicas: 1 → 0" in each for each in seen):
        assert len(seen) < STEPS, seen
        seen.append(workspace.step())
    created = next(place for place, each in enumerate(seen) if "ReplicaSet web-" in each)
    assert any("Pod web-" in each for each in seen[created:]), "the Pod comes of its ReplicaSet"


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
    expect(page.locator(".why[open] .why-remedies")).to_contain_text("NodeAffinity")
    walk.picture("why", ".why[open]")
    page.keyboard.press("Escape")
    workspace.type("kubectl label node worker-2 disk=ssd; kubectl wait --for=condition=Ready pod/picky")
    workspace.expect("condition met")
    workspace.show("map")
    walk.press("dd-map .map-detail", "why.ask")
    page.wait_for_selector(".why[open] tr:has-text('worker-2') .badge.look-running")
    walk.press(".why[open]", "trail.open")
    for station in ("authentication", "authorization", "store"):
        page.wait_for_selector(f".why[open] li[data-station={station}]")
    told, dialog = (
        page.locator(place).first.bounding_box() for place in (".why[open] li[data-station] p", ".why[open]")
    )
    assert told is not None
    assert dialog is not None
    assert told["width"] > dialog["width"] / 2, "a station is as wide as the dialog"


def test_what_if_a_node_were_drained_and_then_it_is_so(walk: Walk) -> None:
    workspace, page = walk.workspace, walk.page
    workspace.type("kubectl create deployment web --image=nginx:1.27; kubectl rollout status deployment/web")
    workspace.expect("successfully rolled out")
    walk.choose("web-")
    name = page.locator("dd-map .map-detail h2").inner_text()
    walk.press("dd-map .map-detail", "whatif.open")
    expect(page.locator("#whatif-act")).to_be_focused()
    options = page.locator("#whatif-act option").all_inner_texts()
    drains = [workspace.says("whatif.drain", node=f"worker-{number}") for number in (1, 2)]
    place = next(place for place, each in enumerate(options) if each in drains)
    for _ in range(place):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(".why[open] li[data-what=deleted]:has-text('web-')")
    page.wait_for_selector(".why[open] li[data-what=created]:has-text('web-')")
    walk.picture("whatif", ".why[open]")
    walk.press(".why[open]", "whatif.keep")
    page.wait_for_selector(".why:not([open])", state="attached")
    workspace.show("map")
    page.locator(f"dd-map .pod:has-text('{name}')").first.wait_for(state="detached")
    page.locator("dd-map .pod:has-text('web-')").first.wait_for()
    page.wait_for_selector(f"dd-map :text('{workspace.says('map.cordoned')}')")
    walk.press("dd-clock", "past.open")
    page.wait_for_selector("dd-branches details:not([hidden])")
    page.locator("dd-branches summary").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("dd-branches li[aria-current=true]")
    expect(page.locator("dd-branches li")).to_have_count(2)  # the way it went is kept
    walk.picture("branches", "body")
