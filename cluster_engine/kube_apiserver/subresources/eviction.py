"""eviction: a delete that asks first. Disruption budgets are not served yet, so nothing forbids it.

Models pkg/registry/core/pod/storage/eviction.go.
"""

from __future__ import annotations

from typing import Protocol

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON

from ..types import RequestContext


class Pods(Protocol):
    """What an eviction needs of the registry."""

    def find(self, resource: str, namespace: str | None, name: str) -> JSON | None: ...

    def delete(
        self,
        ctx: RequestContext,
        resource: str,
        namespace: str | None,
        name: str,
        options: JSON | None = None,
    ) -> JSON: ...


def evict(registry: Pods, ctx: RequestContext, namespace: str, name: str, eviction: JSON) -> JSON:
    """Delete the Pod with the eviction's options. Raises ApiError 400, 404, 409, 422."""
    given = (eviction.get("metadata") or {}).get("name", "")
    if given and given != name:
        raise errors.bad_request(f"name in URL does not match name in Eviction object: {given} != {name}")
    pod = registry.find("pods", namespace, name)
    if pod is None:
        raise errors.not_found("pods", name)
    registry.delete(ctx, "pods", namespace, name, eviction.get("deleteOptions") or {})
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
