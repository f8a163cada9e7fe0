"""Deciding what a delete does: at once, gracefully, or when the finalizers are gone.

Pure functions. Models k8s.io/apiserver/pkg/registry/rest/delete.go and the delete half of
k8s.io/apiserver/pkg/registry/generic/registry/store.go.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON, get
from cluster_engine.apimachinery.scheme import Kind
from cluster_engine.sim import SECOND, parse_rfc3339, rfc3339

ORPHAN = "orphan"
FOREGROUND = "foregroundDeletion"
_LONGEST = 1 << 31  # seconds; more than any clock here can show
_POLICIES = ("Foreground", "Background", "Orphan")


class Decision(NamedTuple):
    """`action`: "keep" (nothing to write), "update" (write `obj`), "delete" (now), "both" (write,
    then delete).
    """

    action: Literal["keep", "update", "delete", "both"]
    obj: JSON


def check_options(options: JSON) -> None:
    """Refuse DeleteOptions that contradict themselves (ValidateDeleteOptions)."""
    problems = []
    policy = options.get("propagationPolicy")
    if policy is not None and options.get("orphanDependents") is not None:
        problems.append(
            errors.invalid_value(
                "propagationPolicy", policy, "orphanDependents and deletionPropagation cannot be both set"
            )
        )
    if policy is not None and policy not in _POLICIES:
        problems.append(errors.not_supported("propagationPolicy", policy, (*_POLICIES, "nil")))
    if problems:
        raise errors.invalid("meta.k8s.io", "DeleteOptions", "", problems)


def check_preconditions(kind: Kind, obj: JSON, options: JSON) -> None:
    """The uid and resourceVersion of the options must be the stored ones."""
    wanted = options.get("preconditions") or {}
    meta = obj["metadata"]
    uid, version = wanted.get("uid"), wanted.get("resourceVersion")
    if uid and uid != meta["uid"]:
        raise errors.conflict(
            kind.group_resource,
            meta["name"],
            f"the UID in the precondition ({uid}) does not match the UID in record ({meta['uid']}). "
            "The object might have been deleted and then recreated",
        )
    if version and version != meta["resourceVersion"]:
        raise errors.conflict(
            kind.group_resource,
            meta["name"],
            f"the ResourceVersion in the precondition ({version}) does not match the "
            "ResourceVersion in record "
            f"({meta['resourceVersion']}). The object might have been modified",
        )


def decide(kind: Kind, obj: JSON, options: JSON, now: int) -> Decision:
    """What deleting `obj` with these DeleteOptions means at virtual time `now`."""
    if kind.group_resource == "namespaces":
        return _namespace(obj, now)
    graceful, pending, changed = _grace(kind, obj, options, now)
    if pending:
        return Decision("keep", obj)
    finalizers = _finalizers(changed, options)
    if finalizers is not None:
        changed = _with(changed, finalizers=finalizers or None)
    held = bool(changed["metadata"].get("finalizers"))
    if graceful:
        if held or changed["metadata"]["deletionGracePeriodSeconds"] > 0:
            return Decision("update", changed)
        return Decision("both", changed)
    if held:
        marked = _mark_deleting(changed, now)
        return Decision("keep" if marked is obj else "update", marked)
    if finalizers is not None:
        return Decision("both", changed)
    return Decision("delete", obj)


def finished(new: JSON, old: JSON) -> bool:
    """Whether an update takes away the last thing that held a deleted object (ShouldDeleteDuringUpdate)."""
    meta = new["metadata"]
    if not meta.get("deletionTimestamp") or meta.get("finalizers"):
        return False
    if (meta.get("deletionGracePeriodSeconds") or 0) > 0:
        return False
    if new["kind"] == "Namespace" and new["apiVersion"] == "v1":
        return not get(new, "spec", "finalizers")
    return bool(old["metadata"].get("finalizers"))


def _with(obj: JSON, **fields: object) -> JSON:
    meta = {**obj["metadata"], **fields}
    return {**obj, "metadata": {name: value for name, value in meta.items() if value is not None}}


def _grace(kind: Kind, obj: JSON, options: JSON, now: int) -> tuple[bool, bool, JSON]:
    """(graceful, nothing left to do, object) as rest.BeforeDelete."""
    if kind.grace is None:
        return False, False, obj
    meta = obj["metadata"]
    asked = options.get("gracePeriodSeconds")
    if meta.get("deletionTimestamp"):
        given = meta.get("deletionGracePeriodSeconds")
        if given is None:
            return False, False, obj
        if asked is None or asked >= given:
            return False, True, obj
        # Only a shorter grace may follow: the end moves, its start does not.
        period = _period(kind, obj, asked)
        started = parse_rfc3339(meta["deletionTimestamp"]) - given * SECOND
        return (
            True,
            False,
            _with(
                obj, deletionTimestamp=rfc3339(started + period * SECOND), deletionGracePeriodSeconds=period
            ),
        )
    period = _period(kind, obj, asked)
    generation = meta.get("generation")
    return (
        True,
        False,
        _with(
            obj,
            deletionTimestamp=rfc3339(now + period * SECOND),
            deletionGracePeriodSeconds=period,
            generation=generation + 1 if generation else generation,
        ),
    )


def _period(kind: Kind, obj: JSON, asked: int | None) -> int:
    """Seconds of grace (podStrategy.CheckGracefulDelete)."""
    assert kind.grace is not None
    if not get(obj, "spec", "nodeName") or get(obj, "status", "phase") in ("Failed", "Succeeded"):
        return 0
    period = kind.grace(obj) if asked is None else asked
    return 1 if period < 0 else min(period, _LONGEST)


def _finalizers(obj: JSON, options: JSON) -> list[str] | None:
    """The new finalizers, or None when the garbage collector's two stay as they are."""
    old = obj["metadata"].get("finalizers") or []
    orphan_dependents = options.get("orphanDependents")
    policy = options.get("propagationPolicy")
    if orphan_dependents is not None:
        orphan, foreground = bool(orphan_dependents), False
    elif policy is not None:
        orphan, foreground = policy == "Orphan", policy == "Foreground"
    else:
        first = next((f for f in old if f in (ORPHAN, FOREGROUND)), "")
        orphan, foreground = first == ORPHAN, first == FOREGROUND
    new = [f for f in old if f not in (ORPHAN, FOREGROUND)]
    if orphan:
        new.append(ORPHAN)
    if foreground:
        new.append(FOREGROUND)
    return None if sorted(new) == sorted(old) else new


def _mark_deleting(obj: JSON, now: int) -> JSON:
    """Kinds without grace that finalizers hold (markAsDeleting)."""
    meta = obj["metadata"]
    stamp = meta.get("deletionTimestamp")
    fields: dict[str, object] = {}
    if not stamp:
        if meta.get("generation"):
            fields["generation"] = meta["generation"] + 1
        fields["deletionTimestamp"] = rfc3339(now)
    if meta.get("deletionGracePeriodSeconds") != 0:
        fields["deletionGracePeriodSeconds"] = 0
    return _with(obj, **fields) if fields else obj


def _namespace(obj: JSON, now: int) -> Decision:
    """Namespaces end when their spec.finalizers are gone (pkg/registry/core/namespace/storage)."""
    if not obj["metadata"].get("deletionTimestamp"):
        marked = _with(obj, deletionTimestamp=rfc3339(now))
        marked = {**marked, "status": {**(obj.get("status") or {}), "phase": "Terminating"}}
        held = get(obj, "spec", "finalizers") or obj["metadata"].get("finalizers")
        return Decision("update" if held else "both", marked)
    if get(obj, "spec", "finalizers") or obj["metadata"].get("finalizers"):
        return Decision("keep", obj)
    return Decision("delete", obj)
