"""How smooth the map is: the page's own bundle in a headless Chromium, with a cluster that is made up here.

`python -m bench map --json`. 300 Pods on 20 nodes, 30 changes a second for ten seconds; then the same on a
processor that is THROTTLE times slower. Needs a built front end, Chromium, and Playwright.
"""

from __future__ import annotations

import gzip
import json
import shutil
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

from playwright.sync_api import CDPSession, Route, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "static" / "dist"
PODS, CHANGES_PER_SECOND, SECONDS = 300, 30, 10
ACTS = 60
"""Times that Enter chooses a Pod, or a key changes the table's filter, while the cluster changes.

The browser tells those of 16 ms and more.
"""
THROTTLE = 6
"""How many times slower than this machine the reader's is taken to be, by Chromium's own doing."""
ADDRESS = "http://map.bench/"
PAGE = ROOT / "bench" / "map.html"
"""The page around the map, and the cluster that it sees."""


def measure() -> Iterator[dict[str, Any]]:
    """Frame times and long tasks by way of looking, and how large the scripts are."""
    sizes = {path.stem: len(gzip.compress(path.read_bytes(), 9)) for path in sorted(DIST.glob("*.js"))}
    yield {"what": "script", **{f"{name}_gzip_bytes": size for name, size in sizes.items()}}
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for (mode, number), slower in product((("nodes", 0), ("workloads", 1), ("table", 2)), (1, THROTTLE)):
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.route(f"{ADDRESS}**", _answer)
            page.goto(ADDRESS)
            page.click("[data-watch]")
            page.locator(".map-body .pod").nth(PODS - 1).wait_for(state="attached")
            page.locator(".map-bar button").nth(number).click()
            session = page.context.new_cdp_session(page)
            session.send("Performance.enable", {"timeDomain": "threadTicks"})
            session.send("Emulation.setCPUThrottlingRate", {"rate": slower})
            before = _spent(session)
            asked = {"rate": CHANGES_PER_SECOND, "seconds": SECONDS}
            page.evaluate("asked => { window.measured = measure(asked) }", asked)
            for turn in range(ACTS):
                if mode == "table":
                    page.locator(".map-filter").press("Backspace" if turn % 2 else "p")
                else:
                    page.locator(".map-body .pod").nth(turn * 7 % PODS).press("Enter")
            found = page.evaluate("() => window.measured")
            spent = {name: (after - before[name]) * 1000 for name, after in _spent(session).items()}
            per_frame = {f"{name}_cpu_ms_per_frame": ms / len(found["frames"]) for name, ms in spent.items()}
            yield {
                "what": mode,
                "slower": slower,
                "pods": PODS,
                "changes_per_second": CHANGES_PER_SECOND,
                **_told(found),
                **per_frame,
            }
            page.close()
        browser.close()


def _spent(session: CDPSession) -> dict[str, float]:
    """Seconds of the page's own thread so far."""
    metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    return {
        name: metrics[f"{metric}Duration"]
        for name, metric in (
            ("script", "Script"),
            ("style", "RecalcStyle"),
            ("layout", "Layout"),
            ("task", "Task"),
        )
    }


def _answer(route: Route) -> None:
    name = route.request.url.removeprefix(ADDRESS)
    if not name:
        route.fulfill(path=PAGE)
    elif (file := DIST / name).is_file():
        route.fulfill(path=file)
    else:
        route.fulfill(status=404)


def _told(found: dict[str, list[float]]) -> dict[str, float]:
    frames, drawn, acts, long = (sorted(found[name]) for name in ("frames", "drawn", "acts", "long"))
    return {
        "frames": len(frames),
        "frame_ms_p50": frames[len(frames) // 2],
        "frame_ms_p95": frames[len(frames) * 95 // 100],
        "drawn_ms_p95": drawn[len(drawn) * 95 // 100],
        "acts": len(acts),
        "act_ms_p95": acts[len(acts) * 95 // 100] if acts else 0.0,
        "long_tasks": len(long),
        "long_task_ms_longest": max(long, default=0.0),
    }


def main() -> int:
    for result in measure():
        print(json.dumps(result), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
