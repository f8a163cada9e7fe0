# ruff: noqa: E501 (one case a line, or two)
"""Jobs and CronJobs: how often, how many at once, and when it is enough."""

from __future__ import annotations

from typing import Any

from scenario_steps import (
    JSON,
    Scenario,
    Step,
    after,
    begin,
    box,
    condition,
    count,
    delete,
    field,
    gone,
    patch,
    put,
    refuse,
    said,
    template,
    there,
    workload,
)

from cluster_engine import Cluster

JOBS, CRONS = "jobs.batch", "cronjobs.batch"
OF_J = {"batch.kubernetes.io/job-name": "j"}


def job(command: str = "sleep 2", restart: str = "Never", name: str = "j", **spec: Any) -> JSON:
    pods = template(box(command), labels={"x": "y"}, restartPolicy=restart)
    return workload("Job", name, pods, "batch/v1", **spec)


def asking(cpu: str) -> JSON:
    """A patch that makes its Pods ask for so much."""
    container = {**box("sleep 2"), "resources": {"requests": {"cpu": cpu}}}
    return {"spec": {"template": {"spec": {"containers": [container]}}}}


def cron(schedule: str = "* * * * *", command: str = "sleep 2", **spec: Any) -> JSON:
    made = {"spec": {"template": template(box(command), labels={"x": "y"}, restartPolicy="Never")}}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "cj"},
        "spec": {"schedule": schedule, "jobTemplate": made, **spec},
    }


def status(**fields: Any) -> Step:
    def step(cluster: Cluster) -> None:
        found = cluster.get(JOBS, "j")
        assert found is not None
        told = found["status"]
        assert {name: told.get(name) for name in fields} == fields, told

    return step


def made(number: int, least: int | None = None) -> Step:
    """How many Pods the Job has had, those that ended too."""

    def step(cluster: Cluster) -> None:
        found = [
            p
            for p in cluster.list("pods", "default")
            if OF_J.items() <= (p["metadata"].get("labels") or {}).items()
        ]
        assert (least or number) <= len(found) <= number, len(found)

    return step


def running(number: int) -> Step:
    def step(cluster: Cluster) -> None:
        found = [p for p in cluster.list("pods", "default") if p["status"]["phase"] == "Running"]
        assert len(found) == number

    return step


def jobs(number: int) -> Step:
    def step(cluster: Cluster) -> None:
        found = [j["metadata"]["name"] for j in cluster.list(JOBS, "default")]
        assert len(found) == number, found

    return step


def fails(action: str, **on: Any) -> JSON:
    return {"podFailurePolicy": {"rules": [{"action": action, **on}]}}


def codes(*values: int) -> JSON:
    return {"onExitCodes": {"operator": "In", "values": list(values)}}


def lone_goes() -> Step:
    """The only Pod is deleted, and takes its time."""

    def step(cluster: Cluster) -> None:
        (found,) = cluster.list("pods", "default")
        delete("pods", found["metadata"]["name"], grace=30, settle=False)(cluster)

    return step


def failing_cron() -> JSON:
    """One that keeps one failed Job."""
    made_so = cron(command="exit 1", failedJobsHistoryLimit=1)
    made_so["spec"]["jobTemplate"]["spec"]["backoffLimit"] = 0
    return made_so


COMPLETE = condition(JOBS, "j", "Complete", "True", "CompletionsReached")
EXCEEDED = condition(JOBS, "j", "Failed", "True", "BackoffLimitExceeded")
BY_INDEX = "test $JOB_COMPLETION_INDEX != 1"

BATCH: dict[str, Scenario] = {
    # ---- Jobs
    "one Pod": ("job.syncJob", [put(job()), after(10), COMPLETE, status(succeeded=1, active=None), made(1)]),
    "five in a row": ("job.manageJob", [put(job(completions=5)), after(60), COMPLETE, status(succeeded=5), made(5)]),
    "one at a time": ("job.manageJob", [begin(job("sleep 20", completions=3)), after(15), running(1), made(1)]),
    "three at a time": ("job.manageJob parallelism", [begin(job("sleep 60", completions=5, parallelism=3)), after(20), running(3)]),
    "no more than are wanted": ("job.manageJob wantActive", [begin(job("sleep 60", completions=2, parallelism=9)), after(20), running(2)]),
    "a queue of work": ("job, completions nil", [put(job(parallelism=3)), after(20), COMPLETE, status(succeeded=3)]),
    "no parallelism, no Pods": ("job.manageJob", [put(job(parallelism=0)), after(20), made(0), patch(JOBS, "j", {"spec": {"parallelism": 1}}),
        after(10), COMPLETE]),
    "no try more": ("job.backoffLimit", [put(job("exit 1", backoffLimit=0)), after(10), EXCEEDED, made(1), status(failed=1)]),
    "two tries more": ("job.backoffLimit", [put(job("exit 1", backoffLimit=2)), after(120), EXCEEDED, made(3), status(failed=3)]),
    "six tries more by default": ("batch/v1 SetDefaults_Job", [put(job("exit 1")), field(JOBS, "j", "spec.backoffLimit", 6)]),
    "tries lie apart": ("job backoff_utils", [begin(job("exit 1")), after(8), made(1), after(12), made(2), after(20), made(3, 2)]),
    "OnFailure counts restarts": ("job.pastBackoffLimitOnFailure", [
        put(job("exit 1", "OnFailure", backoffLimit=1)), after(120), EXCEEDED]),
    "OnFailure stays one Pod": ("job, OnFailure", [
        begin(job("sleep 1; exit 1", "OnFailure", backoffLimit=5)), after(25), made(1)]),
    "a deadline": ("job.pastActiveDeadline", [
        begin(job("sleep 1d", activeDeadlineSeconds=30)), after(60), condition(JOBS, "j", "Failed", "True", "DeadlineExceeded"), running(0)]),
    "it goes after its time": ("ttlafterfinished", [
        put(job(ttlSecondsAfterFinished=30)), after(10), there(JOBS, "j"), after(40), gone(JOBS, "j"), count("pods", 0)]),
    "it stays without": ("ttlafterfinished", [put(job()), after(600), there(JOBS, "j")]),
    "suspended": ("job.manageJob suspend", [put(job(suspend=True)), after(20), made(0), condition(JOBS, "j", "Suspended", "True", "JobSuspended")]),
    "resumed": ("job.manageJob suspend", [put(job(suspend=True)), patch(JOBS, "j", {"spec": {"suspend": False}}), after(10), COMPLETE,
        condition(JOBS, "j", "Suspended", "False", "JobResumed")]),
    "a suspended one may ask for more": ("job strategy, MutablePodResourcesForSuspendedJobs", [
        put(job(suspend=True)), patch(JOBS, "j", asking("200m")), field(JOBS, "j", "spec.template.spec.containers.0.resources.requests.cpu", "200m"),
        patch(JOBS, "j", {"spec": {"suspend": False}}), after(10), COMPLETE]),
    "one that stopped may ask for more": ("job strategy, MutablePodResourcesForSuspendedJobs", [
        begin(job()), after(1), patch(JOBS, "j", {"spec": {"suspend": True}}), after(40), running(0), patch(JOBS, "j", asking("200m"))]),
    "one that runs may not": ("job strategy, MutablePodResourcesForSuspendedJobs", [begin(job()), patch(JOBS, "j", asking("200m"), status=422)]),
    "suspended while it runs": ("job.deleteActivePods", [
        begin(job("sleep 1d")), after(15), running(1), patch(JOBS, "j", {"spec": {"suspend": True}}), after(5), running(0),
        status(active=None), said("j", "Suspended: Job suspended")]),
    "an index each": ("job/indexed_job_utils", [
        put(job(completions=3, parallelism=3, completionMode="Indexed")), after(15), COMPLETE, status(completedIndexes="0-2")]),
    "an index is in the environment": ("job.addCompletionIndexEnvVariables", [
        put(job("test -n \"$JOB_COMPLETION_INDEX\"", completions=2, completionMode="Indexed", backoffLimit=0)), after(20), COMPLETE]),
    "an index that fails is tried again": ("job, Indexed", [
        put(job(BY_INDEX, completions=2, parallelism=2, completionMode="Indexed", backoffLimit=1)), after(60), EXCEEDED,
        status(completedIndexes="0")]),
    "a limit for each index": ("job, backoffLimitPerIndex", [
        put(job(BY_INDEX, completions=3, parallelism=3, completionMode="Indexed", backoffLimitPerIndex=0)), after(60),
        condition(JOBS, "j", "Failed", "True", "FailedIndexes"), status(completedIndexes="0,2", failedIndexes="1")]),
    "too many indexes that fail": ("job, maxFailedIndexes", [
        put(job("exit 1", completions=4, parallelism=4, completionMode="Indexed", backoffLimitPerIndex=0, maxFailedIndexes=1)), after(60),
        condition(JOBS, "j", "Failed", "True", "MaxFailedIndexesExceeded")]),
    "an exit code that ends it": ("job/pod_failure_policy FailJob", [
        put(job("exit 42", backoffLimit=5, **fails("FailJob", **codes(42)))), after(20),
        condition(JOBS, "j", "Failed", "True", "PodFailurePolicy"), made(1)]),
    "an exit code that does not count": ("job/pod_failure_policy Ignore", [
        begin(job("exit 42", backoffLimit=0, **fails("Ignore", **codes(42)))), after(60), condition(JOBS, "j", "Failed", None), status(failed=None)]),
    "another exit code counts": ("job/pod_failure_policy", [
        put(job("exit 1", backoffLimit=0, **fails("FailJob", **codes(42)))), after(20), EXCEEDED]),
    "enough has succeeded": ("job/success_policy", [
        put(job("test $JOB_COMPLETION_INDEX = 0 || sleep 1d", completions=3, parallelism=3, completionMode="Indexed",
                successPolicy={"rules": [{"succeededIndexes": "0"}]})), after(30),
        condition(JOBS, "j", "Complete", "True", "SuccessPolicy"), running(0)]),
    "somebody else's Job": ("job, managedBy", [put(job(managedBy="example.com/queue")), after(20), made(0)]),
    "another only when it has failed": ("job, podReplacementPolicy Failed", [
        begin(job("trap '' TERM; while true; do sleep 1; done", podReplacementPolicy="Failed")), after(15), lone_goes(), after(0.5), made(1)]),
    "its Pods go with it": ("garbagecollector", [put(job()), after(10), delete(JOBS, "j"), after(5), count("pods", 0)]),
    "the template stays": ("batch validation.ValidateJobUpdate", [
        put(job("sleep 1d")), patch(JOBS, "j", {"spec": {"template": {"metadata": {"labels": {"x": "z"}}}}}, status=422)]),
    "Always is refused": ("batch validation", [refuse(job(restart="Always"), 'valid values: "OnFailure", "Never"')]),
    # ---- CronJobs
    "every minute": ("cronjobv2.syncCronJob", [put(cron()), after(150), jobs(2)]),
    "its Jobs are named by their time": ("cronjob/utils.getJobName", [put(cron()), after(70), said("cj", "SuccessfulCreate: Created job cj-")]),
    "suspended CronJobs make none": ("cronjobv2.syncCronJob", [put(cron(suspend=True)), after(150), jobs(0)]),
    "Forbid waits": ("cronjobv2 ForbidConcurrent", [put(cron(command="sleep 200", concurrencyPolicy="Forbid")), after(150), jobs(1)]),
    "Allow does not": ("cronjobv2 AllowConcurrent", [put(cron(command="sleep 200")), after(170), jobs(2)]),
    "Replace ends the one before": ("cronjobv2 ReplaceConcurrent", [put(cron(command="sleep 200", concurrencyPolicy="Replace")), after(170), jobs(1)]),
    "history is cut": ("cronjobv2.cleanupFinishedJobs", [put(cron(successfulJobsHistoryLimit=1)), after(250), jobs(1)]),
    "history of failures is cut": ("cronjobv2.cleanupFinishedJobs", [
        put(failing_cron()), after(250), jobs(1)]),
    "no such schedule": ("batch validation.validateScheduleFormat", [refuse(cron("every day"), "spec.schedule")]),
    "no such time zone": ("batch validation.validateTimeZone", [refuse(cron(timeZone="Mars/Olympus"), "unknown time zone Mars/Olympus")]),
    "no time zone in the schedule": ("batch validation", [refuse(cron("TZ=UTC * * * * *"), "cannot use TZ or CRON_TZ in schedule")]),
    "its Jobs go with it": ("garbagecollector", [put(cron()), after(130), delete(CRONS, "cj"), after(10), jobs(0)]),
}  # fmt: skip
