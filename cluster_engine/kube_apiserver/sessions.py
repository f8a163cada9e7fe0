"""Streams in both directions: exec, attach, port-forward. What comes in is journaled; what goes out is told to a
listener.

A session is named after the journal entry that opened it. It runs on the virtual clock like anything else; its
output is no state: whoever listens at the moment gets it, and at a replay nobody does.

Models k8s.io/kubelet/pkg/cri/streaming and the API server's proxying of it.
"""

from __future__ import annotations

from typing import Any, Protocol

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.sim.journal import unpack_bytes

from .node_api import NodeProxy

SESSIONS = 200
"""Sessions that may be open in one cluster."""
COLUMNS = ROWS = 1_000
"""The largest terminal."""


class Listener(Protocol):
    """Whoever opened a session from outside."""

    def output(self, fd: int, data: bytes) -> None:
        """What its process wrote to descriptor 1 or 2; of a port-forward, what came in on that connection."""
        ...

    def closed(self, stream: int, why: str) -> None:
        """One of its connections is over; ``why``: the kubelet's text when it could not be made."""
        ...

    def ended(self, status: int) -> None:
        """Its process has ended."""
        ...

    def failed(self, status: JSON) -> None:
        """It was given up; the Status says why."""
        ...


class Sessions:
    """All sessions of one cluster."""

    def __init__(self, nodes: NodeProxy) -> None:
        self._proxy = nodes
        self._nodes: dict[str, str] = {}
        self._listeners: dict[str, Listener] = {}

    def listen(self, session: str, listener: Listener) -> None:
        """From now on the listener is told; call it before the session is opened."""
        self._listeners[session] = listener

    def forget(self, session: str) -> None:
        """Nobody is told any more: it was not opened, or has ended."""
        self._listeners.pop(session, None)

    def open_names(self) -> list[str]:
        """The sessions that are open."""
        return list(self._nodes)

    @property
    def full(self) -> bool:
        """Whether no more may be opened."""
        return len(self._nodes) >= SESSIONS

    def opened(self, session: str, node: str) -> None:
        """A node's kubelet has opened it."""
        self._nodes[session] = node

    # ---- what journal entries carry out ------------------------------------------------------------------

    def input(self, payload: dict[str, Any]) -> None:
        """``{"session", "data"}``: bytes for standard input; with ``"end": true`` no more come after them."""
        session = payload["session"]
        node = self._node(session)
        if node is None:
            return
        if "data" in payload:
            node.input(session, unpack_bytes(payload["data"]))
        if payload.get("end"):
            node.end_input(session)

    def resize(self, payload: dict[str, Any]) -> None:
        """``{"session", "columns", "rows"}``: the terminal has another size."""
        node = self._node(payload["session"])
        columns, rows = payload["columns"], payload["rows"]
        if node is not None and 0 < columns <= COLUMNS and 0 < rows <= ROWS:
            node.resize(payload["session"], columns, rows)

    def connect(self, payload: dict[str, Any]) -> None:
        """``{"session", "stream", "port"}``: one more connection of a port-forward."""
        node = self._node(payload["session"])
        if node is not None:
            node.connect(payload["session"], payload["stream"], payload["port"])

    def send(self, payload: dict[str, Any]) -> None:
        """``{"session", "stream", "data"}``: bytes for a connection; with ``"end": true`` no more come after them."""
        node = self._node(payload["session"])
        if node is not None:
            data = unpack_bytes(payload["data"]) if "data" in payload else b""
            node.send(payload["session"], payload["stream"], data, bool(payload.get("end")))

    def close(self, payload: dict[str, Any]) -> None:
        """``{"session"}``: the client is gone."""
        session = payload["session"]
        node = self._node(session)
        self._listeners.pop(session, None)
        if node is not None:
            del self._nodes[session]
            node.hang_up(session)

    def give_up(self, session: str) -> None:
        """A bug was met in what the client sent: the session is over, its process sees the client gone."""
        node = self._node(session)
        listener = self._listeners.pop(session, None)
        if listener is not None:
            listener.failed(errors.internal("this session met a bug of the cluster and was closed").status)
        if node is not None:
            del self._nodes[session]
            node.hang_up(session)

    def _node(self, session: str) -> Any:
        name = self._nodes.get(session)
        return self._proxy.find(name) if name is not None else None

    # ---- what kubelets tell ------------------------------------------------------------------------------

    def output(self, session: str, fd: int, data: bytes) -> None:
        """A session's process wrote something."""
        listener = self._listeners.get(session)
        if listener is not None:
            listener.output(fd, data)

    def closed(self, session: str, stream: int, why: str) -> None:
        """A connection of a session is over; ``why``: it could not be made."""
        listener = self._listeners.get(session)
        if listener is not None:
            listener.closed(stream, why)

    def ended(self, session: str, status: int) -> None:
        """A session's process has ended."""
        self._nodes.pop(session, None)
        listener = self._listeners.pop(session, None)
        if listener is not None:
            listener.ended(status)

    def refused(self, session: str, status: JSON) -> None:
        """It came to nothing; the Status says why."""
        self._nodes.pop(session, None)
        listener = self._listeners.pop(session, None)
        if listener is not None:
            listener.failed(status)

    # ---- saving ------------------------------------------------------------------------------------------

    def state(self) -> dict[str, str]:
        """Which node each open session runs on."""
        return dict(self._nodes)

    def load(self, state: dict[str, str]) -> None:
        """Takes over what ``state`` gave. Nobody listens."""
        self._nodes = dict(state)
        self._listeners = {}
