"""The ReplicaSet's decisions: which Pods go first, what the status says, when creating stops."""

from __future__ import annotations

from typing import Any

import pytest
from kcm_objects import NOW, STAMP, pod, replica_set

from cluster_engine.apimachinery.errors import ApiError, forbidden
from cluster_engine.apimachinery.labels import compile_selector
from cluster_engine.kube_controller_manager.pods import AT_ONCE, pods_to_delete, slow_start
from cluster_engine.kube_controller_manager.replica_tally import Tallies, Tally
from cluster_engine.kube_controller_manager.replicaset import availability, new_status, status_latency
from cluster_engine.sim import SECOND

MINUTE_AGO, HOUR_AGO = "2025-12-31T23:59:00Z", "2025-12-31T23:00:00Z"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(pod("a", node="", ready=None), pod("b", ready=None), id="unassigned-before-assigned"),
        pytest.param(pod("a", ready=None), pod("b", ready=False), id="pending-before-running"),
        pytest.param(pod("a", ready=False), pod("b"), id="not-ready-before-ready"),
        pytest.param(pod("a", cost="-5"), pod("b"), id="cheap-before-dear"),
        pytest.param(pod("a", since=MINUTE_AGO), pod("b", since=HOUR_AGO), id="ready-for-less-time"),
        pytest.param(pod("a", restarts=3), pod("b", restarts=1), id="more-restarts"),
        pytest.param(pod("a", created=MINUTE_AGO), pod("b", created=HOUR_AGO), id="younger"),
    ],
)
def test_goes_first(first: dict[str, Any], second: dict[str, Any]) -> None:
    for order in ([first, second], [second, first]):
        assert pods_to_delete(order, order, 1, NOW) == [first]


def test_crowded_nodes_give_up_first() -> None:
    pods = [pod("a", node="n1"), pod("b", node="n2"), pod("c", node="n2")]
    assert [p["metadata"]["name"] for p in pods_to_delete(pods, pods, 1, NOW)] in (["b"], ["c"])


def test_all_are_deleted_without_sorting() -> None:
    pods = [pod("b"), pod("a", ready=None)]
    assert pods_to_delete(pods, pods, 2, NOW) == pods


def tally(rs: dict[str, Any], pods: list[dict[str, Any]]) -> Tally:
    return Tallies(lambda _uid: pods, compile_selector).of(
        {**rs, "spec": {**rs["spec"], "selector": SELECTOR}}
    )


SELECTOR = {"matchLabels": {"app": "web"}}
STATES = [
    pod("p"),
    pod("p", ready=False),
    pod("p", ready=None),
    pod("p", phase="Failed"),
    pod("p", deleting=True),
    pod("p", labels={}),
    pod("p", labels={"app": "web", "more": "x"}),
]


@pytest.mark.parametrize("new", STATES)
@pytest.mark.parametrize("old", STATES)
def test_tally_kept_up_to_date_equals_one_counted_anew(old: dict[str, Any], new: dict[str, Any]) -> None:
    rs = replica_set("web", 1)
    kept, fresh = tally(rs, [old, pod("other")]), tally(rs, [new, pod("other")])
    kept.count(old, -1)
    kept.count(new, 1)
    assert {name: getattr(kept, name) for name in Tally.__slots__} == {
        name: getattr(fresh, name) for name in Tally.__slots__
    }


@pytest.mark.parametrize(
    ("replicas", "seconds"),
    [
        pytest.param(0, 0.1, id="none"),
        pytest.param(1000, 0.6, id="many"),
        pytest.param(10**6, 1.0, id="at-most"),
    ],
)
def test_large_sets_count_less_often(replicas: int, seconds: float) -> None:
    assert status_latency(replicas) == pytest.approx(seconds)


def test_status_counts() -> None:
    rs = replica_set("web", 4)
    pods = [
        pod("ready"),
        pod("starting", ready=False),
        pod("other-labels", labels={}),
        pod("failed", phase="Failed"),
        pod("going", deleting=True),
    ]
    assert new_status(rs, tally(rs, pods), 2, None, STAMP) == {
        "replicas": 3,
        "fullyLabeledReplicas": 2,
        "readyReplicas": 2,
        "availableReplicas": 2,
        "terminatingReplicas": 1,
        "observedGeneration": 1,
    }


def test_min_ready_seconds_delays_availability() -> None:
    rs = replica_set("web", 2)
    rs["spec"]["minReadySeconds"] = 30
    pods = [pod("new", since=STAMP), pod("old", since=HOUR_AGO)]
    assert tally(rs, pods).ready == 2
    assert availability(pods, 30, NOW) == (1, NOW + 30 * SECOND)


@pytest.mark.parametrize(
    ("replicas", "reason"),
    [pytest.param(3, "FailedCreate", id="too-few"), pytest.param(1, "FailedDelete", id="too-many")],
)
def test_failure_condition(replicas: int, reason: str) -> None:
    error = forbidden("pods", "web-x", "exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2")
    rs = replica_set("web", replicas)
    status = new_status(rs, tally(rs, [pod("a"), pod("b")]), 2, error, STAMP)
    assert status["conditions"] == [
        {
            "type": "ReplicaFailure",
            "status": "True",
            "lastTransitionTime": STAMP,
            "reason": reason,
            "message": 'pods "web-x" is forbidden: exceeded quota: q, requested: pods=1, '
            "used: pods=2, limited: pods=2",
        }
    ]
    assert "conditions" not in new_status({**rs, "status": status}, tally(rs, []), 0, None, STAMP)


@pytest.mark.parametrize(
    ("room", "calls", "created"),
    [
        pytest.param(1_000_000, AT_ONCE, AT_ONCE, id="as-many-as-one-turn-may"),
        pytest.param(7, 15, 7, id="a-batch-is-finished-though-all-of-it-is-refused"),
        pytest.param(5, 7, 5, id="or-some"),
        pytest.param(0, 1, 0, id="a-full-quota-costs-one-call"),
    ],
)
def test_creating_stops_after_a_batch_with_a_refusal(room: int, calls: int, created: int) -> None:
    made: list[bool] = []

    def create() -> ApiError | None:
        made.append(len(made) < room)
        return None if made[-1] else forbidden("pods", "x", "quota")

    done, error = slow_start(500, create)
    assert (done, len(made), error is None) == (created, calls, created == AT_ONCE)
