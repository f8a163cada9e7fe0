"""Random objects of the real kinds, grown from their schemas; spoiled ones; and their protobuf form.

Most of what a value generator makes is refused at the first field. So objects start as a small one that is
accepted (BASES), get a few fields that their type really has, and only then, sometimes, one that is wrong.
"""

from __future__ import annotations

import base64
import json
import struct
from random import Random
from typing import Any

from cluster_engine.apimachinery.schema import List, Map, Node, Scalar, Struct, struct_named, type_of
from cluster_engine.apimachinery.scheme import Kind
from cluster_engine.component_helpers.root_certificate import CA_PEM

JSON = dict[str, Any]

NAMES = ("a", "b", "web", "web-1", "db.main", "x" * 63, "default", "crasher")
NAMESPACES = ("default", "default", "default", "kube-system", "team", "gone")
_CONTAINER = {"name": "main", "image": "busybox:1.36", "command": ["sh", "-c", "echo hi; sleep 3600"]}
_POD_SPEC = {"containers": [_CONTAINER]}
_LABELS = {"app": "web"}
_WORKLOAD = {
    "selector": {"matchLabels": _LABELS},
    "template": {"metadata": {"labels": _LABELS}, "spec": _POD_SPEC},
}
_JOB = {"spec": {"template": {"spec": {"restartPolicy": "Never", **_POD_SPEC}}}}
_RULE = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
_ROLE = {"apiGroup": "rbac.authorization.k8s.io", "name": "web"}
_SUBJECT = {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "jane"}
_PODS = {
    "resourceRules": [
        {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    ]
}
_HOOK = {
    "name": "boats.shop.example.com",
    "admissionReviewVersions": ["v1"],
    "sideEffects": "None",
    "failurePolicy": "Ignore",
    "clientConfig": {"service": {"namespace": "default", "name": "web"}},
    "rules": [
        {
            "apiGroups": ["shop.example.com"],
            "apiVersions": ["v1"],
            "operations": ["CREATE"],
            "resources": ["x"],
        }
    ],
}
_ASKED = {"resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "default"}}
_REQUEST = (
    "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIV01IOENBUUF3SFRFTU1Bb0dBMVVFQ2d3RFpHVjJNUTB3"
    "Q3dZRFZRUUREQVJxWVc1bE1Ga3dFd1lIS29aSQp6ajBDQVFZSUtvWkl6ajBEQVFjRFFnQUVQdGVpanNaSTdjNWRXMzRsTDJz"
    "cXI3dEVnMUVVb2tzOHFvOXhEMlNaCk84SlhFYU5NM0pJcENBdGpud21YZit0OHFSN000V1NiL3FpdGhjY3JJR3JlZnFBQU1B"
    "b0dDQ3FHU000OUJBTUMKQTBjQU1FUUNJRkhWQXF4M2pTdWRqMnVZaEZaS25QUGJBMFZUeEFEU0V6TUFGUEhjL2R2eEFpQlVQ"
    "WVkxdWpCMApLOWxGSnBkM00yMHQyc1dmY3lQL0gzYk9qSzU2SStVMHdRPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVT"
    "VC0tLS0tCg=="
)
"""A certificate request of jane, of the group dev, base64 of PEM."""
_DEVICES = {"requests": [{"name": "gpu", "exactly": {"deviceClassName": "gpu.example.com"}}]}
_STUB = (
    "MH8wMwIBADAAMCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbigADAFBgMrZXADQQD+T6LD/tC3dgs1QpDKx4kUxYQE7x"
    "Ze9aBnQUcZw2xzeoWgFx/pD/xHAMYHE4CCTNhwz2GdgvzsSlQWl8KwMroI"
)
"""A PKCS#10 request with an Ed25519 key and no subject, as kubelets send it."""
BASES: dict[str, JSON] = {
    "Binding": {"target": {"kind": "Node", "name": "node-1"}},
    "SelfSubjectReview": {},
    "TokenReview": {"spec": {"token": "abc"}},
    "LocalSubjectAccessReview": {"spec": {"user": "jane", **_ASKED}},
    "SelfSubjectAccessReview": {"spec": _ASKED},
    "SelfSubjectRulesReview": {"spec": {"namespace": "default"}},
    "SubjectAccessReview": {"spec": {"groups": ["a"], **_ASKED}},
    "ComponentStatus": {"conditions": [{"type": "Healthy", "status": "True"}]},
    "FlowSchema": {"spec": {"priorityLevelConfiguration": {"name": "exempt"}}},
    "PriorityLevelConfiguration": {
        "spec": {"type": "Limited", "limited": {"limitResponse": {"type": "Reject"}}},
    },
    "DeviceClass": {"spec": {"selectors": [{"cel": {"expression": 'device.driver == "gpu.example.com"'}}]}},
    "ResourceClaim": {"spec": {"devices": _DEVICES}},
    "ResourceClaimTemplate": {"spec": {"spec": {"devices": _DEVICES}}},
    "ResourceSlice": {
        "spec": {
            "driver": "gpu.example.com",
            "nodeName": "worker-1",
            "pool": {"name": "worker-1", "resourceSliceCount": 1},
            "devices": [{"name": "gpu-0", "attributes": {"model": {"string": "a"}}}],
        }
    },
    "IPAddress": {"spec": {"parentRef": {"resource": "services", "name": "web"}}},
    "ServiceCIDR": {"spec": {"cidrs": ["10.0.0.0/24"]}},
    "VolumeAttributesClass": {"driverName": "disk.example.com", "parameters": {"iops": "100"}},
    "ConfigMap": {"data": {"key": "value", "other": "text\nof lines\n"}},
    "Endpoints": {"subsets": [{"addresses": [{"ip": "10.1.2.3"}], "ports": [{"port": 80}]}]},
    "Event": {
        "involvedObject": {"kind": "Pod", "name": "web", "namespace": "default"},
        "reason": "Testing",
        "message": "a message",
        "type": "Normal",
    },
    "LimitRange": {
        "spec": {"limits": [{"type": "Container", "default": {"cpu": "1"}, "min": {"memory": "1Mi"}}]}
    },
    "Namespace": {},
    "Node": {"spec": {"taints": [{"key": "a", "effect": "NoSchedule"}]}},
    "PersistentVolume": {
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "hostPath": {"path": "/tmp/data"},
        }
    },
    "PersistentVolumeClaim": {
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    },
    "PodCertificateRequest": {
        "spec": {
            "signerName": "example.com/signer",
            **{f"{who}Name": "a" for who in ("pod", "serviceAccount", "node")},
            **{f"{who}UID": "u" for who in ("pod", "serviceAccount", "node")},
            "stubPKCS10Request": _STUB,
        }
    },
    "StorageVersionMigration": {"spec": {"resource": {"group": "apps", "resource": "deployments"}}},
    "DeviceTaintRule": {
        "spec": {
            "deviceSelector": {"driver": "gpu.example.com", "pool": "a", "device": "gpu-0"},
            "taint": {"key": "example.com/broken", "effect": "None", "timeAdded": "2026-01-01T00:00:00Z"},
        }
    },
    "ClusterTrustBundle": {"spec": {"trustBundle": CA_PEM}},
    "CSIDriver": {"spec": {"attachRequired": False}},
    "CSINode": {"spec": {"drivers": [{"name": "disk.example.com", "nodeID": "a"}]}},
    "CSIStorageCapacity": {"storageClassName": "standard", "capacity": "1Gi"},
    "StorageClass": {"provisioner": "example.com/disk"},
    "VolumeAttachment": {
        "spec": {"attacher": "disk.example.com", "nodeName": "a", "source": {"persistentVolumeName": "a"}}
    },
    "Pod": {"spec": _POD_SPEC},
    "ResourceQuota": {"spec": {"hard": {"pods": "10000", "requests.cpu": "10000"}}},
    "Secret": {"type": "Opaque", "data": {"key": "dmFsdWU="}},
    "ServiceAccount": {},
    "Service": {"spec": {"selector": _LABELS, "ports": [{"port": 80, "targetPort": "http"}]}},
    "ControllerRevision": {"revision": 1, "data": {"spec": {"a": 1}}},
    "DaemonSet": {"spec": _WORKLOAD},
    "Deployment": {"spec": {"replicas": 2, **_WORKLOAD}},
    "ReplicaSet": {"spec": {"replicas": 1, **_WORKLOAD}},
    "Lease": {"spec": {"holderIdentity": "me", "leaseDurationSeconds": 15}},
    "EndpointSlice": {
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.1.2.3"], "conditions": {"ready": True}}],
        "ports": [{"name": "http", "port": 80, "protocol": "TCP"}],
    },
    "Ingress": {"spec": {"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}}},
    "IngressClass": {"spec": {"controller": "example.com/ingress"}},
    "NetworkPolicy": {"spec": {"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}]}},
    "PodTemplate": {"template": {"metadata": {"labels": _LABELS}, "spec": _POD_SPEC}},
    "ReplicationController": {
        "spec": {"replicas": 1, "template": {"metadata": {"labels": _LABELS}, "spec": _POD_SPEC}}
    },
    "RuntimeClass": {"handler": "runc"},
    "PodDisruptionBudget": {"spec": {"minAvailable": 1, "selector": {"matchLabels": _LABELS}}},
    "PriorityClass": {"value": 1000, "globalDefault": False},
    "StatefulSet": {"spec": {"replicas": 2, "serviceName": "web", **_WORKLOAD}},
    "Job": _JOB,
    "HorizontalPodAutoscaler": {
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "maxReplicas": 3,
        }
    },
    "CertificateSigningRequest": {
        "spec": {
            "request": _REQUEST,
            "signerName": "kubernetes.io/kube-apiserver-client",
            "usages": ["client auth"],
        }
    },
    "CronJob": {"spec": {"schedule": "*/5 * * * *", "jobTemplate": _JOB}},
    "Role": {"rules": [_RULE]},
    "ClusterRole": {"rules": [_RULE]},
    "RoleBinding": {"roleRef": {**_ROLE, "kind": "Role"}, "subjects": [_SUBJECT]},
    "ClusterRoleBinding": {"roleRef": {**_ROLE, "kind": "ClusterRole"}, "subjects": [_SUBJECT]},
    "CustomResourceDefinition": {
        "metadata": {"name": "boats.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "boats", "kind": "Boat"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": {"type": "object"}},
                }
            ],
        },
    },
    "APIService": {
        "metadata": {"name": "v1.boats.example.com"},
        "spec": {
            "group": "boats.example.com",
            "version": "v1",
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "service": {"namespace": "default", "name": "web"},
        },
    },
    "ValidatingAdmissionPolicy": {
        "spec": {"matchConstraints": _PODS, "validations": [{"expression": "object.metadata.name != 'x'"}]}
    },
    "ValidatingAdmissionPolicyBinding": {"spec": {"policyName": "web", "validationActions": ["Warn"]}},
    "MutatingAdmissionPolicy": {
        "spec": {
            "matchConstraints": _PODS,
            "reinvocationPolicy": "Never",
            "mutations": [
                {
                    "patchType": "ApplyConfiguration",
                    "applyConfiguration": {"expression": "Object{metadata: Object.metadata{}}"},
                }
            ],
        }
    },
    "MutatingAdmissionPolicyBinding": {"spec": {"policyName": "web"}},
    "MutatingWebhookConfiguration": {"webhooks": [_HOOK]},
    "ValidatingWebhookConfiguration": {"webhooks": [_HOOK]},
}

STRINGS = (
    *("", "a", "web", "main", "default", "Always", "Never", "OnFailure", "IfNotPresent", "RollingUpdate"),
    *("Recreate", "OnDelete", "TCP", "UDP", "NodePort", "LoadBalancer", "ExternalName", "None", "10.96.0.10"),
    *("256.1.1.1", "::1", "NoSchedule", "NoExecute", "Exists", "In", "DoesNotExist", "Gt", "Equal", "IPv4"),
    *("nginx:1.27", "busybox", "http", "80", "/", "../x", "/healthz", "a/b", "app", "Foreground", "Orphan"),
    *("kubernetes.io/hostname", "foregroundDeletion", "orphan", "example.com/finalizer", "localhost"),
    *("2026-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "50%", "101%", "-1", "1e3", "ünïcödé 日本", "\x00"),
    *("a" * 64, "a" * 254, "A_b", "-a", "a-", " ", "\n", "{}", "[]", "null", "true", "~", "$(HOME)", "🙂"),
    *(
        "\U0010ffff",
        "é",
        "\u200b",
        "system-node-critical",
        "1.5.2",
        "%s%n",
        "'\"`\\",
        "a=b",
        "a,b",
        "a in (b)",
    ),
)
NUMBERS = (
    *(0, 0, 1, 1, 2, 3, -1, 5, 80, 443, 30_000, 65_535, 65_536, 10_000, 1_000_000),
    *(2**31 - 1, 2**31, -(2**31), 2**53, 2**63 - 1, -(2**63), 2**63, 2**64 - 1),
)
_QUANTITIES = ("0", "1", "100m", "1Gi", "64Mi", "1e3", "-1", "0.5", "1E400", "9" * 40, "1Zi", "", "m", 2, 1.5)
_TIMES = ("2026-01-01T00:00:00Z", "2025-12-31T23:59:59+14:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z")
_MICRO = ("2026-01-01T00:00:00.123456Z", "2026-01-01T00:00:00Z")
_KEYS = (
    "app",
    "tier",
    "key",
    "a.b/c",
    "cpu",
    "memory",
    "pods",
    "example.com/x",
    "Bad Key",
    "",
    "é",
    "x" * 64,
)
_STRANGE: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 1e300, -0.0, 2**31, 2**63, 2**64 - 1, "", "text", "9" * 30),
    *([], [[]], [None], [1, "a"], {}, {"": None}, {"a": {"b": []}}, "\x00", "日本" * 50, [{}], {"a": 1e-9}),
)
_GROWN = 60  # values that one grown object may hold


class Grower:
    """Makes values of a type."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.left = 0

    def value(self, node: Node, depth: int = 0) -> Any:
        """Some value of the node, of the right type and often of a sensible content."""
        self.left -= 1
        random = self.random
        if isinstance(node, Scalar):
            return self._scalar(node)
        many = 0 if self.left <= 0 or depth > 8 else random.randrange(3)
        if isinstance(node, Map):
            return {random.choice(_KEYS): self.value(node.values, depth + 1) for _ in range(many)}
        if isinstance(node, List):
            return [self.value(node.items, depth + 1) for _ in range(many)]
        assert isinstance(node, Struct)
        fields = list(node.fields.values())
        chosen = [field for field in fields if field.required]
        if fields and many:
            chosen += random.sample(fields, min(len(fields), many + 1))
        return {field.name: self.value(field.node, depth + 1) for field in chosen}

    def _scalar(self, node: Scalar) -> Any:
        random = self.random
        match node.type:
            case "string":
                return random.choice(STRINGS)
            case "bool":
                return random.random() < 0.5
            case "int32" | "int64" | "int":
                return random.choice(NUMBERS)
            case "float64":
                return random.choice((0.5, 1, -2.25, 1e9))
            case "quantity":
                return random.choice(_QUANTITIES)
            case "time":
                return random.choice(_TIMES)
            case "microtime":
                return random.choice(_MICRO)
            case "duration":
                return random.choice(("1s", "0s", "5m", "x"))
            case "intorstring":
                return random.choice((80, "http", "50%", 0, -1, "101%", 70_000))
            case "bytes":
                return base64.b64encode(random.randbytes(random.randrange(9))).decode()
            case "fields":
                return random.choice(
                    ({}, {"f:metadata": {"f:labels": {".": {}, "f:a": {}}}}, {"x": 1}, {"f:": 2})
                )
        return random.choice(({}, {"a": 1}, {"kind": "X"}, [1], None))

    def object(self, kind: Kind) -> JSON:
        """An object of the kind that may well be accepted."""
        random = self.random
        meta: JSON = {"name": random.choice(NAMES)}
        if random.random() < 0.5:
            meta["labels"] = {"app": random.choice(("web", "db"))}
        obj: JSON = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": meta, **BASES[kind.kind]}
        schema = type_of(kind.api_version, kind.kind)
        assert schema is not None
        self.left = _GROWN
        for _ in range(random.choice((0, 0, 1, 1, 2, 4))):
            obj = self.grown(schema, obj)
        return obj

    def grown(self, schema: Struct, obj: JSON) -> JSON:
        """`obj` with one more field, somewhere below."""
        random = self.random
        field = random.choice(list(schema.fields.values()))
        old, node = obj.get(field.name), field.node
        if field.name in ("apiVersion", "kind"):
            return obj
        if isinstance(old, dict) and isinstance(node, Struct) and random.random() < 0.9:
            return {**obj, field.name: self.grown(node, old)}
        if isinstance(old, list) and old and isinstance(node, List):
            at = random.randrange(len(old))
            if isinstance(node.items, Struct) and isinstance(old[at], dict) and random.random() < 0.8:
                return {**obj, field.name: [*old[:at], self.grown(node.items, old[at]), *old[at + 1 :]]}
            return {**obj, field.name: [*old, self.value(node.items)]}
        if isinstance(old, dict) and isinstance(node, Map):
            return {**obj, field.name: {**old, random.choice(_KEYS): self.value(node.values)}}
        return {**obj, field.name: self.value(node)}

    def spoiled(self, value: Any) -> Any:
        """The value with something strange put in somewhere, or something left out."""
        random = self.random
        if isinstance(value, dict) and value and random.random() < 0.88:
            name = random.choice(list(value))
            if random.random() < 0.06:
                return {key: item for key, item in value.items() if key != name}
            if random.random() < 0.04:
                return {**value, random.choice((*STRINGS, "status", "spec", "metadata")): value[name]}
            return {**value, name: self.spoiled(value[name])}
        if isinstance(value, list) and value and random.random() < 0.85:
            at = random.randrange(len(value))
            if random.random() < 0.1:
                return [*value, value[at]]
            return [*value[:at], self.spoiled(value[at]), *value[at + 1 :]]
        if random.random() < 0.03:
            return nested(random.choice((20, 100, 119, 121)), random.random() < 0.5)
        return random.choice(_STRANGE)


def nested(depth: int, lists: bool) -> Any:
    """So many levels around nothing."""
    value: Any = "x"
    for _ in range(depth):
        value = [value] if lists else {"a": value}
    return value


# ---- protobuf --------------------------------------------------------------------------------------------


def protobuf(api_version: str, kind: str, obj: JSON) -> bytes:
    """The object as a client that speaks protobuf sends it; what does not fit its type is left out."""
    schema = type_of(api_version, kind)
    assert schema is not None
    names = _field(1, api_version.encode()) + _field(2, kind.encode())
    return b"k8s\x00" + _field(1, names) + _field(2, _message(schema, obj)) + _field(3, b"") + _field(4, b"")


def _varint(value: int) -> bytes:
    value &= 2**64 - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _field(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _message(node: Struct, obj: Any) -> bytes:
    if not isinstance(obj, dict):
        return b""
    out = b""
    for field in node.own_fields:
        value = obj.get(field.name)
        if value is None or not field.number:
            continue
        target = field.node
        if isinstance(target, List) and isinstance(value, list):
            wrapped = not target.go.startswith("[]")
            items = b"".join(_one(1 if wrapped else field.number, target.items, item) for item in value)
            out += _field(field.number, items) if wrapped else items
        elif isinstance(target, Map) and isinstance(value, dict):
            for name, item in value.items():
                out += _field(field.number, _field(1, str(name).encode()) + _one(2, target.values, item))
        else:
            out += _one(field.number, target, value)
    for number, inner in node.inlined:
        out += _field(number, _message(inner, obj))
    return out


def _bytes(text: str) -> bytes:
    """What base64 says; what is none, as it is."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return text.encode()


def _one(number: int, node: Node, value: Any) -> bytes:
    if isinstance(node, Struct):
        return _field(number, _message(node, value))
    if isinstance(node, List) and isinstance(value, list):  # in a map, a message around the list
        return _field(number, b"".join(_one(1, node.items, item) for item in value))
    if not isinstance(node, Scalar):
        return b""
    if node.type in ("int32", "int64", "int", "bool"):
        return _varint(number << 3) + _varint(int(value)) if isinstance(value, int) else b""
    if node.type == "float64":
        return _varint(number << 3 | 1) + struct.pack("<d", value) if isinstance(value, (int, float)) else b""
    if node.type == "bytes":
        return _field(number, _bytes(str(value)))
    if node.type in ("time", "microtime"):
        return _field(number, b"\x08" + _varint(1_767_225_600))
    if node.type == "quantity":
        return _field(number, _field(1, str(value).encode()))
    if node.type == "intorstring":
        if isinstance(value, int):
            return _field(number, b"\x08\x00\x10" + _varint(value))
        return _field(number, b"\x08\x01" + _field(3, str(value).encode()))
    if node.type in ("raw", "fields"):
        return _field(number, _field(1, b'{"a":1}'))
    if node.type == "json":
        return _field(number, _field(1, json.dumps(value).encode()))
    if node.type.startswith("schema"):
        return _field(number, _schema_or(node.type, value))
    return _field(number, str(value).encode())


def _schema_or(kind: str, value: Any) -> bytes:
    """A schema, or what stands in its place."""
    node = struct_named("apiextensions.v1.JSONSchemaProps")
    own, other = (2, 1) if kind == "schemaorbool" else (1, 2)
    if isinstance(value, dict):
        return _field(own, _message(node, value))
    if kind == "schemaorbool":
        return _varint(other << 3) + _varint(int(bool(value)))
    items = value if isinstance(value, list) else []
    if kind == "schemaorstrings":
        return b"".join(_field(other, str(item).encode()) for item in items)
    return b"".join(_field(other, _message(node, item)) for item in items)
