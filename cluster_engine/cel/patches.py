"""The messages that mutations make: ``Object{spec: Object.spec{…}}`` and ``JSONPatch{op: …}``.

Models k8s.io/apiserver/pkg/cel/mutation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from json import dumps

from cluster_engine.cel.parser import children
from cluster_engine.cel.syntax import Message, Node
from cluster_engine.cel.types import DYN, STRING, Type, list_of, object_of


class _AnyField(Mapping[str, Type]):
    """Every field, of any type: what an object may have is checked when it is merged."""

    def __getitem__(self, name: str) -> Type:
        return DYN

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


_ANY = _AnyField()
OBJECT = object_of("Object", _ANY)
"""What an ``applyConfiguration`` gives."""

JSON_PATCH = object_of("JSONPatch", {"op": STRING, "path": STRING, "from": STRING, "value": DYN})
PATCH = list_of(JSON_PATCH)
"""What a ``jsonPatch`` gives."""


class _Messages(Mapping[str, Type]):
    """``Object``, ``Object.any.path`` and ``JSONPatch``."""

    def __getitem__(self, name: str) -> Type:
        if name == JSON_PATCH.name:
            return JSON_PATCH
        if name == OBJECT.name or name.startswith("Object."):
            return object_of(name, _ANY)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter((OBJECT.name, JSON_PATCH.name))

    def __len__(self) -> int:
        return 2


MESSAGES: Mapping[str, Type] = _Messages()
"""The messages that mutations may make."""


def misnamed(tree: Node) -> str:
    """What is wrong with the name of an object within another one; nothing when all stand where they say."""
    left: list[tuple[Node, str]] = [(tree, "")]
    while left:
        node, path = left.pop()
        if not isinstance(node, Message) or node.name == JSON_PATCH.name:
            left += [(child, path) for child in children(node)]
            continue
        if path and node.name != path:
            return (
                f"unexpected type name {dumps(node.name)}, expected {dumps(path)}, which matches field name path from "
                "root Object type"
            )
        left += [(entry.value, f"{node.name}.{entry.key}") for entry in node.entries]
    return ""
