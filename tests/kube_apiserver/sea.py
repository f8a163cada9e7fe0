"""A cluster with a kind of boats, and shorthand for requests about them."""

from __future__ import annotations

from typing import Any

import orjson

from cluster_engine import Cluster
from cluster_engine.kube_apiserver import ADMIN, Request

JSON = dict[str, Any]
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
BOATS = "/apis/shop.example.com/v1/namespaces/default/boats"
NAME = "boats.shop.example.com"


class Sea:
    """A cluster and shorthand for requests to it."""

    def __init__(self, cluster: Cluster | None = None) -> None:
        self.cluster = cluster or Cluster(nodes=0, addons=False, freezing=True, strict=True)

    def call(
        self, method: str, path: str, body: Any = None, kind: str = "application/json"
    ) -> tuple[int, JSON]:
        headers = {"content-type": kind, "accept": "application/json"}
        path, _, query = path.partition("?")
        pairs = [tuple(part.split("=", 1)) for part in query.split("&") if part]
        data = b"" if body is None else orjson.dumps(body)
        response = self.cluster.request(Request(method, path, pairs, headers, data, ADMIN))  # type: ignore[arg-type]
        self.cluster.settle()
        found = orjson.loads(response.body) if response.body[:1] == b"{" else {}
        return response.status, found

    def ok(self, *args: Any) -> JSON:
        status, found = self.call(*args)
        assert status < 300, found
        return found

    def refused(self, *args: Any) -> str:
        status, found = self.call(*args)
        assert status >= 400, found
        return str(found["message"])


def schema(**spec: JSON) -> JSON:
    return {"type": "object", "properties": {"spec": {"type": "object", "properties": spec}}}


def version(name: str = "v1", openapi: JSON | None = None, **more: Any) -> JSON:
    found = openapi or schema(sail={"type": "boolean"}, crew={"type": "integer"})
    return {"name": name, "served": True, "storage": True, "schema": {"openAPIV3Schema": found}, **more}


def definition(*versions: JSON, names: JSON | None = None, **spec: Any) -> JSON:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": NAME},
        "spec": {
            "group": "shop.example.com",
            "scope": "Namespaced",
            "names": {"plural": "boats", "kind": "Boat", **(names or {})},
            "versions": list(versions) or [version()],
            **spec,
        },
    }


def boat(name: str = "ann", version: str = "v1", **more: Any) -> JSON:
    return {"apiVersion": f"shop.example.com/{version}", "kind": "Boat", "metadata": {"name": name}, **more}
