"""ClusterRole. Models pkg/registry/rbac/clusterrole/strategy.go."""

from __future__ import annotations

from cluster_engine.api.meta import check_meta
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, required
from cluster_engine.apimachinery.scheme import Kind
from cluster_engine.apimachinery.validation import validate_label_selector

from .rules import GROUP, check_rules

_SELECTORS = "aggregationRule.clusterRoleSelectors"


def _check(role: JSON) -> list[FieldError]:
    problems = check_rules(role, namespaced=False)
    aggregation = role.get("aggregationRule")
    if aggregation is not None:
        selectors = aggregation.get("clusterRoleSelectors") or ()
        if not selectors:
            text = "at least one clusterRoleSelector required if aggregationRule is non-nil"
            problems.append(required(_SELECTORS, text))
        for index, selector in enumerate(selectors):
            problems += validate_label_selector(selector, f"{_SELECTORS}[{index}]")
    return problems


def validate(role: JSON) -> list[FieldError]:
    """What is wrong with a new one."""
    return check_meta(role, namespaced=False, name_rule="path_segment") + _check(role)


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """What is wrong with a changed one."""
    return _check(new)


KIND = Kind(
    group=GROUP,
    version="v1",
    kind="ClusterRole",
    resource="clusterroles",
    singular="clusterrole",
    namespaced=False,
    create_on_update=True,
    validate=validate,
    validate_update=validate_update,
)
