"""Pods in a small cluster: where each kind of Pod gets to, and what the kubelet says about it."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.kube_apiserver import ADMIN, Request
from cluster_engine.sim import SECOND, parse_rfc3339

GOLDEN = Path(__file__).parent / "golden"
PRESENT = 'Container image "busybox:1.36" already present on machine and can be accessed by the pod'


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=2, seed=5, freezing=True)
    cluster.apply(pod("warm", c(command=["sleep", "1"]), c("n", image="nginx:1.25"), restartPolicy="Never"))
    cluster.settle()
    return cluster


@pytest.fixture
def cluster(base: Cluster) -> Cluster:
    return base.fork()


def c(name: str = "c", image: str = "busybox:1.36", **more: Any) -> JSON:
    return {"name": name, "image": image, **more}


def sh(text: str, name: str = "c", **more: Any) -> JSON:
    return c(name, command=["sh", "-c", text], **more)


def pod(name: str, *containers: JSON, **spec: Any) -> JSON:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": list(containers), **spec},
    }


def status(cluster: Cluster, name: str = "p") -> JSON:
    found = cluster.get("pods", name)
    assert found is not None
    return found["status"]


def container(cluster: Cluster, name: str = "c", kind: str = "containerStatuses") -> JSON:
    return next(s for s in status(cluster)[kind] if s["name"] == name)


def events(cluster: Cluster, name: str = "p") -> list[str]:
    return [
        f"{e['type']} {e['reason']}: {e['message']}"
        for e in cluster.list("events", "default")
        if e["involvedObject"]["name"] == name and e["source"]["component"] == "kubelet"
    ]


def node_api(cluster: Cluster, name: str = "p") -> Any:
    found = cluster.get("pods", name)
    assert found is not None
    return cluster.server.node_proxy.find(found["spec"]["nodeName"])


def logs(cluster: Cluster, container_name: str = "c", previous: bool = False) -> list[str]:
    lines = node_api(cluster).logs("default", "p", container_name, previous)
    return [text.removesuffix("\n") for _, _, text in lines]


# ---- where Pods get to ---------------------------------------------------------------------------------

STARTED = ["Normal Created: Container created", "Normal Started: Container started"]
RAN = [f"Normal Pulled: {PRESENT}", *STARTED]

ENDS = {
    "succeeds": (
        pod("p", sh("echo hi; sleep 5"), restartPolicy="Never"),
        "Succeeded",
        {"terminated": {"exitCode": 0, "reason": "Completed"}},
        RAN,
    ),
    "fails": (
        pod("p", sh("exit 3"), restartPolicy="Never"),
        "Failed",
        {"terminated": {"exitCode": 3, "reason": "Error"}},
        RAN,
    ),
    "OnFailure and no failure": (
        pod("p", c(command=["true"]), restartPolicy="OnFailure"),
        "Succeeded",
        {"terminated": {"exitCode": 0, "reason": "Completed"}},
        RAN,
    ),
    "runs": (pod("p", c(command=["sleep", "1h"])), "Running", {"running": {}}, RAN),
    "no such program": (
        pod("p", c(command=["foo"]), restartPolicy="Never"),
        "Failed",
        {"terminated": {"exitCode": 128, "reason": "StartError", "startedAt": "1970-01-01T00:00:00Z"}},
        [
            f"Normal Pulled: {PRESENT}",
            "Normal Created: Container created",
            "Warning Failed: Error: failed to create containerd task: failed to create shim task: OCI runtime create "
            "failed: runc create failed: unable to start container process: error during container init: exec: "
            '"foo": executable file not found in $PATH: unknown',
        ],
    ),
    "out of memory": (
        pod("p", c(image="nginx:1.25", resources={"limits": {"memory": "1Mi"}}), restartPolicy="Never"),
        "Failed",
        {"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
        [f"Normal Pulled: {PRESENT.replace('busybox:1.36', 'nginx:1.25')}", *STARTED],
    ),
    "unknown image": (
        pod("p", c(image="nope")),
        "Pending",
        {
            "waiting": {
                "reason": "ErrImagePull",
                "message": 'failed to pull and unpack image "docker.io/library/nope:latest": failed to resolve '
                'reference "docker.io/library/nope:latest": pull access denied, repository does not exist or may '
                "require authorization: server message: insufficient_scope: authorization failed",
            }
        },
        [
            'Normal Pulling: Pulling image "nope"',
            'Warning Failed: Failed to pull image "nope": failed to pull and unpack image '
            '"docker.io/library/nope:latest": failed to resolve reference "docker.io/library/nope:latest": pull '
            "access denied, repository does not exist or may require authorization: server message: "
            "insufficient_scope: authorization failed",
            "Warning Failed: Error: ErrImagePull",
        ],
    ),
    "image that must be present": (
        pod("p", c(image="redis", imagePullPolicy="Never")),
        "Pending",
        {
            "waiting": {
                "reason": "ErrImageNeverPull",
                "message": 'Container image "redis" is not present with pull policy of Never',
            }
        },
        [
            'Warning ErrImageNeverPull: Container image "redis" is not present with pull policy of Never',
            "Warning Failed: Error: ErrImageNeverPull",
        ],
    ),
    "bad image name": (
        pod("p", c(image="Nginx")),
        "Pending",
        {
            "waiting": {
                "reason": "InvalidImageName",
                "message": 'Failed to apply default image tag "Nginx": couldn\'t parse image name "Nginx": invalid '
                "reference format: repository name (library/Nginx) must be lowercase",
            }
        },
        [
            'Warning InspectFailed: Failed to apply default image tag "Nginx": couldn\'t parse image name "Nginx": '
            "invalid reference format: repository name (library/Nginx) must be lowercase",
            "Warning Failed: Error: InvalidImageName",
        ],
    ),
    "missing ConfigMap": (
        pod("p", c(env=[{"name": "X", "valueFrom": {"configMapKeyRef": {"name": "cm", "key": "k"}}}])),
        "Pending",
        {"waiting": {"reason": "CreateContainerConfigError", "message": 'configmap "cm" not found'}},
        [f"Normal Pulled: {PRESENT}", 'Warning Failed: Error: configmap "cm" not found'],
    ),
    "missing key": (
        pod(
            "p",
            c(
                env=[
                    {
                        "name": "X",
                        "valueFrom": {"configMapKeyRef": {"name": "kube-root-ca.crt", "key": "nope"}},
                    }
                ]
            ),
        ),
        "Pending",
        {
            "waiting": {
                "reason": "CreateContainerConfigError",
                "message": "couldn't find key nope in ConfigMap default/kube-root-ca.crt",
            }
        },
        [
            f"Normal Pulled: {PRESENT}",
            "Warning Failed: Error: couldn't find key nope in ConfigMap default/kube-root-ca.crt",
        ],
    ),
    "root where none may be": (
        pod("p", c(securityContext={"runAsNonRoot": True})),
        "Pending",
        {"waiting": {"reason": "CreateContainerConfigError"}},
        [
            f"Normal Pulled: {PRESENT}",
            "Warning Failed: Error: container has runAsNonRoot and image will run as root "
            '(pod: "p_default(<uid>)", container: c)',
        ],
    ),
    "missing volume": (
        pod("p", c(), volumes=[{"name": "v", "configMap": {"name": "cm"}}]),
        "Pending",
        {"waiting": {"reason": "ContainerCreating"}},
        ['Warning FailedMount: MountVolume.SetUp failed for volume "v" : configmap "cm" not found'],
    ),
}


@pytest.mark.parametrize(("manifest", "phase", "state", "told"), ENDS.values(), ids=ENDS.keys())
def test_gets_to(cluster: Cluster, manifest: JSON, phase: str, state: JSON, told: list[str]) -> None:
    cluster.apply(manifest)
    cluster.settle()
    assert status(cluster)["phase"] == phase
    ((kind, fields),) = container(cluster)["state"].items()
    ((wanted, some),) = state.items()
    assert kind == wanted
    assert {name: fields[name] for name in some} == some
    found = cluster.get("pods", "p")
    assert found is not None
    assert [e.replace(found["metadata"]["uid"], "<uid>") for e in events(cluster)] == told


# ---- goldens -------------------------------------------------------------------------------------------

GOLDENS = {
    "nginx": pod("p", c("web", "nginx:1.25", ports=[{"containerPort": 80}])),
    "two-containers": pod(
        "p",
        sh(
            "while true; do date >> /data/log; sleep 5; done",
            "writer",
            volumeMounts=[{"name": "d", "mountPath": "/data"}],
        ),
        c("web", "nginx:1.25", resources={"requests": {"cpu": "100m"}, "limits": {"memory": "64Mi"}}),
        volumes=[{"name": "d", "emptyDir": {}}],
    ),
    "init-and-sidecar": pod(
        "p",
        c("web", "nginx:1.25"),
        initContainers=[sh("sleep 2", "one"), c("side", command=["sleep", "inf"], restartPolicy="Always")],
    ),
    "failed-init": pod(
        "p", c("web", "nginx:1.25"), initContainers=[sh("exit 1", "one")], restartPolicy="Never"
    ),
}
_HEX = re.compile(r"containerd://[0-9a-f]{64}")


def _normal(value: Any, start: int) -> Any:
    """Times as ``<Now+2s>``, ids and uids as placeholders."""
    if isinstance(value, dict):
        return {name: _normal(value[name], start) for name in sorted(value)}
    if isinstance(value, list):
        return [_normal(item, start) for item in value]
    if isinstance(value, str):
        if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value):
            return f"<Now+{(parse_rfc3339(value) - start) // SECOND}s>"
        return re.sub(r"kube-api-access-\w{5}", "kube-api-access-<id>", _HEX.sub("containerd://<id>", value))
    return value


@pytest.mark.parametrize(("name", "manifest"), GOLDENS.items(), ids=GOLDENS.keys())
def test_golden_status(cluster: Cluster, name: str, manifest: JSON, update_goldens: bool) -> None:
    start = cluster.clock.now // SECOND * SECOND
    cluster.apply(manifest)
    cluster.settle()
    cluster.advance(3)
    text = json.dumps(_normal(status(cluster), start), indent=2) + "\n"
    path = GOLDEN / f"{name}.json"
    if update_goldens:
        path.write_text(text)
    assert text == path.read_text()


# ---- over time -----------------------------------------------------------------------------------------


def test_crash_loop_backs_off_as_1_37_does(cluster: Cluster) -> None:
    """The state stays terminated during the back-off; CrashLoopBackOff shows when it is longer than a minute."""
    cluster.apply(pod("p", sh("echo up; sleep 3; exit 1")))
    starts: list[int] = []
    shown: list[str] = []
    for _ in range(420):
        cluster.advance(1)
        if "containerStatuses" not in status(cluster):
            continue
        found = container(cluster)
        shown.append(next(iter(found["state"])))
        if found["restartCount"] > len(starts):
            starts.append(cluster.clock.now // SECOND)
    gaps = [b - a for a, b in pairwise(starts)]
    # run time 3 s + back-off 10, 20, 40, 80 s, each up to half longer.
    assert all(
        low <= gap <= high for gap, low, high in zip(gaps, (12, 22, 42, 82), (20, 36, 66, 130), strict=False)
    )
    assert len(gaps) >= 3
    found = cluster.get("pods", "p")
    assert found is not None
    uid = found["metadata"]["uid"]
    assert f"Warning BackOff: Back-off restarting failed container c in pod p_default({uid})" in events(
        cluster
    )
    assert "terminated" in shown
    cluster.wait(lambda c: "waiting" in container(c)["state"], 600)
    waiting = container(cluster)["state"]["waiting"]
    assert waiting["reason"] == "CrashLoopBackOff"
    assert re.fullmatch(
        rf"back-off (1m20s|2m40s|5m0s) restarting failed container=c pod=p_default\({uid}\)",
        waiting["message"],
    )
    assert logs(cluster) == ["up"]
    assert logs(cluster, previous=True) == ["up"]


def test_image_pull_backs_off(cluster: Cluster) -> None:
    cluster.apply(pod("p", c(image="nginx:1.999")))
    cluster.advance(60)
    waiting = container(cluster)["state"]["waiting"]
    assert waiting["reason"] == "ImagePullBackOff"
    assert waiting["message"].startswith(
        'Back-off pulling image "nginx:1.999": ErrImagePull: rpc error: code = NotFound'
    )
    assert 'Normal BackOff: Back-off pulling image "nginx:1.999"' in events(cluster)
    with pytest.raises(ApiError) as caught:
        logs(cluster)
    assert (
        str(caught.value) == 'container "c" in pod "p" is waiting to start: trying and failing to pull image'
    )


def test_a_config_map_that_comes_late(cluster: Cluster) -> None:
    cluster.apply(pod("p", c(command=["sleep", "1h"]), volumes=[{"name": "v", "configMap": {"name": "cm"}}]))
    cluster.settle()
    cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cm"}, "data": {"a": "b"}})
    cluster.advance(30)
    assert status(cluster)["phase"] == "Running"


def test_a_config_map_that_changes(cluster: Cluster) -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cm"}, "data": {"a": "old"}}
    cluster.apply(config)
    mount = {"name": "v", "mountPath": "/etc/cfg"}
    cluster.apply(
        pod(
            "p",
            c(command=["sleep", "1h"], volumeMounts=[mount]),
            volumes=[{"name": "v", "configMap": {"name": "cm"}}],
        )
    )
    cluster.settle()
    assert cluster.execute("p", ["cat", "/etc/cfg/a"]).stdout == b"old"
    cluster.apply({**config, "data": {"a": "new"}})
    cluster.advance(10)
    assert cluster.execute("p", ["cat", "/etc/cfg/a"]).stdout == b"old"
    cluster.advance(90)
    assert cluster.execute("p", ["cat", "/etc/cfg/a"]).stdout == b"new"


def test_readiness(cluster: Cluster) -> None:
    probe = {"exec": {"command": ["cat", "/tmp/ready"]}, "periodSeconds": 2}
    cluster.apply(pod("p", sh("sleep 10; touch /tmp/ready; sleep 1h", readinessProbe=probe)))
    cluster.advance(5)
    ready = next(x for x in status(cluster)["conditions"] if x["type"] == "Ready")
    assert (ready["status"], ready["reason"], ready["message"]) == (
        "False",
        "ContainersNotReady",
        "containers with unready status: [c]",
    )
    assert (
        "Warning Unhealthy: Readiness probe failed: cat: can't open '/tmp/ready': No such file or directory\n"
        in events(cluster)
    )
    cluster.advance(10)
    assert container(cluster)["ready"] is True


def test_liveness_restarts(cluster: Cluster) -> None:
    probe = {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 3, "failureThreshold": 2}
    web = c(image="nginx:1.25", ports=[{"name": "http", "containerPort": 80}], livenessProbe=probe)
    cluster.apply(pod("p", web))
    cluster.advance(12)
    assert container(cluster)["restartCount"] == 1
    told = events(cluster)
    assert "Warning Unhealthy: Liveness probe failed: HTTP probe failed with statuscode: 404" in told
    assert "Normal Killing: Container c failed liveness probe, will be restarted" in told


def test_startup_probe_holds_the_others_off(cluster: Cluster) -> None:
    startup = {"exec": {"command": ["test", "-f", "/tmp/up"]}, "periodSeconds": 2, "failureThreshold": 30}
    live = {"exec": {"command": ["test", "-f", "/tmp/up"]}, "periodSeconds": 1, "failureThreshold": 1}
    cluster.apply(pod("p", sh("sleep 20; touch /tmp/up; sleep 1h", startupProbe=startup, livenessProbe=live)))
    cluster.advance(15)
    assert (container(cluster)["started"], container(cluster)["ready"]) == (False, False)
    cluster.advance(15)
    assert (container(cluster)["started"], container(cluster)["restartCount"]) == (True, 0)


PROBE_ERRORS = {
    "refused": (
        {"httpGet": {"path": "/", "port": 8080}},
        'Readiness probe failed: Get "http://<ip>:8080/": dial tcp <ip>:8080: connect: connection refused',
    ),
    "tcp": (
        {"tcpSocket": {"port": 81}},
        "Readiness probe failed: dial tcp <ip>:81: connect: connection refused",
    ),
    "too slow": (
        {"exec": {"command": ["sleep", "5"]}},
        'Readiness probe failed: command timed out: "sleep 5" timed out after 1s',
    ),
    "grpc": (
        {"grpc": {"port": 9000}},
        'Readiness probe failed: timeout: failed to connect service "<ip>:9000" within 1s: context deadline exceeded',
    ),
}


@pytest.mark.parametrize(("probe", "message"), PROBE_ERRORS.values(), ids=PROBE_ERRORS.keys())
def test_probe_messages(cluster: Cluster, probe: JSON, message: str) -> None:
    cluster.apply(pod("p", c(image="nginx:1.25", readinessProbe=probe)))
    cluster.advance(15)
    wanted = f"Warning Unhealthy: {message.replace('<ip>', status(cluster)['podIP'])}"
    assert wanted in events(cluster)


STOPS = {
    "ends at once": (c(image="nginx:1.25"), {}, 2),
    "ignores SIGTERM": (c(command=["sleep", "1h"]), {"terminationGracePeriodSeconds": 7}, 9),
    "traps SIGTERM": (sh("trap 'sleep 4; exit 0' TERM; while true; do sleep 1; done"), {}, 6),
    "preStop": (c(image="nginx:1.25", lifecycle={"preStop": {"sleep": {"seconds": 5}}}), {}, 7),
    "preStop in a shell": (
        c(image="nginx:1.25", lifecycle={"preStop": {"exec": {"command": ["sleep", "4"]}}}),
        {},
        6,
    ),
}


@pytest.mark.parametrize(("spec", "more", "seconds"), STOPS.values(), ids=STOPS.keys())
def test_stops(cluster: Cluster, spec: JSON, more: JSON, seconds: int) -> None:
    cluster.apply(pod("p", spec, **more))
    cluster.settle()
    cluster.delete("pods", "p")
    cluster.advance(seconds - 2)
    if seconds > 3:
        assert cluster.get("pods", "p") is not None
    cluster.advance(2)
    assert cluster.get("pods", "p") is None
    assert "Normal Killing: Stopping container c" in events(cluster)


def test_a_pod_deleted_by_force_is_still_stopped_and_told_of(cluster: Cluster) -> None:
    """Its object is gone at once; its node hears of it and ends what runs."""
    cluster.apply(pod("p", c(image="nginx:1.25")))
    cluster.settle()
    uid = (cluster.get("pods", "p") or {})["metadata"]["uid"]
    path = "/api/v1/namespaces/default/pods/p"
    query = [("gracePeriodSeconds", "0")]
    assert cluster.request(Request("DELETE", path, query, user=ADMIN)).status == 200
    assert cluster.get("pods", "p") is None
    cluster.advance(3)
    (told,) = (each for each in cluster.list("events", "default") if each["reason"] == "Killing")
    assert told["message"] == "Stopping container c"
    assert told["count"] == 1
    about = told["involvedObject"]
    assert (about["name"], about["uid"], about["fieldPath"]) == ("p", uid, "spec.containers{c}")


def test_hooks_that_fail(cluster: Cluster) -> None:
    hook = {"postStart": {"exec": {"command": ["sh", "-c", "echo oops; exit 2"]}}}
    cluster.apply(pod("p", c(image="nginx:1.25", lifecycle=hook)))
    cluster.advance(3)
    told = events(cluster)
    assert "Warning FailedPostStartHook: PostStartHook failed" in told
    assert "Normal Killing: FailedPostStartHook" in told


def test_deadline(cluster: Cluster) -> None:
    cluster.apply(pod("p", c(image="nginx:1.25"), activeDeadlineSeconds=10))
    cluster.settle()
    found = status(cluster)
    assert (found["phase"], found["reason"], found["message"]) == (
        "Failed",
        "DeadlineExceeded",
        "Pod was active on the node longer than the specified deadline",
    )


def test_sidecar_ends_after_the_job(cluster: Cluster) -> None:
    side = c("side", command=["sleep", "inf"], restartPolicy="Always")
    cluster.apply(
        pod("p", sh("sleep 4"), initContainers=[side], restartPolicy="Never", terminationGracePeriodSeconds=2)
    )
    cluster.settle()
    assert status(cluster)["phase"] == "Succeeded"
    assert container(cluster, "side", "initContainerStatuses")["state"]["terminated"]["exitCode"] == 137


def test_containers_share_files_and_network(cluster: Cluster) -> None:
    mount = {"name": "www", "mountPath": "/www"}
    cluster.apply(
        pod(
            "p",
            sh("echo '<p>from a neighbour</p>' > /www/index.html; sleep 1h", "writer", volumeMounts=[mount]),
            c("web", "nginx:1.25", volumeMounts=[{"name": "www", "mountPath": "/usr/share/nginx/html"}]),
            volumes=[{"name": "www", "emptyDir": {}}],
        )
    )
    cluster.settle()
    cluster.advance(2)
    result = cluster.execute("p", ["wget", "-qO-", "http://localhost"], container="writer")
    assert (result.exit_code, result.stdout) == (0, b"<p>from a neighbour</p>\n")


def test_environment(cluster: Cluster) -> None:
    env = [
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "requests.cpu", "divisor": "1m"}}},
        {"name": "HELLO", "value": "at $(NODE), $$(NODE), $(NOPE)"},
    ]
    spec = c(
        command=["sh", "-c", "echo $0 $HELLO $CPU", "$(NODE)"],
        env=env,
        resources={"requests": {"cpu": "250m"}},
    )
    cluster.apply(pod("p", spec, restartPolicy="Never"))
    cluster.settle()
    assert logs(cluster) == ["worker-1 at worker-1, $(NODE), $(NOPE) 250"]


EXECS = {
    "env": (["sh", "-c", "echo $KUBERNETES_SERVICE_HOST"], 0, b"10.96.0.1\n"),
    "exit code": (["sh", "-c", "exit 42"], 42, b""),
    "hostname": (["hostname"], 0, b"p\n"),
    "namespace of the token": (
        ["cat", "/var/run/secrets/kubernetes.io/serviceaccount/namespace"],
        0,
        b"default",
    ),
    "DNS": (["sh", "-c", "nslookup kubernetes | grep -c 10.96.0.1$"], 0, b"1\n"),
}


@pytest.mark.parametrize(("argv", "code", "out"), EXECS.values(), ids=EXECS.keys())
def test_exec(cluster: Cluster, argv: list[str], code: int, out: bytes) -> None:
    cluster.apply(pod("p", c(command=["sleep", "1h"])))
    cluster.settle()
    result = cluster.execute("p", argv)
    assert (result.exit_code, result.stdout) == (code, out)


def test_exec_of_what_is_not_there(cluster: Cluster) -> None:
    cluster.apply(pod("p", c(command=["sleep", "1h"])))
    cluster.settle()
    with pytest.raises(
        ApiError, match='unable to start container process: exec: "bash": executable file not found'
    ):
        cluster.execute("p", ["bash"])


def test_a_mirror_pod_comes_back(cluster: Cluster) -> None:
    name = "kube-scheduler-control-plane"
    before = cluster.get("pods", name, "kube-system")
    assert before is not None
    cluster.delete("pods", name, "kube-system")
    cluster.settle()
    after = cluster.get("pods", name, "kube-system")
    assert after is not None
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    ids = [p["status"]["containerStatuses"][0]["containerID"] for p in (before, after)]
    assert ids[0] == ids[1]
    annotations = after["metadata"]["annotations"]
    assert annotations["kubernetes.io/config.source"] == "file"
    assert annotations["kubernetes.io/config.mirror"] == annotations["kubernetes.io/config.hash"]


def test_nodes(cluster: Cluster) -> None:
    node = cluster.get("nodes", "worker-1")
    assert node is not None
    assert node["spec"] == {"podCIDR": "10.244.1.0/24", "podCIDRs": ["10.244.1.0/24"]}
    conditions = {x["type"]: (x["status"], x["reason"]) for x in node["status"]["conditions"]}
    assert conditions["Ready"] == ("True", "KubeletReady")
    assert node["status"]["nodeInfo"]["kubeletVersion"] == "v1.37.0"
    lease = cluster.get("leases.coordination.k8s.io", "worker-1", "kube-node-lease")
    assert lease is not None
    before = lease["spec"]["renewTime"]
    cluster.advance(10)
    lease = cluster.get("leases.coordination.k8s.io", "worker-1", "kube-node-lease")
    assert lease is not None
    assert parse_rfc3339(lease["spec"]["renewTime"]) - parse_rfc3339(before) == 10 * SECOND


# ---- restoring -----------------------------------------------------------------------------------------

MIXED = (
    pod("loop", sh("i=0; while true; do i=$((i+1)); echo $i; sleep 3; done")),
    pod("crash", sh("sleep 2; exit 1")),
    pod("pull", c(image="nope")),
    pod("job", sh("sleep 40; echo done"), restartPolicy="Never"),
    pod("probe", c(image="nginx:1.25", readinessProbe={"httpGet": {"port": 80}, "periodSeconds": 2})),
    pod("late", c(), volumes=[{"name": "v", "configMap": {"name": "none"}}]),
    pod("stop", sh("trap 'echo bye; sleep 2; exit 0' TERM; while true; do sleep 1; done")),
)


@pytest.mark.parametrize("moment", [1, 3, 11, 30, 63], ids=lambda s: f"after {s} s")
def test_restored_cluster_goes_on_the_same(cluster: Cluster, moment: int) -> None:
    for manifest in MIXED:
        cluster.apply(manifest)
    cluster.advance(moment)
    cluster.delete("pods", "stop")
    cluster.advance(1)
    twins = [cluster.fork(), Cluster.restore(cluster.snapshot())]
    for one in (cluster, *twins):
        one.advance(100)
    assert [one.state_hash() for one in twins] == [cluster.state_hash()] * 2
