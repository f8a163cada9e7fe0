"""metrics.k8s.io: there with a metrics-server, gone without; what containers really use."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import orjson
import pytest
from metrics_manifest import COMPONENTS

from cluster_engine import Cluster
from cluster_engine.apimachinery import quantity
from cluster_engine.kube_apiserver import ADMIN, Request, Response
from cluster_engine.metrics_server import server
from cluster_engine.metrics_server.storage import Sample

JSON = dict[str, Any]
BUSY = "while true; do :; done"


def pod(name: str, *command: str, cpu: str = "") -> JSON:
    container: JSON = {"name": "c", "image": "busybox:1.36", "command": list(command)}
    if cpu:
        container["resources"] = {"limits": {"cpu": cpu}}
    meta = {"name": name, "labels": {"app": name}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container]}}


def ask(cluster: Cluster, path: str, **query: str) -> Response:
    return cluster.request(Request("GET", path, list(query.items()), {}, b"", ADMIN))


def metrics(cluster: Cluster, path: str, **query: str) -> JSON:
    answer = ask(cluster, f"/apis/metrics.k8s.io/v1beta1/{path}", **query)
    found: JSON = orjson.loads(answer.body)
    return found


def condition(cluster: Cluster) -> tuple[str, str, str]:
    found = cluster.get("apiservices", "v1beta1.metrics.k8s.io", "")
    assert found is not None
    (told,) = found["status"]["conditions"]
    return told["status"], told["reason"], told["message"]


@pytest.fixture(scope="module")
def bare() -> Cluster:
    return Cluster(nodes=2, seed=5, freezing=True)


@pytest.fixture(scope="module")
def base(bare: Cluster) -> Cluster:
    cluster = bare.fork()
    cluster.apply(COMPONENTS)
    cluster.apply([pod("busy", "sh", "-c", BUSY, cpu="250m"), pod("asleep", "sleep", "1d")])
    cluster.advance(180)
    return cluster


def test_without_it_nobody_knows_the_group(bare: Cluster) -> None:
    assert ask(bare, "/apis/metrics.k8s.io/v1beta1/nodes").status == 404
    groups = orjson.loads(ask(bare, "/apis").body)["groups"]
    assert all(group["name"] != "metrics.k8s.io" for group in groups)


def test_pods(base: Cluster) -> None:
    found = {item["metadata"]["name"]: item for item in metrics(base, "namespaces/default/pods")["items"]}
    assert set(found) == {"busy", "asleep"}
    busy = found["busy"]
    pod = base.get("pods", "busy", "default")
    assert pod is not None
    assert (busy["window"], busy["metadata"]["labels"]) == ("15s", pod["metadata"]["labels"])
    assert busy["metadata"]["labels"]["app"] == "busy"
    (container,) = busy["containers"]
    assert container["name"] == "c"
    assert 240 <= quantity.milli(container["usage"]["cpu"]) <= 260
    assert found["asleep"]["containers"][0]["usage"]["cpu"] == "0"
    assert 100 * 1024 < quantity.value(found["asleep"]["containers"][0]["usage"]["memory"]) < 4 * 1024 * 1024


def test_nodes_use_what_their_pods_use(base: Cluster) -> None:
    nodes = {item["metadata"]["name"]: item["usage"] for item in metrics(base, "nodes")["items"]}
    assert set(nodes) == {"control-plane", "worker-1"}
    assert 240 <= quantity.milli(nodes["worker-1"]["cpu"]) <= 270
    assert quantity.value(nodes["control-plane"]["memory"]) > 300 * 1024 * 1024


def test_selectors_and_names(base: Cluster) -> None:
    chosen = metrics(base, "pods", labelSelector="app=busy")["items"]
    assert [item["metadata"]["name"] for item in chosen] == ["busy"]
    assert metrics(base, "namespaces/default/pods/busy")["metadata"]["name"] == "busy"
    missing = metrics(base, "namespaces/default/pods/ghost")
    assert (missing["code"], missing["message"]) == (
        404,
        'podmetrics.metrics.k8s.io "default/ghost" not found',
    )
    assert metrics(base, "nodes/ghost")["message"] == 'nodemetrics.metrics.k8s.io "ghost" not found'


def test_a_fork_a_snapshot_and_a_replay_tell_the_same(base: Cluster) -> None:
    told = metrics(base, "pods")
    assert metrics(base.fork(), "pods") == told
    assert metrics(Cluster.restore(base.snapshot()), "pods") == told
    assert metrics(Cluster.resume(base.keyframe()), "pods") == told
    assert Cluster.replay(base.journal).state_hash() == base.state_hash()


@pytest.mark.parametrize("version", ["v0.6.4", "v0.7.2"])
def test_an_older_one_serves_as_well(bare: Cluster, version: str) -> None:
    cluster = bare.fork()
    cluster.apply(COMPONENTS.replace("v0.8.0", version))
    cluster.advance(180)
    assert len(metrics(cluster, "nodes")["items"]) == 2


def test_a_new_pod_is_seen_twice_first(base: Cluster) -> None:
    cluster = base.fork()
    cluster.apply(pod("late", "sleep", "1d"))
    cluster.advance(10)
    assert metrics(cluster, "namespaces/default/pods/late")["code"] == 404
    cluster.advance(30)
    assert metrics(cluster, "namespaces/default/pods/late")["kind"] == "PodMetrics"


def test_its_api_is_there_while_it_can_be_reached(base: Cluster) -> None:
    cluster = base.fork()
    assert condition(cluster) == ("True", "Passed", "all checks passed")
    _scale(cluster, 0)
    named = 'service/metrics-server in "kube-system"'
    text = f'endpoints for {named} have no addresses with port name "https"'
    assert condition(cluster) == ("False", "MissingEndpoints", text)
    _is_away(cluster)
    _scale(cluster, 1)
    assert condition(cluster)[0] == "True"
    assert len(metrics(cluster, "nodes")["items"]) == 2
    cluster.delete("services", "metrics-server", "kube-system")
    cluster.settle()
    assert condition(cluster) == ("False", "ServiceNotFound", f"{named} is not present")
    cluster.delete("apiservices", "v1beta1.metrics.k8s.io", "")
    cluster.settle()
    assert ask(cluster, "/apis/metrics.k8s.io/v1beta1/nodes").status == 404


def _is_away(cluster: Cluster) -> None:
    """The group is told of, and nobody answers for it (kube-aggregator's handlers)."""
    for path in ("", "/nodes", "/namespaces/default/pods/x"):
        answer = ask(cluster, f"/apis/metrics.k8s.io/v1beta1{path}")
        assert (answer.status, answer.body) == (503, b"service unavailable\n")
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    groups = orjson.loads(ask(cluster, "/apis").body)["groups"]
    version = {"groupVersion": "metrics.k8s.io/v1beta1", "version": "v1beta1"}
    group = {"name": "metrics.k8s.io", "versions": [version], "preferredVersion": version}
    assert group in groups
    assert orjson.loads(ask(cluster, "/apis/metrics.k8s.io").body)["versions"] == [version]
    aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    told = cluster.request(Request("GET", "/apis", [], {"accept": aggregated}, b"", ADMIN))
    (stale,) = (
        each for each in orjson.loads(told.body)["items"] if each["metadata"]["name"] == "metrics.k8s.io"
    )
    assert stale["versions"] == [{"version": "v1beta1", "freshness": "Stale"}]


def _scale(cluster: Cluster, replicas: int) -> None:
    body = orjson.dumps({"spec": {"replicas": replicas}})
    path = "/apis/apps/v1/namespaces/kube-system/deployments/metrics-server"
    headers = {"content-type": "application/merge-patch+json"}
    assert cluster.request(Request("PATCH", path, [], headers, body, ADMIN)).status == 200
    cluster.advance(120)


def test_an_api_of_somebody_else_is_not_simulated(bare: Cluster) -> None:
    cluster = bare.fork()
    spec = {"group": "custom.metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100}
    spec |= {"versionPriority": 100, "service": {"name": "kubernetes", "namespace": "default"}}
    name = "v1beta1.custom.metrics.k8s.io"
    cluster.apply(
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": name},
            "spec": spec,
        }
    )
    cluster.settle()
    found = cluster.get("apiservices", name, "")
    assert found is not None
    assert found["status"]["conditions"][0]["reason"] == "FailedDiscoveryCheck"


def test_a_look_that_fails_once_is_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []

    def sample(at: int, nodes: Any) -> Sample:
        looks.append(at)
        if len(looks) == 3:
            raise RuntimeError("planted")
        return Sample(at, nodes)

    monkeypatch.setattr(server, "Sample", sample)
    cluster = Cluster(nodes=2, seed=5, strict=False)
    cluster.apply(COMPONENTS)
    cluster.advance(180)
    assert cluster.clock.failures.counts() == {"metrics-server/scrape": 1}
    assert len(metrics(cluster, "nodes")["items"]) == 2


def test_a_fork_measures_by_its_own_clock(base: Cluster) -> None:
    cluster = base.fork()
    cluster.advance(60)
    (container,) = metrics(cluster, "namespaces/default/pods/busy")["containers"]
    assert 240 <= quantity.milli(container["usage"]["cpu"]) <= 260


def test_a_namespace_waits_for_a_group_that_nobody_can_ask(base: Cluster) -> None:
    cluster = base.fork()
    _scale(cluster, 0)
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}})
    cluster.delete("namespaces", "team", "")
    cluster.advance(30)
    left = cluster.get("namespaces", "team", "")
    assert left is not None
    told = {each["type"]: each for each in left["status"]["conditions"]}["NamespaceDeletionDiscoveryFailure"]
    assert (told["status"], told["reason"]) == ("True", "DiscoveryFailed")
    assert told["message"] == (
        "Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: "
        "metrics.k8s.io/v1beta1: stale GroupVersion discovery: metrics.k8s.io/v1beta1"
    )
    cluster.delete("apiservices", "v1beta1.metrics.k8s.io", "")
    cluster.advance(120)
    assert cluster.get("namespaces", "team", "") is None


def test_a_cluster_that_is_dropped_is_kept_by_no_document_about_its_kinds(base: Cluster) -> None:
    fork = base.fork()
    assert ask(fork, "/apis/metrics.k8s.io/v1beta1").status == 200
    gone = weakref.ref(fork.scheme)
    del fork
    gc.collect()
    assert gone() is None
