"""What the API server asks of a node: logs and commands. The kubelet implements it.

Models the kubelet's server (pkg/kubelet/server), which kube-apiserver reaches through node/proxy.
"""

from __future__ import annotations

from typing import Any, Protocol

Usage = list[Any]
"""What a running container uses: [namespace, Pod, container, its id, processor time so far (µs), memory (bytes)]."""
LogLine = tuple[int, str, str]
"""(virtual µs, "stdout" or "stderr", text with the line's end; a part of a line has none)."""


Hop = dict[str, str]
"""A place where a request comes through: ``at`` (PROXY_SERVER, PROXY_AGENT, KUBELET or ADDRESS), ``name``, ``node``
("": unknown), ``address`` ("": it is not called at one)."""
PROXY_SERVER, PROXY_AGENT, KUBELET, ADDRESS = (
    "konnectivity-server",
    "konnectivity-agent",
    "kubelet",
    "address",
)

NO_WAY = "no way"
"""What becomes of a request that the API server's egress proxy does not carry."""
KUBELET_PAGES = ("/healthz", "/pods")
"""Pages of a kubelet that it shows through the API server."""


class NodeAPI(Protocol):
    """One kubelet's streaming surface."""

    def way(self, to: str = "") -> list[Hop]:
        """Where a request of the API server's comes through on its way to this node's kubelet, or from this node to an
        address (``to``: ``ip:port``); what it does not come to is not in it."""
        ...

    def logs(self, namespace: str, pod: str, container: str, previous: bool) -> list[LogLine]:
        """All lines that the container wrote, oldest first.

        Raises ApiError (bad_request) with the kubelet's text when there is no such log.
        """
        ...

    def exec(
        self,
        session: str,
        namespace: str,
        pod: str,
        container: str,
        argv: list[str],
        *,
        stdin: bool,
        tty: bool,
    ) -> None:
        """Start argv in the container for that session. Raises ApiError."""
        ...

    def attach(self, session: str, namespace: str, pod: str, container: str) -> None:
        """Connect the session with the container's main process. Raises ApiError."""
        ...

    def forward(self, session: str, namespace: str, pod: str) -> None:
        """Begin a session of connections to the Pod's ports. Raises ApiError."""
        ...

    def connect(self, session: str, stream: int, port: int) -> None:
        """A connection of such a session to a port; a session that is none is ignored, here and below."""
        ...

    def send(self, session: str, stream: int, data: bytes, end: bool) -> None:
        """Bytes for one of its connections; ``end``: they are the last."""
        ...

    def page(self, path: str) -> tuple[str, bytes] | None:
        """(content type, body) of a page of the kubelet's own; None when it has none there."""
        ...

    def usage(self) -> list[Usage] | None:
        """Of all containers that run on the node; None when nobody can talk with it."""
        ...

    def fetch(self, session: str, ip: str, port: int, text: bytes, *, tls: bool) -> None:
        """Send an HTTP request from this node; the session gets what comes back, and ends."""
        ...

    def ask(self, ip: str, port: int, request: str, within: int) -> tuple[str, str]:
        """Send the byte text of an HTTPS request from this node and learn in this instant what becomes of it:
        ("said", all that comes back within so many µs), ("silent", "") when that is nothing or not all, or
        ("refused" | "timeout" | "unreachable" | "reset", ""), or (NO_WAY, why) where the egress
        proxy does not carry it."""
        ...

    def foresee(self, ip: str, port: int, request: str, within: int) -> tuple[str, str]:
        """What ``ask`` would learn now; nothing is changed by it."""
        ...

    def input(self, session: str, data: bytes) -> None:
        """Bytes for the session's standard input; a session that has ended is ignored, here and below."""
        ...

    def end_input(self, session: str) -> None:
        """No more input comes."""
        ...

    def resize(self, session: str, columns: int, rows: int) -> None:
        """The session's terminal has another size."""
        ...

    def hang_up(self, session: str) -> None:
        """Whoever had the session is gone."""
        ...


class NodeProxy:
    """Which kubelet answers for which node."""

    def __init__(self) -> None:
        self._nodes: dict[str, NodeAPI] = {}

    def register(self, node_name: str, api: NodeAPI) -> None:
        """Make `api` answer for `node_name`; a later registration replaces an earlier one."""
        self._nodes[node_name] = api

    def unregister(self, node_name: str) -> None:
        """Forget a node; an unknown name is fine."""
        self._nodes.pop(node_name, None)

    def first(self) -> tuple[str, NodeAPI] | None:
        """The node on which the API server itself runs; None when no node is connected."""
        return next(iter(self._nodes.items()), None)

    def all(self) -> list[tuple[str, NodeAPI]]:
        """All nodes that are connected."""
        return list(self._nodes.items())

    def find(self, node_name: str) -> NodeAPI | None:
        """The node's kubelet, or None when none is connected."""
        return self._nodes.get(node_name)
