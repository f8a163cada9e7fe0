"""The cells that `kubectl get` shows."""

import pytest
from api_bench import BY_KIND, NOW, load

A_RUNS = "{name: a, ready: true, state: {running: {}}, restartCount: 0}"
B_RUNS = "{name: b, ready: true, state: {running: {}}, restartCount: 0}"


def _pod(spec: str, status: str, meta: str = "") -> str:
    head = f"metadata: {{name: p, creationTimestamp: '2025-12-31T23:59:00Z'{meta}}}"
    return f"{{{head}, spec: {{{spec}}}, status: {{{status}}}}}"


ONE = "containers: [{name: a}]"
TWO = "containers: [{name: a}, {name: b}]"
INIT = "containers: [{name: a}], initContainers: [{name: i}, {name: j}]"
SIDECAR = "containers: [{name: a}], initContainers: [{name: s, restartPolicy: Always}, {name: j}]"

# id: (Pod, READY, STATUS, RESTARTS)
PODS = {
    "pending": (_pod(ONE, "phase: Pending"), "0/1", "Pending", "0"),
    "creating": (
        _pod(ONE, "phase: Pending, containerStatuses: [{name: a, state: {waiting: {reason: ContainerCreating}}}]"),
        "0/1", "ContainerCreating", "0",
    ),
    "gated": (
        _pod(ONE, "phase: Pending, conditions: [{type: PodScheduled, reason: SchedulingGated}]"),
        "0/1", "SchedulingGated", "0",
    ),
    "running": (_pod(ONE, f"phase: Running, containerStatuses: [{A_RUNS}]"), "1/1", "Running", "0"),
    "not ready": (
        _pod(ONE, "phase: Running, containerStatuses: [{name: a, ready: false, state: {running: {}}}]"),
        "0/1", "Running", "0",
    ),
    "image": (
        _pod(ONE, "phase: Pending, containerStatuses: [{name: a, state: {waiting: {reason: ImagePullBackOff}}}]"),
        "0/1", "ImagePullBackOff", "0",
    ),
    "crash loop": (
        _pod(ONE, "phase: Running, containerStatuses: [{name: a, restartCount: 3, "
             "state: {waiting: {reason: CrashLoopBackOff}}, "
             "lastState: {terminated: {finishedAt: '2025-12-31T23:59:50Z'}}}]"),
        "0/1", "CrashLoopBackOff", "3 (10s ago)",
    ),
    "error": (
        _pod(ONE, "phase: Failed, containerStatuses: [{name: a, state: {terminated: {reason: Error, exitCode: 1}}}]"),
        "0/1", "Error", "0",
    ),
    "exit code": (
        _pod(ONE, "phase: Failed, containerStatuses: [{name: a, state: {terminated: {exitCode: 3}}}]"),
        "0/1", "ExitCode:3", "0",
    ),
    "signal": (
        _pod(ONE, "phase: Failed, containerStatuses: [{name: a, state: {terminated: {exitCode: 137, signal: 9}}}]"),
        "0/1", "Signal:9", "0",
    ),
    "completed": (
        _pod(ONE, "phase: Succeeded, containerStatuses: "
             "[{name: a, state: {terminated: {reason: Completed, exitCode: 0}}}]"),
        "0/1", "Completed", "0",
    ),
    "one of two done": (
        _pod(TWO, "phase: Running, containerStatuses: "
             f"[{{name: a, state: {{terminated: {{reason: Completed}}}}}}, {B_RUNS}]"),
        "1/2", "NotReady", "0",
    ),
    "one of two done, ready": (
        _pod(TWO, "phase: Running, conditions: [{type: Ready, status: 'True'}], containerStatuses: "
             f"[{{name: a, state: {{terminated: {{reason: Completed}}}}}}, {B_RUNS}]"),
        "1/2", "Running", "0",
    ),
    "init first": (
        _pod(INIT, "phase: Pending, initContainerStatuses: [{name: i, state: {running: {}}}, "
             "{name: j, state: {waiting: {reason: PodInitializing}}}]"),
        "0/1", "Init:0/2", "0",
    ),
    "init second": (
        _pod(INIT, "phase: Pending, initContainerStatuses: [{name: i, state: {terminated: {exitCode: 0}}}, "
             "{name: j, state: {running: {}}}]"),
        "0/1", "Init:1/2", "0",
    ),
    "init failed": (
        _pod(INIT, "phase: Pending, initContainerStatuses: "
             "[{name: i, restartCount: 1, state: {terminated: {reason: Error, exitCode: 1}}}, {name: j}]"),
        "0/1", "Init:Error", "1",
    ),
    "init crash loop": (
        _pod(INIT, "phase: Pending, initContainerStatuses: "
             "[{name: i, restartCount: 2, state: {waiting: {reason: CrashLoopBackOff}}}, {name: j}]"),
        "0/1", "Init:CrashLoopBackOff", "2",
    ),
    "init done": (
        _pod(INIT, "phase: Pending, initContainerStatuses: [{name: i, restartCount: 4, "
             "state: {terminated: {exitCode: 0}}}, {name: j, state: {terminated: {exitCode: 0}}}], "
             "containerStatuses: [{name: a, state: {waiting: {reason: PodInitializing}}}]"),
        "0/1", "PodInitializing", "0",
    ),
    "sidecar": (
        _pod(SIDECAR, "phase: Running, conditions: [{type: Initialized, status: 'True'}], initContainerStatuses: "
             "[{name: s, started: true, ready: true, restartCount: 1, state: {running: {}}}, "
             f"{{name: j, state: {{terminated: {{exitCode: 0}}}}}}], containerStatuses: [{A_RUNS}]"),
        "2/2", "Running", "1",
    ),
    "sidecar before init": (
        _pod(SIDECAR, "phase: Pending, initContainerStatuses: "
             "[{name: s, started: true, ready: true, state: {running: {}}}, {name: j, state: {running: {}}}]"),
        "1/2", "Init:1/2", "0",
    ),
    "evicted": (_pod(ONE, "phase: Failed, reason: Evicted"), "0/1", "Evicted", "0"),
    "terminating": (
        _pod(ONE, f"phase: Running, containerStatuses: [{A_RUNS}]", ", deletionTimestamp: x"),
        "1/1", "Terminating", "0",
    ),
    "deleted when done": (
        _pod(ONE, "phase: Succeeded, containerStatuses: [{name: a, state: {terminated: {reason: Completed}}}]",
             ", deletionTimestamp: x"),
        "0/1", "Completed", "0",
    ),
    "lost": (
        _pod(ONE, "phase: Running, reason: NodeLost", ", deletionTimestamp: x"), "0/1", "Unknown", "0",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("pod", "ready", "status", "restarts"), PODS.values(), ids=PODS.keys())
def test_pod(pod: str, ready: str, status: str, restarts: str) -> None:
    row = BY_KIND["Pod"].row(load(pod), NOW)
    assert row == ["p", ready, status, restarts, "60s", "<none>", "<none>", "<none>", "<none>"]


META = "metadata: {name: x, creationTimestamp: '2025-12-31T22:00:00Z'"
TEMPLATE = (
    "template: {spec: {containers: [{name: a, image: i:1}, {name: b, image: j}], nodeSelector: {disk: ssd}}}"
)

# id: (kind, object, cells)
ROWS = {
    "wide pod": (
        "Pod",
        f"{{{META}}}, spec: {{nodeName: n, containers: [{{name: a}}], readinessGates: [{{conditionType: t/x}}]}}, "
        "status: {phase: Running, podIPs: [{ip: 10.0.0.1}], nominatedNodeName: m, "
        "conditions: [{type: t/x, status: 'True'}]}}",
        ["x", "0/1", "Running", "0", "120m", "10.0.0.1", "n", "m", "1/1"],
    ),
    "deployment": (
        "Deployment",
        f"{{{META}}}, spec: {{replicas: 3, selector: {{matchLabels: {{b: c, a: b}}, "
        f"matchExpressions: [{{key: k, operator: In, values: [z, y]}}]}}, {TEMPLATE}}}, "
        "status: {readyReplicas: 1, updatedReplicas: 2}}",
        ["x", "1/3", 2, 0, "120m", "a,b", "i:1,j", "a=b,b=c,k in (y,z)"],
    ),
    "replica set": (
        "ReplicaSet",
        f"{{{META}}}, spec: {{replicas: 3, selector: {{matchLabels: {{a: b}}}}, {TEMPLATE}}}, "
        "status: {replicas: 2}}",
        ["x", 3, 2, 0, "120m", "a,b", "i:1,j", "a=b"],
    ),
    "daemon set": (
        "DaemonSet",
        f"{{{META}}}, spec: {{selector: {{matchLabels: {{a: b}}}}, {TEMPLATE}}}, status: "
        "{desiredNumberScheduled: 3, currentNumberScheduled: 3, numberReady: 2, updatedNumberScheduled: 3}}",
        ["x", 3, 3, 2, 3, 0, "disk=ssd", "120m", "a,b", "i:1,j", "a=b"],
    ),
    "node": (
        "Node",
        f"{{{META}, labels: {{node-role.kubernetes.io/control-plane: '', node-role.kubernetes.io/a: ''}}}}, "
        "spec: {unschedulable: true}, status: {conditions: [{type: Ready, status: 'True'}], "
        "addresses: [{type: InternalIP, address: 10.0.0.1}], "
        "nodeInfo: {kubeletVersion: v1.37.0, osImage: Debian, containerRuntimeVersion: 'containerd://2'}}}",
        ["x", "Ready,SchedulingDisabled", "a,control-plane", "120m", "v1.37.0", "10.0.0.1", "<none>", "Debian",
         "<unknown>", "containerd://2"],
    ),
    "silent node": (
        "Node",
        f"{{{META}}}, status: {{conditions: [{{type: Ready, status: Unknown}}]}}}}",
        ["x", "NotReady", "<none>", "120m", "", "<none>", "<none>", "<unknown>", "<unknown>", "<unknown>"],
    ),
    "new node": (
        "Node", f"{{{META}}}}}",
        ["x", "Unknown", "<none>", "120m", "", "<none>", "<none>", "<unknown>", "<unknown>", "<unknown>"],
    ),
    "namespace": ("Namespace", f"{{{META}}}, status: {{phase: Active}}}}", ["x", "Active", "120m"]),
    "service": (
        "Service",
        f"{{{META}}}, spec: {{type: NodePort, clusterIP: 10.96.0.2, clusterIPs: [10.96.0.2], "
        "ports: [{port: 80, nodePort: 30080, protocol: TCP}, {port: 53, protocol: UDP}], selector: {a: b}}}",
        ["x", "NodePort", "10.96.0.2", "<none>", "80:30080/TCP,53/UDP", "120m", "a=b"],
    ),
    "waiting load balancer": (
        "Service",
        f"{{{META}}}, spec: {{type: LoadBalancer, clusterIPs: [10.96.0.2]}}, status: {{loadBalancer: {{}}}}}}",
        ["x", "LoadBalancer", "10.96.0.2", "<pending>", "<none>", "120m", "<none>"],
    ),
    "external name": (
        "Service", f"{{{META}}}, spec: {{type: ExternalName, externalName: example.com}}}}",
        ["x", "ExternalName", "<none>", "example.com", "<none>", "120m", "<none>"],
    ),
    "endpoints": (
        "Endpoints",
        f"{{{META}}}, subsets: [{{addresses: [{{ip: 10.0.0.1}}, {{ip: 10.0.0.2}}], "
        "ports: [{port: 80}, {port: 81}]}]}",
        ["x", "10.0.0.1:80,10.0.0.2:80,10.0.0.1:81 + 1 more...", "120m"],
    ),
    "no endpoints": ("Endpoints", f"{{{META}}}}}", ["x", "<none>", "120m"]),
    "slice": (
        "EndpointSlice",
        f"{{{META}}}, addressType: IPv4, ports: [{{port: 80}}, {{name: any}}], "
        "endpoints: [{addresses: [10.0.0.1]}, {addresses: [10.0.0.2]}, {addresses: [10.0.0.3]}, "
        "{addresses: [10.0.0.4]}]}",
        ["x", "IPv4", "80,any", "10.0.0.1,10.0.0.2,10.0.0.3 + 1 more...", "120m"],
    ),
    "empty slice": (
        "EndpointSlice", f"{{{META}}}, addressType: IPv4}}", ["x", "IPv4", "<unset>", "<unset>", "120m"],
    ),
    "config map": ("ConfigMap", f"{{{META}}}, data: {{a: b}}, binaryData: {{c: eA==}}}}", ["x", 2, "120m"]),
    "secret": ("Secret", f"{{{META}}}, type: Opaque, data: {{a: eA==}}}}", ["x", "Opaque", 1, "120m"]),
    "service account": ("ServiceAccount", f"{{{META}}}}}", ["x", 0, "120m"]),
    "event": (
        "Event",
        f"{{{META}}}, type: Warning, reason: Failed, message: ' no ', count: 3, "
        "involvedObject: {kind: Pod, name: p, fieldPath: 'spec.containers{a}'}, "
        "source: {component: kubelet, host: n}, firstTimestamp: '2025-12-31T23:50:00Z', "
        "lastTimestamp: '2025-12-31T23:59:30Z'}",
        ["30s", "Warning", "Failed", "pod/p", "spec.containers{a}", "kubelet, n", "no", "10m", 3, "x"],
    ),
    "event of the new sort": (
        "Event",
        f"{{{META}}}, type: Normal, reason: Scheduled, message: m, involvedObject: {{kind: Pod, name: p}}, "
        "reportingComponent: default-scheduler, reportingInstance: s-1, eventTime: '2025-12-31T23:59:55.000000Z'}",
        ["5s", "Normal", "Scheduled", "pod/p", "", "default-scheduler, s-1", "m", "5s", 1, "x"],
    ),
    "attributes": (
        "VolumeAttributesClass",
        f"{{{META}, annotations: {{volumeattributesclass.alpha.kubernetes.io/is-default-class: 'true'}}}}, "
        "driverName: d}",
        ["x (default)", "d", "120m"],
    ),
    "lease": ("Lease", f"{{{META}}}, spec: {{holderIdentity: n}}}}", ["x", "n", "120m"]),
    "priority class": (
        "PriorityClass", f"{{{META}}}, value: 10, globalDefault: true, preemptionPolicy: Never}}",
        ["x", 10, True, "120m", "Never"],
    ),
    "revision": (
        "ControllerRevision",
        f"{{{META}, ownerReferences: [{{apiVersion: apps/v1, kind: DaemonSet, name: d, controller: true}}]}}, "
        "revision: 2}",
        ["x", "daemonset.apps/d", 2, "120m"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "obj", "cells"), ROWS.values(), ids=ROWS.keys())
def test_row(kind: str, obj: str, cells: list[object]) -> None:
    assert BY_KIND[kind].row(load(obj), NOW) == cells
    assert len(BY_KIND[kind].columns) == len(cells)
