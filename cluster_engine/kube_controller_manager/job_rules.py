"""What the Job controller decides: which Pods count, when it is over, how many to make, how long to wait.

Pure functions. Models pkg/controller/job (job_controller.go, backoff_utils.go, pod_failure_policy.go,
success_policy.go, indexed_job_utils.go).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component_helpers.conditions import condition_of, find_condition
from cluster_engine.sim import SECOND, parse_rfc3339

from . import job_indexes
from .job_indexes import Intervals
from .pods import is_pod_active, is_pod_ready, pods_to_delete

TRACKING = "batch.kubernetes.io/job-tracking"
"""The finalizer that keeps a Pod until the Job has counted it."""
INDEX = "batch.kubernetes.io/job-completion-index"
INDEX_FAILURES = "batch.kubernetes.io/job-index-failure-count"
INDEX_IGNORED = "batch.kubernetes.io/job-index-ignored-failure-count"
INDEX_VARIABLE = "JOB_COMPLETION_INDEX"
MANAGED_BY = "kubernetes.io/job-controller"

BACKOFF = 10 * SECOND
MAX_BACKOFF = 600 * SECOND
MAX_UNCOUNTED = 500
"""Pods counted in one reconcile."""
MAX_PODS = 500
"""Pods created or deleted in one reconcile."""
_NAME_LIMIT = 63 - 5


@dataclass(frozen=True, slots=True)
class Backoff:
    """How often Pods failed since the last success, and when (virtual µs) the last one did."""

    failures: int = 0
    last: int = 0

    def remaining(self, now: int) -> int:
        """How long (µs) until the next Pod may be made."""
        if not self.failures:
            return 0
        wait = min(BACKOFF << min(self.failures - 1, 20), MAX_BACKOFF)
        return max(0, self.last + wait - now)


@dataclass(slots=True)
class View:
    """A Job and its Pods as one reconcile sees them; the counts follow what it does."""

    job: JSON
    pods: list[JSON]
    uncounted: JSON
    """The status's uids of Pods that ended and still have their finalizer: {"succeeded": […], "failed": […]}."""
    active: list[JSON] = field(default_factory=list)
    ready: int = 0
    terminating: int = 0
    succeeded: int = 0
    failed: int = 0
    backoff: Backoff = Backoff()
    done: Intervals = field(default_factory=list)
    """Succeeded indexes, those counted before included."""
    done_before: Intervals = field(default_factory=list)
    lost: Intervals | None = None
    """Failed indexes; None without a back-off limit per index."""
    awaited: dict[int, JSON] = field(default_factory=dict)
    """By index: the failed Pod that stays until its replacement, which takes over its count, is there."""


# ---- Pods ------------------------------------------------------------------------------------------------


def is_indexed(job: JSON) -> bool:
    """Whether each of its Pods has an index."""
    return bool(job["spec"].get("completionMode") == "Indexed")


def is_over(job: JSON) -> bool:
    """Whether it is Complete or Failed (IsJobFinished)."""
    return end_of(job) is not None


def end_of(job: JSON) -> JSON | None:
    """The condition with which it ended."""
    for type in ("Complete", "Failed"):
        condition = condition_of(job, type)
        if condition is not None and condition["status"] == "True":
            return condition
    return None


def only_replaces_failed(job: JSON) -> bool:
    """Whether a Pod that is going still holds its place (onlyReplaceFailedPods)."""
    spec = job["spec"]
    return spec.get("podReplacementPolicy") == "Failed" or spec.get("podFailurePolicy") is not None


def completion_index(pod: JSON) -> int:
    """The Pod's index, -1 without a valid one."""
    text = (pod["metadata"].get("annotations") or {}).get(INDEX, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 11 else -1


def is_tracked(pod: JSON) -> bool:
    """Whether it is still to be counted."""
    return TRACKING in (pod["metadata"].get("finalizers") or ())


def is_failed(pod: JSON, job: JSON) -> bool:
    """Whether the Pod counts as failed; one that is deleted does, unless only failed ones are replaced."""
    phase = (pod.get("status") or {}).get("phase")
    if phase == "Failed":
        return True
    if only_replaces_failed(job):
        return False
    return bool(pod["metadata"].get("deletionTimestamp")) and phase != "Succeeded"


def has_succeeded(pod: JSON) -> bool:
    """Whether its phase is Succeeded."""
    return (pod.get("status") or {}).get("phase") == "Succeeded"


def is_terminating(pod: JSON) -> bool:
    """Whether it is being deleted and has not ended."""
    phase = (pod.get("status") or {}).get("phase")
    return bool(pod["metadata"].get("deletionTimestamp")) and phase not in ("Failed", "Succeeded")


def _is_valid(pod: JSON, job: JSON) -> bool:
    return not is_indexed(job) or 0 <= completion_index(pod) < job["spec"]["completions"]


def _number(pod: JSON, key: str) -> int:
    text = (pod["metadata"].get("annotations") or {}).get(key, "")
    return int(text) if text.isascii() and text.isdigit() and int(text) < 2**31 else 0


def finished_at(pod: JSON) -> int:
    """When (virtual µs) the Pod ended: its containers, else its Ready condition, else its deletion or birth."""
    status, meta = pod.get("status") or {}, pod["metadata"]
    ends = [
        ((container.get("state") or {}).get("terminated") or {}).get("finishedAt")
        for container in status.get("containerStatuses") or ()
    ]
    if ends and all(ends):
        return max(parse_rfc3339(end) for end in ends)
    ready = condition_of(pod, "Ready")
    if ready is not None and ready["status"] == "False" and ready.get("lastTransitionTime"):
        return parse_rfc3339(ready["lastTransitionTime"])
    if meta.get("deletionTimestamp"):
        grace = meta.get("deletionGracePeriodSeconds") or 0
        return parse_rfc3339(meta["deletionTimestamp"]) - grace * SECOND
    return parse_rfc3339(meta["creationTimestamp"])


# ---- policies --------------------------------------------------------------------------------------------


def match_failure(policy: JSON | None, pod: JSON) -> tuple[str, str]:
    """(the action of the first rule that fits the failed Pod, "" for none; the message of a FailJob)."""
    meta, status = pod["metadata"], pod.get("status") or {}
    for index, rule in enumerate((policy or {}).get("rules") or ()):
        action = rule["action"]
        if rule.get("onExitCodes") is not None:
            container = _by_exit_code(status, rule["onExitCodes"])
            if container is not None:
                code = container["state"]["terminated"]["exitCode"]
                where = f"Container {container['name']} for pod {meta['namespace']}/{meta['name']}"
                return action, f"{where} failed with exit code {code} matching {action} rule at index {index}"
        else:
            condition = _by_condition(status, rule.get("onPodConditions") or ())
            if condition is not None:
                where = f"Pod {meta['namespace']}/{meta['name']} has condition {condition['type']}"
                return action, f"{where} matching {action} rule at index {index}"
    return "", ""


def _by_exit_code(status: JSON, wanted: JSON) -> JSON | None:
    for part in ("containerStatuses", "initContainerStatuses"):
        for container in status.get(part) or ():
            terminated = (container.get("state") or {}).get("terminated")
            if terminated is None or not terminated["exitCode"]:
                continue
            if wanted.get("containerName") not in (None, container["name"]):
                continue
            if (terminated["exitCode"] in wanted["values"]) == (wanted["operator"] == "In"):
                found: JSON = container
                return found
    return None


def _by_condition(status: JSON, patterns: Sequence[JSON]) -> JSON | None:
    for condition in status.get("conditions") or ():
        for pattern in patterns:
            if (pattern["type"], pattern["status"]) == (condition["type"], condition["status"]):
                found: JSON = condition
                return found
    return None


def counts_as_failure(job: JSON, pod: JSON) -> bool:
    """Whether a failed Pod counts towards the limits."""
    return match_failure(job["spec"].get("podFailurePolicy"), pod)[0] != "Ignore"


def match_success(policy: JSON | None, completions: int, done: Intervals) -> str:
    """The message of the first rule of a success policy that is met, "" for none."""
    for index, rule in enumerate((policy or {}).get("rules") or ()):
        count = rule.get("succeededCount")
        if rule.get("succeededIndexes") is not None:
            wanted = job_indexes.parse(rule["succeededIndexes"], completions)
            common = job_indexes.common(wanted, done)
            met = bool(wanted) and (
                common == job_indexes.total(wanted) or (count is not None and common >= count)
            )
        else:
            met = count is not None and job_indexes.total(done) >= count
        if met and done:
            return f"Matched rules at index {index}"
    return ""


# ---- what is there ---------------------------------------------------------------------------------------


def look(job: JSON, pods: list[JSON], backoff: Backoff) -> View:
    """The Job with its Pods counted."""
    status = job.get("status") or {}
    before = status.get("uncountedTerminatedPods") or {}
    uncounted = {part: list(before.get(part) or ()) for part in ("succeeded", "failed")}
    view = View(job, pods, uncounted)
    view.active = [pod for pod in pods if is_pod_active(pod)]
    view.ready = sum(is_pod_ready(pod) for pod in view.active)
    view.terminating = sum(is_terminating(pod) for pod in pods)
    fresh = [pod for pod in pods if is_tracked(pod) and _is_valid(pod, job)]
    succeeded = [p for p in fresh if has_succeeded(p) and p["metadata"]["uid"] not in uncounted["succeeded"]]
    failed = [p for p in fresh if is_failed(p, job) and p["metadata"]["uid"] not in uncounted["failed"]]
    view.succeeded = (status.get("succeeded") or 0) + len(succeeded) + len(uncounted["succeeded"])
    counted = sum(counts_as_failure(job, pod) for pod in failed)
    view.failed = (status.get("failed") or 0) + counted + len(uncounted["failed"])
    view.backoff = next_backoff(backoff, succeeded, failed)
    if is_indexed(job):
        _look_at_indexes(view)
    return view


def _look_at_indexes(view: View) -> None:
    job, completions = view.job, view.job["spec"]["completions"]
    status = job.get("status") or {}
    tracked = [pod for pod in view.pods if is_tracked(pod) and _is_valid(pod, job)]
    view.done_before = job_indexes.parse(status.get("completedIndexes") or "", completions)
    done = [completion_index(pod) for pod in tracked if has_succeeded(pod)]
    view.done = job_indexes.with_indexes(view.done_before, done)
    view.succeeded = job_indexes.total(view.done)
    limit = job["spec"].get("backoffLimitPerIndex")
    if limit is None:
        return
    before = job_indexes.parse(status.get("failedIndexes") or "", completions)
    lost = [completion_index(pod) for pod in tracked if _loses_index(job, pod, limit)]
    view.lost = job_indexes.with_indexes(before, lost)
    active = {completion_index(pod) for pod in view.active}
    for pod in tracked:
        index = completion_index(pod)
        over = index in active or job_indexes.has(view.done, index) or job_indexes.has(view.lost, index)
        if over or not is_failed(pod, job):
            continue
        other = view.awaited.get(index)
        if other is None or (_failures(other) <= _failures(pod) and finished_at(other) <= finished_at(pod)):
            view.awaited[index] = pod


def _loses_index(job: JSON, pod: JSON, limit: int) -> bool:
    if not is_failed(pod, job):
        return False
    action, _ = match_failure(job["spec"].get("podFailurePolicy"), pod)
    return action == "FailIndex" or (action != "Ignore" and _number(pod, INDEX_FAILURES) >= limit)


def _failures(pod: JSON) -> int:
    return _number(pod, INDEX_FAILURES) + _number(pod, INDEX_IGNORED)


def next_backoff(old: Backoff, succeeded: Iterable[JSON], failed: Iterable[JSON]) -> Backoff:
    """The record after these Pods ended: a success ends the row of failures."""
    good = [finished_at(pod) for pod in succeeded]
    bad = [finished_at(pod) for pod in failed]
    if not good:
        return Backoff(old.failures + len(bad), max(bad)) if bad else old
    later = [at for at in bad if at > max(good)]
    return Backoff(len(later), max(later)) if later else Backoff()


# ---- when it is over -------------------------------------------------------------------------------------


def condition(type: str, reason: str, message: str, stamp: str, status: str = "True") -> JSON:
    """A Job's condition."""
    made = {"type": type, "status": status, "lastProbeTime": stamp, "lastTransitionTime": stamp}
    return {**made, **({"reason": reason} if reason else {}), **({"message": message} if message else {})}


def ending(view: View, now: int, stamp: str) -> JSON | None:
    """The condition that ends the Job (SuccessCriteriaMet or FailureTarget first, Failed after it), if any."""
    status, spec = view.job.get("status") or {}, view.job["spec"]
    conditions = status.get("conditions") or ()
    met = find_condition(conditions, "SuccessCriteriaMet")
    if met is not None and met["status"] == "True":
        return met
    target = find_condition(conditions, "FailureTarget")
    if target is not None and target["status"] == "True":
        return condition("Failed", target.get("reason", ""), target.get("message", ""), stamp)
    reason, message = _failure(view, now)
    if reason:
        return condition("FailureTarget", reason, message, stamp)
    if is_indexed(view.job):
        message = match_success(spec.get("successPolicy"), spec["completions"], view.done)
        if message:
            return condition("SuccessCriteriaMet", "SuccessPolicy", message, stamp)
    return None


def _failure(view: View, now: int) -> tuple[str, str]:
    job, spec = view.job, view.job["spec"]
    for pod in view.pods:
        if spec.get("podFailurePolicy") is not None and is_failed(pod, job):
            action, message = match_failure(spec["podFailurePolicy"], pod)
            if action == "FailJob":
                return "PodFailurePolicy", message
    if view.failed > spec["backoffLimit"] or _restarted_too_often(view):
        return "BackoffLimitExceeded", "Job has reached the specified backoff limit"
    deadline = deadline_at(job)
    if deadline is not None and now >= deadline:
        return "DeadlineExceeded", "Job was active longer than specified deadline"
    if view.lost is not None:
        lost, limit = job_indexes.total(view.lost), spec.get("maxFailedIndexes")
        if limit is not None and lost > limit:
            text = "Job has exceeded the specified maximal number of failed indexes"
            return "MaxFailedIndexesExceeded", text
        if lost and lost + job_indexes.total(view.done) >= spec["completions"]:
            return "FailedIndexes", "Job has failed indexes"
    return "", ""


def deadline_at(job: JSON) -> int | None:
    """When (virtual µs) activeDeadlineSeconds run out; None without, or while it is suspended."""
    seconds, began = job["spec"].get("activeDeadlineSeconds"), (job.get("status") or {}).get("startTime")
    if seconds is None or not began or job["spec"].get("suspend"):
        return None
    return parse_rfc3339(began) + int(seconds) * SECOND


def _restarted_too_often(view: View) -> bool:
    """With restartPolicy OnFailure the restarts of living Pods count (pastBackoffLimitOnFailure)."""
    spec = view.job["spec"]
    if spec["template"]["spec"].get("restartPolicy") != "OnFailure":
        return False
    restarts = 0
    for pod in view.pods:
        status = pod.get("status") or {}
        if status.get("phase") in ("Running", "Pending"):
            for part in ("initContainerStatuses", "containerStatuses"):
                restarts += sum(c.get("restartCount", 0) for c in status.get(part) or ())
    limit: int = spec["backoffLimit"]
    return restarts > 0 if limit == 0 else restarts >= limit


def is_complete(view: View, active: int) -> bool:
    """Whether enough Pods have succeeded and none is left."""
    completions = view.job["spec"].get("completions")
    if completions is None:
        return view.succeeded > 0 and not active
    return bool(view.succeeded >= completions and not active)


# ---- how many --------------------------------------------------------------------------------------------


def wanted(view: View) -> int:
    """How many Pods are to be active."""
    spec, active = view.job["spec"], len(view.active)
    parallelism: int = spec["parallelism"]
    if spec.get("completions") is None:
        return active if view.succeeded else parallelism
    left: int = spec["completions"] - view.succeeded
    return max(0, min(left, parallelism))


def superfluous(view: View, at_least: int, now: int) -> list[JSON]:
    """Active Pods to delete: doubles and strays of an Indexed Job, then the youngest in their start."""
    gone: list[JSON] = []
    left = view.active
    if is_indexed(view.job):
        by_index: dict[int, list[JSON]] = {}
        for pod in view.active:
            index = completion_index(pod)
            by_index.setdefault(index if index < view.job["spec"]["completions"] else -1, []).append(pod)
        gone = by_index.pop(-1, [])
        for _, pods in sorted(by_index.items()):
            gone += pods_to_delete(pods, pods, len(pods) - 1, now) if len(pods) > 1 else []
        names = {pod["metadata"]["uid"] for pod in gone}
        left = [pod for pod in view.active if pod["metadata"]["uid"] not in names]
    if len(gone) < at_least:
        gone = gone + pods_to_delete(left, left, at_least - len(gone), now)
    return gone[:MAX_PODS]


def next_indexes(view: View, count: int, now: int) -> tuple[list[int], int]:
    """(the indexes to start now, at most ``count``; how long (µs) to wait when all of them are backing off)."""
    taken = job_indexes.with_indexes(view.done, sorted({completion_index(p) for p in view.active} - {-1}))
    if only_replaces_failed(view.job):
        going = {completion_index(pod) for pod in view.pods if is_terminating(pod)}
        taken = job_indexes.with_indexes(taken, sorted(going - {-1}))
    taken = job_indexes.merged(taken, view.lost or [])
    found = job_indexes.first_missing(taken, count, view.job["spec"]["completions"])
    if view.lost is None:
        return found, 0
    waits = {index: _index_wait(view, index, now) for index in found}
    ready = [index for index in found if not waits[index]]
    return ready, 0 if ready else min(waits.values(), default=0)


def _index_wait(view: View, index: int, now: int) -> int:
    last = view.awaited.get(index)
    return Backoff(_failures(last) + 1, finished_at(last)).remaining(now) if last is not None else 0


def template_of(view: View, index: int | None) -> tuple[JSON, str]:
    """(the template of the next Pod, the beginning of its name)."""
    job, name = view.job, view.job["metadata"]["name"]
    template = job["spec"]["template"]
    meta = {**(template.get("metadata") or {})}
    meta["finalizers"] = [*(meta.get("finalizers") or ()), TRACKING]
    if index is None:
        return {**template, "metadata": meta}, f"{name}-"
    meta["annotations"] = {**(meta.get("annotations") or {}), INDEX: str(index)}
    meta["labels"] = {**(meta.get("labels") or {}), INDEX: str(index)}
    if view.lost is not None:
        meta["annotations"] |= _failure_counts(job, view.awaited.get(index))
    pod = {**template["spec"], "hostname": f"{name}-{index}"}
    for part in ("initContainers", "containers"):
        if pod.get(part):
            pod[part] = [_with_index(container) for container in pod[part]]
    begin = name[: _NAME_LIMIT - len(f"-{index}-")]
    return {**template, "metadata": meta, "spec": pod}, f"{begin}-{index}-"


def _failure_counts(job: JSON, replaced: JSON | None) -> dict[str, str]:
    failures, ignored = 0, 0
    if replaced is not None:
        counts = counts_as_failure(job, replaced)
        failures = _number(replaced, INDEX_FAILURES) + counts
        ignored = _number(replaced, INDEX_IGNORED) + (not counts)
    return {INDEX_FAILURES: str(failures), **({INDEX_IGNORED: str(ignored)} if ignored else {})}


def _with_index(container: JSON) -> JSON:
    given: list[Any] = container.get("env") or []
    if any(variable["name"] == INDEX_VARIABLE for variable in given):
        return container
    source = {"fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.labels['{INDEX}']"}}
    return {**container, "env": [*given, {"name": INDEX_VARIABLE, "valueFrom": source}]}
