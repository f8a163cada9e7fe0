"""What an API server answers without etcd: from its watch cache, which may be stale.

Models k8s.io/apiserver/pkg/storage/cacher (delegator.go, ShouldDelegateList) and the resources that have no such cache.
"""

from __future__ import annotations

from .requests import RequestInfo, first
from .types import Request

_UNCACHED = ("events", "events.events.k8s.io")


def is_cached(request: Request, info: RequestInfo) -> bool:
    """Whether a read of stored objects needs no word of etcd: who names a resourceVersion takes what is there."""
    if info.group_resource in _UNCACHED:
        return False
    if info.verb == "watch":
        return first(request, "resourceVersion") not in (None, "") or not first(request, "sendInitialEvents")
    return any(first(request, name) for name in ("resourceVersion", "continue"))
