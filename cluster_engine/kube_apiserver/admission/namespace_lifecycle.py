"""NamespaceLifecycle: nothing is created in a namespace that is missing or going away.

Models k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle.
"""

from __future__ import annotations

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON

from .plugin import CREATE, DELETE, Attributes, Plugin

_IMMORTAL = ("default", "kube-system", "kube-public")


class NamespaceLifecycle(Plugin):
    """Concerns every create of a namespaced object and every delete of a namespace."""

    name = "NamespaceLifecycle"
    operations = (CREATE, DELETE)
    mutates = True  # as upstream: so that it speaks before anything else does
    validates = True

    def concerns(self, resource: str, operation: str, subresource: str) -> bool:
        if operation == DELETE:
            return resource == "namespaces"
        return operation == CREATE and resource != "namespaces" and not subresource

    def validate(self, attributes: Attributes) -> None:
        if attributes.operation == DELETE and attributes.name in _IMMORTAL:
            raise errors.forbidden("namespaces", attributes.name, "this namespace may not be deleted")

    def admit(self, attributes: Attributes, obj: JSON) -> JSON:
        namespace = attributes.namespace
        if not namespace:
            return obj
        found = attributes.store.get("namespaces", namespace)
        if found is None:
            raise errors.not_found("namespaces", namespace)
        if found["metadata"].get("deletionTimestamp"):
            problem = errors.forbidden(
                attributes.resource,
                attributes.name,
                f"unable to create new content in namespace {namespace} because it is being terminated",
            )
            cause = {
                "reason": "NamespaceTerminating",
                "message": f"namespace {namespace} is being terminated",
                "field": "metadata.namespace",
            }
            details = {**problem.status.get("details", {}), "causes": [cause]}
            raise errors.ApiError({**problem.status, "details": details})
        return obj
