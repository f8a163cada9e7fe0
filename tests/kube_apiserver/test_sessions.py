"""Sessions as journal entries: what is typed, who listens, what a replay and a fork make of them."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.kube_apiserver import ADMIN, Request, sessions, subrequests
from cluster_engine.performers import PERFORMERS
from cluster_engine.sim import Entry
from cluster_engine.sim.journal import pack_bytes

POD = """
apiVersion: v1
kind: Pod
metadata: {name: box}
spec: {containers: [{name: c, image: busybox, command: [sh, -c, "while sleep 1; do date +%s >> /tmp/ticks; done"]}]}
"""


class Client:
    """A session from outside, in process."""

    def __init__(self, cluster: Cluster, *command: str, tty: bool = False, verb: str = "exec") -> None:
        self.cluster = cluster
        self.screen = b""
        self.errors = b""
        self.status: int | None = None
        query = [("command", word) for word in command] + [("stdin", "true"), ("stdout", "true")]
        query += [("tty", "true")] if tty else [("stderr", "true")]
        request = Request("POST", f"/api/v1/namespaces/default/pods/box/{verb}", query, user=ADMIN)
        entry = cluster.prepare(request, "session/open")
        self.name = f"s{entry.seq}"
        cluster.server.sessions.listen(self.name, self)
        self.refusal = cluster.perform(entry)

    def output(self, fd: int, data: bytes) -> None:
        if fd == 1:
            self.screen += data
        else:
            self.errors += data

    def closed(self, stream: int, why: str) -> None:
        raise AssertionError("it has no connections")

    def ended(self, status: int) -> None:
        self.status = status

    def failed(self, status: dict[str, Any]) -> None:
        self.why = status["message"]

    def do(self, kind: str, **payload: Any) -> None:
        cluster = self.cluster
        entry = Entry(
            cluster.journal.next_seq, cluster.clock.now, f"session/{kind}", {"session": self.name, **payload}
        )
        cluster.perform(entry)
        cluster.advance(0)

    def type(self, text: str) -> None:
        self.do("input", data=pack_bytes(text.encode()))


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=2, seed=5, freezing=True)
    cluster.apply(POD)
    cluster.settle()
    return cluster


@pytest.fixture
def cluster(base: Cluster) -> Cluster:
    return base.fork()


def test_one_shell_with_its_variables(cluster: Cluster) -> None:
    client = Client(cluster, "sh")
    client.type("x=5; cd /tmp\n")
    cluster.advance(2)
    client.type("echo $x $PWD; echo bad >&2; exit $x\n")
    assert (client.screen, client.errors, client.status) == (b"5 /tmp\n", b"bad\n", 5)


def test_time_goes_on_and_a_replay_is_the_same(cluster: Cluster) -> None:
    client = Client(cluster, "sh", tty=True)
    client.do("resize", columns=120, rows=40)
    client.type("sleep 3; wc -l < /tmp/ticks\r")
    cluster.advance(5)
    client.type("sleep 1000\r")
    cluster.advance(1)
    client.type("\x03")
    client.type("exit\r")
    assert b"^C" in client.screen
    assert client.status == 130
    cluster.advance(1)
    replayed = Cluster.replay(cluster.journal)
    assert replayed.state_hash() == cluster.state_hash()


def test_a_fork_goes_on_with_the_session_and_nobody_listens(cluster: Cluster) -> None:
    client = Client(cluster, "sh")
    client.type("x=1\n")
    fork = cluster.fork()
    seen = client.screen
    entry = Entry(
        fork.journal.next_seq,
        fork.clock.now,
        "session/input",
        {"session": client.name, "data": pack_bytes(b"echo $x > /tmp/fork\nexit\n")},
    )
    fork.perform(entry)
    fork.advance(1)
    assert fork.execute("box", ["cat", "/tmp/fork"]).stdout == b"1\n"
    assert (client.screen, client.status) == (seen, None)
    assert cluster.execute("box", ["cat", "/tmp/fork"]).exit_code == 1


@pytest.mark.parametrize("tty", [False, True])
def test_a_client_that_goes_takes_its_shell_with_it(cluster: Cluster, tty: bool) -> None:
    client = Client(cluster, "sh", tty=tty)
    client.do("close")
    cluster.advance(1)
    assert cluster.server.sessions.open_names() == []
    assert cluster.execute("box", ["sh", "-c", "ps | grep -c '[0-9] sh$'"]).stdout == b"0\n"


@pytest.mark.parametrize("verb", ["exec", "attach"])
def test_a_session_ends_with_its_pod(cluster: Cluster, verb: str) -> None:
    client = Client(cluster, *(["sh"] if verb == "exec" else []), tty=verb == "exec", verb=verb)
    assert client.refusal is None
    cluster.delete("pods", "box")
    cluster.settle()
    assert client.status == 137
    assert cluster.server.sessions.open_names() == []


def test_what_comes_too_late_is_ignored(cluster: Cluster) -> None:
    client = Client(cluster, "true")
    cluster.advance(0)
    assert client.status == 0
    for kind, payload in (("input", {"data": pack_bytes(b"x"), "end": True}), ("close", {})):
        client.do(kind, **payload)
    client.do("resize", columns=80, rows=24)


def test_sessions_are_limited(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "SESSIONS", 1)
    monkeypatch.setattr(subrequests, "SESSIONS", 1)
    first = Client(cluster, "cat")
    refused = Client(cluster, "cat")
    assert refused.refusal is not None
    assert refused.refusal.status == 429
    assert b"a cluster may have 1 open sessions" in refused.refusal.body
    first.do("input", end=True)
    assert first.status == 0
    assert Client(cluster, "cat").refusal is None


def test_a_terminal_is_not_larger(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(cluster, "sh", tty=True)
    node = cluster.server.sessions._node(client.name)
    sizes: list[tuple[int, int]] = []
    monkeypatch.setattr(node, "resize", lambda session, columns, rows: sizes.append((columns, rows)))
    limit = sessions.COLUMNS
    for columns, rows in ((limit, limit), (limit + 1, 1), (1, limit + 1), (0, 1), (1, 0)):
        client.do("resize", columns=columns, rows=rows)
    assert (sizes, sessions.ROWS) == ([(limit, limit)], limit)


def test_nobody_listens_to_a_session_that_was_refused(cluster: Cluster) -> None:
    assert Client(cluster, "nothing-like-it").refusal is not None
    assert cluster.server.sessions._listeners == {}


def test_a_command_that_does_not_end(cluster: Cluster) -> None:
    with pytest.raises(TimeoutError, match="'sleep 100' still runs after 5 virtual seconds"):
        cluster.execute("box", ["sleep", "100"], limit=5)
    with pytest.raises(ApiError, match="executable file not found"):
        cluster.execute("box", ["bash"])


def test_every_kind_of_entry_has_a_performer(cluster: Cluster) -> None:
    assert sorted(PERFORMERS) == [
        "clock", "cloud/api", "cloud/group", "cloud/machine", "cloud/quota", "component/stop", "container/kill",
        "container/throttle",
        "file", "link/close", "link/input", "link/open", "node/fill", "node/kubelet", "node/partition",
        "node/power", "node/shutdown", "node/slow", "refused", "registry/fail", "request", "session/close",
        "session/connect", "session/input", "session/login", "session/open", "session/resize", "session/send",
        "wire",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="has the unknown kind 'magic'"):
        cluster.perform(Entry(cluster.journal.next_seq, cluster.clock.now, "magic", {}))
