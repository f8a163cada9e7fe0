"""StatefulSets on a cluster: order, identity, updates."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.errors import ApiError

JSON = dict[str, Any]


def stateful_set(image: str = "nginx:1.27", **spec: Any) -> JSON:
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": 3,
            "serviceName": "web",
            "selector": {"matchLabels": {"app": "web"}},
            **spec,
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "main", "image": image}]},
            },
        },
    }


def settled(**spec: Any) -> Cluster:
    cluster = Cluster(nodes=3, freezing=True, strict=True)
    cluster.apply(stateful_set(**spec))
    assert cluster.settle()
    return cluster


def pods(cluster: Cluster) -> dict[str, str]:
    """Image by name."""
    found = cluster.list("pods", "default")
    return {pod["metadata"]["name"]: pod["spec"]["containers"][0]["image"] for pod in found}


def told(cluster: Cluster) -> list[str]:
    """What the controller did, in order."""
    found = [event for event in cluster.list("events", "default") if event["involvedObject"]["name"] == "web"]
    found.sort(key=lambda event: int(event["metadata"]["resourceVersion"]))
    words = [event["message"].split() for event in found]
    return [f"{word[0]} {word[2]}" for word in words]


def status(cluster: Cluster) -> JSON:
    found: JSON = cluster.list("statefulsets.apps", "default")[0]["status"]
    return found


@pytest.mark.parametrize("policy", ["OrderedReady", "Parallel"])
def test_start_identity_and_end(policy: str) -> None:
    cluster = settled(podManagementPolicy=policy)
    assert told(cluster) == ["create web-0", "create web-1", "create web-2"]
    ready = [p["status"]["startTime"] for p in cluster.list("pods", "default")]
    assert (len(set(ready)) == 1) == (policy == "Parallel")
    assert status(cluster)["readyReplicas"] == status(cluster)["updatedReplicas"] == 3
    assert cluster.execute("web-1", ["hostname", "-f"]).stdout == b"web-1.web.default.svc.cluster.local\n"
    cluster.delete("pods", "web-1")
    assert cluster.settle()
    assert list(pods(cluster)) == ["web-0", "web-1", "web-2"]
    cluster.apply(stateful_set(podManagementPolicy=policy, replicas=1))
    assert cluster.settle()
    assert list(pods(cluster)) == ["web-0"]
    assert told(cluster)[-2:] == ["delete web-2", "delete web-1"]
    assert Cluster.replay(cluster.journal).state_hash() == cluster.state_hash()


@pytest.mark.parametrize(
    ("rolling", "new"),
    [
        pytest.param({}, ["web-0", "web-1", "web-2"], id="all"),
        pytest.param({"partition": 2}, ["web-2"], id="partition"),
        pytest.param({"partition": 9}, [], id="none"),
        pytest.param({"maxUnavailable": 2}, ["web-0", "web-1", "web-2"], id="two-at-once"),
    ],
)
def test_update(rolling: JSON, new: list[str]) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": rolling}
    cluster = settled(updateStrategy=strategy)
    before = status(cluster)["currentRevision"]
    cluster.apply(stateful_set("nginx:1.28", updateStrategy=strategy))
    assert cluster.settle()
    assert [name for name, image in pods(cluster).items() if image == "nginx:1.28"] == new
    deleted = [text.split()[1] for text in told(cluster) if text.startswith("delete")]
    assert deleted == sorted(new, reverse=True)
    assert (status(cluster)["currentRevision"] == before) == (len(new) < 3)
    assert status(cluster)["updatedReplicas"] == len(new) if new else "updatedReplicas" not in status(cluster)


def test_on_delete_waits_for_us() -> None:
    cluster = settled(updateStrategy={"type": "OnDelete"})
    cluster.apply(stateful_set("nginx:1.28", updateStrategy={"type": "OnDelete"}))
    assert cluster.settle()
    assert set(pods(cluster).values()) == {"nginx:1.27"}
    cluster.delete("pods", "web-0")
    assert cluster.settle()
    assert pods(cluster) == {"web-0": "nginx:1.28", "web-1": "nginx:1.27", "web-2": "nginx:1.27"}


def test_ordinals_start_elsewhere_and_a_rollback_finds_its_revision() -> None:
    cluster = settled(ordinals={"start": 5}, replicas=2)
    assert list(pods(cluster)) == ["web-5", "web-6"]
    first = status(cluster)["currentRevision"]
    for image in ("nginx:1.28", "nginx:1.27"):
        cluster.apply(stateful_set(image, ordinals={"start": 5}, replicas=2))
        assert cluster.settle()
    assert status(cluster)["currentRevision"] == first
    numbers = [r["revision"] for r in cluster.list("controllerrevisions.apps", "default")]
    assert sorted(numbers) == [2, 3]


REFUSED = {
    "policy": (
        {"podManagementPolicy": "Random"},
        "spec.podManagementPolicy: Invalid value: \"Random\": must be 'OrderedReady' or 'Parallel'",
    ),
    "strategy": (
        {"updateStrategy": {"type": "Blue"}},
        "spec.updateStrategy: Invalid value: {\"type\":\"Blue\"}: must be 'RollingUpdate' or 'OnDelete'",
    ),
    "rolling of OnDelete": (
        {"updateStrategy": {"type": "OnDelete", "rollingUpdate": {"partition": 1}}},
        'spec.updateStrategy.rollingUpdate: Invalid value: {"partition":1}: '
        "only allowed for updateStrategy 'RollingUpdate'",
    ),
    "nothing unavailable": (
        {"updateStrategy": {"rollingUpdate": {"maxUnavailable": 0}}},
        "spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: 0: cannot be 0",
    ),
    "retention": (
        {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Keep", "whenScaled": "Retain"}},
        'spec.persistentVolumeClaimRetentionPolicy.whenDeleted: Unsupported value: "Keep": '
        'supported values: "Delete", "Retain"',
    ),
    "ordinals": (
        {"ordinals": {"start": -1}},
        "spec.ordinals.start: Invalid value: -1: must be greater than or equal to 0",
    ),
}


@pytest.mark.parametrize(("spec", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(spec: JSON, message: str) -> None:
    with pytest.raises(ApiError) as wrong:
        Cluster(nodes=1).apply(stateful_set(**spec))
    assert wrong.value.message == f'StatefulSet.apps "web" is invalid: {message}'


def test_identity_may_not_change() -> None:
    cluster = settled(replicas=1)
    with pytest.raises(ApiError) as wrong:
        cluster.apply(stateful_set(replicas=1, serviceName="other"))
    assert (
        "spec: Forbidden: updates to statefulset spec for fields other than 'replicas'" in wrong.value.message
    )
