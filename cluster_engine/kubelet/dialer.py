"""A node as a client of its Pods: HTTP requests, connections and health checks, as probes and hooks make them.

Whoever asks names the clock event that gets the answer. Models pkg/probe/{http,tcp,grpc}.
"""

from __future__ import annotations

from collections.abc import Mapping

from cluster_engine.kubelet.core import Core
from cluster_engine.kubelet.record import PodRecord
from cluster_engine.linux.text import octets
from cluster_engine.network import GRPC_HELLO, Clients, is_address
from cluster_engine.network.client import Then
from cluster_engine.sim import SECOND


class Dialer:
    """Of all nodes."""

    def __init__(self, core: Core, clients: Clients) -> None:
        self._core = core
        self._clients = clients

    def http(
        self,
        record: PodRecord,
        host: str,
        port: int,
        path: str,
        headers: Mapping[str, str],
        *,
        tls: bool,
        timeout: float,
        then: Then,
        background: bool,
    ) -> None:
        """A GET from the Pod's node. The answer is one of

        ``["reply", status]`` · ``["timeout"]`` · ``["failed", why]`` (``connection refused`` …) ·
        ``["protocol", why]`` when what answers is not HTTP of that scheme.
        """
        address = self._address(record, host)
        if address is None:
            self._no_such_host(host, then, background)
            return
        given = {"Host": f"{host}:{port}", **headers, "Connection": "close"}
        lines = [f"GET {path if path.startswith('/') else '/' + path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in given.items()]
        text = octets("\r\n".join(lines) + "\r\n\r\n")
        wait = round(timeout * SECOND)
        self._clients.http(
            record.node, address, port, text, tls=tls, timeout=wait, then=then, background=background
        )

    def connect_tcp(
        self, record: PodRecord, host: str, port: int, timeout: float, then: Then, background: bool
    ) -> None:
        """A connection from the Pod's node: ``["connected"]``, ``["timeout"]`` or ``["failed", why]``."""
        address = self._address(record, host)
        if address is None:
            self._no_such_host(host, then, background)
            return
        wait = round(timeout * SECOND)
        self._clients.connect_tcp(record.node, address, port, timeout=wait, then=then, background=background)

    def grpc_health(
        self, record: PodRecord, port: int, service: str, timeout: float, then: Then, background: bool
    ) -> None:
        """A gRPC health check from the Pod's node: ``["said", line]``, ``["timeout"]`` or ``["failed", why]``."""
        text = f"{GRPC_HELLO}grpc.health.v1.Health/Check {octets(service)}\n"
        wait = round(timeout * SECOND)
        self._clients.exchange(
            record.node, record.ip, port, text, tls=False, timeout=wait, then=then, background=background
        )

    def _address(self, record: PodRecord, host: str) -> str | None:
        """On the node, localhost is the node's own address; it knows no names of the cluster."""
        if host in ("127.0.0.1", "localhost"):
            return self._core.nodes[record.node].ip
        return host if is_address(host) else None

    def _no_such_host(self, host: str, then: Then, background: bool) -> None:
        self._core.clock.call_at(
            self._core.clock.now, *then, ["failed", f"lookup {host}: no such host"], background=background
        )
