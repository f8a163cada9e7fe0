"""Connections from outside to ports within a Pod's network namespace.

Models the port forwarding of containerd (internal/cri/server/sandbox_portforward_linux.go) behind the kubelet's server.
"""

from __future__ import annotations

from cluster_engine.kubelet.core import Core
from cluster_engine.kubelet.record import PodRecord
from cluster_engine.kubelet.runtime import Runtime


class PortForward:
    """The port-forward sessions of all nodes."""

    def __init__(self, core: Core, runtime: Runtime) -> None:
        self.core = core
        self.runtime = runtime
        self._sessions: dict[str, str] = {}
        """Session -> the Pod's uid."""

    def open(self, session: str, record: PodRecord) -> None:
        """From now on the session may connect to the Pod's ports."""
        self._sessions[session] = record.uid

    def has(self, session: str) -> bool:
        """Whether it is one of these."""
        return session in self._sessions

    def connect(self, session: str, stream: int, port: int) -> None:
        """A connection of the session to a port; what becomes of it the session is told."""
        uid = self._sessions[session]
        if not self.runtime.sandboxes.has(uid):
            self._failed(session, stream, port, f'network namespace for sandbox "{self._id(uid)}" is closed')
        elif not self.runtime.sandboxes.get(uid).forwards.dial(session, stream, port):
            where = self.core.chance.of("network-namespace", uid).hex(32)
            groups = "-".join((where[:8], where[8:12], where[12:16], where[16:20], where[20:]))
            refused = "connect: connection refused"
            self._failed(
                session,
                stream,
                port,
                f'failed to execute portforward in network namespace "/var/run/netns/cni-{groups}": failed to connect '
                f'to localhost:{port} inside namespace "{self._id(uid)}", IPv4: dial tcp4 127.0.0.1:{port}: {refused} '
                f"IPv6 dial tcp6 [::1]:{port}: {refused} ",
            )

    def send(self, session: str, stream: int, data: bytes, end: bool) -> None:
        """Bytes for a connection; ``end``: they are the last."""
        uid = self._sessions[session]
        if self.runtime.sandboxes.has(uid):
            forwards = self.runtime.sandboxes.get(uid).forwards
            forwards.pass_on(session, stream, data.decode("latin-1"))
            if end:
                forwards.finish(session, stream)

    def hang_up(self, session: str) -> None:
        """Whoever had the session is gone, and its connections with it."""
        uid = self._sessions.pop(session)
        if self.runtime.sandboxes.has(uid):
            self.runtime.sandboxes.get(uid).forwards.abandon(session)

    def _id(self, uid: str) -> str:
        return self.core.chance.of("sandbox", uid).hex(64)

    def _failed(self, session: str, stream: int, port: int, why: str) -> None:
        text = f"error forwarding port {port} to pod {self._id(self._sessions[session])}, uid : {why}"
        self.core.ctx.server.sessions.closed(session, stream, text)

    def state(self) -> dict[str, str]:
        """JSON data."""
        return dict(self._sessions)

    def load(self, state: dict[str, str]) -> None:
        """Takes over what ``state`` gave."""
        self._sessions = dict(state)
