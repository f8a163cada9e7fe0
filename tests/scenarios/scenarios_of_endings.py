# ruff: noqa: E501 (one case a line, or two)
"""How Pods, and what belongs to them, end."""

from __future__ import annotations

from scenario_steps import (
    Scenario,
    a_pod,
    after,
    begin,
    box,
    condition,
    count,
    delete,
    each,
    fault,
    field,
    gone,
    logged,
    patch,
    phase,
    pod,
    put,
    said,
    serves,
    status,
    still,
    template,
    there,
    workload,
)
from scenarios_of_probes import LABELS, POLITE, SERVICE

STUBBORN = "trap '' TERM; while true; do sleep 1; done"
LAZY = "trap 'sleep 10; exit 7' TERM; while true; do sleep 1; done"

ENDINGS: dict[str, Scenario] = {
    "who hears TERM is gone soon": ("kuberuntime.killContainer", [
        pod("p", box(POLITE), terminationGracePeriodSeconds=300), delete("pods", "p", settle=False), after(5), gone("pods", "p")]),
    "who ignores TERM is killed at the end of its grace": ("kuberuntime.killContainer", [
        pod("p", box(STUBBORN), terminationGracePeriodSeconds=20), delete("pods", "p", settle=False), after(18), there("pods", "p"),
        after(6), gone("pods", "p")]),
    "thirty seconds are the default": ("core/v1 SetDefaults_PodSpec", [
        pod("p", box(STUBBORN), terminationGracePeriodSeconds=None), field("pods", "p", "spec.terminationGracePeriodSeconds", 30),
        delete("pods", "p", settle=False), after(28), there("pods", "p"), after(6), gone("pods", "p")]),
    "who ends still runs": ("pod strategy, graceful deletion", [
        pod("p", box(STUBBORN), terminationGracePeriodSeconds=20), delete("pods", "p", settle=False), after(5), phase(p="Running"),
        field("pods", "p", "metadata.deletionGracePeriodSeconds", 20)]),
    "no grace, and it is gone at once": ("registry.Delete, grace 0", [
        pod("p", box(STUBBORN), terminationGracePeriodSeconds=300), delete("pods", "p", grace=0, settle=False), gone("pods", "p")]),
    "less grace than the Pod's": ("pod strategy CheckGracefulDelete", [
        pod("p", box(STUBBORN), terminationGracePeriodSeconds=300), delete("pods", "p", grace=5, settle=False), after(3),
        there("pods", "p"), after(6), gone("pods", "p")]),
    "more grace than the Pod's": ("pod strategy CheckGracefulDelete", [
        pod("p", box(STUBBORN), terminationGracePeriodSeconds=2), delete("pods", "p", grace=30, settle=False), after(20),
        there("pods", "p"), after(14), gone("pods", "p")]),
    "a second deletion can hurry it": ("rest.BeforeDelete, shorter grace", [
        pod("p", box(STUBBORN), terminationGracePeriodSeconds=300), delete("pods", "p", settle=False), after(5),
        delete("pods", "p", grace=2, settle=False), after(6), gone("pods", "p")]),
    "a second deletion cannot slow it": ("rest.BeforeDelete", [
        pod("p", box(STUBBORN), terminationGracePeriodSeconds=5), delete("pods", "p", settle=False), after(1),
        delete("pods", "p", grace=300, settle=False), after(10), gone("pods", "p")]),
    "all containers hear it at once": ("kuberuntime.killContainersWithSyncResult", [
        pod("p", box(LAZY, name="a"), box(LAZY, name="b"), terminationGracePeriodSeconds=60),
        delete("pods", "p", settle=False), after(8), there("pods", "p"), after(6), gone("pods", "p")]),
    "it leaves its Services before it ends": ("endpointslice utils, terminating", [
        put(SERVICE), pod("p", box(STUBBORN), labels=LABELS, terminationGracePeriodSeconds=20), serves("web", "p"),
        delete("pods", "p", settle=False), after(1), serves("web"), there("pods", "p")]),
    "who has no node goes at once": ("pod strategy, no node", [
        pod("p", nodeSelector={"no": "node"}), delete("pods", "p", settle=False), gone("pods", "p")]),
    "who has ended goes at once": ("pod strategy, finished", [
        pod("p", box("true"), restartPolicy="Never"), after(5), phase(p="Succeeded"), delete("pods", "p", settle=False), after(2), gone("pods", "p")]),
    "a finalizer holds it": ("registry.Delete finalizers", [
        put({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "finalizers": ["example.com/hold"]},
             "spec": {"containers": [still()], "terminationGracePeriodSeconds": 1}}),
        delete("pods", "p"), after(10), there("pods", "p"),
        patch("pods", "p", {"metadata": {"finalizers": None}}), gone("pods", "p")]),
    "a Pod of a lost node waits for it": ("nodelifecycle, tainteviction", [
        pod("p", box(POLITE), nodeName="worker-1"), fault("node/power", node="worker-1", up=False), after(400), there("pods", "p"),
        fault("node/power", node="worker-1", up=True), after(60), gone("pods", "p")]),
    "unless it is forced": ("registry.Delete, grace 0", [
        pod("p", box(POLITE), nodeName="worker-1"), fault("node/power", node="worker-1", up=False), after(60),
        delete("pods", "p", grace=0), gone("pods", "p")]),
    "a deadline ends the Pod": ("kubelet/active_deadline", [
        begin(a_pod("p", box(), activeDeadlineSeconds=30)), after(20), phase(p="Running"), after(20), phase(p="Failed"),
        field("pods", "p", "status.reason", "DeadlineExceeded"),
        field("pods", "p", "status.message", "Pod was active on the node longer than the specified deadline")]),
    # ---- by itself
    "success": ("kubelet.getPhase", [pod("p", box("sleep 3"), restartPolicy="Never"), after(10), phase(p="Succeeded"),
        status(state="terminated", reason="Completed", code=0), condition("pods", "p", "Ready", "False", "PodCompleted")]),
    "failure": ("kubelet.getPhase", [pod("p", box("exit 42"), restartPolicy="Never"), after(10), phase(p="Failed"),
        status(state="terminated", reason="Error", code=42)]),
    "one of two failed": ("kubelet.getPhase", [
        pod("p", box("true", name="a"), box("false", name="b"), restartPolicy="Never"), after(10), phase(p="Failed")]),
    "one of two has ended": ("kubelet.getPhase", [
        pod("p", box("true", name="a"), box(name="b"), restartPolicy="Never"), after(10), phase(p="Running"),
        status(container="a", state="terminated")]),
    "OnFailure: success is the end": ("kubelet.getPhase", [
        pod("p", box("true"), restartPolicy="OnFailure"), after(10), phase(p="Succeeded"), status(restarts=0)]),
    "OnFailure: failure is tried again": ("kubecontainer.ShouldContainerBeRestarted", [
        pod("p", box("test -e /v/done || { touch /v/done; exit 1; }", volumeMounts=[{"name": "v", "mountPath": "/v"}]),
            volumes=[{"name": "v", "emptyDir": {}}], restartPolicy="OnFailure"), after(30), phase(p="Succeeded"), status(restarts=1)]),
    "Always: success is begun again": ("kubecontainer.ShouldContainerBeRestarted", [
        pod("p", box("sleep 2")), after(10), phase(p="Running"), status(last="Completed")]),
    "the back-off doubles": ("kuberuntime.doBackOff", [
        pod("p", box("exit 1")), after(8), status(restarts=1), after(10), status(restarts=2), after(10), status(restarts=2),
        after(15), status(restarts=3)]),
    "a container that crashes is told of": ("kuberuntime.doBackOff", [
        pod("p", box("exit 1")), after(70), status(restarts=3, last="Error", last_code=1, ready=False), phase(p="Running"),
        said("p", "BackOff: Back-off restarting failed container c in pod p_default")]),
    "the last words are a file": ("kuberuntime, terminationMessagePath", [
        pod("p", box("echo why > /dev/termination-log; exit 1"), restartPolicy="Never"), after(5),
        field("pods", "p", "status.containerStatuses.0.state.terminated.message", "why\n")]),
    "the last words of the log": ("kuberuntime, FallbackToLogsOnError", [
        pod("p", box("echo why; exit 1", terminationMessagePolicy="FallbackToLogsOnError"), restartPolicy="Never"), after(5),
        field("pods", "p", "status.containerStatuses.0.state.terminated.message", "why\n")]),
    "no last words of a success": ("kuberuntime, FallbackToLogsOnError", [
        pod("p", box("echo why", terminationMessagePolicy="FallbackToLogsOnError"), restartPolicy="Never"), after(5),
        field("pods", "p", "status.containerStatuses.0.state.terminated.message", None)]),
    "the log of the one before": ("kubelet logs --previous", [
        pod("p", box("echo once; exit 1")), after(8), logged("p", ["once"], previous=True)]),
    # ---- what belongs to somebody
    "Pods go with their owner": ("garbagecollector, background", [
        put(workload("ReplicaSet", replicas=2)), count("pods", 2), delete("replicasets.apps", "web"), after(5), count("pods", 0)]),
    "a Deployment's go with it": ("garbagecollector, background", [
        put(workload("Deployment", replicas=2)), delete("deployments.apps", "web"), after(5), count("replicasets.apps", 0), count("pods", 0)]),
    "a Pod that goes is replaced": ("replicaset.manageReplicas", [
        put(workload("ReplicaSet", replicas=1, pods=template(box(STUBBORN), terminationGracePeriodSeconds=60))),
        each("the Pod", "pods", "app=web", lambda name: delete("pods", name, settle=False)), after(2),
        count("pods", 1)]),
    "a Pod may come again under its name": ("pod, uid", [
        pod("p", box()), delete("pods", "p"), gone("pods", "p"), pod("p", box()), phase(p="Running")]),
    "a second one under the name waits for the first": ("registry.Create AlreadyExists", [
        pod("p", box(STUBBORN), terminationGracePeriodSeconds=30), delete("pods", "p", settle=False), after(2), there("pods", "p"),
        phase(p="Running")]),
}  # fmt: skip
