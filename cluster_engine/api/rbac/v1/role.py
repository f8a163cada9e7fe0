"""Role. Models pkg/registry/rbac/role/strategy.go."""

from __future__ import annotations

from cluster_engine.api.meta import check_meta
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError
from cluster_engine.apimachinery.scheme import Kind

from .rules import GROUP, check_rules


def validate(role: JSON) -> list[FieldError]:
    """What is wrong with a new one."""
    return check_meta(role, name_rule="path_segment") + check_rules(role, namespaced=True)


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """What is wrong with a changed one."""
    return check_rules(new, namespaced=True)


KIND = Kind(
    group=GROUP,
    version="v1",
    kind="Role",
    resource="roles",
    singular="role",
    namespaced=True,
    create_on_update=True,
    validate=validate,
    validate_update=validate_update,
)
