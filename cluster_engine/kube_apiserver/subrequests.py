"""Requests to subresources: from the URL's last word to the file in `subresources/` that knows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import orjson

from cluster_engine.apimachinery import decode, errors
from cluster_engine.apimachinery.cow import JSON, get
from cluster_engine.apimachinery.scheme import Kind
from cluster_engine.etcd import Store
from cluster_engine.sim import Clock

from .authentication import Authenticator
from .bodies import patch_document
from .negotiation import decode_as, negotiate
from .node_api import KUBELET_PAGES, LogLine, NodeAPI, NodeProxy
from .options import write_context
from .patching import patched
from .registry import Registry
from .replies import Replies
from .requests import RequestInfo
from .sessions import SESSIONS, Sessions
from .subresources import eviction, execute, log, portforward, proxy, scale, token
from .types import Request, Response, UserInfo
from .verbs import Verbs

STREAMED = ("exec", "attach", "portforward")
"""Subresources of Pods that answer with a stream in both directions."""
SESSIONS_OF = (*STREAMED, "proxy")
"""Subresources whose answer takes its time: a session."""

KUBELET_PORT = "10250"
_NO_STORE = "no-cache, private"


class Subresources:
    """Answers requests to subresources of one cluster."""

    def __init__(
        self,
        clock: Clock,
        store: Store,
        registry: Registry,
        authenticator: Authenticator,
        nodes: NodeProxy,
        verbs: Verbs,
        replies: Replies,
        sessions: Sessions,
    ) -> None:
        self._clock = clock
        self._store = store
        self._registry = registry
        self._authenticator = authenticator
        self._nodes = nodes
        self._verbs = verbs
        self._replies = replies
        self.sessions = sessions

    def handle(self, request: Request, user: UserInfo, info: RequestInfo, kind: Kind) -> Response:
        """The reply. Raises ApiError 404, 405 and whatever the subresource refuses."""
        name = info.subresource
        if name in kind.not_simulated:
            raise errors.not_simulated(kind.not_simulated[name])
        if name not in kind.subresources:
            raise errors.no_such_resource()
        subresource = kind.subresources[name]
        if info.verb not in subresource.verbs:
            raise errors.method_not_allowed()
        return self.answer(subresource.answer, request, user, info, kind)

    def answer(self, name: str, request: Request, user: UserInfo, info: RequestInfo, kind: Kind) -> Response:
        """The reply of what a kind's file calls so. Raises ApiError."""
        return ANSWERS[name](self, request, user, info, kind)

    def whole(self, request: Request, user: UserInfo, info: RequestInfo, kind: Kind) -> Response:
        """status, finalize, approval: the object itself through another strategy."""
        namespace = info.namespace if kind.namespaced else ""
        if info.verb == "get":
            return self._verbs.get(request, kind, namespace, info.name)
        if info.verb == "update":
            return self._verbs.update(request, user, kind, namespace, info)
        return self._verbs.patch(request, user, kind, namespace, info)

    # ---- scale -------------------------------------------------------------------------------------------

    def scale(self, request: Request, user: UserInfo, info: RequestInfo, kind: Kind) -> Response:
        """How many replicas an object has, and has asked for. Raises ApiError."""
        accept = negotiate(request, scale.KIND)
        registry = self._registry
        live = registry.find(kind.group_resource, info.namespace, info.name)
        if live is None:
            raise errors.not_found(kind.group_resource, info.name)
        custom = kind.custom is not None
        live = registry.conversions.shown(kind, live) if custom else live
        if info.verb == "get":
            scale.check_replicas(live, kind.scale)
            return self._replies.show(request, scale.KIND, scale.scale_of(live, kind.scale), 200, accept)
        if info.verb == "update":
            ctx = write_context(request, user, "UpdateOptions", "scale")
            wanted = decode_as(request, "autoscaling/v1", "Scale")
        else:
            ctx = write_context(request, user, "PatchOptions", "scale")
            patch_type, document = patch_document(request)
            if patch_type in ("apply", "strategic"):
                patch_type = "merge"  # a Scale has no lists: the two are the same
            wanted = patched(scale.scale_of(live, kind.scale), document, patch_type, None)
            wanted, _warnings = decode.handle_body("autoscaling/v1", "Scale", wanted, "Ignore")
            scale.check_patched(live, wanted, kind.scale)
        new = scale.with_scale(live, wanted, kind.scale)
        if custom:
            ctx.api_version = kind.api_version
        done = registry.update(ctx, kind.group_resource, info.namespace, info.name, new)
        done = registry.conversions.shown(kind, done) if custom else done
        return self._replies.show(
            request, scale.KIND, scale.scale_of(done, kind.scale), 200, accept, ctx.warnings
        )

    # ---- log and exec ------------------------------------------------------------------------------------

    def _pod(self, namespace: str, name: str) -> JSON:
        pod = self._registry.find("pods", namespace, name)
        if pod is None:
            raise errors.not_found("pods", name)
        return pod

    def log(self, request: Request, user: UserInfo, info: RequestInfo, kind: Kind) -> Response:
        """What a container wrote, once or for as long as it runs. Raises ApiError."""
        namespace, name = info.namespace, info.name
        options = log.LogOptions.parse(request, self._clock.now)
        pod = self._pod(namespace, name)
        kubelet, chosen = log.open_log(self._nodes, pod, options)
        headers = {"content-type": "text/plain", "cache-control": _NO_STORE}
        if kubelet is None:
            return Response(200, headers, b"")
        _passed(request, kubelet)

        def read() -> list[LogLine]:
            return kubelet.logs(namespace, name, chosen, options.previous)

        if not options.follow or options.previous:
            body = log.render(log.select(read(), options), options.timestamps)
            return Response(200, headers, body[: options.limit] if options.limit is not None else body)

        uid = pod["metadata"]["uid"]

        def running() -> bool:
            live = self._registry.find("pods", namespace, name)
            return live is not None and live["metadata"]["uid"] == uid and _running(live, chosen)

        stream = log.LogStream(self._clock, read, running, options)
        return Response(200, headers, stream=stream)

    def stream(self, request: Request, user: UserInfo, info: RequestInfo, kind: Kind) -> Response:
        """exec, attach and portforward without the upgrade that they need. Raises ApiError 400."""
        raise errors.bad_request("Upgrade request required")

    def check_stream(self, kind: Kind, info: RequestInfo, request: Request) -> None:
        """Refuse, before a stream is opened, what exec, attach or portforward would refuse. Raises ApiError."""
        if info.subresource == "proxy":
            proxy.locate(info, self._registry.find, 0)
            return
        pod = self._pod(info.namespace, info.name)
        if info.subresource in ("exec", "attach"):
            execute.locate(self._nodes, pod, request, info.subresource)
            return
        portforward.locate(self._nodes, pod)

    def open_stream(self, info: RequestInfo, request: Request, session: str) -> None:
        """Begin a session of exec, attach, portforward or proxy. Raises ApiError."""
        if self.sessions.full:
            raise errors.too_many_requests(f"a cluster may have {SESSIONS} open sessions")
        if info.subresource == "proxy":
            self._open_proxy(info, request, session)
            return
        pod = self._pod(info.namespace, info.name)
        _passed(request, self._nodes.find(pod["spec"].get("nodeName") or ""))
        if info.subresource == "portforward":
            portforward.open_stream(self._nodes, pod, session)
        else:
            execute.open_stream(self._nodes, pod, request, info.subresource, session)
        self.sessions.opened(session, pod["spec"]["nodeName"])

    def _open_proxy(self, info: RequestInfo, request: Request, session: str) -> None:
        target = proxy.locate(info, self._registry.find, int(session[1:]))
        own = self._nodes.first()
        if own is None:
            raise errors.service_unavailable("error trying to reach service: no node is connected")
        name, node = own
        self.sessions.opened(session, name)
        _passed(request, node, f"{target.ip}:{target.port}")
        node.fetch(session, target.ip, target.port, request.body, tls=target.tls)

    def proxy(self, request: Request, user: UserInfo, info: RequestInfo, kind: Kind) -> Response:
        """proxy without a session to wait in. Raises ApiError."""
        raise errors.bad_request("a proxied request is answered in its own time: it needs a session")

    def node_proxy(self, request: Request, user: UserInfo, info: RequestInfo, kind: Kind) -> Response:
        """A page of a kubelet. Raises ApiError."""
        parts = proxy.split(info.name)
        if parts is None:
            raise errors.bad_request(f'invalid node request "{info.name}"')
        _scheme, name, port = parts
        if self._registry.find("nodes", None, name) is None:
            raise errors.not_found("nodes", name)
        node = self._nodes.find(name)
        if node is None or port not in ("", KUBELET_PORT):
            why = f"dial tcp: lookup {name}: no such host"
            raise errors.service_unavailable(f"error trying to reach service: {why}")
        path = "/".join(("", *info.parts[3:]))
        _passed(request, node)
        page = node.page(path) if info.verb == "get" else None
        if page is None:
            raise errors.not_simulated(f"the kubelet's {path or '/'}; it has {', '.join(KUBELET_PAGES)}")
        return Response(200, {"content-type": page[0], "cache-control": _NO_STORE}, page[1])

    # ---- binding, eviction, token ------------------------------------------------------------------------

    def binding(self, request: Request, user: UserInfo, info: RequestInfo, kind: Kind) -> Response:
        """pods/binding, and the older /bindings."""
        ctx = write_context(request, user, "CreateOptions", "binding")
        obj = decode_as(request, "v1", "Binding")
        name = info.name or (obj.get("metadata") or {}).get("name") or ""
        if info.namespace and self._store.get("namespaces", info.namespace) is None:
            raise errors.not_found("namespaces", info.namespace)
        self._registry.bind(ctx, info.namespace, name, obj)
        status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
        return Response(201, {"content-type": "application/json"}, orjson.dumps(status))

    def eviction(self, request: Request, user: UserInfo, info: RequestInfo, kind: Kind) -> Response:
        """A delete that asks first. Raises ApiError."""
        accept = negotiate(request)
        ctx = write_context(request, user, "CreateOptions", "")
        obj = decode_as(request, "policy/v1", "Eviction")
        self._registry.ask_create(replace(ctx, subresource="eviction"), kind, info.namespace, info.name, obj)
        done = eviction.evict(self._registry, ctx, info.namespace, info.name, obj)
        return self._replies.reply(request, 201, done, accept)

    def token(self, request: Request, user: UserInfo, info: RequestInfo, kind: Kind) -> Response:
        """A token for a service account. Raises ApiError."""
        accept = negotiate(request)
        ctx = write_context(request, user, "CreateOptions", "")
        obj = decode_as(request, "authentication.k8s.io/v1", "TokenRequest")
        account = self._registry.find("serviceaccounts", info.namespace, info.name)
        if account is None:
            raise errors.not_found("serviceaccounts", info.name)
        self._registry.ask_create(replace(ctx, subresource="token"), kind, info.namespace, info.name, obj)
        token_id = self._registry.identities.token_id(account["metadata"]["uid"], ctx.dry_run)
        done = token.issue(self._store, self._authenticator, account, obj, token_id)
        return self._replies.reply(request, 201, done, accept)


def _passed(request: Request, node: NodeAPI | None, to: str = "") -> None:
    """Notes where the request goes from here."""
    if request.record is not None and node is not None:
        request.record.passed = node.way(to)


Answer = Callable[[Subresources, Request, UserInfo, RequestInfo, Kind], Response]

ANSWERS: dict[str, Answer] = {
    "": Subresources.whole,
    "binding": Subresources.binding,
    "eviction": Subresources.eviction,
    "log": Subresources.log,
    "node proxy": Subresources.node_proxy,
    "proxy": Subresources.proxy,
    "scale": Subresources.scale,
    "stream": Subresources.stream,
    "token": Subresources.token,
}
"""What answers a subresource: the name that stands in the kind's file."""


def _running(pod: JSON, container: str) -> bool:
    for part in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"):
        for status in get(pod, "status", part, default=()):
            if status.get("name") == container:
                return "terminated" not in (status.get("state") or {})
    return get(pod, "status", "phase") in ("Pending", "Running")
