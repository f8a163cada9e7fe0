# ruff: noqa: E501 (one case a line)
"""The table of invalid manifests: what is said of each, to the letter, and how many there are of each kind.

Its own rows change the smallest object that is accepted in one place. Beside them it counts the tables of the other
tests, each of whose rows is an object that is refused and the whole of what is said of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest
import test_api_batch
import test_api_budget_validation
import test_api_certificates_validation
import test_api_flowcontrol_validation
import test_api_kinds_validation
import test_api_networking_validation
import test_api_node_validation
import test_api_pod_validation
import test_api_quota_validation
import test_api_resource_validation
import test_api_storage_validation
import test_api_webhook_validation
from api_bench import BY_KIND, load, merged, problems

from tests.soak.random_objects import BASES

SUBDOMAIN = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
LABEL = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
QUALIFIED = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
VALUE = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
KEY = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
ADDRESS = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
PORT = "must be between 1 and 65535, inclusive"
LEAST = "must be greater than or equal to 0"

# (kind, change of the smallest object that is accepted, what is said of it)
ROWS: tuple[tuple[str, str, list[str]], ...] = (
    ("Pod", "metadata: {name: Web}", [f"metadata.name: Invalid value: \"Web\": {SUBDOMAIN}"]),
    ("Pod", 'metadata: {name: web, labels: {"a b": c}}', [f"metadata.labels: Invalid value: \"a b\": {QUALIFIED}"]),
    ("Pod", 'metadata: {name: web, labels: {a: "b c"}}', [f"metadata.labels: Invalid value: \"b c\": {VALUE}"]),
    ("Pod", 'metadata: {name: web, annotations: {"-a": c}}', [f"metadata.annotations: Invalid value: \"-a\": {QUALIFIED}"]),
    ("Pod", "metadata: {name: web, ownerReferences: [{apiVersion: v1, kind: Pod, name: a}]}", ['metadata.ownerReferences[0].uid: Invalid value: "": must not be empty']),
    ("Pod", 'metadata: {name: web, generateName: "Web-"}', [f"metadata.generateName: Invalid value: \"Web-\": {SUBDOMAIN}"]),
    ("Pod", "spec: {containers: []}", ["spec.containers: Required value"]),
    ("Pod", "spec: {containers: [{name: a, image: i}, {name: a, image: i}]}", ['spec.containers[1].name: Duplicate value: "a"']),
    ("Pod", "spec: {containers: [{name: A, image: i}]}", [f"spec.containers[0].name: Invalid value: \"A\": {LABEL}"]),
    ("Pod", 'spec: {containers: [{name: a, image: ""}]}', ["spec.containers[0].image: Required value"]),
    ("Pod", 'spec: {containers: [{name: a, image: " i"}]}', ['spec.containers[0].image: Invalid value: " i": must not have leading or trailing whitespace']),
    ("Pod", "spec: {containers: [{name: a, image: i, imagePullPolicy: Often}]}", ['spec.containers[0].imagePullPolicy: Unsupported value: "Often": supported values: "Always", "IfNotPresent", "Never"']),
    ("Pod", "spec: {containers: [{name: a, image: i, ports: [{containerPort: 0}]}]}", ["spec.containers[0].ports[0].containerPort: Required value"]),
    ("Pod", "spec: {containers: [{name: a, image: i, ports: [{containerPort: 70000}]}]}", [f"spec.containers[0].ports[0].containerPort: Invalid value: 70000: {PORT}"]),
    ("Pod", "spec: {containers: [{name: a, image: i, ports: [{containerPort: 80, name: web}, {containerPort: 81, name: web}]}]}", ['spec.containers[0].ports[1].name: Duplicate value: "web"']),
    ("Pod", "spec: {containers: [{name: a, image: i, ports: [{containerPort: 80, name: a_b}]}]}", ['spec.containers[0].ports[0].name: Invalid value: "a_b": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)']),
    ("Pod", "spec: {containers: [{name: a, image: i, ports: [{containerPort: 80, protocol: HTTP}]}]}", ['spec.containers[0].ports[0].protocol: Unsupported value: "HTTP": supported values: "SCTP", "TCP", "UDP"']),
    ("Pod", 'spec: {containers: [{name: a, image: i, env: [{name: "a=b", value: c}]}]}', ["spec.containers[0].env[0].name: Invalid value: \"a=b\": a valid environment variable name must consist only of printable ASCII characters other than '='"]),
    ("Pod", "spec: {containers: [{name: a, image: i, env: [{name: a, value: c, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]}]}", ['spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty']),
    ("Pod", "spec: {containers: [{name: a, image: i, env: [{name: a, valueFrom: {fieldRef: {fieldPath: metadata.whatever}}}]}]}", ['spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "metadata.whatever": error converting fieldPath: field label not supported: metadata.whatever']),
    ("Pod", "spec: {containers: [{name: a, image: i, env: [{name: a, valueFrom: {configMapKeyRef: {name: c}}}]}]}", ["spec.containers[0].env[0].valueFrom.configMapKeyRef.key: Required value"]),
    ("Pod", 'spec: {containers: [{name: a, image: i, env: [{name: a, valueFrom: {secretKeyRef: {name: c, key: "a b"}}}]}]}', [f"spec.containers[0].env[0].valueFrom.secretKeyRef.key: Invalid value: \"a b\": {KEY}"]),
    ("Pod", "spec: {containers: [{name: a, image: i, envFrom: [{}]}]}", ['spec.containers[0].envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`']),
    ("Pod", 'spec: {containers: [{name: a, image: i, resources: {requests: {cpu: "2"}, limits: {cpu: "1"}}}]}', ['spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1']),
    ("Pod", 'spec: {containers: [{name: a, image: i, resources: {requests: {cpu: "-1"}}}]}', [f"spec.containers[0].resources.requests[cpu]: Invalid value: \"-1\": {LEAST}"]),
    ("Pod", 'spec: {containers: [{name: a, image: i, resources: {requests: {gpu: "1"}}}]}', ['spec.containers[0].resources.requests[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified', 'spec.containers[0].resources.requests[gpu]: Invalid value: "gpu": must be a standard resource for containers']),
    ("Pod", 'spec: {containers: [{name: a, image: i, resources: {limits: {"example.com/gpu": "500m"}}}]}', ['spec.containers[0].resources.limits[example.com/gpu]: Invalid value: "500m": must be an integer', 'spec.containers[0].resources.requests[example.com/gpu]: Invalid value: "500m": must be an integer']),
    ("Pod", "spec: {containers: [{name: a, image: i, volumeMounts: [{name: v, mountPath: /a}]}]}", ['spec.containers[0].volumeMounts[0].name: Not found: "v"']),
    ("Pod", 'spec: {containers: [{name: a, image: i, volumeMounts: [{name: v, mountPath: ""}]}], volumes: [{name: v, emptyDir: {}}]}', ["spec.containers[0].volumeMounts[0].mountPath: Required value"]),
    ("Pod", "spec: {containers: [{name: a, image: i, volumeMounts: [{name: v, mountPath: /a}, {name: v, mountPath: /a}]}], volumes: [{name: v, emptyDir: {}}]}", ['spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/a": must be unique']),
    ("Pod", "spec: {containers: [{name: a, image: i, volumeMounts: [{name: v, mountPath: /a, subPath: ../b}]}], volumes: [{name: v, emptyDir: {}}]}", ["spec.containers[0].volumeMounts.subPath: Invalid value: \"../b\": must not contain '..'"]),
    ("Pod", "spec: {volumes: [{name: v, emptyDir: {}}, {name: v, emptyDir: {}}]}", ['spec.volumes[1].name: Duplicate value: "v"']),
    ("Pod", "spec: {volumes: [{name: v, emptyDir: {}, hostPath: {path: /a}}]}", ["spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type"]),
    ("Pod", "spec: {volumes: [{name: V, emptyDir: {}}]}", [f"spec.volumes[0].name: Invalid value: \"V\": {LABEL}"]),
    ("Pod", "spec: {volumes: [{name: v, hostPath: {path: ../a}}]}", ["spec.volumes[0].hostPath.path: Invalid value: \"../a\": must not contain '..'"]),
    ("Pod", "spec: {volumes: [{name: v, hostPath: {path: /a, type: Folder}}]}", ['spec.volumes[0].hostPath.type: Unsupported value: "Folder": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"']),
    ("Pod", "spec: {volumes: [{name: v, configMap: {name: c, items: [{key: a, path: /b}]}}]}", ['spec.volumes[0].configMap.items[0].path: Invalid value: "/b": must be a relative path']),
    ("Pod", "spec: {volumes: [{name: v, configMap: {}}]}", ["spec.volumes[0].configMap.name: Required value"]),
    ("Pod", "spec: {volumes: [{name: v, secret: {secretName: s, defaultMode: 1000}}]}", ["spec.volumes[0].secret.defaultMode: Invalid value: 1000: must be a number between 0 and 0777 (octal), both inclusive"]),
    ("Pod", 'spec: {volumes: [{name: v, persistentVolumeClaim: {claimName: ""}}]}', ["spec.volumes[0].persistentVolumeClaim.claimName: Required value"]),
    ("Pod", "spec: {containers: [{name: a, image: i, livenessProbe: {}}]}", ["spec.containers[0].livenessProbe: Required value: must specify a handler type"]),
    ("Pod", "spec: {containers: [{name: a, image: i, livenessProbe: {httpGet: {path: /, port: 80}, exec: {command: [a]}}}]}", ["spec.containers[0].livenessProbe.httpGet: Forbidden: may not specify more than 1 handler type"]),
    ("Pod", "spec: {containers: [{name: a, image: i, livenessProbe: {httpGet: {path: /, port: 0}}}]}", [f"spec.containers[0].livenessProbe.httpGet.port: Invalid value: 0: {PORT}"]),
    ("Pod", "spec: {containers: [{name: a, image: i, livenessProbe: {exec: {command: []}}}]}", ["spec.containers[0].livenessProbe.exec.command: Required value"]),
    ("Pod", "spec: {containers: [{name: a, image: i, livenessProbe: {tcpSocket: {port: 80}, periodSeconds: -1}}]}", [f"spec.containers[0].livenessProbe.periodSeconds: Invalid value: -1: {LEAST}"]),
    ("Pod", "spec: {containers: [{name: a, image: i, livenessProbe: {tcpSocket: {port: 80}, successThreshold: 2}}]}", ["spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1"]),
    ("Pod", "spec: {containers: [{name: a, image: i, startupProbe: {tcpSocket: {port: 80}, successThreshold: 2}}]}", ["spec.containers[0].startupProbe.successThreshold: Invalid value: 2: must be 1"]),
    ("Pod", "spec: {containers: [{name: a, image: i, readinessProbe: {tcpSocket: {port: 80}, terminationGracePeriodSeconds: 5}}]}", ["spec.containers[0].readinessProbe.terminationGracePeriodSeconds: Invalid value: 5: must not be set for readinessProbes"]),
    ("Pod", "spec: {containers: [{name: a, image: i, lifecycle: {preStop: {}}}]}", ["spec.containers[0].lifecycle.preStop: Required value: must specify a handler type"]),
    ("Pod", "spec: {containers: [{name: a, image: i, lifecycle: {preStop: {sleep: {seconds: 100}}}}]}", ["spec.containers[0].lifecycle.preStop.sleep: Invalid value: 100: must be non-negative and less than terminationGracePeriodSeconds (30)"]),
    ("Pod", "spec: {restartPolicy: Sometimes}", ['spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"']),
    ("Pod", "spec: {dnsPolicy: Mine}", ['spec.dnsPolicy: Unsupported value: "Mine": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"']),
    ("Pod", "spec: {dnsPolicy: None}", ["spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"]),
    ("Pod", "spec: {dnsConfig: {nameservers: [a]}}", [f"spec.dnsConfig.nameservers[0]: Invalid value: \"a\": {ADDRESS}"]),
    ("Pod", 'spec: {dnsConfig: {nameservers: ["1.1.1.1", "1.1.1.2", "1.1.1.3", "1.1.1.4"]}}', ['spec.dnsConfig.nameservers: Invalid value: ["1.1.1.1","1.1.1.2","1.1.1.3","1.1.1.4"]: must not have more than 3 nameservers']),
    ("Pod", "spec: {activeDeadlineSeconds: 0}", ["spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive"]),
    ("Pod", 'spec: {nodeSelector: {"a b": c}}', [f"spec.nodeSelector: Invalid value: \"a b\": {QUALIFIED}"]),
    ("Pod", "spec: {hostname: a.b}", ['spec.hostname: Invalid value: "a.b": must not contain dots']),
    ("Pod", "spec: {subdomain: A}", [f"spec.subdomain: Invalid value: \"A\": {LABEL}"]),
    ("Pod", "spec: {hostAliases: [{ip: a, hostnames: [b]}]}", [f"spec.hostAliases[0].ip: Invalid value: \"a\": {ADDRESS}"]),
    ("Pod", "spec: {tolerations: [{operator: Equal, value: a}]}", ['spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"']),
    ("Pod", "spec: {tolerations: [{key: a, operator: Exists, value: b}]}", ["spec.tolerations[0].operator: Invalid value: \"b\": value must be empty when `operator` is 'Exists'"]),
    ("Pod", "spec: {tolerations: [{key: a, operator: Exists, effect: Never}]}", ['spec.tolerations[0].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"']),
    ("Pod", "spec: {tolerations: [{key: a, operator: Exists, effect: NoSchedule, tolerationSeconds: 5}]}", ["spec.tolerations[0].effect: Invalid value: \"NoSchedule\": effect must be 'NoExecute' when `tolerationSeconds` is set"]),
    ("Pod", "spec: {tolerations: [{key: a, operator: Maybe}]}", ['spec.tolerations[0].operator: Unsupported value: "Maybe": supported values: "Equal", "Exists"']),
    ("Pod", "spec: {serviceAccountName: A_b}", [f"spec.serviceAccountName: Invalid value: \"A_b\": {SUBDOMAIN}"]),
    ("Pod", "spec: {priorityClassName: A_b}", [f"spec.priorityClassName: Invalid value: \"A_b\": {SUBDOMAIN}"]),
    ("Pod", 'spec: {schedulingGates: [{name: "a b"}]}', [f"spec.schedulingGates[0]: Invalid value: \"a b\": {QUALIFIED}"]),
    ("Pod", "spec: {schedulingGates: [{name: a}, {name: a}]}", ['spec.schedulingGates[1]: Duplicate value: "a"']),
    ("Pod", 'spec: {readinessGates: [{conditionType: "a b"}]}', [f"spec.readinessGates[0].conditionType: Invalid value: \"a b\": {QUALIFIED}"]),
    ("Pod", "spec: {topologySpreadConstraints: [{maxSkew: 0, topologyKey: a, whenUnsatisfiable: DoNotSchedule}]}", ["spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero"]),
    ("Pod", 'spec: {topologySpreadConstraints: [{maxSkew: 1, topologyKey: "", whenUnsatisfiable: Never}]}', ["spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty", 'spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "Never": supported values: "DoNotSchedule", "ScheduleAnyway"']),
    ("Pod", "spec: {topologySpreadConstraints: [{maxSkew: 1, topologyKey: a, whenUnsatisfiable: ScheduleAnyway, minDomains: 2}]}", ["spec.topologySpreadConstraints[0].minDomains: Invalid value: 2: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway"]),
    ("Pod", "spec: {affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: []}}}}", ["spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term"]),
    ("Pod", "spec: {affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: In}]}]}}}}", ["spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'"]),
    ("Pod", "spec: {affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 0, preference: {}}]}}}", ["spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 0: must be in the range 1-100"]),
    ("Pod", 'spec: {affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: ""}]}}}', ["spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Required value: can not be empty", 'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: "": name part must be non-empty', f"spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: \"\": {QUALIFIED}"]),
    ("Pod", "spec: {affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 101, podAffinityTerm: {topologyKey: a}}]}}}", ["spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 101: must be in the range 1-100"]),
    ("Pod", "spec: {securityContext: {runAsUser: -1}}", ["spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive"]),
    ("Pod", "spec: {securityContext: {sysctls: [{name: a b, value: c}]}}", ['spec.securityContext.sysctls[0].name: Invalid value: "a b": must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$']),
    ("Pod", "spec: {securityContext: {seccompProfile: {type: Localhost}}}", ["spec.securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost"]),
    ("Pod", "spec: {containers: [{name: a, image: i, securityContext: {privileged: true, allowPrivilegeEscalation: false}}]}", ['spec.containers[0].securityContext: Invalid value: {"Capabilities":null,"Privileged":true,"SELinuxOptions":null,"WindowsOptions":null,"RunAsUser":null,"RunAsGroup":null,"RunAsNonRoot":null,"ReadOnlyRootFilesystem":null,"AllowPrivilegeEscalation":false,"ProcMount":null,"SeccompProfile":null,"AppArmorProfile":null}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true']),
    ("Pod", "spec: {containers: [{name: a, image: i, securityContext: {procMount: All}}]}", ['spec.containers[0].securityContext.procMount: Unsupported value: "All": supported values: "Default", "Unmasked"']),
    ("Pod", "spec: {initContainers: [{name: main, image: i}]}", ['spec.initContainers[0].name: Duplicate value: "main"']),
    ("Pod", "spec: {initContainers: [{name: a, image: i, livenessProbe: {tcpSocket: {port: 80}}}]}", ["spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always"]),
    ("Pod", "spec: {ephemeralContainers: [{name: a, image: i}]}", ["spec.ephemeralContainers: Forbidden: cannot be set on create"]),
    ("Pod", "spec: {runtimeClassName: A_b}", [f"spec.runtimeClassName: Invalid value: \"A_b\": {SUBDOMAIN}"]),
    ("Pod", "spec: {preemptionPolicy: Maybe}", ['spec.preemptionPolicy: Unsupported value: "Maybe": supported values: "PreemptLowerPriority", "Never"']),
    ("Pod", "spec: {os: {name: plan9}}", ['spec.os: Unsupported value: "plan9": supported values: "linux", "windows"']),
    ("PodTemplate", "metadata: {name: A_b}", [f"metadata.name: Invalid value: \"A_b\": {SUBDOMAIN}"]),
    ("PodTemplate", "template: {spec: {restartPolicy: Sometimes}}", ['template.spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"']),
    ("PodTemplate", "template: {spec: {containers: []}}", ["template.spec.containers: Required value"]),
    ("PodTemplate", 'template: {metadata: {labels: {"a b": c}}}', [f"template.labels: Invalid value: \"a b\": {QUALIFIED}"]),
    ("ReplicationController", "spec: {replicas: -1}", [f"spec.replicas: Invalid value: -1: {LEAST}"]),
    ("ReplicationController", "spec: {selector: {app: other}}", ['spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`']),
    ("ReplicationController", "spec: {template: null}", ["spec.selector: Required value", "spec.template: Required value"]),
    ("ReplicationController", "spec: {minReadySeconds: -1}", [f"spec.minReadySeconds: Invalid value: -1: {LEAST}"]),
    ("ReplicationController", "spec: {template: {spec: {restartPolicy: Never}}}", ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"']),
    ("ReplicaSet", "spec: {replicas: -1}", [f"spec.replicas: Invalid value: -1: {LEAST}"]),
    ("ReplicaSet", "spec: {selector: {matchLabels: {app: other}}}", ['spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`']),
    ("ReplicaSet", "spec: {selector: {matchLabels: null}}", ["spec.selector: Invalid value: {}: empty selector is invalid for replicaset"]),
    ("ReplicaSet", "spec: {minReadySeconds: -1}", [f"spec.minReadySeconds: Invalid value: -1: {LEAST}"]),
    ("ReplicaSet", "spec: {template: {spec: {restartPolicy: OnFailure}}}", ['spec.template.spec.restartPolicy: Unsupported value: "OnFailure": supported values: "Always"']),
    ("ReplicaSet", "spec: {template: {spec: {activeDeadlineSeconds: 5}}}", ["spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported"]),
    ("Deployment", "spec: {replicas: -1}", [f"spec.replicas: Invalid value: -1: {LEAST}"]),
    ("Deployment", "spec: {strategy: {type: Fast}}", ['spec.strategy.type: Unsupported value: "Fast": supported values: "Recreate", "RollingUpdate"']),
    ("Deployment", "spec: {strategy: {type: Recreate, rollingUpdate: {maxSurge: 1}}}", ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"]),
    ("Deployment", "spec: {strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}}", ["spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"]),
    ("Deployment", "spec: {progressDeadlineSeconds: 0}", ["spec.progressDeadlineSeconds: Invalid value: 0: must be greater than minReadySeconds"]),
    ("Deployment", "spec: {revisionHistoryLimit: -1}", [f"spec.revisionHistoryLimit: Invalid value: -1: {LEAST}"]),
    ("StatefulSet", "spec: {replicas: -1}", [f"spec.replicas: Invalid value: -1: {LEAST}"]),
    ("StatefulSet", "spec: {podManagementPolicy: Random}", ["spec.podManagementPolicy: Invalid value: \"Random\": must be 'OrderedReady' or 'Parallel'"]),
    ("StatefulSet", "spec: {updateStrategy: {type: Recreate}}", ["spec.updateStrategy: Invalid value: {\"type\":\"Recreate\"}: must be 'RollingUpdate' or 'OnDelete'"]),
    ("StatefulSet", "spec: {updateStrategy: {type: OnDelete, rollingUpdate: {partition: 1}}}", ["spec.updateStrategy.rollingUpdate: Invalid value: {\"partition\":1}: only allowed for updateStrategy 'RollingUpdate'"]),
    ("StatefulSet", "spec: {updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: -1}}}", [f"spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: {LEAST}"]),
    ("StatefulSet", "spec: {selector: {matchLabels: {app: other}}}", ['spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`']),
    ("StatefulSet", "spec: {serviceName: A_b}", [f"spec.serviceName: Invalid value: \"A_b\": {LABEL}"]),
    ("StatefulSet", "spec: {ordinals: {start: -1}}", [f"spec.ordinals.start: Invalid value: -1: {LEAST}"]),
    ("StatefulSet", "spec: {persistentVolumeClaimRetentionPolicy: {whenDeleted: Never, whenScaled: Retain}}", ['spec.persistentVolumeClaimRetentionPolicy.whenDeleted: Unsupported value: "Never": supported values: "Delete", "Retain"']),
    ("StatefulSet", "spec: {template: {spec: {restartPolicy: Never}}}", ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"']),
    ("StatefulSet", "spec: {minReadySeconds: -1}", [f"spec.minReadySeconds: Invalid value: -1: {LEAST}"]),
    ("StatefulSet", "spec: {revisionHistoryLimit: -1}", [f"spec.revisionHistoryLimit: Invalid value: -1: {LEAST}"]),
    ("DaemonSet", "spec: {selector: {matchLabels: {app: other}}}", ['spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`']),
    ("DaemonSet", "spec: {updateStrategy: {type: Recreate}}", ['spec.updateStrategy.type: Unsupported value: "Recreate": supported values: "RollingUpdate", "OnDelete"']),
    ("DaemonSet", "spec: {updateStrategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 0}}}", ["spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0"]),
    ("DaemonSet", "spec: {updateStrategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 1, maxSurge: 1}}}", ["spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero"]),
    ("DaemonSet", "spec: {minReadySeconds: -1}", [f"spec.minReadySeconds: Invalid value: -1: {LEAST}"]),
    ("DaemonSet", "spec: {revisionHistoryLimit: -1}", [f"spec.revisionHistoryLimit: Invalid value: -1: {LEAST}"]),
    ("DaemonSet", "spec: {template: {spec: {restartPolicy: Never}}}", ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"']),
    ("CronJob", 'spec: {schedule: ""}', ["spec.schedule: Required value"]),
    ("CronJob", 'spec: {schedule: "a b"}', ['spec.schedule: Invalid value: "a b": expected exactly 5 fields, found 2: [a b]']),
    ("CronJob", "spec: {concurrencyPolicy: Sometimes}", ['spec.concurrencyPolicy: Unsupported value: "Sometimes": supported values: "Allow", "Forbid", "Replace"']),
    ("CronJob", "spec: {timeZone: Mars/Olympus}", ['spec.timeZone: Invalid value: "Mars/Olympus": unknown time zone Mars/Olympus']),
    ("CronJob", "spec: {startingDeadlineSeconds: -1}", [f"spec.startingDeadlineSeconds: Invalid value: -1: {LEAST}"]),
    ("CronJob", "metadata: {name: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}", ['metadata.name: Invalid value: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": must be no more than 52 characters']),
    ("Service", "metadata: {name: web_1}", [f"metadata.name: Invalid value: \"web_1\": {LABEL}"]),
    ("Service", "spec: {ports: [{port: 0}]}", [f"spec.ports[0].port: Invalid value: 0: {PORT}", f"spec.ports[0].targetPort: Invalid value: 0: {PORT}"]),
    ("Service", "spec: {ports: [{port: 80}, {port: 81}]}", ["spec.ports[0].name: Required value", "spec.ports[1].name: Required value"]),
    ("Service", "spec: {ports: [{port: 80, name: a}, {port: 81, name: a}]}", ['spec.ports[1].name: Duplicate value: "a"']),
    ("Service", "spec: {ports: [{port: 80, name: a}, {port: 80, name: b}]}", ['spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}']),
    ("Service", "spec: {type: Elastic}", ['spec.type: Unsupported value: "Elastic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"']),
    ("Service", "spec: {type: ExternalName}", ["spec.externalName: Required value"]),
    ("Service", "spec: {type: ExternalName, externalName: A_b}", [f"spec.externalName: Invalid value: \"A_b\": {SUBDOMAIN}"]),
    ("Service", "spec: {sessionAffinity: Sticky}", ['spec.sessionAffinity: Unsupported value: "Sticky": supported values: "ClientIP", "None"']),
    ("Service", "spec: {externalTrafficPolicy: Local}", ['spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services']),
    ("Service", "spec: {clusterIP: None, type: NodePort}", ["spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services"]),
    ("Service", "spec: {clusterIP: a}", [f"spec.clusterIPs[0]: Invalid value: \"a\": {ADDRESS}"]),
    ("Service", "spec: {externalIPs: [a]}", [f"spec.externalIPs[0]: Invalid value: \"a\": {ADDRESS}"]),
    ("Service", 'spec: {externalIPs: ["127.0.0.1"]}', ['spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)']),
    ("Service", 'spec: {selector: {"a b": c}}', [f"spec.selector: Invalid value: \"a b\": {QUALIFIED}"]),
    ("Service", "spec: {ports: [{port: 80, nodePort: 30000}]}", ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"]),
    ("Service", "spec: {ports: [{port: 80, targetPort: 70000}]}", [f"spec.ports[0].targetPort: Invalid value: 70000: {PORT}"]),
    ("Service", "spec: {ports: [{port: 80, targetPort: a_b}]}", ['spec.ports[0].targetPort: Invalid value: "a_b": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)']),
    ("Service", "spec: {ports: [{port: 80, protocol: HTTP}]}", ['spec.ports[0].protocol: Unsupported value: "HTTP": supported values: "SCTP", "TCP", "UDP"']),
    ("Service", "spec: {internalTrafficPolicy: Near}", ['spec.internalTrafficPolicy: Unsupported value: "Near": supported values: "Cluster", "Local"']),
    ("Service", "spec: {ipFamilies: [IPv5]}", ['spec.ipFamilies[0]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6"']),
    ("Service", "spec: {ipFamilyPolicy: Both}", ['spec.ipFamilyPolicy: Unsupported value: "Both": supported values: "PreferDualStack", "RequireDualStack", "SingleStack"']),
    ("Service", 'spec: {loadBalancerSourceRanges: ["10.0.0.0/8"]}', ["spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'"]),
    ("Service", "spec: {sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 0}}}", ["spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 0: must be greater than 0 and less than 86400"]),
    ("Service", "spec: {publishNotReadyAddresses: true, healthCheckNodePort: 30001}", ["spec.healthCheckNodePort: Invalid value: 30001: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"]),
    ("Service", "spec: {trafficDistribution: Far}", ['spec.trafficDistribution: Unsupported value: "Far": supported values: "PreferClose", "PreferSameZone", "PreferSameNode"']),
    ("Endpoints", "subsets: [{addresses: [{ip: a}], ports: [{port: 80}]}]", [f"subsets[0].addresses[0].ip: Invalid value: \"a\": {ADDRESS}", 'subsets[0].addresses[0].ip: Invalid value: "a": must be a valid IP address']),
    ("Endpoints", 'subsets: [{addresses: [{ip: "127.0.0.1"}], ports: [{port: 80}]}]', ['subsets[0].addresses[0].ip: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)']),
    ("Endpoints", 'subsets: [{addresses: [{ip: "10.0.0.1"}], ports: [{port: 0}]}]', [f"subsets[0].ports[0].port: Invalid value: 0: {PORT}"]),
    ("Endpoints", "subsets: [{ports: [{port: 80}]}]", ["subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`"]),
    ("Endpoints", 'subsets: [{addresses: [{ip: "10.0.0.1", hostname: A_b}], ports: [{port: 80}]}]', [f"subsets[0].addresses[0].hostname: Invalid value: \"A_b\": {LABEL}"]),
    ("Endpoints", 'subsets: [{addresses: [{ip: "10.0.0.1"}], ports: [{port: 80, name: A_b}]}]', [f"subsets[0].ports[0].name: Invalid value: \"A_b\": {LABEL}"]),
    ("EndpointSlice", "addressType: IPv5", ['addressType: Unsupported value: "IPv5": supported values: "FQDN", "IPv4", "IPv6"']),
    ("EndpointSlice", "addressType: null", ["addressType: Required value"]),
    ("EndpointSlice", "endpoints: [{addresses: []}]", ["endpoints[0].addresses: Required value: must contain at least 1 address"]),
    ("EndpointSlice", "endpoints: [{addresses: [a]}]", [f"endpoints[0].addresses[0]: Invalid value: \"a\": {ADDRESS}"]),
    ("EndpointSlice", 'endpoints: [{addresses: ["fd00::1"]}]', ['endpoints[0].addresses[0]: Invalid value: "fd00::1": must be a valid IPv4 address']),
    ("EndpointSlice", "ports: [{name: A_b, port: 80}]", [f"ports[0].name: Invalid value: \"A_b\": {LABEL}"]),
    ("EndpointSlice", "ports: [{name: a, port: 80}, {name: a, port: 81}]", ['ports[1].name: Duplicate value: "a"']),
    ("EndpointSlice", "ports: [{name: a, port: 80, protocol: HTTP}]", ['ports[0].protocol: Unsupported value: "HTTP": supported values: "SCTP", "TCP", "UDP"']),
    ("EndpointSlice", 'endpoints: [{addresses: ["10.0.0.1"], hostname: A_b}]', [f"endpoints[0].hostname: Invalid value: \"A_b\": {LABEL}"]),
    ("Node", "metadata: {name: A_b}", [f"metadata.name: Invalid value: \"A_b\": {SUBDOMAIN}"]),
    ("Node", 'spec: {taints: [{key: "a b", effect: NoSchedule}]}', [f"metadata.taints[0].key: Invalid value: \"a b\": {QUALIFIED}"]),
    ("Node", "spec: {taints: [{key: a, effect: Never}]}", ['metadata.taints[0].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"']),
    ("Node", "spec: {taints: [{key: a}]}", ["metadata.taints[0].effect: Required value"]),
    ("Node", "spec: {taints: [{key: a, effect: NoSchedule}, {key: a, effect: NoSchedule}]}", ['metadata.taints[1]: Duplicate value: {"Key":"a","Value":"","Effect":"NoSchedule","TimeAdded":null}: taints must be unique by key and effect pair']),
    ("Node", "spec: {podCIDRs: [a]}", ['spec.podCIDRs[0]: Invalid value: "a": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)']),
    ("Namespace", "metadata: {name: A}", [f"metadata.name: Invalid value: \"A\": {LABEL}"]),
    ("Namespace", "metadata: {name: a.b}", ['metadata.name: Invalid value: "a.b": must not contain dots']),
    ("Namespace", 'metadata: {name: a, labels: {"a b": c}}', [f"metadata.labels: Invalid value: \"a b\": {QUALIFIED}"]),
    ("Namespace", "metadata: {name: -a}", [f"metadata.name: Invalid value: \"-a\": {LABEL}", f"metadata.labels: Invalid value: \"-a\": {VALUE}"]),
    ("Namespace", "spec: {finalizers: [a]}", ['spec.finalizers: Invalid value: "a": name is neither a standard finalizer name nor is it fully qualified']),
    ("ConfigMap", 'data: {"a b": c}', [f"data[a b]: Invalid value: \"a b\": {KEY}"]),
    ("ConfigMap", "binaryData: {key: aGk=}", ['data[key]: Invalid value: "key": duplicate of key present in binaryData']),
    ("ConfigMap", 'data: {"..": c}', ["data[..]: Invalid value: \"..\": must not be '..'"]),
    ("ConfigMap", "metadata: {name: A}", [f"metadata.name: Invalid value: \"A\": {SUBDOMAIN}"]),
    ("Secret", 'data: {"a b": YQ==}', [f"data[a b]: Invalid value: \"a b\": {KEY}"]),
    ("Secret", "type: kubernetes.io/tls", ["data[tls.crt]: Required value", "data[tls.key]: Required value"]),
    ("Secret", "type: kubernetes.io/dockerconfigjson", ["data[.dockerconfigjson]: Required value"]),
    ("Secret", "type: kubernetes.io/service-account-token", ["metadata.annotations[kubernetes.io/service-account.name]: Required value"]),
    ("Secret", "type: kubernetes.io/basic-auth", ["data[username]: Required value", "data[password]: Required value"]),
    ("Secret", "type: kubernetes.io/ssh-auth", ["data[ssh-privatekey]: Required value"]),
    ("ServiceAccount", "metadata: {name: A}", [f"metadata.name: Invalid value: \"A\": {SUBDOMAIN}"]),
    ("ServiceAccount", "metadata: {name: a b}", [f"metadata.name: Invalid value: \"a b\": {SUBDOMAIN}"]),
    ("ServiceAccount", 'metadata: {name: a, annotations: {"a b": c}}', [f"metadata.annotations: Invalid value: \"a b\": {QUALIFIED}"]),
    ("Event", "involvedObject: {namespace: other}", ['involvedObject.namespace: Invalid value: "other": does not match event.namespace']),
    ("Event", "metadata: {name: A_b}", [f"metadata.name: Invalid value: \"A_b\": {SUBDOMAIN}"]),
    ("Event", 'metadata: {name: a, labels: {"a b": c}}', [f"metadata.labels: Invalid value: \"a b\": {QUALIFIED}"]),
    ("PersistentVolumeClaim", "spec: {accessModes: []}", ["spec.accessModes: Required value: at least 1 access mode is required"]),
    ("PersistentVolumeClaim", "spec: {resources: {requests: null}}", ["spec.resources[storage]: Required value"]),
    ("PersistentVolumeClaim", "spec: {storageClassName: A_b}", [f"spec.storageClassName: Invalid value: \"A_b\": {SUBDOMAIN}"]),
    ("PersistentVolumeClaim", "spec: {volumeMode: Tape}", ['spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"']),
    ("VolumeAttachment", 'spec: {attacher: ""}', ["spec.attacher: Required value"]),
    ("VolumeAttachment", 'spec: {nodeName: ""}', ["spec.nodeName: Required value"]),
    ("VolumeAttachment", "spec: {source: {persistentVolumeName: null}}", ["spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName"]),
    ("VolumeAttachment", "spec: {attacher: A_b}", [f"spec.attacher: Invalid value: \"A_b\": {SUBDOMAIN}"]),
    ("CSIDriver", "spec: {fsGroupPolicy: Maybe}", ['spec.fsGroupPolicy: Unsupported value: "Maybe": supported values: "File", "None", "ReadWriteOnceWithFSType"']),
    ("CSIDriver", "spec: {volumeLifecycleModes: [Short]}", ['spec.volumeLifecycleModes: Unsupported value: "Short": supported values: "Persistent", "Ephemeral"']),
    ("CSIDriver", "metadata: {name: -a}", [f"metadata.name: Invalid value: \"-a\": {SUBDOMAIN}"]),
    ("CSIDriver", "spec: {tokenRequests: [{audience: a}, {audience: a}]}", ['spec.tokenRequests[1].audience: Duplicate value: "a"']),
    ("CSINode", 'spec: {drivers: [{name: a, nodeID: ""}]}', ["spec.drivers[0].nodeID: Required value"]),
    ("CSINode", "spec: {drivers: [{name: a, nodeID: a}, {name: a, nodeID: a}]}", ['spec.drivers[1].name: Duplicate value: "a"']),
    ("CSINode", "spec: {drivers: [{name: -a, nodeID: a}]}", [f"spec.drivers[0].name: Invalid value: \"-a\": {SUBDOMAIN}"]),
    ("CSINode", 'spec: {drivers: [{name: a, nodeID: a, topologyKeys: ["a b"]}]}', [f"spec.drivers[0]: Invalid value: \"a b\": {QUALIFIED}"]),
    ("CSINode", "spec: {drivers: [{name: a, nodeID: a, allocatable: {count: -1}}]}", [f"spec.drivers[0].allocatable.count: Invalid value: -1: {LEAST}"]),
    ("CSIStorageCapacity", "storageClassName: A_b", [f"storageClassName: Invalid value: \"A_b\": {SUBDOMAIN}"]),
    ("CSIStorageCapacity", 'capacity: "-1"', [f"capacity: Invalid value: \"-1\": {LEAST}"]),
    ("CSIStorageCapacity", 'maximumVolumeSize: "-1"', [f"maximumVolumeSize: Invalid value: \"-1\": {LEAST}"]),
    ("PriorityClass", "metadata: {name: system-mine}", ["metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-mine is not a known system priority class"]),
    ("PriorityClass", "value: 2000000000", ["value: Forbidden: maximum allowed value of a user defined priority is 1000000000"]),
    ("PriorityClass", "preemptionPolicy: Maybe", ['preemptionPolicy: Unsupported value: "Maybe": supported values: "PreemptLowerPriority", "Never"']),
    ("PriorityClass", "metadata: {name: A}", [f"metadata.name: Invalid value: \"A\": {SUBDOMAIN}"]),
    ("RuntimeClass", 'handler: ""', [f"handler: Invalid value: \"\": {LABEL}"]),
    ("RuntimeClass", "handler: A_b", [f"handler: Invalid value: \"A_b\": {LABEL}"]),
    ("RuntimeClass", 'overhead: {podFixed: {cpu: "-1"}}', [f"overhead.limits[cpu]: Invalid value: \"-1\": {LEAST}"]),
    ("RuntimeClass", 'scheduling: {nodeSelector: {"a b": c}}', [f"scheduling.nodeSelector: Invalid value: \"a b\": {QUALIFIED}"]),
    ("RuntimeClass", "scheduling: {tolerations: [{key: a, operator: Exists, value: b}]}", ["scheduling.tolerations[0].operator: Invalid value: \"b\": value must be empty when `operator` is 'Exists'"]),
    ("RuntimeClass", "metadata: {name: A}", [f"metadata.name: Invalid value: \"A\": {SUBDOMAIN}"]),
    ("HorizontalPodAutoscaler", "spec: {maxReplicas: 0}", ["spec.maxReplicas: Invalid value: 0: must be greater than 0", "spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`"]),
    ("HorizontalPodAutoscaler", "spec: {minReplicas: 0}", ["spec.minReplicas: Invalid value: 0: must be greater than or equal to 1"]),
    ("HorizontalPodAutoscaler", "spec: {minReplicas: 5}", ["spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`"]),
    ("HorizontalPodAutoscaler", 'spec: {scaleTargetRef: {kind: "", name: web, apiVersion: apps/v1}}', ["spec.scaleTargetRef.kind: Required value"]),
    ("HorizontalPodAutoscaler", 'spec: {scaleTargetRef: {kind: Deployment, name: "", apiVersion: apps/v1}}', ["spec.scaleTargetRef.name: Required value"]),
    ("HorizontalPodAutoscaler", "spec: {metrics: [{type: Resource}]}", ["spec.metrics[0].resource: Required value: must populate information for the given metric source"]),
    ("HorizontalPodAutoscaler", "spec: {metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 0}}}]}", ["spec.metrics[0].resource.target.averageUtilization: Invalid value: 0: must be greater than 0"]),
    ("HorizontalPodAutoscaler", "spec: {metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization}}}]}", ["spec.metrics[0].resource.target.averageUtilization: Required value: must set either a target raw value or a target utilization"]),
    ("HorizontalPodAutoscaler", "spec: {behavior: {scaleDown: {stabilizationWindowSeconds: 4000}}}", ["spec.behavior.scaleDown.stabilizationWindowSeconds: Invalid value: 4000: must be less than or equal to 3600"]),
    ("HorizontalPodAutoscaler", "spec: {behavior: {scaleUp: {policies: []}}}", ["spec.behavior.scaleUp.policies: Required value: must specify at least one Policy"]),
    ("HorizontalPodAutoscaler", "spec: {behavior: {scaleUp: {policies: [{type: Pods, value: 0, periodSeconds: 15}]}}}", ["spec.behavior.scaleUp.policies[0].value: Invalid value: 0: must be greater than zero"]),
    ("Lease", "spec: {leaseDurationSeconds: 0}", ["spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0"]),
    ("Lease", "spec: {leaseTransitions: -1}", [f"spec.leaseTransitions: Invalid value: -1: {LEAST}"]),
    ("Lease", "metadata: {name: A}", [f"metadata.name: Invalid value: \"A\": {SUBDOMAIN}"]),
    ("Lease", 'spec: {strategy: "a b"}', ['spec.strategy.strategy: Unsupported value: "a b": supported values: "OldestEmulationVersion"']),
    ("Role", 'rules: [{apiGroups: [""], resources: [pods], verbs: []}]', ["rules[0].verbs: Required value: verbs must contain at least one value"]),
    ("Role", "rules: [{apiGroups: [], resources: [pods], verbs: [get]}]", ["rules[0].apiGroups: Required value: resource rules must supply at least one api group"]),
    ("Role", 'rules: [{apiGroups: [""], resources: [], verbs: [get]}]', ["rules[0].resources: Required value: resource rules must supply at least one resource"]),
    ("Role", 'rules: [{nonResourceURLs: ["/a"], verbs: [get]}]', ['rules[0].nonResourceURLs: Invalid value: ["/a"]: namespaced rules cannot apply to non-resource URLs']),
    ("Role", 'metadata: {name: "a/b"}', ["metadata.name: Invalid value: \"a/b\": may not contain '/'"]),
    ("ClusterRole", 'rules: [{apiGroups: [""], resources: [pods], verbs: []}]', ["rules[0].verbs: Required value: verbs must contain at least one value"]),
    ("ClusterRole", 'rules: [{nonResourceURLs: ["/a"], resources: [pods], apiGroups: [""], verbs: [get]}]', ['rules[0].nonResourceURLs: Invalid value: ["/a"]: rules cannot apply to both regular resources and non-resource URLs']),
    ("ClusterRole", "aggregationRule: {clusterRoleSelectors: []}", ["aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil"]),
    ("ClusterRole", 'aggregationRule: {clusterRoleSelectors: [{matchLabels: {"a b": c}}]}', [f"aggregationRule.clusterRoleSelectors[0].matchLabels: Invalid value: \"a b\": {QUALIFIED}"]),
    ("ClusterRole", 'metadata: {name: "a%b"}', ["metadata.name: Invalid value: \"a%b\": may not contain '%'"]),
    ("RoleBinding", "roleRef: {kind: Pod, name: a, apiGroup: rbac.authorization.k8s.io}", ['roleRef.kind: Unsupported value: "Pod": supported values: "Role", "ClusterRole"']),
    ("RoleBinding", 'roleRef: {kind: Role, name: "", apiGroup: rbac.authorization.k8s.io}', ["roleRef.name: Required value"]),
    ("RoleBinding", "roleRef: {kind: Role, name: a, apiGroup: apps}", ['roleRef.apiGroup: Unsupported value: "apps": supported values: "rbac.authorization.k8s.io"']),
    ("RoleBinding", "subjects: [{kind: Robot, name: a}]", ['subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"']),
    ("RoleBinding", 'subjects: [{kind: User, name: "", apiGroup: rbac.authorization.k8s.io}]', ["subjects[0].name: Required value", 'subjects[0].name: Invalid value: "": user name cannot be empty']),
    ("RoleBinding", "subjects: [{kind: ServiceAccount, name: A}]", [f"subjects[0].name: Invalid value: \"A\": {SUBDOMAIN}"]),
    ("ClusterRoleBinding", "roleRef: {kind: Role, name: a, apiGroup: rbac.authorization.k8s.io}", ['roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"']),
    ("ClusterRoleBinding", 'roleRef: {kind: ClusterRole, name: "", apiGroup: rbac.authorization.k8s.io}', ["roleRef.name: Required value"]),
    ("ClusterRoleBinding", "subjects: [{kind: ServiceAccount, name: a}]", ["subjects[0].namespace: Required value"]),
    ("ClusterRoleBinding", "subjects: [{kind: Group, name: a, apiGroup: apps}]", ['subjects[0].apiGroup: Unsupported value: "apps": supported values: "rbac.authorization.k8s.io"']),
    ("APIService", "spec: {groupPriorityMinimum: 0}", ["spec.groupPriorityMinimum: Invalid value: 0: must be positive and less than 20000"]),
    ("APIService", "spec: {versionPriority: 0}", ["spec.versionPriority: Invalid value: 0: must be positive and less than 1000"]),
    ("APIService", "spec: {groupPriorityMinimum: 20001}", ["spec.groupPriorityMinimum: Invalid value: 20001: must be positive and less than 20000"]),
    ("APIService", "metadata: {name: a}", ['metadata.name: Invalid value: "a": must be `spec.version+"."+spec.group`: "v1.boats.example.com"']),
    ("APIService", 'spec: {service: {name: "", namespace: default, port: 443}}', ["spec.service.name: Required value"]),
    ("APIService", 'spec: {service: {name: a, namespace: "", port: 443}}', ["spec.service.namespace: Required value"]),
    ("APIService", "spec: {caBundle: YQ==, insecureSkipTLSVerify: true}", ["spec.insecureSkipTLSVerify: Invalid value: true: may not be true if caBundle is present"]),
    ("CustomResourceDefinition", "metadata: {name: other}", ['metadata.name: Invalid value: "other": must be spec.names.plural+"."+spec.group']),
    ("CustomResourceDefinition", "spec: {scope: World}", ['spec.scope: Unsupported value: "World": supported values: "Cluster", "Namespaced"']),
    ("CustomResourceDefinition", "spec: {versions: []}", ["spec.versions: Invalid value: []: must have exactly one version marked as storage version"]),
    ("CustomResourceDefinition", 'spec: {names: {kind: ""}}', ["spec.names.singular: Required value", "spec.names.kind: Required value", "spec.names.listKind: Required value"]),
    ("CustomResourceDefinition", 'spec: {group: ""}', ['metadata.name: Invalid value: "boats.example.com": must be spec.names.plural+"."+spec.group', "spec.group: Required value"]),
    ("ValidatingAdmissionPolicy", "spec: {validations: []}", ["spec.validations: Required value: validations or auditAnnotations must contain at least one item", "spec.auditAnnotations: Required value: validations or auditAnnotations must contain at least one item"]),
    ("ValidatingAdmissionPolicy", "spec: {failurePolicy: Maybe}", ['spec.failurePolicy: Unsupported value: "Maybe": supported values: "Fail", "Ignore"']),
    ("ValidatingAdmissionPolicy", 'spec: {validations: [{expression: ""}]}', ["spec.validations[0].expression: Required value: expression is not specified"]),
    ("ValidatingAdmissionPolicy", 'spec: {validations: [{expression: "1"}]}', ['spec.validations[0].expression: Invalid value: "1": must evaluate to bool but got int']),
    ("ValidatingAdmissionPolicy", "spec: {matchConstraints: {matchPolicy: Some}}", ['spec.matchConstraints.matchPolicy: Unsupported value: "Some": supported values: "Equivalent", "Exact"']),
    ("ValidatingAdmissionPolicyBinding", 'spec: {policyName: ""}', ["spec.policyName: Required value"]),
    ("ValidatingAdmissionPolicyBinding", "spec: {validationActions: []}", ["spec.validationActions: Required value: at least one validation action is required"]),
    ("ValidatingAdmissionPolicyBinding", "spec: {validationActions: [Deny, Warn]}", ['spec.validationActions: Invalid value: ["Deny","Warn"]: must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)']),
    ("ValidatingAdmissionPolicyBinding", "spec: {validationActions: [Shout]}", ['spec.validationActions[0]: Unsupported value: "Shout": supported values: "Audit", "Deny", "Warn"']),
    ("CertificateSigningRequest", "spec: {usages: []}", ["spec.usages: Required value"]),
    ("FlowSchema", "spec: {matchingPrecedence: -1}", ["spec.matchingPrecedence: Invalid value: -1: must be a positive value"]),
    ("Pod", "metadata: {name: web, finalizers: [mine]}", ['metadata.finalizers[0]: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified']),
    ("Pod", 'spec: {overhead: {cpu: "-1"}}', [f"spec.overhead[cpu]: Invalid value: \"-1\": {LEAST}"]),
    ("CSIDriver", "spec: {tokenRequests: [{audience: a}, {audience: b, expirationSeconds: 599}]}", ["spec.tokenRequests[1].expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes"]),
    ("CSIDriver", "spec: {nodeAllocatableUpdatePeriodSeconds: 9}", ["spec.nodeAllocatableUpdatePeriodSeconds: Invalid value: 9: must be greater than or equal to 10 seconds"]),
    ("Lease", "spec: {preferredHolder: a}", ["spec.preferredHolder: Forbidden: may only be specified if `strategy` is defined"]),
    ("Lease", 'spec: {strategy: "a/b c"}', [f"spec.strategy.strategy: Invalid value: \"a/b c\": {QUALIFIED}"]),
    ("Job", "spec: {parallelism: -1}", [f"spec.parallelism: Invalid value: -1: {LEAST}"]),
    ("Job", "spec: {completions: -1}", [f"spec.completions: Invalid value: -1: {LEAST}"]),
    ("Job", "spec: {activeDeadlineSeconds: -1}", [f"spec.activeDeadlineSeconds: Invalid value: -1: {LEAST}"]),
    ("Job", "spec: {completionMode: Random}", ['spec.completionMode: Unsupported value: "Random": supported values: "NonIndexed", "Indexed"']),
    ("ResourceQuota", 'spec: {hard: {pods: "-1"}}', [f"spec.hard[pods]: Invalid value: \"-1\": {LEAST}"]),
    ("ResourceQuota", 'spec: {hard: {"a b": "1"}}', [f"spec.hard[a b]: Invalid value: \"a b\": {QUALIFIED}", 'spec.hard[a b]: Invalid value: "a b": must be a standard resource for quota']),
    ("ResourceQuota", "spec: {scopes: [Nice]}", ['spec.scopes: Invalid value: ["Nice"]: unsupported scope']),
    ("LimitRange", "metadata: {name: A_b}", [f"metadata.name: Invalid value: \"A_b\": {SUBDOMAIN}"]),
    ("StorageClass", 'provisioner: ""', ["provisioner: Required value"]),
    ("StorageClass", "reclaimPolicy: Keep", ['reclaimPolicy: Unsupported value: "Keep": supported values: "Delete", "Retain"']),
    ("StorageClass", "volumeBindingMode: Later", ['volumeBindingMode: Unsupported value: "Later": supported values: "Immediate", "WaitForFirstConsumer"']),
    ("PersistentVolume", "spec: {accessModes: []}", ["spec.accessModes: Required value"]),
    ("PersistentVolume", "spec: {persistentVolumeReclaimPolicy: Keep}", ['spec.persistentVolumeReclaimPolicy: Unsupported value: "Keep": supported values: "Delete", "Recycle", "Retain"']),
    ("PersistentVolume", "spec: {volumeMode: Tape}", ['spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"']),
    ("PersistentVolume", "spec: {storageClassName: A_b}", [f"spec.storageClassName: Invalid value: \"A_b\": {SUBDOMAIN}"]),
    ("PersistentVolume", 'spec: {hostPath: {path: ""}}', ["spec.hostPath.path: Required value"]),
    ("PodDisruptionBudget", "spec: {minAvailable: -1}", [f"spec.minAvailable: Invalid value: -1: {LEAST}"]),
    ("PodDisruptionBudget", "metadata: {name: A}", [f"metadata.name: Invalid value: \"A\": {SUBDOMAIN}"]),
    ("Ingress", "spec: {defaultBackend: null}", ["spec: Invalid value: null: either `defaultBackend` or `rules` must be specified"]),
    ("Ingress", 'spec: {defaultBackend: {service: {name: "", port: {number: 80}}}}', ["spec.defaultBackend.service.name: Required value"]),
    ("Ingress", "spec: {defaultBackend: {service: {name: web, port: {number: 0}}}}", ["spec.defaultBackend: Required value: port name or number is required"]),
    ("Ingress", "spec: {rules: [{host: A_b, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}", [f"spec.rules[0].host: Invalid value: \"A_b\": {SUBDOMAIN}"]),
    ("Ingress", "spec: {ingressClassName: A_b}", [f"spec.ingressClassName: Invalid value: \"A_b\": {SUBDOMAIN}"]),
    ("IngressClass", 'spec: {controller: ""}', ["spec.controller: Required value"]),
    ("IngressClass", 'spec: {controller: "a b"}', ['spec.controller: Invalid value: "a b": must be a domain-prefixed path (such as "acme.io/foo")']),
    ("NetworkPolicy", "spec: {policyTypes: [Sideways]}", ['spec.policyTypes[0]: Unsupported value: "Sideways": supported values: "Ingress", "Egress"']),
    ("NetworkPolicy", "spec: {ingress: [{ports: [{port: 0}]}]}", [f"spec.ingress[0].ports[0].port: Invalid value: 0: {PORT}"]),
    ("NetworkPolicy", "spec: {ingress: [{from: [{}]}]}", ["spec.ingress[0].from[0]: Required value: must specify a peer"]),
    ("NetworkPolicy", "spec: {ingress: [{from: [{ipBlock: {cidr: a}}]}]}", ['spec.ingress[0].from[0].ipBlock.cidr: Invalid value: "a": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)']),
    ("NetworkPolicy", 'spec: {ingress: [{from: [{ipBlock: {cidr: "10.0.0.0/8", except: ["11.0.0.0/8"]}}]}]}', ['spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "11.0.0.0/8": must be a strict subset of `cidr`']),
    ("NetworkPolicy", "spec: {egress: [{ports: [{port: 80, endPort: 70}]}]}", ["spec.egress[0].ports[0].endPort: Invalid value: 70: must be greater than or equal to `port`"]),
)  # fmt: skip


OWN: dict[str, int] = Counter(kind for kind, _, _ in ROWS)
Rows = Iterable[tuple[str, list[str]]]
VALIDATED = (
    "Pod", "PodTemplate", "ReplicationController", "ReplicaSet", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob",
    "Service", "Endpoints", "EndpointSlice", "Node", "Namespace", "ConfigMap", "Secret", "ServiceAccount", "Event",
    "LimitRange", "ResourceQuota", "PersistentVolume", "PersistentVolumeClaim", "StorageClass", "VolumeAttachment",
    "CSIDriver", "CSINode", "CSIStorageCapacity", "PriorityClass", "RuntimeClass", "PodDisruptionBudget",
    "HorizontalPodAutoscaler", "Lease", "Ingress", "IngressClass", "NetworkPolicy", "Role", "ClusterRole", "RoleBinding",
    "ClusterRoleBinding", "CertificateSigningRequest", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding",
    "FlowSchema", "PriorityLevelConfiguration", "APIService", "CustomResourceDefinition", "ServiceCIDR", "IPAddress",
    "DeviceClass", "ResourceClaim", "ResourceClaimTemplate", "ResourceSlice",
)  # fmt: skip
"""The kinds whose objects somebody can write and that are validated in full."""


def _of_one(kind: str, *tables: Mapping[str, tuple[Any, ...]]) -> Iterator[tuple[str, list[str]]]:
    """Rows of tables about one kind; the last column is what is said."""
    for table in tables:
        for row in table.values():
            yield kind, row[-1]


def _of_many(
    bases: Mapping[str, Any], *tables: Mapping[str, tuple[Any, ...]]
) -> Iterator[tuple[str, list[str]]]:
    """Rows of tables whose first column names an object of ``bases``."""
    for table in tables:
        for row in table.values():
            yield bases[row[0]]["kind"], row[-1]


TABLES: dict[str, Rows] = {
    "batch": _of_many(
        test_api_batch.BASES, test_api_batch.CREATES, test_api_batch.LIMITS, test_api_batch.UPDATES
    ),
    "budgets": _of_one("PodDisruptionBudget", test_api_budget_validation.CREATES),
    "certificates": _of_one(
        "CertificateSigningRequest",
        test_api_certificates_validation.CREATES,
        test_api_certificates_validation.APPROVALS,
        test_api_certificates_validation.SIGNATURES,
    ),
    "flow schemas": _of_one("FlowSchema", test_api_flowcontrol_validation.SCHEMAS),
    "priority levels": _of_one("PriorityLevelConfiguration", test_api_flowcontrol_validation.LEVELS),
    "kinds": _of_many(
        test_api_kinds_validation.BASES, test_api_kinds_validation.CREATES, test_api_kinds_validation.UPDATES
    ),
    "devices": _of_many(
        test_api_resource_validation.BASES,
        test_api_resource_validation.CREATES,
        test_api_resource_validation.UPDATES,
    ),
    "networking": _of_many(test_api_networking_validation.BASES, test_api_networking_validation.CREATES),
    "runtime classes": _of_one("RuntimeClass", test_api_node_validation.WRONG),
    "pods": _of_one("Pod", test_api_pod_validation.SPECS),
    "quotas": _of_many(test_api_quota_validation.BASES, test_api_quota_validation.CREATES),
    "storage": _of_many(
        test_api_storage_validation.BASES,
        test_api_storage_validation.CREATES,
        test_api_storage_validation.UPDATES,
    ),
    "mutating webhooks": _of_one("MutatingWebhookConfiguration", test_api_webhook_validation.WRONG),
    "validating webhooks": _of_one("ValidatingWebhookConfiguration", test_api_webhook_validation.WRONG),
}


@pytest.mark.parametrize(
    ("kind", "change", "said"), ROWS, ids=[f"{kind}: {change}" for kind, change, _ in ROWS]
)
def test_an_invalid_manifest(kind: str, change: str, said: list[str]) -> None:
    base = {"apiVersion": BY_KIND[kind].api_version, "kind": kind, "metadata": {"name": "web"}, **BASES[kind]}
    assert problems(base) == []
    assert problems(merged(base, load(change))) == said


def test_there_are_enough_of_each_kind() -> None:
    rows = [(kind, change) for kind, change, _ in ROWS]
    assert len(set(rows)) == len(rows)
    counted = Counter(OWN)
    for table in TABLES.values():
        counted.update(kind for kind, said in table if said and all(isinstance(text, str) for text in said))
    assert counted.total() >= 500
    assert {kind: counted[kind] for kind in VALIDATED if counted[kind] < 3} == {}
