"""Claims and volumes at work: found, made, used by Pods one after the other, released, grown, protected."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cluster_engine import Cluster

JSON = dict[str, Any]
CLASSES = """
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: standard, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}
provisioner: hostpath.csi.k8s.io
allowVolumeExpansion: true
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: late}
provisioner: hostpath.csi.k8s.io
volumeBindingMode: WaitForFirstConsumer
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: local}
provisioner: kubernetes.io/no-provisioner
volumeBindingMode: WaitForFirstConsumer
"""


@pytest.fixture(scope="module")
def booted() -> Cluster:
    cluster = Cluster(nodes=3, freezing=True)
    cluster.apply(CLASSES)
    assert cluster.settle()
    return cluster


@pytest.fixture
def cluster(booted: Cluster) -> Cluster:
    return booted.fork()


def claim(name: str = "data", size: str = "1Gi", **spec: Any) -> JSON:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}, **spec},
    }


def volume(name: str, size: str = "1Gi", path: str = "", **spec: Any) -> JSON:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "labels": {"name": name}},
        "spec": {
            "capacity": {"storage": size},
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "manual",
            "hostPath": {"path": path or f"/tmp/{name}"},
            **spec,
        },
    }


def pod(name: str, script: str, source: JSON | None = None, **spec: Any) -> JSON:
    container = {
        "name": "c",
        "image": "busybox",
        "command": ["sh", "-c", f"{script}; sleep 1d"],
        "volumeMounts": [{"name": "v", "mountPath": "/v"}],
    }
    used = source or {"persistentVolumeClaim": {"claimName": "data"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "containers": [container],
            "volumes": [{"name": "v", **used}],
            "terminationGracePeriodSeconds": 1,
            **spec,
        },
    }


def get(cluster: Cluster, resource: str, name: str) -> JSON:
    found = cluster.get(resource, name)
    assert found is not None, f"{resource} {name}"
    return found


def bound_to(cluster: Cluster, name: str = "data") -> str:
    """The volume of a claim, "" while it has none."""
    found = get(cluster, "persistentvolumeclaims", name)
    return found["spec"].get("volumeName", "") if found["status"]["phase"] == "Bound" else ""


def told(cluster: Cluster, name: str, reason: str) -> list[str]:
    events = cluster.list("events")
    return [e["message"] for e in events if (e["involvedObject"]["name"], e["reason"]) == (name, reason)]


def says(cluster: Cluster, name: str, *command: str) -> str:
    return cluster.execute(name, list(command)).stdout.decode()


FITTING: dict[str, tuple[list[JSON], JSON, str]] = {
    "the smallest that is large enough": (
        [volume("s", "1Gi"), volume("m", "2Gi"), volume("l", "3Gi")], claim(size="2Gi"), "m"),
    "by the labels": (
        [volume("a"), volume("b")], claim(selector={"matchLabels": {"name": "b"}}), "b"),
    "by the name": ([volume("a"), volume("b", "9Gi")], claim(volumeName="b"), "b"),
    "by the modes": (
        [volume("a"), volume("b", "9Gi", accessModes=["ReadWriteOnce", "ReadWriteMany"])],
        claim(accessModes=["ReadWriteMany"]), "b"),
    "the fewest modes first": (
        [volume("a", accessModes=["ReadWriteOnce", "ReadWriteMany"]), volume("b", "9Gi")], claim(), "b"),
    "kept for the claim": (
        [volume("a"), volume("b", "9Gi", claimRef={"namespace": "default", "name": "data"})], claim(), "b"),
    "kept for another": (
        [volume("a", claimRef={"namespace": "default", "name": "x"}), volume("b", "9Gi")], claim(), "b"),
    "of another class": ([volume("a", storageClassName="other")], claim(), ""),
    "of another mode": ([volume("a", volumeMode="Block")], claim(), ""),
    "too small": ([volume("a", "1Gi")], claim(size="1025Mi"), ""),
}  # fmt: skip


@pytest.mark.parametrize(("volumes", "wanted", "chosen"), FITTING.values(), ids=FITTING.keys())
def test_which_volume_a_claim_gets(cluster: Cluster, volumes: list[JSON], wanted: JSON, chosen: str) -> None:
    cluster.apply(volumes)
    assert cluster.settle()
    cluster.apply({**wanted, "spec": {"storageClassName": "manual", **wanted["spec"]}})
    assert cluster.settle()
    assert bound_to(cluster) == chosen


def test_a_volume_is_made_and_its_files_outlive_pods(cluster: Cluster) -> None:
    cluster.apply(claim())
    assert cluster.settle()
    name = bound_to(cluster)
    assert name == f"pvc-{get(cluster, 'persistentvolumeclaims', 'data')['metadata']['uid']}"
    made = get(cluster, "persistentvolumes", name)
    assert (made["status"]["phase"], made["spec"]["persistentVolumeReclaimPolicy"]) == ("Bound", "Delete")
    assert told(cluster, "data", "ProvisioningSucceeded") == [f"Successfully provisioned volume {name}"]
    cluster.apply(pod("one", "echo first > /v/log"))
    assert cluster.settle()
    cluster.delete("pods", "one")
    assert cluster.settle()
    cluster.apply(pod("two", "echo second >> /v/log"))
    assert cluster.settle()
    assert says(cluster, "two", "cat", "/v/log") == "first\nsecond\n"
    twin = Cluster.restore(cluster.snapshot())
    assert twin.state_hash() == cluster.state_hash()
    assert says(twin, "two", "cat", "/v/log") == "first\nsecond\n"


def test_pods_of_one_volume_see_each_others_files(cluster: Cluster) -> None:
    cluster.apply([claim(accessModes=["ReadWriteMany"]), pod("a", "true"), pod("b", "true")])
    assert cluster.settle()
    assert says(cluster, "a", "sh", "-c", "echo hi > /v/note; ln /v/note /v/same") == ""
    assert says(cluster, "b", "cat", "/v/note", "/v/same") == "hi\nhi\n"
    says(cluster, "b", "sh", "-c", "rm /v/note; echo back > /v/answer")
    assert says(cluster, "a", "ls", "/v") == "answer\nsame\n"
    assert Cluster.replay(cluster.journal).state_hash() == cluster.state_hash()


def test_a_claim_mounted_read_only(cluster: Cluster) -> None:
    read_only = {"persistentVolumeClaim": {"claimName": "data", "readOnly": True}}
    cluster.apply([claim(), pod("a", "true", read_only)])
    assert cluster.settle()
    done = cluster.execute("a", ["touch", "/v/x"])
    assert (done.exit_code, done.stderr) == (1, b"touch: /v/x: Read-only file system\n")


def test_what_lies_on_a_node_stays_there(cluster: Cluster) -> None:
    cluster.apply([volume("disk", path="/srv/data"), claim(storageClassName="manual")])
    cluster.apply(pod("a", "echo here > /v/f", nodeName="worker-1"))
    assert cluster.settle()
    cluster.apply(pod("b", "true", nodeName="worker-2"))
    cluster.apply(pod("c", "true", nodeName="worker-1"))
    assert cluster.settle()
    assert says(cluster, "b", "ls", "/v") == ""
    assert says(cluster, "c", "cat", "/v/f") == "here\n"


def test_a_claim_waits_for_its_first_consumer(cluster: Cluster) -> None:
    cluster.apply(claim(storageClassName="late"))
    assert cluster.settle()
    assert bound_to(cluster) == ""
    assert told(cluster, "data", "WaitForFirstConsumer") == [
        "waiting for first consumer to be created before binding"
    ]
    cluster.apply(pod("a", "true"))
    assert cluster.settle()
    node = get(cluster, "pods", "a")["spec"]["nodeName"]
    annotations = get(cluster, "persistentvolumeclaims", "data")["metadata"]["annotations"]
    assert annotations["volume.kubernetes.io/selected-node"] == node
    assert bound_to(cluster)


def on_node(name: str) -> JSON:
    term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [name]}]}
    return {"required": {"nodeSelectorTerms": [term]}}


def test_a_pod_goes_where_its_volume_is(cluster: Cluster) -> None:
    local = {"hostPath": None, "local": {"path": "/mnt"}, "storageClassName": "local"}
    cluster.apply(volume("disk", nodeAffinity=on_node("worker-2"), **local))
    cluster.apply([claim(storageClassName="local"), pod("a", "true")])
    assert cluster.settle()
    assert (bound_to(cluster), get(cluster, "pods", "a")["spec"]["nodeName"]) == ("disk", "worker-2")
    cluster.apply([claim("more", storageClassName="local")])
    cluster.apply(pod("b", "true", {"persistentVolumeClaim": {"claimName": "more"}}))
    cluster.apply(pod("c", "true", nodeSelector={"kubernetes.io/hostname": "worker-1"}))
    assert cluster.settle()
    assert (
        "2 node(s) didn't find available persistent volumes to bind"
        in told(cluster, "b", "FailedScheduling")[0]
    )
    assert (
        "1 node(s) didn't match PersistentVolume's node affinity" in told(cluster, "c", "FailedScheduling")[0]
    )


# id: (class or reclaim policy, path, what becomes of the volume, why)
RECLAIMED = {
    "kept": ("Retain", "/tmp/x", "Released", ""),
    "deleted": ("Delete", "/tmp/x", None, ""),
    "not ours to delete": (
        "Delete", "/data/x", "Failed", "host_path deleter only supports /tmp/.+ but received provided /data/x",
    ),
    "not recycled": ("Recycle", "/tmp/x", "Failed", "recycling is not simulated by this cluster"),
}  # fmt: skip


@pytest.mark.parametrize(("policy", "path", "phase", "why"), RECLAIMED.values(), ids=RECLAIMED.keys())
def test_what_becomes_of_a_released_volume(
    cluster: Cluster, policy: str, path: str, phase: str | None, why: str
) -> None:
    cluster.apply([volume("disk", path=path, persistentVolumeReclaimPolicy=policy)])
    cluster.apply(claim(storageClassName="manual"))
    assert cluster.settle()
    cluster.delete("persistentvolumeclaims", "data")
    assert cluster.settle()
    left = cluster.get("persistentvolumes", "disk")
    assert (left["status"]["phase"] if left else None) == phase
    if why:
        assert (left or {})["status"]["message"] == why


def test_a_provisioned_volume_goes_with_its_claim(cluster: Cluster) -> None:
    cluster.apply([claim(), pod("a", "echo x > /v/x")])
    assert cluster.settle()
    name = bound_to(cluster)
    cluster.delete("persistentvolumeclaims", "data")
    cluster.delete("persistentvolumes", name)
    assert cluster.settle()
    # Neither goes while the Pod is there.
    assert get(cluster, "persistentvolumeclaims", "data")["metadata"]["deletionTimestamp"]
    assert get(cluster, "persistentvolumes", name)["metadata"]["deletionTimestamp"]
    assert says(cluster, "a", "cat", "/v/x") == "x\n"
    cluster.delete("pods", "a")
    assert cluster.settle()
    assert cluster.list("persistentvolumeclaims", "default") == []
    assert cluster.list("persistentvolumes") == []


def test_a_claim_grows(cluster: Cluster) -> None:
    cluster.apply(claim())
    assert cluster.settle()
    cluster.apply(claim(size="2Gi"))
    assert cluster.settle()
    now = get(cluster, "persistentvolumeclaims", "data")
    assert now["status"]["capacity"] == {"storage": "2Gi"}
    assert get(cluster, "persistentvolumes", now["spec"]["volumeName"])["spec"]["capacity"] == {
        "storage": "2Gi"
    }
    assert told(cluster, "data", "VolumeResizeSuccessful") == ["Resize volume succeeded"]


def test_a_claim_that_waits_gets_the_default_class_when_there_is_one(cluster: Cluster) -> None:
    cluster.delete("storageclasses.storage.k8s.io", "standard")
    cluster.apply(claim())
    assert cluster.settle()
    assert told(cluster, "data", "FailedBinding") == [
        "no persistent volumes available for this claim and no storage class is set"
    ]
    cluster.apply(CLASSES)
    assert cluster.settle()
    assert get(cluster, "persistentvolumeclaims", "data")["spec"]["storageClassName"] == "standard"
    assert bound_to(cluster)


# id: (class, event, message)
UNPROVISIONED = {
    "no such class": ("none", "ProvisioningFailed", 'storageclass.storage.k8s.io "none" not found'),
    "nobody answers": (
        "foreign", "ExternalProvisioning",
        "Waiting for a volume to be created either by the external provisioner 'example.com/disk' or manually by the "
        "system administrator. If volume creation is delayed, please verify that the provisioner is running and "
        "correctly registered.",
    ),
    "not to be provisioned": (
        "static", "ProvisioningFailed", "no volume plugin matched name: kubernetes.io/no-provisioner",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "reason", "message"), UNPROVISIONED.values(), ids=UNPROVISIONED.keys())
def test_a_claim_that_nobody_answers(cluster: Cluster, name: str, reason: str, message: str) -> None:
    base = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass"}
    cluster.apply({**base, "metadata": {"name": "foreign"}, "provisioner": "example.com/disk"})
    cluster.apply({**base, "metadata": {"name": "static"}, "provisioner": "kubernetes.io/no-provisioner"})
    cluster.apply(claim(storageClassName=name))
    cluster.advance(1)
    assert told(cluster, "data", reason)[0] == message
    assert bound_to(cluster) == ""


def test_a_driver_that_no_node_has(cluster: Cluster) -> None:
    foreign = {"hostPath": None, "csi": {"driver": "disk.example.com", "volumeHandle": "h"}}
    cluster.apply([volume("disk", **foreign), claim(storageClassName="manual"), pod("a", "true")])
    cluster.advance(5)
    assert told(cluster, "a", "FailedMount")[0] == (
        'MountVolume.SetUp failed for volume "v" : kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: '
        "driver name disk.example.com not found in the list of registered CSI drivers"
    )


def test_an_ephemeral_volume_goes_with_its_pod(cluster: Cluster) -> None:
    template = {"metadata": {"labels": {"of": "a"}}, "spec": claim()["spec"]}
    cluster.apply(pod("a", "echo x > /v/x", {"ephemeral": {"volumeClaimTemplate": template}}))
    assert cluster.settle()
    made = get(cluster, "persistentvolumeclaims", "a-v")
    assert (made["metadata"]["labels"], made["metadata"]["ownerReferences"][0]["name"]) == ({"of": "a"}, "a")
    assert says(cluster, "a", "cat", "/v/x") == "x\n"
    cluster.delete("pods", "a")
    assert cluster.settle()
    assert cluster.list("persistentvolumeclaims", "default") == []


def stateful_set(replicas: int = 2, **spec: Any) -> JSON:
    template = pod("x", "hostname >> /v/who")["spec"]
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "db"},
        "spec": {
            "serviceName": "db",
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "db"}},
            "template": {"metadata": {"labels": {"app": "db"}}, "spec": {**template, "volumes": []}},
            "volumeClaimTemplates": [{"metadata": {"name": "v"}, "spec": claim()["spec"]}],
            **spec,
        },
    }


def claims(cluster: Cluster) -> list[str]:
    return [found["metadata"]["name"] for found in cluster.list("persistentvolumeclaims", "default")]


def test_each_pod_of_a_set_has_its_own_claim_again(cluster: Cluster) -> None:
    cluster.apply(stateful_set())
    assert cluster.settle()
    assert claims(cluster) == ["v-db-0", "v-db-1"]
    assert get(cluster, "persistentvolumeclaims", "v-db-0")["metadata"]["labels"] == {"app": "db"}
    assert (
        told(cluster, "db", "SuccessfulCreate")[0] == "create Claim v-db-0 Pod db-0 in StatefulSet db success"
    )
    cluster.delete("pods", "db-1")
    assert cluster.settle()
    assert says(cluster, "db-1", "cat", "/v/who") == "db-1\ndb-1\n"
    cluster.delete("statefulsets.apps", "db")
    assert cluster.settle()
    assert claims(cluster) == ["v-db-0", "v-db-1"]


# id: (whenDeleted, whenScaled, claims after scaling to one, after deleting the set)
RETAINED = {
    "delete with the set": ("Delete", "Retain", ["v-db-0", "v-db-1"], []),
    "delete with the Pod": ("Retain", "Delete", ["v-db-0"], ["v-db-0"]),
    "delete all": ("Delete", "Delete", ["v-db-0"], []),
}


@pytest.mark.parametrize(("deleted", "scaled", "fewer", "none"), RETAINED.values(), ids=RETAINED.keys())
def test_what_becomes_of_a_sets_claims(
    cluster: Cluster, deleted: str, scaled: str, fewer: list[str], none: list[str]
) -> None:
    policy = {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": deleted, "whenScaled": scaled}}
    cluster.apply(stateful_set(**policy))
    assert cluster.settle()
    cluster.apply(json.loads(json.dumps(stateful_set(1, **policy))))
    assert cluster.settle()
    assert claims(cluster) == fewer
    cluster.delete("statefulsets.apps", "db")
    assert cluster.settle()
    assert claims(cluster) == none
