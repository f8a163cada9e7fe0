"""Who owns which field: metadata.managedFields.

Entries are kept as they are printed, so reading and writing them costs nothing; their field sets are
interned, so a thousand Pods of one template share one set.

Models k8s.io/apimachinery/pkg/util/managedfields and sigs.k8s.io/structured-merge-diff/merge.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

import orjson

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.field_sets import (
    EMPTY,
    LEAF,
    SELF,
    Set,
    difference,
    from_paths,
    in_order,
    union,
    without_subtrees,
)
from cluster_engine.apimachinery.identity_cache import RULE_CACHE
from cluster_engine.apimachinery.schema import Struct
from cluster_engine.apimachinery.typed import compare_struct

MAX_UPDATE_MANAGERS = 10
"""Entries of updates that are kept apart; the oldest beyond it become ``ancient-changes``."""
ANCIENT = "ancient-changes"
MAX_MANAGER_LENGTH = 128

STRIPPED = frozenset(
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

ManagedFieldsEntry = JSON


def _sorted(found: Set) -> Set:
    if not found:
        return found
    names = sorted(found)
    if names[-1] > "j" and any(name[0] == "i" for name in names):
        names = list(in_order(found))  # places among other elements: theirs is another order
    return {name: _sorted(item) if (item := found[name]) else LEAF for name in names}


def intern(found: Set, ordered: bool = False) -> Set:
    """The one set of this content; ``ordered``: it is in order already, as unions and differences of such sets are."""
    if not found:
        return EMPTY
    text = orjson.dumps(found, option=orjson.OPT_SORT_KEYS)
    known = _interned.get(text)
    if known is None:
        if len(_interned) >= _INTERN_LIMIT:
            _interned.clear()
        _interned[text] = known = found if ordered else _sorted(found)
    return known


def _own(previous: Set, changed: Set | None, removed: Set | None) -> Set:
    """(previous ∪ changed) − removed, remembered by the identity of interned sets."""
    key = ("own", id(previous), id(changed), id(removed))
    known: Set | None = RULE_CACHE.get(key)
    if known is not None:
        return known
    result = previous
    if removed is not None:
        result = difference(result, removed)
    if changed is not None:
        result = union(result, changed)
    result = intern(result, ordered=True)
    RULE_CACHE.put(key, result, previous, changed, removed)
    return result


def without_changed(fields: Set, changed: Set | None, removed: Set | None) -> Set:
    """What another manager keeps after a write."""
    key = ("keep", id(fields), id(changed), id(removed))
    known: Set | None = RULE_CACHE.get(key)
    if known is not None:
        return known
    result = fields
    if changed is not None:
        result = difference(result, changed)
    if removed is not None:
        result = difference(result, removed)
    RULE_CACHE.put(key, result, fields, changed, removed)
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


def identity_of(entry: ManagedFieldsEntry) -> tuple[str, str, str, str]:
    """What makes two entries one manager's. Appliers keep their entry when the version changes."""
    operation = entry.get("operation", "")
    version = "" if operation == "Apply" else entry.get("apiVersion", "")
    return entry.get("manager", ""), operation, version, entry.get("subresource", "")


def order_of(entry: ManagedFieldsEntry) -> tuple[str, str, str, str, str]:
    """By which entries are sorted."""
    return (
        entry.get("operation", ""),
        entry.get("time") or "",
        entry.get("manager", ""),
        entry.get("apiVersion", ""),
        entry.get("subresource", ""),
    )


def new_entry(
    manager: str, operation: str, version: str, time: str | None, fields: Set, subresource: str
) -> ManagedFieldsEntry:
    """An entry as it is printed."""
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


def usable(entries: Sequence[ManagedFieldsEntry]) -> bool:
    """Whether entries can be read back (DecodeManagedFields)."""
    for entry in entries:
        if not (
            entry.get("operation") in ("Apply", "Update")
            and entry.get("apiVersion")
            and entry.get("fieldsType") == "FieldsV1"
            and isinstance(entry.get("fieldsV1", EMPTY), dict)
        ):
            return False
    return True


def _given(live: JSON | None, new: JSON, subresource: str) -> list[ManagedFieldsEntry]:
    """The entries that a write starts from: the request's, unless it sends none; a list of nothing resets."""
    kept: list[ManagedFieldsEntry] = []
    if live is not None:
        listed = live["metadata"].get("managedFields") or []
        kept = listed if usable(listed) else []
    sent = new["metadata"].get("managedFields")
    if subresource or sent is None or sent is kept:
        return kept
    if not sent or (len(sent) == 1 and not sent[0]):
        return []
    if not usable(sent):
        return kept
    return [{**entry, "fieldsV1": _sorted(entry.get("fieldsV1") or EMPTY)} for entry in sent]


def strip(changed: Set | None, reset: tuple[str, ...]) -> Set | None:
    """The set without what nobody owns; None when nothing is left."""
    if changed is None:
        return None
    if reset:
        changed = without_subtrees(changed, _excluded(reset))
    meta = changed.get("f:metadata")
    if meta is not None:
        kept = {name: item for name, item in meta.items() if name[2:] not in STRIPPED and name != SELF}
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
    changed, removed = strip(changed, reset), strip(removed, reset)
    return (
        None if changed is None else intern(changed),
        None if removed is None else intern(removed),
    )


def with_entries(obj: JSON, entries: list[ManagedFieldsEntry] | None) -> JSON:
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


class Forms(Protocol):
    """The versions of a kind, as far as ownership of fields needs them: each owner keeps its own."""

    def in_version(self, api_version: str) -> Form | None: ...

    def converted(self, obj: JSON, api_version: str) -> JSON | None: ...


class Form(Protocol):
    """A kind in one version."""

    @property
    def structure(self) -> Struct | None: ...


class Versions:
    """Objects in the version of whoever owns fields. Without ``forms`` there is but one."""

    def __init__(self, schema: Struct, version: str, forms: Forms | None) -> None:
        self._forms = forms
        self._schemas: dict[str, Struct] = {version: schema}

    def schema(self, version: str) -> Struct | None:
        """The type in a version; None when the kind is not served in it."""
        if self._forms is None:
            return next(iter(self._schemas.values()))
        if version not in self._schemas:
            form = self._forms.in_version(version)
            if form is None or form.structure is None:
                return None
            self._schemas[version] = form.structure
        return self._schemas[version]

    def convert(self, obj: JSON, version: str) -> JSON:
        """The object in a version for which there is a schema."""
        if self._forms is None or "apiVersion" not in obj:
            return obj
        made = self._forms.converted(obj, version)
        return obj if made is None else made


class Changes:
    """What a write changed, in the version of each owner (Updater.update of structured-merge-diff)."""

    def __init__(self, versions: Versions, old: JSON | None, new: JSON, reset: tuple[str, ...]) -> None:
        self._versions, self._old, self._new, self._reset = versions, old, new, reset
        self._seen: dict[str, tuple[Set | None, Set | None] | None] = {}

    def of(self, version: str) -> tuple[Set | None, Set | None] | None:
        """(changed, removed); None when the kind is not served in that version."""
        if version not in self._seen:
            schema = self._versions.schema(version)
            found = None
            if schema is not None:
                old = schema.zero if self._old is None else self._versions.convert(self._old, version)
                found = _compare(schema, old, self._versions.convert(self._new, version), self._reset)
            self._seen[version] = found
        return self._seen[version]


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
    version: str = "",
    forms: Forms | None = None,
) -> JSON:
    """``new`` with the managedFields after this write (create: ``old`` is None).

    ``schema`` is the type of both. ``reset`` names the fields that the written (sub)resource never owns, such
    as ``("status",)``. ``version`` is the manager's own apiVersion when it is not that of ``new``; then and
    when others own fields in other versions, ``forms`` converts.
    """
    entries = _given(old, new, subresource)
    version = version or new["apiVersion"]
    everywhere: Changes | None = None
    if forms is None:
        before = old if old is not None else schema.zero
        changed, removed = _compare(schema, before, new, reset)
    else:
        everywhere = Changes(Versions(schema, new["apiVersion"], forms), old, new, reset)
        changed, removed = everywhere.of(version) or (None, None)
    if changed is None and removed is None:
        return with_entries(new, entries)
    mine = (manager, operation, version, subresource)
    kept: list[ManagedFieldsEntry] = []
    previous: Set = EMPTY
    for entry in entries:
        fields = entry.get("fieldsV1") or EMPTY
        if identity_of(entry) == mine:
            previous = fields
            if changed is not None:
                continue
        theirs = (changed, removed) if everywhere is None else everywhere.of(entry["apiVersion"])
        if theirs is None:
            continue  # a version that is served no more
        left = without_changed(fields, *theirs)
        if left is fields:
            kept.append(entry)
        elif left:
            kept.append({**entry, "fieldsV1": left})
    if changed is not None:
        fields = _own(previous, changed, removed)
        kept.append(new_entry(manager, operation, version, time, fields, subresource))
        kept.sort(key=order_of)
        if len(kept) > MAX_UPDATE_MANAGERS:
            kept = _capped(kept)
    return with_entries(new, kept)


def _capped(entries: list[ManagedFieldsEntry]) -> list[ManagedFieldsEntry]:
    """Merges the oldest updates into one entry per version until few enough are left."""
    updates = [entry for entry in entries if entry["operation"] == "Update"]
    excess = len(updates) - MAX_UPDATE_MANAGERS
    if excess <= 0:
        return entries
    updates.sort(key=lambda entry: (entry.get("time") or "", orjson.dumps(identity_of(entry))))
    rest = [entry for entry in entries if entry["operation"] != "Update"]
    first: dict[str, ManagedFieldsEntry] = {}
    buckets: dict[str, ManagedFieldsEntry] = {}
    for entry in updates:
        version = entry["apiVersion"]
        if excess > 0 and version in first:
            base = buckets.get(version) or first[version]
            fields = intern(union(base.get("fieldsV1") or EMPTY, entry.get("fieldsV1") or EMPTY))
            buckets[version] = new_entry(ANCIENT, "Update", version, entry.get("time"), fields, "")
            excess -= 1
        elif excess > 0:
            first[version] = entry
            if entry["manager"] == ANCIENT and not entry.get("subresource"):
                buckets[version] = entry
        else:
            rest.append(entry)
    rest.extend(buckets.get(version, entry) for version, entry in first.items())
    rest.sort(key=order_of)
    return rest
