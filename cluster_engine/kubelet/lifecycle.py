"""Lifecycle hooks: postStart and preStop. Models pkg/kubelet/lifecycle/handlers.go."""

from __future__ import annotations

from typing import Any

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.kubelet.core import Core
from cluster_engine.kubelet.record import PodRecord, named_port, pod_text
from cluster_engine.kubelet.runtime import Runtime
from cluster_engine.network.client import Then

_HTTP_TIMEOUT = 60.0
"""Seconds that an HTTP hook may take."""


class Lifecycle:
    """Runs hooks."""

    def __init__(self, core: Core, runtime: Runtime) -> None:
        self.core = core
        self.runtime = runtime

    def run(self, record: PodRecord, spec: JSON, kind: str, timeout: float, then: Then) -> bool:
        """Begins the hook of that kind (``postStart``, ``preStop``) if the container has one.

        ``then`` gets what the runtime answers, or ``["exited", 0, ""]`` after a sleep.
        """
        hook = (spec.get("lifecycle") or {}).get(kind)
        if not hook:
            return False
        if "exec" in hook:
            argv = hook["exec"].get("command") or [""]
            self.runtime.exec_sync(record, spec["name"], argv, timeout, then, background=False)
        elif "httpGet" in hook:
            action = hook["httpGet"]
            host, path, port = _target(record, spec, action)
            headers = {"User-Agent": "kube-lifecycle/1.37"}
            tls = (action.get("scheme") or "HTTP") == "HTTPS"
            wait = min(timeout, _HTTP_TIMEOUT)
            self.runtime.dialer.http(
                record, host, port, path, headers, tls=tls, timeout=wait, then=then, background=False
            )
        else:
            seconds = (hook.get("sleep") or {}).get("seconds") or 0
            self.core.clock.call_later(float(seconds), *then, ["exited", 0, ""])
        return True


def hook_failure(record: PodRecord, pod: JSON, spec: JSON, kind: str, answer: list[Any]) -> str:
    """What is told of a hook that failed; "" for one that did not."""
    hook, name = spec["lifecycle"][kind], spec["name"]
    where = f'for Container "{name}" in Pod "{pod_text(pod)}" failed - error'
    if "exec" in hook:
        argv = hook["exec"].get("command") or [""]
        text = " ".join(argv)
        if answer[0] == "exited":
            _, code, output = answer
        elif answer[0] == "failed":
            code, output = 127, f'exec: "{argv[0]}": executable file not found in $PATH'
        else:
            code, output = 137, ""
        if not code:
            return ""
        return (
            f"Exec lifecycle hook ([{text}]) {where}: command '{text}' exited with {code}: {output}, "
            f'message: "{output}"'
        )
    if "httpGet" in hook and answer[0] in ("failed", "protocol"):
        action = hook["httpGet"]
        host, path, port = _target(record, spec, action)
        url = f"{(action.get('scheme') or 'HTTP').lower()}://{host}:{port}{path}"
        return (
            f'HTTP lifecycle hook ({path}) {where}: Get "{url}": dial tcp {host}:{port}: connect: '
            f'{answer[1]}, message: ""'
        )
    return ""


def _target(record: PodRecord, spec: JSON, action: JSON) -> tuple[str, str, int]:
    """Host, path and port of an HTTP hook."""
    return action.get("host") or record.ip, action.get("path") or "/", named_port(spec, action["port"])
