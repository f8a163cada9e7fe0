"""The in-process client: the API server's semantics without the bytes.

Models k8s.io/client-go/kubernetes (typed clients) over the registry of the same process.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.kube_apiserver import Access, APIServer, RequestContext, UserInfo

CONTEXTS_LIMIT = 1_024
"""What a client remembers that it may do: verbs on resources; a full memory starts anew."""


class Client:
    """Acts as one user under one field manager. All methods raise ApiError; objects are shared: do not mutate.

    Each call is authorized as a request over HTTP is. What is allowed for every namespace and name is asked
    once, until the authorizers say that they have changed.
    """

    def __init__(self, server: APIServer, user: UserInfo, manager: str) -> None:
        self._registry = server.registry
        self._authorizer = server.authorizer
        self._user = user
        self._manager = manager
        self._asked_at = -1
        self._contexts: dict[tuple[str, str, str], RequestContext] = {}

    def _context(
        self, verb: str, resource: str, namespace: str | None, name: str, subresource: str = ""
    ) -> RequestContext:
        """The context of a call that the user may make. Raises ApiError 403."""
        if self._asked_at != self._authorizer.generation:
            self._asked_at = self._authorizer.generation
            self._contexts.clear()
        context = self._contexts.get((verb, resource, subresource))
        if context is None:
            return self._authorized(verb, resource, namespace, name, subresource)
        context.warnings.clear()
        return context

    def _authorized(
        self, verb: str, resource: str, namespace: str | None, name: str, subresource: str
    ) -> RequestContext:
        plural, _, group = resource.partition(".")
        decision = self._authorizer.check(
            Access(self._user, verb, group, plural, subresource, namespace or "", name)
        )
        context = RequestContext(self._user, manager=self._manager, subresource=subresource, trusted=True)
        if decision.everywhere:
            if len(self._contexts) >= CONTEXTS_LIMIT:
                self._contexts.clear()
            self._contexts[(verb, resource, subresource)] = context
        return context

    def may(self, user: JSON, verb: str, group: str, resource: str, subresource: str = "") -> bool:
        """A SubjectAccessReview: may somebody (an authentication.UserInfo) do this in every namespace?"""
        self._context("create", "subjectaccessreviews.authorization.k8s.io", None, "")
        asked = Access(UserInfo.from_dict(user), verb, group, resource, subresource)
        return self._authorizer.decide(asked).allowed

    def get(self, resource: str, name: str, namespace: str | None = None) -> JSON:
        """The object. Raises ApiError 404."""
        return self._registry.get(self._context("get", resource, namespace, name), resource, namespace, name)

    def list(
        self, resource: str, namespace: str | None = None, label_selector: str = "", field_selector: str = ""
    ) -> list[JSON]:
        context = self._context("list", resource, namespace, "")
        return self._registry.list(context, resource, namespace, label_selector, field_selector)

    def create(self, resource: str, obj: JSON, shape: Hashable = None) -> JSON:
        """What was stored. Raises ApiError 409 when it exists, 403 when admission refuses, 422 when invalid.

        ``shape`` spares the server a walk: objects of one kind that are given the same have the same fields, and the
        same of them are empty.
        """
        meta = obj["metadata"]
        namespace = meta.get("namespace")
        context = self._context("create", resource, namespace, meta.get("name") or "")
        return self._registry.create(context, resource, namespace, obj, shape)

    def update(self, resource: str, obj: JSON, subresource: str = "") -> JSON:
        meta = obj["metadata"]
        namespace, name = meta.get("namespace"), meta["name"]
        context = self._context("update", resource, namespace, name, subresource)
        return self._registry.update(context, resource, namespace, name, obj)

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
        context = self._context("patch", resource, namespace, name, subresource)
        return self._registry.patch(context, resource, namespace, name, type, patch, force=force)

    def keep_renewed(
        self, resource: str, name: str, namespace: str | None = None, seconds: float = 10.0
    ) -> None:
        """As if this client updated the object each so many seconds with nothing new but the time, from now on.

        Until it is deleted or anybody writes it: informers tell. Raises ApiError 404, 403.
        """
        context = self._context("update", resource, namespace, name)
        self._registry.keep_renewed(context, resource, namespace, name, seconds)

    def stop_renewing(self, resource: str, name: str, namespace: str | None = None) -> None:
        """The end of ``keep_renewed``. Nothing is written, so nothing is authorized."""
        self._registry.stop_renewing(resource, namespace, name)

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
        context = self._context("delete", resource, namespace, name)
        return self._registry.delete(context, resource, namespace, name, options)

    def bind(self, pod: JSON, node_name: str) -> None:
        """Assigns the Pod to the node (pods/binding), as the scheduler does."""
        meta = pod["metadata"]
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]},
            "target": {"kind": "Node", "name": node_name},
        }
        context = self._context("create", "pods", meta["namespace"], meta["name"], "binding")
        self._registry.bind(context, meta["namespace"], meta["name"], binding)
