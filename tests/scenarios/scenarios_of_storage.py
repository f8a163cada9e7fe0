# ruff: noqa: E501 (one case a line, or two)
"""Volumes: what a Pod sees in them, who gets which, and what becomes of them."""

from __future__ import annotations

from typing import Any

from scenario_steps import (
    HOST,
    JSON,
    Scenario,
    Step,
    a_pod,
    after,
    because,
    begin,
    box,
    cordon,
    delete,
    field,
    gone,
    label,
    logged,
    on,
    patch,
    phase,
    pod,
    put,
    refuse,
    run,
    said,
    status,
    template,
    there,
    workload,
)

from cluster_engine import Cluster

CLAIMS, VOLUMES = "persistentvolumeclaims", "persistentvolumes"
DRIVER = "hostpath.csi.k8s.io"
NODES = tuple(f"worker-{n}" for n in range(1, 5))
SPACE_COUNTS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "CSIDriver",
    "metadata": {"name": DRIVER},
    "spec": {"storageCapacity": True},
}
HIGH = {
    "apiVersion": "scheduling.k8s.io/v1",
    "kind": "PriorityClass",
    "metadata": {"name": "high"},
    "value": 1000,
}
MOUNT: JSON = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}


def storage_class(name: str, late: bool = False, grows: bool = False, **more: Any) -> JSON:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name, **more.pop("metadata", {})},
        "provisioner": DRIVER,
        "volumeBindingMode": "WaitForFirstConsumer" if late else "Immediate",
        "allowVolumeExpansion": grows,
        **more,
    }


DEFAULT = {"metadata": {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}}
CLASSES = put(storage_class("fast"), storage_class("late", late=True), storage_class("grows", grows=True),
              storage_class("keep", reclaimPolicy="Retain"))  # fmt: skip


def claim(name: str = "data", size: str = "1Gi", kind: str | None = "fast", **spec: Any) -> JSON:
    chosen = {} if kind is None else {"storageClassName": kind}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": size}},
            **chosen,
            **spec,
        },
    }


def volume(name: str = "pv", size: str = "1Gi", **spec: Any) -> JSON:
    source = {} if "local" in spec else {"hostPath": {"path": f"/tmp/{name}"}}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": size},
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "manual",
            **source,
            **spec,
        },
    }


def on_node(node: str) -> JSON:
    terms = [{"matchExpressions": [{"key": HOST, "operator": "In", "values": [node]}]}]
    return {"nodeAffinity": {"required": {"nodeSelectorTerms": terms}}, "local": {"path": "/mnt"}}


def user(command: str = "sleep 1d", name: str = "p", source: JSON | None = None, **more: Any) -> JSON:
    """A Pod with a volume at /v: of the claim ``data``, or another one."""
    used = source or {"persistentVolumeClaim": {"claimName": "data"}}
    return a_pod(name, box(command, **MOUNT), volumes=[{"name": "v", **used}], **more)


def using(name: str, claimed: str) -> JSON:
    return user(name=name, source={"persistentVolumeClaim": {"claimName": claimed}})


def csi_node(name: str, count: int) -> JSON:
    driver = {"name": DRIVER, "nodeID": name, "allocatable": {"count": count}}
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "CSINode",
        "metadata": {"name": name},
        "spec": {"drivers": [driver]},
    }


def space(size: str, name: str = "space") -> JSON:
    """What the driver says that it has left for the class ``late``, wherever."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "CSIStorageCapacity",
        "metadata": {"name": name, "namespace": "default"},
        "storageClassName": "late",
        "nodeTopology": {},
        "capacity": size,
    }


def config(name: str = "cm", **data: str) -> JSON:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def secret(**data: str) -> JSON:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": data}


def sets(replicas: int, **spec: Any) -> JSON:
    """A StatefulSet with a claim for each Pod."""
    pods = template(box("sleep 1d", volumeMounts=[{"name": "data", "mountPath": "/v"}]))
    return workload(
        "StatefulSet", replicas=replicas, pods=pods, serviceName="web", volumeClaimTemplates=[claim()], **spec
    )


def bound(name: str = "data", yes: bool = True) -> Step:
    return field(CLAIMS, name, "status.phase", "Bound" if yes else "Pending")


def volumes(number: int, state: str | None = None) -> Step:
    def step(cluster: Cluster) -> None:
        found = [v["status"]["phase"] for v in cluster.list(VOLUMES)]
        assert len(found) == number, found
        assert state is None or set(found) == {state}

    return step


STORAGE: dict[str, Scenario] = {
    # ---- volumes of a Pod's own
    "an emptyDir is shared": ("kubelet/volumemanager emptyDir", [
        pod("p", box("echo hi > /v/f; sleep 1d", name="a", **MOUNT), box("sleep 3; cat /v/f; sleep 1d", name="b", **MOUNT),
            volumes=[{"name": "v", "emptyDir": {}}]), after(5), logged("p", ["hi"], container="b")]),
    "it outlives a container": ("emptyDir, Pod's life", [
        put(user("cat /v/f; echo again > /v/f; sleep 5; exit 1", source={"emptyDir": {}})), after(15), logged("p", ["again"])]),
    "it does not outlive its Pod": ("emptyDir, Pod's life", [
        put(user("echo x > /v/f; sleep 1d", source={"emptyDir": {}})), delete("pods", "p"), put(user("ls /v; sleep 1d", source={"emptyDir": {}})),
        logged("p", [])]),
    "a ConfigMap is files": ("volume/configmap", [put(config(a="1", b="2"), user("ls /v; sleep 1d", source={"configMap": {"name": "cm"}})),
        logged("p", ["a", "b"])]),
    "some of it": ("volume/configmap items", [
        put(config(a="1", b="2"), user("cat /v/x; ls /v; sleep 1d", source={"configMap": {"name": "cm", "items": [{"key": "b", "path": "x"}]}})),
        logged("p", ["2x"])]),
    "a ConfigMap that is not there": ("volume/configmap MountVolume.SetUp", [
        begin(user(source={"configMap": {"name": "cm"}})), after(20), phase(p="Pending"), status(reason="ContainerCreating"),
        said("p", 'FailedMount: MountVolume.SetUp failed for volume "v" : configmap "cm" not found')]),
    "it may come later": ("volume manager, retry", [
        begin(user(source={"configMap": {"name": "cm"}})), after(20), put(config(a="1")), after(180), phase(p="Running")]),
    "it may be missing": ("volume/configmap optional", [put(user(source={"configMap": {"name": "cm", "optional": True}})), phase(p="Running")]),
    "a key that is not there": ("volume/configmap items", [
        begin(config(a="1"), user(source={"configMap": {"name": "cm", "items": [{"key": "z", "path": "z"}]}})), after(20), phase(p="Pending"),
        said("p", "references non-existent config key: z")]),
    "changes arrive": ("volume/util AtomicWriter", [
        put(config(a="1"), user(source={"configMap": {"name": "cm"}})), patch("configmaps", "cm", {"data": {"a": "2"}}), after(120),
        run("p", "grep 2 /v/a")]),
    "but not in a subPath": ("subPath", [
        put(config(a="1"), a_pod("p", box("sleep 1d", volumeMounts=[{"name": "v", "mountPath": "/v/a", "subPath": "a"}]),
            volumes=[{"name": "v", "configMap": {"name": "cm"}}])), patch("configmaps", "cm", {"data": {"a": "2"}}), after(180), run("p", "grep 1 /v/a")]),
    "it is not written to": ("volume/configmap, read-only", [
        put(config(a="1"), user(source={"configMap": {"name": "cm"}})), run("p", "! touch /v/b")]),
    "a Secret is files": ("volume/secret", [put(secret(key="word"), user("cat /v/key; echo; sleep 1d", source={"secret": {"secretName": "s"}})),
        logged("p", ["word"])]),
    "several in one": ("volume/projected", [
        put(config(a="1"), secret(b="2"), user("ls /v; sleep 1d", source={"projected": {"sources": [{"configMap": {"name": "cm"}}, {"secret": {"name": "s"}}]}})),
        logged("p", ["a", "b"])]),
    "what the Pod is called": ("volume/downwardapi", [
        put(user("cat /v/n; echo; sleep 1d", source={"downwardAPI": {"items": [{"path": "n", "fieldRef": {"fieldPath": "metadata.name"}}]}})), logged("p", ["p"])]),
    "an immutable ConfigMap": ("core validation.ValidateConfigMapUpdate", [
        put({**config(a="1"), "immutable": True}), patch("configmaps", "cm", {"data": {"a": "2"}}, status=422)]),
    "a read-only mount": ("volumeMounts readOnly", [
        put(a_pod("p", box("sleep 1d", volumeMounts=[{"name": "v", "mountPath": "/v", "readOnly": True}]), volumes=[{"name": "v", "emptyDir": {}}])),
        run("p", "! touch /v/b")]),
    # ---- claims
    "a claim gets a volume": ("pv_controller.provisionClaim", [CLASSES, put(claim()), bound(), volumes(1, "Bound")]),
    "of the default class": ("admission DefaultStorageClass", [put(storage_class("std", **DEFAULT), claim(kind=None)), bound(),
        field(CLAIMS, "data", "spec.storageClassName", "std")]),
    "without a class it waits": ("pv_controller.syncUnboundClaim", [put(claim(kind=None)), bound(yes=False),
        said("data", "FailedBinding: no persistent volumes available for this claim and no storage class is set")]),
    "of no such class": ("pv_controller.provisionClaimOperation", [put(claim(kind="none")), bound(yes=False),
        said("data", 'ProvisioningFailed: storageclass.storage.k8s.io "none" not found')]),
    "a volume that is there": ("pv_controller.syncUnboundClaim", [put(volume(), claim(kind="manual")), bound(),
        field(CLAIMS, "data", "spec.volumeName", "pv")]),
    "a volume that comes later": ("pv_controller.syncVolume", [put(claim(kind="manual")), bound(yes=False), put(volume()), bound()]),
    "one that is too small": ("volume.FindMatchingVolume", [put(volume(size="1Gi"), claim(size="2Gi", kind="manual")), bound(yes=False)]),
    "the smallest that will do": ("volume.FindMatchingVolume", [
        put(volume("big", "9Gi"), volume("small", "2Gi"), claim(kind="manual")), field(CLAIMS, "data", "spec.volumeName", "small"),
        field(CLAIMS, "data", "status.capacity.storage", "2Gi")]),
    "of another mode": ("volume.CheckAccessModes", [put(volume(), claim(kind="manual", accessModes=["ReadWriteMany"])), bound(yes=False)]),
    "of another class": ("volume.FindMatchingVolume", [put(volume(storageClassName="other"), claim(kind="manual")), bound(yes=False)]),
    "by its labels": ("volume.FindMatchingVolume selector", [
        put(volume("a"), {**volume("b"), "metadata": {"name": "b", "labels": {"x": "y"}}}, claim(kind="manual", selector={"matchLabels": {"x": "y"}})),
        field(CLAIMS, "data", "spec.volumeName", "b")]),
    "by its name": ("pv_controller.syncUnboundClaim volumeName", [
        put(volume("a"), volume("b"), claim(kind="manual", volumeName="b")), bound(), field(CLAIMS, "data", "spec.volumeName", "b")]),
    "a volume that is promised": ("pv_controller, claimRef", [
        put(volume(claimRef={"namespace": "default", "name": "other"}), claim(kind="manual")), bound(yes=False)]),
    "one volume, two claims": ("pv_controller", [put(volume(), claim(kind="manual"), claim("more", kind="manual")), bound(), bound("more", yes=False)]),
    "late: it waits for a Pod": ("pv_controller, WaitForFirstConsumer", [CLASSES, put(claim(kind="late")), bound(yes=False),
        said("data", "WaitForFirstConsumer: waiting for first consumer to be created before binding"), put(user()), bound(), phase(p="Running")]),
    "a Pod waits for its claim": ("volumebinding.PreFilter", [put(user()), because("p", 'persistentvolumeclaim "data" not found'),
        CLASSES, put(claim()), phase(p="Running")]),
    "a Pod waits for its claim's volume": ("volumebinding.PreFilter", [
        put(claim(kind="manual"), user()), because("p", "pod has unbound immediate PersistentVolumeClaims"), put(volume()), phase(p="Running")]),
    "a volume of one node": ("volumebinding.Filter, node affinity", [
        put(volume(**on_node("worker-3")), claim(kind="manual"), user()), on(p="worker-3")]),
    "a volume of a node that is full": ("volumebinding.Filter, node affinity", [
        put(volume(**on_node("worker-3")), claim(kind="manual"), user(nodeSelector={HOST: "worker-1"})),
        because("p", "node(s) didn't match PersistentVolume's node affinity")]),
    # ---- what becomes of them
    "data outlives the Pod": ("kubelet/volumemanager", [
        CLASSES, put(claim(), user("echo hi > /v/f; sleep 1d")), delete("pods", "p"), put(user("cat /v/f; sleep 1d")), logged("p", ["hi"])]),
    "Delete: the volume goes with its claim": ("pv_controller.reclaimVolume", [CLASSES, put(claim()), delete(CLAIMS, "data"), after(30), volumes(0)]),
    "Retain: it stays": ("pv_controller.reclaimVolume", [CLASSES, put(claim(kind="keep")), delete(CLAIMS, "data"), after(30), volumes(1, "Released")]),
    "what was released is nobody's": ("volume.FindMatchingVolume, claimRef uid", [
        put(volume(persistentVolumeReclaimPolicy="Retain"), claim(kind="manual")), delete(CLAIMS, "data"), put(claim(kind="manual")), bound(yes=False)]),
    "until somebody gives it free": ("pv_controller.syncVolume", [
        put(volume(persistentVolumeReclaimPolicy="Retain"), claim(kind="manual")), delete(CLAIMS, "data"), put(claim(kind="manual")),
        patch(VOLUMES, "pv", {"spec": {"claimRef": None}}), bound()]),
    "a claim in use stays": ("pvcprotection", [
        CLASSES, put(claim(), user()), delete(CLAIMS, "data"), there(CLAIMS, "data"), delete("pods", "p"), after(5), gone(CLAIMS, "data")]),
    "a volume in use stays": ("pvprotection", [
        put(volume(), claim(kind="manual")), delete(VOLUMES, "pv"), there(VOLUMES, "pv"), delete(CLAIMS, "data"), after(5), gone(VOLUMES, "pv")]),
    "a claim grows": ("csi-external-resizer", [CLASSES, put(claim(kind="grows"), user()), patch(CLAIMS, "data", {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}),
        after(180), field(CLAIMS, "data", "status.capacity.storage", "2Gi")]),
    "not every claim may": ("admission PersistentVolumeClaimResize", [CLASSES, put(claim()),
        patch(CLAIMS, "data", {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}, status=403)]),
    "no claim shrinks": ("core validation.ValidatePersistentVolumeClaimUpdate", [CLASSES, put(claim(kind="grows", size="2Gi")),
        patch(CLAIMS, "data", {"spec": {"resources": {"requests": {"storage": "1Gi"}}}}, status=422)]),
    "a StatefulSet's claims": ("stateful_set_utils.getPersistentVolumeClaims", [
        CLASSES, put(sets(2)), bound("data-web-0"), bound("data-web-1")]),
    "they stay when it shrinks": ("statefulset, Retain", [
        CLASSES, put(sets(2)), patch("statefulsets.apps", "web", {"spec": {"replicas": 1}}), gone("pods", "web-1"), bound("data-web-1")]),
    "unless it says otherwise": ("statefulset, whenScaled Delete", [
        CLASSES, put(sets(2, persistentVolumeClaimRetentionPolicy={"whenScaled": "Delete", "whenDeleted": "Retain"})),
        patch("statefulsets.apps", "web", {"spec": {"replicas": 1}}), after(10), gone(CLAIMS, "data-web-1")]),
    "a claim of the Pod's own": ("ephemeral_volume controller", [
        CLASSES, put(user(source={"ephemeral": {"volumeClaimTemplate": {"spec": claim()["spec"]}}})), bound("p-v"), phase(p="Running"),
        delete("pods", "p"), after(10), gone(CLAIMS, "p-v")]),
    "a claim of one Pod": ("plugins/volumerestrictions, ReadWriteOncePod", [
        CLASSES, put(claim(accessModes=["ReadWriteOncePod"]), user()), phase(p="Running"), put(user(name="q")),
        because("q", "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"),
        delete("pods", "p"), after(12), phase(q="Running")]),
    "a claim of one Pod, taken from it": ("plugins/volumerestrictions, RemovePod", [
        CLASSES, put(HIGH, claim(accessModes=["ReadWriteOncePod"]), user()), phase(p="Running"),
        put(user(name="q", priorityClassName="high")), after(12), gone("pods", "p"), phase(q="Running")]),
    "as many volumes as a node can": ("plugins/nodevolumelimits", [
        CLASSES, put(*(csi_node(n, 1) for n in NODES), *(claim(f"c{i}") for i in range(5)), *(using(f"p{i}", f"c{i}") for i in range(4))),
        phase(p0="Running", p1="Running", p2="Running", p3="Running"), put(using("q", "c4")),
        because("q", "4 node(s) exceed max volume count"),
        delete("pods", "p0"), after(12), phase(q="Running")]),
    "a volume of a zone": ("plugins/volumezone", [
        label(NODES[0], **{"topology.kubernetes.io/zone": "a"}), label(NODES[1], **{"topology.kubernetes.io/zone": "b"}), cordon(*NODES[2:]),
        put({**volume(), "metadata": {"name": "pv", "labels": {"topology.kubernetes.io/zone": "c"}}}, claim(kind="manual")), bound(),
        put(user()), because("p", "2 node(s) had no available volume zone"),
        label(NODES[1], **{"topology.kubernetes.io/zone": "c"}), after(12), on(p=NODES[1])]),
    "no space for it": ("plugins/volumebinding, CSIStorageCapacity", [
        CLASSES, put(SPACE_COUNTS, space("1Gi"), claim(kind="late", size="2Gi"), user()),
        because("p", "4 node(s) did not have enough free storage"), put(space("3Gi", "more")), after(12), phase(p="Running"), bound()]),
    "a claim without a size": ("core validation.ValidatePersistentVolumeClaimSpec", [
        refuse({**claim(), "spec": {"accessModes": ["ReadWriteOnce"]}}, "spec.resources[storage]: Required value")]),
}  # fmt: skip
