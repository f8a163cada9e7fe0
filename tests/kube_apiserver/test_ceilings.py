"""A Deployment of a million replicas meets the cluster's ceiling: cheap, and said in its status."""

from __future__ import annotations

from apiserver_bench import deployment

from cluster_engine import Cluster


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
