# ruff: noqa: E501 (one case a line, or two)
"""Probes and hooks: when a container counts as started, ready and alive, and what runs beside its beginning and end."""

from __future__ import annotations

from typing import Any

from scenario_steps import (
    JSON,
    WEB,
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
    patch,
    phase,
    pod,
    put,
    refuse,
    run,
    said,
    serves,
    status,
    template,
    there,
    unsaid,
    workload,
)


def check(command: str = "test -e /tmp/ok", **more: Any) -> JSON:
    return {"exec": {"command": ["sh", "-c", command]}, "periodSeconds": 1, **more}


def get(path: str = "/", port: int | str = 80, **more: Any) -> JSON:
    return {"httpGet": {"path": path, "port": port}, "periodSeconds": 1, **more}


def dial(port: int, **more: Any) -> JSON:
    return {"tcpSocket": {"port": port}, "periodSeconds": 1, **more}


def web(**more: Any) -> JSON:
    return {"name": "c", "image": WEB, "ports": [{"name": "http", "containerPort": 80}], **more}


def hook(**handlers: JSON) -> JSON:
    return {"lifecycle": handlers}


def sh(command: str) -> JSON:
    return {"exec": {"command": ["sh", "-c", command]}}


READY, LATER = "touch /tmp/ok; sleep 1d", "sleep 20; touch /tmp/ok; sleep 1d"
POLITE = "trap 'echo term; exit 0' TERM; while true; do sleep 1; done"
SLOW = "trap 'ls /tmp/stop; sleep 20; exit 0' TERM; while true; do sleep 1; done"
SERVICE: JSON = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web"},
    "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
}
LABELS = {"app": "web"}
OPEN = {
    "status": {
        "conditions": [
            {"type": "example.com/lb", "status": "True"},
            {"type": "PodScheduled", "status": "True"},
        ]
    }
}

PROBES: dict[str, Scenario] = {
    # ---- readiness
    "without a probe who runs is ready": ("prober.UpdatePodStatus", [pod("p", box()), status(ready=True, started=True)]),
    "a readiness probe that fails": ("prober_manager.UpdatePodStatus", [
        pod("p", box(readinessProbe=check())), after(30), status(ready=False, state="running", restarts=0),
        condition("pods", "p", "Ready", "False", "ContainersNotReady"), said("p", "Unhealthy: Readiness probe failed")]),
    "a readiness probe that succeeds": ("prober_manager.UpdatePodStatus", [
        pod("p", box(READY, readinessProbe=check())), after(5), status(ready=True), condition("pods", "p", "Ready", "True")]),
    "ready when the file comes": ("worker.doProbe", [
        begin(a_pod("p", box(LATER, readinessProbe=check()))), after(15), status(ready=False), after(20), status(ready=True)]),
    "not ready after three failures": ("worker.doProbe failureThreshold", [
        pod("p", box(READY, readinessProbe=check(periodSeconds=10))), after(20), status(ready=True), run("p", "rm /tmp/ok"),
        after(14), status(ready=True), after(30), status(ready=False, restarts=0)]),
    "failureThreshold one": ("worker.doProbe failureThreshold", [
        pod("p", box(READY, readinessProbe=check(failureThreshold=1))), after(5), run("p", "rm /tmp/ok"), after(3),
        status(ready=False)]),
    "successThreshold": ("worker.doProbe successThreshold", [
        begin(a_pod("p", box(READY, readinessProbe=check(periodSeconds=5, successThreshold=4)))), after(12),
        status(ready=False, state="running"), after(25), status(ready=True)]),
    "initialDelaySeconds": ("worker.doProbe initialDelaySeconds", [
        begin(a_pod("p", box(READY, readinessProbe=check(initialDelaySeconds=60)))), after(50), status(ready=False),
        after(30), status(ready=True)]),
    "ready again": ("worker.doProbe", [
        pod("p", box(READY, readinessProbe=check())), after(5), run("p", "rm /tmp/ok"), after(8), status(ready=False),
        run("p", "touch /tmp/ok"), after(5), status(ready=True, restarts=0)]),
    "one container of two": ("status.GeneratePodReadyCondition", [
        pod("p", box(name="a"), box(name="b", readinessProbe=check())), after(10), status(container="a", ready=True),
        status(container="b", ready=False), condition("pods", "p", "Ready", "False", "ContainersNotReady")]),
    "a Service has whoever is ready": ("endpointslice reconciler", [
        put(SERVICE), pod("p", box(READY, readinessProbe=check()), labels=LABELS), after(5), serves("web", "p"),
        run("p", "rm /tmp/ok"), after(10), serves("web"), run("p", "touch /tmp/ok"), after(10), serves("web", "p")]),
    "publishNotReadyAddresses": ("endpointslice utils, PublishNotReadyAddresses", [
        put({**SERVICE, "spec": {**SERVICE["spec"], "publishNotReadyAddresses": True}}),
        pod("p", box(readinessProbe=check()), labels=LABELS), after(5), serves("web", "p")]),
    "a readiness gate holds": ("status.GeneratePodReadyCondition ReadinessGates", [
        pod("p", box(), readinessGates=[{"conditionType": "example.com/lb"}]), after(5),
        condition("pods", "p", "ContainersReady", "True"), condition("pods", "p", "Ready", "False", "ReadinessGatesNotReady")]),
    "a readiness gate opens": ("status.GeneratePodReadyCondition ReadinessGates", [
        pod("p", box(), readinessGates=[{"conditionType": "example.com/lb"}]),
        patch("pods", "p", OPEN, more="/status"), after(5), condition("pods", "p", "Ready", "True")]),
    "after a restart it is not ready yet": ("prober_manager, new container", [
        pod("p", box("sleep 10; touch /tmp/ok; sleep 15; exit 1", readinessProbe=check())), after(8), status(ready=True),
        after(10), status(ready=False, restarts=1)]),
    # ---- handlers
    "HTTP 200": ("prober/http", [pod("p", web(readinessProbe=get())), after(5), status(ready=True)]),
    "HTTP 404": ("prober/http", [
        pod("p", web(readinessProbe=get("/none"))), after(5), status(ready=False),
        said("p", "Readiness probe failed: HTTP probe failed with statuscode: 404")]),
    "a named port": ("probe.ResolveContainerPort", [pod("p", web(readinessProbe=get(port="http"))), after(5), status(ready=True)]),
    "nobody listens for HTTP": ("prober/http", [
        pod("p", web(readinessProbe=get(port=81))), after(5), status(ready=False), said("p", "connect: connection refused")]),
    "a socket that is open": ("prober/tcp", [pod("p", web(readinessProbe=dial(80))), after(5), status(ready=True)]),
    "a socket that is closed": ("prober/tcp", [
        pod("p", web(readinessProbe=dial(81))), after(5), status(ready=False),
        said("p", "Readiness probe failed: dial tcp")]),
    "a command that takes too long": ("prober/exec timeoutSeconds", [
        pod("p", box(readinessProbe=check("sleep 5", periodSeconds=10))), after(20), status(ready=False), said("p", "timed out")]),
    "a longer timeout": ("prober/exec timeoutSeconds", [
        pod("p", box(readinessProbe=check("sleep 5", periodSeconds=10, timeoutSeconds=8))), after(30), status(ready=True)]),
    "a command that is not there": ("prober/exec", [
        pod("p", box(readinessProbe={"exec": {"command": ["none"]}, "periodSeconds": 1})), after(5), status(ready=False)]),
    # ---- liveness
    "a liveness probe that fails restarts": ("kuberuntime.computePodActions livenessManager", [
        pod("p", box(livenessProbe=check())), after(10), status(restarts=1, last="Error", last_code=137),
        said("p", "Killing: Container c failed liveness probe, will be restarted")]),
    "a liveness probe that succeeds": ("livenessManager", [pod("p", box(READY, livenessProbe=check())), after(60), status(restarts=0)]),
    "liveness waits for three failures": ("worker.doProbe failureThreshold", [
        pod("p", box(READY, livenessProbe=check(periodSeconds=10))), after(20), run("p", "rm /tmp/ok"), after(14),
        status(restarts=0), after(30), status(restarts=1)]),
    "liveness does not touch readiness": ("prober_manager", [
        pod("p", box(READY, livenessProbe=check(periodSeconds=10))), after(20), run("p", "rm /tmp/ok"), after(5), status(ready=True)]),
    "restartPolicy Never: it ends": ("kuberuntime.computePodActions", [
        pod("p", box(livenessProbe=check()), restartPolicy="Never"), after(10), phase(p="Failed"),
        said("p", "Killing: Container c failed liveness probe")]),
    "the probe's own grace period": ("kuberuntime.killContainer, probe terminationGracePeriodSeconds", [
        pod("p", box(livenessProbe=check(terminationGracePeriodSeconds=1)), terminationGracePeriodSeconds=600), after(15),
        status(restarts=1)]),
    "the Pod's grace period otherwise": ("kuberuntime.killContainer", [
        pod("p", box(livenessProbe=check()), terminationGracePeriodSeconds=600), after(60), status(restarts=0, state="running")]),
    "only the container that failed": ("kuberuntime.computePodActions", [
        pod("p", box(name="a", livenessProbe=check()), box(name="b")), after(10), status(container="a", restarts=1),
        status(container="b", restarts=0)]),
    "restarts back off": ("kuberuntime.doBackOff", [
        pod("p", box(livenessProbe=check(failureThreshold=1))), after(120), said("p", "BackOff: Back-off restarting failed container c"),
        status(state="waiting", reason="CrashLoopBackOff")]),
    # ---- startup
    "not started until the startup probe says so": ("prober_manager startupManager", [
        begin(a_pod("p", box(LATER, startupProbe=check(failureThreshold=60)))), after(15), status(started=False, ready=False),
        after(20), status(started=True, ready=True)]),
    "others wait for the startup probe": ("worker.doProbe, startup first", [
        pod("p", box(LATER, startupProbe=check(failureThreshold=60), livenessProbe=check(failureThreshold=1))), after(60),
        status(restarts=0, started=True)]),
    "who does not start is restarted": ("kuberuntime.computePodActions startupManager", [
        begin(a_pod("p", box(startupProbe=check(failureThreshold=5)))), after(12), status(restarts=1),
        said("p", "Killing: Container c failed startup probe, will be restarted")]),
    # ---- what is refused
    "successThreshold of liveness is one": ("validation.validateLivenessProbe", [
        refuse(a_pod("p", box(livenessProbe=check(successThreshold=2))), "must be 1")]),
    "successThreshold of startup is one": ("validation.validateStartupProbe", [
        refuse(a_pod("p", box(startupProbe=check(successThreshold=2))), "must be 1")]),
    "one handler": ("validation.validateHandler", [
        refuse(a_pod("p", box(readinessProbe={**check(), "tcpSocket": {"port": 80}})), "may not specify more than 1 handler type")]),
    "a handler": ("validation.validateHandler", [
        refuse(a_pod("p", box(readinessProbe={"periodSeconds": 1})), "must specify a handler type")]),
    "no grace period of readiness": ("validation.validateReadinessProbe", [
        refuse(a_pod("p", box(readinessProbe=check(terminationGracePeriodSeconds=1))), "must not be set for readinessProbes")]),
    # ---- hooks
    "postStart runs": ("lifecycle.HandlerRunner", [
        pod("p", box(**hook(postStart=sh("echo hi > /tmp/ran")))), run("p", "grep hi /tmp/ran"), status(ready=True)]),
    "who runs postStart does not run yet": ("kuberuntime.startContainer", [
        pod("p", box(**hook(postStart=sh("sleep 30")))), status(state="running", ready=True)]),
    "postStart that fails ends the container": ("kuberuntime.startContainer FailedPostStartHook", [
        pod("p", box(**hook(postStart=sh("exit 1")))), after(5), said("p", "FailedPostStartHook: PostStartHook failed"),
        status(ready=False)]),
    "preStop comes before TERM": ("kuberuntime.killContainer", [
        pod("p", box(SLOW, **hook(preStop=sh("touch /tmp/stop"))), terminationGracePeriodSeconds=30),
        delete("pods", "p", settle=False), after(4), logged("p", ["/tmp/stop"])]),
    "preStop within the grace period": ("kuberuntime.executePreStopHook", [
        pod("p", box(POLITE, **hook(preStop=sh("sleep 5"))), terminationGracePeriodSeconds=30),
        delete("pods", "p", settle=False), after(4), there("pods", "p"), after(6), gone("pods", "p")]),
    "preStop that takes longer is cut off": ("kuberuntime.executePreStopHook", [
        pod("p", box(POLITE, **hook(preStop=sh("sleep 1000"))), terminationGracePeriodSeconds=10),
        delete("pods", "p", settle=False), after(8), there("pods", "p"), after(10), gone("pods", "p")]),
    "preStop that fails is told": ("kuberuntime.executePreStopHook FailedPreStopHook", [
        pod("p", box(POLITE, **hook(preStop=sh("exit 3"))), terminationGracePeriodSeconds=30), delete("pods", "p"),
        gone("pods", "p"), said("p", "FailedPreStopHook: PreStopHook failed")]),
    "preStop sleeps": ("lifecycle.HandlerRunner sleep", [
        pod("p", box(POLITE, **hook(preStop={"sleep": {"seconds": 5}})), terminationGracePeriodSeconds=30),
        delete("pods", "p", settle=False), after(4), there("pods", "p"), after(6), gone("pods", "p")]),
    "a sleep longer than the grace period": ("validation.validateSleepAction", [
        refuse(a_pod("p", box(**hook(preStop={"sleep": {"seconds": 50}})), terminationGracePeriodSeconds=30),
               "must be non-negative and less than terminationGracePeriodSeconds")]),
    "preStop asks over HTTP": ("lifecycle.HandlerRunner httpGet", [
        pod("p", web(**hook(preStop={"httpGet": {"path": "/", "port": 80}})), terminationGracePeriodSeconds=30),
        delete("pods", "p"), gone("pods", "p"), unsaid("p", "FailedPreStopHook")]),
    "who ends by itself has no preStop": ("kuberuntime, container exited", [
        pod("p", box("sleep 5", **hook(preStop=sh("exit 1"))), restartPolicy="Never"), after(10), phase(p="Succeeded"),
        unsaid("p", "PreStopHook")]),
    "a liveness kill runs preStop": ("kuberuntime.killContainer", [
        pod("p", box(livenessProbe=check(), **hook(preStop=sh("exit 1"))), terminationGracePeriodSeconds=5), after(20),
        said("p", "FailedPreStopHook")]),
    "a Deployment counts who is ready": ("deployment status", [
        begin(workload("Deployment", replicas=2, pods=template(box(LATER, readinessProbe=check())))), after(15),
        field("deployments.apps", "web", "status.readyReplicas", None), after(30),
        field("deployments.apps", "web", "status.readyReplicas", 2)]),
}  # fmt: skip
