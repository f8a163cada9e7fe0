"""The names of what a ResourceQuota counts.

Models pkg/apis/core/helper (IsStandardQuotaResourceName) and pkg/apis/core/validation (ValidateResourceName).
"""

from __future__ import annotations

from cluster_engine.apimachinery.errors import FieldError, invalid_value
from cluster_engine.apimachinery.validation import is_qualified_name

from .pod_spec.resources import OTHER_STANDARD, STANDARD

COUNTS = frozenset(
    {
        "pods",
        "services",
        "replicationcontrollers",
        "resourcequotas",
        "secrets",
        "configmaps",
        "persistentvolumeclaims",
        "services.nodeports",
        "services.loadbalancers",
    }
)
"""Of which there are whole numbers only."""
_HUGE = ("hugepages-", "requests.hugepages-")


def is_standard(name: str) -> bool:
    """A name that needs no domain."""
    return name in STANDARD or name in OTHER_STANDARD or name.startswith(_HUGE)


def is_standard_of_quotas(name: str) -> bool:
    """A name without a domain that a quota may count."""
    return name != "storage" and is_standard(name)


def check_standard_name(name: str, path: str) -> list[FieldError]:
    """A resource name in general (ValidateResourceName)."""
    problems = [invalid_value(path, name, text) for text in is_qualified_name(name)]
    if not problems and "/" not in name and not is_standard(name):
        problems.append(invalid_value(path, name, "must be a standard resource type or fully qualified"))
    return problems
