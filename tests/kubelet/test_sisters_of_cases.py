"""Nearby inputs of the kinds of fault that five cases from the field stand for (tests/cases): the last two seconds of
sidecars, volumes that are read-only, read-only roots, and pull secrets that are missing. (Those of the kubelet's
admission are the rows of test_node_admission.py and test_pressure.py.)"""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON

READ_ONLY = "Read-only file system"


@pytest.fixture(scope="module")
def base() -> Cluster:
    return Cluster(nodes=2, seed=7, freezing=True)


@pytest.fixture
def cluster(base: Cluster) -> Cluster:
    return base.fork()


def box(name: str = "c", command: str = "sleep 1d", **more: Any) -> JSON:
    return {"name": name, "image": "busybox:1.36", "command": ["sh", "-c", command], **more}


def pod(*containers: JSON, name: str = "p", **spec: Any) -> JSON:
    inner = {"containers": list(containers), "terminationGracePeriodSeconds": 5, **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": inner}


def of(cluster: Cluster, name: str = "p") -> JSON:
    found = cluster.get("pods", name)
    assert found is not None
    return found


# ---- the last two seconds --------------------------------------------------------------------------------

STUBBORN = "trap '' TERM; sleep 1d"
POLITE = "trap 'exit 0' TERM; while true; do sleep 1; done"


def side(name: str, command: str, **more: Any) -> JSON:
    return box(name, command, restartPolicy="Always", **more)


ENDS: dict[str, tuple[JSON, dict[str, int]]] = {
    "who will not end uses up the time": (
        pod(box(command=STUBBORN), initContainers=[side("s", POLITE)], activeDeadlineSeconds=10),
        {"c": 137, "s": 0},
    ),
    "a hook uses up the time": (
        pod(
            box(command=POLITE, lifecycle={"preStop": {"exec": {"command": ["sleep", "60"]}}}),
            initContainers=[side("s", POLITE)],
            activeDeadlineSeconds=10,
        ),
        {"c": 0, "s": 0},
    ),
    "a sidecar that will not end": (
        pod(box(command=POLITE), initContainers=[side("s", STUBBORN)], activeDeadlineSeconds=10),
        {"c": 0, "s": 137},
    ),
    "the later sidecar uses up the time of the earlier": (
        pod(
            box(command=POLITE),
            initContainers=[side("first", POLITE), side("second", STUBBORN)],
            activeDeadlineSeconds=10,
        ),
        {"c": 0, "first": 0, "second": 137},
    ),
}


@pytest.mark.parametrize(("obj", "codes"), ENDS.values(), ids=ENDS.keys())
def test_everybody_gets_a_signal_and_two_seconds(cluster: Cluster, obj: JSON, codes: dict[str, int]) -> None:
    cluster.apply(obj)
    cluster.advance(45)
    status = of(cluster)["status"]
    every = (*status["containerStatuses"], *status["initContainerStatuses"])
    assert {each["name"]: each["state"]["terminated"]["exitCode"] for each in every} == codes
    assert status["reason"] == "DeadlineExceeded"


# ---- volumes that are read-only --------------------------------------------------------------------------

CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf"}, "data": {"a": "one"}}
SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "stringData": {"a": "one"}}
LABELS = {"items": [{"path": "a", "fieldRef": {"fieldPath": "metadata.name"}}]}
VOLUMES: dict[str, tuple[JSON, JSON]] = {
    "a Secret": ({"secret": {"secretName": "keys"}}, {}),
    "the downward API": ({"downwardAPI": LABELS}, {}),
    "projected": ({"projected": {"sources": [{"configMap": {"name": "conf"}}]}}, {}),
    "a ConfigMap's items with a mode": (
        {"configMap": {"name": "conf", "items": [{"key": "a", "path": "a", "mode": 0o777}]}},
        {},
    ),
    "an emptyDir that is mounted so": ({"emptyDir": {}}, {"readOnly": True}),
}


@pytest.mark.parametrize(("volume", "mount"), VOLUMES.values(), ids=VOLUMES.keys())
def test_nobody_writes_there(cluster: Cluster, volume: JSON, mount: JSON) -> None:
    for obj in (CONFIG, SECRET):
        cluster.apply(obj)
    cluster.apply(
        pod(
            box(volumeMounts=[{"name": "v", "mountPath": "/v", **mount}]),
            volumes=[{"name": "v", **volume}],
        )
    )
    cluster.settle()
    for command in ("echo two > /v/a", "touch /v/b", "mkdir /v/c"):
        done = cluster.execute("p", ["sh", "-c", command])
        assert (done.exit_code, READ_ONLY in done.stderr.decode()) == (1, True), command


def test_one_file_of_a_config_map_is_read_only_too(cluster: Cluster) -> None:
    cluster.apply(CONFIG)
    mount = {"name": "v", "mountPath": "/etc/a.conf", "subPath": "a"}
    cluster.apply(pod(box(volumeMounts=[mount]), volumes=[{"name": "v", "configMap": {"name": "conf"}}]))
    cluster.settle()
    done = cluster.execute("p", ["sh", "-c", "cat /etc/a.conf; echo two > /etc/a.conf"])
    assert (done.exit_code, done.stdout, READ_ONLY in done.stderr.decode()) == (1, b"one", True)


def test_nobody_writes_to_the_mounted_token(cluster: Cluster) -> None:
    cluster.apply(pod(box()))
    cluster.settle()
    done = cluster.execute("p", ["sh", "-c", "echo x > /var/run/secrets/kubernetes.io/serviceaccount/token"])
    assert (done.exit_code, READ_ONLY in done.stderr.decode()) == (1, True)


# ---- read-only roots -------------------------------------------------------------------------------------

ROOTS: dict[str, tuple[str, JSON, str]] = {
    "the root": ("touch /x", {"readOnlyRootFilesystem": True}, READ_ONLY),
    "a folder of the image": ("rm -r /etc/passwd", {"readOnlyRootFilesystem": True}, READ_ONLY),
    "a folder that is made": ("mkdir /srv2", {"readOnlyRootFilesystem": True}, READ_ONLY),
    "what containerd mounts": ("echo x >> /etc/resolv.conf", {"readOnlyRootFilesystem": True}, READ_ONLY),
    "what the kubelet mounts": ("echo x >> /etc/hosts", {"readOnlyRootFilesystem": True}, ""),
    "a volume beside it": ("touch /v/x", {"readOnlyRootFilesystem": True}, ""),
    "somebody else's root": ("touch /x", {"runAsUser": 1000}, "Permission denied"),
    "somebody else's, read-only": (
        "touch /x",
        {"runAsUser": 1000, "readOnlyRootFilesystem": True},
        READ_ONLY,
    ),
    "a root of one's own": ("touch /x", {}, ""),
}


@pytest.mark.parametrize(("command", "context", "why"), ROOTS.values(), ids=ROOTS.keys())
def test_who_writes_to_the_root(cluster: Cluster, command: str, context: JSON, why: str) -> None:
    mounts = [{"name": "v", "mountPath": "/v"}]
    cluster.apply(
        pod(box(securityContext=context, volumeMounts=mounts), volumes=[{"name": "v", "emptyDir": {}}])
    )
    cluster.settle()
    done = cluster.execute("p", ["sh", "-c", command])
    assert (done.exit_code != 0, why in done.stderr.decode()) == (bool(why), True)


# ---- pull secrets ----------------------------------------------------------------------------------------

REGISTRY = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "there"},
    "type": "kubernetes.io/dockerconfigjson",
    "stringData": {".dockerconfigjson": '{"auths": {}}'},
}
ACCOUNT = {
    "apiVersion": "v1",
    "kind": "ServiceAccount",
    "metadata": {"name": "robot"},
    "imagePullSecrets": [{"name": "gone"}],
}
SECRETS: dict[str, tuple[JSON, str]] = {
    "two": ({"imagePullSecrets": [{"name": "a"}, {"name": "b"}]}, "a, b"),
    "one of two": ({"imagePullSecrets": [{"name": "there"}, {"name": "b"}]}, "b"),
    "the service account's": ({"serviceAccountName": "robot"}, "gone"),
    "none": ({"imagePullSecrets": [{"name": "there"}]}, ""),
}


@pytest.mark.parametrize(("spec", "names"), SECRETS.values(), ids=SECRETS.keys())
def test_missing_pull_secrets_are_told(cluster: Cluster, spec: JSON, names: str) -> None:
    for obj in (REGISTRY, ACCOUNT):
        cluster.apply(obj)
    cluster.apply(pod(box(), **spec))
    cluster.settle()
    told = [
        event["message"]
        for event in cluster.list("events", "default")
        if event["reason"] == "FailedToRetrieveImagePullSecret"
    ]
    why = (
        f"Unable to retrieve some image pull secrets ({names}); attempting to pull the image may not succeed."
    )
    assert told == ([why] if names else [])
    assert of(cluster)["status"]["phase"] == "Running"
