"""The HTTP behaviour: a Request goes in, a Response comes out, nothing waits.

Who asks, may they, and who answers: `discovery.py`, `reviews.py`, `verbs.py` or `subrequests.py`. Errors are
always a Status. Models k8s.io/apiserver/pkg/server/config.go (the chain of filters) and pkg/endpoints.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import orjson

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.apimachinery.scheme import Kind
from cluster_engine.etcd import Store
from cluster_engine.sim import Chance, Clock

from . import aggregation, discovery, health, impersonation, metrics, requests, reviews, signing_keys
from .audit import Log
from .authentication import Authenticator
from .authorization import Access, AuthorizerChain, denied
from .budgets import BODY_LIMIT
from .encoding import ObjectBytes
from .exposition import CONTENT_TYPE, page
from .flow_control import FlowControl
from .negotiation import (
    JSON_TYPE,
    decode_as,
    negotiate,
)
from .node_api import NodeProxy
from .options import delete_options, is_dry_run, write_context
from .registry import Registry
from .replies import Replies
from .request_counts import RequestCounts
from .requests import RequestInfo
from .sessions import Sessions
from .subrequests import SESSIONS_OF, STREAMED, Subresources
from .subresources import connect
from .trail import AUDIT_ID, TEXT_KEPT, Record, Trail
from .types import API_SERVER, ETCD, REFUSED, Deleted, Request, Response, UserInfo
from .verbs import Verbs
from .watch_cache import is_cached
from .watching import Watches

_FORMS = ("Table", "PartialObjectMetadata")
_NO_STORE = "no-cache, private"
_READS = ("get", "list", "watch", "")
_WARNINGS_LIMIT = 32


class Handlers:
    """Answers requests to one cluster."""

    def __init__(
        self,
        clock: Clock,
        chance: Chance,
        store: Store,
        registry: Registry,
        authenticator: Authenticator,
        authorizer: AuthorizerChain,
        nodes: NodeProxy,
        sessions: Sessions,
        audit: Log | None = None,
    ) -> None:
        self._clock = clock
        self.audit = audit
        self._store = store
        self._registry = registry
        self._authenticator = authenticator
        self._authorizer = authorizer
        self._scheme = registry.scheme
        self._scheme.follow(self._kinds_changed)
        cache = ObjectBytes(store, registry.cache)
        self._replies = Replies(clock, cache, registry.conversions)
        watches = Watches(store, registry.scheme)
        self._verbs = Verbs(clock, store, registry, cache, self._replies, watches)
        self._subresources = Subresources(
            clock, store, registry, authenticator, nodes, self._verbs, self._replies, sessions
        )
        self.trail = Trail(clock.causes, chance, watches.told)
        self.counts = RequestCounts()
        self._flows = FlowControl(store)
        self._measured = metrics.Measured(
            clock, store, registry.scheme, self.counts, sessions.open_names, self._flows.seats
        )

    def _openid(self, path: str) -> Response:
        headers = {"content-type": signing_keys.CONTENT_TYPES[path], "cache-control": "public, max-age=3600"}
        return Response(200, headers, orjson.dumps(self._authenticator.openid(path)))

    def _kinds_changed(self) -> None:
        self._discovery = discovery.of_kinds(self._scheme.forms)

    def failure(self, request: Request, problem: ApiError) -> Response:
        """The reply that an ApiError makes."""
        return self._replies.failure(request, problem)

    def deleted(self, request: Request, deleted: Deleted) -> Response:
        """What a deletion of that collection answers (see APIServer)."""
        info = requests.parse(request)
        kind = self._scheme.served(info.group, info.version, info.resource)
        if kind is None:
            return self.failure(request, errors.no_such_resource())
        return self._replies.deleted(request, kind, deleted)

    # ---- the way in --------------------------------------------------------------------------------------

    def admit(self, request: Request) -> Response | None:
        """Settles who asks and answers what changes nothing; None: it may change something (see APIServer)."""
        return self.guarded(request, 0, self._admitted)

    def handle(self, request: Request, entry: int = 0) -> Response:
        """The reply (see APIServer)."""
        reply = self.guarded(request, entry, self._answer)
        assert reply is not None
        return reply

    def serve(self, request: Request) -> Response:
        """The reply to a client on the cluster's own network (see APIServer)."""

        def step(request: Request) -> Response:
            self._check_upgrade(request)
            if requests.parse(request).subresource in SESSIONS_OF:
                raise errors.not_simulated("proxied requests of clients in Pods")
            return self._admitted(request) or self._answer(request)

        reply = self.guarded(request, 0, step)
        assert reply is not None
        return reply

    def refused_stream(self, request: Request) -> Response | None:
        """Why exec, attach or portforward may not be streamed: user, rights, Pod, container. None: it may."""

        def step(request: Request) -> None:
            self._check_stream(request)

        return self.guarded(request, 0, step)

    def refused_path(self, request: Request) -> Response | None:
        """Why the user may not ask for a path that is no resource; None: they may."""
        return self.guarded(request, 0, self._check_path)

    def refused_upgrade(self, request: Request) -> Response | None:
        """The same for a request that comes without the upgrade that such a stream needs; None: it needs none."""
        if requests.parse(request).subresource not in STREAMED:
            return None
        return self.guarded(request, 0, self._check_upgrade)

    def guarded(
        self, request: Request, entry: int, step: Callable[[Request], Response | None]
    ) -> Response | None:
        """What the step gives, an ApiError as its Status, and any other exception as a 500.

        What was answered, and every entry of the journal, leaves its record.
        """
        record = request.record = _record(request, entry, self._clock.now)
        mark = self._clock.causes.mark
        reply = self._tried(request, record, step)
        if reply is not None:
            reply.headers[AUDIT_ID] = self.trail.identified(record, request.headers.get(AUDIT_ID, ""))
            reply.headers |= record.flow
            written = self.trail.keep(record, mark, reply.status, reply.body)
            self.counts.wrote(self._clock.now, written)
            self.counts.admission(record, reply.status)
        elif entry:
            self.trail.identified(record, request.headers.get(AUDIT_ID, ""))
            self.trail.keep(record, mark, 0, b"")
        if self.audit is not None and (entry or (request.inside and reply is not None)):
            self.audit.write(request, record, reply)
        return reply

    def _tried(
        self, request: Request, record: Record, step: Callable[[Request], Response | None]
    ) -> Response | None:
        try:
            try:
                return step(request)
            except ApiError as problem:
                return self._replies.failure(request, problem)
        except Exception as error:
            what = f"{request.method} {request.path}"
            replayed = record.entry > 0 or request.inside
            if not self._clock.failed("kube-apiserver", what, error, replayed=replayed):
                raise
            return _panicked(self.trail.identified(record, request.headers.get(AUDIT_ID, "")))

    def _reach(self, request: Request) -> None:
        """Raises ApiError while the API server does not run; and of what has to ask etcd while that does not."""
        if self._clock.is_halted(API_SERVER):
            raise errors.service_unavailable(REFUSED)
        if self._clock.is_halted(ETCD) and self._needs_etcd(request):
            raise ApiError(errors.status_failure(500, "", "etcdserver: request timed out"))

    def _needs_etcd(self, request: Request) -> bool:
        if request.method not in ("GET", "HEAD"):
            return True
        info = requests.parse(request)
        kind = self._scheme.served(info.group, info.version, info.resource) if info.is_resource else None
        return kind is not None and not kind.computed and not is_cached(request, info)

    def _admitted(self, request: Request) -> Response | None:
        self._reach(request)
        request.user = self._identify(request)
        # Settled here, once: the journal keeps the user and not the headers that led to it.
        for name in [name for name in request.headers if name.startswith(impersonation.HEADERS)]:
            del request.headers[name]
        if len(request.body) > BODY_LIMIT:
            raise errors.request_entity_too_large(BODY_LIMIT)
        if self.mutates(request) or (
            self.audit is not None and not request.inside and self.audit.tells(request)
        ):
            return None
        return self._answer(request)

    def _identify(self, request: Request) -> UserInfo:
        own = self._authenticator.identify(request)
        user = impersonation.impersonated(own, request, self._authorizer)
        if user is not own:
            request.impersonator = own
        if request.record is not None:
            request.record.user = user.as_dict()
        return user

    def _authorize(self, request: Request, user: UserInfo, info: RequestInfo) -> None:
        """Asks the authorizers and notes what they say. Raises ApiError 403."""
        asked = Access.of(user, info, request)
        decision = self._authorizer.decide(asked)
        if request.record is not None:
            _describe(request.record, info)
            request.record.decided(decision.allowed, decision.reason)
        if not decision.allowed:
            raise denied(asked, decision)

    def _check_path(self, request: Request) -> None:
        request.user = self._identify(request)
        self._authorize(request, request.user, requests.parse(request))

    def _check_upgrade(self, request: Request) -> None:
        if requests.parse(request).subresource in STREAMED:
            self._check_stream(request)
            asked = request.headers.get("upgrade", "").lower()
            raise errors.bad_request(_NO_SPDY if asked.startswith("spdy/") else "Upgrade request required")

    def open_session(self, request: Request, entry: int) -> Response | None:
        """Begins the session of an exec or attach request (see APIServer)."""

        def step(request: Request) -> None:
            user = self._check_stream(request)
            info = requests.parse(request)
            kind = self._scheme.served(info.group, info.version, info.resource)
            assert kind is not None
            ctx = write_context(request, user, "", info.subresource)
            asked = connect.options(kind.resource, info.subresource, request.query)
            self._registry.connect(ctx, kind, info.namespace, info.name, asked)
            self._subresources.open_stream(info, request, f"s{entry}")
            self.counts.session(request, info, f"s{entry}", self._measured.sessions())

        return self.guarded(request, entry, step)

    def _check_stream(self, request: Request) -> UserInfo:
        self._reach(request)
        request.user = user = self._identify(request)
        info = requests.parse(request)
        if info.subresource in STREAMED:
            info = replace(info, verb="create")
        self._authorize(request, user, info)
        kind = self._scheme.served(info.group, info.version, info.resource)
        if kind is None or not _has(kind, info.subresource):
            raise errors.no_such_resource()
        self._subresources.check_stream(kind, info, request)
        return user

    def mutates(self, request: Request) -> bool:
        """Whether a request may change something: such a request is journaled before it is carried out."""
        if request.method in ("GET", "HEAD", "OPTIONS"):
            return False
        if is_dry_run(request) and not self._registry.calls_out:
            return False
        info = requests.parse(request)
        if not info.is_resource or info.verb in _READS:
            return False
        kind = self._scheme.served(info.group, info.version, info.resource)
        if kind is not None and kind.answer in reviews.ANSWERS:
            return False
        # A delete's body may ask for a dry run too.
        dry = request.method == "DELETE" and b"dryRun" in request.body and self._dry_delete(request)
        return not dry or self._registry.calls_out

    def _dry_delete(self, request: Request) -> bool:
        try:
            return bool(delete_options(request).get("dryRun"))
        except ApiError:
            return True  # refused anyway

    def _answer(self, request: Request) -> Response:
        self._reach(request)
        user = self._identify(request)
        if len(request.body) > BODY_LIMIT:
            raise errors.request_entity_too_large(BODY_LIMIT)
        info = requests.parse(request)
        if (flow := self._flows.flow(user, info)) is not None:
            self.counts.dispatched[flow.level, flow.schema] += 1
            if request.record is not None:
                request.record.flow = flow.headers()
        self._authorize(request, user, info)
        if not info.is_resource:
            if request.method not in ("GET", "HEAD"):
                return not_found_page() if not request.path.startswith(("/api", "/apis")) else _no_method()
            if request.path == "/metrics":
                measured = metrics.families(self._measured, request.inside)
                return Response(200, {"content-type": CONTENT_TYPE}, page(measured))
            if request.path in signing_keys.CONTENT_TYPES:
                return self._openid(request.path)
            found = self._documents(request)
            if found is not None and request.path.startswith(health.PATHS):
                self.counts.answer(request, info, found.status)
            return found or not_found_page()
        if not self._discovery.serves(info.group, info.version):
            behind = (info.group, info.version) in aggregation.delegated(self._store)
            return aggregation.unavailable() if behind else not_found_page()
        kind = self._scheme.served(info.group, info.version, info.resource)
        if kind is None or info.malformed:
            raise errors.no_such_resource()
        if info.namespace and not kind.namespaced and kind.resource != "namespaces":
            raise errors.no_such_resource()
        if kind.answer and (info.name or kind.namespaced != bool(info.namespace)):
            raise errors.no_such_resource()
        if (
            kind.namespaced
            and not info.namespace
            and (info.name or info.verb in ("create", "deletecollection"))
        ):
            raise errors.no_such_resource() if info.name else errors.method_not_allowed()
        if info.subresource not in ("", *kind.subresources):
            return self._subresources.handle(request, user, info, kind)
        if info.subresource:
            return self._counted(request, info, lambda: self._subresources.handle(request, user, info, kind))
        named = info.verb in ("get", "update", "patch", "delete")
        if kind.refused and info.verb not in kind.verbs:
            raise errors.not_simulated(kind.refused)
        if info.verb not in kind.verbs or (info.verb != "watch" and named != bool(info.name)):
            raise errors.method_not_allowed()
        return self._counted(request, info, lambda: self._warned(kind, self._verb(request, user, info, kind)))

    def _documents(self, request: Request) -> Response | None:
        """What discovery says, also of groups for which a Service should answer and nobody does."""
        path = request.path.rstrip("/")
        if health.is_asked(path):
            return health.health(request, path, health.OF_ETCD if self._clock.is_halted(ETCD) else ())
        served = self._discovery
        away = tuple(each for each in aggregation.delegated(self._store) if not served.serves(*each))
        if away:
            served = discovery.of_kinds(self._scheme.forms, away)
            named = request.path.strip("/").split("/")[:3]
            if named[0] == "apis" and tuple(named[1:]) in away:
                return aggregation.unavailable()
        return served.handle(request)

    def _counted(self, request: Request, info: RequestInfo, step: Callable[[], Response]) -> Response:
        """The reply of who serves it, which counts, as what they refuse does."""
        try:
            reply = step()
        except ApiError as problem:
            self.counts.answer(request, info, problem.code)
            raise
        self.counts.answer(request, info, reply.status, reply)
        return reply

    def _warned(self, kind: Kind, response: Response) -> Response:
        """The reply with a warning where the kind is on its way out."""
        if kind.deprecated:
            response.warnings = (kind.deprecated, *response.warnings)
        return response

    def _verb(self, request: Request, user: UserInfo, info: RequestInfo, kind: Kind) -> Response:
        if kind.answer:
            return self._asked(request, user, info, kind)
        namespace = info.namespace if kind.namespaced else ""
        match info.verb:
            case "get":
                return self._verbs.get(request, kind, namespace, info.name)
            case "list":
                return self._verbs.list(request, kind, namespace)
            case "watch":
                return self._verbs.watch(request, kind, namespace, info.name)
            case "create":
                return self._verbs.create(request, user, kind, namespace)
            case "update":
                return self._verbs.update(request, user, kind, namespace, info)
            case "patch":
                return self._verbs.patch(request, user, kind, namespace, info)
            case "delete":
                return self._verbs.delete(request, user, kind, namespace, info.name)
            case "deletecollection":
                return self._verbs.delete_collection(request, user, kind, namespace)
        raise errors.method_not_allowed()

    def _asked(self, request: Request, user: UserInfo, info: RequestInfo, kind: Kind) -> Response:
        """What is created to be answered, and never stored."""
        if kind.answer not in reviews.ANSWERS:
            return self._subresources.answer(kind.answer, request, user, info, kind)
        accept = negotiate(request)
        obj = decode_as(request, kind.api_version, kind.kind)
        asked = reviews.Asked(self._authenticator, self._authorizer, user, kind)
        return self._replies.reply(request, 201, reviews.answer(asked, obj, self._clock.timestamp()), accept)


def _has(kind: Kind, subresource: str) -> bool:
    """Whether it is one whose answer takes its time, and the kind has it."""
    return subresource in SESSIONS_OF and subresource in kind.subresources


def not_found_page() -> Response:
    """What upstream says of a path that nothing serves."""
    headers = {"content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff"}
    return Response(404, headers, b"404 page not found\n")


_NO_SPDY = (
    "Drydock upgrades to WebSockets alone, not to SPDY: kubectl has asked for them since 1.31, unless "
    "KUBECTL_REMOTE_COMMAND_WEBSOCKETS or KUBECTL_PORT_FORWARD_WEBSOCKETS is false"
)


def _record(request: Request, entry: int, now: int) -> Record:
    agent = request.headers.get("user-agent", "")
    return Record(request.method, request.path[:TEXT_KEPT], agent[:TEXT_KEPT], entry, now)


def _describe(record: Record, info: RequestInfo) -> None:
    """What the request is about."""
    record.verb, record.group, record.version = info.verb, info.group, info.version
    record.resource, record.subresource = info.resource, info.subresource
    record.namespace, record.name = info.namespace, info.name


def _panicked(ident: str) -> Response:
    """The reply to a request that met a bug, in JSON whatever was asked for: the bug may be in the encoding.

    ``ident`` is its audit id. The words are upstream's (WithPanicRecovery), the form NewInternalError's.
    """
    problem = errors.internal(
        f"This request caused apiserver to panic. Look in the logs for details. (request {ident})"
    )
    headers = {"content-type": JSON_TYPE, "cache-control": _NO_STORE}
    return Response(problem.code, headers, orjson.dumps(problem.status))


def _no_method() -> Response:
    problem = errors.method_not_allowed()
    return Response(405, {"content-type": JSON_TYPE}, orjson.dumps(problem.status))
