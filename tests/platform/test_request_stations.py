"""A request is followed: what it met at each station of its way, in words, and what came of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation
from runs import stations
from runs.host import trail
from runs.host.errors import HostError
from runs.hosting import Reply

from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.cluster import Cluster
from labs.kit import catalog

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web"},
    "spec": {"containers": [{"name": "c", "image": "nginx"}]},
}


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(nodes=2, freezing=True)


def way(cluster: Cluster, ident: str = "") -> dict[str, Any]:
    found: dict[str, Any] = stations.with_words(
        Reply(200, trail.follow(cluster, ident or trail.last(cluster)))
    ).data
    return found


def test_the_way_of_a_pod(cluster: Cluster) -> None:
    cluster.apply(POD)
    cluster.settle()
    told = way(cluster)
    by_key = {each["key"]: each for each in told["stations"]}
    assert list(by_key) == [
        "authentication", "authorization", "defaults", "mutating", "validation", "validating", "store", "watches",
        "answer",
    ]  # fmt: skip
    assert by_key["authentication"]["text"] == "It is kubernetes-admin who asks."
    assert by_key["authorization"]["text"] == "They may patch pods."
    assert ".spec.restartPolicy" in by_key["defaults"]["details"][0]
    assert any(each.startswith("ServiceAccount: .spec.") for each in by_key["mutating"]["details"])
    assert by_key["validation"]["text"] == "The object is valid."
    revision = cluster.requests(1, writes=True)[0]["revision"]
    assert by_key["store"] == {
        "key": "store",
        "title": "Store",
        "text": f"It was stored as revision {revision}.",
        "details": [f"create pods default/web: {revision}"],
        "lesson": "cluster-components",
    }
    assert by_key["answer"]["text"] == "The answer was 201."
    assert any("kube-scheduler changed the Pod web" in each["text"] for each in told["followed"])


def test_each_refusal_is_told_where_it_was_met(cluster: Cluster) -> None:
    broken = {**POD, "spec": {"containers": [{"name": "c", "image": ""}]}}
    with pytest.raises(ApiError):
        cluster.apply(broken)
    told = way(cluster, cluster.requests(1)[0]["id"])
    last, answer = told["stations"][-2:]
    assert (last["key"], last["text"]) == ("validation", "The object is not valid.")
    assert last["details"] == ["spec.containers[0].image: Required value"]
    assert (answer["text"], told["followed"]) == ("The answer was 422.", [])


def test_in_both_languages_and_in_the_terminal(cluster: Cluster) -> None:
    cluster.apply(POD)
    cluster.settle()
    lines = stations.typed(trail.follow(cluster, trail.last(cluster))).splitlines()
    assert lines[0].endswith("PATCH /api/v1/namespaces/default/pods/web")
    assert lines[1] == "1. Authentication: It is kubernetes-admin who asks."
    assert "What followed:" in lines
    with translation.override("zh-hans"):
        assert way(cluster)["stations"][0]["text"] == "请求者是 kubernetes-admin。"


def test_the_list_names_what_changed_something(cluster: Cluster) -> None:
    cluster.apply(POD)
    cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}})
    assert [each["path"].rpartition("/")[2] for each in trail.latest(cluster, {})] == ["m", "web"]
    named = trail.latest(cluster, {"resource": "pods", "namespace": "default", "name": "web"})
    assert [(each["method"], each["code"]) for each in named] == [("PATCH", 201)]
    template = {"metadata": {"labels": {"app": "a"}}, "spec": POD["spec"]}
    spec = {"selector": {"matchLabels": {"app": "a"}}, "template": template}
    cluster.apply({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": spec})
    cluster.settle()
    pod = next(each["metadata"] for each in cluster.list("pods", "default") if "labels" in each["metadata"])
    led = trail.latest(cluster, {"resource": "pods", "namespace": "default", "name": pod["name"]})
    assert [each["path"].rpartition("/")[2] for each in led] == ["a"], "what it follows from"


def test_what_is_not_remembered_is_said(cluster: Cluster) -> None:
    with pytest.raises(HostError, match="No request that changed something is remembered") as refused:
        trail.last(Cluster(nodes=1, boot=False))
    assert refused.value.status == 404
    with pytest.raises(HostError, match="No request nobody is remembered"):
        trail.follow(cluster, "nobody")


def test_each_lesson_that_is_named_is_there() -> None:
    known = {lesson.slug for lesson in catalog.load().lessons}
    assert {station.lesson for station in stations.STATIONS} - {""} <= known


@pytest.mark.parametrize(
    ("hops", "text", "details"),
    [
        pytest.param([], None, [], id="none"),
        pytest.param(
            [{"at": "kubelet", "name": "n", "node": "n", "address": "1.2.3.4:10250"}],
            "The API server passed it on to the kubelet of n.",
            ["the kubelet of n, at 1.2.3.4:10250"],
            id="directly",
        ),
        pytest.param(
            [
                {"at": "konnectivity-server", "name": "s", "node": "m", "address": "/socket"},
                {"at": "konnectivity-agent", "name": "a", "node": "o", "address": ""},
                {"at": "address", "name": "1.2.3.4:80", "node": "", "address": "1.2.3.4:80"},
            ],
            "The API server passed it on to 1.2.3.4:80.",
            [
                "s, the konnectivity server on m, at the socket /socket",
                "a, an agent on o, through the tunnel that it keeps open",
                "1.2.3.4:80",
            ],
            id="through konnectivity",
        ),
        pytest.param(
            [{"at": "konnectivity-server", "name": "s", "node": "m", "address": "/socket"}],
            "It went no further than konnectivity: no agent takes it on.",
            ["s, the konnectivity server on m, at the socket /socket"],
            id="no agent",
        ),
    ],
)
def test_on_the_way_to_a_node(
    cluster: Cluster, hops: list[dict[str, str]], text: str | None, details: list[str]
) -> None:
    cluster.apply(POD)
    request = {**cluster.requests(1)[0], "passed": hops}
    told = {each["key"]: each for each in stations.stations_of(request)}.get("passed")
    assert (told and told["text"], told["details"] if told else []) == (text, details)
