"""ServiceAccount.

Models pkg/registry/core/serviceaccount/strategy.go.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.meta import check_meta
from cluster_engine.api.printing import AGE, NAME, age, doc
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.scheme import Column, Kind, Subresource

_ENFORCE = "kubernetes.io/enforce-mountable-secrets"


def row(account: JSON, now: int) -> list[Any]:
    """The cells of a ServiceAccount."""
    return [account["metadata"]["name"], len(account.get("secrets") or ()), age(account, now)]


def warnings(account: JSON) -> list[str]:
    """The mountable secrets annotation is on its way out."""
    if _ENFORCE not in (account["metadata"].get("annotations") or {}):
        return []
    return [
        f"metadata.annotations[{_ENFORCE}]: deprecated in v1.32+; "
        "prefer separate namespaces to isolate access to mounted secrets"
    ]


KIND = Kind(
    group="",
    version="v1",
    kind="ServiceAccount",
    resource="serviceaccounts",
    singular="serviceaccount",
    namespaced=True,
    short_names=("sa",),
    subresources={
        "token": Subresource(("create",), ("authentication.k8s.io", "v1", "TokenRequest"), "token")
    },
    columns=(NAME, Column("Secrets", description=doc("core.v1.ServiceAccount", "secrets")), AGE),
    row=row,
    validate=check_meta,
    warnings=warnings,
    returns_deleted=True,
)
