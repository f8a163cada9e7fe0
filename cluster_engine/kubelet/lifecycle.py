"""Lifecycle hooks: postStart and preStop. Models pkg/kubelet/lifecycle/handlers.go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.container_runtime.network import ConnectionFailed, HttpRequest
from cluster_engine.kubelet.core import Core
from cluster_engine.kubelet.record import PodRecord, field_path, pod_text

if TYPE_CHECKING:
    from cluster_engine.kubelet.prober import Prober
    from cluster_engine.kubelet.worker import Worker


class HookFailed(Exception):
    """A hook failed; str() is the message of the container's waiting state."""


class Lifecycle:
    """Runs hooks and tells how long they take."""

    worker: Worker
    prober: Prober

    def __init__(self, core: Core) -> None:
        self.core = core

    def post_start(self, record: PodRecord, pod: JSON, spec: JSON) -> float | None:
        """Virtual seconds that the hook takes; None when it failed and the container is killed."""
        hook = (spec.get("lifecycle") or {}).get("postStart")
        if not hook:
            return 0.0
        try:
            return self._run(record, pod, spec, hook)
        except HookFailed as error:
            name = spec["name"]
            text = "PostStartHook failed"
            self.core.event(
                record, pod, "Warning", "FailedPostStartHook", text, field_path(pod["spec"], name)
            )
            self.worker.kill_container(record, pod, name, "FailedPostStartHook", None)
            record.waiting[name] = ["PostStartHookError", str(error)]
            return None

    def pre_stop(self, record: PodRecord, pod: JSON, spec: JSON) -> float:
        """Virtual seconds that the hook takes; a failure is told and does not delay the stop."""
        hook = (spec.get("lifecycle") or {}).get("preStop")
        if not hook:
            return 0.0
        try:
            return self._run(record, pod, spec, hook)
        except HookFailed:
            path = field_path(pod["spec"], spec["name"])
            self.core.event(record, pod, "Warning", "FailedPreStopHook", "PreStopHook failed", path)
            return 0.0

    def _run(self, record: PodRecord, pod: JSON, spec: JSON, hook: JSON) -> float:
        name, sandbox = spec["name"], record.sandbox
        container = record.containers[name]
        assert sandbox is not None
        if "sleep" in hook:
            return float(hook["sleep"].get("seconds") or 0)
        where = f'for Container "{name}" in Pod "{pod_text(pod)}" failed - error'
        if "exec" in hook:
            argv = hook["exec"].get("command") or [""]
            text = " ".join(argv)
            try:
                code, out, err = sandbox.execute(
                    name, container.image, self.core.full_env(container), argv, b"", self.core.clock.now
                )
            except FileNotFoundError:
                code, out, err = 127, b"", f'exec: "{argv[0]}": executable file not found in $PATH'.encode()
            if code:
                message = (out + err).decode("utf-8", "replace")
                raise HookFailed(
                    f"Exec lifecycle hook ([{text}]) {where}: command '{text}' exited with {code}: {message}, "
                    f'message: "{message}"'
                )
            return sandbox.slept
        action = hook.get("httpGet")
        if action is not None:
            port, path = self.prober.port(spec, action["port"]), action.get("path") or "/"
            host = action.get("host") or sandbox.ip
            url = f"{(action.get('scheme') or 'HTTP').lower()}://{host}:{port}{path}"
            request = HttpRequest("GET", path, {"user-agent": "kube-lifecycle/1.37"}, b"", "", host)
            try:
                self.prober.network.http(host, port, request)
            except ConnectionFailed as failed:
                raise HookFailed(
                    f'HTTP lifecycle hook ({path}) {where}: Get "{url}": dial tcp {host}:{port}: connect: '
                    f'{failed.reason}, message: ""'
                ) from failed
        return 0.0
