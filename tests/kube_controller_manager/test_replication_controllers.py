"""ReplicationControllers at work, and what is refused of them, of PodTemplates and of RuntimeClasses."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.errors import ApiError

JSON = dict[str, Any]


@pytest.fixture(scope="module")
def booted() -> Cluster:
    cluster = Cluster(nodes=2, freezing=True)
    assert cluster.settle()
    return cluster


@pytest.fixture
def cluster(booted: Cluster) -> Cluster:
    return booted.fork()


def template(**labels: str) -> JSON:
    container = {"name": "c", "image": "busybox", "command": ["sleep", "1d"]}
    return {
        "metadata": {"labels": labels},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 1},
    }


def controller(replicas: int = 2, **spec: Any) -> JSON:
    return {
        "apiVersion": "v1",
        "kind": "ReplicationController",
        "metadata": {"name": "web"},
        "spec": {"replicas": replicas, "template": template(app="web"), **spec},
    }


def runtime_class(name: str, **fields: Any) -> JSON:
    return {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": name}, **fields}


def pod(name: str = "p", **spec: Any) -> JSON:
    made = template(app=name)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, **made["metadata"]},
        "spec": {**made["spec"], **spec},
    }


def message(cluster: Cluster, obj: JSON) -> str:
    with pytest.raises(ApiError) as refused:
        cluster.apply(obj)
    return refused.value.message


def owners(cluster: Cluster) -> list[str]:
    return [
        (p["metadata"].get("ownerReferences") or [{"kind": ""}])[0]["kind"]
        for p in cluster.list("pods", "default")
    ]


def test_as_many_pods_as_asked_for(cluster: Cluster) -> None:
    cluster.apply(controller(2))
    assert cluster.settle()
    assert owners(cluster) == ["ReplicationController"] * 2
    found = cluster.get("replicationcontrollers", "web") or {}
    assert found["spec"]["selector"] == found["metadata"]["labels"] == {"app": "web"}
    assert found["status"] == {
        "replicas": 2, "fullyLabeledReplicas": 2, "readyReplicas": 2, "availableReplicas": 2, "observedGeneration": 1,
    }  # fmt: skip
    cluster.delete("pods", cluster.list("pods", "default")[0]["metadata"]["name"])
    assert cluster.settle()
    assert len(owners(cluster)) == 2
    cluster.apply(controller(1))
    assert cluster.settle()
    assert len(owners(cluster)) == 1
    assert Cluster.replay(cluster.journal).state_hash() == cluster.state_hash()


def test_orphans_are_adopted(cluster: Cluster) -> None:
    orphan = pod("web")
    cluster.apply(orphan)
    assert cluster.settle()
    cluster.apply(controller(1))
    assert cluster.settle()
    assert owners(cluster) == ["ReplicationController"]
    assert cluster.get("pods", "web") is not None


INVALID = {
    "negative": (
        controller(-1), "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
    ),
    "another label": (
        controller(selector={"app": "other"}),
        'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
    ),
    "nobody": (
        {**controller(), "spec": {"template": template()}}, "spec.selector: Required value",
    ),
    "not always": (
        controller(template={**template(app="web"), "spec": {**template()["spec"], "restartPolicy": "Never"}}),
        'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
    ),
    "no template": (
        {**controller(), "spec": {"selector": {"a": "b"}}}, "spec.template: Required value",
    ),
    "template without containers": (
        {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "t"}, "template": {"spec": {}}},
        "template.spec.containers: Required value",
    ),
    "handler": (
        runtime_class("r", handler="Run_C"),
        'handler: Invalid value: "Run_C": a lowercase RFC 1123 label must consist of lower case alphanumeric '
        "characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', "
        "regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
    ),
    "overhead": (
        runtime_class("r", handler="runc", overhead={"podFixed": {"disk": "1"}}),
        'overhead.limits[disk]: Invalid value: "disk": must be a standard resource type or fully qualified',
    ),
}  # fmt: skip


@pytest.mark.parametrize(("obj", "text"), INVALID.values(), ids=INVALID.keys())
def test_invalid(cluster: Cluster, obj: JSON, text: str) -> None:
    assert text in message(cluster, obj)


def test_a_handler_stays(cluster: Cluster) -> None:
    cluster.apply(runtime_class("r", handler="runc"))
    assert message(cluster, runtime_class("r", handler="kata")).endswith(
        'handler: Invalid value: "kata": field is immutable'
    )


def test_a_runtime_class_gives_overhead_and_place(cluster: Cluster) -> None:
    toleration = {"key": "sandbox", "operator": "Exists"}
    scheduling = {"nodeSelector": {"sandboxed": "yes"}, "tolerations": [toleration]}
    cluster.apply(
        runtime_class("r", handler="runc", overhead={"podFixed": {"cpu": "50m"}}, scheduling=scheduling)
    )
    cluster.apply(pod(runtimeClassName="r", nodeSelector={"disk": "ssd"}))
    made = (cluster.get("pods", "p") or {})["spec"]
    assert made["overhead"] == {"cpu": "50m"}
    assert made["nodeSelector"] == {"disk": "ssd", "sandboxed": "yes"}
    assert toleration in made["tolerations"]


REJECTED = {
    "no such class": ({"runtimeClassName": "none"}, 'pod rejected: RuntimeClass "none" not found'),
    "another overhead": (
        {"runtimeClassName": "r", "overhead": {"cpu": "1"}},
        "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
    ),
    "overhead of nothing": (
        {"overhead": {"cpu": "1"}},
        "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead",
    ),
    "another node": (
        {"runtimeClassName": "r", "nodeSelector": {"a": "c"}},
        "conflict: runtimeClass.scheduling.nodeSelector[a] = b; pod.spec.nodeSelector[a] = c",
    ),
}


@pytest.mark.parametrize(("spec", "why"), REJECTED.values(), ids=REJECTED.keys())
def test_rejected(cluster: Cluster, spec: JSON, why: str) -> None:
    cluster.apply(
        runtime_class(
            "r",
            handler="runc",
            overhead={"podFixed": {"cpu": "50m"}},
            scheduling={"nodeSelector": {"a": "b"}},
        )
    )
    assert message(cluster, pod(**spec)) == f'pods "p" is forbidden: {why}'


def test_a_handler_that_no_node_has(cluster: Cluster) -> None:
    cluster.apply([runtime_class("gvisor", handler="runsc"), pod(runtimeClassName="gvisor")])
    cluster.advance(5)
    told = [e["message"] for e in cluster.list("events") if e["reason"] == "FailedCreatePodSandBox"]
    assert set(told) == {
        "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox runtime: "
        'no runtime for "runsc" is configured'
    }
