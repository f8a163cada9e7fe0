"""A running Pod gets other amounts of processor time and memory: in place, by a restart, later, or never."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from cluster_engine import Cluster
from cluster_engine.container_runtime.container import Container
from cluster_engine.kube_apiserver import ADMIN, Request, Response
from cluster_engine.kubelet import resizing

JSON = dict[str, Any]
MIB = 1024 * 1024


def pod(name: str = "elastic", **resources: Any) -> JSON:
    policies = [
        {"resourceName": "cpu", "restartPolicy": "NotRequired"},
        {"resourceName": "memory", "restartPolicy": "RestartContainer"},
    ]
    amounts = resources or {
        "requests": {"cpu": "200m", "memory": "64Mi"},
        "limits": {"cpu": "400m", "memory": "128Mi"},
    }
    busy = ["sh", "-c", "trap 'exit 0' TERM; while true; do :; done"]
    container = {"name": "c", "image": "busybox:1.36", "command": busy, "resources": amounts}
    spec = {
        "nodeName": "worker-1",
        "terminationGracePeriodSeconds": 1,
        "containers": [{**container, "resizePolicy": policies}],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def resize(
    cluster: Cluster, resources: Any, name: str = "elastic", kind: str = "strategic-merge"
) -> Response:
    body = {"spec": {"containers": [{"name": "c", "resources": resources}]}}
    path = f"/api/v1/namespaces/default/pods/{name}/resize"
    headers = {"content-type": f"application/{kind}-patch+json"}
    data = orjson.dumps(body if kind == "strategic-merge" else resources)
    answer = cluster.request(Request("PATCH", path, [], headers, data, ADMIN))
    cluster.advance(5)
    return answer


def told(cluster: Cluster, name: str = "elastic") -> JSON:
    """What the Pod asks for, has been allocated, has, and how often it began anew."""
    found = cluster.get("pods", name)
    assert found is not None
    (status,) = found["status"]["containerStatuses"]
    return {
        "asks": found["spec"]["containers"][0]["resources"]["requests"]["cpu"],
        "allocated": status["allocatedResources"]["cpu"],
        "limits": status["resources"]["limits"],
        "restarts": status["restartCount"],
        "pending": {
            c["reason"]: c["message"] for c in found["status"]["conditions"] if c["type"] == resizing.PENDING
        },
    }


def events(cluster: Cluster) -> list[str]:
    return [e["reason"] for e in cluster.list("events", "default") if e["reason"].startswith("Resize")]


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=2, seed=5, freezing=True)
    cluster.apply(pod())
    cluster.advance(30)
    return cluster


@pytest.fixture
def cluster(base: Cluster) -> Cluster:
    return base.fork()


def spent(cluster: Cluster) -> int:
    """µs of processors that its container has used."""
    usages = [u for _, api in cluster.server.node_proxy.all() for u in api.usage() or ()]
    return next(int(usage[4]) for usage in usages if usage[1] == "elastic")


def rate(cluster: Cluster) -> int:
    """Thousandths of a processor, over ten seconds."""
    before = spent(cluster)
    cluster.advance(10)
    return (spent(cluster) - before) // 10_000


def test_processor_time_in_place(cluster: Cluster) -> None:
    assert 390 <= rate(cluster) <= 410
    assert resize(cluster, {"requests": {"cpu": "300m"}, "limits": {"cpu": "600m"}}).status == 200
    limits = {"cpu": "600m", "memory": "128Mi"}
    assert told(cluster) == {
        "asks": "300m",
        "allocated": "300m",
        "limits": limits,
        "restarts": 0,
        "pending": {},
    }
    assert 590 <= rate(cluster) <= 610
    assert events(cluster) == ["ResizeStarted", "ResizeCompleted"]
    resize(cluster, {"limits": {"cpu": "300m"}})
    assert 290 <= rate(cluster) <= 310
    assert Cluster.replay(cluster.journal).state_hash() == cluster.state_hash()


def test_memory_by_a_restart(cluster: Cluster) -> None:
    assert resize(cluster, {"limits": {"memory": "256Mi"}}).status == 200
    cluster.advance(10)
    found = told(cluster)
    assert (found["restarts"], found["limits"]) == (1, {"cpu": "400m", "memory": "256Mi"})
    assert events(cluster) == ["ResizeStarted", "ResizeCompleted"]
    killed = [e["message"] for e in cluster.list("events", "default") if e["reason"] == "Killing"]
    assert killed == ["Container c resize requires restart"]


NEVER = "Node didn't have enough capacity: cpu, requested: 100000, capacity: 4000"


def test_more_than_the_node_has(cluster: Cluster) -> None:
    resize(cluster, {"requests": {"cpu": "100"}, "limits": {"cpu": "100"}})
    found = told(cluster)
    assert (found["asks"], found["allocated"], found["restarts"]) == ("100", "200m", 0)
    assert found["pending"] == {"Infeasible": NEVER}
    assert found["limits"]["cpu"] == "400m"
    assert events(cluster) == ["ResizeInfeasible"]
    for later in (Cluster.restore(cluster.snapshot()), cluster.fork()):
        later.advance(60)
        assert told(later) == found
    resize(cluster, {"requests": {"cpu": "200m"}, "limits": {"cpu": "400m"}})
    assert told(cluster)["pending"] == {}


def test_what_others_have_is_given_when_they_go(cluster: Cluster) -> None:
    amounts = {"cpu": "3", "memory": "16Mi"}
    cluster.apply(pod("other", requests=amounts, limits=amounts))
    cluster.advance(10)
    resize(cluster, {"requests": {"cpu": "2"}, "limits": {"cpu": "2"}})
    (reason, message), *_ = told(cluster)["pending"].items()
    assert reason == "Deferred"
    assert message.startswith("Node didn't have enough resource: cpu, requested: 2000, used: 3")
    cluster.delete("pods", "other", "default")
    cluster.advance(20)
    found = told(cluster)
    assert (found["pending"], found["allocated"], found["limits"]["cpu"]) == ({}, "2", "2")
    assert events(cluster)[-1] == "ResizeCompleted"


REFUSED: dict[str, tuple[str, Any, str]] = {
    "another class": (
        "strategic-merge",
        {"requests": {"cpu": "400m", "memory": "128Mi"}},
        "Pod QOS Class may not change as a result of resizing",
    ),
    "limits removed": (
        "json",
        [{"op": "remove", "path": "/spec/containers/0/resources/limits"}],
        "resource limits cannot be removed",
    ),
    "something else": (
        "json",
        [{"op": "add", "path": "/spec/containers/0/resources/requests/ephemeral-storage", "value": "1Gi"}],
        "only cpu and memory resources are mutable",
    ),
    "another container": (
        "json",
        [{"op": "replace", "path": "/spec/containers/0/name", "value": "d"}],
        "containers may not be renamed or reordered on resize",
    ),
    "one container more": (
        "json",
        [{"op": "add", "path": "/spec/containers/-", "value": {"name": "d", "image": "nginx"}}],
        "containers may not be added or removed on resize",
    ),
    "more than its limit": (
        "strategic-merge",
        {"requests": {"cpu": "500m"}},
        "must be less than or equal to cpu limit of 400m",
    ),
}


@pytest.mark.parametrize(("kind", "change", "text"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(cluster: Cluster, kind: str, change: Any, text: str) -> None:
    answer = resize(cluster, change, kind=kind)
    assert answer.status == 422
    assert text in orjson.loads(answer.body)["message"]


def test_nothing_else_is_taken(cluster: Cluster) -> None:
    patch = [
        {"op": "replace", "path": "/spec/containers/0/image", "value": "nginx"},
        {"op": "replace", "path": "/spec/containers/0/resources/requests/cpu", "value": "250m"},
    ]
    assert resize(cluster, patch, kind="json").status == 200
    found = cluster.get("pods", "elastic")
    assert found is not None
    assert found["spec"]["containers"][0]["image"] == "busybox:1.36"
    assert told(cluster)["allocated"] == "250m"


GIVES = {
    "enough": ({"cpu": 1_000}, {"cpu": 500}, {"cpu": 3_000}, None),
    "all that is left": ({"cpu": 3_500}, {"cpu": 500}, {"cpu": 1_000}, None),
    "too much for now": ({"cpu": 3_500}, {"cpu": 500}, {"cpu": 1_001}, "Deferred"),
    "too much": ({}, {}, {"cpu": 4_001}, "Infeasible"),
    "too much memory": ({"memory": 10}, {"memory": 10}, {"memory": 8 * MIB + 1}, "Infeasible"),
}


@pytest.mark.parametrize(("used", "mine", "wanted", "reason"), GIVES.values(), ids=GIVES.keys())
def test_what_a_node_gives(used: Any, mine: Any, wanted: Any, reason: str | None) -> None:
    found = resizing.refusal({"cpu": 4_000, "memory": 8 * MIB}, used, mine, wanted)
    assert (found and found[0]) == reason


HAS = {
    "what it was given": (128 * MIB, 400, [], False),
    "less time": (128 * MIB, 200, ["cpu"], False),
    "less memory": (64 * MIB, 400, ["memory"], True),
    "no limits": (None, 0, ["cpu", "memory"], True),
}


@pytest.mark.parametrize(("memory", "millis", "change", "restart"), HAS.values(), ids=HAS.keys())
def test_what_a_container_has(memory: int | None, millis: int, change: list[str], restart: bool) -> None:
    (spec,) = pod()["spec"]["containers"]
    container = Container("c", "id", "busybox", [], None, memory=memory, millis=millis)
    assert resizing.to_change(spec, container) == change
    assert resizing.needs_restart(spec, container) == restart
