"""What a kubelet answers: logs, commands in containers; and the network between Pods.

Models pkg/kubelet/server and the log reading of pkg/kubelet/kuberuntime/logs.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import bad_request, internal
from cluster_engine.container_runtime.container import RUNNING, Container
from cluster_engine.container_runtime.network import ConnectionFailed, HttpReply, HttpRequest
from cluster_engine.kube_apiserver.node_api import LogLine
from cluster_engine.kube_apiserver.types import ExecResult
from cluster_engine.kubelet.core import Core, Node
from cluster_engine.kubelet.record import PodRecord, record_uid

REFUSED, UNREACHABLE = "connection refused", "no route to host"


class PodNetwork:
    """Connections to Pods by address. Services and names are resolved elsewhere."""

    def __init__(self, core: Core) -> None:
        self.core = core

    def _listener(self, ip: str, port: int) -> tuple[PodRecord, Container]:
        """The container that listens there. Raises ConnectionFailed."""
        core = self.core
        uid = core.by_ip.get(ip)
        if uid is not None:
            candidates = [core.records[uid]]
        else:
            node = next((n for n in core.nodes.values() if n.ip == ip), None)
            if node is None:
                raise ConnectionFailed(UNREACHABLE)
            candidates = [
                r for r in core.records.values() if r.node == node.name and r.sandbox and r.sandbox.ip == ip
            ]
        for record in candidates:
            for container in record.running():
                plan = core.plan(record, container)
                if plan.listens(port, core.clock.now - container.started_at):
                    return record, container
        raise ConnectionFailed(REFUSED)

    def connect(self, ip: str, port: int) -> None:
        """Raises ConnectionFailed when nothing listens there."""
        self._listener(ip, port)

    def http(self, ip: str, port: int, request: HttpRequest) -> HttpReply:
        """Asks the container that listens there. Raises ConnectionFailed."""
        core = self.core
        record, container = self._listener(ip, port)
        plan = core.plan(record, container)
        sandbox = record.sandbox
        if plan.http is None or sandbox is None:
            raise ConnectionFailed("connection reset by peer")
        headers = {**request.headers, "x-virtual-time": str(core.clock.now)}
        secure = port in plan.tls
        if secure != (request.scheme == "https"):
            if secure:
                return HttpReply(400, b"Client sent an HTTP request to an HTTPS server.\n")
            raise ConnectionFailed("http: server gave HTTP response to HTTPS client")
        request = HttpRequest(
            request.method, request.path, headers, request.body, request.source, request.host, request.scheme
        )
        files = sandbox.files_of(container.name, container.image, core.clock.now)
        reply = plan.http(request, files, core.launch(record, container))
        if plan.access_log is not None:
            line = plan.access_log(request, reply, core.clock.now)
            if line is not None:
                container.note(*line)
        return reply


class NodeServer:
    """The NodeAPI of one node."""

    def __init__(self, core: Core, node: Node) -> None:
        self.core = core
        self.node = node

    def _find(self, namespace: str, pod: str, container: str) -> tuple[JSON, PodRecord | None, str]:
        """The Pod, what the kubelet knows of it, and the container's name. Raises ApiError."""
        found = self.core.pods.get(f"{namespace}/{pod}")
        if found is None or found["spec"].get("nodeName") != self.node.name:
            raise bad_request(f'pod "{pod}" does not exist on node "{self.node.name}"')
        specs = [*found["spec"]["containers"], *(found["spec"].get("initContainers") or ())]
        name = container or specs[0]["name"]
        if all(spec["name"] != name for spec in specs):
            raise bad_request(f"container {name} is not valid for pod {pod}")
        return found, self.core.records.get(record_uid(found)), name

    def logs(self, namespace: str, pod: str, container: str, previous: bool) -> list[LogLine]:
        """All lines that the container wrote. Raises ApiError when it has no log."""
        found, record, name = self._find(namespace, pod, container)
        current = record.containers.get(name) if record is not None else None
        if previous:
            # While a container is down, its last run is the previous one for nobody: containerd keeps two.
            before = record.previous.get(name) if record is not None else None
            if before is None or record is None:
                raise bad_request(f'previous terminated container "{name}" in pod "{pod}" not found')
            return self._lines(record, before)
        if record is None or current is None or current.state == "created":
            statuses = [
                *((found.get("status") or {}).get("containerStatuses") or ()),
                *((found.get("status") or {}).get("initContainerStatuses") or ()),
            ]
            state: JSON = next((s["state"] for s in statuses if s["name"] == name), {})
            if record is not None and name in record.previous and current is not None:
                return self._lines(record, record.previous[name])
            reason, message = _why_waiting(state, record, name)
            text = f'container "{name}" in pod "{pod}" is waiting to start: {message or reason}'
            raise bad_request(text)
        return self._lines(record, current)

    def _lines(self, record: PodRecord, container: Container) -> list[LogLine]:
        now = self.core.clock.now
        end = container.finished_at if container.state == "exited" else now
        lines: list[LogLine] = []
        if container.started_at:
            plan = self.core.plan(record, container)
            if not plan.script:
                lines = [
                    (container.started_at + at, stream, text)
                    for at, stream, text in plan.log
                    if container.started_at + at <= end
                ]
            elif container.state == RUNNING and record.sandbox is not None:
                script = record.sandbox.script(container.name, now)
                if script is not None:
                    lines = [(at, stream, text) for at, stream, text in (*script.lines, *script.unfinished())]
        lines += [(at, stream, text) for at, stream, text in container.log if at <= now]
        lines.sort(key=lambda line: line[0])
        return lines

    def exec(self, namespace: str, pod: str, container: str, argv: list[str], stdin: bytes) -> ExecResult:
        """Runs a command in a running container. Raises ApiError."""
        _, record, name = self._find(namespace, pod, container)
        current = record.containers.get(name) if record is not None else None
        if record is None or record.sandbox is None or current is None or current.state != RUNNING:
            raise internal(f'unable to upgrade connection: container not found ("{name}")')
        if not argv:
            raise bad_request("you must specify at least 1 command for the container")
        core = self.core
        try:
            code, out, err = record.sandbox.execute(
                name, current.image, core.full_env(current), list(argv), stdin, core.clock.now
            )
        except FileNotFoundError:
            word = argv[0]
            why = (
                f"stat {word}: no such file or directory"
                if "/" in word
                else "executable file not found in $PATH"
            )
            raise internal(
                "Internal error occurred: error executing command in container: failed to exec in container: "
                f'failed to start exec "{core.chance.hex(64)}": OCI runtime exec failed: exec failed: '
                f'unable to start container process: exec: "{word}": {why}: unknown'
            ) from None
        core.watch_scripts(record, core.pod_of(record))
        return ExecResult(code, out, err)


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
