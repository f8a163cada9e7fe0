"""What a StatefulSet decides: who its Pods are, which comes or goes next, its status.

Pure functions. Models pkg/controller/statefulset (stateful_set_control.go, stateful_set_utils.go).
"""

from __future__ import annotations

from typing import NamedTuple

import orjson

from cluster_engine.apimachinery.cow import JSON, compact, owner_reference
from cluster_engine.component_helpers.pod_phase import is_finished

from .deployment_rules import int_or_percent
from .hashing import safe_hash
from .pods import is_pod_available, is_pod_ready, pod_from_template

REVISION_LABEL = "controller-revision-hash"
NAME_LABEL = "statefulset.kubernetes.io/pod-name"
INDEX_LABEL = "apps.kubernetes.io/pod-index"


class Steps(NamedTuple):
    """What to do now: ordinals to make a Pod of, Pods to delete, failed Pods among them to tell of."""

    create: list[int]
    delete: list[JSON]
    failed: list[JSON]


# ---- who they are ----------------------------------------------------------------------------------------


def ordinal(stateful_set: JSON, pod: JSON) -> int:
    """The Pod's number, -1 for one that is not named after the set."""
    parent, _, number = pod["metadata"]["name"].rpartition("-")
    is_number = number.isascii() and number.isdigit() and len(number) < 11
    return int(number) if is_number and parent == stateful_set["metadata"]["name"] else -1


def ordinals(stateful_set: JSON) -> range:
    """The numbers that are wanted."""
    start = (stateful_set["spec"].get("ordinals") or {}).get("start") or 0
    return range(start, start + stateful_set["spec"]["replicas"])


def revision(pod: JSON) -> str:
    """The name of the revision that the Pod was made of."""
    return str((pod["metadata"].get("labels") or {}).get(REVISION_LABEL, ""))


def pod_of(stateful_set: JSON, template: JSON, number: int, revision_name: str) -> JSON:
    """The Pod of that number: its name, its host name, and the labels that say so."""
    name = f"{stateful_set['metadata']['name']}-{number}"
    pod = pod_from_template(template, stateful_set, name=name)
    labels = {
        **(pod["metadata"].get("labels") or {}),
        NAME_LABEL: name,
        INDEX_LABEL: str(number),
        REVISION_LABEL: revision_name,
    }
    spec = {**pod["spec"], "hostname": name}
    claimed = {_named(claim): claim_name(stateful_set, claim, number) for claim in claims(stateful_set)}
    if claimed:
        kept = [volume for volume in spec.get("volumes") or () if volume["name"] not in claimed]
        own = [{"name": n, "persistentVolumeClaim": {"claimName": full}} for n, full in claimed.items()]
        spec["volumes"] = [*own, *kept]
    if stateful_set["spec"].get("serviceName"):
        spec["subdomain"] = stateful_set["spec"]["serviceName"]
    return {**pod, "metadata": {**pod["metadata"], "labels": labels}, "spec": spec}


# ---- claims ----------------------------------------------------------------------------------------------


def claims(stateful_set: JSON) -> list[JSON]:
    """The templates of each Pod's claims."""
    return stateful_set["spec"].get("volumeClaimTemplates") or []


def _named(template: JSON) -> str:
    """The template's name. Nothing checks that it has one; without, its claims' names are refused."""
    name: str = (template.get("metadata") or {}).get("name") or ""
    return name


def claim_name(stateful_set: JSON, template: JSON, number: int) -> str:
    """The claim of that number's Pod."""
    return f"{_named(template)}-{stateful_set['metadata']['name']}-{number}"


def claim_of(stateful_set: JSON, template: JSON, number: int) -> JSON:
    """A claim as it is made (getPersistentVolumeClaims)."""
    given = template.get("metadata") or {}
    labels = {**(given.get("labels") or {}), **(stateful_set["spec"]["selector"].get("matchLabels") or {})}
    meta: JSON = {
        "name": claim_name(stateful_set, template, number),
        "namespace": stateful_set["metadata"]["namespace"],
    }
    if labels:
        meta["labels"] = labels
    if given.get("annotations"):
        meta["annotations"] = given["annotations"]
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": template["spec"]}


def claim_owners(stateful_set: JSON, claim: JSON, pod: JSON | None, number: int) -> list[JSON]:
    """Whose end is the claim's, by the retention policy (updateClaimOwnerRefForSetAndPod).

    The set's own reference is there while its deletion shall take the claims along, the Pod's while the Pod goes
    because the set became smaller.
    """
    policy = stateful_set["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
    set_meta = stateful_set["metadata"]
    pod_name = f"{set_meta['name']}-{number}"
    kept = [
        reference
        for reference in claim["metadata"].get("ownerReferences") or ()
        if (reference["kind"], reference["name"])
        not in (("StatefulSet", set_meta["name"]), ("Pod", pod_name))
    ]
    condemned = number not in ordinals(stateful_set)
    if policy.get("whenScaled") == "Delete" and condemned:
        return [*kept, owner_reference(pod, controller=False)] if pod is not None else kept
    if policy.get("whenDeleted") == "Delete":
        return [*kept, owner_reference(stateful_set, controller=False)]
    return kept


# ---- revisions -------------------------------------------------------------------------------------------


def revision_of(stateful_set: JSON, number: int) -> JSON:
    """The ControllerRevision of the present template."""
    template = stateful_set["spec"]["template"]
    hash = safe_hash(orjson.dumps(template, option=orjson.OPT_SORT_KEYS))
    meta = stateful_set["metadata"]
    labels = {**((template.get("metadata") or {}).get("labels") or {}), REVISION_LABEL: hash}
    made: JSON = {
        "name": f"{meta['name']}-{hash}",
        "namespace": meta["namespace"],
        "labels": labels,
        "ownerReferences": [owner_reference(stateful_set)],
    }
    if meta.get("annotations"):
        made["annotations"] = meta["annotations"]
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": made,
        "data": {"spec": {"template": {**template, "$patch": "replace"}}},
        "revision": number,
    }


def template_of(found: JSON) -> JSON:
    """The template that a revision remembers."""
    template = found["data"]["spec"]["template"]
    return {name: value for name, value in template.items() if name != "$patch"}


def wants_current(stateful_set: JSON, number: int) -> bool:
    """Whether a new Pod of that number is made of the current revision, not of the update's."""
    strategy = stateful_set["spec"]["updateStrategy"]
    if strategy["type"] != "RollingUpdate":
        return False
    begin, rolling = ordinals(stateful_set).start, strategy.get("rollingUpdate")
    if rolling is None:
        return number < begin + ((stateful_set.get("status") or {}).get("currentReplicas") or 0)
    return bool(number < begin + (rolling.get("partition") or 0))


# ---- what is next ----------------------------------------------------------------------------------------


def _is_going(pod: JSON) -> bool:
    return bool(pod["metadata"].get("deletionTimestamp"))


def _is_healthy(pod: JSON) -> bool:
    running = (pod.get("status") or {}).get("phase") == "Running"
    return running and is_pod_ready(pod) and not _is_going(pod)


def next_steps(stateful_set: JSON, pods: list[JSON], update: str, now: int) -> Steps:
    """One Pod after the other, or all at once with podManagementPolicy Parallel (updateStatefulSet)."""
    spec = stateful_set["spec"]
    in_turn = spec["podManagementPolicy"] != "Parallel"
    least = spec.get("minReadySeconds") or 0
    wanted = ordinals(stateful_set)
    by_number = {ordinal(stateful_set, pod): pod for pod in pods}
    steps = Steps([], [], [])
    for number in wanted:
        pod = by_number.get(number)
        if pod is None:
            steps.create.append(number)
        elif is_finished(pod) and not _is_going(pod):
            steps.delete.append(pod)
            steps.failed.append(pod)
        elif in_turn and not (_is_healthy(pod) and is_pod_available(pod, least, now)):
            return steps
        if in_turn and (steps.create or steps.delete):
            return steps
    condemned = sorted(number for number in by_number if number not in wanted and number >= 0)
    sick = [n for n in [*wanted, *condemned] if n in by_number and not _is_healthy(by_number[n])]
    for number in reversed(condemned):
        pod = by_number[number]
        if _is_going(pod):
            if in_turn:
                return steps
            continue
        if in_turn and not _is_healthy(pod) and number != sick[0]:
            return steps
        steps.delete.append(pod)
        if in_turn:
            return steps
    if spec["updateStrategy"]["type"] == "OnDelete" or steps.create or steps.delete:
        return steps
    steps.delete.extend(_roll(stateful_set, by_number, update, now))
    return steps


def _roll(stateful_set: JSON, by_number: dict[int, JSON], update: str, now: int) -> list[JSON]:
    """The old Pods that may go now, the highest number first, within maxUnavailable."""
    spec, wanted = stateful_set["spec"], ordinals(stateful_set)
    rolling = spec["updateStrategy"].get("rollingUpdate") or {}
    most = int_or_percent(rolling.get("maxUnavailable", 1), spec["replicas"], False) or 1
    least = spec.get("minReadySeconds") or 0
    here = [by_number[number] for number in wanted if number in by_number]
    down = sum(not (_is_healthy(pod) and is_pod_available(pod, least, now)) for pod in here)
    lowest = wanted.start + (rolling.get("partition") or 0)
    old = [
        pod
        for pod in reversed(here)
        if ordinal(stateful_set, pod) >= lowest and revision(pod) != update and not _is_going(pod)
    ]
    return old[: max(0, most - down)]


# ---- status ----------------------------------------------------------------------------------------------


def status(stateful_set: JSON, pods: list[JSON], current: str, update: str, now: int) -> JSON:
    """The counts; when all Pods are of the update's revision, it becomes the current one."""
    spec, old = stateful_set["spec"], stateful_set.get("status") or {}
    least = spec.get("minReadySeconds") or 0
    healthy = [p for p in pods if (p.get("status") or {}).get("phase") == "Running" and is_pod_ready(p)]
    staying = [pod for pod in pods if not _is_going(pod)]
    updated = sum(revision(pod) == update for pod in staying)
    kept = sum(revision(pod) == current for pod in staying)
    done = spec["replicas"] == updated == len(pods) == len(healthy)
    if spec["updateStrategy"]["type"] == "RollingUpdate" and done:
        current, kept = update, updated
    made: JSON = {
        "observedGeneration": stateful_set["metadata"].get("generation", 0),
        "replicas": len(pods),
        "readyReplicas": len(healthy),
        "availableReplicas": sum(is_pod_available(pod, least, now) for pod in healthy),
        "currentReplicas": kept,
        "updatedReplicas": updated,
        "currentRevision": current,
        "updateRevision": update,
        "collisionCount": old.get("collisionCount") or 0,
    }
    return compact(made, keep=("replicas", "availableReplicas", "collisionCount"))
