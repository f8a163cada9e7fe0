"""One cluster's API server, wired."""

from __future__ import annotations

from typing import Any

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.scheme import Scheme
from cluster_engine.etcd import Store
from cluster_engine.sim import Chance, Clock

from .admission import PLUGINS, Chain
from .authentication import Authenticator
from .budgets import OBJECT_LIMIT, Budgets
from .handlers import Handlers
from .node_api import NodeProxy
from .registry import Registry
from .types import Request, Response, UserInfo


class APIServer:
    """The semantic layer (`registry`), the HTTP behaviour (`handle`) and the way to the nodes (`node_proxy`).

    Kept bytes and chunked lists are caches.
    """

    def __init__(
        self, clock: Clock, chance: Chance, store: Store, scheme: Scheme, options: Any = None
    ) -> None:
        """`options` may have max_pods, max_objects, max_object_bytes, tokens (bearer token → UserInfo)."""
        defaults = Budgets()
        budgets = Budgets(
            getattr(options, "max_pods", defaults.max_pods),
            getattr(options, "max_objects", defaults.max_objects),
            getattr(options, "max_object_bytes", OBJECT_LIMIT),
        )
        self.node_proxy = NodeProxy()
        self.authenticator = Authenticator(clock, store, chance.seed, getattr(options, "tokens", None))
        chain = Chain([plugin() for plugin in PLUGINS])
        self.registry = Registry(clock, chance, store, scheme, chain, budgets)
        self._handlers = Handlers(clock, store, self.registry, self.authenticator, self.node_proxy)

    def handle(self, request: Request) -> Response:
        """The reply to a request, whatever it is. Never raises ApiError."""
        return self._handlers.handle(request)

    def mutates(self, request: Request) -> bool:
        """Whether the request may change the cluster and so belongs in the journal."""
        return self._handlers.mutates(request)

    def authenticate(self, request: Request) -> UserInfo:
        """The user behind the request, impersonation included. Raises ApiError 401, 403."""
        return self.authenticator.identify(request)

    def check_stream(self, request: Request) -> None:
        """Refuse, before a stream is opened, what it would refuse. Raises ApiError."""
        self._handlers.check_stream(request)

    def failure(self, request: Request, problem: Any) -> Response:
        """The reply that an ApiError makes."""
        return self._handlers.failure(request, problem)

    def state(self) -> JSON:
        """What is beyond the store: how many names and uids were given by which key."""
        return self.registry.identities.state()

    def load(self, state: JSON) -> None:
        """Takes over what ``state`` gave."""
        self.registry.identities.load(state)
