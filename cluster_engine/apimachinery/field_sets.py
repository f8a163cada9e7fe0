"""Sets of fields, kept in the very form in which managedFields prints them (fieldsV1).

A set is a nested dict: ``{"f:spec": {"f:replicas": {}}}``. An element with an empty dict is a member; one
with children is a member when it has the child ``"."``. Names: ``f:`` a field, ``k:`` a list item by its
keys, ``v:`` an item of a set by its value, ``i:`` by its place. Sets are shared and never changed.

Models sigs.k8s.io/structured-merge-diff/fieldpath.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import orjson

from cluster_engine.apimachinery.schema import List, Map, Node, Struct

Set = dict[str, Any]

LEAF: Set = {}
"""The one empty dict that all leaves share."""
SELF = "."
EMPTY: Set = {}
MAX_DEPTH = 200


@lru_cache(maxsize=16384)
def key_element(*pairs: Any) -> str:
    """``k:{"name":"nginx"}`` of (name, value, name, value, …), names in order."""
    return "k:" + orjson.dumps(dict(zip(pairs[::2], pairs[1::2], strict=True))).decode()


@lru_cache(maxsize=16384)
def _value_element(text: str) -> str:
    return "v:" + orjson.dumps(text).decode()


def value_element(value: Any) -> str:
    """``v:"a"`` of an item of a set."""
    return _value_element(value) if isinstance(value, str) else "v:" + orjson.dumps(value).decode()


@lru_cache(maxsize=16384)
def field_element(name: str) -> str:
    return "f:" + name


def _rank(element: str) -> tuple[int, str]:
    return ".fkvi".find(element[0]), element


def in_order(found: Set) -> Set:
    """The same elements in the order in which they are printed."""
    if len(found) < 2:
        return found
    names = list(found)
    ordered = sorted(names)
    if ordered[-1] > "j" and any(name[0] == "i" for name in ordered):
        # Places come last, though their letter does not.
        ordered.sort(key=_rank)
    return found if names == ordered else {name: found[name] for name in ordered}


def _normal(found: Set) -> Set | None:
    if not found:
        return None
    return LEAF if len(found) == 1 and SELF in found else found


def union(left: Set, right: Set) -> Set:
    """Everything in either; ``left`` itself when it has it all."""
    if not left:
        return right
    return _union_children(left, right) if right else left


def _union(left: Set, right: Set) -> Set:
    if left is right:
        return left
    if not left:
        return right if not right or SELF in right else {SELF: LEAF, **right}
    if not right:
        return left if SELF in left else {SELF: LEAF, **left}
    return _union_children(left, right)


def _union_children(left: Set, right: Set) -> Set:
    if left is right:
        return left
    out: Set | None = None
    added = False
    for name, theirs in right.items():
        mine = left.get(name)
        if mine is None:
            added = True
            new = theirs
        else:
            new = _union(mine, theirs)
            if new is mine:
                continue
        if out is None:
            out = dict(left)
        out[name] = new
    if out is None:
        return left
    return in_order(out) if added else out


def difference(left: Set, right: Set) -> Set:
    """What is in ``left`` only; ``left`` itself when nothing goes. The root is empty when nothing is left."""
    if not left or not right:
        return left
    return _difference(left, right, True) or EMPTY


def _difference(left: Set, right: Set, root: bool = False) -> Set | None:
    if left is right:
        return None
    if not left:
        return None if not right or SELF in right else left
    if not right:
        if SELF not in left:
            return left
        return {name: item for name, item in left.items() if name != SELF} or None
    out: Set | None = None
    for name, theirs in right.items():
        mine = left.get(name)
        if mine is None:
            continue
        new = _difference(mine, theirs)
        if new is mine:
            continue
        if out is None:
            out = dict(left)
        if new is None:
            del out[name]
        else:
            out[name] = new
    if out is None:
        return left
    return (out or None) if root else _normal(out)


def intersection(left: Set, right: Set) -> Set:
    """What is in both."""
    if not left or not right:
        return EMPTY
    return _intersection(left, right, True) or EMPTY


def _intersection(left: Set, right: Set, root: bool = False) -> Set | None:
    if left is right:
        return left
    if not left:
        return LEAF if not right or SELF in right else None
    if not right:
        return LEAF if SELF in left else None
    out: Set = {}
    for name, mine in left.items():
        theirs = right.get(name)
        if theirs is None:
            continue
        both = _intersection(mine, theirs)
        if both is not None:
            out[name] = both
    return (out or None) if root else _normal(out)


def is_member(found: Set | None) -> bool:
    """Whether the element that has these children is itself in the set."""
    return found is not None and (not found or SELF in found)


def with_named_fields(found: Set, node: Node | None) -> Set:
    """The set with every field of a struct that has children as a member too."""
    out: Set = {}
    for name, item in found.items():
        if name == SELF or not item:
            out[name] = item
            continue
        inner = child_type(node, name)
        new = with_named_fields(item, inner)
        if SELF not in new and isinstance(node, Struct) and name.startswith("f:") and name[2:] in node.fields:
            new = {SELF: LEAF, **new}
        out[name] = new
    return out


def child_type(node: Node | None, element: str) -> Node | None:
    """The type of what an element stands for."""
    if isinstance(node, Struct):
        field = node.fields.get(element[2:])
        return field.node if field else None
    if isinstance(node, Map):
        return node.values
    if isinstance(node, List):
        return node.items
    return None


def shown(element: str) -> str:
    """An element as paths print it."""
    kind, text = element[:2], element[2:]
    if kind == "f:":
        return "." + text
    if kind == "k:":
        pairs = orjson.loads(text)
        return "[" + ",".join(f"{name}={orjson.dumps(pairs[name]).decode()}" for name in sorted(pairs)) + "]"
    return f"[={text}]" if kind == "v:" else f"[{text}]"


def paths(found: Set, prefix: str = "") -> Iterator[str]:
    """The path of every member, as conflicts print them: ``.spec.containers[name="a"].image``."""
    for name, item in found.items():
        if name != SELF and is_member(item):
            yield prefix + shown(name)
    for name, item in found.items():
        if name != SELF and item:
            yield from paths(item, prefix + shown(name))


def outermost(found: Set, prefix: str = "") -> Iterator[str]:
    """As ``paths``, but nothing below a member: what stands there came or went with it."""
    for name, item in found.items():
        if name == SELF:
            continue
        if is_member(item):
            yield prefix + shown(name)
        else:
            yield from outermost(item, prefix + shown(name))


def from_paths(dotted: tuple[str, ...]) -> Set:
    """The set of plain fields such as ``status`` or ``metadata.ownerReferences``."""
    found: Set = {}
    for path in dotted:
        at = found
        steps = path.split(".")
        for step in steps[:-1]:
            at = at.setdefault("f:" + step, {})
        at["f:" + steps[-1]] = {}
    return found


def without_subtrees(found: Set, excluded: Set) -> Set:
    """The set without everything at or below the members of ``excluded``."""
    out: Set | None = None
    for name, theirs in excluded.items():
        mine = found.get(name)
        if mine is None:
            continue
        new = None if not theirs else (without_subtrees(mine, theirs) or None)
        if new is mine:
            continue
        if out is None:
            out = dict(found)
        if new is None:
            del out[name]
        else:
            out[name] = new
    return found if out is None else out
