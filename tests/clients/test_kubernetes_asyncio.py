"""The client `kubernetes_asyncio`: the official one's twin on an event loop."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from generated import Generated, status_of
from journey import JSON, PATIENCE, Action, Column, Refused
from kubernetes_asyncio import client, config, watch
from kubernetes_asyncio.client.exceptions import ApiException
from kubernetes_asyncio.stream import WsApiClient
from kubernetes_asyncio.stream.ws_client import ERROR_CHANNEL, STDERR_CHANNEL, STDOUT_CHANNEL

pytestmark = pytest.mark.kubectl


class KubernetesAsyncio(Generated):
    client = client

    def __init__(self, kubeconfig: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self.kubeconfig = str(kubeconfig)
        self.api_client = self._done(self._connected(client.ApiClient))

    def close(self) -> None:
        self._done(self.api_client.close())
        self._loop.close()

    def _done(self, work: Awaitable[Any]) -> Any:
        return self._loop.run_until_complete(asyncio.wait_for(work, PATIENCE))

    async def _connected(self, make: Callable[..., Any], token: str = "") -> Any:
        """An ApiClient, which must be made on the loop; with a token, as its bearer and nobody else."""
        own = client.Configuration()
        await config.load_kube_config(self.kubeconfig, client_configuration=own)
        if token:
            own.cert_file = own.key_file = None
            own.api_key = {"BearerToken": f"Bearer {token}"}
        return make(own)

    def call(self, method: Callable[..., Any], **arguments: Any) -> Any:
        try:
            return self._done(method(**arguments))
        except ApiException as error:
            raise Refused(error.status, status_of(error)) from error

    def _each(self, items: AsyncIterator[Any]) -> Iterator[Any]:
        while True:
            try:
                yield self._done(anext(items))
            except StopAsyncIteration:
                return

    def _watching(self, kind: str, namespace: str, since: str, **more: Any) -> Iterator[tuple[str, JSON]]:
        method, named = self._method(kind, "list")
        reader = self._done(_watch())
        events = reader.stream(method, **named, namespace=namespace, resource_version=since, **more)
        try:
            for event in self._each(events):
                yield event["type"], event["raw_object"]
        except ApiException as error:
            raise Refused(error.status, {"message": error.reason}) from error
        finally:
            self._done(reader.close())

    def watch(self, kind: str, namespace: str, since: str) -> Iterator[tuple[str, JSON]]:
        return self._watching(kind, namespace, since)

    def watch_ended(self, kind: str, namespace: str, since: str, seconds: int) -> Iterator[tuple[str, JSON]]:
        return self._watching(kind, namespace, since, timeout_seconds=seconds)

    def whoami(self, token: str) -> str:
        bearer = self._done(self._connected(client.ApiClient, token))
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        try:
            made = self.call(client.AuthenticationV1Api(bearer).create_self_subject_review, body=body)
        finally:
            self._done(bearer.close())
        return str(made.status.user_info.username)

    def logs(self, namespace: str, pod: str) -> str:
        core = client.CoreV1Api(self.api_client)
        return str(self.call(core.read_namespaced_pod_log, name=pod, namespace=namespace))

    def follow(self, namespace: str, pod: str) -> Iterator[str]:
        core = client.CoreV1Api(self.api_client)
        reader = self._done(_watch())
        for line in self._each(reader.stream(core.read_namespaced_pod_log, name=pod, namespace=namespace)):
            yield line.removesuffix("\n")
        self._done(reader.close())

    async def _frames(self, method: str, line: bytes, **more: Any) -> AsyncIterator[tuple[int, bytes]]:
        """(channel, data) of what comes in a session; `line` is sent on channel 0 once it is open."""
        api = await self._connected(WsApiClient)
        try:
            call = getattr(client.CoreV1Api(api), method)
            async with await call(_preload_content=False, **more) as socket:
                if line:
                    await socket.send_bytes(b"\0" + line)
                async for message in socket:
                    if message.type == aiohttp.WSMsgType.BINARY:
                        yield message.data[0], message.data[1:]
        finally:
            await api.close()

    async def _session(self, method: str, line: bytes = b"", **more: Any) -> dict[int, bytes]:
        """What came on each channel until the session's end."""
        heard: dict[int, bytes] = {}
        async for channel, data in self._frames(method, line, **more):
            heard[channel] = heard.get(channel, b"") + data
        return heard

    def _executed(self, namespace: str, pod: str, command: list[str], line: bytes = b"") -> dict[int, bytes]:
        wanted = {"stdin": bool(line), "stdout": True, "stderr": True, "tty": False}
        more = {"name": pod, "namespace": namespace, "command": command, **wanted}
        found: dict[int, bytes] = self._done(self._session("connect_get_namespaced_pod_exec", line, **more))
        return found

    def execute(self, namespace: str, pod: str, command: list[str]) -> tuple[str, str, int]:
        heard = self._executed(namespace, pod, command)
        said = (heard.get(channel, b"").decode() for channel in (STDOUT_CHANNEL, STDERR_CHANNEL))
        return *said, WsApiClient.parse_error_data(heard[ERROR_CHANNEL])

    def converse(self, namespace: str, pod: str, command: list[str], line: str) -> str:
        return self._executed(namespace, pod, command, line.encode())[STDOUT_CHANNEL].decode()

    def attach(self, namespace: str, pod: str) -> Iterator[str]:
        more = {"name": pod, "namespace": namespace, "stdout": True, "stderr": False, "tty": False}
        frames = self._frames("connect_get_namespaced_pod_attach", b"", **more)
        try:
            for _channel, data in self._each(frames):
                yield data.decode()
        finally:
            self._done(frames.aclose())

    def forward(self, namespace: str, pod: str, port: int, request: bytes) -> bytes:
        more = {"name": pod, "namespace": namespace, "ports": port}
        heard = self._done(self._session("connect_get_namespaced_pod_portforward", request, **more))
        said = struct.pack("<H", port)
        assert heard[1] == said, heard[1]
        return bytes(heard[0].removeprefix(said))


async def _watch() -> watch.Watch:
    """One that belongs to the running loop."""
    return watch.Watch()


COLUMN = KubernetesAsyncio


def test_journey(action: Action, client: Column, namespace: str) -> None:
    action.run(client, namespace)
