"""The verbs of the two libraries that are generated from the OpenAPI document: the same names, one of them async."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from journey import JSON, Column

PATCHES = {
    "json": "application/json-patch+json",
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",
}
TYPED = {
    "configmaps": ("CoreV1Api", "namespaced_config_map"),
    "secrets": ("CoreV1Api", "namespaced_secret"),
    "pods": ("CoreV1Api", "namespaced_pod"),
    "serviceaccounts": ("CoreV1Api", "namespaced_service_account"),
    "namespaces": ("CoreV1Api", "namespace"),
    "deployments": ("AppsV1Api", "namespaced_deployment"),
    "replicasets": ("AppsV1Api", "namespaced_replica_set"),
    "poddisruptionbudgets": ("PolicyV1Api", "namespaced_pod_disruption_budget"),
    "customresourcedefinitions": ("ApiextensionsV1Api", "custom_resource_definition"),
}
"""Kind → (the class of its calls, how their names end)."""
CUSTOM = {"crontabs": {"group": "clients.example.com", "version": "v1", "plural": "crontabs"}}


class Generated(Column):
    """`client` is the library's module of that name, `api_client` an ApiClient of it."""

    client: Any
    api_client: Any

    def call(self, method: Callable[..., Any], **arguments: Any) -> Any:
        """What the library's method gives; its ApiException becomes a refusal."""
        raise NotImplementedError

    def _method(self, kind: str, verb: str, suffix: str = "") -> tuple[Callable[..., Any], JSON]:
        """The method, and the arguments that name the kind."""
        if kind in CUSTOM:
            api = self.client.CustomObjectsApi(self.api_client)
            return getattr(api, f"{verb}_namespaced_custom_object{suffix}"), CUSTOM[kind]
        class_name, ending = TYPED[kind]
        return getattr(getattr(self.client, class_name)(self.api_client), f"{verb}_{ending}{suffix}"), {}

    def _plain(self, found: Any) -> JSON:
        value: JSON = self.api_client.sanitize_for_serialization(found)
        return value

    def _ask(self, kind: str, verb: str, namespace: str, suffix: str = "", **more: Any) -> JSON:
        method, named = self._method(kind, verb, suffix)
        if namespace:
            more["namespace"] = namespace
        return self._plain(self.call(method, **named, **more))

    def version(self) -> str:
        return str(self.call(self.client.VersionApi(self.api_client).get_code).git_version)

    def create(self, kind: str, namespace: str, body: JSON) -> JSON:
        return self._ask(kind, "create", namespace, body=body)

    def dry_run(self, kind: str, namespace: str, body: JSON) -> JSON:
        return self._ask(kind, "create", namespace, body=body, dry_run="All")

    def create_strictly(self, kind: str, namespace: str, body: JSON) -> JSON:
        return self._ask(kind, "create", namespace, body=body, field_validation="Strict")

    def read(self, kind: str, namespace: str, name: str) -> JSON:
        return self._ask(kind, "get" if kind in CUSTOM else "read", namespace, name=name)

    def replace(self, kind: str, namespace: str, name: str, body: JSON) -> JSON:
        return self._ask(kind, "replace", namespace, name=name, body=body)

    def delete(self, kind: str, namespace: str, name: str, propagation: str = "Background") -> None:
        self._ask(kind, "delete", namespace, name=name, propagation_policy=propagation)

    def delete_all(self, kind: str, namespace: str, labels: str) -> None:
        self._ask(kind, "delete_collection", namespace, label_selector=labels)

    def select(self, kind: str, namespace: str, labels: str = "", fields: str = "") -> list[str]:
        found = self._ask(kind, "list", namespace, label_selector=labels, field_selector=fields)
        return sorted(item["metadata"]["name"] for item in found["items"])

    def pages(self, kind: str, namespace: str, limit: int) -> list[list[str]]:
        pages: list[list[str]] = []
        more: JSON = {}
        while True:
            found = self._ask(kind, "list", namespace, limit=limit, **more)
            pages.append([item["metadata"]["name"] for item in found["items"]])
            if not found["metadata"].get("continue"):
                return pages
            more = {"_continue": found["metadata"]["continue"]}

    def patch(self, kind: str, namespace: str, name: str, how: str, body: Any) -> JSON:
        return self._ask(kind, "patch", namespace, name=name, body=body, _content_type=PATCHES[how])

    def patch_strategically(self, kind: str, namespace: str, name: str, body: JSON) -> JSON:
        return self.patch(kind, namespace, name, "strategic", body)

    def apply(self, kind: str, namespace: str, body: JSON, manager: str, force: bool) -> JSON:
        name = body["metadata"]["name"]
        more = {"_content_type": PATCHES["apply"], "field_manager": manager, "force": force}
        return self._ask(kind, "patch", namespace, name=name, body=body, **more)

    def set_status(self, kind: str, namespace: str, name: str, status: JSON) -> JSON:
        body = {"status": status}
        more = {"name": name, "body": body, "_content_type": PATCHES["merge"]}
        return self._ask(kind, "patch", namespace, "_status", **more)

    def scale(self, kind: str, namespace: str, name: str, replicas: int) -> int:
        body = {"spec": {"replicas": replicas}}
        more = {"name": name, "body": body, "_content_type": PATCHES["merge"]}
        self._ask(kind, "patch", namespace, "_scale", **more)
        verb = "get" if kind in CUSTOM else "read"
        return int(self._ask(kind, verb, namespace, "_scale", name=name)["spec"]["replicas"])

    def evict(self, namespace: str, pod: str) -> None:
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}}
        core = self.client.CoreV1Api(self.api_client)
        self.call(core.create_namespaced_pod_eviction, name=pod, namespace=namespace, body=body)

    def token(self, namespace: str, account: str) -> str:
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": 86_400},
        }
        core = self.client.CoreV1Api(self.api_client)
        made = self.call(
            core.create_namespaced_service_account_token, name=account, namespace=namespace, body=body
        )
        return str(made.status.token)


def status_of(error: Any) -> JSON:
    """The Status in an ApiException's body, or what is known without one."""
    try:
        status: JSON = json.loads(error.body)
    except (TypeError, ValueError):
        return {"message": str(error.reason)}
    return status
