"""All resources of one cluster: what is read of them, and what admission is asked about them. Writes: `registry.py`."""

from __future__ import annotations

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.identity_cache import IdentityCache
from cluster_engine.apimachinery.scheme import Kind, Scheme
from cluster_engine.etcd import Store
from cluster_engine.sim import Chance, Clock

from .admission.plugin import CONNECT, CREATE, Attributes, Chain, admit, validate
from .aggregation import unanswered
from .allocators import AllocContext
from .budgets import Budgets
from .computed import ComputedStore
from .conversion import Conversions
from .encoding import SLACK
from .escalation import Guard
from .identities import Identities
from .node_api import NodeProxy
from .ownership import CreateOwners
from .selection import Selection
from .types import RequestContext

Objects = list[JSON]
_HOOKS = "admissionregistration.k8s.io"


class Resources:
    """The stored objects, and those that are made when they are asked for."""

    def __init__(
        self,
        clock: Clock,
        chance: Chance,
        store: Store,
        scheme: Scheme,
        chain: Chain,
        budgets: Budgets,
        nodes: NodeProxy,
    ) -> None:
        self.clock = clock
        self.store = store
        self.scheme = scheme
        self.budgets = budgets
        self._chain = chain
        self.identities = Identities(chance)
        self.conversions = Conversions(nodes, store, self.identities)
        self.guards: dict[str, Guard] = {}
        """By resource: who is asked first whether an object may be written so."""
        self.computed = ComputedStore(store, scheme, chance)
        self._allocators = AllocContext(store, chance)
        self.cache = IdentityCache(SLACK)
        """What is remembered of this cluster's objects."""
        self._create_owners = CreateOwners(self.cache)
        scheme.follow(self.cache.clear)

    # ---- reads -------------------------------------------------------------------------------------------

    def kind(self, resource: str) -> Kind:
        """The kind behind a group-resource. Raises ApiError 404, 503."""
        kind = self.scheme.find(resource)
        if kind is None:
            raise unanswered(self.store, resource)
        return kind

    def find(self, resource: str, namespace: str | None, name: str) -> JSON | None:
        """The stored object or None."""
        return self.store.get(resource, f"{namespace}/{name}" if namespace else name)

    def get(self, ctx: RequestContext, resource: str, namespace: str | None, name: str) -> JSON:
        """The stored object. Raises ApiError 404."""
        found = self.store.get(resource, f"{namespace}/{name}" if namespace else name)
        if found is None:
            raise errors.not_found(self.kind(resource).group_resource, name)
        return found

    def _absent(self, kind: Kind, namespace: str | None, name: str) -> errors.ApiError:
        """The error of a write to what is not stored: it is not there, or the API server makes it itself."""
        if kind.refused and self.computed.has(kind, store_key(namespace, name)):
            return errors.not_simulated(kind.refused)
        return errors.not_found(kind.group_resource, name)

    def list(
        self,
        ctx: RequestContext,
        resource: str,
        namespace: str | None = None,
        label_selector: str = "",
        field_selector: str = "",
    ) -> Objects:
        """The objects in order of their keys that both selectors let through."""
        kind = self.kind(resource)
        selection = Selection.parse(kind, namespace, label_selector, field_selector)
        return selection.list(self.store if kind.computed is None else self.computed)

    # ---- what admission alone looks at -------------------------------------------------------------------

    @property
    def calls_out(self) -> bool:
        """Whether there are webhooks: even a dry run may make a Pod do something then."""
        return any(
            self.store.count(f"{name}webhookconfigurations.{_HOOKS}") for name in ("mutating", "validating")
        )

    def connect(self, ctx: RequestContext, kind: Kind, namespace: str, name: str, options: JSON) -> None:
        """Asks the admission plugins about a CONNECT (exec, attach, portforward, proxy). Raises ApiError."""
        self._ask(ctx, kind, CONNECT, namespace, name, options)

    def ask_create(self, ctx: RequestContext, kind: Kind, namespace: str, name: str, body: JSON) -> None:
        """Asks the admission plugins about what is created and never stored (eviction, token). Raises ApiError."""
        self._ask(ctx, kind, CREATE, namespace, name, body)

    def _ask(
        self, ctx: RequestContext, kind: Kind, operation: str, namespace: str, name: str, options: JSON
    ) -> JSON:
        """What came, as the mutating plugins leave it. Raises ApiError."""
        mutating, validating = self._chain.of(kind.group_resource, operation, ctx.subresource)
        if mutating or validating:
            attributes = self._attributes(
                ctx, kind, operation, namespace, name, options, None, subresource=ctx.subresource
            )
            options = admit(attributes, mutating, options)
            validate(attributes, validating)
        return options

    def _attributes(
        self,
        ctx: RequestContext,
        kind: Kind,
        operation: str,
        namespace: str,
        name: str,
        obj: JSON | None,
        old: JSON | None = None,
        subresource: str = "",
    ) -> Attributes:
        return Attributes(
            self.store, self.identities, ctx, kind, operation, namespace, name, obj, old, subresource,
            self.conversions,
        )  # fmt: skip


def store_key(namespace: str | None, name: str) -> str:
    """``namespace/name``, or ``name`` of what has no namespace."""
    return f"{namespace}/{name}" if namespace else name
