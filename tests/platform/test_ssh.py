"""`ssh NODE` in the terminal of a run that lives."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from runs.host.logins import Logins
from runs.journal import JournalFullError

from cluster_engine import Cluster
from cluster_engine.serving import ClusterApp, Driver
from cluster_engine.sim import Entry
from cluster_engine.terminal.session import TerminalSession
from cluster_engine.terminal.session_hooks import SessionHooks

LIMIT = 60


@dataclass
class Lab:
    """As much of a hosted run as a login needs."""

    cluster: Cluster
    app: ClusterApp
    abandoned: bool = False

    def abandon(self) -> None:
        self.abandoned = True


class Scene:
    """A terminal beside a cluster whose clock goes."""

    def __init__(self, cluster: Cluster, entries: int = 1_000) -> None:
        self.cluster, self.output, self.entries = cluster, bytearray(), entries
        driver = Driver(cluster, 1.0)
        driver.start()
        self.driver = driver
        self.lab = Lab(cluster, ClusterApp(cluster, driver=driver, admin=True, sink=self._sink))
        program: Any = None
        hooks = SessionHooks(
            on_output=lambda terminal, data: self.output.extend(data), logins=Logins(self.lab)
        )
        self.session = TerminalSession({}, program, hooks)
        self.session.open("1", 120, 30)

    async def _sink(self, entry: Entry) -> None:
        self.entries -= 1
        if self.entries < 0:
            raise JournalFullError("full")

    async def type(self, keys: str, until: str) -> str:
        self.output.clear()
        self.session.feed("1", keys)
        async with asyncio.timeout(LIMIT):
            while until not in self.output.decode("utf-8", "replace"):
                await asyncio.sleep(0.005)
        return self.output.decode("utf-8", "replace").replace("\r\n", "\n")

    async def close(self) -> None:
        await self.session.close()
        self.driver.stop()


@pytest.fixture(scope="module")
def base() -> Cluster:
    return Cluster(nodes=2, seed=3)


def play(
    base: Cluster, *steps: tuple[str, str], off: bool = False, entries: int = 1_000
) -> tuple[list[str], Lab]:
    """What is shown from each input until a text comes."""

    async def main() -> tuple[list[str], Lab]:
        cluster = base.fork()
        if off:
            cluster.fault("node/power", node="worker-1", up=False)
        scene = Scene(cluster, entries)
        try:
            return [await scene.type(*step) for step in steps], scene.lab
        finally:
            await scene.close()

    return asyncio.run(main())


def test_a_shell_on_a_node(base: Cluster) -> None:
    (_came, asked, stopped, left, after), lab = play(
        base,
        ("ssh worker-1\r", "root@worker-1"),
        ("hostname; echo do''ne\r", "done"),
        ("sleep 1000\r\x03echo i''nterrupted\r", "interrupted"),
        ("exit 3\r", "closed"),
        ("echo rc=$? e''nd\r", "end"),
    )
    assert "worker-1\ndone" in asked
    assert "^C" in stopped
    assert "Connection to worker-1 closed.\n" in left
    assert "rc=3 end" in after
    kinds = [entry.kind for entry in lab.cluster.journal.entries]
    assert kinds.count("session/login") == 1
    assert lab.cluster.server.sessions.open_names() == []
    assert Cluster.replay(lab.cluster.journal).list("nodes") == lab.cluster.list("nodes")


@pytest.mark.parametrize(
    ("line", "off", "said"),
    [
        ("ssh root@worker-1 hostname", False, "worker-1\nrc=0"),
        ("ssh worker-1 'exit 7'", False, "rc=7"),
        ("echo hi | ssh worker-1 cat", False, "hi\nrc=0"),
        (
            "ssh -p 2222 worker-1",
            False,
            "ssh: connect to host worker-1 port 2222: Connection refused\nrc=255",
        ),
        (
            "ssh worker-9",
            False,
            "ssh: Could not resolve hostname worker-9: Name or service not known\nrc=255",
        ),
        ("ssh worker-1", True, "ssh: connect to host worker-1 port 22: No route to host\nrc=255"),
        ("ssh control-plane ls /etc/kubernetes/manifests", True, "etcd.yaml\n"),
        (
            "ssh",
            False,
            "usage: ssh [-tT] [-l login_name] [-p port] destination [command [argument ...]]\nrc=255",
        ),
    ],
)
def test_one_line(base: Cluster, line: str, off: bool, said: str) -> None:
    (shown,), _ = play(base, (f"{line}; echo rc=$? do''ne\r", "done"), off=off)
    assert said in shown


def test_a_full_journal_lets_nobody_in(base: Cluster) -> None:
    (shown,), lab = play(base, ("ssh worker-1; echo rc=$? do''ne\r", "done"), entries=0)
    assert "rc=255" in shown
    assert not lab.abandoned


def test_a_journal_that_fills_up_ends_it(base: Cluster) -> None:
    (*_, shown), _ = play(
        base, ("ssh worker-1\r", "root@"), ("ls\r", "closed"), ("echo rc=$? do''ne\r", "done"), entries=2
    )
    assert "rc=255" in shown


def test_ctrl_c_while_nobody_answers(base: Cluster) -> None:
    (_, shown), _ = play(base, ("ssh worker-1\r", "ssh"), ("\x03echo rc=$? do''ne\r", "done"), off=True)
    assert "rc=130" in shown or "rc=255" in shown
