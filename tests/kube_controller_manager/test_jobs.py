"""Jobs and CronJobs on a cluster: what a user sees of them in time."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.kube_apiserver import ADMIN, Request
from cluster_engine.kube_controller_manager import job as job_controller
from cluster_engine.kube_controller_manager import job_rules

JSON = dict[str, Any]


def cluster() -> Cluster:
    return Cluster(nodes=2, freezing=True, strict=True)


def job(name: str = "j", command: str = "true", **spec: Any) -> JSON:
    container = {"name": "main", "image": "busybox", "command": ["sh", "-c", command]}
    template = {"spec": {"restartPolicy": spec.pop("restart", "Never"), "containers": [container]}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {**spec, "template": template},
    }


def told(cluster: Cluster, kind: str) -> list[str]:
    return [
        f"{event['reason']}: {event['message']}"
        for event in cluster.list("events", "default")
        if event["involvedObject"]["kind"] == kind
    ]


def status(cluster: Cluster, name: str = "j") -> JSON:
    return next(j for j in cluster.list("jobs.batch", "default") if j["metadata"]["name"] == name)["status"]


def ends(cluster: Cluster, name: str = "j") -> list[tuple[str, str, str]]:
    return [
        (c["type"], c.get("reason", ""), c.get("message", ""))
        for c in status(cluster, name).get("conditions") or ()
    ]


REACHED = ("CompletionsReached", "Reached expected number of succeeded pods")
LIMIT = ("BackoffLimitExceeded", "Job has reached the specified backoff limit")


@pytest.mark.parametrize(
    ("spec", "succeeded", "failed", "conditions"),
    [
        pytest.param({}, 1, 0, [("SuccessCriteriaMet", *REACHED), ("Complete", *REACHED)], id="one"),
        pytest.param(
            {"completions": 5, "parallelism": 2},
            5,
            0,
            [("SuccessCriteriaMet", *REACHED), ("Complete", *REACHED)],
            id="five-two-at-a-time",
        ),
        pytest.param(
            {"parallelism": 3},
            3,
            0,
            [("SuccessCriteriaMet", *REACHED), ("Complete", *REACHED)],
            id="work-queue",
        ),
        pytest.param(
            {"command": "exit 3", "backoffLimit": 2},
            0,
            3,
            [("FailureTarget", *LIMIT), ("Failed", *LIMIT)],
            id="backoff-limit",
        ),
        pytest.param(
            {"command": "exit 3", "backoffLimit": 2, "restart": "OnFailure"},
            0,
            1,
            [("FailureTarget", *LIMIT), ("Failed", *LIMIT)],
            id="backoff-limit-on-failure",
        ),
        pytest.param(
            {"command": "sleep 600", "activeDeadlineSeconds": 20},
            0,
            1,
            [
                (type, "DeadlineExceeded", "Job was active longer than specified deadline")
                for type in ("FailureTarget", "Failed")
            ],
            id="deadline",
        ),
    ],
)
def test_how_it_ends(spec: JSON, succeeded: int, failed: int, conditions: list[tuple[str, str, str]]) -> None:
    c = cluster()
    c.apply(job(**spec))
    assert c.settle()
    c.advance(120)
    found = status(c)
    assert (found.get("succeeded", 0), found.get("failed", 0)) == (succeeded, failed)
    assert ends(c) == conditions
    assert found["uncountedTerminatedPods"] == {}
    assert not any(pod["metadata"].get("finalizers") for pod in c.list("pods", "default"))
    assert Cluster.replay(c.journal).state_hash() == c.state_hash()


def test_back_off_doubles() -> None:
    c = cluster()
    c.apply(job(command="exit 1", backoffLimit=3))
    assert c.settle()
    born = sorted(pod["metadata"]["creationTimestamp"] for pod in c.list("pods", "default"))
    seconds = [int(stamp[14:16]) * 60 + int(stamp[17:19]) for stamp in born]
    gaps = [b - a for a, b in pairwise(seconds)]
    assert [10 <= gaps[0] <= 14, 20 <= gaps[1] <= 24, 40 <= gaps[2] <= 44] == [True] * 3


def test_failure_policy_fails_the_job() -> None:
    c = cluster()
    rules = [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}]
    c.apply(job(command="exit 42", podFailurePolicy={"rules": rules}))
    assert c.settle()
    pod = c.list("pods", "default")[0]["metadata"]["name"]
    text = f"Container main for pod default/{pod} failed with exit code 42 matching FailJob rule at index 0"
    assert ends(c) == [("FailureTarget", "PodFailurePolicy", text), ("Failed", "PodFailurePolicy", text)]


def test_success_policy_ends_it_early() -> None:
    c = cluster()
    command = '[ "$JOB_COMPLETION_INDEX" = 0 ] || sleep 900'
    rules = [{"succeededIndexes": "0"}]
    spec = {"completions": 3, "parallelism": 3, "completionMode": "Indexed"}
    c.apply(job(command=command, successPolicy={"rules": rules}, **spec))
    assert c.settle()
    c.advance(60)
    assert status(c)["completedIndexes"] == "0"
    assert ends(c) == [
        (type, "SuccessPolicy", "Matched rules at index 0") for type in ("SuccessCriteriaMet", "Complete")
    ]


def test_suspend_and_resume() -> None:
    c = cluster()
    c.apply(job(command="sleep 5", suspend=True))
    assert c.settle()
    assert not c.list("pods", "default")
    assert ends(c) == [("Suspended", "JobSuspended", "Job suspended")]
    assert "startTime" not in status(c)
    c.apply(job(command="sleep 5", suspend=False))
    c.advance(30)
    assert ends(c)[0] == ("Suspended", "JobResumed", "Job resumed")
    assert status(c)["succeeded"] == 1
    assert {"Suspended: Job suspended", "Resumed: Job resumed"} <= set(told(c, "Job"))


def test_time_to_live() -> None:
    c = cluster()
    c.apply(job(ttlSecondsAfterFinished=30))
    assert c.settle()
    assert status(c)["succeeded"] == 1
    c.advance(40)
    assert not c.list("jobs.batch", "default")
    assert not c.list("pods", "default")


def test_pods_of_a_deleted_job_go() -> None:
    c = cluster()
    c.apply(job(command="sleep 600"))
    assert c.settle()
    c.delete("jobs.batch", "j")
    c.advance(60)
    assert not c.list("pods", "default")


def cron_job(schedule: str = "*/5 * * * *", command: str = "true", **spec: Any) -> JSON:
    made = job(command=command)
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "tick"},
        "spec": {"schedule": schedule, **spec, "jobTemplate": {"spec": made["spec"]}},
    }


def jobs(c: Cluster) -> list[str]:
    return sorted(job["metadata"]["name"] for job in c.list("jobs.batch", "default"))


def test_a_job_at_each_moment_and_a_history_of_three() -> None:
    c = cluster()
    c.apply(cron_job())
    assert c.settle()
    c.advance(3600)
    assert len(jobs(c)) == 3
    [found] = c.list("cronjobs.batch", "default")
    assert found["status"]["lastScheduleTime"] == "2026-01-01T01:00:00Z"
    assert found["status"]["lastSuccessfulTime"] > found["status"]["lastScheduleTime"]
    assert "active" not in found["status"]
    assert Cluster.replay(c.journal).state_hash() == c.state_hash()


@pytest.mark.parametrize(
    ("policy", "active", "event"),
    [
        pytest.param("Allow", 3, "SuccessfulCreate", id="allow"),
        pytest.param("Forbid", 1, "JobAlreadyActive", id="forbid"),
        pytest.param("Replace", 1, "SuccessfulDelete", id="replace"),
    ],
)
def test_concurrency(policy: str, active: int, event: str) -> None:
    c = cluster()
    c.apply(cron_job("* * * * *", "sleep 3600", concurrencyPolicy=policy))
    c.advance(185)
    [found] = c.list("cronjobs.batch", "default")
    assert len(found["status"]["active"]) == active
    assert len(jobs(c)) == active
    assert any(text.startswith(event) for text in told(c, "CronJob"))


def test_a_suspended_cron_job_starts_nothing_and_a_missed_deadline_is_told() -> None:
    c = cluster()
    c.apply(cron_job("*/10 * * * *", suspend=True, startingDeadlineSeconds=60))
    c.advance(1500)
    assert not jobs(c)
    c.apply(cron_job("*/10 * * * *", suspend=False, startingDeadlineSeconds=60))
    c.advance(5)
    assert not jobs(c)
    c.advance(600)
    assert len(jobs(c)) == 1


def test_more_pods_than_one_turn_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is made, deleted or counted in one reconcile is bounded; the next ones do the rest."""
    for module in (job_controller, job_rules):
        for name in ("MAX_PODS", "MAX_UNCOUNTED"):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, 2)
    c = cluster()
    c.apply(job(completions=7, parallelism=7))
    assert c.settle()
    assert status(c)["succeeded"] == 7
    assert ends(c)[-1][0] == "Complete"
    c.apply(job("k", command="sleep 600", parallelism=5))
    assert c.settle()
    assert status(c, "k")["active"] == 5
    c.apply(job("k", command="sleep 600", parallelism=5, suspend=True))
    assert c.settle()
    assert "active" not in status(c, "k")


def test_too_many_missed_moments_are_told_and_the_last_is_made_up_for() -> None:
    c = cluster()
    c.apply(cron_job("* * * * *", suspend=True))
    c.advance(3 * 3600)
    c.apply(cron_job("* * * * *", suspend=False))
    c.advance(20)
    assert len(jobs(c)) == 1
    assert any(text.startswith("TooManyMissedTimes: too many missed") for text in told(c, "CronJob"))


@pytest.mark.slow
def test_life_of_two_days_is_bounded() -> None:
    c = cluster()
    c.apply(cron_job("*/30 * * * *"))
    c.advance(2 * 86400)
    assert len(jobs(c)) == 3
    assert len(c.list("pods", "default")) == 3
    assert c.now.startswith("2026-01-03")


PRESERVED = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them "
    "or set propagationPolicy=Orphan to suppress this warning"
)


@pytest.mark.parametrize(
    ("query", "warned", "left"),
    [
        pytest.param([], (PRESERVED,), 1, id="no policy"),
        pytest.param([("propagationPolicy", "Orphan")], (), 1, id="Orphan"),
        pytest.param([("propagationPolicy", "Background")], (), 0, id="Background"),
        pytest.param([("orphanDependents", "false")], (), 0, id="as it was once said"),
    ],
)
@pytest.mark.parametrize("path", ["/jobs/j", "/jobs"], ids=["one", "all"])
def test_a_job_that_is_deleted(
    path: str, query: list[tuple[str, str]], warned: tuple[str, ...], left: int
) -> None:
    """batch/v1 leaves a Job's Pods unless it is told otherwise, and says so (registry/batch/job/storage)."""
    there = cluster()
    there.apply(job(command="sleep 9"))
    there.settle()
    answer = there.request(Request("DELETE", f"/apis/batch/v1/namespaces/default{path}", query, user=ADMIN))
    assert (answer.status, answer.warnings) == (200, warned)
    there.settle()
    pods = there.list("pods", "default")
    assert (there.list("jobs", "default"), len(pods)) == ([], left)
    assert not any(pod["metadata"].get("ownerReferences") for pod in pods)
