"""What a create, an update and a status update make of an object."""

from typing import Any

import pytest
from api_bench import BY_KIND, Addresses, created, load, merged, updated

from cluster_engine.api.core.v1.pod import grace
from cluster_engine.api.core.v1.pod_spec import default_container
from cluster_engine.apimachinery.cow import freeze, get, put
from cluster_engine.apimachinery.errors import ApiError

POD = load("""
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  nodeName: node-1
  containers: [{name: web, image: nginx}]
  tolerations: [{key: a, operator: Exists}]
status: {phase: Running}
""")
DEPLOYMENT = load("""
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: nginx}]}
status: {replicas: 7}
""")
OTHERS = (
    "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing "
    "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n"
)

# id: (resources of the containers, QoS class)
QOS = {
    "nothing": ("[{}]", "BestEffort"),
    "limits only": ("[{limits: {cpu: 1, memory: 1Gi}}]", "Guaranteed"),
    "equal by value": (
        "[{limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 1000m, memory: 1024Mi}}]",
        "Guaranteed",
    ),
    "memory only": ("[{limits: {memory: 1Gi}}]", "Burstable"),
    "request below": ("[{limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 500m}}]", "Burstable"),
    "one of two": ("[{limits: {cpu: 1, memory: 1Gi}}, {}]", "Burstable"),
    "zero": ("[{requests: {cpu: 0}}]", "BestEffort"),
    "storage does not count": ("[{requests: {ephemeral-storage: 1Gi}}]", "BestEffort"),
}


@pytest.mark.parametrize(("resources", "expected"), QOS.values(), ids=QOS.keys())
def test_qos_class(resources: str, expected: str) -> None:
    containers = [
        {"name": f"c{index}", "image": "i", "resources": part} for index, part in enumerate(load(resources))
    ]
    pod = created(merged(POD, {"spec": {"containers": containers}}))
    assert pod["status"] == {"phase": "Pending", "qosClass": expected}


def test_a_gated_pod_says_so() -> None:
    pod = created(merged(POD, {"spec": {"nodeName": None, "schedulingGates": [{"name": "a/b"}]}}))
    assert pod["status"]["conditions"] == [
        {
            "type": "PodScheduled",
            "status": "False",
            "reason": "SchedulingGated",
            "message": "Scheduling is blocked due to non-empty scheduling gates",
        }
    ]


# id: (change, expected errors, generation)
POD_UPDATES = {
    "labels": ("metadata: {labels: {a: b}}", [], 1),
    "image": ("spec: {containers: [{name: web, image: 'nginx:2', imagePullPolicy: Always}]}", [], 2),
    "one more container": (
        "spec: {containers: [{name: web, image: nginx}, {name: b, image: b}]}",
        ["spec.containers: Forbidden: pod updates may not add or remove containers"],
        2,
    ),
    "toleration added": (
        "spec: {tolerations: [{key: a, operator: Exists}, {key: b, operator: Exists}]}", [], 2,
    ),
    "toleration changed": (
        "spec: {tolerations: [{key: b, operator: Exists}]}",
        ["spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds"],
        2,
    ),
    "deadline": ("spec: {activeDeadlineSeconds: 5}", [], 2),
    "node": (
        "spec: {nodeName: node-2}",
        [OTHERS + '  core.PodSpec{\n- \tNodeName: "node-1",\n+ \tNodeName: "node-2",\n'
         "  \t... // 8 identical fields\n  }\n"],
        2,
    ),
    "resources": (
        "spec: {containers: [{name: web, image: nginx, resources: {limits: {cpu: 1}}}]}",
        [OTHERS + '  core.PodSpec{\n  \tContainers: {\n  \t\t{\n  \t\t\tResources: {\n- \t\t\t\tLimits: nil,\n'
         '+ \t\t\t\tLimits: {"cpu": "1"},\n- \t\t\t\tRequests: nil,\n+ \t\t\t\tRequests: {"cpu": "1"},\n  \t\t\t},\n'
         "  \t\t\t... // 5 identical fields\n  \t\t},\n  \t},\n  \t... // 8 identical fields\n  }\n"],
        2,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "expected", "generation"), POD_UPDATES.values(), ids=POD_UPDATES.keys())
def test_pod_update(change: str, expected: list[str], generation: int) -> None:
    old = created(POD)
    new, problems = updated(old, merged(old, load(change)))
    assert problems == expected
    assert new["metadata"]["generation"] == generation
    assert new["status"] is old["status"]


def test_a_gated_pod_may_be_narrowed() -> None:
    old = created(merged(POD, {"spec": {"nodeName": None, "schedulingGates": [{"name": "a/b"}]}}))
    assert updated(old, merged(old, {"spec": {"nodeSelector": {"disk": "ssd"}}}))[1] == []
    opened, problems = updated(old, merged(old, {"spec": {"schedulingGates": None}}))
    assert problems == []
    assert "schedulingGates" not in opened["spec"]


def test_pod_status() -> None:
    kind, old = BY_KIND["Pod"], created(POD)
    new = freeze(
        {
            **old,
            "spec": {},
            "status": {"phase": "Running", "podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}]},
        }
    )
    stored = kind.prepare_status(new, old)
    assert stored["spec"] is old["spec"]
    assert stored["status"]["qosClass"] == "BestEffort"
    assert kind.validate_status(stored, old) == []


# id: (restart policy, exit code, allowed)
RESTARTS = {
    "always": ("Always", 0, True),
    "on failure, failed": ("OnFailure", 1, True),
    "on failure, done": ("OnFailure", 0, False),
    "never": ("Never", 1, False),
}


@pytest.mark.parametrize(("policy", "code", "allowed"), RESTARTS.values(), ids=RESTARTS.keys())
def test_a_terminated_container_comes_back_only_if_it_may(policy: str, code: int, allowed: bool) -> None:
    kind = BY_KIND["Pod"]
    old = created(merged(POD, {"spec": {"restartPolicy": policy}}))
    ended = {"containerStatuses": [{"name": "web", "state": {"terminated": {"exitCode": code}}}]}
    again = {"containerStatuses": [{"name": "web", "state": {"running": {}}}]}
    old = put(old, ("status",), {**old["status"], **ended})
    problems = kind.validate_status(put(old, ("status",), {**old["status"], **again}), old)
    text = "status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state"
    assert [str(problem) for problem in problems] == ([] if allowed else [text])


def test_deployment_generation_counts_spec_changes_only() -> None:
    old = created(DEPLOYMENT)
    assert old["status"] == {}
    assert old["metadata"]["generation"] == 1
    assert updated(old, merged(old, {"metadata": {"labels": {"a": "b"}}}))[0]["metadata"]["generation"] == 1
    scaled = updated(old, merged(old, {"spec": {"replicas": 5}}))[0]
    assert scaled["metadata"]["generation"] == 2
    status = BY_KIND["Deployment"].prepare_status(put(scaled, ("spec", "replicas"), 9), scaled)
    assert status["spec"]["replicas"] == 5


def test_daemon_set_template_generation() -> None:
    old = created({**DEPLOYMENT, "kind": "DaemonSet"})
    path = ("metadata", "annotations", "deprecated.daemonset.template.generation")
    assert get(old, *path) == "1"
    same = updated(old, merged(old, {"spec": {"revisionHistoryLimit": 3}}))[0]
    assert get(same, *path) == "1"
    image = put(old, ("spec", "template", "spec", "containers", 0, "image"), "b")
    assert get(updated(old, image)[0], *path) == "2"


def test_namespace() -> None:
    kind = BY_KIND["Namespace"]
    namespace = created({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}})
    assert namespace["metadata"]["labels"] == {"kubernetes.io/metadata.name": "n"}
    assert namespace["spec"] == {"finalizers": ["kubernetes"]}
    assert namespace["status"] == {"phase": "Active"}
    ended = put(namespace, ("status", "phase"), "Terminating")
    assert [str(problem) for problem in kind.validate_status(ended, namespace)] == [
        "status.Phase: Invalid value: \"Terminating\": may only be 'Active' if `deletionTimestamp` is empty"
    ]
    changed = updated(namespace, put(namespace, ("spec", "finalizers"), []))[0]
    assert changed["spec"] == {"finalizers": ["kubernetes"]}


def test_secret_text_becomes_data() -> None:
    secret = created(
        {"apiVersion": "v1", "kind": "Secret", "data": {"a": "eA=="}, "stringData": {"a": "y", "b": "é"}}
    )
    assert secret["data"] == {"a": "eQ==", "b": "w6k="}
    assert "stringData" not in secret
    assert secret["type"] == "Opaque"


# id: (change of a running Pod, seconds asked for, seconds given)
GRACES = {
    "its own": ("{}", None, 30),
    "none": ("spec: {terminationGracePeriodSeconds: 0}", None, 0),
    "negative is the least": ("spec: {terminationGracePeriodSeconds: -5}", None, 1),
    "asked for": ("{}", 7, 7),
    "asked for at once": ("{}", 0, 0),
    "asked for less than nothing": ("{}", -1, 1),
    "not on a node": ("spec: {nodeName: ''}", 7, 0),
    "run to its end": ("status: {phase: Failed}", 7, 0),
}


@pytest.mark.parametrize(("change", "asked", "expected"), GRACES.values(), ids=GRACES.keys())
def test_grace(change: str, asked: int | None, expected: int) -> None:
    running = merged(created(POD), {"spec": {"nodeName": "n1"}})
    assert grace(merged(running, load(change)), asked) == expected


SERVICE = load("""
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
""")
# id: (change on create, expected part of the spec)
ALLOCATIONS = {
    "cluster IP": (
        "{}",
        "{clusterIP: 10.96.1.1, clusterIPs: [10.96.1.1], ipFamilies: [IPv4], ipFamilyPolicy: SingleStack}",
    ),
    "chosen": ("spec: {clusterIP: 10.96.0.10}", "{clusterIP: 10.96.0.10, clusterIPs: [10.96.0.10]}"),
    "headless": ("spec: {clusterIP: None}".replace("None", "'None'"), "{clusterIP: 'None', ipFamilies: [IPv4]}"),
    "headless without selector": (
        "spec: {clusterIP: 'None', selector: null}",
        "{ipFamilies: [IPv4, IPv6], ipFamilyPolicy: RequireDualStack}",
    ),
    "node port": (
        "spec: {type: NodePort}",
        "{ports: [{port: 80, protocol: TCP, targetPort: 80, nodePort: 30002}], externalTrafficPolicy: Cluster}",
    ),
    "node port shared by protocols": (
        "spec: {type: NodePort, ports: [{name: a, port: 53, protocol: UDP}, {name: b, port: 53}]}",
        "{ports: [{name: a, port: 53, protocol: UDP, targetPort: 53, nodePort: 30002}, "
        "{name: b, port: 53, protocol: TCP, targetPort: 53, nodePort: 30002}]}",
    ),
    "load balancer": ("spec: {type: LoadBalancer}", "{allocateLoadBalancerNodePorts: true}"),
    "load balancer that asks": (
        "spec: {type: LoadBalancer, externalTrafficPolicy: Local}", "{healthCheckNodePort: 30003}",
    ),
    "sticky": (
        "spec: {sessionAffinity: ClientIP}", "{sessionAffinityConfig: {clientIP: {timeoutSeconds: 10800}}}",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), ALLOCATIONS.values(), ids=ALLOCATIONS.keys())
def test_service_allocation(change: str, expected: str) -> None:
    service = created(merged(SERVICE, load(change)))
    assert {name: service["spec"].get(name) for name in load(expected)} == load(expected)
    assert service["status"] == {"loadBalancer": {}}
    assert BY_KIND["Service"].validate(service) == []


# id: (change, message)
REFUSED = {
    "taken address": (
        "spec: {clusterIP: 10.96.0.1}",
        'Service "web" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.1"]: '
        "failed to allocate IP 10.96.0.1: provided IP is already allocated",
    ),
    "taken node port": (
        "spec: {type: NodePort, ports: [{port: 80, nodePort: 30999}]}",
        'Service "web" is invalid: spec.ports[0].nodePort: Invalid value: 30999: '
        "provided port is already allocated",
    ),
    "two families": (
        "spec: {ipFamilyPolicy: RequireDualStack}",
        'Service "web" is invalid: spec.ipFamilyPolicy: Invalid value: "RequireDualStack": '
        "this cluster is not configured for dual-stack services",
    ),
}


@pytest.mark.parametrize(("change", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_service_cannot_have(change: str, message: str) -> None:
    with pytest.raises(ApiError) as refused:
        created(merged(SERVICE, load(change)))
    assert (refused.value.code, refused.value.message) == (422, message)


def test_service_keeps_what_it_was_given() -> None:
    old = created(merged(SERVICE, {"spec": {"type": "NodePort"}}))
    sent = merged(
        SERVICE, {"metadata": old["metadata"], "spec": {"type": "NodePort", "selector": {"app": "b"}}}
    )
    new, problems = updated(old, sent)
    assert problems == []
    assert new["spec"]["clusterIP"] == old["spec"]["clusterIP"]
    assert new["spec"]["ports"] == old["spec"]["ports"]


def test_service_type_changes() -> None:
    old = created(merged(SERVICE, {"spec": {"type": "NodePort"}}))
    inner, problems = updated(old, merged(old, {"spec": {"type": "ClusterIP"}}))
    assert problems == []
    assert inner["spec"]["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80}]
    assert "externalTrafficPolicy" not in inner["spec"]
    outer, problems = updated(
        old, merged(old, {"spec": {"type": "ExternalName", "externalName": "example.com"}})
    )
    assert problems == []
    assert "clusterIP" not in outer["spec"]


def test_allocation_is_idempotent() -> None:
    kind, service = BY_KIND["Service"], created(merged(SERVICE, {"spec": {"type": "NodePort"}}))
    assert kind.allocate is not None
    assert kind.allocate(service, Addresses()) == service


@pytest.mark.parametrize("more", [{}, {"preStop": {"sleep": {"seconds": 1}}}], ids=["alone", "with-a-hook"])
def test_a_stop_signal_is_dropped_as_with_its_gate_off(more: dict[str, Any]) -> None:
    container = {"name": "c", "image": "nginx", "lifecycle": {"stopSignal": "SIGUSR1", **more}}
    made = default_container(container, pod=True)
    assert made["lifecycle"] == more
    assert default_container(made, pod=True)["lifecycle"] is made["lifecycle"]


@pytest.mark.parametrize(
    ("probe", "kept"),
    [
        pytest.param({"grpc": {"port": 1, "mode": "TLS"}}, {"port": 1, "service": ""}, id="gRPC over TLS"),
        pytest.param(
            {"httpGet": {"port": 1, "path": "/a", "scheme": "HTTP", "protocol": "HTTP2"}},
            {"port": 1, "path": "/a", "scheme": "HTTP"},
            id="HTTP/2 in clear text",
        ),
    ],
)
def test_probes_without_what_is_alpha(probe: dict[str, Any], kept: dict[str, Any]) -> None:
    made = default_container({"name": "c", "image": "nginx", "livenessProbe": probe}, pod=True)
    (name,) = probe
    assert made["livenessProbe"][name] == kept
    assert default_container(made, pod=True) is made


WITH_STATUS = [
    kind.kind for kind in BY_KIND.values() if "status" in kind.subresources and kind.computed is None
]


@pytest.mark.parametrize("name", [*WITH_STATUS, "APIService"])
def test_who_writes_a_status_leaves_the_spec(name: str) -> None:
    kind = BY_KIND[name]
    old = freeze({"metadata": {"name": "a"}, "spec": {"a": 1}, "status": {}})
    assert kind.prepare_status(freeze({"metadata": {"name": "a"}, "status": {}}), old)["spec"] == old["spec"]
