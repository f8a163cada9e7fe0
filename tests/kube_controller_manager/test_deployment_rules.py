"""The Deployment's decisions, as tables. Rolling and proportional cases follow upstream's own."""

from __future__ import annotations

from typing import Any

import pytest
from kcm_objects import NOW, STAMP, deployment, replica_set, template

from cluster_engine.kube_controller_manager import deployment_rules as rules
from cluster_engine.sim import SECOND


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "expected"),
    [
        pytest.param(10, "25%", "25%", (3, 2), id="surge-rounds-up-unavailable-down"),
        pytest.param(1, "25%", "25%", (1, 0), id="one-replica"),
        pytest.param(10, 0, 0, (0, 1), id="both-zero-becomes-one-unavailable"),
        pytest.param(3, "0%", "10%", (0, 1), id="both-round-to-zero"),
        pytest.param(2, 1, 5, (1, 2), id="unavailable-at-most-all"),
        pytest.param(0, "25%", "25%", (0, 0), id="no-replicas"),
    ],
)
def test_fenceposts(replicas: int, surge: Any, unavailable: Any, expected: tuple[int, int]) -> None:
    assert rules.fenceposts(deployment(replicas, surge, unavailable)) == expected


def test_fenceposts_of_recreate_are_zero() -> None:
    assert rules.fenceposts(deployment(3, strategy={"type": "Recreate"})) == (0, 0)


@pytest.mark.parametrize(
    ("surge", "old", "new", "expected"),
    [
        pytest.param(0, 10, 0, None, id="no-room-without-surge"),
        pytest.param(2, 10, 0, rules.Resize("new", 2, "up"), id="as-far-as-the-surge"),
        pytest.param(2, 5, 0, rules.Resize("new", 7, "up"), id="room-left-by-the-old"),
        pytest.param(2, 10, 2, None, id="surge-used-up"),
        pytest.param(2, 0, 10, None, id="done"),
        pytest.param(2, 2, 11, rules.Resize("new", 10, "down"), id="too-large"),
    ],
)
def test_new_replica_set_grows(surge: int, old: int, new: int, expected: rules.Resize | None) -> None:
    sets = [replica_set("old", old), replica_set("new", new)]
    assert rules.grow_new(deployment(10, surge), sets[1], sets) == expected


@pytest.mark.parametrize(
    ("unavailable", "old", "old_available", "new", "new_available", "expected"),
    [
        pytest.param(0, 10, 10, 0, 0, [("old", 9)], id="both-fenceposts-zero-count-as-one"),
        pytest.param(2, 10, 10, 0, 0, [("old", 8)], id="down-to-the-minimum"),
        pytest.param(2, 10, 8, 0, 0, [("old", 8)], id="unhealthy-go-first"),
        pytest.param(2, 10, 9, 0, 0, [("old", 9), ("old", 8)], id="unhealthy-then-healthy"),
        pytest.param(2, 8, 8, 2, 0, [], id="new-pods-not-available-yet"),
        pytest.param(2, 8, 8, 2, 1, [("old", 7)], id="one-new-pod-frees-one-old"),
        pytest.param(2, 8, 8, 2, 2, [("old", 6)], id="both-new-pods"),
        pytest.param(2, 0, 0, 10, 10, [], id="nothing-old-left"),
    ],
)
def test_old_replica_sets_shrink(
    unavailable: int,
    old: int,
    old_available: int,
    new: int,
    new_available: int,
    expected: list[tuple[str, int]],
) -> None:
    steps = rules.shrink_old(
        deployment(10, 0, unavailable),
        replica_set("new", new, new_available),
        [replica_set("old", old, old_available)],
    )
    assert [(step.name, step.size) for step in steps] == expected
    assert all(step.verb == "down" for step in steps)


def _sized(name: str, size: int, maximum: int, created: str = STAMP) -> dict[str, Any]:
    return replica_set(name, size, created=created, annotations={rules.MAXIMUM: str(maximum)})


OLDER, OLDEST = "2025-12-31T23:00:00Z", "2025-12-31T22:00:00Z"


@pytest.mark.parametrize(
    ("replicas", "surge", "new", "olds", "expected"),
    [
        pytest.param(12, 0, _sized("new", 10, 10), [], {"new": 12}, id="one-set-up"),
        pytest.param(5, 0, _sized("new", 10, 10), [], {"new": 5}, id="one-set-down"),
        pytest.param(
            12,
            0,
            _sized("new", 5, 10),
            [_sized("old", 5, 10, OLDER)],
            {"new": 6, "old": 6},
            id="half-and-half-up",
        ),
        pytest.param(
            6,
            0,
            _sized("new", 5, 10),
            [_sized("old", 5, 10, OLDER)],
            {"new": 3, "old": 3},
            id="half-and-half-down",
        ),
        pytest.param(
            20,
            0,
            _sized("new", 5, 10),
            [_sized("v2", 3, 10, OLDER), _sized("v1", 2, 10, OLDEST)],
            {"new": 10, "v2": 6, "v1": 4},
            id="three-sets-keep-proportions",
        ),
        pytest.param(
            0,
            0,
            _sized("new", 5, 10),
            [_sized("old", 5, 10, OLDER)],
            {"new": 0, "old": 0},
            id="to-zero",
        ),
        pytest.param(
            20,
            2,
            _sized("new", 6, 12),
            [_sized("old", 6, 12, OLDER)],
            {"new": 11, "old": 11},
            id="with-surge",
        ),
        pytest.param(
            5,
            0,
            None,
            [_sized("v2", 0, 0, OLDER), _sized("v1", 0, 0, OLDEST)],
            {"v2": 5},
            id="newest-when-none-is-active",
        ),
    ],
)
def test_proportional_scaling(
    replicas: int,
    surge: int,
    new: dict[str, Any] | None,
    olds: list[dict[str, Any]],
    expected: dict[str, int],
) -> None:
    steps = rules.proportional(deployment(replicas, surge), new, olds)
    assert {step.name: step.size for step in steps} == expected


def test_saturated_new_set_takes_all() -> None:
    new = replica_set("new", 10, annotations={rules.DESIRED: "10"})
    assert rules.proportional(deployment(10), new, [replica_set("old", 2)]) == [
        rules.Resize("old", 0, "down")
    ]


@pytest.mark.parametrize(
    ("existing", "revision", "expected"),
    [
        pytest.param({}, 1, {rules.REVISION: "1", "note": "x"}, id="new"),
        pytest.param(
            {rules.REVISION: "2", "note": "x"}, 2, {rules.REVISION: "2", "note": "x"}, id="unchanged"
        ),
        pytest.param(
            {rules.REVISION: "1", "note": "x"},
            3,
            {rules.REVISION: "3", rules.HISTORY: "1", "note": "x"},
            id="rolled-back-keeps-history",
        ),
        pytest.param(
            {rules.REVISION: "3", rules.HISTORY: "1", "note": "x"},
            5,
            {rules.REVISION: "5", rules.HISTORY: "1,3", "note": "x"},
            id="rolled-back-twice",
        ),
    ],
)
def test_annotations_of_the_new_set(
    existing: dict[str, str], revision: int, expected: dict[str, str]
) -> None:
    given = {"note": "x", "kubectl.kubernetes.io/last-applied-configuration": "{}", rules.REVISION: "9"}
    assert rules.new_annotations(deployment(annotations=given), existing, revision) == expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        pytest.param(template("x"), template("x"), True, id="equal"),
        pytest.param(
            template("x"), template("x", **{"pod-template-hash": "abc"}), True, id="but-for-the-hash"
        ),
        pytest.param(template("x"), template("y"), False, id="image"),
        pytest.param(template("x"), template("x", tier="db"), False, id="label"),
    ],
)
def test_same_template(a: dict[str, Any], b: dict[str, Any], expected: bool) -> None:
    assert rules.same_template(a, b) is expected


def test_hash_depends_on_template_and_collisions_only() -> None:
    one = rules.template_hash(deployment(3))
    assert one == rules.template_hash(deployment(5, surge=1))
    assert one != rules.template_hash(deployment(3, template=template("other")))
    assert one != rules.template_hash(deployment(3, status={"collisionCount": 1}))
    assert set(one) <= set("bcdfghjklmnpqrstvwxz2456789")


def _progressing(status: str, reason: str, updated: str = STAMP) -> dict[str, Any]:
    return {
        "type": "Progressing",
        "status": status,
        "reason": reason,
        "message": "",
        "lastUpdateTime": updated,
        "lastTransitionTime": updated,
    }


LONG_AGO = "2025-12-31T23:00:00Z"


@pytest.mark.parametrize(
    ("old", "available", "expected"),
    [
        pytest.param(
            {"conditions": [_progressing("True", "ReplicaSetUpdated")]},
            3,
            ("True", "NewReplicaSetAvailable", 'ReplicaSet "new" has successfully progressed.'),
            id="complete",
        ),
        pytest.param(
            {
                "replicas": 3,
                "updatedReplicas": 3,
                "conditions": [_progressing("True", "NewReplicaSetCreated")],
            },
            1,
            ("True", "ReplicaSetUpdated", 'ReplicaSet "new" is progressing.'),
            id="one-more-is-available",
        ),
        pytest.param(
            {
                "replicas": 3,
                "updatedReplicas": 3,
                "readyReplicas": 1,
                "availableReplicas": 1,
                "conditions": [_progressing("True", "ReplicaSetUpdated", LONG_AGO)],
            },
            1,
            ("False", "ProgressDeadlineExceeded", 'ReplicaSet "new" has timed out progressing.'),
            id="stuck-past-the-deadline",
        ),
        pytest.param(
            {
                "replicas": 3,
                "updatedReplicas": 3,
                "readyReplicas": 1,
                "availableReplicas": 1,
                "conditions": [_progressing("True", "ReplicaSetUpdated")],
            },
            1,
            ("True", "ReplicaSetUpdated", ""),
            id="waiting",
        ),
    ],
)
def test_progressing_condition(old: dict[str, Any], available: int, expected: tuple[str, str, str]) -> None:
    new = replica_set("new", 3, available)
    status = rules.rollout_status(deployment(3, status=old), new, [], NOW, STAMP)
    found = next(c for c in status["conditions"] if c["type"] == "Progressing")
    assert (found["status"], found["reason"], found["message"]) == expected


@pytest.mark.parametrize(
    ("available", "expected"),
    [
        pytest.param(
            8, ("True", "MinimumReplicasAvailable", "Deployment has minimum availability."), id="enough"
        ),
        pytest.param(
            7,
            ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability."),
            id="too-few",
        ),
    ],
)
def test_available_condition_and_counts(available: int, expected: tuple[str, str, str]) -> None:
    new, old = replica_set("new", 6, available - 2), replica_set("old", 4, 2)
    status = rules.basic_status(deployment(10, 0, 2), new, [old], STAMP)
    found = status.pop("conditions")
    assert [(c["status"], c["reason"], c["message"]) for c in found] == [expected]
    assert status == {
        "observedGeneration": 1,
        "replicas": 10,
        "updatedReplicas": 6,
        "readyReplicas": available,
        "availableReplicas": available,
        "unavailableReplicas": 10 - available,
        "terminatingReplicas": 0,
    }


@pytest.mark.parametrize(
    ("paused", "reason", "expected"),
    [
        pytest.param(True, "ReplicaSetUpdated", ("DeploymentPaused", "Deployment is paused"), id="pause"),
        pytest.param(True, "DeploymentPaused", None, id="paused-already"),
        pytest.param(False, "DeploymentPaused", ("DeploymentResumed", "Deployment is resumed"), id="resume"),
        pytest.param(True, "ProgressDeadlineExceeded", None, id="a-timeout-is-not-overwritten"),
    ],
)
def test_pausing(paused: bool, reason: str, expected: tuple[str, str] | None) -> None:
    status = {"conditions": [_progressing("True", reason)]}
    found = rules.paused_condition(deployment(paused=paused, status=status), STAMP)
    assert (found and (found["reason"], found["message"])) == expected
    assert found is None or found["status"] == "Unknown"


def test_deadline_counts_from_the_last_progress() -> None:
    status = {"conditions": [_progressing("True", "ReplicaSetUpdated")]}
    assert rules.deadline_at(deployment(status=status), status) == NOW + 600 * SECOND


def test_superfluous_are_the_lowest_revisions_that_are_empty() -> None:
    sets = [replica_set(f"r{n}", 0, annotations={rules.REVISION: str(n)}) for n in (3, 1, 2)]
    sets[1]["status"]["replicas"] = 1  # still running something
    found = rules.superfluous(deployment(revisionHistoryLimit=1), sets)
    assert [rs["metadata"]["name"] for rs in found] == ["r2"]
