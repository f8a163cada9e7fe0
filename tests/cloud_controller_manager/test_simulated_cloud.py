"""A cluster on the simulated cloud: nodes are initialized by it, Services of type LoadBalancer get an address."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from cluster_engine import Cluster
from cluster_engine.cloud_controller_manager.cloud import NoAddress, address, instance
from cluster_engine.cloud_controller_manager.service import FINALIZER
from cluster_engine.kube_apiserver import ADMIN, Request
from cluster_engine.network import WORKSTATION_IP, Verdict

JSON = dict[str, Any]
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "labels": {"app": "web"}},
    "spec": {"containers": [{"name": "c", "image": "nginx"}]},
}


def service(name: str = "web", **spec: Any) -> JSON:
    spec = {"type": "LoadBalancer", "selector": {"app": "web"}, "ports": [{"port": 80}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=3, seed=5, freezing=True, cloud=True)
    cluster.apply(POD)
    cluster.settle()
    return cluster


@pytest.fixture
def cluster(base: Cluster) -> Cluster:
    return base.fork()


def addresses(cluster: Cluster, name: str = "web") -> list[str]:
    found = cluster.get("services", name)
    assert found is not None
    return [entry["ip"] for entry in found["status"]["loadBalancer"].get("ingress") or ()]


def reasons(cluster: Cluster) -> list[str]:
    told = [e for e in cluster.list("events", "default") if e["involvedObject"]["kind"] == "Service"]
    return [e["reason"] for e in sorted(told, key=lambda e: int(e["metadata"]["resourceVersion"]))]


def patch(cluster: Cluster, **spec: Any) -> None:
    headers = {"content-type": "application/merge-patch+json"}
    path = "/api/v1/namespaces/default/services/web"
    body = orjson.dumps({"spec": spec})
    assert cluster.request(Request("PATCH", path, [], headers, body, ADMIN)).status == 200
    cluster.settle()


def test_nodes_are_what_their_cloud_says(base: Cluster) -> None:
    nodes = {node["metadata"]["name"]: node for node in base.list("nodes")}
    worker = nodes["worker-1"]
    assert worker["spec"]["providerID"] == "drydock://region-1b/worker-1"
    assert "taints" not in worker["spec"]
    labels = worker["metadata"]["labels"]
    assert labels["topology.kubernetes.io/zone"] == "region-1b"
    assert labels["node.kubernetes.io/instance-type"] == "worker-4"
    (taint,) = nodes["control-plane"]["spec"]["taints"]
    assert taint["key"] == "node-role.kubernetes.io/control-plane"
    synced = [e for e in base.list("events", "default") if e["reason"] == "Synced"]
    assert {e["message"] for e in synced} == {"Node synced successfully"}


def test_without_a_cloud_nobody_answers() -> None:
    cluster = Cluster(nodes=2, seed=5, freezing=True)
    cluster.apply(service())
    cluster.settle()
    assert addresses(cluster) == []
    assert all("providerID" not in node["spec"] for node in cluster.list("nodes"))


def test_a_load_balancer_comes_and_goes(cluster: Cluster) -> None:
    cluster.apply(service())
    assert addresses(cluster) == []
    cluster.settle()
    (ip,) = addresses(cluster)
    found = cluster.get("services", "web") or {}
    assert found["metadata"]["finalizers"] == [FINALIZER]
    assert reasons(cluster) == ["EnsuringLoadBalancer", "EnsuredLoadBalancer"]
    assert cluster.network.way(WORKSTATION_IP, ip, 80).verdict == Verdict.DELIVER
    cluster.delete("services", "web", "default")
    assert (cluster.get("services", "web") or {})["metadata"]["deletionTimestamp"]
    cluster.settle()
    assert cluster.get("services", "web") is None
    assert reasons(cluster)[2:] == ["DeletingLoadBalancer", "DeletedLoadBalancer"]
    assert Cluster.replay(cluster.journal).state_hash() == cluster.state_hash()


def test_a_service_that_wants_none_any_more(cluster: Cluster) -> None:
    cluster.apply(service())
    cluster.settle()
    patch(cluster, type="ClusterIP")
    found = cluster.get("services", "web") or {}
    assert (addresses(cluster), found["metadata"].get("finalizers") or []) == ([], [])


def test_each_has_its_own_and_may_name_it(cluster: Cluster) -> None:
    cluster.apply([service(f"s{n}") for n in range(3)])
    cluster.apply(service("named", loadBalancerIP="172.18.255.240"))
    cluster.settle()
    given = [ip for name in ("s0", "s1", "s2", "named") for ip in addresses(cluster, name)]
    assert len(set(given)) == 4
    assert addresses(cluster, "named") == ["172.18.255.240"]


def test_what_cannot_be_had_is_told(cluster: Cluster) -> None:
    cluster.apply(service(loadBalancerIP="203.0.113.1"))
    cluster.advance(30)
    assert addresses(cluster) == []
    told = [
        e["message"] for e in cluster.list("events", "default") if e["reason"] == "SyncLoadBalancerFailed"
    ]
    why = "the address 203.0.113.1 is not free, or not this cloud's"
    assert told == [f"Error syncing load balancer: failed to ensure load balancer: {why}"]


def test_a_class_is_somebody_elses(cluster: Cluster) -> None:
    cluster.apply(service(loadBalancerClass="example.com/other"))
    cluster.settle()
    assert addresses(cluster) == []


def test_it_goes_on_where_it_was(cluster: Cluster) -> None:
    cluster.apply(service())
    cluster.advance(0.5)
    other = Cluster.restore(cluster.snapshot())
    for each in (cluster, other):
        each.settle()
    assert addresses(other) == addresses(cluster) != []
    assert other.state_hash() == cluster.state_hash()


def test_addresses_end() -> None:
    taken: list[str] = []
    for _ in range(51):
        taken.append(address("", taken))
    assert (len(set(taken)), taken[0], taken[-1]) == (51, "172.18.255.200", "172.18.255.250")
    with pytest.raises(NoAddress):
        address("", taken)


def test_machines() -> None:
    assert instance("worker-4", 4, False) == ("drydock://region-1b/worker-4", "worker-4", "region-1b")


def _node(cluster: Cluster, name: str) -> JSON:
    found = cluster.get("nodes", name)
    assert found is not None
    return found


def _keys(cluster: Cluster, name: str) -> list[str]:
    return [taint["key"] for taint in _node(cluster, name)["spec"].get("taints") or ()]


def _network(cluster: Cluster, name: str) -> tuple[str, str, str]:
    conditions = _node(cluster, name)["status"]["conditions"]
    (found,) = [c for c in conditions if c["type"] == "NetworkUnavailable"]
    return found["status"], found["reason"], found["message"]


def _names(cluster: Cluster) -> list[str]:
    return [node["metadata"]["name"] for node in cluster.list("nodes")]


def _told(cluster: Cluster, reason: str) -> list[str]:
    return [event["message"] for event in cluster.list("events", "default") if event["reason"] == reason]


SHUTDOWN = "node.cloudprovider.kubernetes.io/shutdown"


def test_a_machine_that_is_stopped_and_one_that_is_deleted(cluster: Cluster) -> None:
    cluster.fault("cloud/machine", node="worker-1", state="stopped")
    cluster.advance(90)
    assert SHUTDOWN in _keys(cluster, "worker-1")
    cluster.fault("cloud/machine", node="worker-1", state="running")
    cluster.advance(60)
    assert _keys(cluster, "worker-1") == []
    uid = _node(cluster, "worker-1")["metadata"]["uid"]
    cluster.fault("cloud/machine", node="worker-1", state="deleted")
    cluster.advance(90)
    assert "worker-1" not in _names(cluster)
    assert _told(cluster, "DeletingNode") == [
        "Deleting node worker-1 because it does not exist in the cloud provider"
    ]
    cluster.fault("cloud/machine", node="worker-1", state="running")
    cluster.advance(60)
    assert _node(cluster, "worker-1")["metadata"]["uid"] != uid


def test_a_node_group_grows_and_shrinks(cluster: Cluster) -> None:
    assert _names(cluster) == ["control-plane", "worker-1", "worker-2"]
    cluster.fault("cloud/group", size=4)
    cluster.advance(60)
    assert _names(cluster) == ["control-plane", "worker-1", "worker-2", "worker-3", "worker-4"]
    assert _keys(cluster, "worker-4") == []
    assert _node(cluster, "worker-4")["spec"]["providerID"] == "drydock://region-1b/worker-4"
    cluster.fault("cloud/group", size=1)
    cluster.advance(120)
    assert _names(cluster) == ["control-plane", "worker-1"]
    copies = [cluster.fork(), Cluster.resume(cluster.keyframe()), Cluster.replay(cluster.journal)]
    for each in (cluster, *copies):
        each.fault("cloud/group", size=2)
        each.advance(60)
        assert _names(each) == ["control-plane", "worker-1", "worker-2"]
        assert each.state_hash() == cluster.state_hash()


def test_a_route_leads_to_each_node_or_it_takes_no_pods(cluster: Cluster) -> None:
    assert _network(cluster, "worker-1") == ("False", "RouteCreated", "RouteController created a route")
    cluster.fault("cloud/api", service="routes", error="too many routes")
    cluster.fault("cloud/group", size=3)
    cluster.advance(60)
    why = ("True", "NoRouteCreated", "RouteController failed to create a route")
    assert _network(cluster, "worker-3") == why
    assert _network(cluster, "worker-1")[0] == "False"
    assert _keys(cluster, "worker-3") == ["node.kubernetes.io/network-unavailable"]
    (said,) = _told(cluster, "FailedToCreateRoute")
    assert said.startswith("Could not create route ")
    assert said.endswith(" 10.244.3.0/24 for node worker-3 after 1s: too many routes")
    cluster.fault("cloud/api", service="routes")
    cluster.advance(300)
    assert _network(cluster, "worker-3")[0] == "False"
    assert _keys(cluster, "worker-3") == []


def test_a_cloud_that_does_not_answer(cluster: Cluster) -> None:
    cluster.fault("cloud/api", service="instances", error="out of order")
    cluster.fault("cloud/group", size=3)
    cluster.fault("cloud/machine", node="worker-1", state="deleted")
    cluster.advance(120)
    assert "node.cloudprovider.kubernetes.io/uninitialized" in _keys(cluster, "worker-3")
    assert "worker-1" in _names(cluster)
    cluster.fault("cloud/api", service="instances")
    cluster.advance(400)
    assert _keys(cluster, "worker-3") == []
    assert "worker-1" not in _names(cluster)


def test_a_load_balancer_waits_for_a_cloud_that_is_slow_or_has_no_more(cluster: Cluster) -> None:
    cluster.fault("cloud/quota", loadbalancers=0)
    cluster.fault("cloud/api", service="loadbalancers", slow=30)
    cluster.apply(service())
    cluster.advance(20)
    assert reasons(cluster) == ["EnsuringLoadBalancer"]
    cluster.advance(60)
    failed = "Error syncing load balancer: failed to ensure load balancer: the quota of 0 load balancers is used up"
    assert _told(cluster, "SyncLoadBalancerFailed") == [failed]
    assert addresses(cluster) == []
    cluster.fault("cloud/quota", loadbalancers=1)
    cluster.fault("cloud/api", service="loadbalancers", error="HTTP 500")
    cluster.advance(120)
    assert f"{failed.rpartition(': ')[0]}: HTTP 500" in _told(cluster, "SyncLoadBalancerFailed")
    cluster.fault("cloud/api", service="loadbalancers")
    cluster.advance(400)
    assert addresses(cluster) == ["172.18.255.200"]


@pytest.mark.parametrize(
    ("kind", "what", "why"),
    [
        (
            "cloud/machine",
            {"node": "worker-1", "state": "tired"},
            "a machine is running, stopped, deleted, found",
        ),
        ("cloud/machine", {"node": "control-plane", "state": "deleted"}, "carries the control plane"),
        ("cloud/group", {"size": 9}, "the group has 0 to 4 nodes, found 9"),
        (
            "cloud/api",
            {"service": "disks"},
            "a cloud's API has instances, routes, loadbalancers, found 'disks'",
        ),
        ("cloud/api", {"service": "routes", "slow": 601}, "expected 0 to 600 seconds"),
        ("cloud/api", {"service": "routes", "error": "x" * 501}, "and 500 characters at most"),
        ("cloud/quota", {"loadbalancers": 52}, "a quota is 0 to 51 load balancers"),
    ],
    ids=lambda value: value if isinstance(value, str) and "/" in value else "",
)
def test_what_no_cloud_does(base: Cluster, kind: str, what: JSON, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        base.fork().fault(kind, **what)
    with pytest.raises(ValueError, match="expected a cluster on the simulated cloud, found none"):
        Cluster(nodes=2).fault(kind, **what)
