"""Several control-plane nodes: who leads when a leader is lost, where the API is, and how much of etcd it needs."""

from __future__ import annotations

import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component import ELECTED
from cluster_engine.leader_election import host_of

PLANES = ["control-plane", "control-plane2", "control-plane3"]


@pytest.fixture(scope="module")
def base() -> Cluster:
    return Cluster(nodes=5, control_planes=3, freezing=True)


@pytest.fixture
def cluster(base: Cluster) -> Cluster:
    return base.fork()


def lease(cluster: Cluster, process: str) -> JSON:
    found = cluster.get("leases", process, "kube-system")
    assert found is not None
    spec: JSON = found["spec"]
    return spec


def leader(cluster: Cluster, process: str) -> str:
    return host_of(lease(cluster, process)["holderIdentity"])


def servers(cluster: Cluster) -> list[str]:
    found = cluster.get("endpointslices", "kubernetes")
    assert found is not None
    return [endpoint["addresses"][0] for endpoint in found["endpoints"]]


def works(cluster: Cluster, name: str) -> bool:
    """Whether a Deployment gets its Pod."""
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "c", "image": "registry.k8s.io/pause:3.10"}]},
    }
    spec = {"selector": {"matchLabels": {"app": name}}, "template": template}
    cluster.apply({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec})
    cluster.advance(30)
    found = cluster.get("deployments", name)
    return found is not None and found["status"].get("readyReplicas") == 1


def test_each_has_a_whole_control_plane(base: Cluster) -> None:
    names = [node["metadata"]["name"] for node in base.list("nodes")]
    assert names == [*PLANES, "worker-1", "worker-2"]
    pods = [pod["metadata"]["name"] for pod in base.list("pods", "kube-system")]
    parts = ("etcd", "kube-apiserver", *ELECTED)
    assert {f"{part}-{node}" for part in parts for node in PLANES} <= set(pods)
    assert servers(base) == ["172.18.0.2", "172.18.0.3", "172.18.0.4"]
    assert works(base.fork(), "web")


@pytest.mark.parametrize("process", ELECTED)
def test_another_one_leads_when_the_leaders_node_is_lost(cluster: Cluster, process: str) -> None:
    first = leader(cluster, process)
    cluster.fault("node/power", node=first, up=False)
    cluster.advance(14)
    assert leader(cluster, process) == first
    cluster.advance(10)
    second = leader(cluster, process)
    assert second != first
    assert lease(cluster, process)["leaseTransitions"] == 1
    cluster.advance(10)
    assert len(servers(cluster)) == 2
    assert works(cluster, "web")
    with pytest.raises(ValueError, match="most nodes of the control plane have to stay"):
        cluster.fault("node/power", node=second, up=False)
    cluster.fault("node/power", node=first, up=True)
    cluster.advance(60)
    assert leader(cluster, process) == second
    assert len(servers(cluster)) == 3
    copies = [cluster.fork(), Cluster.resume(cluster.keyframe()), Cluster.replay(cluster.journal)]
    assert {each.state_hash() for each in copies} == {cluster.state_hash()}


def test_etcd_needs_most_of_its_members(cluster: Cluster) -> None:
    cluster.fault("component/stop", component="etcd", stopped=True, node="control-plane3")
    cluster.advance(20)
    assert works(cluster, "with-two")
    cluster.fault("component/stop", component="etcd", stopped=True, node="control-plane2")
    cluster.advance(20)
    before = cluster.store.revision
    with pytest.raises(Exception, match="etcdserver: request timed out"):
        works(cluster, "with-one")
    assert cluster.list("nodes")
    cluster.advance(60)
    assert cluster.store.revision == before
    cluster.fault("component/stop", component="etcd", stopped=False, node="control-plane2")
    cluster.advance(120)
    assert works(cluster, "with-two-again")


def test_one_api_server_is_enough(cluster: Cluster) -> None:
    for node in PLANES[:2]:
        cluster.fault("component/stop", component="kube-apiserver", stopped=True, node=node)
    cluster.advance(60)
    assert servers(cluster) == ["172.18.0.4"]
    assert works(cluster, "web")


@pytest.mark.parametrize("count", [0, 2, 7])
def test_how_many_there_can_be(count: int) -> None:
    with pytest.raises(ValueError, match="control planes are 1, 3 or 5"):
        Cluster(nodes=9, control_planes=count, boot=False)
