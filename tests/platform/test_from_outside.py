"""What the terminal's own `curl` and friends reach of a cluster that lives."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from runs.host.outside import Dialer

from cluster_engine import Cluster
from cluster_engine.serving import ClusterApp, Driver
from cluster_engine.terminal.programs.standing_outside import NO_NAME, NO_WAY
from cluster_engine.terminal.session import TerminalSession
from cluster_engine.terminal.session_hooks import SessionHooks

LIMIT = 60
WEB = """
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {containers: [{name: c, image: "nginx:1.27"}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 8080, targetPort: 80, nodePort: 30080}]}
"""


@dataclass
class Lab:
    """As much of a hosted run as its terminal's network needs."""

    cluster: Cluster
    app: ClusterApp
    abandoned: bool = False

    def abandon(self) -> None:
        self.abandoned = True


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=2, seed=3)
    cluster.apply(WEB)
    cluster.settle()
    return cluster


def play(base: Cluster, *lines: str) -> tuple[list[str], Lab]:
    """What each line prints."""

    async def scene() -> tuple[list[str], Lab]:
        cluster = base.fork()
        driver = Driver(cluster, 1.0)
        driver.start()
        lab = Lab(cluster, ClusterApp(cluster, driver=driver, admin=True))
        output = bytearray()
        hooks = SessionHooks(on_output=lambda terminal, data: output.extend(data), dialer=Dialer(lab))
        program: Any = None
        session = TerminalSession({}, program, hooks)
        session.open("1", 200, 24)
        said: list[str] = []
        try:
            for number, line in enumerate(lines):
                session.feed("1", f"{line}; echo rc=$? do''ne-{number}\r")
                async with asyncio.timeout(LIMIT):
                    while f"done-{number}\r\n".encode() not in output:
                        await asyncio.sleep(0.005)
                shown = output.decode().partition("\x1b[?2004l")[2]
                said.append(shown.replace("\r\n", "\n").partition(f" done-{number}")[0])
                output.clear()
        finally:
            await session.close()
            driver.stop()
        return said, lab

    return asyncio.run(scene())


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("curl -s http://172.18.0.3:30080/ | grep title", "<title>Welcome to nginx!</title>\nrc=0"),
        ("wget -qO- http://172.18.0.2:30080/ | grep -c nginx", "3\nrc=0"),
        ("curl -sI http://worker-1:30080/ | head -n 1", "HTTP/1.1 200 OK\r\nrc=0"),
        ("curl -s http://worker-1:30081/", "rc=7"),
        ("curl -m 5 http://10.96.0.1/", f"{NO_WAY}rc=7"),
        ("curl http://web/", f"{NO_NAME}rc=6"),
        ("nslookup kubernetes.default", f"{NO_NAME}rc=1"),
        ("nslookup worker-1 | grep 172.18", "Address: 172.18.0.3\nrc=0"),
        (
            "ping -c 1 worker-1 | grep packets",
            "1 packets transmitted, 1 packets received, 0% packet loss\nrc=0",
        ),
        ("printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc worker-1 30080 | head -n 1", "HTTP/1.1 200 OK\r\nrc=0"),
    ],
    ids=lambda value: value[:30],
)
def test_what_is_reached(base: Cluster, line: str, said: str) -> None:
    (shown,), lab = play(base, line)
    assert shown == said or shown.endswith(said), shown
    assert not lab.cluster.failures


def test_nothing_stays_open_and_all_is_in_the_journal(base: Cluster) -> None:
    _, lab = play(base, "curl -s http://worker-1:30080/ >/dev/null", "curl -s http://10.96.0.1/")
    assert lab.cluster.outside.open_names() == []
    kinds = [entry.kind for entry in lab.cluster.journal]
    assert kinds.count("link/open") == kinds.count("link/close") == 1
    again = Cluster.replay(lab.cluster.journal)
    again.clock.run_until(lab.cluster.clock.now)
    assert again.state_hash() == lab.cluster.state_hash()
