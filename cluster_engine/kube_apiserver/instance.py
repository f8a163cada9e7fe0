"""One cluster's API server, wired."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.scheme import Scheme
from cluster_engine.etcd import Store
from cluster_engine.sim import Chance, Clock

from . import audit
from .admission import Chain, Host, enabled
from .authentication import Authenticator
from .authorization import RBACAuthorizer, authorizers
from .budgets import OBJECT_LIMIT, Budgets
from .escalation import guards
from .handlers import Handlers
from .node_api import NodeProxy
from .registry import Registry
from .sessions import Sessions
from .trail import Trail
from .types import Deleted, Request, Response


class APIServer:
    """The semantic layer (`registry`), who may (`authorizer`), the HTTP behaviour (`handle`) and the way to the
    nodes (`node_proxy`).

    Kept bytes and chunked lists are caches.
    """

    def __init__(
        self, clock: Clock, chance: Chance, store: Store, scheme: Scheme, options: Any = None
    ) -> None:
        """`options` may have max_pods, max_objects, max_object_bytes, tokens (bearer token → UserInfo), audit_policy
        and admission_plugins. Raises PolicyError, ValueError.
        """
        defaults = Budgets()
        budgets = Budgets(
            getattr(options, "max_pods", defaults.max_pods),
            getattr(options, "max_objects", defaults.max_objects),
            getattr(options, "max_object_bytes", OBJECT_LIMIT),
        )
        self._store = store
        self.node_proxy = NodeProxy()
        self.authenticator = Authenticator(clock, store, chance.seed, getattr(options, "tokens", None))
        self._rbac = rbac = RBACAuthorizer(store)
        self.authorizer = authorizers(store, rbac)
        host = Host(scheme, self.authorizer, self.node_proxy)
        plugins = enabled(getattr(options, "admission_plugins", ""))
        chain = Chain([plugin(host) for plugin in plugins], store)
        self.registry = Registry(clock, chance, store, scheme, chain, budgets, self.node_proxy)
        self.registry.guards.update(guards(self.authorizer, rbac))
        self.sessions = Sessions(self.node_proxy)
        policy = getattr(options, "audit_policy", "")
        self.audit = audit.Log(audit.loaded(policy)) if policy else None
        self._handlers = Handlers(
            clock,
            chance,
            store,
            self.registry,
            self.authenticator,
            self.authorizer,
            self.node_proxy,
            self.sessions,
            self.audit,
        )

    def admit(self, request: Request) -> Response | None:
        """The first half of a request's way: settles who asks, and answers what changes nothing or is refused.

        None: it may change the cluster, so it is journaled first and then carried out by `handle`.
        """
        return self._handlers.admit(request)

    def handle(self, request: Request, entry: int = 0) -> Response:
        """The second half: the reply, whatever the request is; errors as their Status, a bug as a 500.

        `entry` is its number in the journal, 0 for what is not journaled.
        """
        return self._handlers.handle(request, entry)

    def serve(self, request: Request) -> Response:
        """The whole way of a request that came over the cluster's own network: nobody journals it, and a replay
        meets it again. A watch or a followed log is its caller's to take from and to cancel.
        """
        return self._handlers.serve(request)

    @property
    def revision(self) -> int:
        """That of the latest write."""
        return self._store.revision

    def not_simulated(self, request: Request, what: str) -> Response:
        """The refusal of what the cluster knows of and does not do."""
        return self.failure(request, errors.not_simulated(what))

    def mounted_token(self, args: list[Any]) -> str:
        """See ``Authenticator.mounted``."""
        return self.authenticator.mounted(args)

    def mutates(self, request: Request) -> bool:
        """Whether the request may change the cluster and so belongs in the journal."""
        return self._handlers.mutates(request)

    def refused_stream(self, request: Request) -> Response | None:
        """What a stream (exec, attach, portforward) would refuse, before it is opened; None: it may be."""
        return self._handlers.refused_stream(request)

    def refused_path(self, request: Request) -> Response | None:
        """Settles who asks for a path that is no resource, and refuses those who may not; None: they may."""
        return self._handlers.refused_path(request)

    def open_session(self, request: Request, entry: int) -> Response | None:
        """Begins the exec or attach session ``s<entry>``; the refusal, or None."""
        refusal = self._handlers.open_session(request, entry)
        if refusal is not None:
            self.sessions.forget(f"s{entry}")
        return refusal

    def refused_upgrade(self, request: Request) -> Response | None:
        """The refusal of a request that needs an upgrade and came without; None: it needs none."""
        return self._handlers.refused_upgrade(request)

    def failure(self, request: Request, problem: Any) -> Response:
        """The reply that an ApiError makes."""
        return self._handlers.failure(request, problem)

    def guarded(self, request: Request, step: Callable[[Request], Response | None]) -> Response | None:
        """What a step of answering gives that is done outside; an ApiError as its Status, a bug as a 500."""
        return self._handlers.guarded(request, 0, step)

    def deleted(self, request: Request, deleted: Deleted) -> Response:
        """What the deletion of a collection answers, where it was carried out in portions: all of them together."""
        return self._handlers.deleted(request, deleted)

    @property
    def trail(self) -> Trail:
        """The latest requests that came from outside; no part of the state."""
        return self._handlers.trail

    def share(self, other: APIServer) -> None:
        """As ``load``, from another server of this process."""
        self.trail.share(other.trail)
        self._handlers.counts.share(other._handlers.counts)
        self._rbac.share(other._rbac)
        self.registry.identities.share(other.registry.identities)
        self.sessions.load(other.sessions.state())

    def state(self) -> JSON:
        """What is beyond the store: how many names and uids were given by which key, and open sessions."""
        return {"identities": self.registry.identities.state(), "sessions": self.sessions.state()}

    def load(self, state: JSON) -> None:
        """Takes over what ``state`` gave."""
        self._rbac.forget()
        self.registry.identities.load(state["identities"])
        self.sessions.load(state["sessions"])
