"""ClusterRoleBinding. Models pkg/registry/rbac/clusterrolebinding/strategy.go."""

from __future__ import annotations

from cluster_engine.api.meta import check_meta
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError
from cluster_engine.apimachinery.scheme import Kind

from .rules import GROUP, binding_columns, binding_row, check_binding, check_role_ref, default_binding

_KINDS = ("ClusterRole",)


def validate(binding: JSON) -> list[FieldError]:
    """What is wrong with a new one."""
    return check_meta(binding, namespaced=False, name_rule="path_segment") + check_binding(
        binding, _KINDS, namespaced=False
    )


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """What is wrong with a changed one."""
    return check_binding(new, _KINDS, namespaced=False) + check_role_ref(new, old)


KIND = Kind(
    group=GROUP,
    version="v1",
    kind="ClusterRoleBinding",
    resource="clusterrolebindings",
    singular="clusterrolebinding",
    namespaced=False,
    create_on_update=True,
    columns=binding_columns("rbac.v1.ClusterRoleBinding", "clusterRoleBinding"),
    row=binding_row,
    default=default_binding,
    validate=validate,
    validate_update=validate_update,
)
