"""The files of a node in which its containers' logs lie: read by a login, by a hostPath, and tailed by an agent."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.container_runtime import logs
from cluster_engine.container_runtime.images import fluent
from cluster_engine.kube_apiserver import ADMIN, Request
from cluster_engine.kubelet import node_logs
from cluster_engine.kubelet.node_logs import cri_line
from cluster_engine.sim import parse_rfc3339
from tests.kubelet.test_node_logins import Login

NODE = "worker-1"


def pod(name: str, script: str, image: str = "busybox:1.36", **spec: Any) -> JSON:
    container: JSON = {"name": "c", "image": image, "volumeMounts": spec.pop("mounts", [])}
    if script:
        container["command"] = ["sh", "-c", script]
    spec = {"nodeName": NODE, "terminationGracePeriodSeconds": 0, "containers": [container], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


SHOWS = {"volumes": [{"name": "log", "hostPath": {"path": "/var/log"}}]}
MOUNT = {"mounts": [{"name": "log", "mountPath": "/var/log"}], **SHOWS}


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=2, freezing=True, addons=False)
    cluster.apply(pod("talks", "echo one; echo two >&2; printf half; sleep 100d"))
    cluster.apply(pod("ends", "printf 'the end'", restartPolicy="Never"))
    cluster.settle()
    return cluster


@pytest.fixture
def cluster(base: Cluster) -> Cluster:
    return base.fork()


def on_node(cluster: Cluster, command: str) -> str:
    return Login(cluster, NODE, ["bash", "-c", command]).said


def log(cluster: Cluster, name: str, **query: str) -> str:
    path = f"/api/v1/namespaces/default/pods/{name}/log"
    return cluster.request(Request("GET", path, list(query.items()), user=ADMIN)).body.decode()


def uid(cluster: Cluster, name: str) -> str:
    found = cluster.get("pods", name)
    assert found is not None
    return str(found["metadata"]["uid"])


@pytest.mark.parametrize(
    ("line", "written"),
    [
        pytest.param((1_500_000, "stdout", "a b\n"), "1970-01-01T00:00:01.5Z stdout F a b\n", id="whole"),
        pytest.param((2_000_000, "stderr", "half"), "1970-01-01T00:00:02Z stderr P half\n", id="partial"),
        pytest.param((1, "stdout", "\n"), "1970-01-01T00:00:00.000001Z stdout F \n", id="empty"),
    ],
)
def test_a_line_of_the_cri(line: logs.LogLine, written: str) -> None:
    assert cri_line(line) == written


def test_a_login_reads_them(cluster: Cluster) -> None:
    folder = f"/var/log/pods/default_talks_{uid(cluster, 'talks')}/c"
    assert on_node(cluster, f"ls {folder}") == "0.log\n"
    said = on_node(cluster, f"cut -d' ' -f2- {folder}/0.log")
    assert said == "stdout F one\nstderr F two\n"
    link = on_node(cluster, "ls /var/log/containers/talks_default_c-*")
    assert on_node(cluster, f"readlink {link}") == f"{folder}/0.log\n"
    assert parse_rfc3339(on_node(cluster, f"cut -d' ' -f1 {folder}/0.log | head -1").strip())


def test_a_last_line_without_its_end_stays_so(cluster: Cluster) -> None:
    assert log(cluster, "ends") == "the end"
    assert log(cluster, "ends", timestamps="true").endswith("Z the end")
    assert on_node(cluster, "cat /var/log/containers/ends_*").endswith(" stdout P the end\n")


def test_one_who_is_logged_in_sees_what_comes(cluster: Cluster) -> None:
    cluster.apply(pod("ticks", "while :; do echo tick; sleep 5; done"))
    cluster.advance(3)
    login = Login(cluster, NODE, ["bash", "-c", "tail -n 1 -f /var/log/containers/ticks_*"])
    first = login.said.count("F tick")
    cluster.advance(20)
    assert first == 1
    assert login.said.count("F tick") == 5


@pytest.mark.parametrize(
    ("path", "place"),
    [
        pytest.param("/", "/host/var/log/containers", id="all of the node"),
        pytest.param("/var", "/host/log/containers", id="var"),
        pytest.param("/var/log/", "/host/containers", id="log"),
        pytest.param("/var/log/containers", "/host", id="the folder"),
    ],
)
def test_a_host_path_shows_them(cluster: Cluster, path: str, place: str) -> None:
    mounts = [{"name": "host", "mountPath": "/host"}]
    volumes = [{"name": "host", "hostPath": {"path": path}}]
    cluster.apply(pod("looks", f"ls {place}; sleep 100d", mounts=mounts, volumes=volumes))
    cluster.settle()
    found = log(cluster, "looks").split()
    assert [name.partition("_")[0] for name in found] == ["ends", "looks", "talks"]


def test_the_folder_of_one_pod(cluster: Cluster) -> None:
    path = f"/var/log/pods/default_talks_{uid(cluster, 'talks')}"
    mounts = [{"name": "host", "mountPath": "/host"}]
    volumes = [{"name": "host", "hostPath": {"path": path}}]
    cluster.apply(pod("looks", "cut -c30- /host/c/0.log; sleep 100d", mounts=mounts, volumes=volumes))
    cluster.settle()
    assert "F one" in log(cluster, "looks")


def test_the_run_before_has_its_file(cluster: Cluster) -> None:
    cluster.apply(pod("falls", "echo run; exit 1"))
    cluster.advance(30)
    assert on_node(cluster, "cd /var/log/pods/default_falls_*/c && ls") == "1.log\n2.log\n"
    assert on_node(cluster, "ls /var/log/containers/falls_* | wc -l") == "2\n"
    cluster.delete("pods", "falls")
    cluster.settle()
    assert on_node(cluster, "ls /var/log/containers | grep -c falls") == "0\n"


def test_logs_are_rotated(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "FILE_PAGES", 2)
    script = (
        f"i=0; while [ $i -lt 700 ]; do echo $i {'0' * 60}; i=$((i+1)); [ $((i%70)) = 0 ] && sleep 1; done"
    )
    cluster.apply(pod("much", f"{script}; sleep 100d"))
    cluster.advance(20)
    found = on_node(cluster, "cd /var/log/pods/default_much_*/c && ls").split()
    assert found[0] == "0.log"
    assert len(found) == logs.MAX_FILES
    assert all(len(name) == len("0.log.20251101-000000") for name in found[1:])
    assert on_node(cluster, "cut -d' ' -f4 /var/log/pods/default_much_*/c/0.log | tail -1") == "699\n"


def test_a_node_shows_so_much(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_logs, "MAX_SHOWN", 60)
    assert on_node(cluster, "ls /var/log/containers | cut -d_ -f1") == "ends\n"


CONF = """
[INPUT]
    Name tail
    Tag kube.*
    Path /var/log/containers/*.log
    multiline.parser docker, cri
[OUTPUT]
    Name stdout
"""


def agent(image: str) -> JSON:
    """A DaemonSet as the notes have it."""
    mounts = [{"name": "log", "mountPath": "/var/log"}]
    volumes = [*SHOWS["volumes"]]
    if "bit" in image:
        mounts.append({"name": "conf", "mountPath": "/fluent-bit/etc"})
        volumes.append({"name": "conf", "configMap": {"name": "conf"}})
    container = {"name": "agent", "image": image, "volumeMounts": mounts}
    template = {
        "metadata": {"labels": {"name": "agent"}},
        "spec": {"containers": [container], "volumes": volumes},
    }
    spec = {"selector": {"matchLabels": {"name": "agent"}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "agent"}, "spec": spec}


@pytest.mark.parametrize(
    ("image", "line"),
    [
        pytest.param(
            "fluent/fluent-bit:3.0", '"stream"=>"stdout", "_p"=>"F", "log"=>"tick"}]', id="fluent-bit"
        ),
        pytest.param(
            "quay.io/fluentd_elasticsearch/fluentd:v5.0.1",
            '"stream":"stdout","logtag":"F","message":"tick"}',
            id="fluentd",
        ),
    ],
)
def test_a_daemon_set_tails_them(cluster: Cluster, image: str, line: str) -> None:
    meta = {"name": "conf", "namespace": "default"}
    cluster.apply(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"fluent-bit.conf": CONF}}
    )
    cluster.apply(agent(image))
    cluster.apply(pod("ticks", "while :; do echo tick; sleep 5; done"))
    cluster.advance(60)
    agents = [p for p in cluster.list("pods", "default") if p["metadata"]["name"].startswith("agent-")]
    name = next(p["metadata"]["name"] for p in agents if p["spec"]["nodeName"] == NODE)
    said = log(cluster, name)
    assert said.count(line) >= 8
    assert ".var.log.containers.ticks_default_c-" in said
    assert f"{name}_" not in said.replace(f"/{name}", "")


def tails(cluster: Cluster) -> str:
    meta = {"name": "conf", "namespace": "default"}
    cluster.apply(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"fluent-bit.conf": CONF}}
    )
    mounts = [*MOUNT["mounts"], {"name": "conf", "mountPath": "/fluent-bit/etc"}]
    volumes = [*SHOWS["volumes"], {"name": "conf", "configMap": {"name": "conf"}}]
    cluster.apply(pod("agent", "", "fluent/fluent-bit", mounts=mounts, volumes=volumes))
    cluster.advance(20)
    return log(cluster, "agent")


def test_an_agent_tails_so_many(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fluent, "TAILED", 1)
    assert tails(cluster).count("inotify_fs_add") == 1


def test_an_agent_takes_so_much_at_once(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fluent, "TAKEN", 60)
    said = tails(cluster)
    assert [word for word in ("one", "two", "the end") if f'"log"=>"{word}"' in said] == [
        "one",
        "two",
        "the end",
    ]


def test_where_it_is_cut_does_not_show(cluster: Cluster) -> None:
    tail = "tail -n +1 -F /var/log/containers/ticks_*; sleep 100d"
    cluster.apply(pod("ticks", "while :; do echo tick; sleep 5; done"))
    cluster.apply(pod("looks", f"sleep 8; {tail}", **MOUNT))
    cluster.advance(20)
    other = Cluster.resume(cluster.keyframe(), [])
    for each in (cluster, other):
        each.advance(23)
    assert other.state_hash() == cluster.state_hash()
    assert log(cluster, "looks").count("F tick") >= 8
    kubelet: Any = cluster.components["kubelet"]
    assert "stdout F tick" not in str(kubelet.runtime.sandboxes.state())


def test_what_is_written_beside_them_stays(cluster: Cluster) -> None:
    script = (
        "echo kept > /var/log/own; echo lost > /var/log/pods/own; sleep 3; cat /var/log/own /var/log/pods/own"
    )
    cluster.apply(pod("writes", f"{script}; sleep 100d", **MOUNT))
    cluster.advance(10)
    said = log(cluster, "writes")
    assert said == "kept\ncat: can't open '/var/log/pods/own': No such file or directory\n"


def test_what_waits_is_remembered_for_so_many(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cluster_engine.kubelet.runtime.IMAGINATIONS", 1)
    cluster.apply(pod("ticks", "while true; do echo tick; sleep 10; done"))
    cluster.apply(pod("tocks", "while true; do echo tock; sleep 10; done"))
    cluster.advance(60)
    for _ in range(2):
        said = [log(cluster, name) for name in ("ticks", "tocks")]
        assert [text.split() for text in said] == [
            ["tick"] * len(said[0].split()),
            ["tock"] * len(said[1].split()),
        ]
        assert min(map(len, said)) > 10
        cluster.advance(60)
