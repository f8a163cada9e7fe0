"""Kinds other than the Pod: what is refused, in Kubernetes' own words."""

import pytest
from api_bench import created, load, merged, problems, updated

BASES = load("""
Deployment:
  apiVersion: apps/v1
  kind: Deployment
  metadata: {name: web}
  spec:
    selector: {matchLabels: {app: web}}
    template:
      metadata: {labels: {app: web}}
      spec: {containers: [{name: web, image: nginx}]}
Service:
  apiVersion: v1
  kind: Service
  metadata: {name: web}
  spec: {selector: {app: web}, ports: [{port: 80}]}
ConfigMap: {apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: b}}
Secret: {apiVersion: v1, kind: Secret, metadata: {name: s}, data: {a: Yg==}}
Namespace: {apiVersion: v1, kind: Namespace, metadata: {name: n}}
Node: {apiVersion: v1, kind: Node, metadata: {name: n}}
Event:
  {apiVersion: v1, kind: Event, metadata: {name: e}, involvedObject: {kind: Pod, name: p, namespace: default}}
Endpoints:
  {apiVersion: v1, kind: Endpoints, metadata: {name: e}, subsets: [{addresses: [{ip: 10.0.0.1}], ports: [{port: 80}]}]}
Lease: {apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: l}, spec: {}}
PriorityClass: {apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: p}, value: 10}
ControllerRevision: {apiVersion: apps/v1, kind: ControllerRevision, metadata: {name: r}, data: {}, revision: 1}
EndpointSlice:
  apiVersion: discovery.k8s.io/v1
  kind: EndpointSlice
  metadata: {name: e}
  addressType: IPv4
  endpoints: [{addresses: [10.0.0.1]}]
  ports: [{port: 80}]
ServiceAccount: {apiVersion: v1, kind: ServiceAccount, metadata: {name: a}}
""")
BASES["ReplicaSet"] = {**BASES["Deployment"], "kind": "ReplicaSet"}
BASES["DaemonSet"] = {**BASES["Deployment"], "kind": "DaemonSet"}
SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
KEY = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' "
    "(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)


@pytest.mark.parametrize("kind", BASES)
def test_the_base_is_fine(kind: str) -> None:
    assert problems(BASES[kind]) == []


# id: (kind, change, expected errors)
CREATES = {
    "deployment replicas": (
        "Deployment", "spec: {replicas: -1}",
        ["spec.replicas: Invalid value: -1: must be greater than or equal to 0"],
    ),
    "deployment name": (
        "Deployment", "metadata: {name: Web}", [f'metadata.name: Invalid value: "Web": {SUBDOMAIN}'],
    ),
    "deployment without selector": (
        "Deployment", "spec: {selector: null}", ["spec.selector: Required value"],
    ),
    "deployment with empty selector": (
        "Deployment", "spec: {selector: {matchLabels: null}}",
        ["spec.selector: Invalid value: {}: empty selector is invalid for deployment"],
    ),
    "deployment selector does not match": (
        "Deployment", "spec: {selector: {matchLabels: {app: api}}}",
        ['spec.template.metadata.labels: Invalid value: {"app":"web"}: '
         "`selector` does not match template `labels`"],
    ),
    "deployment without template labels": (
        "Deployment", "spec: {template: {metadata: null}}",
        ["spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`"],
    ),
    "deployment without containers": (
        "Deployment", "spec: {template: {spec: {containers: []}}}",
        ["spec.template.spec.containers: Required value"],
    ),
    "deployment restart policy": (
        "Deployment", "spec: {template: {spec: {restartPolicy: Never}}}",
        ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
    ),
    "deployment strategy": (
        "Deployment", "spec: {strategy: {type: Sudden}}",
        ['spec.strategy.type: Unsupported value: "Sudden": supported values: "Recreate", "RollingUpdate"'],
    ),
    "recreate with rolling update": (
        "Deployment", "spec: {strategy: {type: Recreate, rollingUpdate: {maxSurge: 1}}}",
        ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
    ),
    "nothing may move": (
        "Deployment", "spec: {strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}}",
        ["spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"],
    ),
    "more than all": (
        "Deployment", "spec: {strategy: {rollingUpdate: {maxUnavailable: '101%'}}}",
        ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%'],
    ),
    "not a percentage": (
        "Deployment", "spec: {strategy: {rollingUpdate: {maxSurge: half}}}",
        ['spec.strategy.rollingUpdate.maxSurge: Invalid value: "half": a valid percent string must be a numeric '
         "string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"],
    ),
    "progress deadline": (
        "Deployment", "spec: {minReadySeconds: 600}",
        ["spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds"],
    ),
    "replica set selector": (
        "ReplicaSet", "spec: {selector: {matchLabels: {app: api}}}",
        ['spec.template.metadata.labels: Invalid value: {"app":"web"}: '
         "`selector` does not match template `labels`"],
    ),
    "daemon set surge": (
        "DaemonSet", "spec: {updateStrategy: {rollingUpdate: {maxSurge: 1}}}",
        ["spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: "
         "may not be set when maxUnavailable is non-zero"],
    ),
    "daemon set stands still": (
        "DaemonSet", "spec: {updateStrategy: {rollingUpdate: {maxUnavailable: 0}}}",
        ["spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0"],
    ),
    "service name": ("Service", "metadata: {name: web_1}", [f'metadata.name: Invalid value: "web_1": {LABEL}']),
    "service without ports": ("Service", "spec: {ports: []}", ["spec.ports: Required value"]),
    "service port range": (
        "Service", "spec: {ports: [{port: 0, targetPort: 80}]}",
        ["spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive"],
    ),
    "service ports need names": (
        "Service", "spec: {ports: [{port: 80}, {port: 81}]}",
        ["spec.ports[0].name: Required value", "spec.ports[1].name: Required value"],
    ),
    "service port twice": (
        "Service", "spec: {ports: [{name: a, port: 80}, {name: b, port: 80}]}",
        ['spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,'
         '"TargetPort":0,"NodePort":0}'],
    ),
    "service type": (
        "Service", "spec: {type: Magic}",
        ['spec.type: Unsupported value: "Magic": supported values: '
         '"ClusterIP", "ExternalName", "LoadBalancer", "NodePort"'],
    ),
    "node port on a cluster IP": (
        "Service", "spec: {ports: [{port: 80, nodePort: 30080}]}",
        ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    ),
    "target port name": (
        "Service", "spec: {ports: [{port: 80, targetPort: UP}]}",
        ['spec.ports[0].targetPort: Invalid value: "UP": '
         "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
         'spec.ports[0].targetPort: Invalid value: "UP": must contain at least one letter (a-z)'],
    ),
    "external name missing": (
        "Service", "spec: {type: ExternalName}", ["spec.externalName: Required value"],
    ),
    "affinity": (
        "Service", "spec: {sessionAffinity: Always}",
        ['spec.sessionAffinity: Unsupported value: "Always": supported values: "ClientIP", "None"'],
    ),
    "external traffic inside": (
        "Service", "spec: {externalTrafficPolicy: Local}",
        ['spec.externalTrafficPolicy: Invalid value: "Local": '
         "may only be set for externally-accessible services"],
    ),
    "config map key": (
        "ConfigMap", "data: {'a b': c}", [f'data[a b]: Invalid value: "a b": {KEY}'],
    ),
    "config map key in both": (
        "ConfigMap", "binaryData: {a: eA==}",
        ['data[a]: Invalid value: "a": duplicate of key present in binaryData'],
    ),
    "tls secret": (
        "Secret", "type: kubernetes.io/tls",
        ["data[tls.crt]: Required value", "data[tls.key]: Required value"],
    ),
    "registry secret": (
        "Secret", "{type: kubernetes.io/dockerconfigjson}", ["data[.dockerconfigjson]: Required value"],
    ),
    "token secret": (
        "Secret", "type: kubernetes.io/service-account-token",
        ["metadata.annotations[kubernetes.io/service-account.name]: Required value"],
    ),
    "namespace name": (
        "Namespace", "metadata: {name: a.b}", ['metadata.name: Invalid value: "a.b": must not contain dots'],
    ),
    "taint effect": (
        "Node", "spec: {taints: [{key: a, effect: Maybe}]}",
        ['metadata.taints[0].effect: Unsupported value: "Maybe": '
         'supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"'],
    ),
    "taint twice": (
        "Node", "spec: {taints: [{key: a, effect: NoSchedule}, {key: a, value: b, effect: NoSchedule}]}",
        ['metadata.taints[1]: Duplicate value: {"Key":"a","Value":"b","Effect":"NoSchedule","TimeAdded":null}: '
         "taints must be unique by key and effect pair"],
    ),
    "pod CIDR": (
        "Node", "spec: {podCIDR: 10.0.0.0}",
        ['spec.podCIDRs[0]: Invalid value: "10.0.0.0": '
         "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"],
    ),
    "event elsewhere": (
        "Event", "involvedObject: {namespace: other}",
        ['involvedObject.namespace: Invalid value: "other": does not match event.namespace'],
    ),
    "loopback endpoint": (
        "Endpoints", "subsets: [{addresses: [{ip: 127.0.0.1}]}]",
        ['subsets[0].addresses[0].ip: Invalid value: "127.0.0.1": '
         "may not be in the loopback range (127.0.0.0/8, ::1/128)"],
    ),
    "subset without addresses": (
        "Endpoints", "subsets: [{ports: [{port: 80}]}]",
        ["subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`"],
    ),
    "lease duration": (
        "Lease", "spec: {leaseDurationSeconds: 0}",
        ["spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0"],
    ),
    "priority too high": (
        "PriorityClass", "value: 1000000001",
        ["value: Forbidden: maximum allowed value of a user defined priority is 1000000000"],
    ),
    "system priority": (
        "PriorityClass", "metadata: {name: system-mine}",
        ["metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. "
         "error: system-mine is not a known system priority class"],
    ),
    "revision data": ("ControllerRevision", "data: null", ["data: Required value: data is mandatory"]),
    "slice address type": (
        "EndpointSlice", "{addressType: IPv5, endpoints: []}",
        ['addressType: Unsupported value: "IPv5": supported values: "FQDN", "IPv4", "IPv6"'],
    ),
    "slice address": (
        "EndpointSlice", "endpoints: [{addresses: []}]",
        ["endpoints[0].addresses: Required value: must contain at least 1 address"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "change", "expected"), CREATES.values(), ids=CREATES.keys())
def test_create(kind: str, change: str, expected: list[str]) -> None:
    assert problems(merged(BASES[kind], load(change))) == expected


def test_too_big() -> None:
    big = merged(BASES["ConfigMap"], {"data": {"a": "x" * (1024 * 1024 + 1)}})
    assert problems(big) == ["[]: Too long: may not be more than 1048576 bytes"]


# id: (kind, before, change, expected errors)
UPDATES = {
    "deployment selector": (
        "Deployment", "{}",
        "spec: {selector: {matchLabels: {app: web, tier: a}}, template: {metadata: {labels: {tier: a}}}}",
        ['spec.selector: Invalid value: {"matchLabels":{"app":"web","tier":"a"}}: field is immutable'],
    ),
    "deployment image": ("Deployment", "{}", "spec: {template: {spec: {containers: [{name: web, image: b}]}}}", []),
    "secret type": (
        "Secret", "{}", "type: mine", ['type: Invalid value: "mine": field is immutable'],
    ),
    "immutable config map": (
        "ConfigMap", "immutable: true", "{data: {a: c}, immutable: false}",
        ["immutable: Forbidden: field is immutable when `immutable` is set",
         "data: Forbidden: field is immutable when `immutable` is set"],
    ),
    "service cluster IP": (
        "Service", "{}", "spec: {clusterIP: 10.96.7.7, clusterIPs: [10.96.7.7]}",
        ['spec.clusterIPs[0]: Invalid value: ["10.96.7.7"]: may not change once set'],
    ),
    "node provider": (
        "Node", "spec: {providerID: a}", "spec: {providerID: b}",
        ['spec.providerID: Forbidden: node updates may not change providerID except from "" to valid'],
    ),
    "node CIDR": (
        "Node", "spec: {podCIDR: 10.0.0.0/24}", "spec: {podCIDR: 10.0.1.0/24, podCIDRs: [10.0.1.0/24]}",
        ['spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid'],
    ),
    "priority value": (
        "PriorityClass", "{}", "value: 11", ["value: Forbidden: may not be changed in an update."],
    ),
    "slice address type": (
        "EndpointSlice", "{}", "{addressType: FQDN, endpoints: [{addresses: [a.example.com]}]}",
        ['addressType: Invalid value: "FQDN": field is immutable'],
    ),
    "revision data": (
        "ControllerRevision", "{}", "data: {a: b}", ['data: Invalid value: {"a":"b"}: field is immutable'],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "before", "change", "expected"), UPDATES.values(), ids=UPDATES.keys())
def test_update(kind: str, before: str, change: str, expected: list[str]) -> None:
    old = created(merged(BASES[kind], load(before)))
    assert updated(old, merged(old, load(change)))[1] == expected
