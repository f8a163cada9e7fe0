"""The client `kr8s`: objects with methods."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import kr8s
import pytest
from journey import JSON, PATIENCE, Action, Column, Refused
from kr8s import NotFoundError, ServerError, objects

pytestmark = pytest.mark.kubectl

KINDS: dict[str, Any] = {
    "configmaps": objects.ConfigMap,
    "secrets": objects.Secret,
    "pods": objects.Pod,
    "serviceaccounts": objects.ServiceAccount,
    "namespaces": objects.Namespace,
    "deployments": objects.Deployment,
    "replicasets": objects.ReplicaSet,
    "poddisruptionbudgets": objects.PodDisruptionBudget,
    "customresourcedefinitions": objects.CustomResourceDefinition,
    "crontabs": objects.new_class("CronTab", "clients.example.com/v1", asyncio=False, scalable=True),
}


@contextmanager
def refusals() -> Iterator[None]:
    """The library's errors as the journey's."""
    try:
        yield
    except NotFoundError as error:
        cause = error.__cause__
        raise Refused(404, getattr(cause, "status", None) or {}) from error
    except ServerError as error:
        raise Refused(error.response.status_code, error.status) from error


class Kr8s(Column):
    lacks = {
        "create_strictly": "create takes no options",
        "dry_run": "create takes no options",
        "replace": "objects are patched, never put",
        "apply": "no server-side apply",
        "patch_strategically": "patches are json or merge",
        "delete_all": "no deletion of collections",
        "watch_ended": "watch takes no time limit",
        "attach": "exec and port-forward are its streams",
        "converse": "its exec speaks v4 alone, in which it sends no input",
        "evict": "Pods have no such method",
        "token": "accounts have no such method",
    }

    def __init__(self, kubeconfig: Path) -> None:
        self._api = kr8s.api(kubeconfig=str(kubeconfig))
        self._api.timeout = PATIENCE

    def version(self) -> str:
        return str(self._api.version()["gitVersion"])

    def _object(self, kind: str, namespace: str, body: JSON | str) -> Any:
        return KINDS[kind](body, namespace=namespace or None, api=self._api)

    def create(self, kind: str, namespace: str, body: JSON) -> JSON:
        made = self._object(kind, namespace, json.loads(json.dumps(body)))
        with refusals():
            made.create()
        return made.raw.to_dict()

    def read(self, kind: str, namespace: str, name: str) -> JSON:
        found = self._object(kind, namespace, name)
        with refusals():
            found.refresh()
        return {"status": {}} | found.raw.to_dict()

    def delete(self, kind: str, namespace: str, name: str, propagation: str = "Background") -> None:
        with refusals():
            self._object(kind, namespace, name).delete(propagation_policy=propagation)

    def select(self, kind: str, namespace: str, labels: str = "", fields: str = "") -> list[str]:
        found = KINDS[kind].list(
            namespace=namespace, api=self._api, label_selector=labels, field_selector=fields
        )
        return sorted(item.name for item in found)

    def pages(self, kind: str, namespace: str, limit: int) -> list[list[str]]:
        return [self.select(kind, namespace)]

    def watch(self, kind: str, namespace: str, since: str) -> Iterator[tuple[str, JSON]]:
        for change, obj in self._api.watch(KINDS[kind], namespace=namespace, since=since):
            yield change, obj.raw.to_dict()

    def patch(self, kind: str, namespace: str, name: str, how: str, body: Any) -> JSON:
        found = self._object(kind, namespace, name)
        with refusals():
            found.patch(body, type=how)
        return found.raw.to_dict()

    def set_status(self, kind: str, namespace: str, name: str, status: JSON) -> JSON:
        found = self._object(kind, namespace, name)
        with refusals():
            found.patch({"status": status}, subresource="status", type="merge")
        return found.raw.to_dict()

    def scale(self, kind: str, namespace: str, name: str, replicas: int) -> int:
        found = self._object(kind, namespace, name)
        found.scale(replicas)
        return int(found.replicas)

    def logs(self, namespace: str, pod: str) -> str:
        return "".join(f"{line}\n" for line in self._object("pods", namespace, pod).logs())

    def follow(self, namespace: str, pod: str) -> Iterator[str]:
        yield from self._object("pods", namespace, pod).logs(follow=True)

    def execute(self, namespace: str, pod: str, command: list[str]) -> tuple[str, str, int]:
        found = self._object("pods", namespace, pod)
        found.refresh()
        done = found.exec(command, check=False)
        return done.stdout.decode(), done.stderr.decode(), done.returncode

    def forward(self, namespace: str, pod: str, port: int, request: bytes) -> bytes:
        found = self._object("pods", namespace, pod)
        found.refresh()
        with (
            found.portforward(remote_port=port, local_port="auto") as local,
            socket.create_connection(("127.0.0.1", local), timeout=PATIENCE) as connection,
        ):
            connection.sendall(request)
            answer = b""
            while piece := connection.recv(65_536):
                answer += piece
        return answer


COLUMN = Kr8s


def test_journey(action: Action, client: Column, namespace: str) -> None:
    action.run(client, namespace)
