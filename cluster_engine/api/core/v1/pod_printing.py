"""What ``kubectl get pods`` prints.

Models printPod in pkg/printers/internalversion/printers.go.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.printing import AGE, NAME, NONE, age, doc
from cluster_engine.apimachinery import duration
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.scheme import Column
from cluster_engine.component_helpers.conditions import find_condition

_READY = "The aggregate readiness state of this pod for accepting traffic."
_STATUS = "The aggregate status of the containers in this pod."
_RESTARTS = (
    "The number of times the containers in this pod have been restarted "
    "and when the last container in this pod has restarted."
)

COLUMNS = (
    NAME,
    Column("Ready", description=_READY),
    Column("Status", description=_STATUS),
    Column("Restarts", description=_RESTARTS),
    AGE,
    Column("IP", description=doc("core.v1.PodStatus", "podIP"), priority=1),
    Column("Node", description=doc("core.v1.PodSpec", "nodeName"), priority=1),
    Column("Nominated Node", description=doc("core.v1.PodStatus", "nominatedNodeName"), priority=1),
    Column("Readiness Gates", description=doc("core.v1.PodSpec", "readinessGates"), priority=1),
)


class _Restarts:
    """Counts restarts and keeps the end of the latest one."""

    def __init__(self) -> None:
        self.count = 0
        self.last = ""

    def add(self, status: JSON) -> None:
        self.count += status.get("restartCount") or 0
        ended = ((status.get("lastState") or {}).get("terminated") or {}).get("finishedAt") or ""
        self.last = max(self.last, ended)  # RFC 3339 in UTC sorts as text


def _terminated(state: JSON, prefix: str = "") -> str:
    if state.get("reason"):
        return f"{prefix}{state['reason']}"
    if state.get("signal"):
        return f"{prefix}Signal:{state['signal']}"
    return f"{prefix}ExitCode:{state.get('exitCode', 0)}"


def _condition(status: JSON, kind: str) -> JSON:
    return find_condition(status.get("conditions") or (), kind) or {}


class _Initializing:
    """What the init containers tell: ready sidecars, restarts, and a reason while they are not done."""

    def __init__(self, spec: JSON, status: JSON) -> None:
        self.ready = 0
        self.reason = ""
        self.restarts = _Restarts()
        self.sidecar_restarts = _Restarts()
        containers = spec.get("initContainers") or []
        sidecars = {c.get("name") for c in containers if c.get("restartPolicy") == "Always"}
        self.sidecars = len(sidecars)
        for index, container in enumerate(status.get("initContainerStatuses") or ()):
            self.restarts.add(container)
            sidecar = container.get("name") in sidecars
            if sidecar:
                self.sidecar_restarts.add(container)
            state = container.get("state") or {}
            terminated, waiting = state.get("terminated"), state.get("waiting") or {}
            if terminated is not None and not terminated.get("exitCode"):
                continue
            if sidecar and container.get("started"):
                self.ready += bool(container.get("ready"))
                continue
            if terminated is not None:
                self.reason = _terminated(terminated, "Init:")
            elif waiting.get("reason") and waiting["reason"] != "PodInitializing":
                self.reason = f"Init:{waiting['reason']}"
            else:
                self.reason = f"Init:{index}/{len(containers)}"
            break


def summary(pod: JSON) -> tuple[int, int, str, int, str]:
    """(ready containers, all containers, STATUS, restarts, time of the last restart)."""
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    phase = status.get("phase") or ""
    reason = status.get("reason") or phase
    if _condition(status, "PodScheduled").get("reason") == "SchedulingGated":
        reason = "SchedulingGated"
    total = len(spec.get("containers") or ())
    init = _Initializing(spec, status)
    total += init.sidecars
    ready, restarts = init.ready, init.restarts
    reason = init.reason or reason
    if not init.reason or _condition(status, "Initialized").get("status") == "True":
        restarts = init.sidecar_restarts
        running = False
        for container in reversed(status.get("containerStatuses") or []):
            restarts.add(container)
            state = container.get("state") or {}
            if (state.get("waiting") or {}).get("reason"):
                reason = state["waiting"]["reason"]
            elif state.get("terminated") is not None:
                reason = _terminated(state["terminated"])
            elif container.get("ready") and state.get("running") is not None:
                running = True
                ready += 1
        if reason == "Completed" and running:
            reason = "Running" if _condition(status, "Ready").get("status") == "True" else "NotReady"
    if pod["metadata"].get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            reason = "Unknown"
        elif phase not in ("Succeeded", "Failed"):
            reason = "Terminating"
    return ready, total, reason, restarts.count, restarts.last


def _readiness_gates(pod: JSON) -> str:
    gates = (pod.get("spec") or {}).get("readinessGates")
    if not gates:
        return NONE
    status = pod.get("status") or {}
    passed = sum(_condition(status, gate.get("conditionType", "")).get("status") == "True" for gate in gates)
    return f"{passed}/{len(gates)}"


def row(pod: JSON, now: int) -> list[Any]:
    """The cells of a Pod."""
    ready, total, reason, restarts, last = summary(pod)
    restarted = str(restarts)
    if restarts and last:
        restarted = f"{restarts} ({duration.age(last, now)} ago)"
    status = pod.get("status") or {}
    addresses = status.get("podIPs") or ()
    return [
        pod["metadata"]["name"],
        f"{ready}/{total}",
        reason,
        restarted,
        age(pod, now),
        (addresses[0].get("ip") if addresses else "") or NONE,
        (pod.get("spec") or {}).get("nodeName") or NONE,
        status.get("nominatedNodeName") or NONE,
        _readiness_gates(pod),
    ]
