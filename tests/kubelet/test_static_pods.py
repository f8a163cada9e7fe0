"""Static Pods: what lies in a node's manifest folder runs, and components of the control plane stop with theirs."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from test_node_logins import Login

from cluster_engine import Cluster
from cluster_engine.apimachinery import yaml
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.kube_apiserver import ADMIN, Request

FOLDER = "/etc/kubernetes/manifests"


@pytest.fixture(scope="module")
def base() -> Cluster:
    return Cluster(nodes=3, freezing=True)


@pytest.fixture
def cluster(base: Cluster) -> Cluster:
    return base.fork()


def do(cluster: Cluster, node: str, command: str) -> None:
    login = Login(cluster, node, ["bash", "-c", command])
    assert login.status == 0, login.said
    cluster.settle()


def names(cluster: Cluster, namespace: str = "kube-system") -> list[str]:
    return [p["metadata"]["name"] for p in cluster.list("pods", namespace)]


def pod(name: str, image: str = "registry.k8s.io/pause:3.10", **meta: Any) -> JSON:
    spec = {"containers": [{"name": "c", "image": image}], "terminationGracePeriodSeconds": 1}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **meta}, "spec": spec}


def write(cluster: Cluster, node: str, file: str, text: str) -> None:
    do(cluster, node, f"cat > {FOLDER}/{file} <<'END'\n{text}\nEND")


def wait(cluster: Cluster, seconds: float = 60) -> None:
    cluster.settle()
    cluster.advance(seconds)


def test_reading_the_manifests_changes_nothing(cluster: Cluster) -> None:
    before = [(p["metadata"]["name"], p["metadata"]["uid"]) for p in cluster.list("pods")]
    do(cluster, "control-plane", f"cat {FOLDER}/*.yaml >/dev/null; touch {FOLDER}/kube-scheduler.yaml")
    wait(cluster)
    assert [(p["metadata"]["name"], p["metadata"]["uid"]) for p in cluster.list("pods")] == before


def _set(cluster: Cluster) -> None:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": pod("x")["spec"]}
    del template["spec"]["terminationGracePeriodSeconds"]
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    cluster.apply({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web"}, "spec": spec})


def _phases(cluster: Cluster) -> list[str]:
    return [p["status"]["phase"] for p in cluster.list("pods", "default")]


STOPPED = {
    "kube-scheduler": ["Pending", "Pending"],
    "kube-controller-manager": [],
}


@pytest.mark.parametrize(("component", "phases"), STOPPED.items(), ids=STOPPED.keys())
def test_a_component_stops_with_its_manifest(cluster: Cluster, component: str, phases: list[str]) -> None:
    """Moved away, nobody does its work; put back, the work is done. Any copy of the cluster goes on alike."""
    name = f"{component}-control-plane"
    do(cluster, "control-plane", f"mv {FOLDER}/{component}.yaml /etc/kubernetes/")
    wait(cluster)
    assert name not in names(cluster)
    _set(cluster)
    assert cluster.settle()
    assert _phases(cluster) == phases
    copies = [cluster.fork(), Cluster.restore(cluster.snapshot()), Cluster.resume(cluster.keyframe())]
    for each in (cluster, *copies):
        do(each, "control-plane", f"mv /etc/kubernetes/{component}.yaml {FOLDER}/")
        wait(each)
        assert name in names(each)
        assert _phases(each) == ["Running", "Running"]
        assert each.state_hash() == cluster.state_hash()
    assert Cluster.replay(cluster.journal).state_hash() == cluster.state_hash()


@pytest.mark.parametrize("component", STOPPED)
def test_as_a_fault(cluster: Cluster, component: str) -> None:
    cluster.fault("component/stop", component=component, stopped=True)
    wait(cluster)
    assert f"{component}-control-plane" not in names(cluster)
    listing = Login(cluster, "control-plane", ["ls", "/etc/kubernetes", FOLDER]).said
    assert listing.split() == [
        "/etc/kubernetes:",
        f"{component}.yaml",
        "manifests",
        "pki",
        f"{FOLDER}:",
        *(f"{n}.yaml" for n in ("etcd", "kube-apiserver", *sorted(STOPPED)) if n != component),
    ]
    cluster.fault("component/stop", component=component, stopped=False)
    wait(cluster)
    _set(cluster)
    wait(cluster)
    assert _phases(cluster) == ["Running", "Running"]


def test_without_a_control_plane_there_is_nothing_to_stop() -> None:
    with pytest.raises(ValueError, match="expected a control plane of static Pods, found none"):
        Cluster(nodes=1, control_plane=False).fault(
            "component/stop", component="kube-scheduler", stopped=True
        )


def test_nothing_heals_without_the_controller_manager(cluster: Cluster) -> None:
    _set(cluster)
    wait(cluster)
    cluster.fault("component/stop", component="kube-controller-manager", stopped=True)
    wait(cluster)
    gone = cluster.list("pods", "default")[0]["metadata"]["name"]
    cluster.delete("pods", gone)
    cluster.fault("node/power", node="worker-1", up=False)
    wait(cluster, 600)
    ready = {c["status"] for c in cluster.get("nodes", "worker-1")["status"]["conditions"]}  # type: ignore[index]
    assert "Unknown" not in ready
    assert len(cluster.list("pods", "default")) == 1
    cluster.fault("component/stop", component="kube-controller-manager", stopped=False)
    wait(cluster, 60)
    ready = {c["status"] for c in cluster.get("nodes", "worker-1")["status"]["conditions"]}  # type: ignore[index]
    assert ready == {"Unknown"}
    assert len(cluster.list("pods", "default")) == 2


def test_a_component_that_is_killed_is_back_soon(cluster: Cluster) -> None:
    cluster.fault(
        "container/kill",
        namespace="kube-system",
        pod="kube-scheduler-control-plane",
        container="kube-scheduler",
    )
    wait(cluster)
    _set(cluster)
    wait(cluster)
    assert _phases(cluster) == ["Running", "Running"]
    (status,) = cluster.get("pods", "kube-scheduler-control-plane", "kube-system")["status"][
        "containerStatuses"
    ]  # type: ignore[index]
    assert status["restartCount"] == 1


def ask(cluster: Cluster, method: str, path: str, body: Any = None) -> tuple[int, str]:
    data = orjson.dumps(body) if body is not None else b""
    response = cluster.request(
        Request(method, path, headers={"content-type": "application/json"}, body=data, user=ADMIN)
    )
    return response.status, orjson.loads(response.body).get("message", "")


CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}
MAPS = "/api/v1/namespaces/default/configmaps"
REFUSALS = {
    "kube-apiserver": ((503, "dial tcp 127.0.0.1:6443: connect: connection refused"),) * 2,
    "etcd": ((500, "etcdserver: request timed out"),) * 2,
}


@pytest.mark.parametrize(("component", "answers"), REFUSALS.items(), ids=REFUSALS.keys())
def test_without_the_api_nothing_can_be_done(cluster: Cluster, component: str, answers: Any) -> None:
    """Pods run on, nobody hears of it; when it is back all goes on, and no node was lost."""
    _set(cluster)
    wait(cluster)
    cluster.fault("component/stop", component=component, stopped=True)
    cluster.advance(20)
    assert (ask(cluster, "GET", "/api/v1/nodes"), ask(cluster, "POST", MAPS, CONFIG)) == answers
    before = cluster.store.revision
    killed = cluster.list("pods", "default")[0]["metadata"]["name"]
    cluster.fault("container/kill", namespace="default", pod=killed, container="c")
    assert cluster.settle()
    cluster.advance(300)
    assert cluster.store.revision == before
    copies = [cluster.fork(), Cluster.restore(cluster.snapshot()), Cluster.resume(cluster.keyframe())]
    for each in (cluster, *copies):
        each.fault("component/stop", component=component, stopped=False)
        wait(each)
        assert f"{component}-control-plane" in names(each)
        assert ask(each, "POST", MAPS, CONFIG) == (201, "")
        (status,) = each.get("pods", killed)["status"]["containerStatuses"]  # type: ignore[index]
        assert (status["restartCount"], status["ready"]) == (1, True)
        ready = [
            c["status"] for n in each.list("nodes") for c in n["status"]["conditions"] if c["type"] == "Ready"
        ]
        assert ready == ["True", "True", "True"]
        assert each.state_hash() == cluster.state_hash()
    assert Cluster.replay(cluster.journal).state_hash() == cluster.state_hash()


READS: dict[str, tuple[str, int]] = {
    "what is there by now": ("/api/v1/nodes", 500),
    "what the watch cache has": ("/api/v1/nodes?resourceVersion=0", 200),
    "not older than": ("/api/v1/nodes?resourceVersion=1&resourceVersionMatch=NotOlderThan", 200),
    "one by name": ("/api/v1/nodes/worker-1", 500),
    "one by name, of the cache": ("/api/v1/nodes/worker-1?resourceVersion=0", 200),
    "events have no cache": ("/api/v1/events?resourceVersion=0", 500),
    "a Pod's log": ("/api/v1/namespaces/kube-system/pods/etcd-control-plane/log", 500),
    "the version": ("/version", 200),
    "discovery": ("/apis/apps/v1", 200),
}


@pytest.mark.parametrize(("path", "status"), READS.values(), ids=READS.keys())
def test_what_is_read_without_etcd(cluster: Cluster, path: str, status: int) -> None:
    """A list of the cache shows what was there when etcd went: it is stale, and nobody is told so."""
    cluster.fault("component/stop", component="etcd", stopped=True)
    cluster.advance(20)
    place, _, query = path.partition("?")
    pairs = [(name, value) for name, _, value in (part.partition("=") for part in query.split("&") if part)]
    response = cluster.request(Request("GET", place, pairs, user=ADMIN))
    assert response.status == status
    if status == 500:
        assert orjson.loads(response.body)["message"] == "etcdserver: request timed out"


@pytest.mark.parametrize("component", REFUSALS)
def test_an_edit_restarts_it(cluster: Cluster, component: str) -> None:
    """Somebody who is logged in changes the manifest: the old Pod ends, another one begins without the API's help."""
    name = f"{component}-control-plane"
    before = cluster.get("pods", name, "kube-system")
    assert before is not None
    do(
        cluster,
        "control-plane",
        f"sed -i 's/tier: control-plane/tier: control-plane\\n    edited: \"yes\"/' {FOLDER}/{component}.yaml",
    )
    wait(cluster, 120)
    after = cluster.get("pods", name, "kube-system")
    assert after is not None
    assert after["metadata"]["labels"]["edited"] == "yes"
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert after["status"]["phase"] == "Running"
    assert (
        after["status"]["containerStatuses"][0]["containerID"]
        != before["status"]["containerStatuses"][0]["containerID"]
    )
    _set(cluster)
    wait(cluster)
    assert _phases(cluster) == ["Running", "Running"]


@pytest.mark.parametrize("component", REFUSALS)
def test_one_that_is_killed_comes_back(cluster: Cluster, component: str) -> None:
    cluster.fault(
        "container/kill", namespace="kube-system", pod=f"{component}-control-plane", container=component
    )
    wait(cluster)
    _set(cluster)
    wait(cluster)
    assert _phases(cluster) == ["Running", "Running"]


def test_a_node_that_is_cut_off_meanwhile_stays_so(cluster: Cluster) -> None:
    cluster.fault("node/partition", node="worker-1", cut=True)
    for stopped in (True, False):
        cluster.fault("component/stop", component="kube-apiserver", stopped=stopped)
        cluster.advance(120)
    node = cluster.get("nodes", "worker-1")
    assert node is not None
    assert {c["status"] for c in node["status"]["conditions"]} == {"Unknown"}
    cluster.fault("node/partition", node="worker-1", cut=False)
    wait(cluster)
    node = cluster.get("nodes", "worker-1")
    assert node is not None
    assert [c["status"] for c in node["status"]["conditions"] if c["type"] == "Ready"] == ["True"]


def test_a_scheduler_that_was_stopped_before_stays_so(cluster: Cluster) -> None:
    cluster.fault("component/stop", component="kube-scheduler", stopped=True)
    wait(cluster)
    for stopped in (True, False):
        cluster.fault("component/stop", component="etcd", stopped=stopped)
        cluster.advance(60)
    _set(cluster)
    assert cluster.settle()
    assert _phases(cluster) == ["Pending", "Pending"]
    cluster.fault("component/stop", component="kube-scheduler", stopped=False)
    wait(cluster)
    assert _phases(cluster) == ["Running", "Running"]


def _only(cluster: Cluster) -> JSON:
    (found,) = cluster.list("pods", "default")
    return found


def _container(cluster: Cluster) -> str:
    return str(_only(cluster)["status"]["containerStatuses"][0]["containerID"])


def test_a_static_pod_of_any_node(cluster: Cluster) -> None:
    """It begins, is shown, comes back with the same containers, is another one when it is changed, and ends."""
    write(cluster, "worker-1", "web.yaml", yaml.dump(pod("web")))
    wait(cluster)
    mirror = _only(cluster)
    meta, notes = mirror["metadata"], mirror["metadata"]["annotations"]
    assert (meta["name"], mirror["spec"]["nodeName"], mirror["status"]["phase"]) == (
        "web-worker-1",
        "worker-1",
        "Running",
    )
    assert (meta["ownerReferences"][0]["kind"], meta["ownerReferences"][0]["name"]) == ("Node", "worker-1")
    assert notes["kubernetes.io/config.source"] == "file"
    assert notes["kubernetes.io/config.hash"] == notes["kubernetes.io/config.mirror"]
    assert set(notes) == {f"kubernetes.io/config.{n}" for n in ("hash", "mirror", "seen", "source")}
    assert {"effect": "NoExecute", "operator": "Exists"} in mirror["spec"]["tolerations"]
    container = _container(cluster)
    cluster.delete("pods", "web-worker-1")
    wait(cluster)
    assert _only(cluster)["metadata"]["uid"] != meta["uid"]
    assert _container(cluster) == container
    do(cluster, "worker-1", f"sed -i s/pause:3.10/pause:3.9/ {FOLDER}/web.yaml")
    wait(cluster)
    assert _only(cluster)["spec"]["containers"][0]["image"] == "registry.k8s.io/pause:3.9"
    assert _container(cluster) != container
    assert (
        _only(cluster)["metadata"]["annotations"]["kubernetes.io/config.hash"]
        != notes["kubernetes.io/config.hash"]
    )
    do(cluster, "worker-1", f"rm {FOLDER}/web.yaml")
    wait(cluster)
    assert cluster.list("pods", "default") == []
    assert Cluster.replay(cluster.journal).state_hash() == cluster.state_hash()


def test_the_same_file_on_two_nodes(cluster: Cluster) -> None:
    for node in ("worker-1", "worker-2"):
        write(cluster, node, "web.yaml", yaml.dump(pod("web", namespace="kube-public")))
    wait(cluster)
    assert names(cluster, "kube-public") == ["web-worker-1", "web-worker-2"]


def test_a_node_that_comes_back_still_has_its_files(cluster: Cluster) -> None:
    write(cluster, "worker-1", "web.yaml", yaml.dump(pod("web")))
    wait(cluster)
    cluster.fault("node/power", node="worker-1", up=False)
    cluster.advance(30)
    cluster.fault("node/power", node="worker-1", up=True)
    wait(cluster, 120)
    assert _only(cluster)["status"]["phase"] == "Running"
    assert Login(cluster, "worker-1", ["ls", FOLDER]).said == "web.yaml\n"


PASSED_OVER = {
    "hidden": (".web.yaml", yaml.dump(pod("web"))),
    "no YAML": ("web.yaml", "{{"),
    "nothing": ("web.yaml", ""),
    "another kind": ("web.yaml", yaml.dump({**pod("web"), "kind": "Deployment"})),
    "no name": ("web.yaml", "{apiVersion: v1, kind: Pod, spec: {}}"),
    "no spec": ("web.yaml", "{apiVersion: v1, kind: Pod, metadata: {name: web}}"),
    "what the API server refuses": (
        "web.yaml",
        "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {}}",
    ),
    "larger than is read": ("web.yaml", f"# {'x' * 300_000}"),
}


@pytest.mark.parametrize(("file", "text"), PASSED_OVER.values(), ids=PASSED_OVER.keys())
def test_what_is_passed_over(cluster: Cluster, file: str, text: str) -> None:
    write(cluster, "worker-1", "good.yaml", yaml.dump(pod("good")))
    if len(text) > 100_000:
        do(cluster, "worker-1", f"yes '# xxxxxxxxxxxxxxxxxxxxxxxx' | head -c 300000 > {FOLDER}/{file}")
        do(cluster, "worker-1", f"cat {FOLDER}/good.yaml | sed s/good/web/ >> {FOLDER}/{file}")
    else:
        write(cluster, "worker-1", file, text)
    assert cluster.settle()
    cluster.advance(60)
    assert names(cluster, "default") == ["good-worker-1"]


def test_a_refused_manifest_is_tried_again(cluster: Cluster) -> None:
    write(cluster, "worker-1", "web.yaml", yaml.dump(pod("web", namespace="later")))
    wait(cluster)
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "later"}})
    wait(cluster, 310)
    assert names(cluster, "later") == ["web-worker-1"]


def test_no_more_files_than_the_limit(cluster: Cluster) -> None:
    write(cluster, "worker-1", "good.yaml", yaml.dump(pod("good")))
    do(
        cluster,
        "worker-1",
        f"cd {FOLDER}; for n in $(seq 10 75); do sed s/good/p$n/ good.yaml > $n.yaml; done",
    )
    wait(cluster)
    assert len(names(cluster, "default")) == 64
    assert "good-worker-1" not in names(cluster, "default")


@pytest.mark.parametrize(
    ("said", "left"),
    [
        pytest.param("--terminated-pod-gc-threshold=1", ["third"], id="one stays"),
        pytest.param("--terminated-pod-gc-threshold=0", ["first", "second", "third"], id="nobody counts"),
        pytest.param("--terminated-pod-gc-threshold=many", ["first", "second", "third"], id="no number"),
    ],
)
def test_the_manager_collects_finished_pods_by_its_flag(cluster: Cluster, said: str, left: list[str]) -> None:
    for name in ("first", "second", "third"):
        done = {"name": "c", "image": "busybox", "command": ["true"]}
        cluster.apply({**pod(name), "spec": {"containers": [done], "restartPolicy": "Never"}})
        wait(cluster)
    edit = f"sed -i 's/- --leader-elect=true/&\\n    - {said}/' {FOLDER}/kube-controller-manager.yaml"
    do(cluster, "control-plane", edit)
    wait(cluster, 90)
    assert names(cluster, "default") == left
