"""Nodes that lose power or their way to the control plane, containers that are killed, registries that fail.

Each scenario is a row: what is applied, what happens when, and what is found then. After each one the run is told
again from its journal, goes on in a fork, and is resumed from a keyframe taken half way.
"""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery import yaml
from cluster_engine.kube_apiserver import ADMIN, Request

JSON = dict[str, Any]
NODE = "worker-2"


def pod(name: str, policy: str = "Always", **more: Any) -> JSON:
    box = {
        "name": "c",
        "image": "busybox",
        "command": ["sh", "-c", "echo up >> /d/log; cat /d/log; sleep 1d"],
    }
    box["volumeMounts"] = [{"name": "d", "mountPath": "/d"}]  # type: ignore[assignment]
    spec = {
        "nodeName": NODE,
        "restartPolicy": policy,
        "terminationGracePeriodSeconds": 1,
        "volumes": [{"name": "d", "emptyDir": more.pop("disk", {})}],
        "containers": [{**box, **more.pop("box", {})}],
        **more,
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


INIT = [{"name": "i", "image": "busybox", "command": ["echo", "first"]}]
WEB = yaml.load("""
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 4
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: "nginx:1.27", readinessProbe: {httpGet: {port: 80}}}]}
""")

OFF, ON = ("node/power", {"node": NODE, "up": False}), ("node/power", {"node": NODE, "up": True})
CUT, HEAL = ("node/partition", {"node": NODE, "cut": True}), ("node/partition", {"node": NODE, "cut": False})
KILL = ("container/kill", {"namespace": "default", "pod": "a", "container": ""})
DELETE = ("delete", "a")
FORCE = ("force", "a")
FORGET_NODE = ("delete-node", NODE)


def container(cluster: Cluster, name: str = "a") -> JSON:
    found = cluster.get("pods", name)
    assert found is not None
    status: JSON = found["status"]["containerStatuses"][0]
    return status


def told(cluster: Cluster, about: str) -> set[str]:
    return {
        event["reason"]
        for space in ("default", "kube-system")
        for event in cluster.list("events", space)
        if event["involvedObject"]["name"] == about
    }


def ready(cluster: Cluster) -> str:
    node = cluster.get("nodes", NODE)
    assert node is not None
    return str(next(c["status"] for c in node["status"]["conditions"] if c["type"] == "Ready"))


def taints(cluster: Cluster) -> list[tuple[str, str]]:
    node = cluster.get("nodes", NODE)
    return [(t["key"].rpartition("/")[2], t["effect"]) for t in (node or {})["spec"].get("taints") or ()]


def log(cluster: Cluster, name: str = "a") -> Any:
    path = f"/api/v1/namespaces/default/pods/{name}/log"
    reply = cluster.request(Request("GET", path, [], {}, b"", ADMIN))
    return reply.body.decode() if reply.status == 200 else (reply.status, orjson.loads(reply.body)["message"])


def state(cluster: Cluster, name: str = "a") -> Any:
    """(phase, restarts, whether ready, whether being deleted), or None when it is not there."""
    found = cluster.get("pods", name)
    if found is None:
        return None
    own = container(cluster, name)
    conditions = {c["type"]: c["status"] for c in found["status"]["conditions"]}
    deleted = "deletionTimestamp" in found["metadata"]
    return found["status"]["phase"], own["restartCount"], conditions["Ready"] == "True", deleted


def web_nodes(cluster: Cluster) -> tuple[int, int]:
    """(Pods of the Deployment that are Ready elsewhere, Pods that are still written down on the node)."""
    pods = cluster.list("pods", "default", "app=web")
    is_ready = [
        p
        for p in pods
        if any(c["type"] == "Ready" and c["status"] == "True" for c in p["status"]["conditions"])
    ]
    return sum(p["spec"]["nodeName"] != NODE for p in is_ready), sum(
        p["spec"]["nodeName"] == NODE for p in pods
    )


UNREACHABLE = [("unreachable", "NoSchedule"), ("unreachable", "NoExecute")]
LOST = {"exitCode": 255, "reason": "Unknown"}

# id, what is applied, [fault or action | virtual seconds | (what is looked at, what is found)].
SCENARIOS: list[tuple[str, list[JSON], list[Any]]] = [
    (
        "a node without power is Unknown after 50 s and not before",
        [],
        [OFF, 39, (ready, "True"), (taints, []), 11, (ready, "Unknown"), (taints, UNREACHABLE)],
    ),
    (
        "its Pods are not ready then, and stay Running",
        [pod("a")],
        [OFF, 40, (state, ("Running", 0, True, False)), 20, (state, ("Running", 0, False, False))],
    ),
    (
        "they are marked for deletion 300 s after the taint, and wait for the node",
        [pod("a")],
        [
            OFF,
            340,
            (state, ("Running", 0, False, False)),
            20,
            (state, ("Running", 0, False, True)),
            900,
            (state, ("Running", 0, False, True)),
        ],
    ),
    (
        "and are gone when it is back",
        [pod("a")],
        [OFF, 400, ON, 60, (state, None), (ready, "True"), (taints, [])],
    ),
    ("force deletes them at once", [pod("a")], [OFF, 400, FORCE, 1, (state, None)]),
    ("with the node's object they are gone too", [pod("a")], [OFF, 400, FORGET_NODE, 120, (state, None)]),
    (
        "a node that was deleted while it was off registers again",
        [],
        [OFF, 60, FORGET_NODE, 5, ON, 40, (ready, "True"), (taints, [])],
    ),
    ("a Deployment's Pods are made elsewhere", [WEB], [OFF, 420, (web_nodes, (4, 1))]),
    ("and the old ones go when the node is back", [WEB], [OFF, 420, ON, 60, (web_nodes, (4, 0))]),
    (
        "a short loss restarts the containers in place",
        [pod("a")],
        [OFF, 5, ON, 15, (state, ("Running", 0, True, False)), 15, (state, ("Running", 1, True, False))],
    ),
    (
        "the last state says that nobody saw the end",
        [pod("a")],
        [OFF, 5, ON, 40, (lambda c: {k: container(c)["lastState"]["terminated"][k] for k in LOST}, LOST)],
    ),
    ("emptyDir on disk outlives it", [pod("a")], [OFF, 5, ON, 40, (log, "up\nup\n")]),
    ("emptyDir in memory does not", [pod("a", disk={"medium": "Memory"})], [OFF, 5, ON, 40, (log, "up\n")]),
    (
        "init containers run again",
        [pod("a", initContainers=INIT)],
        [
            OFF,
            5,
            ON,
            40,
            (state, ("Running", 1, True, False)),
            (lambda c: (c.get("pods", "a") or {})["status"]["initContainerStatuses"][0]["restartCount"], 1),
        ],
    ),
    (
        "OnFailure starts again",
        [pod("a", "OnFailure")],
        [OFF, 5, ON, 40, (state, ("Running", 1, True, False))],
    ),
    ("Never has Failed", [pod("a", "Never")], [OFF, 5, ON, 40, (state, ("Failed", 0, False, False))]),
    (
        "a Job's Pod that had Succeeded stays so",
        [pod("a", "Never", box={"command": ["true"]})],
        [OFF, 5, ON, 40, (state, ("Succeeded", 0, False, False))],
    ),
    (
        "a Pod that was deleted meanwhile goes",
        [pod("a")],
        [OFF, 5, DELETE, 5, (state, ("Running", 0, True, True)), ON, 40, (state, None)],
    ),
    (
        "a Pod that was bound meanwhile starts",
        [],
        [OFF, 5, ("apply", pod("a")), 20, ON, 40, (state, ("Running", 0, True, False))],
    ),
    (
        "a Pod whose image was being pulled starts",
        [],
        [
            ("apply", pod("a", box={"image": "python:3.12"})),
            0.6,
            OFF,
            5,
            ON,
            60,
            (state, ("Running", 0, True, False)),
        ],
    ),
    (
        "off and on again within a boot",
        [pod("a")],
        [OFF, 2, ON, 5, OFF, 5, ON, 60, (state, ("Running", 1, True, False)), (ready, "True")],
    ),
    (
        "two losses are two restarts",
        [pod("a")],
        [OFF, 5, ON, 60, OFF, 5, ON, 60, (state, ("Running", 2, True, False))],
    ),
    (
        "the events of the way back",
        [pod("a")],
        [
            OFF,
            70,
            ON,
            60,
            (
                lambda c: {"Starting", "Rebooted", "NodeReady", "NodeHasSufficientMemory"} <= told(c, NODE),
                True,
            ),
            (lambda c: "SandboxChanged" in told(c, "a"), True),
        ],
    ),
    (
        "its log cannot be read",
        [pod("a")],
        [
            OFF,
            1,
            (
                log,
                (
                    500,
                    'Get "https://172.18.0.4:10250/containerLogs/default/a/c": dial tcp 172.18.0.4:10250: '
                    "connect: no route to host",
                ),
            ),
        ],
    ),
    (
        "a node that is cut off is Unknown after 50 s",
        [pod("a")],
        [CUT, 39, (ready, "True"), 20, (ready, "Unknown"), (state, ("Running", 0, False, False))],
    ),
    (
        "its containers go on",
        [pod("a", box={"command": ["sh", "-c", "while sleep 10; do echo tick; done"]})],
        [
            CUT,
            100,
            HEAL,
            5,
            (lambda c: log(c).count("tick") >= 10, True),
            (state, ("Running", 0, True, False)),
        ],
    ),
    (
        "a healed node is Ready, and so are its Pods",
        [pod("a")],
        [CUT, 100, HEAL, 12, (ready, "True"), (taints, []), (state, ("Running", 0, True, False))],
    ),
    (
        "a cut of less than 50 s is seen by nobody",
        [pod("a")],
        [CUT, 30, HEAL, 60, (ready, "True"), (state, ("Running", 0, True, False))],
    ),
    (
        "a container that ended meanwhile was restarted",
        [pod("a", box={"command": ["sleep", "30"]})],
        [CUT, 40, (state, ("Running", 0, True, False)), HEAL, 10, (lambda c: state(c)[1], 1)],
    ),
    (
        "a Pod that was deleted meanwhile runs until it is healed",
        [pod("a")],
        [CUT, 10, DELETE, 100, (state, ("Running", 0, False, True)), HEAL, 10, (state, None)],
    ),
    (
        "Pods of a cut node are evicted, and go when it is healed",
        [pod("a")],
        [CUT, 400, (state, ("Running", 0, False, True)), HEAL, 30, (state, None)],
    ),
    (
        "nobody reaches its kubelet",
        [pod("a")],
        [
            CUT,
            1,
            (
                log,
                (
                    500,
                    'Get "https://172.18.0.4:10250/containerLogs/default/a/c": dial tcp 172.18.0.4:10250: i/o timeout',
                ),
            ),
        ],
    ),
    (
        "cut off and without power",
        [pod("a")],
        [
            CUT,
            5,
            OFF,
            5,
            ON,
            60,
            (state, ("Running", 0, False, False)),
            HEAL,
            40,
            (state, ("Running", 1, True, False)),
            (ready, "True"),
        ],
    ),
    (
        "a killed container is started again",
        [pod("a")],
        [
            KILL,
            5,
            (state, ("Running", 1, True, False)),
            (lambda c: container(c)["lastState"]["terminated"]["exitCode"], 137),
        ],
    ),
    (
        "of a Pod that is never restarted it is its end",
        [pod("a", "Never")],
        [KILL, 5, (state, ("Failed", 0, False, False))],
    ),
    (
        "a registry that fails",
        [],
        [
            ("registry/fail", {"host": "docker.io", "failing": True}),
            ("apply", pod("a", box={"image": "busybox:1.36"})),
            5,
            (
                lambda c: container(c)["state"]["waiting"]["reason"] in ("ErrImagePull", "ImagePullBackOff"),
                True,
            ),
            ("registry/fail", {"host": "docker.io", "failing": False}),
            60,
            (state, ("Running", 0, True, False)),
        ],
    ),
]


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=4, seed=3, freezing=True)
    cluster.settle()
    return cluster


def act(cluster: Cluster, step: Any) -> None:
    if isinstance(step, int | float):
        cluster.advance(step)
        return
    what, data = step
    if not isinstance(what, str):
        assert what(cluster) == data
    elif what == "apply":
        cluster.apply(data)
    elif what == "delete-node":
        cluster.delete("nodes", data)
    elif what in ("delete", "force"):
        query = [("gracePeriodSeconds", "0")] if what == "force" else []
        path = f"/api/v1/namespaces/default/pods/{data}"
        assert cluster.request(Request("DELETE", path, query, {}, b"", ADMIN)).status == 200
    else:
        cluster.fault(what, **data)


@pytest.mark.parametrize(("objects", "steps"), [pytest.param(o, s, id=i) for i, o, s in SCENARIOS])
def test_a_scenario(base: Cluster, objects: list[JSON], steps: list[Any]) -> None:
    cluster = begun(base, objects)
    for step in steps:
        act(cluster, step)


def begun(base: Cluster, objects: list[JSON]) -> Cluster:
    cluster = base.fork()
    for each in objects:
        cluster.apply(each)
    cluster.settle()
    cluster.advance(3)
    return cluster


TOLD_AGAIN = (
    "and the old ones go when the node is back",
    "cut off and without power",
    "a registry that fails",
)


@pytest.mark.parametrize(
    ("objects", "steps"),
    [pytest.param(o, s, id=i, marks=() if i in TOLD_AGAIN else pytest.mark.slow) for i, o, s in SCENARIOS],
)
def test_a_scenario_is_told_again(base: Cluster, objects: list[JSON], steps: list[Any]) -> None:
    """In a fork, from its journal, and from a keyframe taken half way."""
    cluster = begun(base, objects)
    half = len(steps) // 2
    for step in steps[:half]:
        act(cluster, step)
    fork, frame = cluster.fork(), cluster.keyframe()
    for step in steps[half:]:
        act(cluster, step)
        act(fork, step)
    cluster.advance(20)
    fork.advance(20)
    expected = cluster.state_hash()
    assert fork.state_hash() == expected
    assert Cluster.resume(frame, cluster.journal).state_hash() == expected
    assert Cluster.replay(cluster.journal).state_hash() == expected


@pytest.mark.parametrize(
    ("kind", "data", "why"),
    [
        (
            "node/power",
            {"node": "worker-9", "up": False},
            "expected one of the nodes control-plane, worker-1",
        ),
        ("node/power", {"node": "control-plane", "up": False}, "control-plane carries the control plane"),
        ("node/power", {"node": NODE}, "node/power needs up \\(bool\\), found None"),
        ("node/power", {"node": NODE, "up": True, "soon": 1}, "node/power has no soon"),
        (
            "container/kill",
            {"namespace": "default", "pod": "none", "container": ""},
            "expected a Pod on a node",
        ),
        (
            "node/fire",
            {},
            "a fault is one of node/power, node/shutdown, node/partition, node/slow, container/kill",
        ),
        (
            "component/stop",
            {"component": "kubelet", "stopped": True},
            "a component is one of etcd, kube-apiserver, kube-controller-manager, kube-scheduler, found 'kubelet'",
        ),
        (
            "component/stop",
            {"component": "kube-scheduler", "stopped": False},
            "expected the file /etc/kubernetes/kube-scheduler.yaml on control-plane, found none",
        ),
    ],
)
def test_what_cannot_fail_is_refused_and_not_journaled(
    base: Cluster, kind: str, data: JSON, why: str
) -> None:
    cluster = base.fork()
    before = len(cluster.journal.entries)
    with pytest.raises(ValueError, match=why):
        cluster.fault(kind, **data)
    assert len(cluster.journal.entries) == before


def test_no_more_registries_fail_than_the_limit(base: Cluster) -> None:
    cluster = base.fork()
    for number in range(64):
        cluster.fault("registry/fail", host=f"r{number}.example.com", failing=True)
    with pytest.raises(ValueError, match="64 registries may fail at a time"):
        cluster.fault("registry/fail", host="one.more", failing=True)


def test_a_policy_that_refuses_renewals_ends_them(base: Cluster) -> None:
    """Renewals are worked out; what would refuse one in a real cluster makes the kubelet write the next one."""
    cluster = base.fork()
    cluster.apply("""
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: no-leases}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules: [{apiGroups: [coordination.k8s.io], apiVersions: [v1], operations: [UPDATE], resources: [leases]}]
  validations: [{expression: "object.metadata.name != 'worker-2'"}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: no-leases}
spec: {policyName: no-leases, validationActions: [Deny]}
""")
    cluster.advance(15)
    renewed = (cluster.get("leases", NODE, "kube-node-lease") or {})["spec"]["renewTime"]
    cluster.advance(40)
    assert (cluster.get("leases", NODE, "kube-node-lease") or {})["spec"]["renewTime"] == renewed
    assert (cluster.get("leases", "worker-1", "kube-node-lease") or {})["spec"]["renewTime"] > renewed
    cluster.delete("validatingadmissionpolicybindings", "no-leases")
    cluster.advance(15)
    assert (cluster.get("leases", NODE, "kube-node-lease") or {})["spec"]["renewTime"] > renewed
