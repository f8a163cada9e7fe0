"""A Pod's spec: what is refused, in Kubernetes' own words."""

import pytest
from api_bench import BY_KIND, created, load, merged, problems

POD = load("""
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers: [{name: web, image: nginx}]
""")
DNS_LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    "with an alphanumeric character (e.g. 'my-name',  or '123-abc', "
    "regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
C = "spec.containers[0]"

# id: (change to the Pod, expected errors)
SPECS = {
    "fine": ("{}", []),
    "no containers": ("spec: {containers: []}", ["spec.containers: Required value"]),
    "no name": ("spec: {containers: [{image: nginx}]}", [f"{C}.name: Required value"]),
    "no image": ("spec: {containers: [{name: web}]}", [f"{C}.image: Required value"]),
    "container name": (
        "spec: {containers: [{name: Web_1, image: nginx}]}",
        [f'{C}.name: Invalid value: "Web_1": {DNS_LABEL}'],
    ),
    "two of a name": (
        "spec: {containers: [{name: a, image: i}, {name: a, image: i}]}",
        ['spec.containers[1].name: Duplicate value: "a"'],
    ),
    "init and regular of a name": (
        "spec: {initContainers: [{name: web, image: i}]}",
        ['spec.initContainers[0].name: Duplicate value: "web"'],
    ),
    "image space": (
        "spec: {containers: [{name: web, image: ' nginx'}]}",
        [f'{C}.image: Invalid value: " nginx": must not have leading or trailing whitespace'],
    ),
    "pull policy": (
        "spec: {containers: [{name: web, image: nginx, imagePullPolicy: Sometimes}]}",
        [f'{C}.imagePullPolicy: Unsupported value: "Sometimes": '
         'supported values: "Always", "IfNotPresent", "Never"'],
    ),
    "port range": (
        "spec: {containers: [{name: web, image: nginx, ports: [{containerPort: 70000}]}]}",
        [f"{C}.ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive"],
    ),
    "port missing": (
        "spec: {containers: [{name: web, image: nginx, ports: [{name: http}]}]}",
        [f"{C}.ports[0].containerPort: Required value"],
    ),
    "port name and protocol": (
        "spec: {containers: [{name: web, image: nginx, ports: "
        "[{name: h, containerPort: 80, protocol: http}, {name: h, containerPort: 81}]}]}",
        [f'{C}.ports[0].protocol: Unsupported value: "http": supported values: "SCTP", "TCP", "UDP"',
         f'{C}.ports[1].name: Duplicate value: "h"'],
    ),
    "port name too long": (
        "spec: {containers: [{name: web, image: nginx, ports: [{name: averyveryverylong, containerPort: 80}]}]}",
        [f'{C}.ports[0].name: Invalid value: "averyveryverylong": must be no more than 15 bytes'],
    ),
    "host port twice": (
        "spec: {containers: [{name: a, image: i, ports: [{containerPort: 80, hostPort: 80}]}, "
        "{name: b, image: i, ports: [{containerPort: 81, hostPort: 80}]}]}",
        ['spec.containers[1].ports[0].hostPort: Duplicate value: "TCP//80"'],
    ),
    "host network port": (
        "spec: {hostNetwork: true, containers: [{name: a, image: i, ports: [{containerPort: 80, hostPort: 81}]}]}",
        [f"{C}.ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is true"],
    ),
    "env name": (
        "spec: {containers: [{name: web, image: nginx, env: [{name: 'a=b', value: x}, {value: y}]}]}",
        [f"{C}.env[0].name: Invalid value: \"a=b\": a valid environment variable name must consist only of "
         "printable ASCII characters other than '='",
         f"{C}.env[1].name: Required value"],
    ),
    "relaxed env name": ("spec: {containers: [{name: web, image: nginx, env: [{name: '1.a b', value: x}]}]}", []),
    "env value and source": (
        "spec: {containers: [{name: web, image: nginx, env: "
        "[{name: A, value: x, valueFrom: {configMapKeyRef: {name: c, key: k}}}]}]}",
        [f'{C}.env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty'],
    ),
    "env field": (
        "spec: {containers: [{name: web, image: nginx, env: "
        "[{name: A, valueFrom: {fieldRef: {fieldPath: spec.foo}}}, "
        "{name: B, valueFrom: {fieldRef: {fieldPath: status.phase}}}]}]}",
        [f'{C}.env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.foo": '
         "error converting fieldPath: field label not supported: spec.foo",
         f'{C}.env[1].valueFrom.fieldRef.fieldPath: Unsupported value: "status.phase": supported values: '
         '"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", '
         '"status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"'],
    ),
    "envFrom without source": (
        "spec: {containers: [{name: web, image: nginx, envFrom: [{prefix: A_}]}]}",
        [f'{C}.envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`'],
    ),
    "mount without volume": (
        "spec: {containers: [{name: web, image: nginx, volumeMounts: [{name: x, mountPath: /x}]}]}",
        [f'{C}.volumeMounts[0].name: Not found: "x"'],
    ),
    "mount path twice": (
        "spec: {volumes: [{name: a, emptyDir: {}}], containers: [{name: web, image: nginx, "
        "volumeMounts: [{name: a, mountPath: /x}, {name: a, mountPath: /x}]}]}",
        [f'{C}.volumeMounts[1].mountPath: Invalid value: "/x": must be unique'],
    ),
    "sub path leaves": (
        "spec: {volumes: [{name: a, emptyDir: {}}], containers: [{name: web, image: nginx, "
        "volumeMounts: [{name: a, mountPath: /x, subPath: ../y}]}]}",
        [f"{C}.volumeMounts.subPath: Invalid value: \"../y\": must not contain '..'"],
    ),
    "two volume types": (
        "spec: {volumes: [{name: a, emptyDir: {}, hostPath: {path: /x}}]}",
        ["spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type"],
    ),
    "volume twice": (
        "spec: {volumes: [{name: a, emptyDir: {}}, {name: a, emptyDir: {}}]}",
        ['spec.volumes[1].name: Duplicate value: "a"'],
    ),
    "secret volume": (
        "spec: {volumes: [{name: a, secret: {defaultMode: 1000}}]}",
        ["spec.volumes[0].secret.secretName: Required value",
         "spec.volumes[0].secret.defaultMode: Invalid value: 1000: "
         "must be a number between 0 and 0777 (octal), both inclusive"],
    ),
    "request above limit": (
        "spec: {containers: [{name: web, image: nginx, "
        "resources: {requests: {memory: 2Gi, cpu: 1}, limits: {memory: 1Gi, cpu: 1}}}]}",
        [f'{C}.resources.requests: Invalid value: "2Gi": must be less than or equal to memory limit of 1Gi'],
    ),
    "negative request": (
        "spec: {containers: [{name: web, image: nginx, resources: {requests: {cpu: -1}}}]}",
        [f'{C}.resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0'],
    ),
    "unknown resource": (
        "spec: {containers: [{name: web, image: nginx, resources: {limits: {gpus: 1}}}]}",
        [f'{C}.resources.limits[gpus]: Invalid value: "gpus": '
         "must be a standard resource type or fully qualified",
         f'{C}.resources.limits[gpus]: Invalid value: "gpus": must be a standard resource for containers',
         f'{C}.resources.requests[gpus]: Invalid value: "gpus": '
         "must be a standard resource type or fully qualified",
         f'{C}.resources.requests[gpus]: Invalid value: "gpus": must be a standard resource for containers'],
    ),
    "probe without handler": (
        "spec: {containers: [{name: web, image: nginx, livenessProbe: {periodSeconds: 5}}]}",
        [f"{C}.livenessProbe: Required value: must specify a handler type"],
    ),
    "probe with two handlers": (
        "spec: {containers: [{name: web, image: nginx, readinessProbe: "
        "{exec: {command: [a]}, tcpSocket: {port: 80}}}]}",
        [f"{C}.readinessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type"],
    ),
    "liveness success threshold": (
        "spec: {containers: [{name: web, image: nginx, livenessProbe: "
        "{successThreshold: 2, httpGet: {port: 0}}}]}",
        [f"{C}.livenessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive",
         f"{C}.livenessProbe.successThreshold: Invalid value: 2: must be 1"],
    ),
    "init probe": (
        "spec: {initContainers: [{name: i, image: x, livenessProbe: {exec: {command: [a]}}}]}",
        ["spec.initContainers[0].livenessProbe: Forbidden: "
         "may not be set for init containers without restartPolicy=Always"],
    ),
    "sidecar probe": (
        "spec: {initContainers: [{name: i, image: x, restartPolicy: Always, "
        "livenessProbe: {exec: {command: [a]}}}]}",
        [],
    ),
    "own restart policy": (
        "spec: {containers: [{name: web, image: nginx, restartPolicy: Never}]}", [],
    ),
    "unknown restart policy of a container": (
        "spec: {initContainers: [{name: i, image: x, restartPolicy: Sometimes}]}",
        ['spec.initContainers[0].restartPolicy: Unsupported value: "Sometimes": '
         'supported values: "Always", "Never", "OnFailure"'],
    ),
    "restart rules": (
        "spec: {containers: [{name: web, image: nginx, restartPolicyRules: "
        "[{action: DoNotRestart, exitCodes: {values: [3]}}]}]}",
        [f"{C}.restartPolicy: Required value: must specify restartPolicy when restart rules are used",
         f'{C}.restartPolicyRules[0].action: Unsupported value: "DoNotRestart": '
         'supported values: "Restart", "RestartAllContainers"',
         f'{C}.restartPolicyRules[0].exitCodes.operator: Unsupported value: "": supported values: "In", "NotIn"'],
    ),
    "pre-stop sleep": (
        "spec: {containers: [{name: web, image: nginx, lifecycle: {preStop: {sleep: {seconds: 60}}}}]}",
        [f"{C}.lifecycle.preStop.sleep: Invalid value: 60: "
         "must be non-negative and less than terminationGracePeriodSeconds (30)"],
    ),
    "restart policy": (
        "spec: {restartPolicy: Sometimes}",
        ['spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"'],
    ),
    "dns policy": (
        "spec: {dnsPolicy: Mine}",
        ['spec.dnsPolicy: Unsupported value: "Mine": supported values: '
         '"ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"'],
    ),
    "dns none": (
        "spec: {dnsPolicy: None}".replace("None", "'None'"),
        ["spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"],
    ),
    "node selector": (
        "spec: {nodeSelector: {disk: 'a b'}}",
        ["spec.nodeSelector: Invalid value: \"a b\": a valid label must be an empty string or consist of "
         "alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
         "(e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
         "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"],
    ),
    "toleration without key": (
        "spec: {tolerations: [{value: x}]}",
        ['spec.tolerations[0].operator: Invalid value: "": operator must be Exists when `key` is empty, '
         'which means "match all values and all keys"'],
    ),
    "toleration seconds": (
        "spec: {tolerations: [{key: a, operator: Exists, effect: NoSchedule, tolerationSeconds: 5}]}",
        ['spec.tolerations[0].effect: Invalid value: "NoSchedule": '
         "effect must be 'NoExecute' when `tolerationSeconds` is set"],
    ),
    "toleration effect": (
        "spec: {tolerations: [{key: a, operator: Exists, effect: Never}]}",
        ['spec.tolerations[0].effect: Unsupported value: "Never": '
         'supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"'],
    ),
    "node affinity": (
        "spec: {affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
        "{nodeSelectorTerms: [{matchExpressions: [{key: a, operator: In}]}]}, "
        "preferredDuringSchedulingIgnoredDuringExecution: [{weight: 0, preference: {}}]}}}",
        ["spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]"
         ".matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
         "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: "
         "Invalid value: 0: must be in the range 1-100"],
    ),
    "pod affinity": (
        "spec: {affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
        "[{labelSelector: {matchLabels: {a: b}}}]}}}",
        ["spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: "
         "Required value: can not be empty",
         "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: "
         'Invalid value: "": name part must be non-empty',
         "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: "
         "Invalid value: \"\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start "
         "and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
         "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"],
    ),
    "topology spread": (
        "spec: {topologySpreadConstraints: [{maxSkew: 0, topologyKey: zone, whenUnsatisfiable: Maybe, "
        "minDomains: 2}]}",
        ["spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero",
         'spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "Maybe": '
         'supported values: "DoNotSchedule", "ScheduleAnyway"',
         "spec.topologySpreadConstraints[0].minDomains: Invalid value: 2: "
         "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not Maybe"],
    ),
    "security context": (
        "spec: {securityContext: {runAsUser: -1, fsGroupChangePolicy: Never}}",
        ["spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive",
         'spec.securityContext.fsGroupChangePolicy: Unsupported value: "Never": '
         'supported values: "Always", "OnRootMismatch"'],
    ),
    "seccomp": (
        "spec: {containers: [{name: web, image: nginx, securityContext: {seccompProfile: {type: Localhost}}}]}",
        [f"{C}.securityContext.seccompProfile.localhostProfile: Required value: "
         "must be set when seccomp type is Localhost"],
    ),
    "privileged without escalation": (
        "spec: {containers: [{name: web, image: nginx, securityContext: "
        "{privileged: true, allowPrivilegeEscalation: false}}]}",
        [f'{C}.securityContext: Invalid value: {{"Capabilities":null,"Privileged":true,"SELinuxOptions":null,'
         '"WindowsOptions":null,"RunAsUser":null,"RunAsGroup":null,"RunAsNonRoot":null,'
         '"ReadOnlyRootFilesystem":null,"AllowPrivilegeEscalation":false,"ProcMount":null,"SeccompProfile":null,'
         '"AppArmorProfile":null}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true'],
    ),
    "ephemeral container": (
        "spec: {ephemeralContainers: [{name: d, image: busybox}]}",
        ["spec.ephemeralContainers: Forbidden: cannot be set on create"],
    ),
    "gated and bound": (
        "spec: {nodeName: n, schedulingGates: [{name: a/b}]}",
        ["spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared"],
    ),
    "active deadline": (
        "spec: {activeDeadlineSeconds: 0}",
        ["spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive"],
    ),
    "host alias": (
        "spec: {hostAliases: [{ip: nowhere, hostnames: [a]}]}",
        ['spec.hostAliases[0].ip: Invalid value: "nowhere": '
         "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"],
    ),
    "name": ("metadata: {name: My_Pod}", [f'metadata.name: Invalid value: "My_Pod": {SUBDOMAIN}']),
    "deletion cost": (
        "metadata: {annotations: {controller.kubernetes.io/pod-deletion-cost: '+1'}}",
        ["metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: \"+1\": "
         "must be a 32bit integer"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), SPECS.values(), ids=SPECS.keys())
def test_pod_spec(change: str, expected: list[str]) -> None:
    assert problems(merged(POD, load(change))) == expected


def test_a_remembered_part_is_still_refused_elsewhere() -> None:
    """The memo keeps what was valid, never what was not, and not what depends on the rest of the Pod."""
    mount = [{"name": "data", "mountPath": "/data"}]
    with_volume = merged(POD, {"spec": {"volumes": [{"name": "data", "emptyDir": {}}]}})
    with_volume["spec"]["containers"][0]["volumeMounts"] = mount
    without = merged(POD, {})
    without["spec"]["containers"] = [{"name": "web", "image": "nginx", "volumeMounts": mount}]
    for _ in range(2):
        assert problems(with_volume) == []
        assert problems(without) == [f'{C}.volumeMounts[0].name: Not found: "data"']


WARNINGS = {
    "none": ("{}", []),
    "host name": (
        "metadata: {name: a.b}",
        ["metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; "
         "a DNS label is recommended: [must not contain dots]"],
    ),
    "hidden env": (
        "spec: {containers: [{name: web, image: nginx, env: [{name: A, value: x}, {name: A, value: y}]}]}",
        ['spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply'],
    ),
    "env that extends itself": (
        "spec: {containers: [{name: web, image: nginx, env: [{name: A, value: x}, {name: A, value: '$(A)y'}]}]}",
        [],
    ),
    "port twice": (
        "spec: {containers: [{name: a, image: i, ports: [{containerPort: 80}]}, "
        "{name: b, image: i, ports: [{containerPort: 80}]}]}",
        ["spec.containers[1].ports[0]: duplicate port definition with spec.containers[0].ports[0]"],
    ),
    "half a byte": (
        "spec: {containers: [{name: web, image: nginx, resources: {limits: {memory: 512m}}}]}",
        ['spec.containers[0].resources.limits[memory]: fractional byte value "512m" is invalid, must be an integer',
         'spec.containers[0].resources.requests[memory]: fractional byte value "512m" is invalid, '
         "must be an integer"],
    ),
    "old node label": (
        "spec: {nodeSelector: {beta.kubernetes.io/os: linux}}",
        ['spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead'],
    ),
    "no selector to spread": (
        "spec: {topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}]}",
        ["spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), WARNINGS.values(), ids=WARNINGS.keys())
def test_warnings(change: str, expected: list[str]) -> None:
    assert list(BY_KIND["Pod"].warnings(created(merged(POD, load(change))))) == expected
