"""The semantic layer: what a read or a write means, on JSON-shaped dicts.

Every write in the cluster comes through here, from sockets (`handlers.py`) and from the components of this
process (`client_go`). It is the hot path: about ten writes a Pod, so each step copies only what it changes.

Models k8s.io/apiserver/pkg/registry/generic/registry/store.go and the write handlers of
k8s.io/apiserver/pkg/endpoints/handlers, in upstream's order: defaults, field managers, mutating admission,
strategy, validation, validating admission, etcd.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from cluster_engine.apimachinery import decode, errors, managed_fields, server_side_apply
from cluster_engine.apimachinery.cow import JSON, sharing
from cluster_engine.apimachinery.errors import FieldError
from cluster_engine.apimachinery.scheme import Kind, Write
from cluster_engine.apimachinery.validation import (
    validate_object_meta,
    validate_object_meta_update,
    validate_standard_finalizers,
)
from cluster_engine.sim import SECOND

from . import deletion, meta, versions
from .admission.plugin import CREATE, DELETE, UPDATE, admit, validate
from .ownership import same_but_times
from .patching import patched
from .resources import Objects, Resources, store_key
from .subresources.binding import bound
from .types import RequestContext, UserInfo

_OWN = RequestContext(
    UserInfo("system:apiserver", groups=("system:masters",)), "kube-apiserver", trusted=True
)
"""What the API server writes by itself."""


class Registry(Resources):
    """All resources of one cluster, to be written."""

    # ---- create ------------------------------------------------------------------------------------------

    def create(
        self,
        ctx: RequestContext,
        resource: str,
        namespace: str | None,
        obj: JSON,
        shape: Hashable = None,
    ) -> JSON:
        """Store a new object. Raises ApiError 409, 403 (admission, budgets), 422.

        Here and in update the object comes in the version of ``ctx.api_version``; what is returned is stored.
        """
        kind = versions.ruling(ctx, self.kind(resource))
        obj = versions.stored(versions.form(ctx, kind), obj)
        if not ctx.trusted:
            obj = meta.readable_managed_fields(obj)
        obj = meta.system_fields(kind, obj, namespace or "", self.clock.timestamp())
        return self._create(ctx, kind, obj, own=True, shape=shape)

    def _create(self, ctx: RequestContext, kind: Kind, obj: JSON, own: bool, shape: Hashable = None) -> JSON:
        """`own`: the caller manages the fields by update; an apply has settled that already.

        The object and its metadata are fresh: nobody else has them.
        """
        self._identify(ctx, kind, obj)
        obj = self._defaulted(ctx, kind, obj)
        guard = self.guards.get(kind.group_resource)
        if guard is not None:
            guard(ctx, obj, None)
        if own:
            obj = self._own(ctx, kind, None, obj, shape)
        name = obj["metadata"]["name"]
        namespace = obj["metadata"].get("namespace", "")
        mutating, validating = self._chain.of(kind.group_resource, CREATE, "")
        attributes = None
        if mutating or validating:
            attributes = self._attributes(ctx, kind, CREATE, namespace, name, obj)
            obj = admit(attributes, mutating, obj)
        obj = kind.prepare_create(obj)
        if kind.attribute is not None:
            obj = kind.attribute(obj, None, self._write_of(ctx))
        if kind.allocate is not None:
            obj = kind.allocate(obj, self._allocators)
        problems = kind.validate(obj)
        form = versions.form(ctx, kind).form
        if form is not None:
            problems = problems + form.validate(obj)
        if ctx.record is not None:
            ctx.record.validated(problems)
        if problems:
            raise errors.invalid(kind.group, kind.kind, name, problems)
        if not ctx.trusted:
            ctx.warnings.extend(kind.warnings(obj))
        if attributes is not None:
            attributes.obj = obj
            validate(attributes, validating)
        key = store_key(namespace, name)
        if self.store.get(kind.group_resource, key) is not None or self.computed.has(kind, key):
            raise errors.already_exists(kind.group_resource, name)
        self.budgets.check_create(self.store, kind, name)
        self._make_beside(ctx, kind, obj)
        if ctx.trusted and kind.custom is None and not ctx.dry_run:
            # Nothing but this has seen the object: what is stored need be no copy of it.
            return self.store.put(kind.group_resource, key, obj, expect=0, ttl=kind.ttl, fresh=True)
        return self._write(ctx, kind, key, versions.kept(self.conversions, ctx, kind, obj), 0)

    def _defaulted(self, ctx: RequestContext, kind: Kind, obj: JSON) -> JSON:
        """The object with the kind's defaults, which are noted where the request is."""
        full = kind.default(obj)
        if ctx.record is not None:
            ctx.record.was_defaulted(kind.structure, obj, full)
        return full

    def _identify(self, ctx: RequestContext, kind: Kind, obj: JSON) -> None:
        """Gives the fresh object its name, generated when it has none, and its uid."""
        identities, resource, metadata = self.identities, kind.group_resource, obj["metadata"]
        namespace = metadata.get("namespace", "")
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = identities.name(
                resource,
                namespace,
                str(metadata["generateName"]),
                lambda name: self.find(resource, namespace, name),
                ctx.dry_run,
            )
        meta.require_name(kind, obj)
        metadata["uid"] = identities.uid(resource, store_key(namespace, metadata["name"]))

    def _delete(self, resource: str, key: str) -> JSON:
        gone = self.store.delete(resource, key)
        self.identities.deleted(resource, key)
        self._clear_beside(self.kind(resource), gone)
        return gone

    def _make_beside(self, ctx: RequestContext, kind: Kind, obj: JSON) -> None:
        """Makes what belongs beside an object that is about to be written, and is not there."""
        if kind.beside is None or ctx.dry_run:
            return
        for wanted in kind.beside.of(obj):
            if self.find(kind.beside.resource, None, wanted["metadata"]["name"]) is None:
                self.create(_OWN, kind.beside.resource, None, wanted)

    def _clear_beside(self, kind: Kind, old: JSON, new: JSON | None = None) -> None:
        """Deletes what the object had beside it and has no more."""
        if kind.beside is None:
            return
        kept = {wanted["metadata"]["name"] for wanted in kind.beside.of(new)} if new is not None else set()
        for had in kind.beside.of(old):
            name = had["metadata"]["name"]
            if name not in kept and self.find(kind.beside.resource, None, name) is not None:
                self.delete(_OWN, kind.beside.resource, None, name)

    def _write(self, ctx: RequestContext, kind: Kind, key: str, obj: JSON, expect: int) -> JSON:
        if not ctx.trusted:
            size = self.budgets.check_size(obj)
            if ctx.record is not None:
                ctx.record.size = size
        if ctx.dry_run:
            return obj
        return self.store.put(kind.group_resource, key, obj, expect=expect, ttl=kind.ttl)

    def _own(
        self, ctx: RequestContext, kind: Kind, old: JSON | None, new: JSON, shape: Hashable = None
    ) -> JSON:
        """`new` with the caller's manager entry in metadata.managedFields brought up to date."""
        struct = kind.structure
        if struct is None or not ctx.manager:
            return new
        reset = versions.reset_fields(ctx, kind)
        if old is None and ctx.trusted and not ctx.api_version:
            return self._create_owners.own(
                new, manager=ctx.manager, schema=struct, time=self.clock.timestamp(), reset=reset, shape=shape
            )
        return managed_fields.update(
            old,
            new,
            manager=ctx.manager,
            schema=struct,
            time=self.clock.timestamp(),
            subresource=ctx.subresource,
            reset=reset,
            version=ctx.api_version,
            forms=versions.forms(self.conversions, ctx, kind),
        )

    # ---- update ------------------------------------------------------------------------------------------

    def update(self, ctx: RequestContext, resource: str, namespace: str | None, name: str, obj: JSON) -> JSON:
        """Replace an object (or, by ctx.subresource, a part). Raises ApiError 404, 409, 422."""
        kind = versions.ruling(ctx, self.kind(resource))
        given = (obj.get("metadata") or {}).get("name")
        if given and name and given != name:
            raise errors.bad_request(
                f"the name of the object ({given}) does not match the name on the URL ({name})"
            )
        stored = self.find(resource, namespace, name)
        if stored is None:
            if kind.create_on_update and not ctx.subresource:
                return self.create(ctx, resource, namespace, obj)
            raise self._absent(kind, namespace, name)
        obj = versions.stored(versions.form(ctx, kind), obj)
        if kind.custom is not None and obj.get("apiVersion", kind.api_version) != kind.api_version:
            # A component that changes what it has read, which was stored in another version.
            obj = self.conversions.converted(kind, obj, lasting=not ctx.dry_run)
        if not ctx.subresource:
            obj = self._defaulted(ctx, kind, obj)
        return self._update(
            ctx, kind, stored, versions.read(self.conversions, ctx, kind, stored), obj, own=True
        )

    def _update(
        self,
        ctx: RequestContext,
        kind: Kind,
        stored: JSON,
        old: JSON,
        obj: JSON,
        own: bool,
        patched: bool = False,
    ) -> JSON:
        """``old`` is what is stored, as the strategy of ``kind`` has it."""
        resource = kind.group_resource
        if not ctx.trusted:
            obj = meta.readable_managed_fields(obj)
        checked = not patched or ctx.subresource in kind.strategies
        meta.check_preconditions(kind, obj, old, kind.unconditional_update, with_uid=checked)
        new = meta.carried_over(kind, obj, old)
        guard = self.guards.get(resource)
        if guard is not None:
            guard(ctx, new, old)
        old_meta = old["metadata"]
        name, namespace = old_meta["name"], old_meta.get("namespace", "")
        mutating, validating = self._chain.of(resource, UPDATE, ctx.subresource)
        attributes = None
        if mutating or validating:
            attributes = self._attributes(
                ctx, kind, UPDATE, namespace, name, new, old, subresource=ctx.subresource
            )
            new = admit(attributes, mutating, new)
        new = self._prepared(ctx, kind, new, old)
        if kind.attribute is not None:
            new = kind.attribute(new, old, self._write_of(ctx))
        if own:
            new = self._own(ctx, kind, old, new)
        problems = self._update_problems(ctx, kind, new, old)
        if ctx.record is not None:
            ctx.record.validated(problems)
        if problems:
            raise errors.invalid(kind.group, kind.kind, name, problems)
        if not ctx.trusted and not ctx.subresource and kind.warns_on_update(new, old):
            told = kind.update_warnings
            ctx.warnings.extend(kind.warnings(new) if told is None else told(new, old))
        if attributes is not None:
            attributes.obj = new
            validate(attributes, validating)
        key = store_key(namespace, name)
        if deletion.finished(kind, new, old):
            if not ctx.dry_run:
                self._delete(resource, key)
            return new
        new = sharing(versions.kept(self.conversions, ctx, kind, new), stored)
        if new is stored or same_but_times(new, stored):
            return stored
        self._make_beside(ctx, kind, new)
        written = self._write(ctx, kind, key, new, int(old_meta["resourceVersion"]))
        if not ctx.dry_run:
            self._clear_beside(kind, old, new)
        return written

    def _write_of(self, ctx: RequestContext) -> Write:
        return Write(ctx.user.as_dict(), self.clock.timestamp(), ctx.subresource)

    def _prepared(self, ctx: RequestContext, kind: Kind, new: JSON, old: JSON) -> JSON:
        if ctx.subresource == "status":
            return kind.prepare_status(new, old)
        strategy = kind.strategies.get(ctx.subresource)
        if strategy is not None:
            return strategy.prepare(new, old)
        new = kind.prepare_update(new, old)
        if kind.allocate is not None:
            new = kind.allocate(new, self._allocators)
        return new

    def _update_problems(self, ctx: RequestContext, kind: Kind, new: JSON, old: JSON) -> Sequence[FieldError]:
        strategy = kind.strategies.get(ctx.subresource)
        if strategy is not None:
            return strategy.validate(new, old)
        problems: list[FieldError] = []
        if not ctx.trusted:
            problems += validate_object_meta(
                new["metadata"], namespaced=kind.namespaced, name_rule="path_segment"
            )
            problems += validate_object_meta_update(new["metadata"], old["metadata"])
            if not kind.any_finalizers:
                given = new["metadata"].get("finalizers")
                problems += validate_standard_finalizers(given, "metadata.finalizers")
        if ctx.subresource == "status":
            problems += kind.validate_status(new, old)
        else:
            problems += kind.validate_update(new, old)
            form = versions.form(ctx, kind).form
            problems += [] if form is None else form.validate_update(new, old)
        return problems

    # ---- patch -------------------------------------------------------------------------------------------

    def patch(
        self,
        ctx: RequestContext,
        resource: str,
        namespace: str | None,
        name: str,
        patch_type: str,
        patch: Any,
        force: bool = False,
    ) -> JSON:
        """Change an object by a json, merge, strategic or apply patch. Raises ApiError 404, 409, 415, 422."""
        kind = versions.ruling(ctx, self.kind(resource))
        stored = self.find(resource, namespace, name)
        live = None if stored is None else versions.read(self.conversions, ctx, kind, stored)
        if live is None and self.computed.has(kind, store_key(namespace, name)):
            raise self._absent(kind, namespace, name)
        if patch_type == "apply":
            return self._apply(ctx, kind, stored, live, namespace, name, patch, force)
        if stored is None or live is None:
            raise self._absent(kind, namespace, name)
        form = versions.form(ctx, kind)
        shown = live if kind.custom is not None else form.shown(live)
        new = patched(shown, patch, patch_type, form.structure)
        if new is shown and not self.calls_out and versions.up_to_date(kind, stored):
            return stored
        if (new.get("apiVersion"), new.get("kind")) != (form.api_version, form.kind):
            raise errors.bad_request(
                f"the patch leaves no {form.api_version}, Kind={form.kind}: "
                f"found {new.get('apiVersion')}, Kind={new.get('kind')}"
            )
        if not ctx.trusted:
            new, warnings = decode.handle_body(
                form.api_version, form.kind, new, ctx.field_validation, schema=form.structure
            )
            ctx.warnings.extend(warnings)
        elif not all(new["metadata"].values()):
            # What a component's patch has emptied is gone, as decoding makes of any other patch.
            new = {**new, "metadata": {name: value for name, value in new["metadata"].items() if value}}
        given = (new.get("metadata") or {}).get("name")
        if given != name:
            raise errors.bad_request(
                f"the name of the object ({given}) does not match the name on the URL ({name})"
            )
        new = versions.stored(form, new)
        if not ctx.subresource:
            new = self._defaulted(ctx, kind, new)
        return self._update(ctx, kind, stored, live, new, own=True, patched=True)

    def _apply(
        self,
        ctx: RequestContext,
        kind: Kind,
        stored: JSON | None,
        live: JSON | None,
        namespace: str | None,
        name: str,
        applied: JSON,
        force: bool,
    ) -> JSON:
        form = versions.form(ctx, kind)
        struct = form.structure
        if struct is None:
            raise errors.unsupported_media_type(
                "the body of the request was in an unknown format - accepted media types include: "
                "application/json-patch+json, application/merge-patch+json"
            )
        if live is None and ctx.subresource:
            raise self._absent(kind, namespace, name)
        given = applied.get("metadata") or {}
        if given.get("managedFields"):
            raise errors.bad_request("metadata.managedFields must be nil")
        if given.get("name", name) != name:
            raise errors.bad_request(
                f"the name of the object ({given.get('name')}) does not match the name on the URL ({name})"
            )
        base = live if live is None or kind.custom is not None else form.shown(live)
        if live is None:
            applied = meta.system_fields(
                form,
                {**applied, "metadata": {**given, "name": name}},
                namespace or "",
                self.clock.timestamp(),
            )
        else:
            # The caller's resourceVersion is a precondition, not a field to own.
            meta.check_preconditions(kind, applied, live, True, with_uid=False)
            applied = {**applied, "metadata": {k: v for k, v in given.items() if k != "resourceVersion"}}
        new = server_side_apply.apply(
            base,
            applied,
            manager=ctx.manager,
            force=force,
            schema=struct,
            time=self.clock.timestamp(),
            subresource=ctx.subresource,
            reset=versions.reset_fields(ctx, kind),
            forms=versions.forms(self.conversions, ctx, kind),
        )
        if stored is not None and new is base and versions.up_to_date(kind, stored):
            return stored
        # The merge worked on what was written; only now does it take the form in which objects are stored.
        new, _warnings = decode.handle_body(form.api_version, form.kind, new, "Ignore", schema=struct)
        new = versions.stored(form, new)
        if stored is None or live is None:
            return self._create(ctx, kind, {**new, "metadata": dict(new["metadata"])}, own=False)
        if not ctx.subresource:
            new = self._defaulted(ctx, kind, new)
        return self._update(ctx, kind, stored, live, new, own=False, patched=True)

    def keep_renewed(
        self, ctx: RequestContext, resource: str, namespace: str | None, name: str, seconds: float
    ) -> None:
        """Have the store renew the object by itself (see etcd/renewals.py). Raises ApiError 404."""
        self.get(ctx, resource, namespace, name)
        self.store.keep_renewed(resource, store_key(namespace, name), ctx.manager, round(seconds * SECOND))

    def stop_renewing(self, resource: str, namespace: str | None, name: str) -> None:
        """The object is renewed no longer: whoever did it cannot any more."""
        self.store.stop_renewing(resource, store_key(namespace, name))

    # ---- delete ------------------------------------------------------------------------------------------

    def delete(
        self,
        ctx: RequestContext,
        resource: str,
        namespace: str | None,
        name: str,
        options: JSON | None = None,
    ) -> JSON:
        """Delete an object, or begin to. The object when it is still there or was a Pod, else a Status."""
        kind = versions.ruling(ctx, self.kind(resource))
        options = options or {}
        stored = self.find(resource, namespace, name)
        if stored is None:
            raise self._absent(kind, namespace, name)
        old = versions.read(self.conversions, ctx, kind, stored)
        deletion.check_preconditions(kind, old, options)
        _mutating, validating = self._chain.of(resource, DELETE, "")
        if validating:
            attributes = self._attributes(ctx, kind, DELETE, namespace or "", name, None, old)
            validate(attributes, validating)
        action, obj = deletion.decide(kind, old, options, self.clock.now)
        key = store_key(namespace, name)
        if action == "keep":
            return obj
        if ctx.dry_run:
            return obj if action == "update" else deletion.answer(kind, obj)
        if action in ("update", "both"):
            obj = versions.kept(self.conversions, ctx, kind, obj)
            obj = self.store.put(resource, key, obj, expect=int(old["metadata"]["resourceVersion"]))
        if action == "update":
            return obj
        return deletion.answer(kind, self._delete(resource, key))

    def delete_each(self, ctx: RequestContext, resource: str, objects: Objects, options: JSON) -> None:
        """Delete these objects, in their order; one that is gone already is no error."""
        for obj in objects:
            meta = obj["metadata"]
            try:
                self.delete(ctx, resource, meta.get("namespace"), meta["name"], options)
            except errors.ApiError as problem:
                if problem.code != 404:
                    raise

    # ---- binding -----------------------------------------------------------------------------------------

    def bind(self, ctx: RequestContext, namespace: str, name: str, binding: JSON) -> None:
        """Assign a Pod to a node (pods/binding). Raises ApiError."""
        old = self.find("pods", namespace, name)
        if old is None:
            raise errors.not_found("pods", name)
        binding = self._ask(ctx, self.kind("pods"), CREATE, namespace, name, binding)
        new = bound(old, binding, self.clock.timestamp())
        if not ctx.dry_run:
            self.store.put("pods", f"{namespace}/{name}", new, expect=int(old["metadata"]["resourceVersion"]))
