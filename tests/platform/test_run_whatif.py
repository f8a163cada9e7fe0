"""What if: two forks side by side; the run is not touched, and what would happen is what then happens."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest
from django.utils import translation
from runs.host import past, whatif
from runs.host.errors import HostError
from runs.host.whatif import forecast
from runs.hosting import Reply
from runs.other_states import foretold
from runs.whatif import ACTIONS

from cluster_engine.cluster import Cluster
from cluster_engine.serving import pacer


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
    assert [change for change in whatif.compare(kept, cluster) if change is not None] == found["changes"]
    assert {each["kind"] for each in found["changes"]} >= {"Node", "Pod"}


def nodes_of(picture: dict[str, Any]) -> list[str]:
    return sorted(pod["node"] for pod in picture["pods"])


def test_a_drain_moves_what_may_be_moved(cluster: Cluster) -> None:
    budget = {"minAvailable": 3, "selector": {"matchLabels": {"app": "web"}}}
    node = cluster.list("pods", "default")[0]["spec"]["nodeName"]
    found = ask(cluster, action="drain", name=node, seconds=60)
    same, other = found["maps"]["same"], found["maps"]["other"]
    assert (node in nodes_of(same), node in nodes_of(other)) == (True, False)
    assert [each["name"] for each in other["nodes"] if each["cordoned"]] == [node]
    cluster.apply(
        {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "b"}, "spec": budget}
    )
    cluster.settle()
    held = ask(cluster, action="drain", name=node, seconds=60)["maps"]
    assert nodes_of(held["other"]) == nodes_of(held["same"]), "what the budget forbids stays"


@pytest.mark.parametrize(
    ("action", "what"),
    [("cut-off", {"name": "worker-1"}), ("kill", {"resource": "pods"})],
    ids=["a node", "a container"],
)
def test_faults_are_tried(cluster: Cluster, action: str, what: dict[str, Any]) -> None:
    name = cluster.list("pods", "default")[0]["metadata"]["name"]
    found = ask(cluster, action=action, **{"name": name, **what}, seconds=90)
    assert any(each["kind"] in ("Node", "Pod") for each in found["changes"])


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


async def _counting(asked: Awaitable[Any]) -> tuple[Any, int]:
    """What came of it, and how often the loop came round meanwhile."""
    rounds = 0

    async def beside() -> None:
        nonlocal rounds
        while True:
            rounds += 1
            await asyncio.sleep(0)

    task = asyncio.ensure_future(beside())
    found = await asked
    task.cancel()
    return found, rounds


def test_others_have_their_turn_between_the_objects(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacer, "SLICE", -1)
    maps = "".join(
        f"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m{number}}}\n" for number in range(50)
    )
    data = {"action": "apply", "manifest": maps, "seconds": 1}
    found, rounds = asyncio.run(_counting(forecast(cluster, data)))
    assert len(found["changes"]) == 50
    assert rounds > 100  # one for each that is applied, one for each that is compared
    before = past.asked(cluster, cluster.now)
    assert before.revision is not None
    cluster.apply(maps)
    then = past.View(cluster, before.moment.at_us, before.revision)
    now = past.View(cluster, cluster.clock.now, cluster.store.revision, now=True)
    found_, rounds = asyncio.run(_counting(past.seen(then, now)))
    assert len(found_["since"]) >= 50
    assert rounds > 50


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            lambda c: forecast(c, {"action": "sink"}),
            "action：应为 delete, apply, drain, power-off, cut-off, kill 之一，得到 'sink'",
        ),
        (
            lambda c: forecast(c, {"action": "delete", "seconds": 0}),
            "seconds：应为 1 到 3600 之间的整数，得到 '0'",
        ),
        (lambda c: past.asked(c, revision="x"), "revision：应为一个数字，得到 'x'"),
    ],
    ids=["action", "seconds", "revision"],
)
def test_a_refusal_is_in_the_readers_language(
    cluster: Cluster, asked: Callable[[Cluster], Coroutine[Any, Any, Any]], said: str
) -> None:
    with translation.override("zh-hans"), pytest.raises(HostError) as refused:
        asyncio.run(asked(cluster))
    assert str(refused.value) == said


def test_too_much_to_compute_is_said(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cluster_engine.serving.driver.STEP_LIMIT", -1)
    with pytest.raises(HostError) as refused:
        ask(cluster, action="power-off", name="worker-1", seconds=3600)
    assert refused.value.status == 503


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({}, 400, "action: one of delete, apply, drain, power-off, cut-off, kill, found 'None'"),
    ({"action": "delete", "resource": "pods", "name": "nobody"}, 404, 'pods "nobody" not found'),
    (
        {"action": "delete", "resource": "ships", "name": "x"},
        400,
        'the server doesn\'t have a resource type "ships"',
    ),
    ({"action": "power-off", "name": "mars"}, 400, "mars"),
    ({"action": "drain", "name": "mars"}, 400, "There is no node mars."),
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
