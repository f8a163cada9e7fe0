"""Helpers of the tests in this folder."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import yaml

from cluster_engine.api import KINDS
from cluster_engine.apimachinery.cow import freeze
from cluster_engine.apimachinery.scheme import Kind

BY_KIND: dict[str, Kind] = {kind.kind: kind for kind in KINDS}
NOW = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z


class Addresses:
    """Stands for the server's allocators: 10.96.1.1, 10.96.1.2 … and 30001, 30002 …"""

    def __init__(self) -> None:
        self.given = 0

    def cluster_ip(self, uid: str) -> str:
        self.given += 1
        return f"10.96.1.{self.given}"

    def node_port(self, uid: str, what: str, mine: object = ()) -> int:
        self.given += 1
        return 30_000 + self.given

    def cluster_ip_problem(self, address: str, uid: str = "") -> str:
        return (
            f"failed to allocate IP {address}: provided IP is already allocated"
            if address == "10.96.0.1"
            else ""
        )

    def node_port_problem(self, port: int, uid: str = "") -> str:
        return "provided port is already allocated" if port == 30999 else ""


def load(text: str) -> Any:
    return yaml.safe_load(text)


def merged(base: Any, change: Any) -> Any:
    """`base` with `change` laid over it; None removes a field; lists are replaced."""
    if not (isinstance(base, dict) and isinstance(change, dict)):
        return deepcopy(change)
    out = dict(base)
    for name, value in change.items():
        if value is None:
            out.pop(name, None)
        else:
            out[name] = merged(base.get(name), value)
    return out


def created(obj: Any) -> Any:
    """The object as a create stores it, before validation; nothing on the way may mutate it."""
    kind = BY_KIND[obj["kind"]]
    meta = {"name": "x", "uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z", **obj.get("metadata", {})}
    if kind.namespaced:
        meta.setdefault("namespace", "default")
    obj = freeze({**obj, "metadata": meta})
    obj = freeze(kind.prepare_create(freeze(kind.default(obj))))
    if kind.allocate is not None:
        obj = freeze(kind.allocate(obj, Addresses()))
    return obj


def updated(old: Any, new: Any) -> tuple[Any, list[str]]:
    """What an update stores, and what is wrong with it."""
    kind = BY_KIND[old["kind"]]
    new = freeze(kind.prepare_update(freeze(kind.default(freeze(new))), old))
    if kind.allocate is not None:
        new = freeze(kind.allocate(new, Addresses()))
    return new, [str(problem) for problem in kind.validate_update(new, old)]


def problems(obj: Any) -> list[str]:
    """What is wrong with a new object, as text."""
    obj = created(obj)
    return [str(problem) for problem in BY_KIND[obj["kind"]].validate(obj)]
