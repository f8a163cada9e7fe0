"""Disruption budgets: what they count, what they let go, and what the eviction API says."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from cluster_engine import Cluster
from cluster_engine.api.apps.v1 import daemonset, statefulset
from cluster_engine.component_helpers.conditions import condition_of
from cluster_engine.kube_apiserver import ADMIN, Request
from cluster_engine.kube_controller_manager.disruption_rules import (
    DELETION_SECONDS,
    Count,
    Uncountable,
    disrupted_pods,
    expected,
    owner_scale,
)
from cluster_engine.sim import SECOND, rfc3339

JSON = dict[str, Any]
LABELS = {"app": "web"}


def deployment(replicas: int, **container: Any) -> JSON:
    spec = {"containers": [{"name": "c", "image": "nginx", **container}], "terminationGracePeriodSeconds": 1}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": LABELS},
            "template": {"metadata": {"labels": LABELS}, "spec": spec},
        },
    }


def budget(name: str = "web", **spec: Any) -> JSON:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": LABELS}, **spec},
    }


@pytest.fixture(scope="module")
def booted() -> Cluster:
    cluster = Cluster(nodes=3, freezing=True)
    cluster.apply(deployment(4))
    assert cluster.settle()
    return cluster


@pytest.fixture
def cluster(booted: Cluster) -> Cluster:
    return booted.fork()


def status(cluster: Cluster, name: str = "web") -> JSON:
    found = cluster.get("poddisruptionbudgets.policy", name)
    assert found is not None
    shown: JSON = found["status"]
    return shown


def counts(cluster: Cluster) -> tuple[int, int, int, int]:
    """(expected, healthy, desired, allowed)."""
    assert cluster.settle()
    now = status(cluster)
    return (now["expectedPods"], now["currentHealthy"], now["desiredHealthy"], now["disruptionsAllowed"])


def names(cluster: Cluster) -> list[str]:
    return [p["metadata"]["name"] for p in cluster.list("pods", "default")]


def evict(cluster: Cluster, name: str, dry_run: bool = False, **options: Any) -> tuple[int, JSON]:
    """(status code, body) of an eviction."""
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}, **options}
    query = [("dryRun", "All")] if dry_run else []
    headers = {"content-type": "application/json", "accept": "application/json"}
    path = f"/api/v1/namespaces/default/pods/{name}/eviction"
    response = cluster.request(Request("POST", path, query, headers, orjson.dumps(body), ADMIN))
    answer: JSON = orjson.loads(response.body)
    return response.status, answer


# id: (the budget, expected, healthy, desired, allowed)
COUNTED: dict[str, tuple[JSON, tuple[int, int, int, int]]] = {
    "a number stays": ({"minAvailable": 3}, (4, 4, 3, 1)),
    "more than there are": ({"minAvailable": 9}, (4, 4, 9, 0)),
    "a percentage is rounded up": ({"minAvailable": "30%"}, (4, 4, 2, 2)),
    "a number goes": ({"maxUnavailable": 1}, (4, 4, 3, 1)),
    "what may go is rounded up": ({"maxUnavailable": "30%"}, (4, 4, 2, 2)),
    "nothing goes": ({"maxUnavailable": 0}, (4, 4, 4, 0)),
    "everything goes": ({"maxUnavailable": "100%"}, (4, 4, 0, 4)),
    "no bound": ({}, (0, 4, 0, 0)),
    "nobody is meant": ({"minAvailable": 1, "selector": None}, (0, 0, 1, 0)),
    "all of the namespace": ({"minAvailable": 1, "selector": {}}, (4, 4, 1, 3)),
}


@pytest.mark.parametrize(("spec", "found"), COUNTED.values(), ids=COUNTED.keys())
def test_counts(cluster: Cluster, spec: JSON, found: tuple[int, int, int, int]) -> None:
    cluster.apply(budget(**spec))
    assert counts(cluster) == found
    condition = condition_of({"status": status(cluster)}, "DisruptionAllowed")
    assert condition is not None
    enough = ("True", "SufficientPods") if found[3] else ("False", "InsufficientPods")
    assert (condition["status"], condition["reason"]) == enough
    assert status(cluster)["observedGeneration"] == condition["observedGeneration"] == 1


def test_an_eviction_is_charged_at_once(cluster: Cluster) -> None:
    cluster.apply(budget(minAvailable=3))
    assert counts(cluster)[3] == 1
    first, second = names(cluster)[:2]
    code, done = evict(cluster, first)
    assert (code, done["status"]) == (201, "Success")
    pod = cluster.get("pods", first)
    assert pod is not None
    assert pod["metadata"]["deletionTimestamp"]
    why = condition_of(pod, "DisruptionTarget")
    assert why is not None
    assert (why["reason"], why["message"]) == ("EvictionByEvictionAPI", "Eviction API: evicting")
    assert list(status(cluster)["disruptedPods"]) == [first]
    code, refused = evict(cluster, second)
    assert code == 429
    assert refused["reason"] == "TooManyRequests"
    assert refused["message"] == "Cannot evict pod as it would violate the pod's disruption budget."
    told = "The disruption budget web needs 3 healthy pods and has 4 currently"
    assert refused["details"] == {"causes": [{"reason": "DisruptionBudget", "message": told}]}
    assert counts(cluster) == (4, 4, 3, 1)
    assert "disruptedPods" not in status(cluster)


def test_a_budget_that_was_not_counted_yet_says_when_to_come_again(cluster: Cluster) -> None:
    cluster.apply(budget(minAvailable=1))
    code, refused = evict(cluster, names(cluster)[0])
    assert code == 429
    assert refused["details"] == {
        "causes": [
            {
                "reason": "DisruptionBudget",
                "message": "The disruption budget web is still being processed by the server.",
            }
        ],
        "retryAfterSeconds": 10,
    }


def test_a_dry_run_charges_nothing(cluster: Cluster) -> None:
    cluster.apply(budget(minAvailable=3))
    before = counts(cluster)
    code, _done = evict(cluster, names(cluster)[0], dry_run=True)
    assert code == 201
    assert counts(cluster) == before
    assert len(names(cluster)) == 4


def test_two_budgets_of_one_pod(cluster: Cluster) -> None:
    cluster.apply([budget(minAvailable=1), budget("other", minAvailable=1)])
    assert cluster.settle()
    code, refused = evict(cluster, names(cluster)[0])
    assert code == 500
    assert refused["message"] == (
        "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
    )


def test_nobody_misses_a_pod_that_has_not_begun(cluster: Cluster) -> None:
    cluster.apply(budget(maxUnavailable=0))
    waiting = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "waiting", "labels": LABELS},
        "spec": {"containers": [{"name": "c", "image": "nginx"}], "nodeSelector": {"no": "where"}},
    }
    cluster.apply(waiting)
    cluster.advance(1)
    assert evict(cluster, "waiting")[0] == 201
    assert cluster.get("pods", "waiting") is None


SICK = {"readinessProbe": {"exec": {"command": ["false"]}, "periodSeconds": 1}}
# id: (minAvailable, policy, how many of two Pods that are not ready go)
UNHEALTHY = {
    "below the budget they stay": (1, None, False),
    "or whoever says so": (1, "IfHealthyBudget", False),
    "always": (1, "AlwaysAllow", True),
}


@pytest.mark.parametrize(("least", "policy", "goes"), UNHEALTHY.values(), ids=UNHEALTHY.keys())
def test_pods_that_are_not_ready(cluster: Cluster, least: int, policy: str | None, goes: bool) -> None:
    cluster.apply(deployment(2, **SICK))
    cluster.advance(60)
    more = {"unhealthyPodEvictionPolicy": policy} if policy else {}
    cluster.apply(budget(minAvailable=3, **more))
    cluster.advance(1)
    sick = [
        p for p in cluster.list("pods", "default") if (condition_of(p, "Ready") or {})["status"] == "False"
    ]
    assert sick
    assert evict(cluster, sick[0]["metadata"]["name"])[0] == (201 if goes else 429)


def test_a_budget_that_cannot_count_lets_nobody_go(cluster: Cluster) -> None:
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "long"},
        "spec": {
            "template": {
                "metadata": {"labels": {"app": "long"}},
                "spec": {
                    "restartPolicy": "Never",
                    "containers": [{"name": "c", "image": "busybox", "command": ["sleep", "1d"]}],
                },
            }
        },
    }
    both = {"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "long"]}]}
    cluster.apply(budget(maxUnavailable=1, selector=both))
    assert counts(cluster) == (4, 4, 3, 1)
    cluster.apply(job)
    assert counts(cluster)[3] == 0
    why = "jobs.batch does not implement the scale subresource"
    condition = condition_of({"status": status(cluster)}, "DisruptionAllowed")
    assert condition is not None
    assert (condition["reason"], condition["message"]) == ("SyncFailed", why)
    told = [e["message"] for e in cluster.list("events") if e["reason"] == "CalculateExpectedPodCountFailed"]
    assert set(told) == {f"Failed to calculate the number of expected pods: {why}"}
    running = next(name for name in names(cluster) if name.startswith("long"))
    _code, refused = evict(cluster, running)
    assert refused["details"]["causes"][0]["message"] == (
        f"The disruption budget web does not allow evicting pods currently because it failed sync: {why}"
    )


def test_a_mark_that_nothing_follows_is_taken_back(cluster: Cluster) -> None:
    name = names(cluster)[0]
    mark = {"type": "DisruptionTarget", "status": "True", "lastTransitionTime": cluster.now}
    body = orjson.dumps({"status": {"conditions": [mark]}})
    headers = {"content-type": "application/strategic-merge-patch+json", "accept": "application/json"}
    path = f"/api/v1/namespaces/default/pods/{name}/status"
    assert cluster.request(Request("PATCH", path, [], headers, body, ADMIN)).status == 200
    cluster.advance(118)
    assert (condition_of(cluster.get("pods", name) or {}, "DisruptionTarget") or {})["status"] == "True"
    cluster.advance(4)
    assert (condition_of(cluster.get("pods", name) or {}, "DisruptionTarget") or {})["status"] == "False"


def _pod(name: str, owner: str = "", **meta: Any) -> JSON:
    references = [{"uid": owner, "name": owner, "kind": "X", "apiVersion": "v1", "controller": True}]
    return {"metadata": {"name": name, **({"ownerReferences": references} if owner else {}), **meta}}


def test_the_scales_of_all_owners_add_up() -> None:
    sizes = {"a": 3, "b": 5}

    def scale(pod: JSON) -> tuple[str, int] | None:
        uid = pod["metadata"]["ownerReferences"][0]["uid"]
        return (uid, sizes[uid]) if uid in sizes else None

    pods = [_pod("1", "a"), _pod("2", "a"), _pod("3", "b")]
    assert expected({"minAvailable": "50%"}, pods, scale) == Count(8, 4)
    assert expected({"maxUnavailable": 9}, pods, scale) == Count(8, 0)
    with pytest.raises(Uncountable, match='found no controllers for pod "4"'):
        expected({"maxUnavailable": 1}, [*pods, _pod("4", "gone")], scale)


def test_who_has_a_scale() -> None:
    owner = {"metadata": {"uid": "u"}, "spec": {"replicas": 7}}
    assert owner_scale(statefulset.KIND, owner) == ("u", 7)
    with pytest.raises(Uncountable, match=r"daemonsets\.apps does not implement the scale subresource"):
        owner_scale(daemonset.KIND, owner)


def test_evictions_that_do_not_come_are_forgotten() -> None:
    now = 1_000 * SECOND
    late, soon = rfc3339(now - (DELETION_SECONDS + 1) * SECOND), rfc3339(now - SECOND)
    pods = [_pod("late"), _pod("soon"), _pod("going", deletionTimestamp="x"), _pod("other")]
    marked = {"late": late, "soon": soon, "going": soon, "gone": soon}
    waiting, missed, again = disrupted_pods(marked, pods, now)
    assert (waiting, [pod["metadata"]["name"] for pod in missed]) == ({"soon": soon}, ["late"])
    assert again == now + (DELETION_SECONDS - 1) * SECOND + 1
