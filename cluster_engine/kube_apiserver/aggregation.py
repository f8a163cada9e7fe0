"""Groups that a Service is to answer for, and that nobody answers for now.

Models k8s.io/kube-aggregator/pkg/apiserver (handler_proxy.go, handler_apis.go, handler_discovery.go).
"""

from __future__ import annotations

from cluster_engine.api.apiregistration.v1.apiservice import RESOURCE
from cluster_engine.apimachinery import errors
from cluster_engine.etcd import Store

from .types import Response

GroupVersion = tuple[str, str]
_UNAVAILABLE = "the server is currently unable to handle the request"


def delegated(store: Store) -> tuple[GroupVersion, ...]:
    """The group versions whose APIService names a Service, in the order of their names."""
    specs = [service["spec"] for service in store.range(RESOURCE)]
    return tuple((spec.get("group") or "", spec["version"]) for spec in specs if spec.get("service"))


def unanswered(store: Store, resource: str) -> errors.ApiError:
    """What a component is told of a resource that no kind is: 503 where a Service should answer for its group.

    ``resource`` is a group-resource such as ``pods.metrics.k8s.io``; the text is what client-go makes of either.
    """
    group = resource.partition(".")[2]
    if any(each == group for each, _version in delegated(store)):
        return errors.service_unavailable(_UNAVAILABLE)
    return errors.no_such_resource()


def unavailable() -> Response:
    """What the proxy says while an APIService is not Available (proxyError)."""
    headers = {"content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff"}
    return Response(503, headers, b"service unavailable\n")
