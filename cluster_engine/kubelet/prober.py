"""Probes: startup, readiness, liveness. Models pkg/kubelet/prober."""

from __future__ import annotations

from typing import Any

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.duration import go_duration
from cluster_engine.container_runtime.container import RUNNING, Container
from cluster_engine.kube_apiserver import API_SERVER
from cluster_engine.kubelet.core import Core
from cluster_engine.kubelet.record import SYNCING, PodRecord, field_path, find_container, named_port
from cluster_engine.kubelet.runtime import Runtime
from cluster_engine.kubelet.steady import Probe, may_rest, missed_lines, without_times
from cluster_engine.network.client import Then
from cluster_engine.sim import SECOND

KINDS = ("startup", "readiness", "liveness")
_FIELDS = {"startup": "startupProbe", "readiness": "readinessProbe", "liveness": "livenessProbe"}
_GRPC_CODES = ("Internal", "NotFound", "Unavailable", "Unknown")
_TITLES = {"startup": "Startup", "readiness": "Readiness", "liveness": "Liveness"}
_UNHEALTHY = 500
"""What an API server answers that finds no etcd."""
_OUTPUT = 10 * 1024
_WAITED_FOR = 120 * SECOND
"""How long after a container's start ``settle`` waits for its probes to succeed."""

Result = tuple[bool | None, str]
"""(whether it succeeded, what to tell); None: the probe itself went wrong."""


class Prober:
    """Runs each probe on its own clock events."""

    def __init__(self, core: Core, runtime: Runtime) -> None:
        self.core = core
        self.runtime = runtime
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
        probe = record.probes.pop(f"{name}/{kind}", None)
        if probe is not None:
            self.clock.cancel(probe.timer)

    def stop(self, record: PodRecord) -> None:
        """No probe of the Pod is run any more; what they found stays."""
        for probe in record.probes.values():
            self.clock.cancel(probe.timer)
            probe.timer = None

    def _schedule(self, record: PodRecord, pod: JSON, spec: JSON, kind: str, first: bool = False) -> None:
        name, probe = spec["name"], spec[_FIELDS[kind]]
        container = record.containers[name]
        known = record.probes.setdefault(f"{name}/{kind}", Probe())
        known.period = (probe.get("periodSeconds") or 10) * SECOND
        if first:
            # The worker ticks on its own phase; the kubelet notices the container about a second after its start.
            delay = (probe.get("initialDelaySeconds") or 0) * SECOND + round(
                self.core.chance.of("probe", container.id, kind).uniform(0.2, 1.0) * SECOND
            )
        else:
            delay = known.period
        waited = self._waited(record, container, kind, delay)
        known.due = self.clock.now + delay
        known.timer = self.clock.call_at(
            known.due,
            "kubelet/probe",
            record.uid,
            name,
            kind,
            container.id,
            background=not waited,
        )

    def _waited(self, record: PodRecord, container: Container, kind: str, delay: int = 0) -> bool:
        """Whether ``settle`` waits for what the probe finds."""
        known = record.probes[f"{container.name}/{kind}"].result
        soon = self.clock.now + delay - container.started_at <= _WAITED_FOR
        return kind != "liveness" and known is not True and soon

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
        record.probes[f"{name}/{kind}"].began = self.clock.now
        background = not self._waited(record, container, kind)
        then = ["kubelet/probed", uid, name, kind, container_id]
        self._probe(record, spec, probe, then, background)

    def probed(self, uid: str, name: str, kind: str, container_id: str, answer: list[Any]) -> None:
        """Clock event: a probe has its answer."""
        record = self.core.records.get(uid)
        if record is None or record.state != SYNCING:
            return
        container, pod = record.containers.get(name), self.core.pod_of(record)
        if pod is None or container is None or container.id != container_id or container.state != RUNNING:
            return
        spec = find_container(pod["spec"], name)
        if f"{name}/{kind}" not in record.probes:
            return
        if record.static and name == API_SERVER and self.core.ctx.processes.without_etcd:
            # Its health says so of etcd; its program knows nothing of that.
            answer = ["reply", _UNHEALTHY, *answer[2:]]
        result, output = verdict(record, spec, spec[_FIELDS[kind]], answer)
        if result is not True:
            title = _TITLES[kind]
            text = f"{title} probe failed: {output}"
            if result is None:
                text = f"{title} probe errored and resulted in unknown state: {output}"
            self.core.event(record, pod, "Warning", "Unhealthy", text, field_path(pod["spec"], name))
        known = record.probes[f"{name}/{kind}"]
        if not self._count(record, pod, spec, kind, result):
            known.timer = None
            return
        self._schedule(record, pod, spec, kind)
        if result is True and "exec" not in spec[_FIELDS[kind]] and self.runtime.answers_alike(record):
            lines = without_times(container.log.lines_since(known.began), known.began)
            known.ran(self.runtime.print_of(record), lines, self.runtime.touches(record))
            if may_rest(record.probes.values(), self.clock.now):
                self._rest(record)

    def _rest(self, record: PodRecord) -> None:
        """No more probes of the Pod are run until anybody touches its sandbox."""
        for probe in record.probes.values():
            if probe.timer is not None:
                self.clock.cancel(probe.timer)
                probe.timer, probe.steady = None, True
        self.runtime.sandboxes.resting.add(record.uid)

    def disturbed(self, uid: str) -> None:
        """Somebody is about to touch a Pod's sandbox: what its probes missed is made good, and they are run again."""
        record, now = self.core.records.get(uid), self.clock.now
        if record is None:
            return
        for name, container in record.containers.items():
            probes = [probe for key, probe in record.probes.items() if key.rpartition("/")[0] == name]
            for at, stream, text in missed_lines(probes, now):
                container.log.write(at, stream, text)
        for key, probe in record.probes.items():
            if probe.steady:
                missed = probe.missed(now)
                name, _, kind = key.rpartition("/")
                probe.successes += missed
                probe.due += missed * probe.period
                probe.steady = probe.calm = False
                args = (uid, name, kind, record.containers[name].id)
                probe.timer = self.clock.call_at(probe.due, "kubelet/probe", *args, background=True)

    def _count(self, record: PodRecord, pod: JSON, spec: JSON, kind: str, result: bool | None) -> bool:
        """Thresholds; whether this probe goes on. What follows from its result, ``decide`` says."""
        name, probe = spec["name"], spec[_FIELDS[kind]]
        known = record.probes[f"{name}/{kind}"]
        if result is None:
            return True
        known.successes, known.failures = (known.successes + 1, 0) if result else (0, known.failures + 1)
        passed = result and known.successes >= (probe.get("successThreshold") or 1)
        failed = not result and known.failures >= (probe.get("failureThreshold") or 3)
        if not passed and not failed:
            return True
        before, known.result = known.result, passed
        if before is not passed:
            self.core.wake(record)
            if passed and kind == "startup":
                for other in ("readiness", "liveness"):
                    if spec.get(_FIELDS[other]):
                        self._schedule(record, pod, spec, other, first=True)
        return kind == "readiness" or (kind == "liveness" and passed)

    # ---- what is probed --------------------------------------------------------------------------------

    def _probe(self, record: PodRecord, spec: JSON, probe: JSON, then: Then, background: bool) -> None:
        runtime, timeout = self.runtime, probe.get("timeoutSeconds") or 1
        if "exec" in probe and probe["exec"].get("command"):
            runtime.exec_sync(record, spec["name"], probe["exec"]["command"], timeout, then, background)
        elif "httpGet" in probe:
            action = probe["httpGet"]
            host, path = action.get("host") or record.ip, action.get("path") or "/"
            headers = {"User-Agent": "kube-probe/1.37", "Accept": "*/*"}
            headers.update({h["name"]: h["value"] for h in action.get("httpHeaders") or ()})
            tls = (action.get("scheme") or "HTTP") == "HTTPS"
            port = named_port(spec, action["port"])
            runtime.dialer.http(
                record, host, port, path, headers, tls=tls, timeout=timeout, then=then, background=background
            )
        elif "tcpSocket" in probe:
            action = probe["tcpSocket"]
            host, port = action.get("host") or record.ip, named_port(spec, action["port"])
            runtime.dialer.connect_tcp(record, host, port, timeout, then, background)
        elif "grpc" in probe:
            action = probe["grpc"]
            runtime.dialer.grpc_health(
                record, action["port"], action.get("service") or "", timeout, then, background
            )
        else:
            self.clock.call_later(0.0, *then, ["timeout"], background=background)


def verdict(record: PodRecord, spec: JSON, probe: JSON, answer: list[Any]) -> Result:
    """What a probe's answer means (pkg/probe/{exec,http,tcp,grpc})."""
    timeout = probe.get("timeoutSeconds") or 1
    if "exec" in probe:
        argv = probe["exec"].get("command") or []
        if not argv:
            return None, "missing command"
        if answer[0] == "exited":
            return answer[1] == 0, answer[2][:_OUTPUT]
        if answer[0] == "timeout":
            return False, f'command timed out: "{" ".join(argv)}" timed out after {timeout}s'
        return None, f"rpc error: code = Unknown desc = {answer[1]}"
    if "httpGet" in probe:
        return _http_verdict(record, spec, probe["httpGet"], answer)
    if "tcpSocket" in probe:
        action = probe["tcpSocket"]
        if answer[0] == "connected":
            return True, ""
        if answer[0] == "timeout":
            answer = ["failed", "i/o timeout"]
        host, port = action.get("host") or record.ip, named_port(spec, action["port"])
        return False, f"dial tcp {host}:{port}: connect: {answer[1]}"
    if "grpc" in probe:
        address, seconds = f"{record.ip}:{probe['grpc']['port']}", go_duration(timeout * 1_000_000_000)
        return _grpc_verdict(address, seconds, answer)
    return None, "missing probe handler"


def _grpc_verdict(address: str, seconds: str, answer: list[Any]) -> Result:
    """A server that speaks no gRPC is waited for like one that is not there: the client tries again until the end."""
    code, _, text = answer[1].strip().partition(" ") if answer[0] == "said" else ("", "", "")
    if code == "OK" and text == "SERVING":
        return True, ""
    if code == "OK":
        return False, f'service unhealthy (responded with "{text}")'
    if code == "Unimplemented":
        why = "this server does not implement the grpc health protocol (grpc.health.v1.Health)"
        return False, f"error: {why}: {text}"
    if code in _GRPC_CODES:
        return False, f"error: health rpc probe failed: rpc error: code = {code} desc = {text}"
    return (
        False,
        f'timeout: failed to connect service "{address}" within {seconds}: context deadline exceeded',
    )


def _http_verdict(record: PodRecord, spec: JSON, action: JSON, answer: list[Any]) -> Result:
    host, path, port = (
        action.get("host") or record.ip,
        action.get("path") or "/",
        named_port(spec, action["port"]),
    )
    scheme = (action.get("scheme") or "HTTP").lower()
    url = f"{scheme}://{host}:{port}{path if path.startswith('/') else '/' + path}"
    if answer[0] == "reply":
        status = answer[1]
        return (True, "") if 200 <= status < 400 else (False, f"HTTP probe failed with statuscode: {status}")
    if answer[0] == "timeout":
        why = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
    elif answer[0] == "protocol":
        why = answer[1]
    else:
        why = f"dial tcp {host}:{port}: connect: {answer[1]}"
    return False, f'Get "{url}": {why}'
