"""Node leases: renewed without events, seen as if each renewal had been written, made good after others' writes."""

from itertools import pairwise

import orjson
import pytest

from cluster_engine import Cluster
from cluster_engine.etcd.renewals import RENEWAL_PERIOD
from cluster_engine.kube_apiserver import ADMIN, Request
from cluster_engine.kubelet import node
from cluster_engine.sim import SECOND, parse_rfc3339

LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"


@pytest.fixture
def cluster():
    return Cluster(nodes=3, seed=2, freezing=True)


def lease(cluster, name="worker-1"):
    return cluster.get("leases", name, "kube-node-lease")


def renewed_at(cluster):
    return parse_rfc3339(lease(cluster)["spec"]["renewTime"])


def listed(cluster):
    return orjson.loads(cluster.request(Request("GET", LEASES, [], {}, b"", ADMIN)).body)


def test_the_period_is_the_stores():
    assert round(node._LEASE_PERIOD * SECOND) == RENEWAL_PERIOD


def test_a_lease_is_renewed_each_ten_seconds_and_costs_no_event(cluster):
    cluster.advance(1)
    first, version = renewed_at(cluster), int(lease(cluster)["metadata"]["resourceVersion"])
    for seconds in (10, 20, 3600):
        cluster.advance(seconds)
        assert 0 <= cluster.clock.now - renewed_at(cluster) < RENEWAL_PERIOD
        assert (renewed_at(cluster) - first) % RENEWAL_PERIOD == 0
        assert int(lease(cluster)["metadata"]["resourceVersion"]) > version
        version = int(lease(cluster)["metadata"]["resourceVersion"])
        assert int(listed(cluster)["metadata"]["resourceVersion"]) == cluster.store.revision >= version
        assert lease(cluster) in listed_with_kind(cluster)
        stamp = lease(cluster)["metadata"]["managedFields"][0]["time"]
        assert stamp == lease(cluster)["spec"]["renewTime"][:19] + "Z"
        assert not lease_events(cluster)


def lease_events(cluster):
    return [event for event in cluster.clock.state()["heap"] if event[3] == "kubelet/lease"]


def listed_with_kind(cluster):
    return [
        {**item, "apiVersion": "coordination.k8s.io/v1", "kind": "Lease"} for item in listed(cluster)["items"]
    ]


def test_a_watch_shows_each_renewal(cluster):
    version = listed(cluster)["metadata"]["resourceVersion"]
    query = [("watch", "true"), ("resourceVersion", version), ("fieldSelector", "metadata.name=worker-1")]
    stream = cluster.request(Request("GET", LEASES, query, {}, b"", ADMIN)).stream
    frames = []
    for step in range(10):
        cluster.advance(4)
        if step == 5:
            cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})
        if step % 3 == 0:
            frames += [orjson.loads(line) for line in stream.take().splitlines()]
    frames += [orjson.loads(line) for line in stream.take().splitlines()]
    times = [parse_rfc3339(frame["object"]["spec"]["renewTime"]) for frame in frames]
    versions = [int(frame["object"]["metadata"]["resourceVersion"]) for frame in frames]
    assert {frame["type"] for frame in frames} == {"MODIFIED"}
    assert [b - a for a, b in pairwise(times)] == [RENEWAL_PERIOD] * 3
    assert versions == sorted(set(versions))
    assert frames[-1]["object"] == lease(cluster)


@pytest.mark.parametrize("how", ["deleted", "patched"])
def test_what_others_do_to_a_lease_is_made_good(cluster, how):
    cluster.advance(25)
    if how == "deleted":
        cluster.delete("leases", "worker-1", "kube-node-lease")
        assert lease(cluster) is None
    else:
        spec = {"holderIdentity": "me", "renewTime": "2020-01-01T00:00:00.000000Z"}
        meta = {"name": "worker-1", "namespace": "kube-node-lease"}
        cluster.apply(
            {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta, "spec": spec}
        )
        assert lease(cluster)["spec"]["holderIdentity"] == "me"
    cluster.advance(10)
    assert lease(cluster)["spec"]["holderIdentity"] == "worker-1"
    cluster.advance(200)
    assert cluster.clock.now - renewed_at(cluster) < RENEWAL_PERIOD
    assert not lease_events(cluster)
    ready = next(c for c in cluster.get("nodes", "worker-1")["status"]["conditions"] if c["type"] == "Ready")
    assert ready["status"] == "True"
