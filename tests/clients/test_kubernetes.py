"""The official Python client, `kubernetes`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from generated import Generated, status_of
from journey import JSON, PATIENCE, Action, Column, Refused
from kubernetes import client, config, watch
from kubernetes.client.rest import ApiException
from kubernetes.stream import portforward, stream

pytestmark = pytest.mark.kubectl


class Kubernetes(Generated):
    client = client
    lacks = {"create_strictly": "the library itself refuses a field that it does not know"}

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = str(kubeconfig)
        self.api_client = config.new_client_from_config(self.kubeconfig)

    def close(self) -> None:
        self.api_client.close()

    def call(self, method: Callable[..., Any], **arguments: Any) -> Any:
        try:
            return method(**arguments)
        except ApiException as error:
            raise Refused(error.status, status_of(error)) from error

    def _watching(self, kind: str, namespace: str, since: str, **more: Any) -> Iterator[tuple[str, JSON]]:
        method, named = self._method(kind, "list")
        reader = watch.Watch()
        try:
            for event in reader.stream(method, **named, namespace=namespace, resource_version=since, **more):
                yield event["type"], event["raw_object"]
        except ApiException as error:
            raise Refused(error.status, {"message": error.reason}) from error
        finally:
            reader.stop()

    def watch(self, kind: str, namespace: str, since: str) -> Iterator[tuple[str, JSON]]:
        return self._watching(kind, namespace, since)

    def watch_ended(self, kind: str, namespace: str, since: str, seconds: int) -> Iterator[tuple[str, JSON]]:
        return self._watching(kind, namespace, since, timeout_seconds=seconds)

    def whoami(self, token: str) -> str:
        own = client.Configuration()
        config.load_kube_config(self.kubeconfig, client_configuration=own)
        own.cert_file = own.key_file = None
        own.api_key = {"authorization": f"Bearer {token}"}
        with client.ApiClient(own) as bearer:
            body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
            made = self.call(client.AuthenticationV1Api(bearer).create_self_subject_review, body=body)
        return str(made.status.user_info.username)

    def logs(self, namespace: str, pod: str) -> str:
        core = client.CoreV1Api(self.api_client)
        return str(self.call(core.read_namespaced_pod_log, name=pod, namespace=namespace))

    def follow(self, namespace: str, pod: str) -> Iterator[str]:
        core = client.CoreV1Api(self.api_client)
        yield from watch.Watch().stream(core.read_namespaced_pod_log, name=pod, namespace=namespace)

    def _session(self, method: str, namespace: str, pod: str, **more: Any) -> Any:
        # The library's `stream` turns the calls of its ApiClient into WebSockets: one that is thrown away.
        api = client.CoreV1Api(config.new_client_from_config(self.kubeconfig))
        wanted = {"stdout": True, "stderr": True, "tty": False, "_preload_content": False, **more}
        return stream(getattr(api, method), pod, namespace, **wanted)

    def execute(self, namespace: str, pod: str, command: list[str]) -> tuple[str, str, int]:
        session = self._session("connect_get_namespaced_pod_exec", namespace, pod, command=command)
        session.run_forever(timeout=PATIENCE)
        return session.read_stdout(), session.read_stderr(), session.returncode

    def converse(self, namespace: str, pod: str, command: list[str], line: str) -> str:
        session = self._session(
            "connect_get_namespaced_pod_exec", namespace, pod, command=command, stdin=True
        )
        session.write_stdin(line)
        session.run_forever(timeout=PATIENCE)
        return str(session.read_stdout())

    def attach(self, namespace: str, pod: str) -> Iterator[str]:
        session = self._session("connect_get_namespaced_pod_attach", namespace, pod)
        try:
            while session.is_open():
                session.update(timeout=PATIENCE)
                yield session.read_stdout()
        finally:
            session.close()

    def forward(self, namespace: str, pod: str, port: int, request: bytes) -> bytes:
        api = client.CoreV1Api(config.new_client_from_config(self.kubeconfig))
        forwarded = portforward(api.connect_get_namespaced_pod_portforward, pod, namespace, ports=str(port))
        socket = forwarded.socket(port)
        socket.settimeout(PATIENCE)
        socket.sendall(request)
        answer = b""
        while piece := socket.recv(65_536):
            answer += piece
        assert forwarded.error(port) is None, forwarded.error(port)
        return answer


COLUMN = Kubernetes


def test_journey(action: Action, client: Column, namespace: str) -> None:
    action.run(client, namespace)
