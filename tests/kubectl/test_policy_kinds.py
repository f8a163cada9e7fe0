"""Quotas, ranges, budgets: what the real kubectl prints of them and what it is refused."""

from __future__ import annotations

import pytest
from kubectl_driver import Kubectl, shape

pytestmark = pytest.mark.kubectl

RANGE = """\
apiVersion: v1
kind: LimitRange
metadata: {name: bounds}
spec:
  limits:
  - {type: Container, default: {cpu: "2"}, defaultRequest: {cpu: "1"}, max: {memory: 1Gi}}
"""


def test_quotas(kubectl: Kubectl) -> None:
    assert (
        kubectl("create", "quota", "small", "--hard=pods=1,limits.cpu=5") == "resourcequota/small created\n"
    )
    kubectl("wait", "--for=jsonpath={.status.used.pods}=0", "resourcequota/small")
    assert shape(kubectl("get", "quota")) == [
        ["NAME", "REQUEST", "LIMIT", "AGE"],
        ["small", "pods: 0/1", "limits.cpu: 0/5", "<age>"],
    ]
    assert kubectl.fails("run", "a", "--image=nginx") == (
        'Error from server (Forbidden): pods "a" is forbidden: failed quota: small: must specify limits.cpu for: a\n'
    )
    kubectl("apply", "-f", "-", stdin=RANGE)
    kubectl("run", "a", "--image=nginx")
    assert kubectl.fails("run", "b", "--image=nginx") == (
        'Error from server (Forbidden): pods "b" is forbidden: exceeded quota: small, requested: pods=1, '
        "used: pods=1, limited: pods=1\n"
    )
    assert shape(kubectl("describe", "quota", "small"))[2:] == [
        ["Resource", "Used", "Hard"],
        ["--------", "----", "----"],
        ["limits.cpu", "2", "5"],
        ["pods", "1", "1"],
    ]


def test_limit_ranges(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=RANGE)
    assert shape(kubectl("get", "limits"))[0] == ["NAME", "CREATED AT"]
    told = shape(kubectl("describe", "limitrange", "bounds"))[2:]
    assert told[0] == [
        "Type", "Resource", "Min", "Max", "Default Request", "Default Limit", "Max Limit/Request Ratio",
    ]  # fmt: skip
    assert sorted(told[2:]) == [
        ["Container", "cpu", "-", "-", "1", "2", "-"],
        ["Container", "memory", "-", "1Gi", "1Gi", "1Gi", "-"],
    ]


WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: web, image: nginx}]
"""


def test_budgets(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=WEB)
    kubectl("rollout", "status", "deployment/web")
    assert kubectl("create", "pdb", "web", "--selector=app=web", "--min-available=1") == (
        "poddisruptionbudget.policy/web created\n"
    )
    kubectl("wait", "--for=jsonpath={.status.disruptionsAllowed}=1", "pdb/web")
    assert shape(kubectl("get", "pdb")) == [
        ["NAME", "MIN AVAILABLE", "MAX UNAVAILABLE", "ALLOWED DISRUPTIONS", "AGE"],
        ["web", "1", "N/A", "1", "<age>"],
    ]
    told = [
        [cell.strip() for cell in line.split(":", 1)]
        for line in kubectl("describe", "pdb", "web").splitlines()
    ]
    assert told[2:] == [
        ["Min available", "1"],
        ["Selector", "app=web"],
        ["Status", ""],
        ["Allowed disruptions", "1"],
        ["Current", "2"],
        ["Desired", "1"],
        ["Total", "2"],
        ["Events", "<none>"],
    ]


def test_a_drain_waits_for_the_budget(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=WEB)
    kubectl("rollout", "status", "deployment/web")
    kubectl("create", "pdb", "web", "--selector=app=web", "--min-available=2")
    kubectl("wait", "--for=jsonpath={.status.currentHealthy}=2", "pdb/web")
    pod, node = kubectl(
        "get", "pods", "-o", "jsonpath={.items[0].metadata.name} {.items[0].spec.nodeName}"
    ).split()
    drain = (
        "drain",
        node,
        "--ignore-daemonsets",
        "--delete-emptydir-data",
        "--force",
        "--pod-selector=app=web",
    )
    try:
        refused = kubectl.fails(*drain, "--timeout=2s")
        assert f'error when evicting pods/"{pod}" -n "{kubectl.namespace}" (will retry after 5s): ' in refused
        assert "Cannot evict pod as it would violate the pod's disruption budget." in refused
        kubectl("patch", "pdb", "web", "-p", '{"spec":{"minAvailable":1}}')
        done = kubectl(*drain)
        assert f"pod/{pod} evicted" in done
        assert f"node/{node} drained" in done
    finally:
        kubectl("uncordon", node)


STORAGE = """\
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: quick}
provisioner: hostpath.csi.k8s.io
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {storageClassName: quick, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: writer}
spec:
  containers:
  - {name: c, image: busybox, command: [sleep, 1d], volumeMounts: [{name: v, mountPath: /v}]}
  volumes: [{name: v, persistentVolumeClaim: {claimName: data}}]
"""


def test_claims_and_volumes(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=STORAGE)
    kubectl("wait", "--for=jsonpath={.status.phase}=Bound", "pvc/data")
    kubectl("wait", "--for=condition=Ready", "pod/writer")
    volume = kubectl("get", "pvc", "data", "-o", "jsonpath={.spec.volumeName}")
    assert shape(kubectl("get", "sc", "quick")) == [
        ["NAME", "PROVISIONER", "RECLAIMPOLICY", "VOLUMEBINDINGMODE", "ALLOWVOLUMEEXPANSION", "AGE"],
        ["quick", "hostpath.csi.k8s.io", "Delete", "Immediate", "false", "<age>"],
    ]
    assert shape(kubectl("get", "pvc"))[1] == [
        "data", "Bound", volume, "1Gi", "RWO", "quick", "<unset>", "<age>",
    ]  # fmt: skip
    row = shape(kubectl("get", "pv", volume))[1]
    assert row[1:7] == ["1Gi", "RWO", "Delete", "Bound", f"{kubectl.namespace}/data", "quick"]
    assert "Used By:       writer\n" in kubectl("describe", "pvc", "data")
    assert "Type:              CSI (a Container Storage Interface (CSI) volume source)" in kubectl(
        "describe", "pv", volume
    )
    kubectl("delete", "pod", "writer", "--grace-period=1")
    kubectl("delete", "pvc", "data")
    assert "not found" in kubectl.fails("get", "pvc", "data")


def test_ingresses_and_policies(kubectl: Kubectl) -> None:
    kubectl("create", "ingress", "shop", "--rule=shop.example.com/*=web:80", "--class=outer")
    assert shape(kubectl("get", "ing")) == [
        ["NAME", "CLASS", "HOSTS", "ADDRESS", "PORTS", "AGE"],
        ["shop", "outer", "shop.example.com", "80", "<age>"],
    ]
    assert (
        'shop.example.com  \n                    /   web:80 (<error: services "web" not found>)'
        in kubectl("describe", "ingress", "shop")
    )
    policy = '{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy",'
    policy += '"metadata":{"name":"shut"},"spec":{"podSelector":{}}}'
    kubectl("apply", "-f", "-", stdin=policy)
    assert shape(kubectl("get", "netpol")) == [["NAME", "POD-SELECTOR", "AGE"], ["shut", "<none>", "<age>"]]
