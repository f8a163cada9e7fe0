"""What a kind is: its names, its routes, its strategy, its printed columns.

A kind is one file in ``cluster_engine/api/<group>/<version>/`` that ends in ``KIND = Kind(...)``; routes,
discovery, watch, printing and ``kubectl explain`` follow from it.

Models k8s.io/apiserver/pkg/registry/generic/registry.Store and rest.RESTCreateStrategy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cluster_engine.apimachinery.cow import JSON

if TYPE_CHECKING:
    from cluster_engine.apimachinery.errors import FieldError

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Column:
    """One printed column (metav1.TableColumnDefinition). Priority above 0 shows with ``-o wide`` only."""

    name: str
    type: str = "string"
    format: str = ""
    description: str = ""
    priority: int = 0


def _same(obj: JSON) -> JSON:
    return obj


def _same_update(new: JSON, old: JSON) -> JSON:
    return new


def _valid(obj: JSON) -> list[FieldError]:
    return []


def _valid_update(new: JSON, old: JSON) -> list[FieldError]:
    return []


def _no_warnings(obj: JSON) -> Sequence[str]:
    return ()


def _name_only(obj: JSON, now: int) -> list[Any]:
    return [obj["metadata"]["name"], obj["metadata"].get("creationTimestamp")]


@dataclass(frozen=True)
class Kind:
    """A served kind. All hooks are pure; objects go in unchanged and new ones come out."""

    group: str
    version: str
    kind: str
    resource: str
    singular: str
    namespaced: bool
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    subresources: tuple[str, ...] = ()
    columns: tuple[Column, ...] = (
        Column("Name", format="name", description="Name must be unique within a namespace."),
        Column("Created At", type="date", description="When the object was created."),
    )
    row: Callable[[JSON, int], list[Any]] = _name_only
    default: Callable[[JSON], JSON] = _same
    prepare_create: Callable[[JSON], JSON] = _same
    prepare_update: Callable[[JSON, JSON], JSON] = _same_update
    prepare_status: Callable[[JSON, JSON], JSON] = _same_update
    validate: Callable[[JSON], list[FieldError]] = _valid
    validate_update: Callable[[JSON, JSON], list[FieldError]] = _valid_update
    validate_status: Callable[[JSON, JSON], list[FieldError]] = _valid_update
    warnings: Callable[[JSON], Sequence[str]] = _no_warnings
    field_labels: Mapping[str, Callable[[JSON], str]] = field(default_factory=dict)
    grace: Callable[[JSON], int] | None = None
    """Seconds of grace a delete gives when the caller names none; None: deletion is immediate."""
    allocate: Callable[[JSON, Any], JSON] | None = None
    """Gives the object what only the server can give (cluster IPs, node ports); gets an AllocContext."""
    ttl: float | None = None
    """Seconds after which an unchanged object goes away (Events)."""

    @property
    def list_kind(self) -> str:
        return self.kind + "List"

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def group_resource(self) -> str:
        return f"{self.resource}.{self.group}" if self.group else self.resource
