"""Why an object is as it is, and why its Pod is where it is: what the host finds, and what is told."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation
from runs.happenings import clause
from runs.host.differences import TOLD, differences
from runs.host.errors import HostError
from runs.host.why import CHAIN_TOLD, NODES_TOLD, explain
from runs.hosting import Reply
from runs.reasons import REMEDIES, typed, with_words

from cluster_engine.cluster import Cluster
from cluster_engine.kube_scheduler.framework import Plugin, ShapePlugin
from cluster_engine.kube_scheduler.plugins import PLUGINS
from cluster_engine.terminal.programs import why


def pod(name: str, cpu: str = "100m") -> dict[str, Any]:
    container = {"name": "c", "image": "nginx", "resources": {"requests": {"cpu": cpu}}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [container]},
    }


def deployment(replicas: int) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": pod("x")["spec"]}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def asked(cluster: Cluster, resource: str, name: str, namespace: str = "default") -> dict[str, Any]:
    found = explain(cluster, {"resource": resource, "namespace": namespace, "name": name})
    return with_words(Reply(200, dict(found))).data


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(nodes=3, freezing=True)


def test_the_chain_goes_from_the_command_to_the_pod(cluster: Cluster) -> None:
    cluster.apply(deployment(1))
    cluster.settle()
    name = cluster.list("pods", "default")[0]["metadata"]["name"]
    told = asked(cluster, "pods", name)
    story = [each["text"] for each in told["chain"]]
    assert told["kind"] == "Pod"
    assert story[0].startswith(
        "kubernetes-admin asked: PATCH /apis/apps/v1/namespaces/default/deployments/web"
    )
    assert "kubernetes-admin created the Deployment web" in story[1]
    assert any("deployment-controller created the ReplicaSet web-" in each for each in story)
    assert any(f"replicaset-controller created the Pod {name}" in each for each in story)
    assert any(f"kube-scheduler changed the Pod {name} (spec.nodeName: ∅ → worker-" in each for each in story)
    assert f"kubelet changed the Pod {name} (status.phase: Pending → Running" in story[-1]
    assert [each["at"] for each in told["chain"]] == sorted(each["at"] for each in told["chain"])


def test_a_placed_pod_tells_the_scores(cluster: Cluster) -> None:
    cluster.apply(pod("web"))
    cluster.settle()
    placement = asked(cluster, "po", "web")["placement"]
    chosen = cluster.get("pods", "web")["spec"]["nodeName"]  # type: ignore[index]
    assert placement["node"] == chosen
    assert placement["remedies"] == []
    assert placement["looked_at"] == 3
    best, *_others, last = placement["nodes"]
    assert best["name"] == chosen
    assert best["total"] == sum(best["scores"][plugin]["weighted"] for plugin in placement["plugins"])
    assert (last["feasible"], last["plugin"], last["total"]) == (False, "TaintToleration", None)


def test_a_waiting_pod_tells_what_would_change_it(cluster: Cluster) -> None:
    cluster.apply(pod("huge", cpu="64"))
    cluster.settle()
    placement = asked(cluster, "pods", "huge")["placement"]
    assert (placement["node"], placement["plugins"]) == ("", [])
    assert "0/3 nodes are available" in placement["message"]
    assert {each["plugin"] for each in placement["remedies"]} == {"NodeResourcesFit", "TaintToleration"}
    lines = typed(explain(cluster, {"resource": "pods", "name": "huge"})).splitlines()
    assert "  worker-1: NodeResourcesFit: Insufficient cpu" in lines
    assert any(line.startswith("NodeResourcesFit: Ask for less in resources.requests") for line in lines)
    assert lines[-2] == "It is not Ready:"


def test_every_plugin_that_refuses_has_a_remedy() -> None:
    refusing = {
        plugin.name
        for plugin in PLUGINS
        if any(getattr(plugin, point) is not getattr(Plugin, point) for point in ("filter", "pre_enqueue"))
        or any("filter_shape" in vars(each) for each in plugin.mro() if each is not ShapePlugin)
    }
    assert refusing <= set(REMEDIES), refusing - set(REMEDIES)


def test_what_is_told_is_bounded(cluster: Cluster) -> None:
    for number in range(80):
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"ghost-{number}"}}
        cluster.apply(node)
    cluster.apply(pod("web"))
    cluster.settle()
    found = explain(cluster, {"resource": "pods", "name": "web"})
    assert found["attempt"] is not None
    assert (len(found["attempt"]["nodes"]), found["nodes"]) == (NODES_TOLD, 83)
    assert len(found["chain"]) <= CHAIN_TOLD


def test_asking_changes_nothing(cluster: Cluster) -> None:
    cluster.apply(deployment(2))
    cluster.settle()
    before = cluster.state_hash()
    for each in cluster.list("pods", "default"):
        asked(cluster, "pods", each["metadata"]["name"])
    asked(cluster, "deployments", "web")
    assert cluster.state_hash() == before


REFUSED = [
    ({"resource": "harbours", "name": "x"}, "the server doesn't have a resource type 'harbours'"),
    ({"resource": "pods", "name": "nobody"}, "pods 'nobody': nothing is remembered of it."),
    ({}, "the server doesn't have a resource type ''"),
    ({"resource": ["pods"], "name": {}}, "the server doesn't have a resource type \"['pods']\""),
]


@pytest.mark.parametrize(("data", "said"), REFUSED, ids=[row[1] for row in REFUSED])
def test_what_is_not_there_is_said(cluster: Cluster, data: dict[str, Any], said: str) -> None:
    with pytest.raises(HostError) as refused:
        explain(cluster, data)
    assert (refused.value.status, str(refused.value)) == (404, said)


def ready(status: str, reason: str = "") -> dict[str, Any]:
    return {"type": "Ready", "status": status, "reason": reason, "lastTransitionTime": status}


DIFFERENCES: list[tuple[str, dict[str, Any], dict[str, Any], list[tuple[str, str, str]]]] = [
    ("nothing", {"spec": {"a": 1}}, {"spec": {"a": 1}}, []),
    ("a field", {"spec": {"replicas": 3}}, {"spec": {"replicas": 5}}, [("spec.replicas", "3", "5")]),
    ("a new field", {"spec": {}}, {"spec": {"nodeName": "n"}}, [("spec.nodeName", "", "n")]),
    ("a field that went", {"spec": {"on": True}}, {"spec": {}}, [("spec.on", "true", "")]),
    ("upkeep", {"metadata": {"resourceVersion": "1"}}, {"metadata": {"resourceVersion": "2"}}, []),
    (
        "a condition",
        {"status": {"conditions": [ready("False", "Waiting")]}},
        {"status": {"conditions": [ready("True")]}},
        [("status.conditions[Ready]", "False (Waiting)", "True")],
    ),
    (
        "a container's state",
        {"status": {"containerStatuses": [{"name": "c", "state": {"waiting": {"reason": "Creating"}}}]}},
        {"status": {"containerStatuses": [{"name": "c", "state": {"running": {"startedAt": "now"}}}]}},
        [("status.containerStatuses[c].state", "waiting (Creating)", "running")],
    ),
    (
        "the same state, later",
        {"status": {"containerStatuses": [{"name": "c", "state": {"running": {"startedAt": "1"}}}]}},
        {"status": {"containerStatuses": [{"name": "c", "state": {"running": {"startedAt": "2"}}}]}},
        [],
    ),
    (
        "a list without names",
        {"spec": {"args": ["a", "b"]}},
        {"spec": {"args": ["a", "c"]}},
        [("spec.args", "a, b", "a, c")],
    ),
    ("a long value", {"data": {"k": "x"}}, {"data": {"k": "y" * 99}}, [("data.k", "x", "y" * 59 + "…")]),
    (
        "the spec before the status",
        {"status": {"phase": "a"}, "spec": {"x": 1}, "other": 1},
        {"status": {"phase": "b"}, "spec": {"x": 2}, "other": 2},
        [("spec.x", "1", "2"), ("status.phase", "a", "b"), ("other", "1", "2")],
    ),
    ("another shape", {"spec": {"x": {"y": 1}}}, {"spec": {"x": [1]}}, [("spec.x", "{…}", "1")]),
]


@pytest.mark.parametrize(
    ("before", "after", "wanted"), [r[1:] for r in DIFFERENCES], ids=[r[0] for r in DIFFERENCES]
)
def test_differences(
    before: dict[str, Any], after: dict[str, Any], wanted: list[tuple[str, str, str]]
) -> None:
    found = differences(before, after)
    assert [(each["path"], each["before"], each["after"]) for each in found] == wanted


def test_differences_are_few_and_not_deep() -> None:
    deep: Any = 1
    for _ in range(900):
        deep = {"d": deep}
    assert len(differences({"spec": deep}, {"spec": {"d": 2}})) == 1
    assert len(differences({}, {"spec": {str(n): n for n in range(99)}})) == TOLD


SENTENCES = [
    ("en", "kubelet changed the Pod web (status.phase: Pending → Running, spec.x: ∅ → 1)"),
    ("zh-hans", "kubelet 更改了 Pod web（status.phase: Pending → Running, spec.x: ∅ → 1）"),
]


@pytest.mark.parametrize(("language", "wanted"), SENTENCES)
def test_a_change_says_what_changed(language: str, wanted: str) -> None:
    changed = [
        {"path": "status.phase", "before": "Pending", "after": "Running"},
        {"path": "spec.x", "before": "", "after": "1"},
    ]
    happening = {"component": "kubelet", "verb": "update", "kind": "Pod", "name": "web", "changed": changed}
    with translation.override(language):
        assert clause(happening) == wanted


WORDS: list[tuple[str, dict[str, str] | None]] = [
    ("pod web", {"resource": "pod", "namespace": "default", "name": "web"}),
    ("deploy/web", {"resource": "deploy", "namespace": "default", "name": "web"}),
    ("pod web -n prod", {"resource": "pod", "namespace": "prod", "name": "web"}),
    ("-n prod pod/web", {"resource": "pod", "namespace": "prod", "name": "web"}),
    ("", None),
    ("pods", None),
    ("pod/", None),
    ("a/b/c", None),
    ("pod web more", None),
    ("-n prod", None),
    ("-n a -n b pod web", None),
]


@pytest.mark.parametrize(("words", "wanted"), WORDS, ids=[row[0] or "nothing" for row in WORDS])
def test_words_of_the_terminal(words: str, wanted: dict[str, str] | None) -> None:
    assert why.asked(words.split()) == wanted
