"""Walking objects along their types: what changed, what an object holds, merging and removing by field sets.

Models sigs.k8s.io/structured-merge-diff/typed (compare.go, tofieldset.go, merge.go, remove.go). Trees are
as deep as the type or, for untyped JSON, as the body's depth limit allows.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.field_sets import (
    EMPTY,
    LEAF,
    SELF,
    Set,
    field_element,
    in_order,
    is_member,
    key_element,
    shown,
    value_element,
)
from cluster_engine.apimachinery.schema import LIST, MAP, SCALAR, STRUCT, List, Map, Node, Struct, zero

Changes = tuple[Set | None, Set | None]
"""(added or modified, removed); None where there is nothing."""

NONE: Changes = (None, None)
_WHOLES_KEPT = 64
"""Field sets of one struct that are remembered; past it all are made anew."""
_ELEMENTS_KEPT = 4_096
"""Path elements of the items of one list that are remembered; past it all are made anew."""
_ABSENT: Any = object()


# ---- list items ------------------------------------------------------------------------------------------


def item_element(node: List, index: int, item: Any) -> str:
    """The path element of a list item: by its keys, its value, or its place."""
    if node.type == "set":
        return value_element(item)
    if node.type != "map" or not isinstance(item, dict):
        return f"i:{index}"
    keys = node.keys
    if len(keys) == 1:
        value = item.get(keys[0])
        if isinstance(value, str):
            found = node.elements.get(value)
            if found is None:
                if len(node.elements) >= _ELEMENTS_KEPT:
                    node.elements.clear()
                found = node.elements[value] = key_element(keys[0], value)
            return found
    defaults = node.key_defaults
    if defaults is None:
        defaults = _defaults(node)
    pairs: list[Any] = []
    for key in sorted(keys):
        value = item.get(key, defaults.get(key))
        if value is not None:
            pairs += (key, value)
    try:
        return key_element(*pairs)
    except TypeError:  # a key field that is no scalar
        return f"i:{index}"


def _defaults(node: List) -> dict[str, Any]:
    found: dict[str, Any] = {}
    inner = node.items
    if isinstance(inner, Struct):
        for key in node.keys:
            field = inner.fields.get(key)
            if field is not None and field.default is not None:
                found[key] = field.default
            elif field is not None and field.always:
                found[key] = zero(field.node)
    node.key_defaults = found
    return found


def _items(node: List, value: Any) -> dict[str, Any]:
    """Path element → item; an element that comes again is ignored, as upstream does."""
    found: dict[str, Any] = {}
    for index, item in enumerate(value or ()):
        found.setdefault(item_element(node, index, item), item)
    return found


# ---- everything below a value ----------------------------------------------------------------------------


def whole(node: Node | None, value: Any) -> Set:
    """Every path at and below a value that has no counterpart (as Compare tells added and removed ones).

    Unordered: sets are put in order when they are interned."""
    if not value or node is None:
        return LEAF
    code = node.code
    if code == SCALAR or (code != STRUCT and node.atomic):
        return LEAF
    if code == STRUCT:
        if not isinstance(value, dict) or node.atomic:
            return LEAF
        assert isinstance(node, Struct)
        fields = node.fields
        if node.flat:
            return _of_names(node, value)
        found: Set = {SELF: LEAF}
        for name, item in value.items():
            field = fields.get(name)
            if field is None:
                found[field_element(name)] = LEAF
            elif field.scalar:
                found[field.set_key] = LEAF
            else:
                found[field.set_key] = whole(field.node, item)
        return found
    if code == MAP:
        if not isinstance(value, dict):
            return LEAF
        assert isinstance(node, Map)
        values = node.values
        found = {SELF: LEAF}
        if values.code == SCALAR:
            for name in value:
                found[field_element(name)] = LEAF
        else:
            for name, item in value.items():
                found[field_element(name)] = whole(values, item)
        return found
    if not isinstance(value, list):
        return LEAF
    assert isinstance(node, List)
    found = {SELF: LEAF}
    inner = node.items
    for index, item in enumerate(value):
        element = item_element(node, index, item)
        if element not in found:
            found[element] = whole(inner, item)
    return found


def _of_names(node: Struct, value: JSON) -> Set:
    """``whole`` of a struct of scalars (a condition, an address): its names alone decide, so each is made once."""
    names = tuple(value)
    found = node.wholes.get(names)
    if found is None:
        if len(node.wholes) >= _WHOLES_KEPT:
            node.wholes.clear()
        found = node.wholes[names] = {SELF: LEAF, **{field_element(name): LEAF for name in sorted(names)}}
    return found


# ---- compare ---------------------------------------------------------------------------------------------


def compare(node: Node | None, old: Any, new: Any) -> Changes:
    """What changed from ``old`` to ``new``, which both exist. Shared subtrees cost nothing."""
    if old is new:
        return NONE
    code = SCALAR if node is None else node.code
    if code == SCALAR or node is None:
        return NONE if _equal(old, new) else (LEAF, None)
    if (not old and not new) or node.atomic:
        return NONE if _equal(old, new) else (LEAF, None)
    if code == LIST:
        assert isinstance(node, List)
        if not isinstance(new, (list, type(None))) or not isinstance(old, (list, type(None))):
            return (LEAF, None)
        aligned = _aligned(node, old, new) if old and new and len(old) == len(new) else None
        return aligned if aligned is not None else _pairs(node, _items(node, old), _items(node, new))
    if not isinstance(new, (dict, type(None))) or not isinstance(old, (dict, type(None))):
        return NONE if _equal(old, new) else (LEAF, None)
    old, new = old or EMPTY, new or EMPTY
    if code == MAP:
        assert isinstance(node, Map)
        return _map(node, old, new)
    assert isinstance(node, Struct)
    return compare_struct(node, old, new)


def _equal(old: Any, new: Any) -> bool:
    return bool(old == new) and isinstance(old, bool) == isinstance(new, bool)


def compare_struct(node: Struct, old: JSON, new: JSON) -> Changes:
    changed: Set | None = None
    removed: Set | None = None
    fields = node.fields
    for name, after in new.items():
        before = old.get(name, _ABSENT)
        if before is after:
            continue
        field = fields.get(name)
        inner = None if field is None else field.node
        if before is _ABSENT:
            if field is not None and field.present:
                more, less = from_zero(inner, zero(field.node), after)
            else:
                more, less = whole(inner, after), None
        elif field is None or field.scalar:
            if before == after and isinstance(before, bool) == isinstance(after, bool):
                continue
            more, less = LEAF, None
        else:
            more, less = compare(inner, before, after)
        element = field.set_key if field is not None else field_element(name)
        if more is not None:
            if changed is None:
                changed = {}
            changed[element] = more
        if less is not None:
            if removed is None:
                removed = {}
            removed[element] = less
    for name, before in old.items():
        if name not in new:
            field = fields.get(name)
            if removed is None:
                removed = {}
            removed[field_element(name)] = whole(None if field is None else field.node, before)
    return changed, removed


def from_zero(node: Node | None, before: Any, after: Any) -> Changes:
    """Compare with what Go prints for a field that nobody set (null, or a zero)."""
    if node is None:
        return whole(node, after), None
    if node.code == STRUCT and isinstance(after, dict) and not node.atomic and (before or after):
        assert isinstance(node, Struct)
        return compare_struct(node, before or EMPTY, after)
    return compare(node, before, after)


def _map(node: Map, old: JSON, new: JSON) -> Changes:
    changed: Set | None = None
    removed: Set | None = None
    inner = node.values
    for name, after in new.items():
        before = old.get(name, _ABSENT)
        if before is after:
            continue
        missing = before is _ABSENT
        more, less = (whole(inner, after), None) if missing else compare(inner, before, after)
        if more is not None:
            changed = changed or {}
            changed[field_element(name)] = more
        if less is not None:
            removed = removed or {}
            removed[field_element(name)] = less
    for name, before in old.items():
        if name not in new:
            removed = removed or {}
            removed[field_element(name)] = whole(inner, before)
    return changed, removed


def _aligned(node: List, old: list[Any], new: list[Any]) -> Changes | None:
    """The commonest case: the same items in the same order, few of them changed. None: it is another."""
    changed: Set | None = None
    removed: Set | None = None
    keys, inner = node.keys, node.items
    for index, after in enumerate(new):
        before = old[index]
        if before is after:
            continue
        if node.type != "map" or not isinstance(before, dict) or not isinstance(after, dict):
            return None
        for key in keys:
            if before.get(key) != after.get(key):
                return None
        more, less = compare(inner, before, after)
        if more is None and less is None:
            continue
        element = item_element(node, index, after)
        if more is not None:
            changed = changed or {}
            if element in changed:
                return None
            changed[element] = more
        if less is not None:
            removed = removed or {}
            removed[element] = less
    return changed, removed


def _pairs(node: List, old: dict[str, Any], new: dict[str, Any]) -> Changes:
    changed: Set | None = None
    removed: Set | None = None
    inner = node.items
    for element, after in new.items():
        before = old.get(element, _ABSENT)
        if before is after:
            continue
        missing = before is _ABSENT
        more, less = (whole(inner, after), None) if missing else compare(inner, before, after)
        if more is not None:
            changed = changed or {}
            changed[element] = more
        if less is not None:
            removed = removed or {}
            removed[element] = less
    for element, before in old.items():
        if element not in new:
            removed = removed or {}
            removed[element] = whole(inner, before)
    return changed, removed


# ---- what an applied object claims -----------------------------------------------------------------------


def to_set(node: Node | None, value: Any) -> Set:
    """The fields that an applied configuration states (ToFieldSet); LEAF when it is one value."""
    if node is None or node.code == SCALAR or node.atomic or not value:
        return LEAF
    found: Set = {}
    if isinstance(node, List):
        if not isinstance(value, list):
            return LEAF
        for element, item in _items(node, value).items():
            inner = to_set(node.items, item)
            found[element] = inner if is_member(inner) else {SELF: LEAF, **inner}
        return in_order(found)
    if not isinstance(value, dict):
        return LEAF
    for name in sorted(value):
        if isinstance(node, Struct):
            field = node.fields.get(name)
            found[field_element(name)] = to_set(field.node if field else None, value[name])
        else:
            assert isinstance(node, Map)
            inner = to_set(node.values, value[name])
            found[field_element(name)] = inner if is_member(inner) else {SELF: LEAF, **inner}
    return found


def problems(node: Node | None, value: Any, path: str = "") -> list[str]:
    """What of a value does not fit the type: fields that it does not have, items of a set or map that come twice.

    Models typed/validate.go of structured-merge-diff.
    """
    if node is None or node.code == SCALAR or not value:
        return []
    found: list[str] = []
    if isinstance(node, List):
        if isinstance(value, list):
            seen: set[str] = set()
            for index, item in enumerate(value):
                element = item_element(node, index, item)
                if element in seen:
                    found.append(f"{path}: duplicate entries for key {shown(element)}")
                seen.add(element)
                found += problems(node.items, item, path + shown(element))
    elif isinstance(value, dict):
        for name, item in value.items():
            if isinstance(node, Map):
                if node.values is not node:
                    found += problems(node.values, item, f"{path}.{name}")
                continue
            assert isinstance(node, Struct)
            field = node.fields.get(name)
            if field is None:
                found.append(f"{path}.{name}: field not declared in schema")
            else:
                found += problems(field.node, item, f"{path}.{name}")
    return found


# ---- merge -----------------------------------------------------------------------------------------------


def merge(node: Node | None, live: Any, applied: Any) -> Any:
    """``live`` with ``applied`` laid over it; lists merge by item, atomic values are replaced whole."""
    if live is applied or live is None:
        return applied
    if node is None or node.code == SCALAR or node.atomic or applied is None:
        return live if _equal(live, applied) and type(live) is type(applied) else applied
    if isinstance(node, List):
        if not isinstance(live, list) or not isinstance(applied, list):
            return applied
        return _merge_list(node, live, applied)
    if not isinstance(live, dict) or not isinstance(applied, dict):
        return applied
    out: JSON | None = None
    for name, theirs in applied.items():
        mine = live.get(name, _ABSENT)
        if isinstance(node, Struct):
            field = node.fields.get(name)
            inner = field.node if field else None
        else:
            assert isinstance(node, Map)
            inner = node.values
        new = theirs if mine is _ABSENT else merge(inner, mine, theirs)
        if new is mine:
            continue
        if out is None:
            out = dict(live)
        if new is None and isinstance(node, Struct):
            out.pop(name, None)
        else:
            out[name] = new
    return live if out is None else out


def _merge_list(node: List, live: list[Any], applied: list[Any]) -> list[Any]:
    left, right = _items(node, live), _items(node, applied)
    if not right:
        return live
    left_order, right_order = list(left), list(right)
    shared = [element for element in right_order if element in left]
    out: list[Any] = []
    next_shared = 0
    i = j = 0
    while i < len(left_order) or j < len(right_order):
        if i < len(left_order) and j < len(right_order):
            element = left_order[i]
            if element == right_order[j]:
                out.append(merge(node.items, left[element], right[element]))
                i, j = i + 1, j + 1
                next_shared += 1
                continue
            if element in right and next_shared < len(shared) and shared[next_shared] != element:
                i += 1  # shared, but not the one that comes next
                continue
        if i < len(left_order) and left_order[i] not in right:
            out.append(left[left_order[i]])
            i += 1
            continue
        if j < len(right_order):
            element = right_order[j]
            out.append(
                merge(node.items, left[element], right[element]) if element in left else right[element]
            )
            j += 1
            if next_shared < len(shared) and shared[next_shared] == element:
                next_shared += 1
            continue
        i += 1  # a shared item that was taken before
    if len(out) == len(live) and all(a is b for a, b in zip(out, live, strict=True)):
        return live
    return out


# ---- remove ----------------------------------------------------------------------------------------------


def remove(node: Node | None, value: Any, gone: Set) -> Any:
    """``value`` without the members of ``gone``; None when nothing is left of it."""
    if not gone or node is None or node.code == SCALAR or node.atomic or not value:
        return value
    if isinstance(node, List):
        if not isinstance(value, list):
            return value
        kept: list[Any] = []
        for index, item in enumerate(value):
            below = gone.get(item_element(node, index, item))
            if below is None:
                kept.append(item)
            elif not is_member(below):
                kept.append(remove(node.items, item, below))
        if len(kept) == len(value) and all(a is b for a, b in zip(kept, value, strict=True)):
            return value
        return kept or None
    if not isinstance(value, dict):
        return value
    out: JSON | None = None
    for name, item in value.items():
        below = gone.get(field_element(name))
        if below is None:
            continue
        if isinstance(node, Struct):
            field = node.fields.get(name)
            inner = field.node if field else None
        else:
            assert isinstance(node, Map)
            inner = node.values
        new = None if is_member(below) else remove(inner, item, below)
        if new is item:
            continue
        if out is None:
            out = dict(value)
        if new is None:
            del out[name]
        else:
            out[name] = new
    if out is None:
        return value
    return out or None
