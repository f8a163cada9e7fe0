"""Probes: startup, readiness, liveness. Models pkg/kubelet/prober."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.duration import go_duration
from cluster_engine.container_runtime.container import RUNNING, Container
from cluster_engine.container_runtime.network import ConnectionFailed, HttpRequest
from cluster_engine.kubelet.core import Core
from cluster_engine.kubelet.record import SYNCING, PodRecord, field_path, find_container
from cluster_engine.sim import SECOND

if TYPE_CHECKING:
    from cluster_engine.kubelet.server import PodNetwork
    from cluster_engine.kubelet.worker import Worker

KINDS = ("startup", "readiness", "liveness")
_FIELDS = {"startup": "startupProbe", "readiness": "readinessProbe", "liveness": "livenessProbe"}
_TITLES = {"startup": "Startup", "readiness": "Readiness", "liveness": "Liveness"}
_OUTPUT = 10 * 1024
_WAITED_FOR = 120 * SECOND
"""How long after a container's start ``settle`` waits for its probes to succeed."""

Result = tuple[bool | None, str]
"""(whether it succeeded, what to tell); None: the probe itself went wrong."""


class Prober:
    """Runs each probe on its own clock events."""

    worker: Worker
    network: PodNetwork

    def __init__(self, core: Core) -> None:
        self.core = core
        self.clock = core.clock

    def begin(self, record: PodRecord, pod: JSON, spec: JSON) -> None:
        """A container has started: its first probes."""
        if spec.get("startupProbe"):
            self._schedule(record, pod, spec, "startup", first=True)
            return
        for kind in ("readiness", "liveness"):
            if spec.get(_FIELDS[kind]):
                self._schedule(record, pod, spec, kind, first=True)

    def drop(self, record: PodRecord, name: str, kind: str) -> None:
        """Forgets a probe and what it found."""
        entry = record.probes.pop(f"{name}/{kind}", None)
        if entry is not None:
            self.clock.cancel(entry[0])

    def stop(self, record: PodRecord) -> None:
        """No probe of the Pod is run any more; what they found stays."""
        for entry in record.probes.values():
            self.clock.cancel(entry[0])

    def _schedule(self, record: PodRecord, pod: JSON, spec: JSON, kind: str, first: bool = False) -> None:
        name, probe = spec["name"], spec[_FIELDS[kind]]
        container = record.containers[name]
        entry = record.probes.setdefault(f"{name}/{kind}", [None, 0, 0, None])
        period = (probe.get("periodSeconds") or 10) * SECOND
        if first:
            # The worker ticks on its own phase; the kubelet notices the container about a second after its start.
            delay = (probe.get("initialDelaySeconds") or 0) * SECOND + round(
                self.core.chance.uniform(0.2, 1.0) * SECOND
            )
        else:
            delay = period
        due = self.clock.now + delay
        waited = kind != "liveness" and entry[3] is not True and due - container.started_at <= _WAITED_FOR
        entry[0] = self.clock.call_at(
            due, "kubelet/probe", record.uid, name, kind, container.id, background=not waited
        )

    def run(self, uid: str, name: str, kind: str, container_id: str) -> None:
        """Clock event: one probe."""
        record = self.core.records.get(uid)
        if record is None or record.state != SYNCING:
            return
        container, pod = record.containers.get(name), self.core.pod_of(record)
        if pod is None or container is None or container.id != container_id or container.state != RUNNING:
            return
        spec = find_container(pod["spec"], name)
        probe = spec.get(_FIELDS[kind])
        if not probe:
            return
        result, output = self._probe(record, pod, spec, container, probe)
        if record.containers.get(name) is not container or container.state != RUNNING:
            return
        if result is not True:
            title = _TITLES[kind]
            text = f"{title} probe failed: {output}"
            if result is None:
                text = f"{title} probe errored and resulted in unknown state: {output}"
            self.core.event(record, pod, "Warning", "Unhealthy", text, field_path(pod["spec"], name))
        again = self._count(record, pod, spec, kind, result)
        if again:
            self._schedule(record, pod, spec, kind)

    def _count(self, record: PodRecord, pod: JSON, spec: JSON, kind: str, result: bool | None) -> bool:
        """Thresholds; whether this probe goes on."""
        name, probe = spec["name"], spec[_FIELDS[kind]]
        entry = record.probes[f"{name}/{kind}"]
        if result is None:
            return True
        entry[1], entry[2] = (entry[1] + 1, 0) if result else (0, entry[2] + 1)
        passed = result and entry[1] >= (probe.get("successThreshold") or 1)
        failed = not result and entry[2] >= (probe.get("failureThreshold") or 3)
        if not passed and not failed:
            return True
        before, entry[3] = entry[3], passed
        if passed:
            if before is not True:
                self.worker.health_changed(record, pod)
                if kind == "startup":
                    for other in ("readiness", "liveness"):
                        if spec.get(_FIELDS[other]):
                            self._schedule(record, pod, spec, other, first=True)
            return kind != "startup"
        if kind == "readiness":
            if before is not False:
                self.worker.health_changed(record, pod)
            return True
        grace = probe.get("terminationGracePeriodSeconds")
        self.worker.kill_container(
            record, pod, name, f"Container {name} failed {kind} probe, will be restarted", grace
        )
        return False

    # ---- what is probed --------------------------------------------------------------------------------

    def _probe(self, record: PodRecord, pod: JSON, spec: JSON, container: Container, probe: JSON) -> Result:
        timeout = probe.get("timeoutSeconds") or 1
        if "exec" in probe:
            return self._exec(record, container, probe["exec"].get("command") or [], timeout)
        if "httpGet" in probe:
            return self._http(record, spec, probe["httpGet"], timeout)
        if "tcpSocket" in probe:
            return self._tcp(record, spec, probe["tcpSocket"])
        if "grpc" in probe:
            return self._grpc(record, probe["grpc"], timeout)
        return None, "missing probe handler"

    def _exec(self, record: PodRecord, container: Container, argv: list[str], timeout: int) -> Result:
        sandbox = record.sandbox
        assert sandbox is not None
        if not argv:
            return None, "missing command"
        try:
            code, out, err = sandbox.execute(
                container.name, container.image, self.core.full_env(container), argv, b"", self.clock.now
            )
        except FileNotFoundError:
            quoted = f'exec: "{argv[0]}": executable file not found in $PATH: unknown'
            return None, (
                f'rpc error: code = Unknown desc = failed to exec in container: failed to start exec "{container.id}": '
                f"OCI runtime exec failed: exec failed: unable to start container process: {quoted}"
            )
        if sandbox.slept > timeout:
            return False, f'command timed out: "{" ".join(argv)}" timed out after {timeout}s'
        text = (out + err).decode("utf-8", "replace")[:_OUTPUT]
        return code == 0, text

    def port(self, spec: JSON, port: int | str) -> int:
        """A probe's port, by number or by name; 0 when there is no such name."""
        if isinstance(port, int):
            return port
        for entry in spec.get("ports") or ():
            if entry.get("name") == port:
                return int(entry["containerPort"])
        return int(port) if port.isdigit() and len(port) < 6 else 0

    def _http(self, record: PodRecord, spec: JSON, action: JSON, timeout: int) -> Result:
        assert record.sandbox is not None
        port = self.port(spec, action["port"])
        host, path = action.get("host") or record.sandbox.ip, action.get("path") or "/"
        scheme = (action.get("scheme") or "HTTP").lower()
        url = f"{scheme}://{host}:{port}{path if path.startswith('/') else '/' + path}"
        headers = {"user-agent": "kube-probe/1.37", "accept": "*/*"}
        headers.update({h["name"].lower(): h["value"] for h in action.get("httpHeaders") or ()})
        headers["x-virtual-time"] = str(self.clock.now)
        source = self.core.nodes[record.node].addresses.prefix + ".1"
        request = HttpRequest("GET", path, headers, b"", source, host, scheme)
        try:
            reply = self.network.http(self._address(record, host), port, request)
        except ConnectionFailed as failed:
            if failed.reason.startswith("http:"):
                return False, f'Get "{url}": {failed.reason}'
            return False, f'Get "{url}": dial tcp {host}:{port}: connect: {failed.reason}'
        if reply.delay > timeout:
            return (
                False,
                f'Get "{url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
            )
        if 200 <= reply.status < 400:
            return True, ""
        return False, f"HTTP probe failed with statuscode: {reply.status}"

    def _address(self, record: PodRecord, host: str) -> str:
        """A probe runs on the node: there, localhost is the node's own address."""
        return self.core.nodes[record.node].ip if host in ("127.0.0.1", "localhost") else host

    def _tcp(self, record: PodRecord, spec: JSON, action: JSON) -> Result:
        assert record.sandbox is not None
        port = self.port(spec, action["port"])
        host = action.get("host") or record.sandbox.ip
        try:
            self.network.connect(self._address(record, host), port)
        except ConnectionFailed as failed:
            return False, f"dial tcp {host}:{port}: connect: {failed.reason}"
        return True, ""

    def _grpc(self, record: PodRecord, action: JSON, timeout: int) -> Result:
        assert record.sandbox is not None
        address = f"{record.sandbox.ip}:{action['port']}"
        # No simulated image speaks gRPC.
        seconds = go_duration(timeout * 1_000_000_000)
        return (
            False,
            f'timeout: failed to connect service "{address}" within {seconds}: context deadline exceeded',
        )
