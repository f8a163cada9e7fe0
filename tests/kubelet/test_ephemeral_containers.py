"""Containers that are added to a Pod for debugging: what may be added, what they see, that they stay."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.kube_apiserver import ADMIN, Request

PATH = "/api/v1/namespaces/default/pods/p/ephemeralcontainers"
LONG = ["sleep", "99999"]


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=2, seed=5, freezing=True)
    main = {"name": "main", "image": "nginx:1.28"}
    brief = {"name": "brief", "image": "busybox", "command": ["true"]}
    for name, containers, spec in (
        ("p", [main], {"terminationGracePeriodSeconds": 1}),
        (
            "shared",
            [main, {"name": "b", "image": "busybox", "command": LONG}],
            {"shareProcessNamespace": True},
        ),
        ("ended", [{**main, "name": "c"}, brief], {"restartPolicy": "Never"}),
    ):
        meta = {"name": name}
        spec = {**spec, "containers": containers}
        cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    cluster.advance(10)
    return cluster


@pytest.fixture
def cluster(base: Cluster) -> Cluster:
    return base.fork()


def debugger(name: str = "dbg", **more: Any) -> JSON:
    return {"name": name, "image": "busybox", "command": LONG, **more}


def add(cluster: Cluster, *containers: JSON, pod: str = "p", kind: str = "strategic-merge") -> JSON:
    body = orjson.dumps({"spec": {"ephemeralContainers": list(containers)}})
    path = f"/api/v1/namespaces/default/pods/{pod}/ephemeralcontainers"
    headers = {"content-type": f"application/{kind}-patch+json"}
    answer = cluster.request(Request("PATCH", path, [], headers, body, ADMIN))
    found: JSON = orjson.loads(answer.body)
    return found


def pod_of(cluster: Cluster, name: str = "p") -> JSON:
    found = cluster.get("pods", name)
    assert found is not None
    return found


def state(cluster: Cluster, index: int = 0, pod: str = "p") -> JSON:
    found: JSON = pod_of(cluster, pod)["status"]["ephemeralContainerStatuses"][index]["state"]
    return found


REFUSED: dict[str, tuple[list[JSON], str]] = {
    "no image": ([{"name": "x"}], "spec.ephemeralContainers[0].image: Required value"),
    "a name that is taken": (
        [debugger("main")],
        'spec.ephemeralContainers[0].name: Duplicate value: "main"',
    ),
    "a target that is not there": (
        [debugger(targetContainerName="nobody")],
        'spec.ephemeralContainers[0].targetContainerName: Not found: "nobody"',
    ),
    "ports": (
        [debugger(ports=[{"containerPort": 80}])],
        "spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container",
    ),
    "resources": (
        [debugger(resources={"limits": {"cpu": "1"}})],
        "spec.ephemeralContainers[0].resources: Forbidden: cannot be set for an Ephemeral Container",
    ),
    "a probe": (
        [debugger(livenessProbe={"tcpSocket": {"port": 80}})],
        "spec.ephemeralContainers[0].livenessProbe: Forbidden: cannot be set for an Ephemeral Container",
    ),
}


@pytest.mark.parametrize(("containers", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(cluster: Cluster, containers: list[JSON], message: str) -> None:
    answer = add(cluster, *containers)
    assert answer["code"] == 422
    assert message in answer["message"]


CHANGED: dict[str, tuple[list[JSON], str]] = {
    "taken out": ([], 'existing ephemeral containers "dbg" may not be removed\n'),
    "another image": (
        [debugger(image="alpine")],
        'existing ephemeral containers "dbg" may not be changed\n',
    ),
}


@pytest.mark.parametrize(("containers", "message"), CHANGED.values(), ids=CHANGED.keys())
def test_what_was_added_stays(cluster: Cluster, containers: list[JSON], message: str) -> None:
    assert add(cluster, debugger())["kind"] == "Pod"
    answer = add(cluster, *containers, kind="merge")
    assert (answer["code"], message in answer["message"]) == (422, True)
    assert "spec.ephemeralContainers: Forbidden" in answer["message"]


def test_only_the_containers_are_taken(cluster: Cluster) -> None:
    body = {
        "metadata": {"labels": {"new": "label"}},
        "spec": {"ephemeralContainers": [debugger()], "nodeName": "elsewhere"},
    }
    headers = {"content-type": "application/merge-patch+json"}
    cluster.request(Request("PATCH", PATH, [], headers, orjson.dumps(body), ADMIN))
    found = pod_of(cluster)
    assert "new" not in (found["metadata"].get("labels") or {})  # but for those of its node's place
    assert found["spec"]["nodeName"] == "worker-1"
    assert found["spec"]["ephemeralContainers"][0]["imagePullPolicy"] == "Always"
    assert found["metadata"]["generation"] == 2


def test_static_pods_have_none(cluster: Cluster) -> None:
    path = "/api/v1/namespaces/kube-system/pods/kube-scheduler-control-plane/ephemeralcontainers"
    body = orjson.dumps({"spec": {"ephemeralContainers": [debugger()]}})
    headers = {"content-type": "application/strategic-merge-patch+json"}
    answer = cluster.request(Request("PATCH", path, [], headers, body, ADMIN))
    assert answer.status == 422
    assert b"static pods do not support ephemeral containers" in answer.body


def test_it_runs_once_and_never_again(cluster: Cluster) -> None:
    add(cluster, debugger(command=["sh", "-c", "exit 4"]))
    cluster.advance(400)
    status = pod_of(cluster)["status"]
    (only,) = status["ephemeralContainerStatuses"]
    assert (only["state"]["terminated"]["exitCode"], only["restartCount"], only["ready"]) == (4, 0, False)
    assert "started" not in only
    assert status["phase"] == "Running"
    assert {c["type"]: c["status"] for c in status["conditions"]}["Ready"] == "True"
    assert Cluster.replay(cluster.journal).state_hash() == cluster.state_hash()


def test_an_image_that_is_not_there_is_tried_again(cluster: Cluster) -> None:
    add(cluster, debugger(image="nothing-like-it"))
    cluster.advance(60)
    assert state(cluster)["waiting"]["reason"] in ("ErrImagePull", "ImagePullBackOff")
    assert pod_of(cluster)["status"]["phase"] == "Running"


def test_it_ends_with_its_target(cluster: Cluster) -> None:
    """Their process namespace goes with its first process."""
    add(cluster, debugger(targetContainerName="main", securityContext={"runAsUser": 0}))
    cluster.advance(5)
    assert "nginx -g" in cluster.execute("p", ["ps"], container="dbg").stdout.decode()
    cluster.execute("p", ["kill", "1"], container="dbg")
    cluster.advance(20)
    assert state(cluster)["terminated"]["exitCode"] == 137
    (main,) = pod_of(cluster)["status"]["containerStatuses"]
    assert (main["restartCount"], "running" in main["state"]) == (1, True)


def test_a_target_that_has_ended(cluster: Cluster) -> None:
    add(cluster, debugger(targetContainerName="brief"), pod="ended")
    cluster.advance(20)
    waiting = state(cluster, pod="ended")["waiting"]
    assert waiting["reason"] == "CreateContainerError"
    assert waiting["message"].endswith("is not running - in state CONTAINER_EXITED")


def test_containers_that_share_their_processes(cluster: Cluster) -> None:
    shown = cluster.execute("shared", ["ps"], container="b").stdout.decode()
    assert [line.split(maxsplit=3)[3] for line in shown.splitlines()[1:]] == [
        "/pause",
        "nginx -g daemon off;",
        "sleep 99999",
        "ps",
    ]
    cluster.execute("shared", ["killall", "sleep"], container="b")
    cluster.advance(30)
    restarts = [c["restartCount"] for c in pod_of(cluster, "shared")["status"]["containerStatuses"]]
    assert restarts == [0, 1]
    copy = Cluster.restore(cluster.snapshot())
    assert copy.state_hash() == cluster.state_hash()
    assert copy.execute("shared", ["ps"], container="b") == cluster.execute("shared", ["ps"], container="b")


def test_what_a_node_shows(cluster: Cluster) -> None:
    box = {
        "name": "c",
        "image": "busybox",
        "command": LONG,
        "volumeMounts": [{"name": "h", "mountPath": "/host"}],
    }
    spec = {"containers": [box], "volumes": [{"name": "h", "hostPath": {"path": "/"}}]}
    for node in ("control-plane", "worker-1"):
        meta = {"name": f"on-{node}"}
        cluster.apply(
            {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {**spec, "nodeName": node}}
        )
    cluster.advance(10)
    listed = {
        node: cluster.execute(f"on-{node}", ["ls", "/host/etc/kubernetes/manifests"]).stdout.decode().split()
        for node in ("control-plane", "worker-1")
    }
    assert listed == {
        "control-plane": [
            "etcd.yaml",
            "kube-apiserver.yaml",
            "kube-controller-manager.yaml",
            "kube-scheduler.yaml",
        ],
        "worker-1": [],
    }
    assert cluster.execute("on-worker-1", ["cat", "/host/etc/hostname"]).stdout == b"worker-1\n"
