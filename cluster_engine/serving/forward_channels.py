"""port-forward over the channels of a WebSocket (``v4.channel.k8s.io``), as client libraries speak it.

The request names the ports. Each has a connection, which begins with the session, and two channels: one for its data
and one for what goes wrong. None is ended alone: the session ends with its last connection, or with its client.

Models k8s.io/kubelet/pkg/cri/streaming/portforward/websocket.go.
"""

from __future__ import annotations

import struct
from typing import Any

from cluster_engine.kube_apiserver import Request
from cluster_engine.sim.journal import pack_bytes

from .connections import Connections

PROTOCOLS = ("v4.channel.k8s.io", "")
"""The last is that of a client that names none."""
PORTS = 128
"""Ports of one session: a channel's number is a byte."""
LAST_PORT = 65_535


class PortsRefused(ValueError):
    """The request names no ports that can be forwarded; the message says why."""


def asked_ports(request: Request) -> list[int]:
    """The ports in the request's query. Raises PortsRefused."""
    given = [value for key, value in request.query if key == "ports"]
    ports = [_port(text) for value in given for text in value.split(",")]
    if not ports:
        raise PortsRefused('query parameter "port" is required')
    if len(ports) > PORTS:
        raise PortsRefused(f"{PORTS} ports at most can be forwarded at once")
    return ports


def _port(text: str) -> int:
    """Models Convert_Slice_string_To_Slice_int32 and NewV4Options."""
    parsing = f'cannot convert to []int32: strconv.ParseUint: parsing "{text}"'
    if not (text.isascii() and text.isdecimal()):
        raise PortsRefused(f"{parsing}: invalid syntax")
    if int(text[:20]) > LAST_PORT:
        raise PortsRefused(f"{parsing}: value out of range")
    if int(text) == 0:
        raise PortsRefused(f'port "{text}" must be > 0')
    return int(text)


class Channels(Connections):
    """Two channels a port: 2n carries the data of the n-th, 2n + 1 says what became of it."""

    def __init__(self, ports: list[int]) -> None:
        super().__init__()
        self._open = {2 * number: port for number, port in enumerate(ports)}
        for channel, port in self._open.items():
            name = struct.pack("<H", port)
            self._say([bytes([channel]) + name, bytes([channel + 1]) + name])

    def begin(self) -> list[tuple[str, dict[str, Any]]]:
        """The journal entries that open the connections."""
        return [("session/connect", {"stream": stream, "port": port}) for stream, port in self._open.items()]

    def take(self, message: bytes) -> list[tuple[str, dict[str, Any]]]:
        """Data for an open connection; what comes on another channel is ignored."""
        channel, data = message[0], message[1:]
        if channel not in self._open or not data:
            return []
        return [("session/send", {"stream": channel, "data": pack_bytes(data)})]

    def output(self, fd: int, data: bytes) -> None:
        """What the Pod sent on a connection."""
        if fd in self._open:
            self._say([bytes([fd]) + data])

    def closed(self, stream: int, why: str) -> None:
        """A connection is over; with the last one, the session."""
        if self._open.pop(stream, None) is None:
            return
        if why:
            self._say([bytes([stream + 1]) + why.encode()])
        if not self._open:
            self.left = True
            self.ended(0)
