"""What the server itself writes into metadata, on create and on update.

Models k8s.io/apiserver/pkg/registry/rest/{create,update,meta}.go.
"""

from __future__ import annotations

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.scheme import Kind

_NAMESPACE_MISMATCH = "the namespace of the provided object does not match the namespace sent on the request"


def system_fields(kind: Kind, obj: JSON, namespace: str, now: str) -> JSON:
    """The object as a create starts with it: namespace settled, system fields filled in
    (FillObjectMetaSystemFields).
    """
    meta = dict(obj.get("metadata") or {})
    given = meta.get("namespace") or ""
    if kind.namespaced:
        if not namespace:
            namespace = given
        elif given and given != namespace:
            raise errors.bad_request(_NAMESPACE_MISMATCH)
        meta["namespace"] = namespace
    elif "namespace" in meta:
        del meta["namespace"]
    for name in ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation"):
        meta.pop(name, None)
    version = meta.pop("resourceVersion", None)
    if version not in (None, "", "0"):
        # Upstream answers 500 here; the text is the same, the fault is the client's.
        raise errors.ApiError(
            errors.status_failure(400, "", "resourceVersion should not be set on objects to be created")
        )
    meta["creationTimestamp"] = now
    return {**obj, "apiVersion": kind.api_version, "kind": kind.kind, "metadata": meta}


def require_name(kind: Kind, obj: JSON) -> None:
    """Refuse an object that has neither name nor generateName."""
    if not obj["metadata"].get("name"):
        problem = errors.required("metadata.name", "name or generateName is required")
        raise errors.invalid(kind.group, kind.kind, "", [problem])


def carried_over(kind: Kind, obj: JSON, old: JSON) -> JSON:
    """The object of an update with the fields that no update can change taken from the stored one."""
    meta = obj.get("metadata") or {}
    old_meta = old["metadata"]
    if meta is old_meta:
        return obj
    fixed = dict(meta)
    given = fixed.get("namespace") or ""
    if kind.namespaced:
        if given and given != old_meta.get("namespace"):
            raise errors.bad_request(_NAMESPACE_MISMATCH)
        fixed["namespace"] = old_meta["namespace"]
    else:
        fixed.pop("namespace", None)
    if not fixed.get("name"):
        fixed["name"] = old_meta["name"]
    if not fixed.get("uid"):
        fixed["uid"] = old_meta["uid"]
    fixed.pop("selfLink", None)
    for name in ("creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds"):
        if name in old_meta:
            fixed[name] = old_meta[name]
        elif name in fixed:
            del fixed[name]
    fixed["resourceVersion"] = old_meta["resourceVersion"]
    return {**obj, "apiVersion": kind.api_version, "kind": kind.kind, "metadata": fixed}


def readable_managed_fields(obj: JSON) -> JSON:
    """The object without managedFields that nobody can read; what is stored then stays (DecodeManagedFields)."""
    meta = obj.get("metadata") or {}
    sent = meta.get("managedFields")
    if not sent or all(_is_field_set(entry.get("fieldsV1") or {}) for entry in sent):
        return obj
    return {**obj, "metadata": {name: value for name, value in meta.items() if name != "managedFields"}}


def _is_field_set(value: object) -> bool:
    return isinstance(value, dict) and all(_is_field_set(item) for item in value.values())


def check_preconditions(kind: Kind, obj: JSON, old: JSON, unconditional: bool, with_uid: bool = True) -> None:
    """The resourceVersion that the caller holds must be the stored one, and the uid.

    A patch has no uid to hold (``with_uid``): one that changes it is refused as any immutable field.
    """
    meta = obj.get("metadata") or {}
    old_meta = old["metadata"]
    if meta is old_meta:
        return
    uid = meta.get("uid")
    resource, name = kind.group_resource, old_meta["name"]
    if with_uid and uid and uid != old_meta["uid"]:
        key = f"{old_meta['namespace']}/{name}" if kind.namespaced else name
        raise errors.conflict(
            resource,
            name,
            f"StorageError: invalid object, Code: 4, Key: /registry/{kind.resource}/{key}, "
            "ResourceVersion: 0, "
            f"AdditionalErrorMsg: Precondition failed: UID in precondition: {uid}, "
            f"UID in object meta: {old_meta['uid']}",
        )
    version = meta.get("resourceVersion")
    if version in (None, "", "0"):
        if not unconditional:
            problem = errors.invalid_value("metadata.resourceVersion", 0, "must be specified for an update")
            raise errors.invalid(kind.group, kind.resource, name, [problem])
    elif version != old_meta["resourceVersion"]:
        raise errors.conflict(resource, name)
