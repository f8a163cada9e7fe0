# ruff: noqa: E501 (one case a line, or two)
"""Init containers and sidecars: what runs before and beside a Pod's own containers."""

from __future__ import annotations

from typing import Any

from scenario_steps import (
    JSON,
    Scenario,
    a_pod,
    after,
    begin,
    box,
    condition,
    delete,
    field,
    gone,
    logged,
    phase,
    pod,
    put,
    refuse,
    said,
    status,
    template,
    there,
    workload,
)
from scenarios_of_probes import POLITE, check

SHARED: JSON = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}
VOLUME: JSON = {"volumes": [{"name": "v", "emptyDir": {}}]}
ORDER = "/v/order"


def init(command: str, name: str = "i", **more: Any) -> JSON:
    return box(command, name=name, **more)


def side(command: str = POLITE, name: str = "s", **more: Any) -> JSON:
    return box(command, name=name, restartPolicy="Always", **more)


def notes(name: str) -> str:
    return f"echo {name} >> {ORDER}"


STARTS: dict[str, Scenario] = {
    # ---- init containers
    "an init container runs first": ("kuberuntime.computeInitContainerActions", [
        pod("p", box(f"cat {ORDER}; sleep 1d", **SHARED), initContainers=[init(notes("i"), **SHARED)], **VOLUME),
        logged("p", ["i"])]),
    "one after the other": ("kuberuntime.computeInitContainerActions", [
        pod("p", box(f"cat {ORDER}; sleep 1d", **SHARED), **VOLUME,
            initContainers=[init(f"sleep 3; {notes('a')}", "a", **SHARED), init(notes("b"), "b", **SHARED)]),
        logged("p", ["a", "b"])]),
    "the main container waits": ("kubelet.convertStatusToAPIStatus PodInitializing", [
        begin(a_pod("p", box(), initContainers=[init("sleep 60")])), after(20), phase(p="Pending"),
        status(state="waiting", reason="PodInitializing"), status(container="i", state="running")]),
    "not initialized": ("status.GeneratePodInitializedCondition", [
        begin(a_pod("p", box(), initContainers=[init("sleep 60")])), after(20),
        condition("pods", "p", "Initialized", "False", "ContainersNotInitialized"),
        condition("pods", "p", "Ready", "False", "ContainersNotReady")]),
    "initialized": ("status.GeneratePodInitializedCondition", [
        pod("p", box(), initContainers=[init("true")]), condition("pods", "p", "Initialized", "True"),
        status(container="i", state="terminated", reason="Completed", ready=True)]),
    "the second waits for the first": ("kuberuntime.computeInitContainerActions", [
        begin(a_pod("p", box(), initContainers=[init("sleep 60", "a"), init("true", "b")])), after(20),
        status(container="b", state="waiting", reason="PodInitializing")]),
    "Never: a failure ends the Pod": ("kuberuntime.computePodActions, initFailed", [
        pod("p", box(), initContainers=[init("exit 3")], restartPolicy="Never"), after(5), phase(p="Failed"),
        status(container="i", state="terminated", code=3), status(state="waiting", reason="PodInitializing")]),
    "Always: a failure is tried again": ("kuberuntime.computePodActions", [
        pod("p", box(), initContainers=[init("exit 3")]), after(70), phase(p="Pending"), status(container="i", restarts=3, last_code=3),
        said("p", "BackOff: Back-off restarting failed container i in pod p_default")]),
    "OnFailure: tried again until it succeeds": ("kuberuntime.computePodActions", [
        pod("p", box(**SHARED), **VOLUME, restartPolicy="OnFailure",
            initContainers=[init("test -e /v/x || { touch /v/x; exit 1; }", **SHARED)]), after(30),
        status(container="i", restarts=1, state="terminated", code=0), status(state="running")]),
    "it does not run again": ("kuberuntime.computeInitContainerActions", [
        pod("p", box("sleep 5; exit 1"), initContainers=[init("true")]), after(60), status(container="i", restarts=0)]),
    "its image is not there": ("kuberuntime.startContainer", [
        pod("p", box(), initContainers=[init("true", image="busybox:none")]), after(10), phase(p="Pending"),
        status(container="i", state="waiting"), status(state="waiting", reason="PodInitializing")]),
    "its log can be read while others wait": ("kubelet logs", [
        begin(a_pod("p", box(), initContainers=[init("echo here; sleep 60")])), after(20), logged("p", ["here"], container="i")]),
    "a Pod that is deleted meanwhile": ("kubelet, pod_workers", [
        begin(a_pod("p", box(), initContainers=[init("sleep 600")])), after(20), delete("pods", "p"), gone("pods", "p")]),
    "the deadline counts it": ("kubelet/active_deadline", [
        begin(a_pod("p", box(), initContainers=[init("sleep 600")], activeDeadlineSeconds=30)), after(60), phase(p="Failed"),
        field("pods", "p", "status.reason", "DeadlineExceeded")]),
    "a Job counts its failure": ("job, backoffLimit", [
        put(workload("Job", "j", template(box("true"), labels={}, initContainers=[init("false")], restartPolicy="Never"),
            "batch/v1", backoffLimit=0)), after(20), condition("jobs.batch", "j", "Failed", "True", "BackoffLimitExceeded")]),
    "no liveness probe": ("validation.validateInitContainers", [
        refuse(a_pod("p", box(), initContainers=[init("true", livenessProbe=check())]),
               "may not be set for init containers without restartPolicy=Always")]),
    "no hook": ("validation.validateInitContainers", [
        refuse(a_pod("p", box(), initContainers=[init("true", lifecycle={"preStop": {"exec": {"command": ["true"]}}})]),
               "may not be set for init containers without restartPolicy=Always")]),
    "a name of its own": ("validation.validateInitContainers", [
        refuse(a_pod("p", box(), initContainers=[init("true", "c")]), "Duplicate value")]),
    # ---- sidecars
    "a sidecar starts first and stays": ("kuberuntime.computeInitContainerActions restartable", [
        pod("p", box(), initContainers=[side()]), status(container="s", state="running", ready=True, started=True), status(ready=True)]),
    "an init container after it": ("kuberuntime.computeInitContainerActions restartable", [
        pod("p", box(f"cat {ORDER}; sleep 1d", **SHARED), **VOLUME,
            initContainers=[side(f"{notes('s')}; {POLITE}", **SHARED), init(f"sleep 2; {notes('i')}", **SHARED)]),
        logged("p", ["s", "i"]), status(container="s", state="running")]),
    "others wait until it has started": ("kuberuntime, sidecar startupProbe", [
        begin(a_pod("p", box(), initContainers=[side("sleep 30; touch /tmp/ok; sleep 1d", startupProbe=check(failureThreshold=90))])),
        after(20), status(state="waiting", reason="PodInitializing"), status(container="s", started=False),
        after(30), status(state="running"), status(container="s", started=True)]),
    "its readiness is the Pod's": ("status.GeneratePodReadyCondition", [
        pod("p", box(), initContainers=[side(readinessProbe=check())]), after(10), status(state="running"),
        status(container="s", ready=False), condition("pods", "p", "Ready", "False", "ContainersNotReady")]),
    "it is restarted alone": ("kuberuntime.computeInitContainerActions restartable", [
        pod("p", box(), initContainers=[side("sleep 10; exit 1")]), after(20), status(container="s", restarts=1), status(restarts=0)]),
    "its liveness restarts it alone": ("kuberuntime.computeInitContainerActions restartable", [
        pod("p", box(), initContainers=[side("sleep 1d", livenessProbe=check())]), after(12), status(restarts=0),
        said("p", "failed liveness probe")]),
    "even if the Pod is never restarted": ("kuberuntime, sidecar of restartPolicy Never", [
        begin(a_pod("p", box(), initContainers=[side("sleep 30; exit 1")], restartPolicy="Never")), after(45), status(container="s", restarts=1),
        phase(p="Running")]),
    "it does not keep a Pod from ending": ("kubelet.getPhase, sidecars", [
        pod("p", box("sleep 5"), initContainers=[side()], restartPolicy="Never"), after(20), phase(p="Succeeded"),
        status(container="s", state="terminated", code=0)]),
    "its own failure at the end is none": ("kubelet.getPhase, sidecars", [
        pod("p", box("sleep 5"), initContainers=[side("trap 'exit 9' TERM; while true; do sleep 1; done")], restartPolicy="Never"),
        after(20), phase(p="Succeeded"), status(container="s", state="terminated", code=9)]),
    "it does not keep a Job from completing": ("job, sidecars", [
        put(workload("Job", "j", template(box("sleep 3"), labels={}, initContainers=[side()], restartPolicy="Never"), "batch/v1")),
        after(20), condition("jobs.batch", "j", "Complete", "True")]),
    "it outlives the main container": ("kuberuntime.terminationOrdering", [
        pod("p", box("trap 'sleep 3; exit 0' TERM; while true; do sleep 1; done"),
            initContainers=[side("trap 'echo bye; sleep 5; exit 0' TERM; while true; do sleep 1; done")], terminationGracePeriodSeconds=60),
        delete("pods", "p", settle=False), after(2), logged("p", [], container="s"), after(6), logged("p", ["bye"], container="s"),
        after(10), gone("pods", "p")]),
    "two end in reverse": ("kuberuntime.terminationOrdering", [
        pod("p", box(POLITE), terminationGracePeriodSeconds=60, initContainers=[
            side("trap 'echo bye; sleep 4; exit 0' TERM; while true; do sleep 1; done", "a"),
            side("trap 'sleep 5; exit 0' TERM; while true; do sleep 1; done", "b")]),
        delete("pods", "p", settle=False), after(4), logged("p", [], container="a"), after(4), logged("p", ["bye"], container="a"),
        after(10), gone("pods", "p")]),
    "the grace period bounds them all": ("kuberuntime.terminationOrdering", [
        pod("p", box("trap '' TERM; while true; do sleep 1; done"), initContainers=[side()], terminationGracePeriodSeconds=10),
        delete("pods", "p", settle=False), after(8), there("pods", "p"), after(10), gone("pods", "p")]),
    "a sidecar that fails before the others": ("kuberuntime.computeInitContainerActions restartable", [
        pod("p", box(), initContainers=[side("test -e /v/x || { touch /v/x; exit 1; }; sleep 1d", startupProbe=check("test -e /v/x"), **SHARED)],
            **VOLUME), after(30), status(container="s", state="running"), status(state="running")]),
    "it may have a preStop hook": ("validation, restartable init containers", [
        pod("p", box(POLITE), initContainers=[side(lifecycle={"preStop": {"exec": {"command": ["false"]}}})], terminationGracePeriodSeconds=20),
        delete("pods", "p"), gone("pods", "p"), said("p", "FailedPreStopHook")]),
    "only Always makes a sidecar": ("validation.validateContainerRestartPolicy", [
        refuse(a_pod("p", box(), initContainers=[box(name="i", restartPolicy="Sometimes")]), "supported values")]),
}  # fmt: skip
