"""Leader election: who holds the lease acts; a lease outlives its holder; what takes it is told of."""

from __future__ import annotations

import re
from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.component import ELECTED
from cluster_engine.leader_election import held, host_of
from cluster_engine.sim import SECOND, parse_rfc3339

SCHEDULER = "kube-scheduler"


@pytest.fixture(scope="module")
def base() -> Cluster:
    return Cluster(nodes=2, freezing=True)


@pytest.fixture
def cluster(base: Cluster) -> Cluster:
    return base.fork()


def spec(cluster: Cluster, process: str = SCHEDULER) -> dict[str, Any]:
    lease = cluster.get("leases", process, "kube-system")
    assert lease is not None
    return dict(lease["spec"])


def told(cluster: Cluster, process: str = SCHEDULER) -> list[str]:
    return [
        re.sub("_[-0-9a-f]{36} ", " ", event["message"])
        for event in cluster.list("events", "kube-system")
        if event["reason"] == "LeaderElection" and event["involvedObject"]["name"] == process
        for _ in range(event["count"])
    ]


def restarts(cluster: Cluster, process: str = SCHEDULER) -> tuple[int, int | None]:
    pod = cluster.get("pods", f"{process}-control-plane", "kube-system")
    assert pod is not None
    (status,) = pod["status"]["containerStatuses"]
    return status["restartCount"], (status.get("lastState") or {}).get("terminated", {}).get("exitCode")


@pytest.mark.parametrize("process", ELECTED)
def test_one_leads_from_the_start(cluster: Cluster, process: str) -> None:
    """The lease is renewed each two seconds, as if somebody wrote it, and nobody does."""
    first = spec(cluster, process)
    assert host_of(first["holderIdentity"]) == "control-plane"
    assert (first["leaseDurationSeconds"], first["leaseTransitions"]) == (15, 0)
    assert told(cluster, process) == ["control-plane became leader"]
    cluster.advance(60)
    before, after = (parse_rfc3339(each["renewTime"]) for each in (first, spec(cluster, process)))
    assert (after - before) % (2 * SECOND) == 0
    assert 0 <= cluster.clock.now - after < 2 * SECOND
    assert not [event for event in cluster.clock.state()["heap"] if event[3].startswith("leader/")]
    assert {**spec(cluster, process), "renewTime": ""} == {**first, "renewTime": ""}


def test_a_process_that_begins_waits_until_the_lease_of_the_last_one_ran_out(cluster: Cluster) -> None:
    died = cluster.clock.now
    cluster.fault(
        "container/kill", namespace="kube-system", pod=f"{SCHEDULER}-control-plane", container=SCHEDULER
    )
    cluster.advance(14)
    assert spec(cluster)["leaseTransitions"] == 0
    assert parse_rfc3339(spec(cluster)["renewTime"]) <= died
    cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "waits"},
            "spec": {"containers": [{"name": "c", "image": "registry.k8s.io/pause:3.10"}]},
        }
    )
    cluster.advance(0.5)
    pod = cluster.get("pods", "waits")
    assert pod is not None
    assert "nodeName" not in pod["spec"]
    copy = Cluster.resume(cluster.keyframe())
    for each in (cluster, copy):
        assert each.settle()
        pod = each.get("pods", "waits")
        assert pod is not None
        assert pod["status"]["phase"] == "Running"
        assert spec(each)["leaseTransitions"] == 1
        assert 15 * SECOND <= parse_rfc3339(spec(each)["acquireTime"]) - died < 25 * SECOND
    assert told(cluster) == ["control-plane became leader"] * 2
    assert cluster.state_hash() == copy.state_hash()
    assert Cluster.replay(cluster.journal).state_hash() == cluster.state_hash()


@pytest.mark.parametrize(
    ("outage", "restarted"), [(8, (0, None)), (40, (1, 1))], ids=["short", "longer than the deadline"]
)
def test_who_cannot_renew_gives_up(cluster: Cluster, outage: int, restarted: Any) -> None:
    before = spec(cluster)["holderIdentity"]
    cluster.fault("component/stop", component="etcd", stopped=True)
    cluster.advance(outage)
    cluster.fault("component/stop", component="etcd", stopped=False)
    cluster.settle()
    cluster.advance(60)
    assert restarts(cluster) == restarted
    assert (spec(cluster)["holderIdentity"] == before) is (restarted[0] == 0)
    assert cluster.clock.now - parse_rfc3339(spec(cluster)["renewTime"]) < 2 * SECOND


def _write(cluster: Cluster, **fields: Any) -> None:
    lease = cluster.get("leases", SCHEDULER, "kube-system")
    assert lease is not None
    more = {name: value for name, value in lease["spec"].items() if name not in fields}
    cluster.apply(
        {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": SCHEDULER},
            "spec": {**more, **fields},
        },
        "kube-system",
    )


def test_a_lease_that_is_deleted_or_emptied_is_made_good(cluster: Cluster) -> None:
    identity = spec(cluster)["holderIdentity"]
    cluster.delete("leases", SCHEDULER, "kube-system")
    cluster.advance(4)
    assert spec(cluster)["holderIdentity"] == identity
    _write(cluster, holderIdentity="")
    cluster.advance(4)
    assert (spec(cluster)["holderIdentity"], spec(cluster)["leaseTransitions"]) == (identity, 1)
    assert restarts(cluster) == (0, None)


def test_a_lease_that_somebody_else_takes_costs_its_holder_his_life(cluster: Cluster) -> None:
    _write(cluster, holderIdentity="thief")
    cluster.advance(9)
    assert spec(cluster)["holderIdentity"] == "thief"
    assert restarts(cluster) == (0, None)
    cluster.settle()
    cluster.advance(40)
    assert restarts(cluster) == (1, 1)
    assert host_of(spec(cluster)["holderIdentity"]) == "control-plane"
    assert told(cluster) == [
        "control-plane became leader",
        "control-plane stopped leading",
        "control-plane became leader",
    ]


OLD = {
    "holderIdentity": "a_1",
    "leaseDurationSeconds": 15,
    "acquireTime": "then",
    "renewTime": "then",
    "leaseTransitions": 3,
}


@pytest.mark.parametrize(
    ("spec", "identity", "leads", "expected"),
    [
        ({}, "a_1", False, ("a_1", "now", 0)),
        ({}, "a_1", True, ("a_1", "now", 0)),
        (OLD, "a_1", True, ("a_1", "then", 3)),
        (OLD, "b_2", False, ("b_2", "now", 4)),
        (OLD, "b_2", True, None),
        ({**OLD, "holderIdentity": ""}, "a_1", True, ("a_1", "now", 4)),
    ],
    ids=["first", "made again", "renewed", "taken over", "lost", "emptied"],
)
def test_what_a_lease_says(spec: Any, identity: str, leads: bool, expected: Any) -> None:
    after = held(spec, identity, "now", leads)
    found = after and (after["holderIdentity"], after["acquireTime"], after["leaseTransitions"])
    assert found == expected
