"""The whole stack for the journeys: `deploy/up.py` on free ports, with a database of its own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from .clients import Visitor, descendants, new_name, process_name

ROOT = Path(__file__).resolve().parents[2]
START_LIMIT = 300.0
BROWSER_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(frozen=True)
class Stack:
    """A running Drydock: where it is, who teaches there, where its logs are."""

    url: str
    instructor: str
    password: str
    var: Path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """What `make up` starts, and what Ctrl-C stops; no process may be left afterwards."""
    with running(tmp_path_factory.mktemp("var"), {}) as started:
        yield started


@contextmanager
def running(var: Path, settings: dict[str, str], before: Stack | None = None) -> Iterator[Stack]:
    """`make up` in that folder, with these settings beside those of all journeys.

    `before`: what ran in the folder before, whose instructor's account is there already.
    """
    port = _free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith("DRYDOCK_")}
    env |= {
        "DRYDOCK_VAR": str(var),
        "DRYDOCK_PORT": str(port),
        "DRYDOCK_HOSTS": "1",  # so that it can be said which process holds a run
        "DRYDOCK_THROTTLE_ANON": "10000/min",
        "DRYDOCK_THROTTLE_USER": "10000/min",
        "DRYDOCK_THROTTLE_SUBMISSIONS": "10000/min",
        "DRYDOCK_GUESTS_PER_HOUR": "10000",
    } | settings
    output = var / "up.txt"
    with output.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "deploy/up.py"],
            cwd=ROOT,
            env=env,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        url = f"http://127.0.0.1:{port}/"
        deadline = time.monotonic() + START_LIMIT
        while True:
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                pytest.fail(f"make up did not come up:\n{output.read_text()}")
            try:
                with urllib.request.urlopen(f"{url}healthz", timeout=1):
                    break
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        # The account line is printed right after the health check that up.py itself makes.
        while "Drydock is at" not in (text := output.read_text()) and time.monotonic() < deadline:
            time.sleep(0.1)
        account = re.search(r"Instructor account: (\S+) +one-time password: (\S+)", text)
        assert (account is None) == (before is not None), (
            f"no instructor account, or one too many, in:\n{text}"
        )
        if account is None:
            started = replace(before, url=url.rstrip("/"))
        else:
            started = Stack(url.rstrip("/"), account.group(1), new_name("berth-"), var)
            Visitor(started).take_over(account.group(1), account.group(2), started.password)
        yield started
        family = descendants(process.pid)
        assert len(family) >= 4, family  # Redis, two workers, the web server
    finally:
        # Also when a test failed inside: what it started does not stay behind.
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            pytest.fail("Ctrl-C did not stop make up within 30 s")
    left = [name for pid, name in family.items() if process_name(pid) == name]
    assert not left, f"processes were left behind: {left}"


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium, headless. Per module: while Playwright runs, no other test may run an event loop."""
    from playwright.sync_api import sync_playwright

    path = next(
        (
            found
            for name in ("chromium", "chromium-browser", "google-chrome")
            if (found := shutil.which(name))
        ),
        None,
    )
    if path is None:
        pytest.fail("no Chromium was found; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=BROWSER_ARGUMENTS)
        yield browser
        browser.close()
