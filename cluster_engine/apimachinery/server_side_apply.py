"""Server-side apply: a configuration merged into an object, conflicts told, what is applied no more pruned.

Models k8s.io/apimachinery/pkg/util/managedfields and sigs.k8s.io/structured-merge-diff/merge.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import apply_conflict, bad_request
from cluster_engine.apimachinery.field_sets import (
    EMPTY,
    Set,
    difference,
    intersection,
    paths,
    union,
    with_named_fields,
)
from cluster_engine.apimachinery.managed_fields import (
    STRIPPED,
    Changes,
    Forms,
    ManagedFieldsEntry,
    Versions,
    identity_of,
    intern,
    new_entry,
    order_of,
    strip,
    update,
    usable,
    with_entries,
    without_changed,
)
from cluster_engine.apimachinery.schema import Struct
from cluster_engine.apimachinery.typed import compare, merge, problems, remove, to_set

BEFORE_FIRST_APPLY = "before-first-apply"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_ANNOTATION_LIMIT = 256 * 1024


def _printed(entry: ManagedFieldsEntry) -> str:
    text = orjson.dumps(entry.get("manager", "")).decode()
    if entry.get("subresource"):
        text += f' with subresource "{entry["subresource"]}"'
    if entry.get("operation") == "Update":
        text += f" using {entry.get('apiVersion', '')}"
    return text


def _raise_conflicts(conflicts: list[tuple[ManagedFieldsEntry, Set]]) -> None:
    listed = [(_printed(entry), path) for entry, fields in conflicts for path in paths(fields)]
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {who}", "field": path}
        for who, path in listed
    ]
    if len(listed) == 1:
        who, path = listed[0]
        raise apply_conflict(f"Apply failed with 1 conflict: conflict with {who}: {path}", causes)
    lines: list[str] = []
    for who in sorted({who for who, _ in listed}):
        lines.append(f"conflicts with {who}:")
        lines.extend(f"- {path}" for other, path in listed if other == who)
    raise apply_conflict(f"Apply failed with {len(listed)} conflicts: " + "\n".join(lines), causes)


def _pruned(
    versions: Versions, version: str, merged: JSON, claims: Mapping[str, Set], last: ManagedFieldsEntry | None
) -> JSON:
    """``merged`` without what this manager applied last time, does not apply now, and nobody else owns.

    ``claims`` are what all managers own now, by their versions (Updater.prune of structured-merge-diff).
    """
    lately = (last or {}).get("fieldsV1") or EMPTY
    since = (last or {}).get("apiVersion") or version
    schema = versions.schema(since)
    if not lately or schema is None:
        return merged
    lately = with_named_fields(lately, schema)
    whole = versions.convert(merged, since)
    left: JSON = remove(schema, whole, lately) or {}
    for at in sorted(claims, key=lambda known: known != since):
        there = versions.schema(at)
        if there is not None:
            left = _added_back(there, versions.convert(merged, at), versions.convert(left, at), claims[at])
    everything = with_named_fields(to_set(schema, whole), schema)
    kept = _named(schema, versions.convert(left, since))
    gone = intersection(difference(everything, kept), lately)
    result: JSON = remove(schema, whole, gone) or {}
    return versions.convert(result, version)


def _added_back(schema: Struct, merged: JSON, left: JSON, claimed: Set) -> JSON:
    """What is ``left``, and of ``merged`` what is claimed."""
    everything = with_named_fields(to_set(schema, merged), schema)
    kept = union(_named(schema, left), with_named_fields(claimed, schema))
    result: JSON = remove(schema, merged, difference(everything, kept)) or {}
    return result


def _named(schema: Struct, obj: JSON) -> Set:
    return with_named_fields(to_set(schema, obj) if obj else EMPTY, schema)


def _bare(obj: JSON) -> JSON:
    """The object without managedFields."""
    meta = obj.get("metadata") or {}
    if "managedFields" not in meta:
        return obj
    return {**obj, "metadata": {name: value for name, value in meta.items() if name != "managedFields"}}


def apply(
    live: JSON | None,
    applied: JSON,
    *,
    manager: str,
    force: bool,
    schema: Struct,
    time: str,
    subresource: str = "",
    reset: tuple[str, ...] = (),
    forms: Forms | None = None,
) -> JSON:
    """Server-side apply: the merged object with its managedFields; ``live`` itself when nothing changed
    at all. ``live``, ``applied`` and ``schema`` are of one version; ``forms`` knows the others.

    ``applied`` is the configuration as it was sent (not decoded: a field that decoding adds would be owned).
    Raises the 409 that names every conflict unless ``force``, and 400 for a field that the type does not
    have or an item that comes twice. Decoding the result, defaults, strategy and validation come after.
    """
    version = applied["apiVersion"]
    entries: list[ManagedFieldsEntry] = []
    before: JSON
    if live is None:
        before = {"apiVersion": version, "kind": applied["kind"], "metadata": {}}
    else:
        listed = live["metadata"].get("managedFields") or []
        entries = listed if usable(listed) else []
        before = _bare(live)
        if not entries:
            tracked = update(None, before, manager=BEFORE_FIRST_APPLY, schema=schema, time=time, reset=reset)
            entries = tracked["metadata"].get("managedFields") or []
    mine = (manager, "Apply", "", subresource)
    last: ManagedFieldsEntry | None = None
    rest: list[ManagedFieldsEntry] = []
    for entry in entries:
        if identity_of(entry) == mine:
            last = entry
        else:
            rest.append(entry)
    given = applied.get("metadata")
    if not isinstance(given, dict):
        raise bad_request("metadata is not an object")
    if given.get("managedFields"):
        raise bad_request("metadata.managedFields must be nil")
    config = _bare(applied)
    _check_fits(schema, config)
    fields = intern(strip(to_set(schema, config), reset) or EMPTY)
    merged = merge(schema, before, config)
    versions = Versions(schema, version, forms)
    claims = {version: fields}
    for entry in rest:
        theirs = version if forms is None else entry["apiVersion"]
        claims[theirs] = union(claims.get(theirs) or EMPTY, entry.get("fieldsV1") or EMPTY)
    merged = _pruned(versions, version, merged, claims, last)
    merged = _keep_identity(merged, before)
    changes = Changes(versions, before, merged, reset)
    changed, removed = changes.of(version) or (None, None)
    seen: list[tuple[ManagedFieldsEntry, Set | None, Set | None]] = []
    for entry in rest:
        found = changes.of(version if forms is None else entry["apiVersion"])
        if found is not None:  # else a version that is served no more
            seen.append((entry, *found))
    taken = [
        (entry, conflict)
        for entry, their_changed, _removed in seen
        if their_changed is not None
        and (conflict := intersection(entry.get("fieldsV1") or EMPTY, their_changed))
    ]
    if taken and not force and not _all_from_client_side_apply(taken, live, manager, schema):
        _raise_conflicts(_not_from_client_side_apply(taken, live, manager, schema))
    kept: list[ManagedFieldsEntry] = []
    for entry, their_changed, their_removed in seen:
        owned = entry.get("fieldsV1") or EMPTY
        left = without_changed(owned, their_changed, their_removed)
        if left is owned:
            kept.append(entry)
        elif left:
            kept.append({**entry, "fieldsV1": left})
    same_claim = last is not None and last.get("fieldsV1") == fields and last.get("apiVersion") == version
    unchanged = changed is None and removed is None
    if live is not None and unchanged and same_claim and entries is live["metadata"].get("managedFields"):
        return live
    if fields:
        when = last.get("time") if last is not None and unchanged else time
        kept.append(new_entry(manager, "Apply", version, when, fields, subresource))
    kept.sort(key=order_of)
    return with_entries(_with_last_applied(merged, applied, manager), kept)


def _check_fits(schema: Struct, config: JSON) -> None:
    texts = problems(schema, config)
    if not texts:
        return
    meta = config.get("metadata") or {}
    group, slash, version = config["apiVersion"].rpartition("/")
    name = f"{meta.get('namespace', '')}/{meta.get('name', '')}"
    told = texts[0] if len(texts) == 1 else "errors:" + "".join(f"\n  {text}" for text in texts)
    where = f"{name}; {group}{slash or '/'}{version}, Kind={config['kind']}"
    raise bad_request(f"failed to create typed patch object ({where}): {told}")


def _keep_identity(merged: JSON, before: JSON) -> JSON:
    """Pruning never takes what nobody owns: name, uid, versions."""
    meta, was = merged.get("metadata") or {}, before.get("metadata") or {}
    missing = {name: value for name, value in was.items() if name in STRIPPED and name not in meta}
    if not missing and "metadata" in merged and "apiVersion" in merged and "kind" in merged:
        return merged
    head: JSON = {name: before[name] for name in ("apiVersion", "kind") if name in before}
    return {**head, **merged, "metadata": {**missing, **meta}}


# Objects that were made by client-side apply and are now applied by kubectl on the server side.


def _last_applied_set(live: JSON | None, manager: str, schema: Struct) -> Set:
    if live is None or manager != "kubectl":
        return EMPTY
    text = (live["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    if not text:
        return EMPTY
    try:
        config = orjson.loads(text)
    except orjson.JSONDecodeError:
        return EMPTY
    if not isinstance(config, dict) or config.get("apiVersion") != live.get("apiVersion"):
        return EMPTY
    # What was changed since is not excused.
    owned: Set = to_set(schema, config) or EMPTY
    for changed in compare(schema, config, _bare(live)):
        if changed is not None:
            owned = difference(owned, changed)
    return owned


def _not_from_client_side_apply(
    taken: list[tuple[ManagedFieldsEntry, Set]], live: JSON | None, manager: str, schema: Struct
) -> list[tuple[ManagedFieldsEntry, Set]]:
    allowed = _last_applied_set(live, manager, schema)
    left = [(entry, difference(fields, allowed)) for entry, fields in taken]
    return [(entry, fields) for entry, fields in left if fields]


def _all_from_client_side_apply(
    taken: list[tuple[ManagedFieldsEntry, Set]], live: JSON | None, manager: str, schema: Struct
) -> bool:
    return not _not_from_client_side_apply(taken, live, manager, schema)


def _with_last_applied(merged: JSON, applied: JSON, manager: str) -> JSON:
    """Keeps kubectl's annotation current where it exists, so that client-side apply still works
    afterwards."""
    meta: JSON = merged["metadata"]
    annotations: dict[str, Any] = meta.get("annotations") or {}
    if manager != "kubectl" or not annotations.get(LAST_APPLIED):
        return merged
    config_meta = dict(applied.get("metadata") or {})
    own = {
        name: value for name, value in (config_meta.get("annotations") or {}).items() if name != LAST_APPLIED
    }
    config_meta.pop("managedFields", None)
    config_meta.pop("annotations", None)
    if own:
        config_meta["annotations"] = own
    text = orjson.dumps({**applied, "metadata": config_meta}, option=orjson.OPT_SORT_KEYS).decode() + "\n"
    if sum(len(k) + len(str(v)) for k, v in {**annotations, LAST_APPLIED: text}.items()) > _ANNOTATION_LIMIT:
        text = ""
    return {**merged, "metadata": {**meta, "annotations": {**annotations, LAST_APPLIED: text}}}
