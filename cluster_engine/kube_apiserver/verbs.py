"""What each verb does to whole objects over HTTP.

Models k8s.io/apiserver/pkg/endpoints/handlers: one method a verb.
"""

from __future__ import annotations

from cluster_engine.apimachinery import errors, table
from cluster_engine.apimachinery.cow import JSON, key_of
from cluster_engine.apimachinery.scheme import Kind
from cluster_engine.etcd import Store
from cluster_engine.sim import Clock

from . import deletion, listing, watching
from .bodies import applied_configuration, body_object, patch_document
from .encoding import ObjectBytes
from .negotiation import JSON_TYPE, Accept, encode_list, negotiate, negotiate_stream, wants_pretty
from .options import ListOptions, delete_options, revision, write_context
from .registry import Registry
from .replies import NO_STORE, Replies, included, items_of
from .requests import RequestInfo, first, flag
from .resources import Objects
from .selection import Readable, Selection
from .types import ADMIN, Deleted, Request, RequestContext, Response, UserInfo

_READER = RequestContext(ADMIN)


class Verbs:
    """Reads and writes the objects of one cluster."""

    def __init__(
        self,
        clock: Clock,
        store: Store,
        registry: Registry,
        cache: ObjectBytes,
        replies: Replies,
        watches: watching.Watches,
    ) -> None:
        self._clock = clock
        self._store = store
        self._registry = registry
        self._cache = cache
        self._replies = replies
        self._watches = watches

    # ---- reads -------------------------------------------------------------------------------------------

    def get(self, request: Request, kind: Kind, namespace: str, name: str) -> Response:
        accept = negotiate(request, kind)
        wanted = revision(first(request, "resourceVersion") or "") or 0
        if wanted > self._store.revision:
            raise errors.too_large_resource_version(wanted, self._store.revision)
        if kind.computed is not None:
            found = self._registry.computed.existing(kind, namespace, name)
        else:
            found = self._registry.get(_READER, kind.group_resource, namespace, name)
        return self._replies.show(request, kind, found, 200, accept)

    def list(self, request: Request, kind: Kind, namespace: str) -> Response:
        accept = negotiate(request, kind, many=True)
        options = ListOptions.parse(request, kind.resource, kind.group, watch=False)
        kind, found, meta = self._listed(kind, namespace, options)
        if accept.form == "Table":
            content_type, pieces = self._replies.table_pieces(request, kind, found, meta, accept)
        elif accept.form:
            version = accept.api_version
            head = {"kind": "PartialObjectMetadataList", "apiVersion": version, "metadata": meta}
            partial = (table.partial_metadata(obj, version) for obj in found)
            content_type, pieces = encode_list(request, accept, head, "items", partial)
        elif accept.media == JSON_TYPE and not wants_pretty(request, accept):
            content_type, pieces = JSON_TYPE, self._cache.list(kind, found, meta)
        else:
            head = {"kind": kind.list_kind, "apiVersion": kind.api_version, "metadata": meta}
            content_type, pieces = encode_list(request, accept, head, "items", items_of(kind, found))
        headers = {"content-type": content_type, "cache-control": NO_STORE}
        if request.in_pieces:
            return Response(200, headers, pieces=pieces)
        return Response(200, headers, b"".join(pieces))

    def _listed(self, kind: Kind, namespace: str, options: ListOptions) -> tuple[Kind, Objects, JSON]:
        """(the kind that shows them, the objects, ListMeta). Raises ApiError."""
        conversions = self._registry.conversions
        store: Readable = self._store if kind.computed is None else self._registry.computed
        called = conversions.asks(kind)
        selection = Selection.parse(
            kind.as_it_is if called else kind, namespace, options.label_selector, options.field_selector
        )
        if called and not selection.everything:
            # Whether an object is selected is a question about what it is converted to.
            found, meta = listing.read(conversions.view(kind, store), selection, options)
            return selection.kind, found, meta
        found, meta = listing.read(store, selection, options)
        return (*conversions.seen(kind, found), meta)

    def watch(self, request: Request, kind: Kind, namespace: str, name: str) -> Response:
        accept = negotiate_stream(request, kind)
        options = ListOptions.parse(request, kind.resource, kind.group, watch=True)
        field_selector = options.field_selector
        if name:
            field_selector = (
                f"{field_selector},metadata.name={name}" if field_selector else f"metadata.name={name}"
            )
        conversions = self._registry.conversions
        called = conversions.asks(kind)
        selection = Selection.parse(
            kind.as_it_is if called else kind, namespace, options.label_selector, field_selector
        )
        if accept.form == "Table":
            frame = mark = watching.table_frames(
                selection, self._clock, included(request), accept.api_version
            )
        elif accept.form:
            frame = mark = watching.partial_frames(accept.api_version)
        else:
            frame, mark = watching.object_frames(selection, self._cache), watching.plain_frame
        version, refused = options.resource_version, None
        if version is not None and version > self._store.revision:
            refused = errors.too_large_resource_version(version, self._store.revision).status
            # A version of another life of this cluster: who only goes on from there has to list again.
            version = -1
        fresh = not version
        if options.initial_events is not None:
            fresh = options.initial_events
        known: Readable = self._store if kind.computed is None else self._registry.computed
        stream = watching.WatchStream(
            self._store,
            selection,
            frame,
            mark,
            since=None if fresh or not version else version,
            initial=selection.list(conversions.view(kind, known)) if fresh else (),
            end_mark=bool(options.initial_events) and options.bookmarks,
            bookmarks=options.bookmarks,
            timeout=options.timeout,
            refused=refused if options.initial_events else None,
            shown=(lambda obj: conversions.shown(kind, obj)) if called else None,
        )
        self._watches.add(stream)
        return Response(200, {"content-type": JSON_TYPE, "cache-control": NO_STORE}, stream=stream)

    # ---- writes ------------------------------------------------------------------------------------------

    def create(self, request: Request, user: UserInfo, kind: Kind, namespace: str) -> Response:
        accept = negotiate(request, kind)
        ctx = write_context(request, user, "CreateOptions", "")
        obj, warnings = body_object(request, kind, ctx.field_validation)
        ctx.warnings.extend(warnings)
        ctx.api_version = kind.api_version
        made = self._registry.create(ctx, kind.group_resource, namespace, obj)
        return self._replies.show(request, kind, made, 201, accept, ctx.warnings)

    def update(
        self, request: Request, user: UserInfo, kind: Kind, namespace: str, info: RequestInfo
    ) -> Response:
        accept = negotiate(request, kind)
        ctx = write_context(request, user, "UpdateOptions", info.subresource)
        obj, warnings = body_object(request, kind, ctx.field_validation)
        ctx.warnings.extend(warnings)
        existed = self._registry.find(kind.group_resource, namespace, info.name) is not None
        given = obj.get("metadata") or {}
        if not given.get("name"):
            if not info.name:
                raise errors.bad_request("name must be provided")
            obj = {**obj, "metadata": {**given, "name": info.name}}
        ctx.api_version = kind.api_version
        done = self._registry.update(ctx, kind.group_resource, namespace, info.name, obj)
        return self._replies.show(request, kind, done, 200 if existed else 201, accept, ctx.warnings)

    def patch(
        self, request: Request, user: UserInfo, kind: Kind, namespace: str, info: RequestInfo
    ) -> Response:
        accept = negotiate(request, kind)
        patch_type, document = patch_document(request)
        ctx = write_context(request, user, "PatchOptions", info.subresource)
        force = flag(request, "force")
        if patch_type == "apply":
            if not first(request, "fieldManager"):
                problem = errors.required("fieldManager", "is required for apply patch")
                raise errors.invalid("meta.k8s.io", "PatchOptions", "", [problem])
            document = applied_configuration(kind, document, namespace, info.name)
        elif force:
            problem = errors.forbidden_field("force", "may not be specified for non-apply patch")
            raise errors.invalid("meta.k8s.io", "PatchOptions", "", [problem])
        existed = self._registry.find(kind.group_resource, namespace, info.name) is not None
        ctx.api_version = kind.api_version
        done = self._registry.patch(
            ctx, kind.group_resource, namespace, info.name, patch_type, document, force
        )
        return self._replies.show(request, kind, done, 200 if existed else 201, accept, ctx.warnings)

    def delete(self, request: Request, user: UserInfo, kind: Kind, namespace: str, name: str) -> Response:
        accept = negotiate(request, kind)
        options = delete_options(request)
        ctx = write_context(request, user, "DeleteOptions", "")
        ctx.dry_run = bool(options.get("dryRun"))
        ctx.warnings.extend(deletion.warnings(kind, options))
        ctx.api_version = kind.api_version
        done = self._registry.delete(ctx, kind.group_resource, namespace, name, options)
        code = 200
        still_there = self._registry.find(kind.group_resource, namespace, name) is not None
        if still_there and options.get("orphanDependents") is False:
            code = 202
        if done.get("kind") == "Status":
            return self._replies.reply(request, code, done, Accept(accept.media), ctx.warnings)
        return self._replies.show(request, kind, done, code, accept, ctx.warnings)

    def delete_collection(self, request: Request, user: UserInfo, kind: Kind, namespace: str) -> Response:
        negotiate(request)
        options = delete_options(request)
        chosen = ListOptions.parse(request, kind.resource, kind.group, watch=False)
        ctx = write_context(request, user, "DeleteOptions", "")
        ctx.dry_run = bool(options.get("dryRun"))
        ctx.warnings.extend(deletion.warnings(kind, options))
        ctx.api_version = kind.api_version
        shown_as, found, meta = self._listed(kind, namespace, chosen)
        if shown_as is not kind:
            stored = (self._store.get(kind.group_resource, key_of(obj)) for obj in found)
            found = [obj for obj in stored if obj is not None]
        self._registry.delete_each(ctx, kind.group_resource, found, options)
        return self._replies.deleted(request, kind, Deleted(found, meta, tuple(ctx.warnings)))
