"""Who owns which field: metadata.managedFields of updates, and server-side apply.

Entries are kept as they are printed, so reading and writing them costs nothing; their field sets are
interned, so a thousand Pods of one template share one set.

Models k8s.io/apimachinery/pkg/util/managedfields and sigs.k8s.io/structured-merge-diff/merge.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import orjson

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import apply_conflict, bad_request
from cluster_engine.apimachinery.field_sets import (
    EMPTY,
    LEAF,
    SELF,
    Set,
    difference,
    from_paths,
    in_order,
    intersection,
    paths,
    union,
    with_named_fields,
    without_subtrees,
)
from cluster_engine.apimachinery.schema import Struct
from cluster_engine.apimachinery.typed import compare_struct, merge, remove, to_set, undeclared

MAX_UPDATE_MANAGERS = 10
"""Entries of updates that are kept apart; the oldest beyond it become ``ancient-changes``."""
ANCIENT = "ancient-changes"
BEFORE_FIRST_APPLY = "before-first-apply"
MAX_MANAGER_LENGTH = 128
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_ANNOTATION_LIMIT = 256 * 1024

_STRIPPED = frozenset(
    (
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "clusterName",
        "generation",
        "managedFields",
        "resourceVersion",
    )
)
_INTERN_LIMIT = 2048
_interned: dict[bytes, Set] = {}
"""Printed form → the one set of that form. Content decides alone, so sharing it between clusters changes
nothing."""
_MEMO_LIMIT = 4096
_memo: dict[tuple[int, int, int], tuple[Set, Set | None, Set | None, Set]] = {}

Entry = JSON


def _sorted(found: Set) -> Set:
    if not found:
        return found
    out = {name: _sorted(item) if item else LEAF for name, item in found.items()}
    return in_order(out)


def _intern(found: Set) -> Set:
    if not found:
        return EMPTY
    text = orjson.dumps(found, option=orjson.OPT_SORT_KEYS)
    known = _interned.get(text)
    if known is None:
        if len(_interned) >= _INTERN_LIMIT:
            _interned.clear()
        _interned[text] = known = _sorted(found)
    return known


def _own(previous: Set, changed: Set | None, removed: Set | None) -> Set:
    """(previous ∪ changed) − removed, remembered by the identity of interned sets."""
    key = (id(previous), id(changed), id(removed))
    hit = _memo.get(key)
    if hit is not None and hit[0] is previous and hit[1] is changed and hit[2] is removed:
        return hit[3]
    result = previous
    if removed is not None:
        result = difference(result, removed)
    if changed is not None:
        result = union(result, changed)
    result = _intern(result)
    if len(_memo) >= _MEMO_LIMIT:
        _memo.clear()
    _memo[key] = (previous, changed, removed, result)
    return result


_lost: dict[tuple[int, int, int], tuple[Set, Set | None, Set | None, Set]] = {}


def _others(fields: Set, changed: Set | None, removed: Set | None) -> Set:
    """What another manager keeps after a write."""
    key = (id(fields), id(changed), id(removed))
    hit = _lost.get(key)
    if hit is not None and hit[0] is fields and hit[1] is changed and hit[2] is removed:
        return hit[3]
    result = fields
    if changed is not None:
        result = difference(result, changed)
    if removed is not None:
        result = difference(result, removed)
    if len(_lost) >= _MEMO_LIMIT:
        _lost.clear()
    _lost[key] = (fields, changed, removed, result)
    return result


@lru_cache(maxsize=256)
def _excluded(reset: tuple[str, ...]) -> Set:
    return from_paths(reset)


def manager_name(field_manager: str | None, user_agent: str | None) -> str:
    """The manager of a request: the fieldManager parameter, or the head of the User-Agent."""
    if field_manager:
        return field_manager
    head = (user_agent or "").partition("/")[0]
    return "".join(char for char in head[:MAX_MANAGER_LENGTH] if char.isprintable()) or "unknown"


def _identity(entry: Entry) -> tuple[str, str, str, str]:
    """What makes two entries one manager's. Appliers keep their entry when the version changes."""
    operation = entry.get("operation", "")
    version = "" if operation == "Apply" else entry.get("apiVersion", "")
    return entry.get("manager", ""), operation, version, entry.get("subresource", "")


def _order(entry: Entry) -> tuple[str, str, str, str, str]:
    return (
        entry.get("operation", ""),
        entry.get("time") or "",
        entry.get("manager", ""),
        entry.get("apiVersion", ""),
        entry.get("subresource", ""),
    )


def _entry(
    manager: str, operation: str, version: str, time: str | None, fields: Set, subresource: str
) -> Entry:
    entry = {
        "manager": manager,
        "operation": operation,
        "apiVersion": version,
        "time": time,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    }
    if not time:
        del entry["time"]
    if subresource:
        entry["subresource"] = subresource
    return entry


def _usable(entries: Sequence[Entry]) -> bool:
    """Whether entries can be read back (DecodeManagedFields)."""
    return all(
        entry.get("operation") in ("Apply", "Update")
        and entry.get("apiVersion")
        and entry.get("fieldsType") == "FieldsV1"
        and isinstance(entry.get("fieldsV1", EMPTY), dict)
        for entry in entries
    )


def _given(live: JSON | None, new: JSON, subresource: str) -> list[Entry]:
    """The entries that a write starts from: the request's, unless it sends none; a list of nothing resets."""
    kept: list[Entry] = []
    if live is not None:
        listed = live["metadata"].get("managedFields") or []
        kept = listed if _usable(listed) else []
    sent = new["metadata"].get("managedFields")
    if subresource or sent is None or sent is kept:
        return kept
    if not sent or (len(sent) == 1 and not sent[0]):
        return []
    return sent if _usable(sent) else kept


def _strip(changed: Set | None, reset: tuple[str, ...]) -> Set | None:
    if changed is None:
        return None
    if reset:
        changed = without_subtrees(changed, _excluded(reset))
    meta = changed.get("f:metadata")
    if meta is not None:
        kept = {name: item for name, item in meta.items() if name[2:] not in _STRIPPED and name != SELF}
        if len(kept) != len(meta):
            changed = dict(changed)
            if kept:
                changed["f:metadata"] = kept
            else:
                del changed["f:metadata"]
    if "f:apiVersion" in changed or "f:kind" in changed:
        changed = {name: item for name, item in changed.items() if name not in ("f:apiVersion", "f:kind")}
    return changed or None


def _compare(schema: Struct, old: JSON, new: JSON, reset: tuple[str, ...]) -> tuple[Set | None, Set | None]:
    """Interned changes, without what nobody owns."""
    changed, removed = compare_struct(schema, old, new)
    changed, removed = _strip(changed, reset), _strip(removed, reset)
    return (
        None if changed is None else _intern(changed),
        None if removed is None else _intern(removed),
    )


def with_entries(obj: JSON, entries: list[Entry] | None) -> JSON:
    """The object with these managedFields; the same object when it has them already."""
    meta = obj["metadata"]
    if not entries:
        if "managedFields" not in meta:
            return obj
        meta = {name: value for name, value in meta.items() if name != "managedFields"}
    elif meta.get("managedFields") is entries:
        return obj
    else:
        meta = {**meta, "managedFields": entries}
    return {**obj, "metadata": meta}


def update(
    old: JSON | None,
    new: JSON,
    *,
    manager: str,
    schema: Struct,
    time: str,
    subresource: str = "",
    operation: str = "Update",
    reset: tuple[str, ...] = (),
) -> JSON:
    """``new`` with the managedFields after this write (create: ``old`` is None).

    ``reset`` names the fields that the written (sub)resource never owns, such as ``("status",)``.
    """
    entries = _given(old, new, subresource)
    before = old if old is not None else schema.zero
    changed, removed = _compare(schema, before, new, reset)
    if changed is None and removed is None:
        return with_entries(new, entries)
    version = new["apiVersion"]
    mine = (manager, operation, version, subresource)
    kept: list[Entry] = []
    previous: Set = EMPTY
    for entry in entries:
        fields = entry.get("fieldsV1") or EMPTY
        if _identity(entry) == mine:
            previous = fields
            if changed is not None:
                continue
        left = _others(fields, changed, removed)
        if left is fields:
            kept.append(entry)
        elif left:
            kept.append({**entry, "fieldsV1": left})
    if changed is not None:
        fields = _own(previous, changed, removed)
        kept.append(_entry(manager, operation, version, time, fields, subresource))
        kept.sort(key=_order)
        if len(kept) > MAX_UPDATE_MANAGERS:
            kept = _capped(kept)
    return with_entries(new, kept)


def _capped(entries: list[Entry]) -> list[Entry]:
    """Merges the oldest updates into one entry per version until few enough are left."""
    updates = [entry for entry in entries if entry["operation"] == "Update"]
    excess = len(updates) - MAX_UPDATE_MANAGERS
    if excess <= 0:
        return entries
    updates.sort(key=lambda entry: (entry.get("time") or "", orjson.dumps(_identity(entry))))
    rest = [entry for entry in entries if entry["operation"] != "Update"]
    first: dict[str, Entry] = {}
    buckets: dict[str, Entry] = {}
    for entry in updates:
        version = entry["apiVersion"]
        if excess > 0 and version in first:
            base = buckets.get(version) or first[version]
            fields = _intern(union(base.get("fieldsV1") or EMPTY, entry.get("fieldsV1") or EMPTY))
            buckets[version] = _entry(ANCIENT, "Update", version, entry.get("time"), fields, "")
            excess -= 1
        elif excess > 0:
            first[version] = entry
            if entry["manager"] == ANCIENT and not entry.get("subresource"):
                buckets[version] = entry
        else:
            rest.append(entry)
    rest.extend(buckets.get(version, entry) for version, entry in first.items())
    rest.sort(key=_order)
    return rest


# ---- server-side apply -----------------------------------------------------------------------------------


def _printed(entry: Entry) -> str:
    text = orjson.dumps(entry.get("manager", "")).decode()
    if entry.get("subresource"):
        text += f' with subresource "{entry["subresource"]}"'
    if entry.get("operation") == "Update":
        text += f" using {entry.get('apiVersion', '')}"
    return text


def _raise_conflicts(conflicts: list[tuple[Entry, Set]]) -> None:
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


def _pruned(schema: Struct, merged: JSON, claims: Sequence[Set], last: Set) -> JSON:
    """``merged`` without what this manager applied last time, does not apply now, and nobody else owns."""
    if not last:
        return merged
    last = with_named_fields(last, schema)
    everything = with_named_fields(to_set(schema, merged), schema)
    first = remove(schema, merged, last) or {}
    managed: Set = EMPTY
    for fields in claims:
        managed = union(managed, fields)
    managed = with_named_fields(managed, schema)
    kept = union(with_named_fields(to_set(schema, first) if first else EMPTY, schema), managed)
    second = remove(schema, merged, difference(everything, kept)) or {}
    left = with_named_fields(to_set(schema, second) if second else EMPTY, schema)
    gone = intersection(difference(everything, left), last)
    result: JSON = remove(schema, merged, gone) or {}
    return result


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
) -> JSON:
    """Server-side apply: the merged object with its managedFields; ``live`` itself when nothing changed
    at all.

    ``applied`` is the configuration as it was sent (not decoded: a field that decoding adds would be owned).
    Raises the 409 that names every conflict unless ``force``, and 400 for a field that the type does not
    have. Decoding the result, defaults, strategy and validation come after.
    """
    version = applied["apiVersion"]
    entries: list[Entry] = []
    before: JSON
    if live is None:
        before = {"apiVersion": version, "kind": applied["kind"], "metadata": {}}
    else:
        listed = live["metadata"].get("managedFields") or []
        entries = listed if _usable(listed) else []
        before = _bare(live)
        if not entries:
            tracked = update(None, before, manager=BEFORE_FIRST_APPLY, schema=schema, time=time, reset=reset)
            entries = tracked["metadata"].get("managedFields") or []
    mine = (manager, "Apply", "", subresource)
    last: Entry | None = None
    rest: list[Entry] = []
    for entry in entries:
        if _identity(entry) == mine:
            last = entry
        else:
            rest.append(entry)
    given = applied.get("metadata")
    if not isinstance(given, dict):
        raise bad_request("metadata is not an object")
    if given.get("managedFields"):
        raise bad_request("metadata.managedFields must be nil")
    config = _bare(applied)
    _check_declared(schema, config)
    fields = _intern(_strip(to_set(schema, config), reset) or EMPTY)
    merged = merge(schema, before, config)
    claims = [fields, *(entry.get("fieldsV1") or EMPTY for entry in rest)]
    merged = _pruned(schema, merged, claims, (last or {}).get("fieldsV1") or EMPTY)
    merged = _keep_identity(merged, before)
    changed, removed = _compare(schema, before, merged, reset)
    taken = [
        (entry, conflict)
        for entry in rest
        if changed is not None and (conflict := intersection(entry.get("fieldsV1") or EMPTY, changed))
    ]
    if taken and not force and not _all_from_client_side_apply(taken, live, manager, schema):
        _raise_conflicts(_not_from_client_side_apply(taken, live, manager, schema))
    kept: list[Entry] = []
    for entry in rest:
        owned = entry.get("fieldsV1") or EMPTY
        left = _others(owned, changed, removed)
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
        kept.append(_entry(manager, "Apply", version, when, fields, subresource))
    kept.sort(key=_order)
    return with_entries(_with_last_applied(merged, applied, manager), kept)


def _check_declared(schema: Struct, config: JSON) -> None:
    unknown = undeclared(schema, config)
    if not unknown:
        return
    meta = config.get("metadata") or {}
    group, slash, version = config["apiVersion"].rpartition("/")
    name = f"{meta.get('namespace', '')}/{meta.get('name', '')}"
    texts = [f"{path}: field not declared in schema" for path in unknown]
    told = texts[0] if len(texts) == 1 else "errors:" + "".join(f"\n  {text}" for text in texts)
    where = f"{name}; {group}{slash or '/'}{version}, Kind={config['kind']}"
    raise bad_request(f"failed to create typed patch object ({where}): {told}")


def _keep_identity(merged: JSON, before: JSON) -> JSON:
    """Pruning never takes what nobody owns: name, uid, versions."""
    meta, was = merged.get("metadata") or {}, before.get("metadata") or {}
    missing = {name: value for name, value in was.items() if name in _STRIPPED and name not in meta}
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
    return to_set(schema, config)


def _not_from_client_side_apply(
    taken: list[tuple[Entry, Set]], live: JSON | None, manager: str, schema: Struct
) -> list[tuple[Entry, Set]]:
    allowed = _last_applied_set(live, manager, schema)
    left = [(entry, difference(fields, allowed)) for entry, fields in taken]
    return [(entry, fields) for entry, fields in left if fields]


def _all_from_client_side_apply(
    taken: list[tuple[Entry, Set]], live: JSON | None, manager: str, schema: Struct
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
