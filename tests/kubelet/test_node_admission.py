"""Which Pods a node takes, and what becomes of the others."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component_helpers.host_ports import host_ports
from cluster_engine.component_helpers.requests import pod_requests
from cluster_engine.kubelet.admission import Usage, refusal

ALLOCATABLE = {
    "cpu": 4000,
    "memory": 8 << 30,
    "ephemeral-storage": 100 << 30,
    "pods": 3,
    "example.com/gpu": 1,
}
NODE: JSON = {"metadata": {"name": "worker-1", "labels": {"disk": "hdd"}}, "spec": {}}
TAINTED: JSON = {**NODE, "spec": {"taints": [{"key": "k", "effect": "NoExecute"}]}}
SOFT: JSON = {**NODE, "spec": {"taints": [{"key": "k", "effect": "NoSchedule"}]}}
TOLERATES = {"tolerations": [{"operator": "Exists"}]}
PORT = {"ports": [{"containerPort": 80, "hostPort": 8088}]}


def asks(**amounts: str) -> JSON:
    return {"resources": {"requests": {name.replace("_", "-"): amount for name, amount in amounts.items()}}}


def spec(container: JSON | None = None, **more: Any) -> JSON:
    return {"containers": [{"name": "c", **(container or {})}], **more}


def sysctl(name: str, **more: Any) -> JSON:
    return spec(securityContext={"sysctls": [{"name": name, "value": "1"}]}, **more)


def short(name: str, requested: int, used: int, capacity: int) -> tuple[str, str]:
    numbers = f"requested: {requested}, used: {used}, capacity: {capacity}"
    return f"OutOf{name}", f"Node didn't have enough resource: {name}, {numbers}"


AFFINITY = (
    "NodeAffinity",
    "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
)
PORTS = (
    "NodePorts",
    "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
)
TAINT = (
    "TaintToleration",
    "Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate",
)
OS = ("PodOSNotSupported", "Failed to admit pod as the OS field doesn't match node OS")


def forbidden(why: str) -> tuple[str, str]:
    return "SysctlForbidden", f"forbidden sysctl: {why}"


CASES: dict[str, tuple[JSON, JSON, tuple[str, str] | None]] = {
    "fits": (spec(asks(cpu="3")), NODE, None),
    "cpu": (spec(asks(cpu="3100m")), NODE, short("cpu", 3100, 1000, 4000)),
    "memory": (spec(asks(memory="9Gi")), NODE, short("memory", 9 << 30, 0, 8 << 30)),
    "storage": (
        spec(asks(ephemeral_storage="101Gi")),
        NODE,
        short("ephemeral-storage", 101 << 30, 0, 100 << 30),
    ),
    "cpu before memory": (spec(asks(memory="9Gi", cpu="400")), NODE, short("cpu", 400_000, 1000, 4000)),
    "an extended resource": (
        spec({"resources": {"requests": {"example.com/gpu": "2"}}}),
        NODE,
        short("example.com/gpu", 2, 0, 1),
    ),
    "one that the node does not know": (
        spec({"resources": {"requests": {"example.com/fpga": "2"}}}),
        NODE,
        None,
    ),
    "selector": (spec(nodeSelector={"disk": "ssd"}), NODE, AFFINITY),
    "selector that matches": (spec(nodeSelector={"disk": "hdd"}), NODE, None),
    "resources before the selector": (
        spec(asks(cpu="4"), nodeSelector={"disk": "ssd"}),
        NODE,
        short("cpu", 4000, 1000, 4000),
    ),
    "a port that is taken": (spec(PORT), NODE, PORTS),
    "another protocol": (
        spec({"ports": [{"containerPort": 80, "hostPort": 8088, "protocol": "UDP"}]}),
        NODE,
        None,
    ),
    "a taint": (spec(), TAINTED, TAINT),
    "a taint that is tolerated": (spec(**TOLERATES), TAINTED, None),
    "a taint that only scheduling minds": (spec(), SOFT, None),
    "another system": (spec(os={"name": "windows"}), NODE, OS),
    "linux": (spec(os={"name": "linux"}), NODE, None),
    "a sysctl": (sysctl("kernel.msgmax"), NODE, forbidden('"kernel.msgmax" not allowlisted')),
    "a sysctl with slashes": (
        sysctl("net/core/somaxconn"),
        NODE,
        forbidden('"net.core.somaxconn" not allowlisted'),
    ),
    "a safe sysctl": (sysctl("net.ipv4.tcp_syncookies"), NODE, None),
    "a safe sysctl of the host's network": (
        sysctl("net.ipv4.tcp_syncookies", hostNetwork=True),
        NODE,
        forbidden('"net.ipv4.tcp_syncookies" not allowed with host Net enabled'),
    ),
}


@pytest.mark.parametrize(("wanted", "node", "why"), CASES.values(), ids=CASES.keys())
def test_refusals(wanted: JSON, node: JSON, why: tuple[str, str] | None) -> None:
    usage = Usage()
    usage.add("other", {"cpu": 1000}, host_ports(spec(PORT)))
    pod = {"metadata": {"name": "p"}, "spec": wanted}
    asked, ports = pod_requests(wanted), host_ports(wanted)
    assert refusal(pod, node, ALLOCATABLE, usage, asked, ports) == why


def test_a_full_node() -> None:
    usage = Usage()
    for uid in "abc":
        usage.add(uid, {}, ())
    pod = {"metadata": {"name": "p"}, "spec": spec()}
    assert refusal(pod, NODE, ALLOCATABLE, usage, {}, ()) == short("pods", 1, 3, 3)
    usage.remove("b", {})
    assert refusal(pod, NODE, ALLOCATABLE, usage, {}, ()) is None


def test_a_label_of_another_system() -> None:
    pod = {"metadata": {"name": "p", "labels": {"kubernetes.io/os": "windows"}}, "spec": spec()}
    assert refusal(pod, NODE, ALLOCATABLE, Usage(), {}, ()) == (
        "PodOSSelectorNodeLabelDoesNotMatch",
        "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label",
    )


# ---- in a cluster --------------------------------------------------------------------------------------


def bound(name: str, container: JSON | None = None, **more: Any) -> JSON:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "nodeName": "worker-1",
            "containers": [{"name": "c", "image": "nginx:1.27", **(container or {})}],
            **more,
        },
    }


def get(cluster: Cluster, name: str) -> JSON:
    found = cluster.get("pods", name)
    assert found is not None
    return found


def told(cluster: Cluster, name: str) -> list[str]:
    return [
        f"{e['type']} {e['reason']}: {e['message']}"
        for e in cluster.list("events", "default")
        if e["involvedObject"]["name"] == name and e["source"]["component"] == "kubelet"
    ]


def test_pods_bound_past_the_scheduler() -> None:
    cluster = Cluster(nodes=2, seed=5, freezing=True)
    cluster.apply(bound("greedy", asks(cpu="400")))
    cluster.apply(bound("first", PORT))
    cluster.apply(bound("second", PORT))
    cluster.settle()
    status = dict(get(cluster, "greedy")["status"])
    message = status.pop("message")
    assert message.startswith(
        "Pod was rejected: Node didn't have enough resource: cpu, requested: 400000, used: "
    )
    del status["startTime"], status["observedGeneration"]
    assert status == {"phase": "Failed", "reason": "OutOfcpu", "qosClass": "Burstable"}
    assert told(cluster, "greedy") == [f"Warning OutOfcpu: {message.removeprefix('Pod was rejected: ')}"]
    assert get(cluster, "first")["status"]["phase"] == "Running"
    assert get(cluster, "second")["status"]["reason"] == "NodePorts"
    twins = [cluster.fork(), Cluster.restore(cluster.snapshot())]
    for one in (cluster, *twins):
        # What a Pod held is free again when it has gone, but not for one that has failed.
        one.delete("pods", "first")
        one.settle()
        one.apply(bound("third", PORT))
        one.settle()
        assert get(one, "third")["status"]["phase"] == "Running"
        assert get(one, "second")["status"]["phase"] == "Failed"
    assert len({one.state_hash() for one in (cluster, *twins)}) == 1


def test_a_rejected_pod_can_be_deleted() -> None:
    cluster = Cluster(nodes=2, seed=5, freezing=True)
    cluster.apply(bound("picky", nodeSelector={"disk": "ssd"}))
    cluster.settle()
    cluster.delete("pods", "picky")
    cluster.settle()
    assert cluster.get("pods", "picky") is None


def test_pull_secrets_that_are_missing() -> None:
    cluster = Cluster(nodes=2, seed=5, freezing=True)
    cluster.apply(bound("pull", imagePullSecrets=[{"name": "regcred"}, {"name": "other"}]))
    cluster.settle()
    assert told(cluster, "pull")[0] == (
        "Warning FailedToRetrieveImagePullSecret: Unable to retrieve some image pull secrets (regcred, other); "
        "attempting to pull the image may not succeed."
    )
    assert get(cluster, "pull")["status"]["phase"] == "Running"
