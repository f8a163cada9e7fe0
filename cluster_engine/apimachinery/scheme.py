"""What a kind is: its names, its routes, its strategy, its printed columns; and the kinds of one cluster.

A kind is one file in ``cluster_engine/api/<group>/<version>/`` that ends in ``KIND = Kind(...)``; routes,
discovery, watch, printing and ``kubectl explain`` follow from it. All that is known of a kind stands there.

Models k8s.io/apiserver/pkg/registry/generic/registry.Store, rest.RESTCreateStrategy and
k8s.io/apimachinery/pkg/runtime.Scheme.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from cluster_engine.apimachinery import schema
from cluster_engine.apimachinery.cow import JSON

if TYPE_CHECKING:
    from cluster_engine.apimachinery.errors import FieldError

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Column:
    """One printed column (metav1.TableColumnDefinition). Priority above 0 shows with ``-o wide`` only."""

    name: str
    type: str = "string"
    format: str = ""
    description: str = ""
    priority: int = 0


def _same(obj: JSON) -> JSON:
    return obj


def _same_update(new: JSON, old: JSON) -> JSON:
    return new


def _valid(obj: JSON) -> list[FieldError]:
    return []


def _valid_update(new: JSON, old: JSON) -> list[FieldError]:
    return []


def _no_warnings(obj: JSON) -> Sequence[str]:
    return ()


def _spec_changed(new: JSON, old: JSON) -> bool:
    """What counts generations is warned about when that changed; what does not, at every update."""
    generation = new["metadata"].get("generation")
    return generation is None or generation != old["metadata"].get("generation")


def _name_only(obj: JSON, now: int) -> list[Any]:
    return [obj["metadata"]["name"], obj["metadata"].get("creationTimestamp")]


class Deletion(NamedTuple):
    """What a delete does: "keep" (nothing to write), "update" (write ``obj``), "delete" (now), "both" (write,
    then delete).
    """

    action: Literal["keep", "update", "delete", "both"]
    obj: JSON


class Strategy(NamedTuple):
    """How an update through a subresource that shows the whole object prepares and checks it (finalize, …)."""

    prepare: Callable[[JSON, JSON], JSON]
    validate: Callable[[JSON, JSON], list[FieldError]] = _valid_update
    reset: tuple[str, ...] = ("status",)
    """The fields that its writers never own."""


class Beside(NamedTuple):
    """Objects of another kind that an object has for as long as it is so: made before it is written, gone after it."""

    resource: str
    of: Callable[[JSON], list[JSON]]


class Write(NamedTuple):
    """What a strategy may know of a write beside the objects."""

    user: JSON
    """Who writes, as an authentication.UserInfo."""
    now: str
    subresource: str = ""


class World(NamedTuple):
    """What the objects of a computed kind follow from."""

    objects: Callable[[str], list[JSON]]
    """The stored objects of a group-resource."""
    kinds: tuple[Kind, ...]
    """All that are served, in each version."""
    meta: Callable[[str], JSON]
    """The metadata of an object of that name which is there since the cluster's first moment."""


class Subresource(NamedTuple):
    """One subresource of a kind: which verbs it has, whose kind its bodies are, and who answers."""

    verbs: tuple[str, ...] = ("get", "patch", "update")
    shows: tuple[str, str, str] | None = None
    """Group, version and kind of its bodies, where they are not the parent's."""
    answer: str = ""
    """Its name in the API server's table of answers; "": the whole object, through another strategy."""


class ScalePaths(NamedTuple):
    """The fields in which the objects of a kind keep what their Scale shows."""

    spec_replicas: tuple[str, ...]
    status_replicas: tuple[str, ...]
    selector: tuple[str, ...] = ()
    """Of a selector as text."""


@dataclass(frozen=True, eq=False)
class Version:
    """Another version in which a kind is served, and the way between it and the stored one.

    Both functions are pure, bear objects of which parts are missing, and undo each other; the apiVersion is
    set for them. ``default`` works on objects of this version, before they take the stored form.
    """

    name: str
    to_stored: Callable[[JSON], JSON]
    from_stored: Callable[[JSON], JSON]
    default: Callable[[JSON], JSON] = _same
    openapi: JSON | None = None
    deprecated: str = ""
    columns: tuple[Column, ...] | None = None
    row: Callable[[JSON, int], list[Any]] | None = None
    """Prints objects of this version; None: printed as the stored version is, from the stored object."""
    group: str = ""
    """The API group in which it is served, where that is not the kind's own."""
    validate: Callable[[JSON], list[FieldError]] = _valid
    """What it demands of new objects beside the kind's own rules; of the stored form, as what follows."""
    validate_update: Callable[[JSON, JSON], list[FieldError]] = _valid_update
    field_labels: Mapping[str, Callable[[JSON], str]] | None = None
    """Its selectable fields, where they are not the kind's own."""
    whole: Kind | None = None
    """The kind as it is in this version, where nothing is the same in all of them: that of a custom resource."""


class Custom(Protocol):
    """How objects of a custom resource, which are stored in any of its versions, are had in another one."""

    @property
    def webhook(self) -> JSON | None:
        """Who converts: ``clientConfig``, ``conversionReviewVersions`` and the definition's ``name``; None: nobody has
        to, for nothing but apiVersion changes."""
        ...

    def as_read(self, obj: JSON) -> JSON:
        """A stored object with the defaults of its version, without what that does not know (any more)."""
        ...

    def converted(self, obj: JSON, api_version: str) -> JSON:
        """The object in that version. Raises LookupError for one that only the webhook can convert."""
        ...

    def pruned(self, obj: JSON) -> JSON:
        """An object of any version without what that version does not know."""
        ...


@dataclass(frozen=True, eq=False)
class Kind:
    """A served kind. All hooks are pure; objects go in unchanged and new ones come out.

    Two kinds are the same when they are one object: a kind that is registered anew is another one.
    """

    group: str
    version: str
    """The version in which objects are stored, and in which components see them."""
    kind: str
    resource: str
    singular: str
    namespaced: bool
    versions: tuple[Version, ...] = ()
    """The others in which it is served."""
    served: bool = True
    """Whether it is served in the version in which it is stored; else in the others alone."""
    openapi: JSON | None = None
    """The OpenAPI v3 schema of a kind that types.json does not have."""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    subresources: Mapping[str, Subresource] = field(default_factory=dict)
    """By the last word of the URL."""
    answer: str = ""
    """Of a kind that is asked by creating it and never stored: its name in the API server's table of answers."""
    not_simulated: Mapping[str, str] = field(default_factory=dict)
    """Subresources that a real cluster has: what is said when one is asked for."""
    computed: Callable[[World], list[JSON]] | None = None
    """Of a kind whose objects follow from the rest and are never stored: what they are, each with its metadata."""
    told_as: str = ""
    """How a missing object of a computed kind is called, if not as its resource; with its namespace then."""
    refused: str = ""
    """What is said when a verb is asked for that a real cluster has of this kind and this one has not."""
    scale: ScalePaths | None = None
    """Of a custom kind with the subresource."""
    columns: tuple[Column, ...] = (
        Column("Name", format="name", description="Name must be unique within a namespace."),
        Column("Created At", type="date", description="When the object was created."),
    )
    row: Callable[[JSON, int], list[Any]] = _name_only
    row_order: Callable[[JSON], Any] | None = None
    """By what the rows of a table are sorted, where it is not the name."""
    default: Callable[[JSON], JSON] = _same
    prepare_create: Callable[[JSON], JSON] = _same
    prepare_update: Callable[[JSON, JSON], JSON] = _same_update
    prepare_status: Callable[[JSON, JSON], JSON] = _same_update
    attribute: Callable[[JSON, JSON | None, Write], JSON] | None = None
    """Writes into a prepared object (with the old one, if any) who writes it and when, where its kind keeps that."""
    reset: tuple[str, ...] = ("status",)
    """The fields that writers of the whole object never own (GetResetFields); of kinds with a status."""
    validate: Callable[[JSON], list[FieldError]] = _valid
    validate_update: Callable[[JSON, JSON], list[FieldError]] = _valid_update
    validate_status: Callable[[JSON, JSON], list[FieldError]] = _valid_update
    strategies: Mapping[str, Strategy] = field(default_factory=dict)
    """Of the subresources beside status through which the whole object is updated."""
    warnings: Callable[[JSON], Sequence[str]] = _no_warnings
    any_finalizers: bool = False
    """Whether finalizers need no domain, as those of custom resources."""
    warns_on_update: Callable[[JSON, JSON], bool] = _spec_changed
    """Whether an update (new, old) gives the warnings too."""
    update_warnings: Callable[[JSON, JSON], Sequence[str]] | None = None
    """The warnings of an update (new, old), where they are not those of a new object."""
    deprecated: str = ""
    """The warning that every reply about the kind carries."""
    field_labels: Mapping[str, Callable[[JSON], str]] = field(default_factory=dict)
    create_on_update: bool = False
    """Whether an update of an object that is not there makes it (AllowCreateOnUpdate)."""
    unconditional_update: bool = True
    """Whether an update may do without a resourceVersion (AllowUnconditionalUpdate)."""
    returns_deleted: bool = False
    """Whether a delete answers with the object instead of a Status (ReturnDeletedObject)."""
    grace: Callable[[JSON, int | None], int] | None = None
    """Seconds of grace that a delete gives, of the seconds that the caller asked for (CheckGracefulDelete);
    None: deletion is immediate."""
    orphans: str = ""
    """The warning of a delete that names no propagation policy and then leaves the dependents
    (DefaultGarbageCollectionPolicy OrphanDependents); "": they go, too."""
    delete: Callable[[JSON, int], Deletion] | None = None
    """What a delete at a virtual time (µs) does, where that is not the common way."""
    held: Callable[[JSON], bool] | None = None
    """Whether something else than metadata.finalizers keeps a deleted object."""
    allocate: Callable[[JSON, Any], JSON] | None = None
    """Gives the object what only the server can give (cluster IPs, node ports); gets an AllocContext."""
    beside: Beside | None = None
    """What the API server keeps beside each object of the kind."""
    ttl: float | None = None
    """Seconds after which an unchanged object goes away (Events)."""
    custom: Custom | None = None
    """Of a custom resource. Each of its versions has its own rules, and writes follow those of the request's."""
    offered: tuple[str, ...] | None = None
    """The verbs that discovery names, where those are not the answered ones in alphabetical order."""
    stored: Kind | None = None
    """Of one of the other versions: the kind itself. Set by ``forms``."""
    form: Version | None = None
    """Of one of the other versions: how it is converted. Set by ``forms``."""

    @cached_property
    def list_kind(self) -> str:
        return self.kind + "List"

    @cached_property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @cached_property
    def group_resource(self) -> str:
        """Under which its objects are stored."""
        if self.stored is not None:
            return self.stored.group_resource
        return f"{self.resource}.{self.group}" if self.group else self.resource

    @cached_property
    def _all_forms(self) -> tuple[Kind, ...]:
        return (self, *(self._in(version) for version in self.versions))

    @cached_property
    def forms(self) -> tuple[Kind, ...]:
        """The kind in each version in which it is served, the stored one first."""
        return self._all_forms if self.served else self._all_forms[1:]

    @cached_property
    def as_it_is(self) -> Kind:
        """This version, for objects that are in it already."""
        return replace(self, custom=None, form=None, stored=self.stored or self)

    @property
    def passing(self) -> bool:
        """Whether the objects that it shows are made for one reader, and stored nowhere."""
        return self.stored is not None and self.form is None

    def _in(self, version: Version) -> Kind:
        if version.whole is not None:
            return replace(version.whole, stored=self, form=version)
        print_own = version.row
        made = replace(
            self,
            group=version.group or self.group,
            version=version.name,
            versions=(),
            served=True,
            openapi=version.openapi,
            deprecated=version.deprecated,
            default=version.default,
            columns=self.columns if version.columns is None else version.columns,
            field_labels=self.field_labels if version.field_labels is None else version.field_labels,
            stored=self,
            form=version,
        )
        if print_own is None:
            return made
        return replace(made, row=lambda obj, now: print_own(made.shown(obj), now))

    def in_version(self, api_version: str) -> Kind | None:
        """The kind in this version, when it is one of its."""
        return next((form for form in self._all_forms if form.api_version == api_version), None)

    def shown(self, obj: JSON) -> JSON:
        """A stored object as this version has it."""
        if self.custom is not None:
            return self.custom.converted(self.custom.as_read(obj), self.api_version)
        if self.form is None:
            return obj
        return {**self.form.from_stored(obj), "apiVersion": self.api_version}

    def taken(self, obj: JSON) -> JSON:
        """An object of this version as it is stored."""
        if self.form is None or self.stored is None:
            return obj
        return {**self.form.to_stored(obj), "apiVersion": self.stored.api_version}

    def converted(self, obj: JSON, api_version: str) -> JSON | None:
        """An object of any version in another one; None when either is not one of its versions."""
        source, target = self.in_version(obj["apiVersion"]), self.in_version(api_version)
        if source is None or target is None:
            return None
        if self.custom is not None:
            return self.custom.converted(obj, api_version)
        return obj if source is target else target.shown(source.taken(obj))

    @cached_property
    def structure(self) -> schema.Struct | None:
        """The type of its objects; None when no schema is published."""
        if self.openapi is not None:
            return schema.custom_type(self.openapi, self.kind)
        return schema.type_of(self.api_version, self.kind)

    @cached_property
    def path(self) -> str:
        """Where its group version is served: ``/api/v1``, ``/apis/apps/v1``."""
        return f"/apis/{self.api_version}" if self.group else f"/api/{self.api_version}"


class Scheme:
    """The kinds that one cluster serves. They may come and go; who depends on them is told.

    Kinds stand in the order in which they were registered.
    """

    def __init__(self, kinds: Iterable[Kind] = ()) -> None:
        """Raises ValueError when two kinds have one group-resource or one group and kind."""
        given = tuple(kinds)
        by_resource, names = _tables(given)
        self._kinds, self._names = by_resource.copy(), set(names)  # the names are never iterated
        self._called: dict[str, Kind] = {}  # what was asked for by a name
        self._followers: list[Callable[[], None]] = []
        if not len(given) == len(self._kinds) == len(self._names):
            self._kinds, self._names = {}, set()
            for kind in given:
                self._add(kind)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """All of them, in their stored versions."""
        return tuple(self._kinds.values())

    @property
    def forms(self) -> tuple[Kind, ...]:
        """All of them, once for each version that is served."""
        return _forms(self.kinds)

    @property
    def _in_other_groups(self) -> tuple[Kind, ...]:
        """Of kinds that are served in a group beside their own, these versions."""
        return tuple(form for kind in self._kinds.values() for form in kind.forms if form.group != kind.group)

    def register(self, kind: Kind) -> None:
        """Serve a kind from now on. Raises ValueError when its names are taken."""
        self._add(kind)
        self._tell()

    def _add(self, kind: Kind) -> None:
        if kind.group_resource in self._kinds:
            raise ValueError(f"two kinds are called {kind.group_resource}")
        if (kind.group, kind.kind) in self._names:
            raise ValueError(f"two kinds of the group {kind.group!r} are called {kind.kind}")
        self._kinds[kind.group_resource] = kind
        self._names.add((kind.group, kind.kind))

    def replace(self, kind: Kind) -> None:
        """Serve a kind in place of the one of its group-resource: at no moment is there none.

        Raises KeyError, and ValueError when its names are taken.
        """
        before = self._kinds[kind.group_resource]
        if kind.kind != before.kind and (kind.group, kind.kind) in self._names:
            raise ValueError(f"two kinds of the group {kind.group!r} are called {kind.kind}")
        self._names.discard((before.group, before.kind))
        self._names.add((kind.group, kind.kind))
        self._kinds[kind.group_resource] = kind
        self._tell()

    def unregister(self, resource: str) -> None:
        """Serve the kind of this group-resource no longer; its objects stay stored. Raises KeyError."""
        gone = self._kinds.pop(resource)
        self._names.discard((gone.group, gone.kind))
        self._tell()

    def follow(self, changed: Callable[[], None]) -> None:
        """Call ``changed`` now and after every change of the kinds."""
        self._followers.append(changed)
        changed()

    def _tell(self) -> None:
        self._called.clear()
        for changed in self._followers:
            changed()

    def find(self, resource: str) -> Kind | None:
        """The kind of a group-resource such as "deployments.apps"."""
        return self._kinds.get(resource)

    def served(self, group: str, version: str, resource: str) -> Kind | None:
        """The kind that a path names, in the version that it names, or None."""
        kind = self._kinds.get(f"{resource}.{group}" if group else resource)
        if kind is not None and kind.served and kind.version == version:
            return kind
        forms = self._in_other_groups if kind is None else kind.forms
        named = (form for form in forms if (form.group, form.resource) == (group, resource))
        return next((form for form in named if form.version == version), None)

    def of_object(self, api_version: str, kind_name: str) -> Kind | None:
        """The kind of objects with this apiVersion and kind, or None (a REST mapping)."""
        found = (kind for kind in self._kinds.values() if kind.kind == kind_name)
        forms = (form for kind in found for form in kind.forms)
        return next((form for form in forms if form.api_version == api_version), None)

    def named(self, text: str) -> Kind | None:
        """The kind that people call so: plural, singular, short name, kind or ``plural.group``."""
        name = text.lower()
        found = self._called.get(name) or next(
            (k for k in self._kinds.values() if name in _names_of(k)), None
        )
        if found is not None:
            self._called[name] = found
        return found


SETS_KEPT = 32
"""Sets of kinds of which a process remembers what every cluster that serves them needs: each fork is one more."""


@lru_cache(maxsize=SETS_KEPT)
def _tables(kinds: tuple[Kind, ...]) -> tuple[dict[str, Kind], frozenset[tuple[str, str]]]:
    """The kinds by group-resource, and (group, kind) of each."""
    return {kind.group_resource: kind for kind in kinds}, frozenset((kind.group, kind.kind) for kind in kinds)


@lru_cache(maxsize=SETS_KEPT)
def _forms(kinds: tuple[Kind, ...]) -> tuple[Kind, ...]:
    return tuple([form for kind in kinds for form in kind.forms])


def _names_of(kind: Kind) -> tuple[str, ...]:
    return kind.resource, kind.group_resource, kind.singular, kind.kind.lower(), *kind.short_names
