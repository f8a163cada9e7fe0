"""Volumes, claims, classes and drivers: what is refused, in Kubernetes' own words, and how they are printed."""

import json

import pytest
from api_bench import BY_KIND, NOW, created, load, merged, problems, updated

BASES = load("""
PersistentVolume:
  apiVersion: v1
  kind: PersistentVolume
  metadata: {name: disk}
  spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], hostPath: {path: /data}}
PersistentVolumeClaim:
  apiVersion: v1
  kind: PersistentVolumeClaim
  metadata: {name: data}
  spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
StorageClass:
  {apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: fast}, provisioner: example.com/disk}
CSIDriver: {apiVersion: storage.k8s.io/v1, kind: CSIDriver, metadata: {name: disk.example.com}, spec: {}}
CSINode:
  apiVersion: storage.k8s.io/v1
  kind: CSINode
  metadata: {name: node}
  spec: {drivers: [{name: disk.example.com, nodeID: n}]}
CSIStorageCapacity:
  {apiVersion: storage.k8s.io/v1, kind: CSIStorageCapacity, metadata: {name: c}, storageClassName: fast}
VolumeAttachment:
  apiVersion: storage.k8s.io/v1
  kind: VolumeAttachment
  metadata: {name: a}
  spec: {attacher: disk.example.com, nodeName: node, source: {persistentVolumeName: disk}}
VolumeAttributesClass:
  apiVersion: storage.k8s.io/v1
  kind: VolumeAttributesClass
  metadata: {name: fast}
  driverName: disk.example.com
  parameters: {iops: "5000"}
""")
MODES = 'supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"'
SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)

# id: (kind, change, expected errors)
CREATES = {
    "volume without a place": (
        "PersistentVolume", "spec: {hostPath: null}", ["spec: Required value: must specify a volume type"],
    ),
    "volume in two places": (
        "PersistentVolume", "spec: {nfs: {server: a, path: /b}}",
        ["spec.nfs: Forbidden: may not specify more than 1 volume type"],
    ),
    "volume without a size": (
        "PersistentVolume", "spec: {capacity: null}",
        ["spec.capacity: Required value", 'spec.capacity: Unsupported value: {}: supported values: "storage"'],
    ),
    "volume of no size": (
        "PersistentVolume", 'spec: {capacity: {storage: "0"}}',
        ['spec.capacity[storage]: Invalid value: "0": must be greater than zero'],
    ),
    "volume without modes": (
        "PersistentVolume", "spec: {accessModes: null}", ["spec.accessModes: Required value"],
    ),
    "unknown mode": (
        "PersistentVolume", "spec: {accessModes: [Often]}",
        [f'spec.accessModes: Unsupported value: "Often": {MODES}'],
    ),
    "one Pod and others": (
        "PersistentVolume", "spec: {accessModes: [ReadWriteOncePod, ReadOnlyMany]}",
        ["spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes"],
    ),
    "reclaim policy": (
        "PersistentVolume", "spec: {persistentVolumeReclaimPolicy: Burn}",
        ['spec.persistentVolumeReclaimPolicy: Unsupported value: "Burn": '
         'supported values: "Delete", "Recycle", "Retain"'],
    ),
    "recycling a host": (
        "PersistentVolume", "spec: {persistentVolumeReclaimPolicy: Recycle, hostPath: {path: /}}",
        ["spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'"],
    ),
    "local without a node": (
        "PersistentVolume", "spec: {hostPath: null, local: {path: /d}}",
        ["metadata.annotations: Required value: Local volume requires node affinity"],
    ),
    "affinity to nothing": (
        "PersistentVolume", "spec: {nodeAffinity: {}}",
        ["spec.nodeAffinity.required: Required value: must specify required node constraints"],
    ),
    "affinity without terms": (
        "PersistentVolume", "spec: {nodeAffinity: {required: {nodeSelectorTerms: []}}}",
        ["spec.nodeAffinity.required.nodeSelectorTerms: Required value: "
         "must have at least one node selector term"],
    ),
    "class name of a volume": (
        "PersistentVolume", "spec: {storageClassName: Fast}",
        [f'spec.storageClassName: Invalid value: "Fast": {SUBDOMAIN}'],
    ),
    "volume mode": (
        "PersistentVolume", "spec: {volumeMode: Tape}",
        ['spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"'],
    ),
    "driver without a handle": (
        "PersistentVolume", "spec: {hostPath: null, csi: {driver: disk.example.com}}",
        ["spec.csi.volumeHandle: Required value"],
    ),
    "claim without modes": (
        "PersistentVolumeClaim", "spec: {accessModes: []}",
        ["spec.accessModes: Required value: at least 1 access mode is required"],
    ),
    "claim without a size": (
        "PersistentVolumeClaim", "spec: {resources: null}", ["spec.resources[storage]: Required value"],
    ),
    "claim of nothing": (
        "PersistentVolumeClaim", 'spec: {resources: {requests: {storage: "-1"}}}',
        ['spec.resources[storage]: Invalid value: "-1": must be greater than zero'],
    ),
    "mode of a claim": (
        "PersistentVolumeClaim", "spec: {accessModes: [Once]}",
        [f'spec.accessModes: Unsupported value: "Once": {MODES}'],
    ),
    "selector of a claim": (
        "PersistentVolumeClaim", "spec: {selector: {matchExpressions: [{key: a, operator: In}]}}",
        ["spec.selector.matchExpressions[0].values: Required value: "
         "must be specified when `operator` is 'In' or 'NotIn'"],
    ),
    "class without a provisioner": ("StorageClass", "provisioner: ''", ["provisioner: Required value"]),
    "reclaim policy of a class": (
        "StorageClass", "reclaimPolicy: Recycle",
        ['reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"'],
    ),
    "binding mode": (
        "StorageClass", "volumeBindingMode: Later",
        ['volumeBindingMode: Unsupported value: "Later": supported values: "Immediate", "WaitForFirstConsumer"'],
    ),
    "group policy": (
        "CSIDriver", "spec: {fsGroupPolicy: Mine}",
        ['spec.fsGroupPolicy: Unsupported value: "Mine": supported values: "File", "None", '
         '"ReadWriteOnceWithFSType"'],
    ),
    "lifecycle": (
        "CSIDriver", "spec: {volumeLifecycleModes: [Short]}",
        ['spec.volumeLifecycleModes: Unsupported value: "Short": supported values: "Persistent", "Ephemeral"'],
    ),
    "driver twice": (
        "CSINode", "spec: {drivers: [{name: a, nodeID: n}, {name: a, nodeID: n}]}",
        ['spec.drivers[1].name: Duplicate value: "a"'],
    ),
    "driver without a node's id": (
        "CSINode", "spec: {drivers: [{name: a}]}", ["spec.drivers[0].nodeID: Required value"],
    ),
    "capacity of no class": (
        "CSIStorageCapacity", "storageClassName: ''", ["storageClassName: Required value"],
    ),
    "negative capacity": (
        "CSIStorageCapacity", 'capacity: "-1"',
        ['capacity: Invalid value: "-1": must be greater than or equal to 0'],
    ),
    "attachment of nothing": (
        "VolumeAttachment", "spec: {source: {persistentVolumeName: null}}",
        ["spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName"],
    ),
    "attachment to nowhere": (
        "VolumeAttachment", "spec: {nodeName: ''}", ["spec.nodeName: Required value"],
    ),
    "attributes of nobody": ("VolumeAttributesClass", "driverName: null", ["driverName: Required value"]),
    "attributes of a wrong name": (
        "VolumeAttributesClass", "driverName: a b",
        ['driverName: Invalid value: "a b": name part must consist of alphanumeric characters, \'-\', \'_\' or '
         "'.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', "
         "regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"],
    ),
    "attributes without any": (
        "VolumeAttributesClass", "parameters: null",
        ["parameters: Required value: must contain at least one key/value pair"],
    ),
    "attributes without a name": (
        "VolumeAttributesClass", 'parameters: {"": a}',
        ['parameters: Invalid value: "": field can not be empty.'],
    ),
    "attributes by a wrong name": (
        "VolumeAttributesClass", "metadata: {name: Fast}",
        [f'metadata.name: Invalid value: "Fast": {SUBDOMAIN}'],
    ),
    "too many parameters": (
        "StorageClass", f"parameters: {json.dumps({str(number): 'a' for number in range(513)})}",
        ["parameters: Too long: may not be more than 512 bytes"],
    ),
    "too large parameters": (
        "StorageClass", f"parameters: {{a: {'x' * 262_144}}}",
        ["parameters: Too long: may not be more than 262144 bytes"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BASES)
def test_the_base_is_fine(kind: str) -> None:
    assert problems(BASES[kind]) == []


@pytest.mark.parametrize(("kind", "change", "expected"), CREATES.values(), ids=CREATES.keys())
def test_create(kind: str, change: str, expected: list[str]) -> None:
    assert problems(merged(BASES[kind], load(change))) == expected


# id: (kind, before, change, how each expected error begins)
UPDATES = {
    "a driver's node": (
        "CSINode", "{}", "spec: {drivers: [{name: disk.example.com, nodeID: other}]}",
        ['spec.drivers: Invalid value: {"Name":"disk.example.com","NodeID":"other","TopologyKeys":null,'
         '"Allocatable":null}: field is immutable'],
    ),
    "a driver's volumes": (
        "CSINode", "{}", "spec: {drivers: [{name: disk.example.com, nodeID: n, allocatable: {count: 3}}]}", [],
    ),
    "volume elsewhere": (
        "PersistentVolume", "{}", "spec: {hostPath: {path: /other}}",
        ["spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation\n"],
    ),
    "volume grows": ("PersistentVolume", "{}", "spec: {capacity: {storage: 2Gi}}", []),
    "claim of a volume": ("PersistentVolumeClaim", "{}", "spec: {volumeName: disk}", []),
    "claim of another volume": (
        "PersistentVolumeClaim", "spec: {volumeName: disk}", "spec: {volumeName: other}",
        ["spec: Forbidden: spec is immutable after creation except resources.requests and "
         "volumeAttributesClassName for bound claims\n"],
    ),
    "claim that waits gets a class": ("PersistentVolumeClaim", "{}", "spec: {storageClassName: fast}", []),
    "claim that waits grows": (
        "PersistentVolumeClaim", "{}", "spec: {resources: {requests: {storage: 2Gi}}}",
        ["spec: Forbidden: spec is immutable after creation except"],
    ),
    "parameters": (
        "StorageClass", "{}", "parameters: {a: b}", ["parameters: Forbidden: updates to parameters are forbidden."],
    ),
    "provisioner": (
        "StorageClass", "{}", "provisioner: b", ["provisioner: Forbidden: updates to provisioner are forbidden."],
    ),
    "reclaim policy": (
        "StorageClass", "{}", "reclaimPolicy: Retain",
        ["reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden."],
    ),
    "binding mode": (
        "StorageClass", "{}", "volumeBindingMode: WaitForFirstConsumer",
        ['volumeBindingMode: Invalid value: "WaitForFirstConsumer": field is immutable'],
    ),
    "class of a capacity": (
        "CSIStorageCapacity", "{}", "storageClassName: slow",
        ['storageClassName: Invalid value: "slow": field is immutable'],
    ),
    "attributes of another driver": (
        "VolumeAttributesClass", "{}", "driverName: other.example.com",
        ["driverName: Forbidden: updates to driverName are forbidden."],
    ),
    "other attributes": (
        "VolumeAttributesClass", "{}", "parameters: {iops: '1'}",
        ["parameters: Forbidden: updates to parameters are forbidden."],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "before", "change", "expected"), UPDATES.values(), ids=UPDATES.keys())
def test_update(kind: str, before: str, change: str, expected: list[str]) -> None:
    old = created(merged(BASES[kind], load(before)))
    found = updated(old, merged(old, load(change)))[1]
    assert len(found) == len(expected)
    assert all(text.startswith(start) for text, start in zip(found, expected, strict=True)), found


def test_a_bound_claim_grows_and_does_not_shrink() -> None:
    old = created(BASES["PersistentVolumeClaim"])
    old = {**old, "status": {"phase": "Bound", "capacity": {"storage": "1Gi"}}}
    assert updated(old, merged(old, load("spec: {resources: {requests: {storage: 2Gi}}}")))[1] == []
    assert updated(old, merged(old, load("spec: {resources: {requests: {storage: 512Mi}}}")))[1] == [
        "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"
    ]


ROWS = {
    "volume": (
        "PersistentVolume",
        "{status: {phase: Bound}, spec: {claimRef: {namespace: default, name: data}, storageClassName: fast,"
        " accessModes: [ReadOnlyMany, ReadWriteOnce]}}",
        ["disk", "1Gi", "RWO,ROX", "Retain", "Bound", "default/data", "fast", "<unset>", "", "0s", "Filesystem"],
    ),
    "claim that waits": (
        "PersistentVolumeClaim", "spec: {storageClassName: fast}",
        ["data", "Pending", "", "", "", "fast", "<unset>", "0s", "Filesystem"],
    ),
    "bound claim": (
        "PersistentVolumeClaim",
        "{spec: {volumeName: disk}, status: {phase: Bound, capacity: {storage: 1Gi}, accessModes: [ReadWriteMany]}}",
        ["data", "Bound", "disk", "1Gi", "RWX", "", "<unset>", "0s", "Filesystem"],
    ),
    "class": (
        "StorageClass", "metadata: {annotations: {storageclass.kubernetes.io/is-default-class: 'true'}}",
        ["fast (default)", "example.com/disk", "Delete", "Immediate", False, "0s"],
    ),
    "driver": (
        "CSIDriver", "{}", ["disk.example.com", True, False, False, "<unset>", False, "Persistent", "0s"],
    ),
    "node": ("CSINode", "{}", ["node", 1, "0s"]),
    "capacity": ("CSIStorageCapacity", "{}", ["c", "fast", "<unset>"]),
    "attachment": ("VolumeAttachment", "{}", ["a", "disk.example.com", "disk", "node", False, "0s"]),
    "attributes": ("VolumeAttributesClass", "{}", ["fast", "disk.example.com", "0s"]),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "change", "cells"), ROWS.values(), ids=ROWS.keys())
def test_printed(kind: str, change: str, cells: list[object]) -> None:
    shown = merged(created(BASES[kind]), load(change))
    assert BY_KIND[kind].row(shown, NOW) == cells
