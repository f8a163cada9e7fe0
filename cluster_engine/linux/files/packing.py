"""A tree as what differs from another one, so that a keyframe does not hold what an image holds already.

The packing of a tree depends on the two trees alone, not on which objects they share.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.linux.files.tree import Node

Packed = dict[str, Any] | None
"""None: as in the base."""


def pack(node: Node, base: Node | None) -> Packed:
    """What makes ``node`` from ``base``. Directories list what changed (``e``) and what is gone (``-``);
    files name the pages of the base that they keep by ``0``."""
    if node is base or node == base:
        return None
    if base is None or node["t"] != base["t"] or node["t"] not in "df":
        if node["t"] != "d":
            return node
        return {**node, "e": {name: pack(child, None) for name, child in sorted(node["e"].items())}}
    if node["t"] == "f":
        old = base["p"]
        pages = [0 if at < len(old) and old[at] == page else page for at, page in enumerate(node["p"])]
        return {**node, "p": pages}
    before, after = base["e"], node["e"]
    changed = {}
    for name in sorted(after):
        if (packed := pack(after[name], before.get(name))) is not None:
            changed[name] = packed
    result = {**node, "e": changed}
    if gone := sorted(name for name in before if name not in after):
        result["-"] = gone
    return result


def unpack(packed: Packed, base: Node | None) -> Node:
    """The tree that was packed over this base; what did not change is the base's own objects."""
    if packed is None:
        if base is None:
            raise ValueError("a packed tree refers to a base that is not there")
        return base
    if packed["t"] == "d":
        kept = base["e"] if base is not None and base["t"] == "d" else {}
        gone = packed.get("-", ())
        entries = {name: child for name, child in kept.items() if name not in gone}
        for name, child in packed["e"].items():
            entries[name] = unpack(child, kept.get(name))
        return {key: value for key, value in packed.items() if key not in ("e", "-")} | {"e": entries}
    if packed["t"] == "f" and base is not None and base["t"] == "f":
        pages = [base["p"][at] if page == 0 else page for at, page in enumerate(packed["p"])]
        return {**packed, "p": pages}
    return packed
