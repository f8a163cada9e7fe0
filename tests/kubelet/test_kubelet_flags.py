"""Flags of kubelets: what a node is registered with, or that nobody registers it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.kubelet.flags import FlagError, flags_of
from cluster_engine.sim import SECOND, parse_rfc3339

UNINITIALIZED = {
    "effect": "NoSchedule",
    "key": "node.cloudprovider.kubernetes.io/uninitialized",
    "value": "true",
}


def made(cloud: bool = False, **flags: Any) -> Cluster:
    """A cluster whose worker-1 has these flags."""
    given = {"worker-1": {name.replace("_", "-"): value for name, value in flags.items()}}
    return Cluster(nodes=3, freezing=True, cloud=cloud, kubelets=orjson.dumps(given).decode())


def node(cluster: Cluster, name: str = "worker-1") -> JSON:
    found = cluster.get("nodes", name)
    assert found is not None
    return found


def ready(cluster: Cluster, name: str = "worker-1") -> JSON:
    return next(c for c in node(cluster, name)["status"]["conditions"] if c["type"] == "Ready")


def test_labels_and_taints_that_it_is_registered_with() -> None:
    cluster = made(
        node_labels="disk=ssd,node.kubernetes.io/role=db",
        register_with_taints="gpu=true:NoSchedule,own:NoExecute",
    )
    labels = node(cluster)["metadata"]["labels"]
    assert (labels["disk"], labels["node.kubernetes.io/role"]) == ("ssd", "db")
    assert node(cluster)["spec"]["taints"] == [
        {"effect": "NoSchedule", "key": "gpu", "value": "true"},
        {"effect": "NoExecute", "key": "own"},
    ]
    assert "taints" not in node(cluster, "worker-2")["spec"]
    assert Cluster.replay(cluster.journal).state_hash() == cluster.state_hash()


def test_a_node_that_is_registered_by_hand() -> None:
    cluster = made(register_node=False)
    cluster.advance(60)
    assert cluster.get("nodes", "worker-1") is None
    cluster.apply(
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "worker-1", "labels": {"by": "hand"}}}
    )
    cluster.advance(30)
    assert ready(cluster)["status"] == "True"
    assert node(cluster)["metadata"]["labels"] == {"by": "hand"}
    assert node(cluster)["spec"]["podCIDR"] == "10.244.1.0/24"
    pod = {
        "containers": [{"name": "c", "image": "registry.k8s.io/pause:3.10"}],
        "nodeSelector": {"by": "hand"},
    }
    cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "here"}, "spec": pod})
    assert cluster.settle()
    found = cluster.get("pods", "here")
    assert found is not None
    assert found["status"]["phase"] == "Running"


def test_who_waits_for_a_node_that_is_registered_by_hand_sees_it_ready() -> None:
    """Its kubelet finds it when it next writes its status, within ten seconds: `settle` goes on to there."""
    cluster = made(register_node=False)
    cluster.advance(60)
    cluster.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "worker-1"}})
    begun = cluster.clock.now
    assert cluster.settle()
    assert ready(cluster)["status"] == "True"
    assert cluster.clock.now - begun < 15 * SECOND


NODE_EVENTS = [
    ("Starting", "Starting kubelet."),
    ("NodeHasSufficientMemory", "Node worker-1 status is now: NodeHasSufficientMemory"),
    ("NodeHasNoDiskPressure", "Node worker-1 status is now: NodeHasNoDiskPressure"),
    ("NodeHasSufficientPID", "Node worker-1 status is now: NodeHasSufficientPID"),
    ("NodeAllocatableEnforced", "Updated Node Allocatable limit across pods"),
    ("RegisteredNode", "Node worker-1 event: Registered Node worker-1 in Controller"),
    ("NodeReady", "Node worker-1 status is now: NodeReady"),
]


@pytest.mark.parametrize("by_hand", [False, True])
def test_what_is_told_of_a_node_that_comes(by_hand: bool) -> None:
    cluster = made(register_node=not by_hand)
    if by_hand:
        cluster.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "worker-1"}})
    cluster.advance(30)
    events = [e for e in cluster.list("events", "default") if e["involvedObject"]["name"] == "worker-1"]
    told = [
        (event["reason"], event["message"])
        for event in events
        if event["reason"] != "Starting" or event["message"]
    ]
    assert sorted(told) == sorted(
        NODE_EVENTS if not by_hand else [e for e in NODE_EVENTS if e[0] != "NodeReady"]
    )


def test_how_often_it_reports() -> None:
    cluster = made(node_status_update_frequency="20s")
    cluster.advance(120)
    ages = [
        cluster.clock.now - parse_rfc3339(ready(cluster, name)["lastHeartbeatTime"])
        for name in ("worker-1", "worker-2")
    ]
    assert ages[0] <= 20 * SECOND
    assert ages[1] > 60 * SECOND


def test_a_cloud_that_nobody_asks_and_one_that_is_not_there() -> None:
    cluster = made(cloud_provider="external", node_ip="172.18.0.3")
    assert node(cluster)["spec"]["taints"] == [UNINITIALIZED]
    assert node(cluster)["metadata"]["annotations"]["alpha.kubernetes.io/provided-node-ip"] == "172.18.0.3"
    cluster = made(cloud=True, cloud_provider="")
    assert "providerID" not in node(cluster)["spec"]
    assert "providerID" in node(cluster, "worker-2")["spec"]


def test_another_name() -> None:
    cluster = made(hostname_override="db-1")
    assert cluster.get("nodes", "worker-1") is None
    assert node(cluster, "db-1")["metadata"]["labels"]["kubernetes.io/hostname"] == "db-1"
    assert {"address": "db-1", "type": "Hostname"} in node(cluster, "db-1")["status"]["addresses"]
    assert ready(cluster, "db-1")["status"] == "True"


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        ({"max-pods": "9"}, "failed to parse kubelet flag: unknown flag: --max-pods"),
        ({"register-node": "no"}, 'invalid argument "no" for "--register-node" flag'),
        (
            {"node-labels": "node-role.kubernetes.io/db=x"},
            r"unknown 'kubernetes.io' or 'k8s.io' labels specified with",
        ),
        ({"node-labels": "disk"}, "malformed pair, expect string=string"),
        ({"node-labels": "a b=c"}, "invalid node labels: 'a b' - "),
        ({"register-with-taints": "gpu"}, "invalid taint spec: gpu"),
        ({"node-status-update-frequency": "soon"}, 'time: invalid duration "soon"'),
        ({"node-status-update-frequency": "2h"}, 'time: invalid duration "2h"'),
        ({"cloud-provider": "aws"}, 'unsupported value for "--cloud-provider": "aws"'),
        ({"kubeconfig": ""}, "Drydock does not simulate that"),
    ],
    ids=lambda value: next(iter(value.items())) if isinstance(value, dict) else "",
)
def test_with_what_no_kubelet_starts(flags: JSON, why: str) -> None:
    with pytest.raises(FlagError, match=why):
        flags_of(flags)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ('{"worker-9": {}}', "flags are given to the kubelet of worker-9, which is no node"),
        ('{"worker-1": {"node-ip": "10.0.0.9"}}', 'node IP: "10.0.0.9" not found in the host'),
        ('{"control-plane": {"hostname-override": "cp"}}', "keeps its name"),
        ("[]", "are a mapping of nodes"),
        ("{", "."),
    ],
    ids=["nobody", "address", "control plane", "list", "no YAML"],
)
def test_what_no_cluster_has(given: str, why: str) -> None:
    with pytest.raises(FlagError, match=why):
        Cluster(nodes=2, boot=False, kubelets=given)
