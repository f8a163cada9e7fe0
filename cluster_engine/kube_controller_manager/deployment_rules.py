"""What a Deployment decides: sizes, proportions, annotations, conditions, status.

Pure functions on Deployments and their ReplicaSets. Models pkg/controller/deployment/util, rolling.go,
sync.go and progress.go.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from cluster_engine.apimachinery.cow import JSON, compact, owner_reference
from cluster_engine.component_helpers.conditions import find_condition, with_condition, without_condition
from cluster_engine.sim import SECOND, parse_rfc3339

from .hashing import safe_hash

REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"
HASH_LABEL = "pod-template-hash"
NOT_COPIED = frozenset(
    {"kubectl.kubernetes.io/last-applied-configuration", REVISION, HISTORY, DESIRED, MAXIMUM}
)
HISTORY_CHARACTERS = 2000
NO_DEADLINE = 2**31 - 1


class Resize(NamedTuple):
    """One ReplicaSet to scale. ``verb`` is up or down, as the event says it."""

    name: str
    size: int
    verb: str


# ---- sizes -----------------------------------------------------------------------------------------------


def int_or_percent(value: int | str, total: int, round_up: bool) -> int:
    """An IntOrString against a total (GetScaledValueFromIntOrPercent)."""
    if isinstance(value, int):
        return value
    share = int(value.removesuffix("%")) * total
    return -(-share // 100) if round_up else share // 100


def is_rolling(deployment: JSON) -> bool:
    return bool(deployment["spec"]["strategy"]["type"] == "RollingUpdate")


def fenceposts(deployment: JSON) -> tuple[int, int]:
    """(maxSurge, maxUnavailable) in Pods; both 0 for Recreate. Never both 0 in a rolling update."""
    if not is_rolling(deployment):
        return 0, 0
    rolling = deployment["spec"]["strategy"].get("rollingUpdate") or {}
    replicas = deployment["spec"]["replicas"]
    surge = int_or_percent(rolling.get("maxSurge", "25%"), replicas, True)
    unavailable = int_or_percent(rolling.get("maxUnavailable", "25%"), replicas, False)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return surge, min(unavailable, replicas)


def max_surge(deployment: JSON) -> int:
    return fenceposts(deployment)[0]


def size_of(rs: JSON) -> int:
    """The size a ReplicaSet is asked to have."""
    replicas: int = rs["spec"]["replicas"]
    return replicas


def counted(rss: Iterable[JSON], field: str) -> int:
    """The sum of a status field."""
    return sum((rs.get("status") or {}).get(field, 0) for rs in rss)


def active(rss: Iterable[JSON]) -> list[JSON]:
    return [rs for rs in rss if size_of(rs) > 0]


def by_creation(rss: Iterable[JSON]) -> list[JSON]:
    """Oldest first, then by name."""
    return sorted(rss, key=lambda rs: (rs["metadata"]["creationTimestamp"], rs["metadata"]["name"]))


def size_of_new(deployment: JSON, all_rss: Sequence[JSON], current: int) -> int:
    """How large the new ReplicaSet may be now (NewRSNewReplicas); ``current`` is its present size."""
    replicas: int = deployment["spec"]["replicas"]
    if not is_rolling(deployment):
        return replicas
    room = replicas + max_surge(deployment) - sum(size_of(rs) for rs in all_rss)
    if room <= 0:
        return current
    return current + min(room, replicas - current)


def grow_new(deployment: JSON, new: JSON, all_rss: Sequence[JSON]) -> Resize | None:
    """The first half of a rolling step: the new ReplicaSet's next size, if it changes."""
    current, replicas = size_of(new), deployment["spec"]["replicas"]
    if current == replicas:
        return None
    size = replicas if current > replicas else size_of_new(deployment, all_rss, current)
    if size == current:
        return None
    return Resize(new["metadata"]["name"], size, "up" if size > current else "down")


def shrink_old(deployment: JSON, new: JSON, olds: Sequence[JSON]) -> list[Resize]:
    """The second half of a rolling step: what the old ReplicaSets give up, unhealthy Pods first.

    Pods are taken only as far as availability allows: unavailable Pods of the new set count against it.
    """
    olds = by_creation(active(olds))
    if not olds:
        return []
    replicas = deployment["spec"]["replicas"]
    minimum = replicas - fenceposts(deployment)[1]
    new_unavailable = size_of(new) - counted([new], "availableReplicas")
    total = sum(size_of(rs) for rs in (*olds, new))
    budget = total - minimum - new_unavailable
    if budget <= 0:
        return []
    sizes = {rs["metadata"]["name"]: size_of(rs) for rs in olds}
    steps = []

    def take(name: str, count: int) -> None:
        sizes[name] -= count
        steps.append(Resize(name, sizes[name], "down"))

    for rs in olds:
        unhealthy = min(budget, size_of(rs) - counted([rs], "availableReplicas"))
        if unhealthy > 0:
            take(rs["metadata"]["name"], unhealthy)
            budget -= unhealthy
    spare = counted((*olds, new), "availableReplicas") - minimum
    for rs in olds:
        name = rs["metadata"]["name"]
        count = min(sizes[name], spare)
        if count > 0:
            take(name, count)
            spare -= count
    return steps


def proportional(deployment: JSON, new: JSON | None, olds: Sequence[JSON]) -> list[Resize]:
    """The sizes after the Deployment itself was scaled (or is paused): a rollout keeps its balance."""
    replicas: int = deployment["spec"]["replicas"]
    everyone = [*olds, *([new] if new is not None else [])]
    living = active(everyone)
    if len(living) <= 1:
        only = living[0] if living else new if new is not None else by_creation(olds)[-1] if olds else None
        if only is None:
            return []
        # At that size already: the step only renews the annotations, else we would look for scaling for ever.
        return [Resize(only["metadata"]["name"], replicas, "up" if replicas > size_of(only) else "down")]
    if new is not None and is_saturated(deployment, new):
        return [Resize(rs["metadata"]["name"], 0, "down") for rs in active(olds)]
    if not is_rolling(deployment):
        return []
    allowed = replicas + max_surge(deployment) if replicas > 0 else 0
    to_add = allowed - sum(size_of(rs) for rs in living)
    newest_first = to_add > 0
    living = by_creation(living)
    if newest_first:
        living.reverse()
    living.sort(key=size_of, reverse=True)
    sizes, added = {}, 0
    for rs in living:
        share = _share(deployment, rs, to_add, added)
        sizes[rs["metadata"]["name"]] = size_of(rs) + share
        added += share
    if to_add:
        largest = living[0]["metadata"]["name"]
        sizes[largest] = max(0, sizes[largest] + to_add - added)
    verb = "up" if to_add > 0 else "down"
    return [Resize(rs["metadata"]["name"], sizes[rs["metadata"]["name"]], verb) for rs in living]


def _share(deployment: JSON, rs: JSON, to_add: int, added: int) -> int:
    """A ReplicaSet's part of ``to_add``, in proportion to its size (GetReplicaSetProportion)."""
    if to_add in (0, added):
        return 0
    replicas = deployment["spec"]["replicas"]
    size = size_of(rs)
    if replicas == 0:
        fraction = -size
    else:
        base = _number(rs, MAXIMUM) or (deployment.get("status") or {}).get("replicas", 0)
        if not base:
            return 0
        # Go rounds half away from zero; sizes are never negative here.
        fraction = math.floor(size * (replicas + max_surge(deployment)) / base + 0.5) - size
    return min(fraction, to_add - added) if to_add > 0 else max(fraction, to_add - added)


def is_saturated(deployment: JSON, rs: JSON) -> bool:
    """Whether the ReplicaSet has all of the Deployment's Pods, available."""
    replicas = deployment["spec"]["replicas"]
    return bool(
        _number(rs, DESIRED) == replicas
        and size_of(rs) == replicas
        and counted([rs], "availableReplicas") == replicas
    )


def was_scaled(deployment: JSON, rss: Sequence[JSON]) -> bool:
    """Whether the Deployment's size changed since its active ReplicaSets were last sized."""
    wanted = deployment["spec"]["replicas"]
    return any((seen := _number(rs, DESIRED)) is not None and seen != wanted for rs in active(rss))


def _number(rs: JSON, annotation: str) -> int | None:
    text = (rs["metadata"].get("annotations") or {}).get(annotation, "")
    return int(text) if text.isdecimal() and len(text) < 11 else None


# ---- new and old ReplicaSets -----------------------------------------------------------------------------


def _bare(template: JSON) -> JSON:
    meta = template.get("metadata") or {}
    labels = {name: value for name, value in (meta.get("labels") or {}).items() if name != HASH_LABEL}
    skip = ("labels", "creationTimestamp")
    rest = {name: value for name, value in meta.items() if value and name not in skip}
    return {**template, "metadata": {**rest, "labels": labels}}


def same_template(a: JSON, b: JSON) -> bool:
    """Whether two Pod templates are equal but for the hash label."""
    same_spec: bool = a["spec"] is b["spec"] or a["spec"] == b["spec"]
    return same_spec and bool(_bare(a)["metadata"] == _bare(b)["metadata"])


def find_new(deployment: JSON, rss: Iterable[JSON]) -> JSON | None:
    """The oldest ReplicaSet with the Deployment's template."""
    template = deployment["spec"]["template"]
    for rs in by_creation(rss):
        if same_template(rs["spec"]["template"], template):
            return rs
    return None


def template_hash(deployment: JSON) -> str:
    """The pod-template-hash: of the template and, after a clash, how often it clashed."""
    data = orjson.dumps(deployment["spec"]["template"], option=orjson.OPT_SORT_KEYS)
    collisions = (deployment.get("status") or {}).get("collisionCount")
    if collisions is not None:
        data += collisions.to_bytes(8, "little")
    return safe_hash(data)


def revision_of(obj: JSON) -> int:
    """The revision in the annotation; 0 without one."""
    text = (obj["metadata"].get("annotations") or {}).get(REVISION, "")
    return int(text) if text.isdecimal() and len(text) < 19 else 0


def next_revision(olds: Iterable[JSON]) -> int:
    return max((revision_of(rs) for rs in olds), default=0) + 1


def replica_annotations(deployment: JSON) -> dict[str, str]:
    """What a ReplicaSet remembers of the size its Deployment had."""
    replicas = deployment["spec"]["replicas"]
    return {DESIRED: str(replicas), MAXIMUM: str(replicas + max_surge(deployment))}


def new_annotations(deployment: JSON, existing: Mapping[str, str], revision: int) -> dict[str, str]:
    """The new ReplicaSet's annotations: the Deployment's, the revision, and revisions it served before."""
    given = deployment["metadata"].get("annotations") or {}
    annotations = {**existing, **{name: value for name, value in given.items() if name not in NOT_COPIED}}
    changed = annotations != dict(existing)
    old = existing.get(REVISION)
    if not (old or "").isdecimal() or int(old or 0) < revision:
        annotations[REVISION] = str(revision)
        changed = True
    if old is not None and changed and old != annotations[REVISION]:
        history = [*filter(None, existing.get(HISTORY, "").split(",")), old]
        while len(",".join(history)) > HISTORY_CHARACTERS:
            history.pop(0)
        annotations[HISTORY] = ",".join(history)
    return annotations


def new_replica_set(deployment: JSON, olds: Sequence[JSON], hash: str) -> JSON:
    """The ReplicaSet for the Deployment's present template."""
    spec, meta = deployment["spec"], deployment["metadata"]
    template = spec["template"]
    labels = {**((template.get("metadata") or {}).get("labels") or {}), HASH_LABEL: hash}
    selector = spec["selector"]
    matched = {**(selector.get("matchLabels") or {}), HASH_LABEL: hash}
    new_spec: JSON = {
        "replicas": size_of_new(deployment, olds, 0),
        "selector": {**selector, "matchLabels": matched},
        "template": {**template, "metadata": {**(template.get("metadata") or {}), "labels": labels}},
    }
    if spec.get("minReadySeconds"):
        new_spec["minReadySeconds"] = spec["minReadySeconds"]
    annotations = new_annotations(deployment, {}, next_revision(olds))
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{meta['name']}-{hash}",
            "namespace": meta["namespace"],
            "labels": labels,
            "annotations": {**annotations, **replica_annotations(deployment)},
            "ownerReferences": [owner_reference(deployment)],
        },
        "spec": new_spec,
    }


def superfluous(deployment: JSON, olds: Sequence[JSON]) -> list[JSON]:
    """Old, empty ReplicaSets beyond revisionHistoryLimit, lowest revision first."""
    limit = deployment["spec"].get("revisionHistoryLimit")
    if limit is None:
        return []
    living = [rs for rs in olds if not rs["metadata"].get("deletionTimestamp")]
    excess = len(living) - limit
    if excess <= 0:
        return []
    living.sort(key=lambda rs: (revision_of(rs), rs["metadata"]["creationTimestamp"], rs["metadata"]["name"]))
    return [rs for rs in living[:excess] if _is_idle(rs)]


def _is_idle(rs: JSON) -> bool:
    status = rs.get("status") or {}
    observed = status.get("observedGeneration", 0) >= rs["metadata"].get("generation", 0)
    return bool(size_of(rs) == 0 and not status.get("replicas") and observed)


# ---- status ----------------------------------------------------------------------------------------------


def has_deadline(deployment: JSON) -> bool:
    return bool(deployment["spec"].get("progressDeadlineSeconds", NO_DEADLINE) != NO_DEADLINE)


def condition(type: str, status: str, reason: str, message: str, stamp: str) -> JSON:
    """A Deployment condition that changes now."""
    return {
        "type": type,
        "status": status,
        "lastUpdateTime": stamp,
        "lastTransitionTime": stamp,
        "reason": reason,
        "message": message,
    }


def basic_status(deployment: JSON, new: JSON | None, olds: Sequence[JSON], stamp: str) -> JSON:
    """The counts and the Available condition; everything else of the old conditions stays."""
    rss = [*olds, *([new] if new is not None else [])]
    replicas = deployment["spec"]["replicas"]
    available = counted(rss, "availableReplicas")
    if available >= replicas - fenceposts(deployment)[1]:
        seen = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        seen = ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    old = deployment.get("status") or {}
    status: JSON = {
        "observedGeneration": deployment["metadata"].get("generation", 0),
        "replicas": counted(rss, "replicas"),
        "updatedReplicas": counted([new], "replicas") if new is not None else 0,
        "readyReplicas": counted(rss, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, sum(size_of(rs) for rs in rss) - available),
        "terminatingReplicas": counted(rss, "terminatingReplicas"),
        "conditions": with_condition(old.get("conditions") or (), condition("Available", *seen, stamp)),
    }
    if old.get("collisionCount") is not None:
        status["collisionCount"] = old["collisionCount"]
    return compact(status, keep=("terminatingReplicas", "collisionCount"))


def is_complete(deployment: JSON, status: JSON) -> bool:
    """Whether the rollout is over: everything updated, available, and nothing old left."""
    replicas = deployment["spec"]["replicas"]
    return bool(
        status.get("updatedReplicas", 0) == replicas
        and status.get("replicas", 0) == replicas
        and status.get("availableReplicas", 0) == replicas
        and status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0)
    )


def _is_progressing(old: JSON, new: JSON) -> bool:
    def count(status: JSON, field: str) -> int:
        value: int = status.get(field, 0)
        return value

    def outdated(status: JSON) -> int:
        return count(status, "replicas") - count(status, "updatedReplicas")

    return outdated(new) < outdated(old) or any(
        count(new, field) > count(old, field)
        for field in ("updatedReplicas", "readyReplicas", "availableReplicas")
    )


def deadline_at(deployment: JSON, status: JSON) -> int | None:
    """When (virtual µs) the rollout counts as stuck; None when done, stuck already or without a deadline."""
    progress = find_condition(status.get("conditions") or (), "Progressing")
    if not has_deadline(deployment) or progress is None or is_complete(deployment, status):
        return None
    if progress.get("reason") in ("NewReplicaSetAvailable", "ProgressDeadlineExceeded"):
        return None
    since = parse_rfc3339(progress["lastUpdateTime"])
    return since + int(deployment["spec"]["progressDeadlineSeconds"]) * SECOND


def rollout_status(deployment: JSON, new: JSON | None, olds: Sequence[JSON], now: int, stamp: str) -> JSON:
    """The status during and after a rollout, with the Progressing and ReplicaFailure conditions."""
    status = basic_status(deployment, new, olds, stamp)
    found: list[JSON] = status["conditions"]
    if has_deadline(deployment):
        found = _progress(deployment, new, status, now, stamp)
    else:
        found = without_condition(found, "Progressing")
    failure = _replica_failure(new, olds)
    if failure is not None:
        found = with_condition(found, failure)
    else:
        found = without_condition(found, "ReplicaFailure")
    return {**status, "conditions": found}


def _progress(deployment: JSON, new: JSON | None, status: JSON, now: int, stamp: str) -> list[JSON]:
    found: list[JSON] = status["conditions"]
    current = find_condition(found, "Progressing")
    done = current is not None and current.get("reason") == "NewReplicaSetAvailable"
    if done and status.get("replicas", 0) == status.get("updatedReplicas", 0):
        return found
    name = deployment["metadata"]["name"]
    subject = f'ReplicaSet "{new["metadata"]["name"]}"' if new is not None else f'Deployment "{name}"'
    if is_complete(deployment, status):
        text = f"{subject} has successfully progressed."
        return with_condition(found, condition("Progressing", "True", "NewReplicaSetAvailable", text, stamp))
    if _is_progressing(deployment.get("status") or {}, status):
        moving = condition("Progressing", "True", "ReplicaSetUpdated", f"{subject} is progressing.", stamp)
        if current is not None and current["status"] == "True":
            moving["lastTransitionTime"] = current["lastTransitionTime"]
        # The same reason again still moves lastUpdateTime: that is what the deadline counts from.
        return [*without_condition(found, "Progressing"), moving]
    due = deadline_at(deployment, status)
    if due is not None and due < now:
        text = f"{subject} has timed out progressing."
        return with_condition(
            found, condition("Progressing", "False", "ProgressDeadlineExceeded", text, stamp)
        )
    return found


def _replica_failure(new: JSON | None, olds: Sequence[JSON]) -> JSON | None:
    for rs in (*([new] if new is not None else []), *olds):
        seen = find_condition((rs.get("status") or {}).get("conditions") or (), "ReplicaFailure")
        if seen is not None:
            failure: dict[str, Any] = {
                "type": "ReplicaFailure",
                "status": seen["status"],
                "lastUpdateTime": seen["lastTransitionTime"],
                "lastTransitionTime": seen["lastTransitionTime"],
            }
            return {**failure, "reason": seen.get("reason", ""), "message": seen.get("message", "")}
    return None


def paused_condition(deployment: JSON, stamp: str) -> JSON | None:
    """The Progressing condition that pausing or resuming calls for, if it is not there yet."""
    if not has_deadline(deployment):
        return None
    current = find_condition((deployment.get("status") or {}).get("conditions") or (), "Progressing")
    reason = current.get("reason") if current is not None else ""
    if reason == "ProgressDeadlineExceeded":
        return None
    if deployment["spec"].get("paused"):
        if reason == "DeploymentPaused":
            return None
        return condition("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused", stamp)
    if reason == "DeploymentPaused":
        return condition("Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed", stamp)
    return None
