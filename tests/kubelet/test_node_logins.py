"""Somebody logs in to a node's machine (`ssh NODE` in the terminal)."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.sim import Entry
from cluster_engine.sim.journal import pack_bytes


class Login:
    """One session; what it says is gathered."""

    def __init__(self, cluster: Cluster, node: str, argv: list[str] | None = None, tty: bool = False) -> None:
        self.cluster = cluster
        self.said, self.status, self.failure = "", None, None
        entry = cluster.prepare_login(node, argv or ["bash"], tty)
        self.name = f"s{entry.seq}"
        cluster.server.sessions.listen(self.name, self)
        cluster.perform(entry)
        cluster.wait(lambda _: self.status is not None, 2)

    status: int | None
    failure: dict[str, Any] | None

    def output(self, fd: int, data: bytes) -> None:
        self.said += data.decode()

    def closed(self, stream: int, why: str) -> None: ...

    def ended(self, status: int) -> None:
        self.status = status

    def failed(self, status: dict[str, Any]) -> None:
        self.failure, self.status = status, -1

    def type(self, text: str) -> str:
        before = len(self.said)
        payload = {"session": self.name, "data": pack_bytes(text.encode())}
        journal = self.cluster.journal
        self.cluster.perform(Entry(journal.next_seq, self.cluster.clock.now, "session/input", payload))
        self.cluster.wait(lambda _: self.status is not None, 2)
        return self.said[before:]


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(nodes=3, freezing=True)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        pytest.param("hostname", "worker-1\n", id="hostname"),
        pytest.param("cat /etc/hostname", "worker-1\n", id="file"),
        pytest.param("ls /var/log", "containers\npods\n", id="logs"),
        pytest.param("ls /etc/kubernetes", "kubelet.conf\nmanifests\npki\n", id="kubernetes"),
        pytest.param("grep -c staticPodPath /var/lib/kubelet/config.yaml", "1\n", id="kubelet-configuration"),
        pytest.param("echo $HOME; pwd; id -u", "/root\n/root\n0\n", id="root"),
        pytest.param("ps -e -o comm= | sort -u | grep [dt]$", "containerd\ninit\nkubelet\n", id="processes"),
    ],
)
def test_what_is_there(cluster: Cluster, command: str, said: str) -> None:
    login = Login(cluster, "worker-1", ["bash", "-c", command])
    assert (login.said, login.status) == (said, 0)


def test_crictl_shows_what_the_kubelet_runs(cluster: Cluster) -> None:
    cluster.apply(
        {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"},
            "spec": {"nodeName": "worker-1", "containers": [{"name": "c", "image": "nginx:1.27"}]},
        }
    )  # fmt: skip
    assert cluster.settle()
    rows = Login(cluster, "worker-1", ["crictl", "ps"]).said.splitlines()
    assert rows[0].split() == [
        "CONTAINER",
        "IMAGE",
        "CREATED",
        "STATE",
        "NAME",
        "ATTEMPT",
        "POD",
        "ID",
        "POD",
        "NAMESPACE",
    ]
    (mine,) = [row.split() for row in rows if row.endswith("default")]
    status = cluster.get("pods", "web")["status"]["containerStatuses"][0]  # type: ignore[index]
    assert status["containerID"].removeprefix("containerd://").startswith(mine[0])
    assert mine[3:6] == ["Running", "c", "0"]
    assert "web" in Login(cluster, "worker-1", ["crictl", "pods"]).said
    assert "docker.io/library/nginx 1.27" in " ".join(
        Login(cluster, "worker-1", ["crictl", "images"]).said.split()
    )
    assert "web" not in Login(cluster, "worker-2", ["crictl", "ps", "-a"]).said
    logs = Login(cluster, "worker-1", ["crictl", "logs", "x"])
    assert (logs.status, logs.said.splitlines()[0]) == (1, "Usage: crictl ps [-a] | pods | images")


def test_a_shell_stays_until_exit(cluster: Cluster) -> None:
    login = Login(cluster, "worker-2", ["bash", "-l"], tty=True)
    assert "worker-2" in login.said
    assert "hello" in login.type("echo hello > /tmp/x; cat /tmp/x\n")
    assert "hello" in Login(cluster, "worker-2", ["cat", "/tmp/x"]).said
    login.type("exit 3\n")
    assert login.status == 3


def test_what_services_end_as_begins_again(cluster: Cluster) -> None:
    login = Login(
        cluster, "worker-1", ["bash", "-c", "kill -9 $(pgrep kubelet); sleep 1; pgrep kubelet | wc -l"]
    )
    assert login.said == "1\n"


@pytest.mark.parametrize(
    ("node", "error"), [("worker-9", LookupError), ("worker-1", ConnectionError)], ids=["unknown", "off"]
)
def test_nobody_answers(cluster: Cluster, node: str, error: type[Exception]) -> None:
    cluster.fault("node/power", node="worker-1", up=False)
    with pytest.raises(error):
        cluster.prepare_login(node, ["bash"], False)


def test_who_is_there_when_the_power_goes_is_cut_off(cluster: Cluster) -> None:
    login = Login(cluster, "worker-1", ["bash", "-l"], tty=True)
    login.type("echo gone > /tmp/x\n")
    cluster.fault("node/power", node="worker-1", up=False)
    assert login.status is not None
    assert cluster.server.sessions.open_names() == []
    cluster.fault("node/power", node="worker-1", up=True)
    cluster.advance(120)
    assert Login(cluster, "worker-1", ["ls", "/tmp"]).said == ""


def test_a_node_that_is_cut_off_can_be_logged_in_to(cluster: Cluster) -> None:
    cluster.fault("node/partition", node="worker-1", cut=True)
    assert Login(cluster, "worker-1", ["hostname"]).said == "worker-1\n"


def test_lived_again(cluster: Cluster) -> None:
    login = Login(cluster, "worker-1", ["bash", "-l"], tty=True)
    login.type("sleep 100 &\nps\n")
    again = Cluster.replay(cluster.journal)
    assert again.state_hash() == cluster.state_hash()
    fork, kept = cluster.fork(), Cluster.resume(cluster.keyframe())
    for other in (fork, kept):
        other.advance(200)
    cluster.advance(200)
    assert fork.state_hash() == kept.state_hash() == cluster.state_hash()
