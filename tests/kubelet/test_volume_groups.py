"""fsGroup on a volume that outlives its Pods: whether all that lies in it is given to the group each time."""

from __future__ import annotations

import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.kube_apiserver import ADMIN, Request

CLAIM = """
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: fast}
provisioner: hostpath.csi.k8s.io
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: default}
spec: {storageClassName: fast, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""


def user(name: str, script: str, **context: object) -> JSON:
    mounts = [{"name": "v", "mountPath": "/v"}]
    container = {"name": "c", "image": "busybox", "command": ["sh", "-c", script], "volumeMounts": mounts}
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]
    spec = {
        "containers": [container],
        "volumes": volumes,
        "restartPolicy": "Never",
        "securityContext": context,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": spec,
    }


POLICIES = {
    "the top has the group": ("OnRootMismatch", 2000, "5"),
    "another group": ("OnRootMismatch", 3000, "3000"),
    "always": ("Always", 2000, "2000"),
    "not said": (None, 2000, "2000"),
}


@pytest.mark.parametrize(("policy", "group", "found"), POLICIES.values(), ids=POLICIES)
def test_change_policy(policy: str | None, group: int, found: str) -> None:
    cluster = Cluster(nodes=2, freezing=True, addons=False)
    cluster.apply(CLAIM)
    cluster.apply(user("first", "echo a > /v/a; chgrp 5 /v/a", fsGroup=2000))
    cluster.settle()
    said = {} if policy is None else {"fsGroupChangePolicy": policy}
    cluster.apply(user("second", "stat -c %g /v/a", fsGroup=group, **said))
    cluster.settle()
    log = cluster.request(Request("GET", "/api/v1/namespaces/default/pods/second/log", user=ADMIN))
    assert log.body.decode().strip() == found
