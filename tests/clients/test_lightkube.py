"""The client `lightkube`: typed models, generic resources."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Timeout
from journey import JSON, PATIENCE, Action, Column, Refused
from lightkube import ApiError, Client, KubeConfig, operators
from lightkube.config.models import User
from lightkube.generic_resource import create_namespaced_resource
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources import apiextensions_v1, apps_v1, authentication_v1, core_v1, policy_v1
from lightkube.types import CascadeType, PatchType

pytestmark = pytest.mark.kubectl

KINDS: dict[str, Any] = {
    "configmaps": core_v1.ConfigMap,
    "secrets": core_v1.Secret,
    "pods": core_v1.Pod,
    "serviceaccounts": core_v1.ServiceAccount,
    "namespaces": core_v1.Namespace,
    "deployments": apps_v1.Deployment,
    "replicasets": apps_v1.ReplicaSet,
    "poddisruptionbudgets": policy_v1.PodDisruptionBudget,
    "customresourcedefinitions": apiextensions_v1.CustomResourceDefinition,
    "crontabs": create_namespaced_resource("clients.example.com", "v1", "CronTab", "crontabs"),
}
SELECTORS: dict[str, Any] = {
    "": None,
    "tier=back": {"tier": "back"},
    "tier in (front, back),tier!=back": {"tier": operators.in_(["front"])},
    "tier": {"tier": operators.exists()},
    "metadata.name=two": {"metadata.name": "two"},
}
"""As this library writes the selectors of the journey; it has one requirement a key."""


@contextmanager
def refusals() -> Iterator[None]:
    """The library's errors as the journey's."""
    try:
        yield
    except ApiError as error:
        raise Refused(error.status.code, error.status.to_dict()) from error


class Lightkube(Column):
    lacks = {
        "version": "no call for /version",
        "create_strictly": "create has no fieldValidation",
        "delete_all": "deletecollection takes no selector",
        "attach": "exec is the only stream",
        "forward": "exec is the only stream",
    }

    def __init__(self, kubeconfig: Path) -> None:
        self._config = KubeConfig.from_file(kubeconfig)
        self._client = Client(config=self._config, timeout=Timeout(PATIENCE))

    def close(self) -> None:
        self._client.close()

    def create(self, kind: str, namespace: str, body: JSON) -> JSON:
        with refusals():
            return self._client.create(KINDS[kind].from_dict(body), **_within(namespace)).to_dict()

    def dry_run(self, kind: str, namespace: str, body: JSON) -> JSON:
        with refusals():
            return self._client.create(
                KINDS[kind].from_dict(body), dry_run=True, **_within(namespace)
            ).to_dict()

    def read(self, kind: str, namespace: str, name: str) -> JSON:
        with refusals():
            return {"status": {}} | self._client.get(KINDS[kind], name, **_within(namespace)).to_dict()

    def replace(self, kind: str, namespace: str, name: str, body: JSON) -> JSON:
        with refusals():
            return self._client.replace(KINDS[kind].from_dict(body)).to_dict()

    def delete(self, kind: str, namespace: str, name: str, propagation: str = "Background") -> None:
        with refusals():
            self._client.delete(KINDS[kind], name, cascade=CascadeType(propagation), **_within(namespace))

    def select(self, kind: str, namespace: str, labels: str = "", fields: str = "") -> list[str]:
        more = {"labels": SELECTORS[labels], "fields": SELECTORS[fields], **_within(namespace)}
        with refusals():
            return sorted(item.metadata.name for item in self._client.list(KINDS[kind], **more))

    def pages(self, kind: str, namespace: str, limit: int) -> list[list[str]]:
        found = self._client.list(KINDS[kind], chunk_size=limit, **_within(namespace))
        return [[item.metadata.name for item in found]]

    def watch(self, kind: str, namespace: str, since: str) -> Iterator[tuple[str, JSON]]:
        return self.watch_ended(kind, namespace, since, 600)

    def watch_ended(self, kind: str, namespace: str, since: str, seconds: int) -> Iterator[tuple[str, JSON]]:
        more = {"resource_version": since, "server_timeout": seconds, **_within(namespace)}
        with refusals():
            for change, obj in self._client.watch(KINDS[kind], **more):
                yield change, obj.to_dict()

    def patch(self, kind: str, namespace: str, name: str, how: str, body: Any) -> JSON:
        more = {"patch_type": PatchType[how.upper()], **_within(namespace)}
        with refusals():
            return self._client.patch(KINDS[kind], name, body, **more).to_dict()

    def patch_strategically(self, kind: str, namespace: str, name: str, body: JSON) -> JSON:
        return self.patch(kind, namespace, name, "strategic", body)

    def apply(self, kind: str, namespace: str, body: JSON, manager: str, force: bool) -> JSON:
        more = {"field_manager": manager, "force": force, **_within(namespace)}
        with refusals():
            return self._client.apply(KINDS[kind].from_dict(body), **more).to_dict()

    def set_status(self, kind: str, namespace: str, name: str, status: JSON) -> JSON:
        more = {"patch_type": PatchType.MERGE, **_within(namespace)}
        with refusals():
            return self._client.patch(KINDS[kind].Status, name, {"status": status}, **more).to_dict()

    def scale(self, kind: str, namespace: str, name: str, replicas: int) -> int:
        door, body = KINDS[kind].Scale, {"spec": {"replicas": replicas}}
        with refusals():
            self._client.patch(door, name, body, patch_type=PatchType.MERGE, **_within(namespace))
            return int(self._client.get(door, name, **_within(namespace)).spec.replicas)

    def evict(self, namespace: str, pod: str) -> None:
        with refusals():
            self._client.create(core_v1.PodEviction(metadata=ObjectMeta(name=pod)), pod, namespace=namespace)

    def token(self, namespace: str, account: str) -> str:
        spec = {"audiences": [], "expirationSeconds": 86_400}
        asked = core_v1.ServiceAccountToken.from_dict({"metadata": {}, "spec": spec})
        with refusals():
            return str(self._client.create(asked, account, namespace=namespace).status.token)

    def whoami(self, token: str) -> str:
        own = KubeConfig.from_one(cluster=self._config.get().cluster, user=User(token=token))
        with refusals(), Client(config=own, timeout=Timeout(PATIENCE)) as bearer:
            return str(
                bearer.create(
                    authentication_v1.SelfSubjectReview(metadata=ObjectMeta())
                ).status.userInfo.username
            )

    def logs(self, namespace: str, pod: str) -> str:
        return "".join(self._client.log(pod, namespace=namespace))

    def follow(self, namespace: str, pod: str) -> Iterator[str]:
        yield from self._client.log(pod, namespace=namespace, follow=True, newlines=False)

    def execute(self, namespace: str, pod: str, command: list[str]) -> tuple[str, str, int]:
        more = {"namespace": namespace, "command": command, "timeout": PATIENCE}
        done = self._client.exec(pod, stdout=True, stderr=True, **more)
        return str(done.stdout), str(done.stderr), done.exit_code

    def converse(self, namespace: str, pod: str, command: list[str], line: str) -> str:
        more = {"namespace": namespace, "command": command, "timeout": PATIENCE}
        return str(self._client.exec(pod, stdin=line, stdout=True, **more).stdout)


def _within(namespace: str) -> dict[str, str]:
    """The argument that a cluster's own resources do not have."""
    return {"namespace": namespace} if namespace else {}


COLUMN = Lightkube


def test_journey(action: Action, client: Column, namespace: str) -> None:
    action.run(client, namespace)
