"""eviction: a delete that asks first. Disruption budgets are not served yet, so nothing forbids it.

Models pkg/registry/core/pod/storage/eviction.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON

from ..types import RequestContext

if TYPE_CHECKING:
    from ..registry import Registry


def evict(registry: Registry, ctx: RequestContext, namespace: str, name: str, eviction: JSON) -> JSON:
    """Delete the Pod with the eviction's options. Raises ApiError 400, 404, 409, 422."""
    given = (eviction.get("metadata") or {}).get("name", "")
    if given and given != name:
        raise errors.bad_request(f"name in URL does not match name in Eviction object: {given} != {name}")
    pod = registry.find("pods", namespace, name)
    if pod is None:
        raise errors.not_found("pods", name)
    registry.delete(ctx, "pods", namespace, name, eviction.get("deleteOptions") or {})
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
