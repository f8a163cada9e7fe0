"""Controllers at work in a whole cluster: what a learner would see, to the letter."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import put

JSON = dict[str, Any]
WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 5
      containers: [{name: nginx, image: nginx, ports: [{containerPort: 80}]}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80}]
"""


@pytest.fixture(scope="module")
def booted() -> Cluster:
    cluster = Cluster(nodes=3, freezing=True)
    cluster.apply(WEB)
    assert cluster.settle()
    return cluster


@pytest.fixture
def cluster(booted: Cluster) -> Cluster:
    return booted.fork()


def messages(cluster: Cluster, name: str, reason: str) -> list[str]:
    """The texts of the events about an object, oldest first."""
    found = [
        event
        for event in cluster.list("events")
        if event["involvedObject"]["name"] == name and event["reason"] == reason
    ]
    found.sort(key=lambda event: int(event["metadata"]["name"].rpartition(".")[2], 16))
    return [event["message"] for event in found]


def sets(cluster: Cluster) -> dict[str, JSON]:
    return {
        rs["metadata"]["annotations"]["deployment.kubernetes.io/revision"]: rs
        for rs in cluster.list("replicasets", "default")
    }


def change(cluster: Cluster, path: tuple[str | int, ...], value: Any) -> None:
    found = cluster.get("deployments", "web")
    assert found is not None
    meta = {"name": "web", "namespace": "default"}
    wanted = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": found["spec"]}
    cluster.apply(put(wanted, path, value))
    cluster.settle()


def test_a_deployment_comes_up(cluster: Cluster) -> None:
    deployment = cluster.get("deployments", "web")
    assert deployment is not None
    conditions = {
        c["type"]: (c["status"], c["reason"], c["message"]) for c in deployment["status"]["conditions"]
    }
    (rs,) = cluster.list("replicasets", "default")
    name = rs["metadata"]["name"]
    assert conditions == {
        "Available": ("True", "MinimumReplicasAvailable", "Deployment has minimum availability."),
        "Progressing": (
            "True",
            "NewReplicaSetAvailable",
            f'ReplicaSet "{name}" has successfully progressed.',
        ),
    }
    assert {k: v for k, v in deployment["status"].items() if k != "conditions"} == {
        "observedGeneration": 1,
        "replicas": 3,
        "updatedReplicas": 3,
        "readyReplicas": 3,
        "availableReplicas": 3,
        "terminatingReplicas": 0,
    }
    assert messages(cluster, "web", "ScalingReplicaSet") == [f"Scaled up replica set {name} from 0 to 3"]
    pods = [pod["metadata"]["name"] for pod in cluster.list("pods", "default")]
    assert sorted(messages(cluster, name, "SuccessfulCreate")) == [f"Created pod: {pod}" for pod in pods]


def test_endpoints_follow_the_pods(cluster: Cluster) -> None:
    ips = sorted(pod["status"]["podIP"] for pod in cluster.list("pods", "default"))
    (slice,) = cluster.list("endpointslices", "default", label_selector="kubernetes.io/service-name=web")
    assert sorted(endpoint["addresses"][0] for endpoint in slice["endpoints"]) == ips
    endpoints = cluster.get("endpoints", "web")
    assert endpoints is not None
    assert sorted(address["ip"] for address in endpoints["subsets"][0]["addresses"]) == ips


def test_a_rolling_update_goes_step_by_step(cluster: Cluster) -> None:
    old = sets(cluster)["1"]["metadata"]["name"]
    change(cluster, ("spec", "template", "metadata", "labels", "v"), "2")
    new = sets(cluster)["2"]["metadata"]["name"]
    assert messages(cluster, "web", "ScalingReplicaSet")[1:] == [
        f"Scaled up replica set {new} from 0 to 1",
        f"Scaled down replica set {old} from 3 to 2",
        f"Scaled up replica set {new} from 1 to 2",
        f"Scaled down replica set {old} from 2 to 1",
        f"Scaled up replica set {new} from 2 to 3",
        f"Scaled down replica set {old} from 1 to 0",
    ]
    deployment = cluster.get("deployments", "web")
    assert deployment is not None
    assert deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"
    # Back again: the old ReplicaSet serves the new revision and remembers the one it had.
    change(cluster, ("spec", "template", "metadata", "labels"), {"app": "web"})
    assert sets(cluster)["3"]["metadata"]["name"] == old
    assert sets(cluster)["3"]["metadata"]["annotations"]["deployment.kubernetes.io/revision-history"] == "1"


def test_a_deleted_pod_is_replaced(cluster: Cluster) -> None:
    victim = cluster.list("pods", "default")[0]["metadata"]["name"]
    cluster.delete("pods", victim)
    cluster.settle()
    names = [pod["metadata"]["name"] for pod in cluster.list("pods", "default")]
    assert (len(names), victim in names) == (3, False)


def test_scaling_down_tells_which_pods_went(cluster: Cluster) -> None:
    before = {pod["metadata"]["name"] for pod in cluster.list("pods", "default")}
    (rs,) = cluster.list("replicasets", "default")
    change(cluster, ("spec", "replicas"), 1)
    gone = sorted(before - {pod["metadata"]["name"] for pod in cluster.list("pods", "default")})
    name = rs["metadata"]["name"]
    assert sorted(messages(cluster, name, "SuccessfulDelete")) == [f"Deleted pod: {pod}" for pod in gone]
    assert messages(cluster, "web", "ScalingReplicaSet")[1:] == [
        f"Scaled down replica set {name} from 3 to 1"
    ]


def test_deleting_a_deployment_takes_everything_with_it(cluster: Cluster) -> None:
    cluster.delete("deployments", "web")
    cluster.delete("services", "web")
    cluster.settle()
    for resource in ("replicasets", "pods", "endpoints"):
        assert [o["metadata"]["name"] for o in cluster.list(resource, "default")] == (
            ["kubernetes"] if resource == "endpoints" else []
        )


def test_a_deleted_namespace_is_emptied_first(cluster: Cluster) -> None:
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "lab"}})
    cluster.settle()
    assert cluster.get("serviceaccounts", "default", "lab") is not None
    assert cluster.get("configmaps", "kube-root-ca.crt", "lab") is not None
    cluster.apply(WEB, namespace="lab")
    cluster.settle()
    cluster.delete("namespaces", "lab")
    cluster.advance(0.1)
    namespace = cluster.get("namespaces", "lab")
    assert namespace is not None
    remaining = {c["type"]: c["message"] for c in namespace["status"]["conditions"] if c["status"] == "True"}
    assert (namespace["status"]["phase"], remaining) == (
        "Terminating",
        {"NamespaceContentRemaining": "Some resources are remaining: pods. has 3 resource instances"},
    )
    cluster.settle()
    assert cluster.get("namespaces", "lab") is None
    assert cluster.list("pods", "lab") == []


def test_a_quota_refusal_is_told_and_not_hammered() -> None:
    cluster = Cluster(nodes=2, freezing=True, addons=False, max_pods=12)
    cluster.apply(WEB)
    cluster.settle()
    used = len(cluster.list("pods"))
    before = cluster.clock.events_run
    change(cluster, ("spec", "replicas"), 1_000_000)
    deployment = cluster.get("deployments", "web")
    assert deployment is not None
    failure = next(c for c in deployment["status"]["conditions"] if c["type"] == "ReplicaFailure")
    assert (failure["status"], failure["reason"]) == ("True", "FailedCreate")
    assert "is forbidden: exceeded quota" in failure["message"]
    assert len(cluster.list("pods")) == 12 > used
    assert cluster.clock.events_run - before < 2_000
    (rs,) = cluster.list("replicasets", "default")
    assert messages(cluster, rs["metadata"]["name"], "FailedCreate")[0].startswith("Error creating: pods ")


def test_system_pods_run_everywhere(cluster: Cluster) -> None:
    proxy = cluster.get("daemonsets", "kube-proxy", "kube-system")
    dns = cluster.get("deployments", "coredns", "kube-system")
    assert proxy is not None
    assert dns is not None
    assert (proxy["status"]["numberReady"], dns["status"]["readyReplicas"]) == (3, 2)
    names = [namespace["metadata"]["name"] for namespace in cluster.list("namespaces")]
    assert names == ["default", "kube-node-lease", "kube-public", "kube-system"]
    service = cluster.get("services", "kubernetes")
    assert service is not None
    assert service["spec"]["clusterIP"] == "10.96.0.1"
    slice = cluster.get("endpointslices", "kubernetes")
    assert slice is not None
    assert slice["ports"] == [{"name": "https", "port": 6443, "protocol": "TCP"}]


def test_a_fork_goes_on_as_the_cluster_does(booted: Cluster) -> None:
    """Nothing that a controller knows is outside its state: a fork amid a rollout ends the same."""
    straight = booted.fork()
    change_to = ("spec", "template", "metadata", "labels", "v")
    found = straight.get("deployments", "web")
    assert found is not None
    meta = {"name": "web", "namespace": "default"}
    wanted = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": found["spec"]}
    straight.apply(put(wanted, change_to, "2"))
    straight.advance(2)
    forked = straight.fork()
    straight.advance(60)
    forked.advance(60)
    assert straight.state_hash() == forked.state_hash()
