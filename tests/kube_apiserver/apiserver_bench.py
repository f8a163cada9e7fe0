"""A bare API server: a store, the real kinds, one namespace; no controllers, no nodes."""

from __future__ import annotations

from typing import Any

import orjson

from cluster_engine.api import KINDS
from cluster_engine.apimachinery.scheme import Scheme
from cluster_engine.etcd import Store
from cluster_engine.kube_apiserver import ADMIN, APIServer, Request, RequestContext, Response, UserInfo
from cluster_engine.kube_apiserver.standing import standing
from cluster_engine.sim import Chance, Clock, parse_rfc3339

JSON = dict[str, Any]
START = "2026-01-01T00:00:00Z"


class Bench:
    """An API server with shorthand for requests."""

    def __init__(self, **options: Any) -> None:
        self.clock = Clock(parse_rfc3339(START))
        self.chance = Chance(7)
        self.store = Store(self.clock, freezing=True, standing=standing(START, freezing=True))
        self.store.begin()
        self.scheme = Scheme(KINDS)
        self.server = APIServer(
            self.clock, self.chance, self.store, self.scheme, type("Options", (), options)()
        )
        self.registry = self.server.registry
        self.trusted = RequestContext(ADMIN, manager="test", trusted=True)
        for name in ("default", "kube-system"):
            self.registry.create(self.trusted, "namespaces", None, {"metadata": {"name": name}})
            self.registry.create(self.trusted, "serviceaccounts", name, {"metadata": {"name": "default"}})

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        user: UserInfo | None = ADMIN,
        content_type: str = "application/json",
        accept: str = "application/json",
        headers: dict[str, str] | None = None,
        **query: str,
    ) -> Response:
        data = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        sent = {"content-type": content_type, "accept": accept, "user-agent": "test/1", **(headers or {})}
        return self.server.handle(Request(method, path, list(query.items()), sent, data, user))

    def ok(self, *args: Any, **more: Any) -> JSON:
        """The reply's object; fails the test on an error."""
        response = self.call(*args, **more)
        assert response.status < 300, response.body
        value: JSON = orjson.loads(response.body)
        return value

    def error(self, *args: Any, **more: Any) -> tuple[int, str, str]:
        """(code, reason, message) of a failure."""
        response = self.call(*args, **more)
        assert response.status >= 400, response.body
        status = orjson.loads(response.body)
        assert status["kind"] == "Status"
        assert status["code"] == response.status
        return response.status, status.get("reason", ""), status["message"]


PODS = "/api/v1/namespaces/default/pods"
MAPS = "/api/v1/namespaces/default/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


def pod(name: str = "web", **spec: Any) -> JSON:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": [{"name": "main", "image": "nginx"}], **spec},
    }


def deployment(name: str = "web", replicas: int = 2) -> JSON:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "main", "image": "nginx"}]},
            },
        },
    }


def config_map(name: str = "settings", **data: str) -> JSON:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}
