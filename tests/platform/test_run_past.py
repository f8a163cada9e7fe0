"""A run's cluster as it was: any moment equals the straight run, and what is told of it."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from django.utils import translation
from runs.host import past
from runs.host.errors import HostError
from runs.host.map_channel import METADATA, RESOURCES
from runs.hosting import Reply
from runs.journal import Moment
from runs.other_states import typed, with_words

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.cluster import Cluster


def deployment(replicas: int, image: str = "nginx") -> dict[str, Any]:
    containers = [{"name": "c", "image": image}]
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": containers}}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def shown(cluster: Cluster) -> dict[str, list[JSON]]:
    """What there is, as it is told of a moment."""
    return {
        name: [
            past._plain(obj, form == METADATA)
            for obj in cluster.store.range(cluster.kind_of(name).group_resource)
        ]
        for name, (_path, form) in RESOURCES.items()
    }


def moment(cluster: Cluster, at: object = None, revision: object = None) -> past.Then:
    """A moment that the cluster remembers."""
    asked = past.asked(cluster, at, revision)
    assert asked.revision is not None, "it is to be lived again"
    return look(cluster, at=at, revision=revision)


async def none_is_lived(moment: Moment) -> Cluster:
    raise AssertionError(f"{moment} is to be lived again")


def look(cluster: Cluster, **data: object) -> past.Then:
    async def seen() -> past.Then:
        async with past.views(cluster, data, none_is_lived) as (at, against):
            return await past.seen(at, against)

    return asyncio.run(seen())


def words(answer: past.Span | past.Then) -> dict[str, Any]:
    found: dict[str, Any] = with_words(Reply(200, dict(answer))).data
    return found


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(nodes=3, freezing=True)


STORY: list[Any] = [
    lambda c: c.apply(deployment(2)),
    lambda c: c.advance(7),
    lambda c: c.apply(deployment(4)),
    lambda c: c.delete("pods", c.list("pods", "default")[0]["metadata"]["name"]),
    lambda c: c.fault("node/power", node="worker-1", up=False),
    lambda c: c.advance(400),
    lambda c: c.apply(deployment(3, "nginx:1.27")),
    lambda c: c.fault("node/power", node="worker-1", up=True),
    lambda c: c.advance(60),
    lambda c: c.delete("deployments", "web"),
]


@pytest.mark.parametrize("seed", range(4))
def test_any_moment_equals_the_straight_run(seed: int) -> None:
    cluster = Cluster(nodes=3, seed=seed, freezing=True)
    draw = random.Random(seed)
    seen: list[tuple[str, dict[str, list[JSON]]]] = []
    for act in STORY:
        act(cluster)
        for _ in range(4):
            cluster.advance(draw.uniform(0.05, 20))
            seen.append((past.span(cluster)["now"], shown(cluster)))
            cluster.advance(0.001)  # a moment holds all that was written in its microsecond
    for now, objects in seen:
        found = moment(cluster, at=now)
        assert (found["at"], found["objects"], found["hidden"]) == (now, objects, 0)


def test_right_after_each_thing_that_came_from_outside(cluster: Cluster) -> None:
    cluster.settle()
    cluster.apply(deployment(2))
    cluster.settle()
    cluster.apply(deployment(3))
    cluster.settle()
    told = words(past.span(cluster))
    texts = [mark["text"] for mark in told["marks"]]
    assert texts == [
        "kubernetes-admin created the Deployment web",
        "kubernetes-admin changed the Deployment web (spec.replicas: 2 → 3)",
    ]
    first, second = (moment(cluster, revision=mark["revision"]) for mark in told["marks"])
    own = [
        [pod for pod in each["objects"]["pods"] if "app" in pod["metadata"]["labels"]]
        for each in (first, second)
    ]
    assert [len(pods) for pods in own] == [0, 2]
    since = {(each["kind"], each["what"]) for each in words(first)["since"]}
    assert since >= {("Pod", "created"), ("ReplicaSet", "created"), ("Deployment", "changed")}
    assert ("Pod", "created") in {(each["kind"], each["what"]) for each in words(second)["since"]}


def test_what_went_and_what_changed_is_told_in_both_languages(cluster: Cluster) -> None:
    cluster.apply(deployment(1))
    cluster.settle()
    then = past.span(cluster)["now"]
    cluster.advance(1)
    name = cluster.list("pods", "default")[0]["metadata"]["name"]
    cluster.delete("pods", name)
    cluster.apply(deployment(2))
    cluster.settle()
    found = moment(cluster, at=then)
    texts = [each["text"] for each in words(found)["since"]]
    assert f"Pod default/{name} was still there" in texts
    assert any(
        each.startswith("Deployment default/web was different (spec.replicas: 1 → 2") for each in texts
    )
    with translation.override("zh-hans"):
        assert f"Pod default/{name} 当时还在" in [each["text"] for each in words(found)["since"]]


def told(cluster: Cluster) -> str:
    """Its time; what follows is written later."""
    cluster.advance(1)
    now = past.span(cluster)["now"]
    cluster.advance(0.001)
    return now


def test_any_two_moments_are_compared(cluster: Cluster) -> None:
    """Each way, by time and by revision; what came and went between them is in neither."""
    before = told(cluster)
    cluster.apply(deployment(2))
    cluster.settle()
    first = told(cluster)
    name = cluster.list("pods", "default")[0]["metadata"]["name"]
    cluster.delete("pods", name)
    cluster.apply(deployment(2, "nginx:1.27"))
    cluster.settle()
    second = told(cluster)
    cluster.delete("deployments", "web")
    cluster.settle()
    now = told(cluster)
    assert look(cluster, at=now)["since"] == []
    found = words(look(cluster, at=first, against=second))
    texts = [each["text"] for each in found["since"]]
    assert (found["at"], found["against"]) == (first, second)
    assert f"Pod default/{name} was deleted" in texts
    assert not any("Deployment default/web was deleted" in text for text in texts), "that came later"
    web = next(each for each in found["since"] if each["kind"] == "Deployment")
    image = "spec.template.spec.containers[c].image"
    assert {"path": image, "before": "nginx", "after": "nginx:1.27"} in web["changed"]
    assert web["text"].startswith(f"Deployment default/web changed ({image}: nginx → nginx:1.27")
    pod = next(each for each in found["since"] if (each["kind"], each["what"]) == ("Pod", "created"))
    assert pod["last"].startswith("kubelet changed the Pod ")
    assert ", because " in pod["last"]
    assert words(look(cluster, at=second, against=first))["since"] == found["since"]
    revision = past.asked(cluster, at=second).revision
    assert words(look(cluster, at=first, against_revision=revision))["since"] == found["since"]
    assert look(cluster, at=first, against=first)["since"] == []
    rest = [each["kind"] for each in look(cluster, at=before, against=now)["since"]]
    assert set(rest) <= {"Node"}, "their kubelets tell which images they have now"
    assert look(cluster, at=before)["against"] == ""
    with translation.override("zh-hans"):
        assert f"Pod default/{name} 被删除了" in [
            each["text"] for each in words(look(cluster, at=first, against=second))["since"]
        ]


def test_the_terminal_tells_what_changed(cluster: Cluster) -> None:
    first = told(cluster)
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}
    cluster.apply({**settings, "data": {"a": "1"}})
    second = told(cluster)
    cluster.apply({**settings, "data": dict.fromkeys("abcdef", "2")})
    third = told(cluster)
    cluster.delete("configmaps", "c")

    def lines(**asked: object) -> list[str]:
        return typed(look(cluster, **asked)).splitlines()

    assert lines(at=second, against=second) == ["Nothing is different."]
    assert lines(at=third, against=second) == [
        f"From {second} to {third}:",
        "~ ConfigMap default/c changed (data.a: 1 → 2, data.b: ∅ → 2, data.c: ∅ → 2)",
        *(f"    data.{key}: ∅ → 2" for key in "def"),
        "    kubernetes-admin changed the ConfigMap c (data.a: 1 → 2, data.b: ∅ → 2, data.c: ∅ → 2), "
        "because kubernetes-admin asked: PATCH /api/v1/namespaces/default/configmaps/c.",
    ]
    assert "+ ConfigMap default/c was created" in lines(at=first, against=third)
    assert lines(at=third)[0] == f"From {third} to now:"
    assert "- ConfigMap default/c was deleted" in lines(at=third)


def test_of_an_object_only_so_many_fields_are_told(cluster: Cluster) -> None:
    data = {f"key{number:02}": "a" for number in range(past.FIELDS_TOLD + 6)}
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "many"}}
    cluster.apply({**obj, "data": data})
    first = told(cluster)
    cluster.apply({**obj, "data": dict.fromkeys(data, "b")})
    (found,) = look(cluster, at=first, against=told(cluster))["since"]
    assert len(found["changed"]) == past.FIELDS_TOLD


def test_looking_changes_nothing(cluster: Cluster) -> None:
    cluster.apply(deployment(2))
    cluster.settle()
    before = cluster.state_hash()
    moment(cluster, at=cluster.now)
    past.span(cluster)
    assert cluster.state_hash() == before


def test_it_begins_where_memory_ends(cluster: Cluster) -> None:
    cluster.apply(deployment(1))
    cluster.settle()
    before = past.span(cluster)["now"]
    moved = Cluster.resume(cluster.keyframe())
    assert past.span(moved)["marks"] == []
    moved.advance(30)
    moved.apply(deployment(2))
    moved.settle()
    assert past.asked(moved, at=before).revision is None
    assert len(past.span(moved)["marks"]) == 1


def test_past_a_limit_of_the_store_nothing_false_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cluster_engine.etcd.store.HISTORY_LIMIT", 20)
    cluster = Cluster(
        nodes=3, start="2026-02-02T00:00:00Z", freezing=True
    )  # one that nobody has installed yet
    cluster.apply(deployment(1))
    cluster.settle()
    early = past.span(cluster)["now"]
    cluster.advance(1)
    cluster.apply(deployment(9))
    cluster.settle()
    assert past.asked(cluster, at=early).revision is None
    begin = past.span(cluster)["begin"]
    assert moment(cluster, at=begin)["at"] == begin


def test_what_is_told_is_bounded(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past, "OBJECTS_TOLD", 5)
    monkeypatch.setattr(past, "CHANGES_TOLD", 3)
    then = past.span(cluster)["now"]
    cluster.advance(1)
    cluster.apply(deployment(6))
    cluster.settle()
    found = moment(cluster, at=then)
    assert max(len(objects) for objects in found["objects"].values()) == 5
    assert found["hidden"] > 0
    assert (len(found["since"]), found["more"] > 0) == (3, True)


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({"at": "yesterday"}, 400, "at: a time as 2026-01-01T00:00:00Z, found 'yesterday'"),
    ({}, 400, "at: a time as 2026-01-01T00:00:00Z, found 'None'"),
    ({"revision": "x"}, 400, "revision: a number, found 'x'"),
    ({"revision": "0"}, 410, "No write of revision 0 is remembered."),
    ({"revision": "999999999"}, 410, "No write of revision 999999999 is remembered."),
]


@pytest.mark.parametrize(("asked", "status", "said"), REFUSED, ids=[str(row[0]) for row in REFUSED])
def test_what_cannot_be_seen_is_said(cluster: Cluster, asked: dict[str, Any], status: int, said: str) -> None:
    with pytest.raises(HostError) as refused:
        past.asked(cluster, **asked)
    assert (refused.value.status, str(refused.value)) == (status, said)
