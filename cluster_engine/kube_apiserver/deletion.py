"""Deciding what a delete does: at once, gracefully, or when the finalizers are gone.

Pure functions. Models k8s.io/apiserver/pkg/registry/rest/delete.go and the delete half of
k8s.io/apiserver/pkg/registry/generic/registry/store.go.
"""

from __future__ import annotations

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON, with_meta
from cluster_engine.apimachinery.scheme import Deletion, Kind
from cluster_engine.sim import SECOND, parse_rfc3339, rfc3339

ORPHAN = "orphan"
FOREGROUND = "foregroundDeletion"
_LONGEST = 1 << 31  # seconds; more than any clock here can show
_POLICIES = ("Foreground", "Background", "Orphan")


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


def warnings(kind: Kind, options: JSON) -> list[str]:
    """What is told of a delete of that kind with these options."""
    said = options.get("propagationPolicy") is not None or options.get("orphanDependents") is not None
    return [kind.orphans] if kind.orphans and not said else []


def check_preconditions(kind: Kind, obj: JSON, options: JSON) -> None:
    """The uid and resourceVersion of the options must be the stored ones."""
    wanted = options.get("preconditions") or {}
    meta = obj["metadata"]
    uid, version = wanted.get("uid"), wanted.get("resourceVersion")
    named = f"{kind.kind}.{kind.group}" if kind.group else kind.kind  # BeforeDelete has no resource's name
    if uid and uid != meta["uid"]:
        raise errors.conflict(
            named,
            meta["name"],
            f"the UID in the precondition ({uid}) does not match the UID in record ({meta['uid']}). "
            "The object might have been deleted and then recreated",
        )
    if version and version != meta["resourceVersion"]:
        raise errors.conflict(
            named,
            meta["name"],
            f"the ResourceVersion in the precondition ({version}) does not match the "
            "ResourceVersion in record "
            f"({meta['resourceVersion']}). The object might have been modified",
        )


def decide(kind: Kind, obj: JSON, options: JSON, now: int) -> Deletion:
    """What deleting `obj` with these DeleteOptions means at virtual time `now`."""
    if kind.delete is not None:
        return kind.delete(obj, now)
    graceful, pending, changed = _grace(kind, obj, options, now)
    if pending:
        return Deletion("keep", obj)
    finalizers = _finalizers(kind, changed, options)
    if finalizers is not None:
        changed = with_meta(changed, finalizers=finalizers or None)
    held = bool(changed["metadata"].get("finalizers"))
    if graceful:
        if held or changed["metadata"]["deletionGracePeriodSeconds"] > 0:
            return Deletion("update", changed)
        return Deletion("both", changed)
    if held:
        marked = _mark_deleting(changed, now)
        return Deletion("keep" if marked is obj else "update", marked)
    if finalizers is not None:
        return Deletion("both", changed)
    return Deletion("delete", obj)


def finished(kind: Kind, new: JSON, old: JSON) -> bool:
    """Whether an update takes away the last thing that held a deleted object (ShouldDeleteDuringUpdate)."""
    meta = new["metadata"]
    if not meta.get("deletionTimestamp") or meta.get("finalizers"):
        return False
    if (meta.get("deletionGracePeriodSeconds") or 0) > 0:
        return False
    if kind.held is not None:
        return not kind.held(new)
    return bool(old["metadata"].get("finalizers"))


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
        period = min(kind.grace(obj, asked), _LONGEST)
        started = parse_rfc3339(meta["deletionTimestamp"]) - given * SECOND
        return (
            True,
            False,
            with_meta(
                obj, deletionTimestamp=rfc3339(started + period * SECOND), deletionGracePeriodSeconds=period
            ),
        )
    period = min(kind.grace(obj, asked), _LONGEST)
    generation = meta.get("generation")
    return (
        True,
        False,
        with_meta(
            obj,
            deletionTimestamp=rfc3339(now + period * SECOND),
            deletionGracePeriodSeconds=period,
            generation=generation + 1 if generation else generation,
        ),
    )


def _finalizers(kind: Kind, obj: JSON, options: JSON) -> list[str] | None:
    """The new finalizers, or None when the garbage collector's two stay as they are."""
    old = obj["metadata"].get("finalizers") or []
    orphan_dependents = options.get("orphanDependents")
    policy = options.get("propagationPolicy")
    if orphan_dependents is not None:
        orphan, foreground = bool(orphan_dependents), False
    elif policy is not None:
        orphan, foreground = policy == "Orphan", policy == "Foreground"
    else:
        first = next((f for f in old if f in (ORPHAN, FOREGROUND)), ORPHAN if kind.orphans else "")
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
    return with_meta(obj, **fields) if fields else obj


def answer(kind: Kind, obj: JSON) -> JSON:
    """What a delete that is done answers: the object, or a Status that names it."""
    if kind.returns_deleted:
        return obj
    details: JSON = {"name": obj["metadata"]["name"]}
    if kind.group:
        details["group"] = kind.group
    details["kind"] = kind.resource
    details["uid"] = obj["metadata"]["uid"]
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
