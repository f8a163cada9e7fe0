"""Copy-on-write on JSON-shaped objects.

Stored objects are shared by reference between etcd, informers and watchers, so nobody may change one in
place. These helpers build a new object that shares every untouched part with the old one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

JSON = dict[str, Any]
Path = tuple[str | int, ...]
_MISSING = object()


def get(obj: Any, *path: str | int, default: Any = None) -> Any:
    """The value at ``path``, or ``default`` when any step is missing or null."""
    for step in path:
        if isinstance(obj, dict):
            obj = obj.get(step)
        elif isinstance(obj, list) and isinstance(step, int) and -len(obj) <= step < len(obj):
            obj = obj[step]
        else:
            return default
        if obj is None:
            return default
    return obj


def put(obj: JSON, path: Path, value: Any) -> JSON:
    """A new object with ``value`` at ``path``; dicts on the way are made where missing."""
    if not path:
        raise ValueError("empty path")
    new: JSON = _put(obj, path, 0, value)
    return new


def _put(node: Any, path: Path, index: int, value: Any) -> Any:
    if index == len(path):
        return value
    step = path[index]
    if isinstance(step, int):
        items = list(node)
        items[step] = _put(items[step], path, index + 1, value)
        return items
    node = node or {}
    return {**node, step: _put(node.get(step), path, index + 1, value)}


def drop(obj: JSON, path: Path) -> JSON:
    """A new object without what stands at ``path``; the same object when nothing stands there."""
    head, rest = path[0], path[1:]
    if isinstance(head, int):
        raise TypeError("drop removes named fields only")
    if head not in obj:
        return obj
    if not rest:
        return {name: value for name, value in obj.items() if name != head}
    child = obj[head]
    if not isinstance(child, dict):
        return obj
    smaller = drop(child, rest)
    return obj if smaller is child else {**obj, head: smaller}


def with_meta(obj: JSON, **fields: Any) -> JSON:
    """A new object with these metadata fields set; a field given as None is removed."""
    meta = {**obj.get("metadata", {}), **fields}
    for name, value in fields.items():
        if value is None:
            del meta[name]
    return {**obj, "metadata": meta}


def sharing(new: JSON, old: JSON) -> JSON:
    """``new`` with each part (of the object, of its metadata) that equals the old one replaced by it.

    The very object ``old`` when nothing differs. So that whether a part changed is a question of identity.
    """
    meta, before = new["metadata"], old["metadata"]
    if meta is not before:
        shared = _shared(meta, before)
        if shared is not meta:
            new = {**new, "metadata": shared}
    return _shared(new, old, "metadata")


def _shared(new: JSON, old: JSON, settled: str = "") -> JSON:
    changed: JSON = {}
    same = len(new) == len(old)
    for name, value in new.items():
        before = old.get(name, _MISSING)
        if value is before:
            continue
        if name != settled and value == before:
            changed[name] = before
        else:
            same = False
    if same:
        return old
    return {**new, **changed} if changed else new


def unshared(new: JSON, old: JSON) -> list[str]:
    """The parts of ``new`` that equal the old ones without being them: ``sharing`` was forgotten."""
    pairs = [(new, old, ""), (new["metadata"], old["metadata"], "metadata.")]
    return [
        prefix + name
        for after, before, prefix in pairs
        for name, value in after.items()
        if isinstance(value, (dict, list)) and value is not before.get(name) and value == before.get(name)
    ]


def compact(obj: JSON, keep: Sequence[str] = ()) -> JSON:
    """Without zeros, empty lists and None, as Go's omitempty writes; the fields in ``keep`` stay."""
    return {name: value for name, value in obj.items() if value or name in keep}


def key_of(obj: JSON) -> str:
    """The key that the store and all queues use: ``namespace/name``, or ``name`` without a namespace."""
    meta = obj["metadata"]
    namespace = meta.get("namespace")
    name: str = meta["name"]
    return f"{namespace}/{name}" if namespace else name


def split_key(key: str) -> tuple[str | None, str]:
    """(namespace or None, name)."""
    namespace, slash, name = key.rpartition("/")
    return (namespace if slash else None), name


def owner_reference(owner: JSON, controller: bool = True) -> JSON:
    """An ownerReference to ``owner``, blocking its foreground deletion, as metav1.NewControllerRef makes."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": controller,
        "blockOwnerDeletion": True,
    }


def controller_of(obj: JSON) -> JSON | None:
    """The ownerReference that is the controller, if any."""
    for reference in obj["metadata"].get("ownerReferences", ()):
        if reference.get("controller"):
            found: JSON = reference
            return found
    return None


def _refuse(*_args: Any, **_kwargs: Any) -> NoReturn:
    raise TypeError("a stored object must not be mutated: build a new one (cluster_engine.apimachinery.cow)")


class FrozenDict(dict[str, Any]):
    """A dict that raises TypeError on mutation (tests)."""

    __slots__ = ()
    __setitem__ = __delitem__ = _refuse
    clear = pop = popitem = setdefault = update = __ior__ = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)  # in another process it is a dict as any


class FrozenList(list[Any]):
    """A list that raises TypeError on mutation (tests)."""

    __slots__ = ()
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = clear = extend = insert = pop = remove = reverse = sort = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (list(self),)


def freeze(value: Any) -> Any:
    """The same value with every dict and list frozen; what is frozen already is returned as it is."""
    if isinstance(value, (FrozenDict, FrozenList)):
        return value
    if isinstance(value, dict):
        return FrozenDict({name: freeze(item) for name, item in value.items()})
    if isinstance(value, list):
        return FrozenList(freeze(item) for item in value)
    return value
