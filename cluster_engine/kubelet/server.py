"""What a kubelet answers: logs, commands in containers.

Models pkg/kubelet/server and the log reading of pkg/kubelet/kuberuntime/logs.
"""

from __future__ import annotations

from typing import Any

import orjson

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import ApiError, bad_request, internal, status_failure
from cluster_engine.container_runtime.container import RUNNING, Container
from cluster_engine.container_runtime.errors import StartError
from cluster_engine.kube_apiserver.node_api import ADDRESS, KUBELET, NO_WAY, Hop, LogLine, Usage
from cluster_engine.kube_apiserver.subresources.proxy import unreachable
from cluster_engine.kubelet.core import ON, UNATTENDED, Core, Node
from cluster_engine.kubelet.egress import Egress
from cluster_engine.kubelet.port_forward import PortForward
from cluster_engine.kubelet.record import CONTAINERS, PodRecord, record_uid
from cluster_engine.kubelet.runtime import Runtime
from cluster_engine.sim import SECOND

FETCH = 60 * SECOND
"""How long the API server waits for the answer to a request that it passes on."""

_UNREACHABLE = {ON: "i/o timeout", UNATTENDED: "connect: connection refused"}
"""Why nobody can talk with a node's kubelet, by the power of its machine."""


class NodeServer:
    """The NodeAPI of one node."""

    def __init__(
        self, core: Core, runtime: Runtime, port_forward: PortForward, egress: Egress, node: Node
    ) -> None:
        self.core = core
        self.port_forward = port_forward
        self.runtime = runtime
        self.egress = egress
        self.node = node

    def _find(self, namespace: str, pod: str, container: str) -> tuple[JSON, PodRecord | None, str]:
        """The Pod, what the kubelet knows of it, and the container's name. Raises ApiError."""
        found = self.core.pods.get(f"{namespace}/{pod}")
        if found is None or found["spec"].get("nodeName") != self.node.name:
            raise bad_request(f'pod "{pod}" does not exist on node "{self.node.name}"')
        specs = [spec for kind in CONTAINERS for spec in found["spec"].get(kind) or ()]
        name = container or specs[0]["name"]
        if all(spec["name"] != name for spec in specs):
            raise bad_request(f"container {name} is not valid for pod {pod}")
        return found, self.core.records.get(record_uid(found)), name

    def way(self, to: str = "") -> list[Hop]:
        """Where a request of the API server's comes through (NodeAPI.way)."""
        tunnel = self.egress.tunnel()
        hops = list(tunnel.hops) if tunnel is not None else []
        if tunnel is not None and tunnel.why:
            return hops
        if to:
            return [*hops, {"at": ADDRESS, "name": to, "node": "", "address": to}]
        if not self.node.reachable:
            return hops
        address = f"{self.node.ip}:10250"
        return [*hops, {"at": KUBELET, "name": self.node.name, "node": self.node.name, "address": address}]

    def logs(self, namespace: str, pod: str, container: str, previous: bool) -> list[LogLine]:
        """All lines that the container wrote. Raises ApiError when it has no log."""
        found, record, name = self._find(namespace, pod, container)
        self._reach(f'Get "https://{self.node.ip}:10250/containerLogs/{namespace}/{pod}/{name}"')
        current = record.containers.get(name) if record is not None else None
        if previous:
            # While a container is down, its last run is the previous one for nobody: containerd keeps two.
            before = record.previous.get(name) if record is not None else None
            if before is None or record is None:
                raise bad_request(f'previous terminated container "{name}" in pod "{pod}" not found')
            return self.runtime.logs(record, before)
        if record is None or current is None or current.state == "created":
            status = found.get("status") or {}
            lists = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
            statuses = [each for name_of_list in lists for each in status.get(name_of_list) or ()]
            state: JSON = next((s["state"] for s in statuses if s["name"] == name), {})
            if record is not None and name in record.previous and current is not None:
                return self.runtime.logs(record, record.previous[name])
            reason, message = _why_waiting(state, record, name)
            text = f'container "{name}" in pod "{pod}" is waiting to start: {message or reason}'
            raise bad_request(text)
        return self._with_what_it_said(record, current)

    def _with_what_it_said(self, record: PodRecord, container: Container) -> list[LogLine]:
        """A component's own lines stand among those of its container."""
        lines = self.runtime.logs(record, container)
        if not record.static:
            return lines
        said = self.core.clock.logs.of(container.name)
        more: list[LogLine] = [(at, "stderr", f"{text}\n") for at, text in said if at >= container.started_at]
        return sorted([*lines, *more], key=lambda line: line[0]) if more else lines

    def _reach(self, what: str) -> None:
        """Raises ApiError 500 when the API server cannot talk with the node."""
        tunnel = self.egress.tunnel()
        if tunnel is not None and tunnel.why:
            raise ApiError(status_failure(500, "", f"{what}: {tunnel.why}"))
        if not self.node.reachable:
            why = _UNREACHABLE.get(self.node.power, "connect: no route to host")
            text = f"{what}: dial tcp {self.node.ip}:10250: {why}"
            raise ApiError(status_failure(500, "", text))

    def _running(self, namespace: str, pod: str, container: str) -> tuple[PodRecord, Container]:
        """The container that a session wants. Raises ApiError."""
        self._reach("error dialing backend")
        _, record, name = self._find(namespace, pod, container)
        current = record.containers.get(name) if record is not None else None
        if record is None or not record.sandbox or current is None or current.state != RUNNING:
            raise internal(f'unable to upgrade connection: container not found ("{name}")')
        return record, current

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
        """Starts a command in a running container. Raises ApiError."""
        record, current = self._running(namespace, pod, container)
        try:
            self.runtime.open_session(record, current, session, argv, stdin, tty)
        except StartError as error:
            execution = self.core.chance.of("exec", current.id, self.core.clock.now).hex(64)
            raise internal(
                "Internal error occurred: error executing command in container: failed to exec in container: "
                f'failed to start exec "{execution}": {error}'
            ) from None

    def attach(self, session: str, namespace: str, pod: str, container: str) -> None:
        """Connects with a running container's main process. Raises ApiError."""
        record, current = self._running(namespace, pod, container)
        self.runtime.attach(record, current, session)

    def page(self, path: str) -> tuple[str, bytes] | None:
        """(content type, body) of a page of the kubelet's own; None when it has none there."""
        self._reach(f'Get "https://{self.node.ip}:10250{path}"')
        match path.rstrip("/"):
            case "/healthz":
                return "text/plain; charset=utf-8", b"ok"
            case "/pods":
                pods = [pod for pod in self.core.pods.list() if pod["spec"].get("nodeName") == self.node.name]
                listed = {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": pods}
                return "application/json", orjson.dumps(listed)
        return None

    def usage(self) -> list[Usage] | None:
        """What the running containers of the node use; None when nobody can talk with it."""
        if not self.node.reachable:
            return None
        found = []
        for record in self.core.records.all():
            if record.node == self.node.name and record.sandbox:
                namespace, _, pod = record.key.partition("/")
                for container in record.running():
                    spent, memory = self.runtime.usage(record, container)
                    found.append([namespace, pod, container.name, container.id, spent, memory])
        return found

    def fetch(self, session: str, ip: str, port: int, text: bytes, *, tls: bool) -> None:
        """Sends an HTTP request from this node, or its agent's; the session gets what comes back, and ends."""
        tunnel = self.egress.tunnel()
        if tunnel is not None and tunnel.why:
            self.core.ctx.server.sessions.refused(session, unreachable(tunnel.why))
            return
        source = tunnel.node if tunnel is not None else self.node.name
        then = ["kubelet/fetched", session, ip, port]
        self.runtime.clients.exchange(
            source, ip, port, text.decode("latin-1"), tls=tls, timeout=FETCH, then=then
        )

    def ask(self, ip: str, port: int, request: str, within: int) -> tuple[str, str]:
        """Sends an HTTPS request from this node, for an answer in this instant (see ``network.Instant``)."""
        source = self._source()
        if isinstance(source, str):
            return NO_WAY, source
        return self.runtime.instant.https(source.name, source.ip, ip, port, request, within)

    def foresee(self, ip: str, port: int, request: str, within: int) -> tuple[str, str]:
        """What such a request would be answered; it is not sent (see ``network.Instant``)."""
        source = self._source()
        if isinstance(source, str):
            return NO_WAY, source
        return self.runtime.instant.foreseen(source.name, source.ip, ip, port, request, within)

    def _source(self) -> Node | str:
        """From which node the API server's request goes out; why from none."""
        tunnel = self.egress.tunnel()
        if tunnel is None:
            return self.node
        return tunnel.why or self.core.nodes[tunnel.node]

    def forward(self, session: str, namespace: str, pod: str) -> None:
        """Begins a session of connections to a Pod's ports. Raises ApiError."""
        self._reach("error dialing backend")
        found = self.core.pods.get(f"{namespace}/{pod}")
        record = self.core.records.get(record_uid(found)) if found is not None else None
        if record is None or record.node != self.node.name or not record.sandbox:
            raise internal(f'unable to upgrade connection: pod not found ("{pod}_{namespace}")')
        self.port_forward.open(session, record)

    def connect(self, session: str, stream: int, port: int) -> None:
        """A connection of such a session."""
        if self.port_forward.has(session):
            self.port_forward.connect(session, stream, port)

    def send(self, session: str, stream: int, data: bytes, end: bool) -> None:
        """Bytes for one of its connections; ``end``: they are the last."""
        if self.port_forward.has(session):
            self.port_forward.send(session, stream, data, end)

    def input(self, session: str, data: bytes) -> None:
        """Bytes for a session's standard input."""
        self.runtime.input(session, data)

    def end_input(self, session: str) -> None:
        """No more of them come."""
        self.runtime.end_input(session)

    def resize(self, session: str, columns: int, rows: int) -> None:
        """A session's terminal has another size."""
        self.runtime.resize(session, columns, rows)

    def hang_up(self, session: str) -> None:
        """Whoever had a session is gone."""
        if self.port_forward.has(session):
            self.port_forward.hang_up(session)
        else:
            self.runtime.hang_up(session)


def _why_waiting(state: JSON, record: PodRecord | None, name: str) -> tuple[str, str]:
    if record is not None and name in record.waiting:
        reason = record.waiting[name][0]
        if reason in ("ImagePullBackOff", "ErrImagePull"):
            word = (
                "trying and failing to pull image"
                if reason == "ImagePullBackOff"
                else "image can't be pulled"
            )
            return reason, word
        return reason, ""
    waiting: dict[str, Any] = state.get("waiting") or {}
    return str(waiting.get("reason") or "ContainerCreating"), ""


def fetched(core: Core, session: str, ip: str, port: int, answer: list[Any]) -> None:
    """Clock event: what came of a request that the API server passed on."""
    sessions = core.ctx.server.sessions
    match answer:
        case ["said", text]:
            sessions.output(session, 1, text.encode("latin-1"))
            sessions.ended(session, 0)
        case ["timeout"]:
            sessions.refused(session, unreachable(f"dial tcp {ip}:{port}: i/o timeout"))
        case [_, "EOF"]:
            sessions.refused(session, unreachable("EOF"))
        case [_, "too much"]:
            sessions.refused(session, unreachable("the answer is more than this cluster passes on"))
        case [_, why]:
            sessions.refused(session, unreachable(f"dial tcp {ip}:{port}: connect: {why}"))
