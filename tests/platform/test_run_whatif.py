"""What if: two forks side by side; the run is not touched, and what would happen is what then happens."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.utils import translation
from runs.host import whatif
from runs.host.errors import HostError
from runs.host.whatif import forecast
from runs.hosting import Reply
from runs.other_states import foretold
from runs.whatif import ACTIONS

from cluster_engine.cluster import Cluster


def deployment(replicas: int) -> dict[str, Any]:
    containers = [{"name": "c", "image": "nginx"}]
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": containers}}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


@pytest.fixture
def cluster() -> Cluster:
    made = Cluster(nodes=3, freezing=True)
    made.apply(deployment(3))
    made.settle()
    return made


def ask(cluster: Cluster, **data: Any) -> dict[str, Any]:
    return dict(asyncio.run(forecast(cluster, data)))


def texts(told: list[dict[str, Any]]) -> list[str]:
    return [each["text"] for each in told]


def test_every_action_is_performed() -> None:
    assert tuple(whatif.PERFORMERS) == ACTIONS


def test_a_deleted_pod_would_be_replaced_and_the_run_is_not_touched(cluster: Cluster) -> None:
    name = cluster.list("pods", "default")[0]["metadata"]["name"]
    before = cluster.state_hash()
    found = ask(cluster, action="delete", resource="pods", name=name, seconds=40)
    assert cluster.state_hash() == before
    told = foretold(Reply(200, found)).data
    assert texts(told["story"])[0].startswith(
        f"kubernetes-admin changed the Pod {name} (metadata.deletionTimestamp"
    )
    assert any("replicaset-controller created the Pod web-" in each for each in texts(told["story"]))
    assert f"Pod default/{name} would not be there" in texts(told["changes"])
    assert [each["what"] for each in told["changes"] if each["kind"] == "Pod"].count("created") == 1
    with translation.override("zh-hans"):
        assert f"Pod default/{name} 会消失" in texts(foretold(Reply(200, found)).data["changes"])


def test_what_was_foretold_comes_true(cluster: Cluster) -> None:
    found = ask(cluster, action="power-off", name="worker-1", seconds=600)
    kept = cluster.fork()
    kept.advance(600)
    cluster.fault("node/power", node="worker-1", up=False)
    cluster.advance(600)
    assert whatif.compare(kept, cluster) == found["changes"]
    assert {each["kind"] for each in found["changes"]} >= {"Node", "Pod"}


def test_a_manifest_is_tried(cluster: Cluster) -> None:
    manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: tide}\ndata: {height: '3'}\n"
    found = ask(cluster, action="apply", manifest=manifest, seconds=1)
    assert [(each["kind"], each["name"], each["what"]) for each in found["changes"]] == [
        ("ConfigMap", "tide", "created")
    ]
    assert cluster.get("configmaps", "tide") is None


def test_what_is_told_is_bounded(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whatif, "STORY_TOLD", 2)
    monkeypatch.setattr(whatif, "CHANGES_TOLD", 1)
    found = ask(cluster, action="delete", resource="deployments", name="web", seconds=60)
    assert (len(found["story"]), len(found["changes"])) == (2, 1)
    assert min(found["untold"], found["more"]) > 0


def test_too_much_to_compute_is_said(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cluster_engine.serving.driver.STEP_LIMIT", -1)
    with pytest.raises(HostError) as refused:
        ask(cluster, action="power-off", name="worker-1", seconds=3600)
    assert refused.value.status == 503


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({}, 400, "action: one of delete, apply, power-off, found 'None'"),
    ({"action": "delete", "resource": "pods", "name": "nobody"}, 404, 'pods "nobody" not found'),
    (
        {"action": "delete", "resource": "ships", "name": "x"},
        400,
        'the server doesn\'t have a resource type "ships"',
    ),
    ({"action": "power-off", "name": "mars"}, 400, "mars"),
    ({"action": "apply", "manifest": "kind: ["}, 400, ""),
    ({"action": "apply", "manifest": "kind: Pod"}, 400, ""),
    ({"action": "delete", "seconds": 0}, 400, "seconds: a whole number from 1 to 3600, found '0'"),
    ({"action": "delete", "seconds": "60"}, 400, "seconds: a whole number from 1 to 3600, found '60'"),
    ({"action": "delete", "seconds": True}, 400, "seconds: a whole number from 1 to 3600, found 'True'"),
]


@pytest.mark.parametrize(("data", "status", "said"), REFUSED, ids=[str(row[0]) for row in REFUSED])
def test_what_cannot_be_tried_is_refused(
    cluster: Cluster, data: dict[str, Any], status: int, said: str
) -> None:
    before = cluster.state_hash()
    with pytest.raises(HostError) as refused:
        ask(cluster, **data)
    assert refused.value.status == status
    assert said in str(refused.value)
    assert cluster.state_hash() == before
