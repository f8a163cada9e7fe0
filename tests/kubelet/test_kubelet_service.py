"""A kubelet that is stopped and started: its containers run on, and nobody looks after them."""

from __future__ import annotations

import orjson
import pytest
from test_node_logins import Login

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.kube_apiserver import ADMIN, Request
from cluster_engine.kubelet.service import shutdown_periods

NODE = "worker-1"
POD = """
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  nodeName: worker-1
  terminationGracePeriodSeconds: 2
  tolerations: [{operator: Exists}]
  containers:
    - name: c
      image: nginx
      readinessProbe: {httpGet: {port: 80}, periodSeconds: 2}
"""


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=3, freezing=True)
    cluster.apply(POD)
    cluster.settle()
    cluster.advance(10)
    return cluster


@pytest.fixture
def cluster(base: Cluster) -> Cluster:
    return base.fork()


def systemctl(cluster: Cluster, words: str, node: str = NODE) -> tuple[str, int | None]:
    login = Login(cluster, node, ["bash", "-c", f"systemctl {words}"])
    return login.said, login.status


def ready(cluster: Cluster, node: str = NODE) -> str:
    found = cluster.get("nodes", node)
    assert found is not None
    return str(next(c["status"] for c in found["status"]["conditions"] if c["type"] == "Ready"))


def container(cluster: Cluster) -> JSON:
    found = cluster.get("pods", "web")
    assert found is not None
    (status,) = found["status"]["containerStatuses"]
    return dict(status)


def same(cluster: Cluster) -> None:
    copies = [cluster.fork(), Cluster.resume(cluster.keyframe()), Cluster.replay(cluster.journal)]
    assert {each.state_hash() for each in copies} == {cluster.state_hash()}


def test_stopped_for_long_and_started_again(cluster: Cluster) -> None:
    before = container(cluster)["containerID"]
    assert systemctl(cluster, "is-active kubelet") == ("active\n", 0)
    assert systemctl(cluster, "stop kubelet") == ("", 0)
    assert systemctl(cluster, "is-active kubelet") == ("inactive\n", 3)
    said, status = systemctl(cluster, "status kubelet.service")
    assert "Active: inactive (dead)" in said
    assert status == 3
    cluster.advance(120)
    assert ready(cluster) == "Unknown"
    with pytest.raises(ApiError, match="10250: connect: connection refused"):
        cluster.execute("web", ["true"])
    same(cluster)
    assert systemctl(cluster, "start kubelet") == ("", 0)
    cluster.advance(30)
    assert ready(cluster) == "True"
    after = container(cluster)
    assert (after["containerID"], after["restartCount"], after["ready"]) == (before, 0, True)
    assert cluster.execute("web", ["echo", "here"]).stdout == b"here\n"
    same(cluster)


def test_what_happened_meanwhile_is_made_good(cluster: Cluster) -> None:
    """A container that ended begins again; a Pod that was deleted ends, another one begins."""
    cluster.fault("node/kubelet", node=NODE, running=False)
    cluster.fault("container/kill", pod="web")
    other = POD.replace("name: web", "name: other")
    cluster.apply(other)
    cluster.advance(40)
    assert container(cluster)["restartCount"] == 0
    found = cluster.get("pods", "other")
    assert found is not None
    assert found["status"]["phase"] == "Pending"
    cluster.fault("node/kubelet", node=NODE, running=True)
    cluster.advance(60)
    assert (container(cluster)["restartCount"], container(cluster)["ready"]) == (1, True)
    found = cluster.get("pods", "other")
    assert found is not None
    assert found["status"]["phase"] == "Running"
    cluster.fault("node/kubelet", node=NODE, running=False)
    cluster.delete("pods", "web")
    cluster.advance(40)
    assert cluster.get("pods", "web") is not None
    cluster.fault("node/kubelet", node=NODE, running=True)
    cluster.advance(20)
    assert cluster.get("pods", "web") is None
    same(cluster)


@pytest.mark.parametrize("when", [0.05, 0.3, 0.6, 1.2, 2.0, 3.0, 4.0])
def test_stopped_in_the_middle_of_a_start_and_of_an_end(cluster: Cluster, when: float) -> None:
    cluster.apply(POD.replace("name: web", "name: other"))
    cluster.advance(when)
    for running in (False, True):
        cluster.fault("node/kubelet", node=NODE, running=running)
        cluster.advance(5)
    cluster.advance(60)
    found = cluster.get("pods", "other")
    assert found is not None
    assert [(s["ready"], s["restartCount"]) for s in found["status"]["containerStatuses"]] == [(True, 0)]
    cluster.delete("pods", "other")
    cluster.advance(when)
    for running in (False, True):
        cluster.fault("node/kubelet", node=NODE, running=running)
        cluster.advance(5)
    cluster.advance(60)
    assert cluster.get("pods", "other") is None
    assert cluster.settle()
    same(cluster)


def test_what_somebody_else_says_of_a_pod_is_made_good(cluster: Cluster) -> None:
    """As the node controller does that takes a node for lost whose kubelet has just told of its Pods."""
    (pod,) = cluster.list("pods", "default")
    conditions = [{"type": "Ready", "status": "False"}]
    path = f"/api/v1/namespaces/default/pods/{pod['metadata']['name']}/status"
    kind = {"content-type": "application/strategic-merge-patch+json"}
    body = orjson.dumps({"status": {"conditions": conditions}})
    assert cluster.request(Request("PATCH", path, [], kind, body, ADMIN)).status == 200
    found = []
    for seconds in (5, 10):
        cluster.advance(seconds)
        told = cluster.list("pods", "default")[0]["status"]["conditions"]
        found.append(next(c["status"] for c in told if c["type"] == "Ready"))
    assert found == ["False", "True"]
    same(cluster)


def test_restarted_nobody_notices(cluster: Cluster) -> None:
    before = container(cluster)
    assert systemctl(cluster, "restart kubelet") == ("", 0)
    cluster.advance(60)
    assert ready(cluster) == "True"
    assert container(cluster)["containerID"] == before["containerID"]
    heartbeats = [event for event in cluster.clock.state()["heap"] if event[3] == "kubelet/heartbeat"]
    assert len([event for event in heartbeats if event[4][0] == NODE and event[4][2:] == (1,)]) == 1


def test_on_the_control_plane_the_api_goes_on(cluster: Cluster) -> None:
    assert systemctl(cluster, "stop kubelet", "control-plane") == ("", 0)
    cluster.advance(120)
    assert ready(cluster, "control-plane") == "Unknown"
    cluster.apply(POD.replace("name: web", "name: other"))
    cluster.advance(20)
    found = cluster.get("pods", "other")
    assert found is not None
    assert found["status"]["phase"] == "Running"
    assert systemctl(cluster, "start kubelet", "control-plane") == ("", 0)
    cluster.advance(30)
    assert ready(cluster, "control-plane") == "True"
    assert {p["status"]["phase"] for p in cluster.list("pods", "kube-system")} == {"Running"}


def test_the_machine_goes_down_from_within(cluster: Cluster) -> None:
    """At once, as the kubelet's configuration knows no grace period; with one, its Pods are ended first."""
    at_once = cluster.fork()
    assert systemctl(at_once, "poweroff") == ("", 137)  # who asked for it is gone with it
    at_once.advance(1)
    with pytest.raises(ConnectionError):
        at_once.prepare_login(NODE, ["bash"], False)
    edit = "printf 'shutdownGracePeriod: 30s\\nshutdownGracePeriodCriticalPods: 10s\\n' >> /var/lib/kubelet/config.yaml"
    login = Login(cluster, NODE, ["bash", "-c", f"{edit}; systemctl poweroff"])
    assert login.status == 0
    cluster.advance(15)
    found = cluster.get("pods", "web")
    assert found is not None
    assert found["status"]["reason"] == "Terminated"
    cluster.advance(60)
    with pytest.raises(ConnectionError):
        cluster.prepare_login(NODE, ["bash"], False)
    rebooted = at_once
    rebooted.fault("node/power", node=NODE, up=True)
    rebooted.advance(60)
    systemctl(rebooted, "reboot")
    rebooted.advance(60)
    assert ready(rebooted) == "True"
    assert container(rebooted)["ready"]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("", (0, 0)),
        ("shutdownGracePeriod: 2m\nshutdownGracePeriodCriticalPods: 20s\n", (120, 20)),
        ("shutdownGracePeriod: soon", "time: invalid duration"),
        ("shutdownGracePeriodCriticalPods: 5s", "must be <="),
        ("{", "failed to load kubelet config file"),
    ],
    ids=["none", "both", "no duration", "more than all", "no YAML"],
)
def test_grace_periods(config: str, expected: tuple[int, int] | str) -> None:
    if isinstance(expected, tuple):
        assert shutdown_periods(config) == expected
    else:
        with pytest.raises(ValueError, match=expected):
            shutdown_periods(config)
