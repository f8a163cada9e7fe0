"""Strategic merge patches: lists merge by key, ``$patch``, ``$retainKeys``, ``$setElementOrder`` and
``$deleteFromPrimitiveList`` steer.

Models k8s.io/apimachinery/pkg/util/strategicpatch/patch.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.patch_errors import PatchError
from cluster_engine.apimachinery.schema import List, Map, Node, Struct

DIRECTIVE = "$patch"
RETAIN_KEYS = "$retainKeys"
SET_ORDER = "$setElementOrder/"
DELETE_PRIMITIVE = "$deleteFromPrimitiveList/"
MAX_DEPTH = 120

Items = list[Any]


def go_text(value: Any) -> str:
    """A value as Go's %v prints it."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "map[" + " ".join(f"{name}:{go_text(value[name])}" for name in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(go_text(item) for item in value) + "]"
    return str(value)


def _bad_type(directive: Any, where: JSON) -> PatchError:
    return PatchError(f"unknown patch type: {go_text(directive)} in map: {go_text(where)}")


def _no_key(where: JSON, key: str) -> PatchError:
    return PatchError(f"map: {go_text(where)} does not contain declared merge key: {key}")


def _bad_argument(expected: str, value: Any) -> PatchError:
    kinds = {dict: "map[string]interface {}", list: "[]interface {}", str: "string", bool: "bool"}
    actual = kinds.get(type(value), "nil" if value is None else "float64")
    return PatchError(f"expected a {expected}, but received a {actual}")


def strategic_merge_patch(obj: JSON, patch: Any, schema: Struct) -> JSON:
    """The object with ``patch`` merged in as the type's patch strategies say; raises PatchError."""
    if not isinstance(patch, dict):
        raise PatchError(
            "error decoding patch: json: cannot unmarshal into Go value of type map[string]interface {}"
        )
    return _merge_map(obj, patch, schema, 0)


# ---- maps ------------------------------------------------------------------------------------------------


def _place(node: Node | None, name: str) -> tuple[Node | None, tuple[str, ...]]:
    """(type, patch strategies) of a member of an object."""
    if isinstance(node, Struct):
        field = node.fields.get(name)
        if field is None:
            return None, ()
        inner = field.node
        strategies = inner.patch_strategy if isinstance(inner, List) else field.patch_strategy
        return inner, strategies
    if isinstance(node, Map):
        return node.values, ()
    return None, ()


def _merge_map(original: JSON, patch: JSON, node: Node | None, depth: int) -> JSON:
    if depth > MAX_DEPTH:
        raise PatchError(f"the patch nests deeper than {MAX_DEPTH} levels")
    if DIRECTIVE in patch:
        directive = patch[DIRECTIVE]
        if directive == "replace":
            return {name: value for name, value in patch.items() if name != DIRECTIVE}
        if directive == "delete":
            return {}
        raise _bad_type(directive, patch)
    merged = dict(original)
    touched = _retain_keys(merged, patch)
    done, ordered = _set_orders(merged, patch, node, depth)
    touched |= ordered
    for key, value in patch.items():
        if key in done or key == RETAIN_KEYS or key.startswith(SET_ORDER):
            continue
        deletes = key.startswith(DELETE_PRIMITIVE)
        name = key[len(DELETE_PRIMITIVE) :] if deletes else key
        if value is None:
            if name in merged:
                del merged[name]
                touched = True
            continue
        old: Any = merged.get(name)
        if name not in merged or _family(old) != _family(value):
            if deletes:
                continue
            new, keep = _without_directives(_without_nulls(value))
            if not keep:
                continue
        elif isinstance(value, dict):
            inner, strategies = _place(node, name)
            new = value if "replace" in strategies else _merge_map(old, value, inner, depth + 1)
        elif isinstance(value, list):
            inner, strategies = _place(node, name)
            if deletes or "merge" in strategies:
                new = _merge_list(old, value, inner, deletes, depth + 1)
            else:
                new = value
        else:
            new = value
        if new is not old:
            merged[name] = new
            touched = True
    return merged if touched else original


def _family(value: Any) -> str:
    for kind in (dict, list, str, bool):
        if isinstance(value, kind):
            return kind.__name__
    return "null" if value is None else "number"


def _retain_keys(merged: JSON, patch: JSON) -> bool:
    keys = patch.get(RETAIN_KEYS)
    if keys is None:
        return False
    if not isinstance(keys, list):
        raise PatchError("invalid patch format of retainKeys")
    for name in patch:
        if name != RETAIN_KEYS and not name.startswith((SET_ORDER, DELETE_PRIMITIVE)) and name not in keys:
            raise PatchError("invalid patch format of retainKeys")
    dropped = [name for name in merged if name not in keys]
    for name in dropped:
        del merged[name]
    return bool(dropped)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def _without_directives(value: Any) -> tuple[Any, bool]:
    """(value, whether to keep it): directives mean nothing where there is nothing to merge with."""
    if isinstance(value, dict):
        if value.get(DIRECTIVE) == "delete":
            return None, False
        found = {}
        for name, item in value.items():
            if name in (DIRECTIVE, RETAIN_KEYS) or name.startswith((SET_ORDER, DELETE_PRIMITIVE)):
                continue
            inner, keep = _without_directives(item)
            if keep:
                found[name] = inner
        return found, True
    if isinstance(value, list):
        pairs = [_without_directives(item) for item in value]
        return [item for item, keep in pairs if keep], True
    return value, True


# ---- lists -----------------------------------------------------------------------------------------------


def _merge_list(original: Items, patch: Items, node: Node | None, deletes: bool, depth: int) -> Items:
    if not original and not patch:
        return original
    if not _of_objects(original, patch):
        if deletes:
            return [item for item in original if item not in patch]
        merged: Items = []
        for item in (*original, *patch):
            if item not in merged:
                merged.append(item)
        return _ordered(merged, patch, original, "")
    key = node.patch_key if isinstance(node, List) else ""
    if not key:
        name = node.items.go if isinstance(node, List) else ""
        raise PatchError(f"cannot merge lists without merge key for {name}")
    original, patch = _special_items(original, patch, key)
    inner = node.items if isinstance(node, List) else None
    merged = list(original)
    for item in patch:
        if key not in item:
            raise _no_key(item, key)
        at = _find(merged, item[key], key)
        if at is None:
            new, keep = _without_directives(item)
            if keep:
                merged.append(new)
        else:
            merged[at] = _merge_map(merged[at], item, inner, depth + 1)
    return _ordered(merged, patch, original, key)


def _of_objects(*lists: Items) -> bool:
    kinds = {isinstance(item, dict) for items in lists for item in items}
    if len(kinds) > 1:
        raise PatchError("list element types are not identical: map, string")
    for items in lists:
        if any(isinstance(item, list) for item in items):
            raise PatchError("merging lists of lists is not supported")
    return True in kinds


def _special_items(original: Items, patch: Items, key: str) -> tuple[Items, Items]:
    """Deletes what ``$patch: delete`` items name; (list, what is left to merge)."""
    plain: Items = []
    replace = False
    for item in patch:
        directive = item.get(DIRECTIVE)
        if DIRECTIVE not in item:
            plain.append(item)
        elif directive == "delete":
            if key not in item:
                raise _no_key(item, key)
            original = [old for old in original if old.get(key) != item[key]]
        elif directive == "replace":
            replace = True
        elif directive == "merge":
            raise PatchError("merging lists cannot yet be specified in the patch")
        else:
            raise _bad_type(directive, item)
    return (plain, []) if replace else (original, plain)


def _name_of(item: Any, key: str) -> Any:
    return item.get(key) if key and isinstance(item, dict) else item


def _find(items: Sequence[Any], name: Any, key: str) -> int | None:
    for index, item in enumerate(items):
        if _name_of(item, key) == name:
            return index
    return None


def _hashable(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool)) or value is None else repr(value)


def _positions(items: Sequence[Any], key: str) -> dict[Any, int]:
    found: dict[Any, int] = {}
    for index, item in enumerate(items):
        found.setdefault(_hashable(_name_of(item, key)), index)
    return found


def _ordered(merged: Items, order: Items, server_order: Items, key: str) -> Items:
    """What ``order`` names comes in its order; the rest keeps the server's; both are merged by the
    server's."""
    wanted, known = _positions(order, key), _positions(server_order, key)

    def name(item: Any) -> Any:
        return _hashable(_name_of(item, key))

    mine = sorted((item for item in merged if name(item) in wanted), key=lambda item: wanted[name(item)])
    others = [item for item in merged if name(item) not in wanted]
    others.sort(key=lambda item: known.get(name(item), len(known)))
    if not others or not mine:
        return mine or others
    result: Items = []
    left = right = 0
    while left < len(others) and right < len(mine):
        a, b = known.get(name(others[left])), known.get(name(mine[right]))
        if a is not None and b is not None and a < b:
            result.append(others[left])
            left += 1
        else:
            result.append(mine[right])
            right += 1
    return [*result, *mine[right:], *others[left:]]


def _set_orders(merged: JSON, patch: JSON, node: Node | None, depth: int) -> tuple[set[str], bool]:
    """Applies every ``$setElementOrder``; (names of the lists that are done with, whether anything
    changed)."""
    done: set[str] = set()
    touched = False
    for directive, order in patch.items():
        if not directive.startswith(SET_ORDER):
            continue
        if not isinstance(order, list):
            raise _bad_argument("[]interface {}", order)
        name = directive[len(SET_ORDER) :]
        old, new = merged.get(name), patch.get(name)
        for value in (old, new):
            if value is not None and not isinstance(value, list):
                raise _bad_argument("[]interface {}", value)
        if old is None and new is None:
            continue
        inner, strategies = _place(node, name)
        key = inner.patch_key if isinstance(inner, List) else ""
        _check_order(new or [], order, key)
        if new is None:
            result = old or []
        elif old is None:
            result, _ = _without_directives(_without_nulls(new))
        elif "merge" in strategies:
            result = _merge_list(old, new, inner, False, depth + 1)
        else:
            result = new
        if name in patch:
            done.add(name)
        ordered = _ordered(result, order, old or [], key)
        if (
            old is None
            or len(ordered) != len(old)
            or any(a is not b for a, b in zip(ordered, old, strict=True))
        ):
            merged[name] = ordered
            touched = True
    return done, touched


def _check_order(patch: Items, order: Items, key: str) -> None:
    """Every item of the patch must stand in the order list, in the same relative order."""
    at = 0
    for item in patch:
        if isinstance(item, dict) and item.get(DIRECTIVE):
            continue
        name = _name_of(item, key)
        while at < len(order) and _name_of(order[at], key) != name:
            at += 1
        if at >= len(order):
            raise PatchError(
                "The order in patch list:\n"
                f"{go_text(patch)}\n doesn't match $setElementOrder list:\n{go_text(order)}\n"
            )
        at += 1
