"""A Deployment of a million replicas meets the cluster's ceiling: cheap, and said in its status."""

from __future__ import annotations

import pytest
from apiserver_bench import deployment

from cluster_engine import Cluster
from cluster_engine.apimachinery.errors import ApiError


def test_a_million_replicas() -> None:
    cluster = Cluster(nodes=2, seed=1, max_pods=40)
    cluster.apply(deployment("huge", replicas=1_000_000))
    before = cluster.clock.events_run
    cluster.advance(60)
    assert len(cluster.list("pods")) == 40
    assert cluster.clock.events_run - before < 20_000
    # The events' spam filter has had its fill of SuccessfulCreate, as upstream: the condition tells it.
    conditions = cluster.list("replicasets", "default")[0]["status"]["conditions"]
    failure = next(condition for condition in conditions if condition["type"] == "ReplicaFailure")
    assert failure["reason"] == "FailedCreate"
    assert failure["message"].endswith(
        "exceeded quota: cluster-budget, requested: pods=1, used: pods=40, limited: pods=40"
    )


def test_a_pod_with_very_many_containers() -> None:
    cluster = Cluster(nodes=2, seed=1)
    containers = [{"name": f"c{number}", "image": "busybox"} for number in range(101)]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "many"},
        "spec": {"containers": containers},
    }
    with pytest.raises(ApiError) as refused:
        cluster.apply(pod)
    assert refused.value.status["message"] == (
        'pods "many" is forbidden: exceeded quota: cluster-budget, requested: containers=101, '
        "used: containers=0, limited: containers=100"
    )
    split = {"containers": containers[:60], "initContainers": containers[60:]}
    with pytest.raises(ApiError):
        cluster.apply({**pod, "spec": split})
    cluster.apply({**pod, "spec": {**split, "initContainers": containers[60:100]}})
