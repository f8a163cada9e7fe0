"""The HTTP behaviour: a Request goes in, a Response comes out, nothing waits.

Models k8s.io/apiserver/pkg/endpoints/handlers: one method a verb, errors always as Status.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace

import orjson

from cluster_engine.apimachinery import decode, errors, table, yaml
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.apimachinery.scheme import Kind
from cluster_engine.etcd import Store
from cluster_engine.sim import Clock

from . import discovery, listing, metrics, requests, reviews, watching
from .authentication import Authenticator
from .authorization import Attributes, AuthorizerChain
from .budgets import BODY_LIMIT
from .encoding import ObjectBytes
from .impersonation import impersonated
from .negotiation import (
    JSON_TYPE,
    Accept,
    decode_as,
    decode_body,
    encode,
    media_type,
    negotiate,
    wants_pretty,
)
from .node_api import NodeProxy
from .options import ListOptions, delete_options, is_dry_run, write_context
from .patching import TYPES, check_applied
from .registry import Registry
from .requests import RequestInfo, first, flag
from .selection import Selection
from .subrequests import STREAMED, Subresources
from .types import ADMIN, Request, RequestContext, Response, UserInfo

_FORMS = ("Table", "PartialObjectMetadata")
_LIST_FORMS = ("Table", "PartialObjectMetadataList")
_NO_STORE = "no-cache, private"
_READS = ("get", "list", "watch", "")
_WARNINGS_LIMIT = 32


class Handlers:
    """Answers requests to one cluster."""

    def __init__(
        self,
        clock: Clock,
        store: Store,
        registry: Registry,
        authenticator: Authenticator,
        authorizer: AuthorizerChain,
        nodes: NodeProxy,
    ) -> None:
        self._clock = clock
        self._store = store
        self._registry = registry
        self._authenticator = authenticator
        self._authorizer = authorizer
        self._scheme = registry.scheme
        self._scheme.follow(self._kinds_changed)
        self._reviews = {(r.group, r.version, r.resource): r for r in reviews.REVIEWS}
        self._cache = ObjectBytes(store, registry.cache)
        self._subresources = Subresources(clock, store, registry, authenticator, nodes)

    def _kinds_changed(self) -> None:
        self._discovery = discovery.of_kinds(self._scheme.forms)

    # ---- the way in --------------------------------------------------------------------------------------

    def admit(self, request: Request) -> Response | None:
        """Settles who asks and answers what changes nothing; None: it may change something (see APIServer)."""
        return self._guarded(request, 0, self._admitted)

    def handle(self, request: Request, entry: int = 0) -> Response:
        """The reply (see APIServer)."""
        reply = self._guarded(request, entry, self._answer)
        assert reply is not None
        return reply

    def refused_stream(self, request: Request) -> Response | None:
        """Why exec, attach or portforward may not be streamed: user, rights, Pod, container. None: it may."""
        return self._guarded(request, 0, self._check_stream)

    def refused_upgrade(self, request: Request) -> Response | None:
        """The same for a request that comes without the upgrade that such a stream needs; None: it needs none."""
        return self._guarded(request, 0, self._check_upgrade)

    def _guarded(
        self, request: Request, entry: int, step: Callable[[Request], Response | None]
    ) -> Response | None:
        """What the step gives, an ApiError as its Status, and any other exception as a 500."""
        try:
            try:
                return step(request)
            except ApiError as problem:
                return self.failure(request, problem)
        except Exception as error:
            what = f"{request.method} {request.path}"
            if not self._clock.failed("kube-apiserver", what, error, replayed=entry > 0):
                raise
            return _panicked(f"{entry or self._clock.now} {what}")

    def _admitted(self, request: Request) -> Response | None:
        request.user = self._identify(request)
        # Settled here, once: the journal keeps the user and not the headers that led to it.
        for name in [name for name in request.headers if name.startswith("impersonate-")]:
            del request.headers[name]
        if len(request.body) > BODY_LIMIT:
            raise errors.request_entity_too_large(BODY_LIMIT)
        return None if self.mutates(request) else self._answer(request)

    def _identify(self, request: Request) -> UserInfo:
        user = self._authenticator.identify(request)
        return impersonated(user, request, self._authorizer)

    def _check_upgrade(self, request: Request) -> None:
        if requests.parse(request).subresource in STREAMED:
            self._check_stream(request)
            raise errors.bad_request("Upgrade request required")

    def _check_stream(self, request: Request) -> None:
        info = replace(requests.parse(request), verb="create")
        self._authorizer.check(Attributes.of(self._identify(request), info, request))
        kind = self._scheme.served(info.group, info.version, info.resource)
        if kind is None or kind.group_resource != "pods" or info.subresource not in STREAMED:
            raise _no_resource()
        self._subresources.check_stream(kind, info, request)

    def failure(self, request: Request, problem: ApiError) -> Response:
        """The Status of an error as a reply."""
        status = problem.status
        headers = {"cache-control": _NO_STORE}
        retry = (status.get("details") or {}).get("retryAfterSeconds")
        if retry:
            headers["retry-after"] = str(retry)
        try:
            accept = negotiate(request)
        except ApiError:
            accept = Accept()
        headers["content-type"], body = encode(request, accept, status)
        return Response(problem.code, headers, body)

    def mutates(self, request: Request) -> bool:
        """Whether a request may change something: such a request is journaled before it is carried out."""
        if request.path.endswith("/exec"):
            # A command runs whatever the method (kubectl opens its stream with GET) and whatever dryRun says.
            return requests.parse(request).subresource == "exec"
        if request.method in ("GET", "HEAD", "OPTIONS"):
            return False
        if is_dry_run(request):
            return False
        info = requests.parse(request)
        if not info.is_resource or info.verb in _READS:
            return False
        if (info.group, info.version, info.resource) in self._reviews:
            return False
        # A delete's body may ask for a dry run too.
        return not (request.method == "DELETE" and b"dryRun" in request.body and self._dry_delete(request))

    def _dry_delete(self, request: Request) -> bool:
        try:
            return bool(delete_options(request).get("dryRun"))
        except ApiError:
            return True  # refused anyway

    def _answer(self, request: Request) -> Response:
        user = self._identify(request)
        if len(request.body) > BODY_LIMIT:
            raise errors.request_entity_too_large(BODY_LIMIT)
        info = requests.parse(request)
        self._authorizer.check(Attributes.of(user, info, request))
        if not info.is_resource:
            if request.method not in ("GET", "HEAD"):
                return not_found_page() if not request.path.startswith(("/api", "/apis")) else _no_method()
            if request.path == "/metrics":
                return Response(
                    200, {"content-type": metrics.CONTENT_TYPE}, metrics.page(self._clock.failures)
                )
            return self._discovery.handle(request) or not_found_page()
        if not self._discovery.serves(info.group, info.version):
            return not_found_page()
        review = self._reviews.get((info.group, info.version, info.resource))
        if review is not None and not info.name:
            return self._review(request, user, info, review)
        kind = self._scheme.served(info.group, info.version, info.resource)
        if kind is None and (info.group, info.resource, info.verb) == ("", "bindings", "create"):
            return self._subresources.binding(request, user, info)
        if kind is None or info.malformed:
            raise _no_resource()
        if info.namespace and not kind.namespaced and kind.resource != "namespaces":
            raise _no_resource()
        if (
            kind.namespaced
            and not info.namespace
            and (info.name or info.verb in ("create", "deletecollection"))
        ):
            raise _no_resource() if info.name else _no_method_error()
        if info.subresource:
            return self._subresources.handle(self, request, user, info, kind)
        named = info.verb in ("get", "update", "patch", "delete")
        if info.verb not in kind.verbs or (info.verb != "watch" and named != bool(info.name)):
            raise _no_method_error()
        return self._warned(kind, self._verb(request, user, info, kind))

    def _warned(self, kind: Kind, response: Response) -> Response:
        """The reply with a warning where the kind is on its way out."""
        if kind.deprecated:
            response.warnings = (kind.deprecated, *response.warnings)
        return response

    def _verb(self, request: Request, user: UserInfo, info: RequestInfo, kind: Kind) -> Response:
        namespace = info.namespace if kind.namespaced else ""
        match info.verb:
            case "get":
                return self._get(request, kind, namespace, info.name)
            case "list":
                return self._list(request, kind, namespace)
            case "watch":
                return self._watch(request, kind, namespace, info.name)
            case "create":
                return self._create(request, user, kind, namespace)
            case "update":
                return self._update(request, user, kind, namespace, info)
            case "patch":
                return self._patch(request, user, kind, namespace, info)
            case "delete":
                return self._delete(request, user, kind, namespace, info.name)
            case "deletecollection":
                return self._delete_collection(request, user, kind, namespace)
        raise _no_method_error()

    def whole_object(
        self, request: Request, user: UserInfo, kind: Kind, namespace: str, info: RequestInfo
    ) -> Response:
        """A subresource that shows the object itself: status, finalize."""
        if info.verb == "get":
            return self._get(request, kind, namespace, info.name)
        if info.verb == "update":
            return self._update(request, user, kind, namespace, info)
        return self._patch(request, user, kind, namespace, info)

    # ---- reads -------------------------------------------------------------------------------------------

    def _get(self, request: Request, kind: Kind, namespace: str, name: str) -> Response:
        accept = negotiate(request, _FORMS)
        return self.show(
            request, kind, self._registry.get(_READER, kind.group_resource, namespace, name), 200, accept
        )

    def _list(self, request: Request, kind: Kind, namespace: str) -> Response:
        accept = negotiate(request, _LIST_FORMS)
        options = ListOptions.parse(request, kind.resource, kind.group, watch=False)
        selection = Selection.parse(kind, namespace, options.label_selector, options.field_selector)
        found, meta = listing.read(self._store, selection, options)
        if accept.form == "Table":
            value = self._table(request, kind, found, meta)
        elif accept.form:
            value = table.partial_metadata_list(
                {"kind": kind.list_kind, "apiVersion": kind.api_version, "metadata": meta, "items": found}
            )
        elif accept.media == JSON_TYPE and not wants_pretty(request):
            body = self._cache.list(kind, found, meta)
            return Response(200, {"content-type": JSON_TYPE, "cache-control": _NO_STORE}, body)
        else:
            items = _items(kind, found)
            value = {"kind": kind.list_kind, "apiVersion": kind.api_version, "metadata": meta, "items": items}
        return self.reply(request, 200, value, accept)

    def _table(self, request: Request, kind: Kind, objects: list[JSON], meta: JSON) -> JSON:
        include = first(request, "includeObject") or "Metadata"
        if include not in ("None", "Metadata", "Object"):
            problem = errors.not_supported("includeObject", include, ("Metadata", "None", "Object", ""))
            raise errors.invalid("meta.k8s.io", "TableOptions", "", [problem])
        return table.to_table(kind, objects, self._clock.now, include_object=include, list_meta=meta)

    def _watch(self, request: Request, kind: Kind, namespace: str, name: str) -> Response:
        accept = negotiate(request, (*_FORMS, "PartialObjectMetadataList"))
        options = ListOptions.parse(request, kind.resource, kind.group, watch=True)
        field_selector = options.field_selector
        if name:
            field_selector = (
                f"{field_selector},metadata.name={name}" if field_selector else f"metadata.name={name}"
            )
        selection = Selection.parse(kind, namespace, options.label_selector, field_selector)
        if accept.form == "Table":
            include = first(request, "includeObject") or "Metadata"
            frame = mark = watching.table_frames(selection, self._clock, include)
        elif accept.form:
            frame = mark = watching.partial_frames()
        else:
            frame, mark = watching.object_frames(selection, self._cache), watching.plain_frame
        version = options.resource_version
        if version is not None and version > self._store.revision:
            # A version of another life of this cluster: the client has to list again.
            version = -1
        fresh = not version
        if options.initial_events is not None:
            fresh = options.initial_events
        stream = watching.WatchStream(
            self._store,
            selection,
            frame,
            mark,
            since=None if fresh or not version else version,
            initial=fresh,
            end_mark=bool(options.initial_events) and options.bookmarks,
            bookmarks=options.bookmarks,
            timeout=options.timeout,
        )
        return Response(200, {"content-type": JSON_TYPE, "cache-control": _NO_STORE}, stream=stream)

    # ---- writes ------------------------------------------------------------------------------------------

    def body_object(self, request: Request, kind: Kind, ctx_validation: str) -> tuple[JSON, list[str]]:
        """The body as an object of the kind, checked against its schema. Raises ApiError 400, 415."""
        obj, duplicates = decode_body(request, kind.kind)
        given_version, given_kind = obj.get("apiVersion") or kind.api_version, obj.get("kind") or kind.kind
        if (given_version, given_kind) != (kind.api_version, kind.kind):
            if given_version != kind.api_version:
                raise errors.bad_request(
                    f"the API version in the data ({given_version}) does not match the expected API version "
                    f"({kind.api_version})"
                )
            raise errors.bad_request(
                f'{given_kind} in version "{kind.version}" cannot be handled as a {kind.kind}: '
                f'no kind "{given_kind}" is registered for version "{kind.api_version}" in scheme '
                '"pkg/api/legacyscheme/scheme.go:30"'
            )
        if "apiVersion" not in obj or "kind" not in obj:
            obj = {**obj, "apiVersion": kind.api_version, "kind": kind.kind}
        return decode.handle_body(
            kind.api_version, kind.kind, obj, ctx_validation, duplicates, kind.structure
        )

    def _create(self, request: Request, user: UserInfo, kind: Kind, namespace: str) -> Response:
        accept = negotiate(request, _FORMS)
        ctx = write_context(request, user, "CreateOptions", "")
        obj, warnings = self.body_object(request, kind, ctx.field_validation)
        ctx.warnings.extend(warnings)
        ctx.api_version = kind.api_version
        made = self._registry.create(ctx, kind.group_resource, namespace, obj)
        return self.show(request, kind, made, 201, accept, ctx.warnings)

    def _update(
        self, request: Request, user: UserInfo, kind: Kind, namespace: str, info: RequestInfo
    ) -> Response:
        accept = negotiate(request, _FORMS)
        ctx = write_context(request, user, "UpdateOptions", info.subresource)
        obj, warnings = self.body_object(request, kind, ctx.field_validation)
        ctx.warnings.extend(warnings)
        existed = self._registry.find(kind.group_resource, namespace, info.name) is not None
        given = obj.get("metadata") or {}
        if not given.get("name"):
            if not info.name:
                raise errors.bad_request("name must be provided")
            obj = {**obj, "metadata": {**given, "name": info.name}}
        ctx.api_version = kind.api_version
        done = self._registry.update(ctx, kind.group_resource, namespace, info.name, obj)
        return self.show(request, kind, done, 200 if existed else 201, accept, ctx.warnings)

    def _patch(
        self, request: Request, user: UserInfo, kind: Kind, namespace: str, info: RequestInfo
    ) -> Response:
        accept = negotiate(request, _FORMS)
        patch_type, document = self.patch_document(request)
        ctx = write_context(request, user, "PatchOptions", info.subresource)
        force = flag(request, "force")
        if patch_type == "apply":
            if not first(request, "fieldManager"):
                problem = errors.required("fieldManager", "is required for apply patch")
                raise errors.invalid("meta.k8s.io", "PatchOptions", "", [problem])
            document = self._applied(kind, document, namespace, info.name)
        elif force:
            problem = errors.forbidden_field("force", "may not be specified for non-apply patch")
            raise errors.invalid("meta.k8s.io", "PatchOptions", "", [problem])
        existed = self._registry.find(kind.group_resource, namespace, info.name) is not None
        ctx.api_version = kind.api_version
        done = self._registry.patch(
            ctx, kind.group_resource, namespace, info.name, patch_type, document, force
        )
        return self.show(request, kind, done, 200 if existed else 201, accept, ctx.warnings)

    def patch_document(self, request: Request) -> tuple[str, JSON | list[JSON]]:
        """(patch type, document). Raises ApiError 400, 415."""
        patch_type = TYPES.get(media_type(request))
        if patch_type is None or patch_type == "apply-cbor":
            raise errors.unsupported_media_type(
                "the body of the request was in an unknown format - accepted media types include: "
                + ", ".join(name for name, known in TYPES.items() if known != "apply-cbor")
            )
        try:
            if patch_type == "apply":
                return patch_type, yaml.load(request.body)
            document, _duplicates = decode.load_json(request.body)
        except (decode.DecodeError, yaml.YamlError) as problem:
            raise errors.bad_request(f"error decoding patch: {problem}") from problem
        return patch_type, document

    def _applied(self, kind: Kind, document: object, namespace: str, name: str) -> JSON:
        """The configuration of an apply, as it was written. Raises ApiError 400."""
        if not isinstance(document, dict):
            raise errors.bad_request("error decoding YAML: the patch is not an object")
        given = (document.get("apiVersion"), document.get("kind"))
        if given != (kind.api_version, kind.kind):
            if not all(given):
                raise errors.bad_request(
                    "invalid object type: couldn't get version/kind; the patch needs apiVersion and kind"
                )
            raise errors.bad_request(
                f"invalid object type: {given[0]}, Kind={given[1]} is not {kind.api_version}, "
                f"Kind={kind.kind}"
            )
        check_applied(kind, document, namespace, name)
        return document

    def _delete(self, request: Request, user: UserInfo, kind: Kind, namespace: str, name: str) -> Response:
        accept = negotiate(request, _FORMS)
        options = delete_options(request)
        ctx = write_context(request, user, "DeleteOptions", "")
        ctx.dry_run = bool(options.get("dryRun"))
        done = self._registry.delete(ctx, kind.group_resource, namespace, name, options)
        code = 200
        still_there = self._registry.find(kind.group_resource, namespace, name) is not None
        if still_there and options.get("orphanDependents") is False:
            code = 202
        if done.get("kind") == "Status":
            return self.reply(request, code, done, Accept(accept.media), ctx.warnings)
        return self.show(request, kind, done, code, accept, ctx.warnings)

    def _delete_collection(self, request: Request, user: UserInfo, kind: Kind, namespace: str) -> Response:
        accept = negotiate(request)
        options = delete_options(request)
        chosen = ListOptions.parse(request, kind.resource, kind.group, watch=False)
        ctx = write_context(request, user, "DeleteOptions", "")
        ctx.dry_run = bool(options.get("dryRun"))
        revision = self._store.revision
        found = self._registry.delete_collection(
            ctx, kind.group_resource, namespace, options, chosen.label_selector, chosen.field_selector
        )
        value = {
            "kind": kind.list_kind,
            "apiVersion": kind.api_version,
            "metadata": {"resourceVersion": str(revision)},
            "items": _items(kind, found),
        }
        return self.reply(request, 200, value, accept, ctx.warnings)

    def _review(
        self, request: Request, user: UserInfo, info: RequestInfo, review: reviews.Review
    ) -> Response:
        if info.verb != "create":
            raise _no_method_error()
        accept = negotiate(request)
        obj = decode_as(request, review.api_version, review.kind)
        asked = reviews.Asked(self._authenticator, self._authorizer, user, info.namespace)
        value = reviews.answer(review, asked, obj, self._clock.timestamp())
        return self.reply(request, 201, value, accept)

    # ---- the way out -------------------------------------------------------------------------------------

    def show(
        self,
        request: Request,
        kind: Kind,
        obj: JSON,
        code: int,
        accept: Accept,
        warnings: Sequence[str] = (),
    ) -> Response:
        """A stored object in the form that the client asked for."""
        if accept.form == "Table":
            value = self._table(
                request, kind, [obj], {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
            )
        elif accept.form:
            value = table.partial_metadata(obj)
        elif accept.media == JSON_TYPE and not wants_pretty(request) and "resourceVersion" in obj["metadata"]:
            headers = {"content-type": JSON_TYPE, "cache-control": _NO_STORE}
            body = self._cache.whole(kind, obj) + b"\n"
            return Response(code, headers, body, warnings=tuple(warnings[:_WARNINGS_LIMIT]))
        else:
            value = kind.shown(obj)
        return self.reply(request, code, value, accept, warnings)

    def reply(
        self, request: Request, code: int, value: JSON, accept: Accept, warnings: Sequence[str] = ()
    ) -> Response:
        """Any JSON-shaped value as a reply."""
        content_type, body = encode(request, accept, value)
        headers = {"content-type": content_type, "cache-control": _NO_STORE}
        return Response(code, headers, body, warnings=tuple(warnings[:_WARNINGS_LIMIT]))


_READER = RequestContext(ADMIN)


def _items(kind: Kind, objects: Sequence[JSON]) -> list[JSON]:
    """Stored objects as the items of a list."""
    shown = map(kind.shown, objects)
    return [{k: v for k, v in obj.items() if k not in ("kind", "apiVersion")} for obj in shown]


def not_found_page() -> Response:
    """What upstream says of a path that nothing serves."""
    headers = {"content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff"}
    return Response(404, headers, b"404 page not found\n")


def _panicked(seed: str) -> Response:
    """The reply to a request that met a bug, in JSON whatever was asked for: the bug may be in the encoding.

    ``seed`` names the request: the same one gets the same id at every replay. The words are upstream's
    (WithPanicRecovery), the form NewInternalError's.
    """
    ident = hashlib.blake2b(seed.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
    ident = f"{ident[:8]}-{ident[8:12]}-{ident[12:16]}-{ident[16:20]}-{ident[20:]}"
    problem = errors.internal(
        f"This request caused apiserver to panic. Look in the logs for details. (request {ident})"
    )
    headers = {"content-type": JSON_TYPE, "cache-control": _NO_STORE, "audit-id": ident}
    return Response(problem.code, headers, orjson.dumps(problem.status))


def _no_resource() -> ApiError:
    return ApiError(
        errors.status_failure(404, "NotFound", "the server could not find the requested resource", None)
    )


def _no_method_error() -> ApiError:
    return ApiError(
        errors.status_failure(
            405, "MethodNotAllowed", "the server does not allow this method on the requested resource", None
        )
    )


def _no_method() -> Response:
    problem = _no_method_error()
    return Response(405, {"content-type": JSON_TYPE}, orjson.dumps(problem.status))
