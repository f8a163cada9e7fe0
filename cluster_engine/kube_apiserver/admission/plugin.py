"""What an admission plugin is.

Models k8s.io/apiserver/pkg/admission: mutating plugins run before the strategy, validating ones after it.
A plugin says which requests concern it; the chain for a (resource, operation, subresource) is worked out
once and kept, so that a write that concerns no plugin pays nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.apimachinery.scheme import Kind, Scheme
from cluster_engine.etcd import Store

from ..authorization import AuthorizerChain
from ..conversion import Conversions
from ..identities import Identities
from ..node_api import NodeProxy
from ..types import RequestContext

CREATE = "CREATE"
UPDATE = "UPDATE"
DELETE = "DELETE"
CONNECT = "CONNECT"


@dataclass(slots=True)
class Rounds:
    """How often the mutating plugins see a write: when a webhook has changed it, once more, and which webhooks then."""

    again: bool = False
    second: bool = False
    """Whether this is that round."""
    asked: list[str] = field(default_factory=list)
    """Webhooks that wish to be asked again should others change something after them."""
    due: list[str] = field(default_factory=list)
    """Those for which that has happened."""

    def changed(self) -> None:
        """A webhook has changed the object."""
        self.again = True
        self.due += self.asked
        self.asked = []


@dataclass(slots=True)
class Attributes:
    """A write under admission. `obj` is None for deletes."""

    store: Store
    identities: Identities
    ctx: RequestContext
    kind: Kind
    operation: str
    namespace: str
    name: str
    obj: JSON | None
    old: JSON | None = None
    subresource: str = ""
    conversions: Conversions | None = None
    kept_rounds: Rounds | None = None

    @property
    def rounds(self) -> Rounds:
        """Made when somebody asks: most writes concern no webhook."""
        if self.kept_rounds is None:
            self.kept_rounds = Rounds()
        return self.kept_rounds

    @property
    def resource(self) -> str:
        """The group-resource, as "deployments.apps"."""
        return self.kind.group_resource

    def shown(self, form: Kind, obj: JSON | None) -> JSON | None:
        """An object of the write as another version of its kind has it. Raises ApiError."""
        if obj is None or form.custom is None or self.conversions is None:
            return obj and form.shown(obj)
        return self.conversions.converted(form, obj, lasting=not self.ctx.dry_run)

    def read(self, kind: Kind, obj: JSON) -> JSON:
        """Another stored object as the kind's version has it. Raises ApiError."""
        if self.conversions is None:
            return kind.shown(obj)
        return self.conversions.shown(kind, obj, lasting=not self.ctx.dry_run)

    def taken(self, form: Kind, obj: JSON) -> JSON:
        """What ``shown`` gave, for the write. Raises ApiError."""
        if form.custom is None or self.conversions is None:
            return form.taken(obj)
        return self.conversions.converted(self.kind, obj, lasting=not self.ctx.dry_run)


@dataclass(frozen=True, slots=True)
class Host:
    """What a plugin may ask beside the write itself: the kinds that are served, who may do what, the nodes."""

    scheme: Scheme
    authorizer: AuthorizerChain
    nodes: NodeProxy


class Plugin:
    """One admission plugin. `admit` returns the object to go on with; `validate` raises ApiError."""

    name: str = ""
    needs: str = ""  # a resource of which there must be an object, or else no write concerns the plugin
    operations: tuple[str, ...] = (CREATE,)
    resources: tuple[str, ...] | None = None  # None: every resource
    subresources: bool = False  # whether writes to subresources concern it too
    bodies: tuple[
        str, ...
    ] = ()  # subresources that are created and never stored which concern it (eviction, token)
    mutates: bool = False
    validates: bool = False
    optional: bool = False  # off in a cluster that does not name it

    def __init__(self, host: Host) -> None:
        self.host = host

    def concerns(self, resource: str, operation: str, subresource: str) -> bool:
        """Whether the chain of these requests holds this plugin."""
        if operation not in self.operations or (subresource and not self.subresources):
            return False
        if operation == CREATE and subresource and subresource not in self.bodies:
            return False
        return self.resources is None or resource in self.resources

    def admit(self, attributes: Attributes, obj: JSON) -> JSON:
        """The object, changed or not."""
        return obj

    def validate(self, attributes: Attributes) -> None:
        """Raise ApiError to refuse."""


class Chain:
    """The plugins in order, with the ones that matter for each sort of request worked out once."""

    def __init__(self, plugins: Sequence[Plugin], store: Store) -> None:
        self._plugins = plugins
        self._store = store
        self._populations = -1
        self._idle: tuple[str, ...] = ()
        self._sorts: dict[tuple[str, str, str], tuple[tuple[Plugin, ...], tuple[Plugin, ...]]] = {}
        self._needed = tuple(dict.fromkeys(plugin.needs for plugin in plugins if plugin.needs))
        self._cache: dict[
            tuple[str, ...], dict[tuple[str, str, str], tuple[tuple[Plugin, ...], tuple[Plugin, ...]]]
        ] = {}
        """By the resources of which there is nothing: the plugins by sort of request."""

    def of(
        self, resource: str, operation: str, subresource: str
    ) -> tuple[tuple[Plugin, ...], tuple[Plugin, ...]]:
        """(mutating, validating) plugins for this sort of request."""
        if self._store.populations != self._populations:
            self._populations = self._store.populations
            self._idle = tuple([needed for needed in self._needed if not self._store.count(needed)])
            self._sorts = self._cache.setdefault(self._idle, {})
        idle, key = self._idle, (resource, operation, subresource)
        found = self._sorts.get(key)
        if found is None:
            concerned = [
                plugin
                for plugin in self._plugins
                if plugin.needs not in idle and plugin.concerns(resource, operation, subresource)
            ]
            found = (
                tuple(p for p in concerned if p.mutates),
                tuple(p for p in concerned if p.validates),
            )
            self._sorts[key] = found
        return found


def admit(attributes: Attributes, plugins: Sequence[Plugin], obj: JSON) -> JSON:
    """The object as the mutating plugins leave it. Raises ApiError."""
    obj = _admitted(attributes, plugins, obj)
    rounds = attributes.kept_rounds
    if rounds is not None and rounds.again:
        rounds.second = True
        obj = _admitted(attributes, plugins, obj)
    return obj


def _admitted(attributes: Attributes, plugins: Sequence[Plugin], obj: JSON) -> JSON:
    record = attributes.ctx.record
    for plugin in plugins:
        before = obj
        try:
            attributes.obj = obj = plugin.admit(attributes, obj)
        except ApiError as problem:
            if record is not None:
                record.was_asked(plugin.name, "mutating", problem.message)
            raise
        if record is not None:
            record.mutated(plugin.name, attributes.kind.structure, before, obj)
    return obj


def validate(attributes: Attributes, plugins: Sequence[Plugin]) -> None:
    """Asks the validating plugins. Raises ApiError."""
    record = attributes.ctx.record
    for plugin in plugins:
        try:
            plugin.validate(attributes)
        except ApiError as problem:
            if record is not None:
                record.was_asked(plugin.name, "validating", problem.message)
            raise
        if record is not None:
            record.was_asked(plugin.name, "validating")
