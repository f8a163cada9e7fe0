"""The in-process client: the API server's semantics without the bytes.

Models k8s.io/client-go/kubernetes (typed clients) over the registry of the same process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cluster_engine.apimachinery.cow import JSON

if TYPE_CHECKING:
    from cluster_engine.kube_apiserver import APIServer, RequestContext, UserInfo


class Client:
    """Acts as one user under one field manager. All methods raise ApiError; objects are shared: do not mutate."""

    def __init__(self, server: APIServer, user: UserInfo, manager: str) -> None:
        self._registry = server.registry
        self._user = user
        self._manager = manager
        self._contexts: dict[str, RequestContext] = {}

    def _context(self, subresource: str = "") -> RequestContext:
        context = self._contexts.get(subresource)
        if context is None:
            from cluster_engine.kube_apiserver import RequestContext

            context = self._contexts[subresource] = RequestContext(
                self._user, manager=self._manager, subresource=subresource, trusted=True
            )
        context.warnings.clear()
        return context

    def get(self, resource: str, name: str, namespace: str | None = None) -> JSON:
        """The object. Raises ApiError 404."""
        return self._registry.get(self._context(), resource, namespace, name)

    def list(
        self, resource: str, namespace: str | None = None, label_selector: str = "", field_selector: str = ""
    ) -> list[JSON]:
        return self._registry.list(self._context(), resource, namespace, label_selector, field_selector)

    def create(self, resource: str, obj: JSON) -> JSON:
        """What was stored. Raises ApiError 409 when it exists, 403 when admission refuses, 422 when invalid."""
        return self._registry.create(self._context(), resource, obj["metadata"].get("namespace"), obj)

    def update(self, resource: str, obj: JSON, subresource: str = "") -> JSON:
        meta = obj["metadata"]
        return self._registry.update(
            self._context(subresource), resource, meta.get("namespace"), meta["name"], obj
        )

    def update_status(self, resource: str, obj: JSON) -> JSON:
        """Writes ``status`` alone."""
        return self.update(resource, obj, "status")

    def patch(
        self,
        resource: str,
        name: str,
        namespace: str | None,
        patch: Any,
        type: str = "strategic",
        subresource: str = "",
        force: bool = False,
    ) -> JSON:
        """``type`` is strategic, merge, json or apply."""
        return self._registry.patch(
            self._context(subresource), resource, namespace, name, type, patch, force=force
        )

    def delete(
        self,
        resource: str,
        name: str,
        namespace: str | None = None,
        grace_period: int | None = None,
        uid: str | None = None,
        propagation: str | None = None,
    ) -> JSON:
        """``propagation`` is Background, Foreground or Orphan; ``uid`` must match when given."""
        options: JSON = {}
        if grace_period is not None:
            options["gracePeriodSeconds"] = grace_period
        if uid is not None:
            options["preconditions"] = {"uid": uid}
        if propagation is not None:
            options["propagationPolicy"] = propagation
        return self._registry.delete(self._context(), resource, namespace, name, options)

    def bind(self, pod: JSON, node_name: str) -> None:
        """Assigns the Pod to the node (pods/binding), as the scheduler does."""
        meta = pod["metadata"]
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]},
            "target": {"kind": "Node", "name": node_name},
        }
        self._registry.bind(self._context("binding"), meta["namespace"], meta["name"], binding)
