"""Chance by key: one Pod more in a fork changes nothing of any other object."""

import pytest

from cluster_engine import Cluster

pytestmark = pytest.mark.slow

BEFORE = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 4
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: nginx, image: "nginx:1.27", readinessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 5}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: NodePort
  selector: {app: web}
  ports: [{port: 80}]
---
apiVersion: v1
kind: Pod
metadata: {name: crasher}
spec:
  containers: [{name: c, image: "busybox:1.36", command: [sh, -c, "wget -qO- http://web; exit 3"]}]
"""

EXTRA = """
apiVersion: v1
kind: Pod
metadata: {name: extra}
spec:
  nodeName: control-plane
  containers:
  - {name: c, image: "busybox:1.36", command: [sh, -c, "while true; do wget -qO- http://web; sleep 1; done"]}
"""

AFTER = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: later}
spec:
  replicas: 3
  selector: {matchLabels: {app: later}}
  template:
    metadata: {labels: {app: later}}
    spec:
      containers: [{name: nginx, image: "nginx:1.27"}]
---
apiVersion: v1
kind: Service
metadata: {name: later}
spec:
  selector: {app: later}
  ports: [{port: 80}]
"""


def without_revisions(value):
    """The revision is the cluster's own count of writes: every write more moves it for all."""
    if isinstance(value, dict):
        return {
            name: without_revisions(item)
            for name, item in value.items()
            if name not in ("resourceVersion", "kubernetes.io/service-account.uid")
        }
    return [without_revisions(item) for item in value] if isinstance(value, list) else value


def everything(cluster):
    return {
        (resource, obj["metadata"].get("namespace", ""), obj["metadata"]["name"]): without_revisions(obj)
        for resource in cluster.store.resources()
        for obj in cluster.store.range(resource)
    }


def later(cluster):
    """The same story on both sides: Pods go, Pods come."""
    cluster.advance(3.3)
    first = cluster.list("pods", "default", "app=web")[0]
    cluster.delete("pods", first["metadata"]["name"])
    cluster.apply(AFTER)
    cluster.advance(400)
    return everything(cluster)


@pytest.mark.parametrize("moment", [0.0, 1.5, 70.0], ids=["at once", "while they start", "when all run"])
@pytest.mark.parametrize("seed", [1, 2])
def test_one_pod_more_changes_nothing_else(seed, moment):
    cluster = Cluster(nodes=4, seed=seed, freezing=True)
    cluster.apply(BEFORE)
    cluster.advance(moment)
    fork = cluster.fork()
    fork.apply(EXTRA)
    one, other = later(cluster), later(fork)
    more = {key for key in other if key not in one}
    assert ("pods", "default", "extra") in more
    assert all("extra" in key[2] for key in more), "only the Pod and its Events are new"
    # The node it runs on has pulled its image.
    differing = {key for key in one if one[key] != other.get(key)}
    assert differing <= {("nodes", "", "control-plane")}


def test_a_name_used_again_is_another_object():
    cluster = Cluster(nodes=2, seed=1)
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    uids = []
    for _ in range(3):
        uids.append(cluster.apply(manifest)[0]["metadata"]["uid"])
        cluster.delete("configmaps", "a")
        cluster = cluster.restore(cluster.snapshot())
    assert len(set(uids)) == 3
