"""Those who connect to the cluster from outside of it: the learner's own computer, and the API server as a proxy.

A *link* is one connection. What is asked for comes from the journal; what the cluster answers is told to a listener and
is no state: at a replay nobody listens. Links themselves are connections of the network, and are kept as those.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from cluster_engine.network.connections import UNREACHABLE, Network

WORKSTATION = "workstation"
WORKSTATION_IP = "172.18.0.1"
"""On the nodes' own network, as the host of a kind cluster is."""
API_SERVER = "apiserver"
"""The API server's proxy: on the control plane's node, with a way to Pods."""
LINKS = 200
"""Links that may be open in one cluster."""
_KIND = "outside"


class LinkListener(Protocol):
    """Whoever opened a link."""

    def connected(self) -> None:
        """The connection stands."""

    def received(self, data: str) -> None:
        """Byte text of the peer."""

    def closed(self) -> None:
        """The peer sends nothing more."""

    def failed(self, reason: str) -> None:
        """There is no connection, or no more: ``refused``, ``timeout``, ``unreachable`` or ``reset``."""


class Outside:
    """All links of one cluster. They are the ``Hosts`` of the kind ``outside``."""

    def __init__(
        self, network: Network, reaches: Callable[[str], bool], control_plane: tuple[str, str]
    ) -> None:
        """``reaches``: whether the workstation has a way to an address; ``control_plane``: name and address."""
        self._network = network
        self.reaches = reaches
        self._listeners: dict[str, LinkListener] = {}
        network.kinds[_KIND] = self
        node, ip = control_plane
        network.attach(_key(WORKSTATION), WORKSTATION_IP, "", _KIND)
        network.attach(_key(API_SERVER), ip, node, _KIND)

    def listen(self, link: str, listener: LinkListener) -> None:
        """From now on the listener is told; call it before the link is opened."""
        self._listeners[link] = listener

    def forget(self, link: str) -> None:
        """Nobody is told any more."""
        self._listeners.pop(link, None)

    def open_names(self) -> list[list[str]]:
        """[source, link] of those that are open."""
        return [[source, link] for source in _SOURCES for link in self._network.sockets(_key(source))]

    @property
    def full(self) -> bool:
        """Whether no more may be opened."""
        return len(self.open_names()) >= LINKS

    # ---- what journal entries carry out ------------------------------------------------------------------

    def open(self, payload: dict[str, str | int], link: str) -> None:
        """``{"source", "ip", "port"}``: a connection request leaves."""
        source, ip = str(payload["source"]), str(payload["ip"])
        if source not in _SOURCES or (source == WORKSTATION and not self.reaches(ip)):
            self.failed("", link, UNREACHABLE)
        else:
            self._network.connect(_key(source), link, ip, int(payload["port"]))

    def input(self, payload: dict[str, str]) -> None:
        """``{"source", "link", "data"}``: byte text for the peer; ``"end"``: nothing more comes after it."""
        key, link = _key(payload["source"]), payload["link"]
        self._network.send(key, link, payload.get("data", ""))
        if payload.get("end"):
            self._network.shutdown(key, link)

    def close(self, payload: dict[str, str]) -> None:
        """``{"source", "link"}``: the client is gone."""
        self.forget(payload["link"])
        self._network.close(_key(payload["source"]), payload["link"])

    # ---- what arrives (network.Hosts) --------------------------------------------------------------------

    def accept(self, key: str, port: int, ip: str, peer_ip: str, peer_port: int) -> str | None:
        """Nobody listens out here."""
        return None

    def connected(self, key: str, sock: str) -> None:
        if sock in self._listeners:
            self._listeners[sock].connected()

    def received(self, key: str, sock: str, data: str) -> None:
        """Taken at once: whoever listens bounds what waits for him."""
        self._network.took(key, sock, len(data))
        if sock in self._listeners:
            self._listeners[sock].received(data)

    def closed(self, key: str, sock: str) -> None:
        if sock in self._listeners:
            self._listeners[sock].closed()

    def failed(self, key: str, sock: str, reason: str) -> None:
        listener = self._listeners.pop(sock, None)
        if listener is not None:
            listener.failed(reason)

    def acked(self, key: str, sock: str, count: int) -> None:
        """What is sent is small."""

    def datagram_in(self, key: str, port: int, peer_ip: str, peer_port: int, data: str) -> bool:
        """No port is bound."""
        return False


_SOURCES = (WORKSTATION, API_SERVER)


def _key(source: str) -> str:
    return f"{_KIND}/{source}"
